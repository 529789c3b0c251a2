// What is stored in store::Table::Lambda, and under which keys (README.md has them byte by byte).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "terrarium/services/lambda/function_record.h"

namespace terrarium::lambda {

struct MappingRecord {
  std::string uuid;
  std::string function_name;
  std::string qualifier;  // of the function, as it was given; empty: none
  std::string queue_arn;
  std::int32_t batch_size = 10;
  std::int32_t window_s = 0;
  bool enabled = true;
  bool report_item_failures = false;
  std::optional<std::int32_t> concurrency_max;
  std::vector<std::string> filters;  // patterns; a message passes when one matches
  std::map<std::string, std::string> tags;
  base::Timestamp last_modified;
};

// An asynchronous invocation that was accepted and is not done.
struct QueuedEvent {
  std::string request_id;
  std::string qualifier;       // of the function, as it was named; empty: none
  std::uint32_t attempts = 0;  // that failed
  std::uint32_t hops = 0;      // destinations in a row that led to this invocation
  base::Timestamp accepted;
  base::Timestamp due;
  std::string client_context;
  std::string payload;
};

// How asynchronous invocations of a function, a version or an alias end.
struct InvokeConfigRecord {
  std::string function_name;
  std::string qualifier;  // "$LATEST", "3", "live"
  std::optional<std::int32_t> retries_max;
  std::optional<std::int32_t> event_age_max_s;
  std::string on_success_arn;  // empty: nowhere
  std::string on_failure_arn;  //
  base::Timestamp last_modified;
};

std::string to_text(const MappingRecord& record);
base::Result<MappingRecord> parse_mapping(std::string_view text);
std::string to_text(const QueuedEvent& event);
base::Result<QueuedEvent> parse_event(std::string_view text);
std::string to_text(const InvokeConfigRecord& record);
base::Result<InvokeConfigRecord> parse_invoke_config(std::string_view text);

namespace keys {

inline constexpr std::string_view kAllFunctions = "f";
inline constexpr std::string_view kAllVersions = "v";
inline constexpr std::string_view kAllAliases = "a";
inline constexpr std::string_view kAllMappings = "m";
inline constexpr std::string_view kAllEvents = "e";
inline constexpr std::string_view kAllInvokeConfigs = "c";

std::string functions(std::string_view region);  // prefix
std::string function(std::string_view region, std::string_view name);
std::string versions(std::string_view region, std::string_view function);  // prefix
std::string version(std::string_view region, std::string_view function, std::uint64_t number);
std::string aliases(std::string_view region, std::string_view function);  // prefix
std::string alias(std::string_view region, std::string_view function, std::string_view name);
std::string mappings(std::string_view region);  // prefix
std::string mapping(std::string_view region, std::string_view uuid);
std::string events(std::string_view region, std::string_view function);  // prefix
std::string event(std::string_view region, std::string_view function, base::Timestamp accepted,
                  std::string_view request_id);
std::string invoke_configs(std::string_view region, std::string_view function);  // prefix
std::string invoke_config(std::string_view region, std::string_view function,
                          std::string_view qualifier);

// {region, name} of a function's, mapping's or event's key.
struct Parts {
  std::string region;
  std::string name;
};
Parts parts(std::string_view key);

}  // namespace keys
}  // namespace terrarium::lambda
