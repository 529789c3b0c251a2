// The rules of CloudWatch Logs, pure: names, limits, what PutLogEvents accepts, tokens, ARNs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generated/logs/model.h"
#include "lib/base/result.h"
#include "terrarium/services/logs/records.h"

namespace terrarium::logs {

inline constexpr std::size_t kNameBytesMax = 512;
inline constexpr std::size_t kTagsMax = 50;
inline constexpr std::size_t kBatchEventsMax = 10'000;
inline constexpr std::size_t kBatchBytesMax = 1'048'576;
inline constexpr std::size_t kEventBytesMax = 1'048'576;  // since 2025
inline constexpr std::size_t kEventOverheadBytes = 26;    // what AWS counts besides the message
inline constexpr std::size_t kPageEventsMax = 10'000;
inline constexpr std::size_t kPageBytesMax = 1'048'576;
inline constexpr std::size_t kListMax = 50;
inline constexpr std::size_t kMetricFiltersMax = 100;  // of a group
inline constexpr std::size_t kPoliciesMax = 10;        // of a region
// FilterLogEvents looks at no more than these before it answers, with a token to go on.
inline constexpr std::size_t kScanEventsMax = 100'000;
inline constexpr Millis kDayMs = 24 * 3600 * 1000LL;

// What an event counts for in storedBytes.
std::int64_t stored_bytes(std::string_view message);

base::Result<void> check_group_name(std::string_view name);
base::Result<void> check_stream_name(std::string_view name);
base::Result<void> check_filter_name(std::string_view name);
base::Result<void> check_retention(std::int32_t days);
// Adds `add` to `tags`; refuses malformed or too many.
base::Result<void> add_tags(std::map<std::string, std::string>& tags,
                            const std::map<std::string, std::string>& add);
// `given`, or the maximum; refuses what lies outside 1..max.
base::Result<std::size_t> check_limit(std::optional<std::int32_t> given, std::size_t max);

// Which of a batch's events are kept: [first, last), and why the others are not.
struct Accepted {
  std::size_t first = 0;
  std::size_t last = 0;
  std::optional<RejectedLogEventsInfo> rejected;
};
base::Result<Accepted> accept(const std::vector<InputLogEvent>& events, Millis now_ms,
                              std::optional<std::int32_t> retention_days);

// "f/<56 digits>/s" and "b/...": where a reader of a stream stands, and which way it goes.
struct ReadToken {
  bool forward = true;
  Position position;
};
std::string to_text(const ReadToken& token);
base::Result<ReadToken> parse_read_token(std::string_view text);
// 56 digits, unique for each event of a region.
std::string event_id(Position position);
// What is handed out where it once was a token that the next PutLogEvents had to bring.
std::string sequence_token(const StreamRecord& record);
// Tokens of lists: the last key that was given out, opaque.
std::string list_token(std::string_view last);
base::Result<std::string> parse_list_token(std::string_view token);

std::string group_arn(std::string_view region, std::string_view account, std::string_view group);
// The group that a request names by name or by identifier (a name or an ARN).
base::Result<std::string> group_of(const std::optional<std::string>& name,
                                   const std::optional<std::string>& identifier);
// The group of "arn:aws:logs:REGION:ACCOUNT:log-group:NAME" with or without ":*".
base::Result<std::string> group_of_arn(std::string_view arn);

// `text` with every byte that is not part of well-formed UTF-8 replaced by U+FFFD.
std::string well_formed(std::string_view text);

}  // namespace terrarium::logs
