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

namespace terrarium::lambda {

inline constexpr std::string_view kLatest = "$LATEST";

// One statement of a function's resource policy, as AddPermission made it.
struct PolicyStatement {
  std::string id;
  std::string json;
};

struct FunctionRecord {
  std::string name;
  std::string runtime;
  std::string role;
  std::string handler;
  std::string description;
  std::int32_t timeout_s = 3;
  std::int32_t memory_mb = 128;
  std::int32_t ephemeral_mb = 512;
  std::string package_type = "Zip";
  std::string log_group;  // empty: /aws/lambda/NAME
  std::string tracing_mode = "PassThrough";
  std::map<std::string, std::string> variables;
  bool has_environment = false;  // AWS answers Environment only when it was given
  std::map<std::string, std::string> tags;
  std::vector<PolicyStatement> policy;
  std::string policy_revision_id;
  std::optional<std::int32_t> reserved_concurrency;
  std::string code_sha256_hex;  // names the code's folder
  std::int64_t code_bytes = 0;
  base::Timestamp last_modified;
  std::string revision_id;
};

struct MappingRecord {
  std::string uuid;
  std::string function_name;
  std::string queue_arn;
  std::int32_t batch_size = 10;
  std::int32_t window_s = 0;
  bool enabled = true;
  bool report_item_failures = false;
  std::optional<std::int32_t> concurrency_max;
  base::Timestamp last_modified;
};

// An asynchronous invocation that was accepted and is not done.
struct QueuedEvent {
  std::string request_id;
  std::uint32_t attempts = 0;  // that failed
  base::Timestamp accepted;
  base::Timestamp due;
  std::string client_context;
  std::string payload;
};

std::string to_text(const FunctionRecord& record);
base::Result<FunctionRecord> parse_function(std::string_view text);
std::string to_text(const MappingRecord& record);
base::Result<MappingRecord> parse_mapping(std::string_view text);
std::string to_text(const QueuedEvent& event);
base::Result<QueuedEvent> parse_event(std::string_view text);

namespace keys {

inline constexpr std::string_view kAllFunctions = "f";
inline constexpr std::string_view kAllMappings = "m";
inline constexpr std::string_view kAllEvents = "e";

std::string functions(std::string_view region);  // prefix
std::string function(std::string_view region, std::string_view name);
std::string mappings(std::string_view region);  // prefix
std::string mapping(std::string_view region, std::string_view uuid);
std::string events(std::string_view region, std::string_view function);  // prefix
std::string event(std::string_view region, std::string_view function, base::Timestamp accepted,
                  std::string_view request_id);

// {region, name} of a function's, mapping's or event's key.
struct Parts {
  std::string region;
  std::string name;
};
Parts parts(std::string_view key);

}  // namespace keys
}  // namespace terrarium::lambda
