#include "terrarium/services/lambda/records.h"

#include "terrarium/services/lambda/record_json.h"

namespace terrarium::lambda {
namespace {

using namespace record_json;

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

std::string to_text(const MappingRecord& record) {
  json::object object{{"uuid", record.uuid},
                      {"function_name", record.function_name},
                      {"qualifier", record.qualifier},
                      {"queue_arn", record.queue_arn},
                      {"batch_size", record.batch_size},
                      {"window_s", record.window_s},
                      {"enabled", record.enabled},
                      {"report_item_failures", record.report_item_failures},
                      {"filters", array_of(record.filters)},
                      {"tags", object_of(record.tags)},
                      {"last_modified_us", micros(record.last_modified)}};
  if (record.concurrency_max) object["concurrency_max"] = *record.concurrency_max;
  return json::serialize(object);
}

base::Result<MappingRecord> parse_mapping(std::string_view stored) {
  TRY(const json::object object, parse_object(stored));
  return MappingRecord{.uuid = text(object, "uuid"),
                       .function_name = text(object, "function_name"),
                       .qualifier = text(object, "qualifier"),
                       .queue_arn = text(object, "queue_arn"),
                       .batch_size = number32(object, "batch_size"),
                       .window_s = number32(object, "window_s"),
                       .enabled = flag(object, "enabled"),
                       .report_item_failures = flag(object, "report_item_failures"),
                       .concurrency_max = optional32(object, "concurrency_max"),
                       .filters = texts(object, "filters"),
                       .tags = map_of(object, "tags"),
                       .last_modified = time(object, "last_modified_us")};
}

std::string to_text(const QueuedEvent& event) {
  std::string bytes;
  append_number(bytes, event.attempts, 4);
  append_number(bytes, event.hops, 4);
  append_number(bytes, static_cast<std::uint64_t>(micros(event.accepted)), 8);
  append_number(bytes, static_cast<std::uint64_t>(micros(event.due)), 8);
  append_number(bytes, event.request_id.size(), 2);
  bytes += event.request_id;
  append_number(bytes, event.qualifier.size(), 2);
  bytes += event.qualifier;
  append_number(bytes, event.client_context.size(), 4);
  bytes += event.client_context;
  return bytes + event.payload;
}

base::Result<QueuedEvent> parse_event(std::string_view stored) {
  Reader reader{stored};
  QueuedEvent event;
  event.attempts = static_cast<std::uint32_t>(reader.number(4));
  event.hops = static_cast<std::uint32_t>(reader.number(4));
  event.accepted = base::Timestamp(base::Duration(reader.number(8)));
  event.due = base::Timestamp(base::Duration(reader.number(8)));
  event.request_id = reader.bytes(reader.number(2));
  event.qualifier = reader.bytes(reader.number(2));
  event.client_context = reader.bytes(reader.number(4));
  event.payload = reader.rest;
  if (reader.broken) return base::fail(base::ErrorKind::Internal, "a queued event is damaged");
  return event;
}

std::string to_text(const InvokeConfigRecord& record) {
  json::object object{{"function_name", record.function_name},
                      {"qualifier", record.qualifier},
                      {"on_success_arn", record.on_success_arn},
                      {"on_failure_arn", record.on_failure_arn},
                      {"last_modified_us", micros(record.last_modified)}};
  if (record.retries_max) object["retries_max"] = *record.retries_max;
  if (record.event_age_max_s) object["event_age_max_s"] = *record.event_age_max_s;
  return json::serialize(object);
}

base::Result<InvokeConfigRecord> parse_invoke_config(std::string_view stored) {
  TRY(const json::object object, parse_object(stored));
  return InvokeConfigRecord{.function_name = text(object, "function_name"),
                            .qualifier = text(object, "qualifier"),
                            .retries_max = optional32(object, "retries_max"),
                            .event_age_max_s = optional32(object, "event_age_max_s"),
                            .on_success_arn = text(object, "on_success_arn"),
                            .on_failure_arn = text(object, "on_failure_arn"),
                            .last_modified = time(object, "last_modified_us")};
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
std::string versions(std::string_view region, std::string_view function) {
  return regional(kAllVersions, region) + std::string(function) + '\0';
}
std::string version(std::string_view region, std::string_view function, std::uint64_t number) {
  std::string key = versions(region, function);
  append_number(key, number, 8);
  return key;
}
std::string aliases(std::string_view region, std::string_view function) {
  return regional(kAllAliases, region) + std::string(function) + '\0';
}
std::string alias(std::string_view region, std::string_view function, std::string_view name) {
  return aliases(region, function) + std::string(name);
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
std::string invoke_configs(std::string_view region, std::string_view function) {
  return regional(kAllInvokeConfigs, region) + std::string(function) + '\0';
}
std::string invoke_config(std::string_view region, std::string_view function,
                          std::string_view qualifier) {
  return invoke_configs(region, function) + std::string(qualifier);
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
