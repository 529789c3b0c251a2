#include "terrarium/services/logs/records.h"

#include <boost/json.hpp>

#include "lib/base/check.h"

namespace terrarium::logs {
namespace {

namespace json = boost::json;

constexpr std::size_t kNumberBytes = 8;

base::Result<json::object> parse_object(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) {
    return base::fail(base::ErrorKind::Internal, "a record of logs is damaged");
  }
  return std::move(value.as_object());
}

std::int64_t number(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_int64() ? value->as_int64() : 0;
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::map<std::string, std::string> texts(const json::object& object, std::string_view name) {
  std::map<std::string, std::string> out;
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_object()) return out;
  for (const auto& member : value->as_object()) {
    if (member.value().is_string()) {
      out.emplace(std::string(member.key()), std::string(member.value().as_string()));
    }
  }
  return out;
}

json::object to_object(const std::map<std::string, std::string>& texts) {
  json::object object;
  for (const auto& [key, value] : texts) object[key] = value;
  return object;
}

std::optional<std::int64_t> optional_number(const json::object& object, std::string_view name) {
  if (!object.contains(name)) return std::nullopt;
  return number(object, name);
}

// Times before 1970 are refused at the door; the rest sorts as bytes.
std::uint64_t unsigned_time(Millis time_ms) {
  CHECK(time_ms >= 0, "times are checked before they become keys");
  return static_cast<std::uint64_t>(time_ms);
}

}  // namespace

std::string big_endian(std::uint64_t number) {
  std::string bytes(kNumberBytes, '\0');
  for (std::size_t i = 0; i < kNumberBytes; ++i) {
    bytes[i] = static_cast<char>(number >> (8 * (kNumberBytes - 1 - i)));
  }
  return bytes;
}

std::string to_text(const GroupRecord& record) {
  json::object object{{"id", record.id},
                      {"creation_ms", record.creation_ms},
                      {"stored_bytes", record.stored_bytes},
                      {"metric_filters", record.metric_filters},
                      {"tags", to_object(record.tags)}};
  if (record.retention_days) object["retention_days"] = *record.retention_days;
  return json::serialize(object);
}

base::Result<GroupRecord> parse_group(std::string_view text) {
  TRY(const json::object object, parse_object(text));
  GroupRecord record;
  record.id = static_cast<std::uint64_t>(number(object, "id"));
  record.creation_ms = number(object, "creation_ms");
  record.stored_bytes = number(object, "stored_bytes");
  record.metric_filters = static_cast<std::int32_t>(number(object, "metric_filters"));
  if (const auto days = optional_number(object, "retention_days")) {
    record.retention_days = static_cast<std::int32_t>(*days);
  }
  record.tags = texts(object, "tags");
  return record;
}

std::string to_text(const StreamRecord& record) {
  json::object object{{"id", record.id}, {"creation_ms", record.creation_ms}};
  if (record.last_event_ms) object["last_event_ms"] = *record.last_event_ms;
  if (record.last_ingestion_ms) object["last_ingestion_ms"] = *record.last_ingestion_ms;
  return json::serialize(object);
}

base::Result<StreamRecord> parse_stream(std::string_view text) {
  TRY(const json::object object, parse_object(text));
  StreamRecord record;
  record.id = static_cast<std::uint64_t>(number(object, "id"));
  record.creation_ms = number(object, "creation_ms");
  record.last_event_ms = optional_number(object, "last_event_ms");
  record.last_ingestion_ms = optional_number(object, "last_ingestion_ms");
  return record;
}

std::string to_text(const MetricFilterRecord& record) {
  json::array transformations;
  for (const MetricTransformationRecord& made : record.transformations) {
    json::object one{{"name", made.metric_name},
                     {"namespace", made.metric_namespace},
                     {"value", made.metric_value},
                     {"dimensions", to_object(made.dimensions)}};
    if (made.default_value) one["default"] = *made.default_value;
    if (made.unit) one["unit"] = *made.unit;
    transformations.push_back(std::move(one));
  }
  return json::serialize(json::object{{"name", record.name},
                                      {"group", record.group},
                                      {"pattern", record.pattern},
                                      {"creation_ms", record.creation_ms},
                                      {"transformations", std::move(transformations)}});
}

base::Result<MetricFilterRecord> parse_metric_filter(std::string_view text) {
  TRY(const json::object object, parse_object(text));
  MetricFilterRecord record{.name = text_of(object, "name"),
                            .group = text_of(object, "group"),
                            .pattern = text_of(object, "pattern"),
                            .creation_ms = number(object, "creation_ms")};
  const json::value* transformations = object.if_contains("transformations");
  if (transformations == nullptr || !transformations->is_array()) return record;
  for (const json::value& value : transformations->as_array()) {
    if (!value.is_object()) continue;
    const json::object& one = value.as_object();
    MetricTransformationRecord made{.metric_name = text_of(one, "name"),
                                    .metric_namespace = text_of(one, "namespace"),
                                    .metric_value = text_of(one, "value"),
                                    .dimensions = texts(one, "dimensions")};
    const json::value* given = one.if_contains("default");
    if (given != nullptr && given->is_number()) made.default_value = given->to_number<double>();
    if (one.contains("unit")) made.unit = text_of(one, "unit");
    record.transformations.push_back(std::move(made));
  }
  return record;
}

std::string to_text(const PolicyRecord& record) {
  return json::serialize(
      json::object{{"document", record.document}, {"updated_ms", record.updated_ms}});
}

base::Result<PolicyRecord> parse_policy(std::string_view text) {
  TRY(const json::object object, parse_object(text));
  return PolicyRecord{.document = text_of(object, "document"),
                      .updated_ms = number(object, "updated_ms")};
}

std::string event_text(std::uint64_t stream_id, Millis ingestion_ms, std::string_view message) {
  std::string text = big_endian(stream_id) + big_endian(unsigned_time(ingestion_ms));
  text += message;
  return text;
}

base::Result<EventRecord> parse_event(std::string_view text) {
  if (text.size() < 2 * kNumberBytes) {
    return base::fail(base::ErrorKind::Internal, "a log event is damaged");
  }
  return EventRecord{.stream_id = keys::number_at(text, 0),
                     .ingestion_ms = static_cast<Millis>(keys::number_at(text, kNumberBytes)),
                     .message = std::string(text.substr(2 * kNumberBytes))};
}

namespace keys {
namespace {

std::string named(char kind, std::string_view region, std::string_view rest) {
  std::string key(1, kind);
  key.append(region).push_back('\0');
  key.append(rest);
  return key;
}

std::string numbered(char kind, std::uint64_t id) { return std::string(1, kind) + big_endian(id); }

}  // namespace

std::string groups(std::string_view region) { return named('g', region, {}); }
std::string group(std::string_view region, std::string_view group) {
  return named('g', region, group);
}
std::string streams(std::string_view region, std::string_view group) {
  return named('s', region, std::string(group) + '\0');
}
std::string stream(std::string_view region, std::string_view group, std::string_view stream) {
  return streams(region, group) + std::string(stream);
}
std::string by_last_event(std::uint64_t group_id) { return numbered('t', group_id); }
std::string by_last_event(std::uint64_t group_id, Millis last_event_ms, std::string_view stream) {
  return by_last_event(group_id) + big_endian(unsigned_time(last_event_ms)) + std::string(stream);
}
std::string stream_names(std::uint64_t group_id) { return numbered('x', group_id); }
std::string stream_name(std::uint64_t group_id, std::uint64_t stream_id) {
  return stream_names(group_id) + big_endian(stream_id);
}
std::string events(std::uint64_t group_id) { return numbered('e', group_id); }
std::string event(std::uint64_t group_id, Position position) {
  return events(group_id) + keys::position(position);
}
std::string index(std::uint64_t group_id) { return numbered('i', group_id); }
std::string index(std::uint64_t group_id, std::uint64_t stream_id) {
  return index(group_id) + big_endian(stream_id);
}
std::string index(std::uint64_t group_id, std::uint64_t stream_id, Position position) {
  return index(group_id, stream_id) + keys::position(position);
}
std::string metric_filters(std::string_view region) { return named('m', region, {}); }
std::string metric_filter(std::string_view region, std::string_view name, std::string_view group) {
  return metric_filters(region) + std::string(name) + '\0' + std::string(group);
}
std::string filter_names(std::uint64_t group_id) { return numbered('f', group_id); }
std::string filter_name(std::uint64_t group_id, std::string_view name) {
  return filter_names(group_id) + std::string(name);
}
std::string policies(std::string_view region) { return named('p', region, {}); }
std::string policy(std::string_view region, std::string_view name) {
  return named('p', region, name);
}
std::string purges() { return "d"; }
std::string purge(std::uint64_t group_id, std::uint64_t stream_id) {
  return numbered('d', group_id) + big_endian(stream_id);
}

std::string_view name_of(std::string_view key, std::size_t prefix_bytes) {
  return key.substr(prefix_bytes);
}

std::uint64_t number_at(std::string_view key, std::size_t offset) {
  CHECK(offset + kNumberBytes <= key.size(), "keys are as long as they were written");
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kNumberBytes; ++i) {
    number = (number << 8) | static_cast<unsigned char>(key[offset + i]);
  }
  return number;
}

std::string position(Position position) {
  return big_endian(unsigned_time(position.time_ms)) + big_endian(position.sequence);
}

Position position_of(std::string_view event_or_index_key) {
  const std::size_t end = event_or_index_key.size();
  return {.time_ms = static_cast<Millis>(number_at(event_or_index_key, end - 2 * kNumberBytes)),
          .sequence = number_at(event_or_index_key, end - kNumberBytes)};
}

}  // namespace keys
}  // namespace terrarium::logs
