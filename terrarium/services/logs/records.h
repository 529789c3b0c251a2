// What is stored in store::Table::Logs, and under which keys (README.md has them byte by byte).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace terrarium::logs {

// Milliseconds since 1970: the time of CloudWatch Logs.
using Millis = std::int64_t;

struct GroupRecord {
  std::uint64_t id = 0;
  Millis creation_ms = 0;
  std::optional<std::int32_t> retention_days;
  std::int64_t stored_bytes = 0;
  std::int32_t metric_filters = 0;
  std::map<std::string, std::string> tags;
};

struct StreamRecord {
  std::uint64_t id = 0;
  Millis creation_ms = 0;
  // Nothing until the first event. Which event is the first, the index tells: retention moves it.
  std::optional<Millis> last_event_ms;
  std::optional<Millis> last_ingestion_ms;
};

struct EventRecord {
  std::uint64_t stream_id = 0;
  Millis ingestion_ms = 0;
  std::string message;
};

struct MetricTransformationRecord {
  std::string metric_name;
  std::string metric_namespace;
  std::string metric_value;  // a number, or what holds it: "$.latency", "$size"
  std::optional<double> default_value;
  std::map<std::string, std::string> dimensions;
  std::optional<std::string> unit;
};

struct MetricFilterRecord {
  std::string name;
  std::string group;
  std::string pattern;
  Millis creation_ms = 0;
  std::vector<MetricTransformationRecord> transformations;
};

struct PolicyRecord {
  std::string document;
  Millis updated_ms = 0;
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
std::string to_text(const MetricFilterRecord& record);
base::Result<MetricFilterRecord> parse_metric_filter(std::string_view text);
std::string to_text(const PolicyRecord& record);
base::Result<PolicyRecord> parse_policy(std::string_view text);
std::string event_text(std::uint64_t stream_id, Millis ingestion_ms, std::string_view message);
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
// Metric filters by name over a region; and the names that a group has.
std::string metric_filters(std::string_view region);  // prefix
std::string metric_filter(std::string_view region, std::string_view name, std::string_view group);
std::string filter_names(std::uint64_t group_id);  // prefix
std::string filter_name(std::uint64_t group_id, std::string_view name);
std::string policies(std::string_view region);  // prefix
std::string policy(std::string_view region, std::string_view name);
// Streams that were deleted and whose events are still there.
std::string purges();  // prefix
std::string purge(std::uint64_t group_id, std::uint64_t stream_id);

// Parts of keys that were read.
std::string_view name_of(std::string_view key, std::size_t prefix_bytes);
std::uint64_t number_at(std::string_view key, std::size_t offset);
Position position_of(std::string_view event_or_index_key);
std::string position(Position position);  // the end of both

}  // namespace keys

std::string big_endian(std::uint64_t number);

}  // namespace terrarium::logs
