// What is stored in store::Table::Logs, and under which keys (README.md has them byte by byte).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace terrarium::logs {

// Milliseconds since 1970: the time of CloudWatch Logs.
using Millis = std::int64_t;

struct GroupRecord {
  std::uint64_t id = 0;
  Millis creation_ms = 0;
  std::optional<std::int32_t> retention_days;
  std::int64_t stored_bytes = 0;
  std::map<std::string, std::string> tags;
};

struct StreamRecord {
  std::uint64_t id = 0;
  Millis creation_ms = 0;
  // Nothing until the first event.
  std::optional<Millis> first_event_ms;
  std::optional<Millis> last_event_ms;
  std::optional<Millis> last_ingestion_ms;
};

struct EventRecord {
  std::uint64_t stream_id = 0;
  Millis ingestion_ms = 0;
  std::string message;
};

// Where an event stands: by time, then by arrival.
struct Position {
  Millis time_ms = 0;
  std::uint64_t sequence = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

std::string to_text(const GroupRecord& record);
base::Result<GroupRecord> parse_group(std::string_view text);
std::string to_text(const StreamRecord& record);
base::Result<StreamRecord> parse_stream(std::string_view text);
std::string to_text(const EventRecord& record);
base::Result<EventRecord> parse_event(std::string_view text);

namespace keys {

inline constexpr std::string_view kNextNumber = "n";

std::string groups(std::string_view region);  // prefix of every group of a region
std::string group(std::string_view region, std::string_view group);
std::string streams(std::string_view region, std::string_view group);  // prefix
std::string stream(std::string_view region, std::string_view group, std::string_view stream);
// Streams of a group by the time of their last event.
std::string by_last_event(std::uint64_t group_id);  // prefix
std::string by_last_event(std::uint64_t group_id, Millis last_event_ms, std::string_view stream);
std::string stream_name(std::uint64_t group_id, std::uint64_t stream_id);
std::string stream_names(std::uint64_t group_id);  // prefix
std::string events(std::uint64_t group_id);        // prefix
std::string event(std::uint64_t group_id, Position position);
std::string index(std::uint64_t group_id);                           // prefix
std::string index(std::uint64_t group_id, std::uint64_t stream_id);  // prefix
std::string index(std::uint64_t group_id, std::uint64_t stream_id, Position position);
// Streams that were deleted and whose events are still there.
std::string purges();  // prefix
std::string purge(std::uint64_t group_id, std::uint64_t stream_id);

// Parts of keys that were read.
std::string_view name_of(std::string_view key, std::size_t prefix_bytes);
std::uint64_t number_at(std::string_view key, std::size_t offset);
Position position_of(std::string_view event_or_index_key);

}  // namespace keys

std::string big_endian(std::uint64_t number);

}  // namespace terrarium::logs
