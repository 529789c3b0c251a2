#include "terrarium/services/logs/service.h"

#include "generated/logs/errors.h"

namespace terrarium::logs {
namespace {

constexpr auto kTable = store::Table::Logs;

std::unexpected<base::Error> no_group() {
  return base::fail(errors::kResourceNotFoundException, "The specified log group does not exist.");
}

}  // namespace

Millis to_millis(base::Timestamp time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

Service::Service(store::Store& store, base::Clock& clock, runtime::Executor control, Config config)
    : store_(store),
      clock_(clock),
      control_(control),
      config_(std::move(config)),
      tasks_(control),
      wake_sweep_(clock) {}

void Service::start() { tasks_.spawn("sweep logs", sweep()); }

Task<void> Service::stop() {
  flush();
  stopped_ = true;
  co_await tasks_.stop();
}

Result<GroupRecord> Service::group(std::string_view region, std::string_view name) const {
  TRY_VOID(check_group_name(name));
  TRY(const auto text, store_.get(kTable, keys::group(region, name)));
  if (!text) return no_group();
  return parse_group(*text);
}

Result<Service::Stream> Service::stream(std::string_view region, std::string_view group_name,
                                        std::string_view name) const {
  Stream found{.region = std::string(region),
               .group_name = std::string(group_name),
               .name = std::string(name)};
  TRY_VOID(check_stream_name(name));
  TRY(found.group, group(region, group_name));
  TRY(const auto text, store_.get(kTable, keys::stream(region, group_name, name)));
  if (!text) {
    return base::fail(errors::kResourceNotFoundException,
                      "The specified log stream does not exist.");
  }
  TRY(found.stream, parse_stream(*text));
  return found;
}

Result<std::string> Service::resolve_arn(const wire::Context& context, std::string_view arn) const {
  TRY(std::string name, group_of_arn(arn));
  if (!arn.starts_with(group_arn(context.region, context.account, name))) return no_group();
  return name;
}

Result<std::string> Service::resolve(const wire::Context& context,
                                     const std::optional<std::string>& name,
                                     const std::optional<std::string>& identifier) const {
  TRY(std::string group_name, group_of(name, identifier));
  if (identifier && identifier->starts_with("arn:")) return resolve_arn(context, *identifier);
  return group_name;
}

Task<void> Service::breathe() { co_await runtime::asio::post(control_, runtime::use_task); }

Result<std::uint64_t> Service::take_numbers(store::Batch& batch, std::uint64_t count) {
  if (!next_number_) {
    TRY(const auto text, store_.get(kTable, keys::kNextNumber));
    next_number_ = text && text->size() == sizeof(std::uint64_t) ? keys::number_at(*text, 0) : 1;
  }
  const std::uint64_t first = *next_number_;
  *next_number_ += count;
  batch.put(kTable, std::string(keys::kNextNumber), big_endian(*next_number_));
  return first;
}

void Service::put_group(store::Batch& batch, std::string_view region, std::string_view name,
                        const GroupRecord& record) const {
  batch.put(kTable, keys::group(region, name), to_text(record));
}

Result<StreamRecord> Service::put_new_stream(store::Batch& batch, std::string_view region,
                                             std::string_view group_name, const GroupRecord& group,
                                             std::string_view name) {
  StreamRecord record{.creation_ms = to_millis(clock_.now())};
  TRY(record.id, take_numbers(batch, 1));
  batch.put(kTable, keys::stream(region, group_name, name), to_text(record));
  batch.put(kTable, keys::stream_name(group.id, record.id), std::string(name));
  batch.put(kTable, keys::by_last_event(group.id, 0, name), {});
  return record;
}

Result<void> Service::add_events(store::Batch& batch, Stream& target,
                                 std::span<const Event> events) {
  StreamRecord& record = target.stream;
  const Millis now_ms = to_millis(clock_.now());
  TRY(std::uint64_t sequence, take_numbers(batch, events.size()));
  batch.erase(kTable,
              keys::by_last_event(target.group.id, record.last_event_ms.value_or(0), target.name));
  for (const Event& event : events) {
    const Position position{event.time_ms, sequence++};
    batch.put(kTable, keys::event(target.group.id, position),
              event_text(record.id, now_ms, event.message));
    batch.put(kTable, keys::index(target.group.id, record.id, position), {});
    record.last_event_ms = std::max(record.last_event_ms.value_or(event.time_ms), event.time_ms);
    target.group.stored_bytes += stored_bytes(event.message);
  }
  record.last_ingestion_ms = now_ms;
  batch.put(kTable,
            keys::by_last_event(target.group.id, record.last_event_ms.value_or(0), target.name),
            {});
  batch.put(kTable, keys::stream(target.region, target.group_name, target.name), to_text(record));
  put_group(batch, target.region, target.group_name, target.group);
  return {};
}

}  // namespace terrarium::logs
