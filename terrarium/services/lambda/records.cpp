#include "terrarium/services/lambda/records.h"

#include <boost/json.hpp>

namespace terrarium::lambda {
namespace {

namespace json = boost::json;

base::Result<json::object> parse_object(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) {
    return base::fail(base::ErrorKind::Internal, "a record of lambda is damaged");
  }
  return std::move(value.as_object());
}

std::string text(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->as_string());
}

std::int64_t number(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_int64() ? value->as_int64() : 0;
}

std::int32_t number32(const json::object& object, std::string_view name) {
  return static_cast<std::int32_t>(number(object, name));
}

std::optional<std::int32_t> optional32(const json::object& object, std::string_view name) {
  if (!object.contains(name)) return std::nullopt;
  return number32(object, name);
}

bool flag(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->as_bool();
}

std::int64_t micros(base::Timestamp time) { return time.time_since_epoch().count(); }

base::Timestamp time(const json::object& object, std::string_view name) {
  return base::Timestamp(base::Duration(number(object, name)));
}

json::object object_of(const std::map<std::string, std::string>& map) {
  json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

std::map<std::string, std::string> map_of(const json::object& object, std::string_view name) {
  std::map<std::string, std::string> map;
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_object()) return map;
  for (const auto& member : value->as_object()) {
    if (member.value().is_string()) {
      map.emplace(std::string(member.key()), std::string(member.value().as_string()));
    }
  }
  return map;
}

json::array array_of(const std::vector<PolicyStatement>& policy) {
  json::array array;
  for (const PolicyStatement& statement : policy) {
    array.push_back(json::object{{"id", statement.id}, {"json", statement.json}});
  }
  return array;
}

std::vector<PolicyStatement> policy_of(const json::object& object) {
  std::vector<PolicyStatement> policy;
  const json::value* value = object.if_contains("policy");
  if (value == nullptr || !value->is_array()) return policy;
  for (const json::value& statement : value->as_array()) {
    if (!statement.is_object()) continue;
    policy.push_back({text(statement.as_object(), "id"), text(statement.as_object(), "json")});
  }
  return policy;
}

void append_number(std::string& bytes, std::uint64_t number, int count) {
  for (int i = count - 1; i >= 0; --i) bytes.push_back(static_cast<char>(number >> (8 * i)));
}

// Cuts numbers and texts off the front of a record; `broken` once one is not there.
struct Reader {
  std::string_view rest;
  bool broken = false;

  std::uint64_t number(std::size_t count) {
    std::uint64_t value = 0;
    for (const char byte : bytes(count)) value = (value << 8) | static_cast<unsigned char>(byte);
    return value;
  }
  std::string_view bytes(std::size_t count) {
    if (count > rest.size()) {
      broken = true;
      count = rest.size();
    }
    const std::string_view taken = rest.substr(0, count);
    rest.remove_prefix(count);
    return taken;
  }
};

}  // namespace

std::string to_text(const FunctionRecord& record) {
  json::object object{{"name", record.name},
                      {"runtime", record.runtime},
                      {"role", record.role},
                      {"handler", record.handler},
                      {"description", record.description},
                      {"timeout_s", record.timeout_s},
                      {"memory_mb", record.memory_mb},
                      {"ephemeral_mb", record.ephemeral_mb},
                      {"package_type", record.package_type},
                      {"log_group", record.log_group},
                      {"tracing_mode", record.tracing_mode},
                      {"variables", object_of(record.variables)},
                      {"has_environment", record.has_environment},
                      {"tags", object_of(record.tags)},
                      {"policy", array_of(record.policy)},
                      {"policy_revision_id", record.policy_revision_id},
                      {"code_sha256", record.code_sha256_hex},
                      {"code_bytes", record.code_bytes},
                      {"last_modified_us", micros(record.last_modified)},
                      {"revision_id", record.revision_id}};
  if (record.reserved_concurrency) object["reserved_concurrency"] = *record.reserved_concurrency;
  return json::serialize(object);
}

base::Result<FunctionRecord> parse_function(std::string_view stored) {
  TRY(const json::object object, parse_object(stored));
  return FunctionRecord{.name = text(object, "name"),
                        .runtime = text(object, "runtime"),
                        .role = text(object, "role"),
                        .handler = text(object, "handler"),
                        .description = text(object, "description"),
                        .timeout_s = number32(object, "timeout_s"),
                        .memory_mb = number32(object, "memory_mb"),
                        .ephemeral_mb = number32(object, "ephemeral_mb"),
                        .package_type = text(object, "package_type"),
                        .log_group = text(object, "log_group"),
                        .tracing_mode = text(object, "tracing_mode"),
                        .variables = map_of(object, "variables"),
                        .has_environment = flag(object, "has_environment"),
                        .tags = map_of(object, "tags"),
                        .policy = policy_of(object),
                        .policy_revision_id = text(object, "policy_revision_id"),
                        .reserved_concurrency = optional32(object, "reserved_concurrency"),
                        .code_sha256_hex = text(object, "code_sha256"),
                        .code_bytes = number(object, "code_bytes"),
                        .last_modified = time(object, "last_modified_us"),
                        .revision_id = text(object, "revision_id")};
}

std::string to_text(const MappingRecord& record) {
  json::object object{{"uuid", record.uuid},
                      {"function_name", record.function_name},
                      {"queue_arn", record.queue_arn},
                      {"batch_size", record.batch_size},
                      {"window_s", record.window_s},
                      {"enabled", record.enabled},
                      {"report_item_failures", record.report_item_failures},
                      {"last_modified_us", micros(record.last_modified)}};
  if (record.concurrency_max) object["concurrency_max"] = *record.concurrency_max;
  return json::serialize(object);
}

base::Result<MappingRecord> parse_mapping(std::string_view stored) {
  TRY(const json::object object, parse_object(stored));
  return MappingRecord{.uuid = text(object, "uuid"),
                       .function_name = text(object, "function_name"),
                       .queue_arn = text(object, "queue_arn"),
                       .batch_size = number32(object, "batch_size"),
                       .window_s = number32(object, "window_s"),
                       .enabled = flag(object, "enabled"),
                       .report_item_failures = flag(object, "report_item_failures"),
                       .concurrency_max = optional32(object, "concurrency_max"),
                       .last_modified = time(object, "last_modified_us")};
}

std::string to_text(const QueuedEvent& event) {
  std::string bytes;
  append_number(bytes, event.attempts, 4);
  append_number(bytes, static_cast<std::uint64_t>(micros(event.accepted)), 8);
  append_number(bytes, static_cast<std::uint64_t>(micros(event.due)), 8);
  append_number(bytes, event.request_id.size(), 2);
  bytes += event.request_id;
  append_number(bytes, event.client_context.size(), 4);
  bytes += event.client_context;
  return bytes + event.payload;
}

base::Result<QueuedEvent> parse_event(std::string_view stored) {
  Reader reader{stored};
  QueuedEvent event;
  event.attempts = static_cast<std::uint32_t>(reader.number(4));
  event.accepted = base::Timestamp(base::Duration(reader.number(8)));
  event.due = base::Timestamp(base::Duration(reader.number(8)));
  event.request_id = reader.bytes(reader.number(2));
  event.client_context = reader.bytes(reader.number(4));
  event.payload = reader.rest;
  if (reader.broken) return base::fail(base::ErrorKind::Internal, "a queued event is damaged");
  return event;
}

namespace keys {
namespace {

std::string regional(std::string_view kind, std::string_view region) {
  std::string key(kind);
  key.append(region).push_back('\0');
  return key;
}

}  // namespace

std::string functions(std::string_view region) { return regional(kAllFunctions, region); }
std::string function(std::string_view region, std::string_view name) {
  return functions(region) + std::string(name);
}
std::string mappings(std::string_view region) { return regional(kAllMappings, region); }
std::string mapping(std::string_view region, std::string_view uuid) {
  return mappings(region) + std::string(uuid);
}
std::string events(std::string_view region, std::string_view function) {
  return regional(kAllEvents, region) + std::string(function) + '\0';
}
std::string event(std::string_view region, std::string_view function, base::Timestamp accepted,
                  std::string_view request_id) {
  std::string key = events(region, function);
  append_number(key, static_cast<std::uint64_t>(micros(accepted)), 8);
  return key + std::string(request_id);
}

Parts parts(std::string_view key) {
  key.remove_prefix(std::min<std::size_t>(1, key.size()));
  const std::size_t end_of_region = std::min(key.find('\0'), key.size());
  Parts found{.region = std::string(key.substr(0, end_of_region)), .name = {}};
  key.remove_prefix(std::min(end_of_region + 1, key.size()));
  found.name = key.substr(0, std::min(key.find('\0'), key.size()));
  return found;
}

}  // namespace keys
}  // namespace terrarium::lambda
