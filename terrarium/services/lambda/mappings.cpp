#include "terrarium/services/lambda/mappings.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "generated/lambda/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/lambda/function_rules.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/roles.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {
namespace {

constexpr auto kTable = store::Table::Lambda;
constexpr std::size_t kMappingsPage = 100;
constexpr std::string_view kArnPart = ":event-source-mapping:";

Place place_of(const wire::Context& context) { return {context.region, context.account}; }

}  // namespace

base::Result<void> Mappings::load() {
  const std::string prefix(keys::kAllMappings);
  const auto cursor = parts_.store.scan(kTable, prefix, store::prefix_end(prefix));
  for (; cursor->valid(); cursor->next()) {
    TRY(MappingRecord record, parse_mapping(cursor->value()));
    const std::string region = keys::parts(cursor->key()).region;
    const auto poller = std::make_shared<Poller>(parts_.poller, region);
    mappings_[{region, record.uuid}] = {.poller = poller, .moving = {}};
    poller->set_record(std::move(record));
  }
  return cursor->status();
}

runtime::Task<void> Mappings::stop() {
  for (const auto& [key, mapping] : std::exchange(mappings_, {})) {
    co_await mapping.poller->stopped();
  }
}

MappingState Mappings::state_of(const Mapping& mapping) {
  if (mapping.moving) return *mapping.moving;
  return mapping.poller->record().enabled ? MappingState::Enabled : MappingState::Disabled;
}

base::Result<std::shared_ptr<Poller>> Mappings::find(const wire::Context& context,
                                                     const std::string& uuid) const {
  const auto found = mappings_.find({context.region, uuid});
  if (found != mappings_.end()) return found->second.poller;
  return base::fail(errors::kResourceNotFoundException,
                    "The resource you requested does not exist.");
}

base::Result<std::shared_ptr<Poller>> Mappings::find_at_rest(const wire::Context& context,
                                                             const std::string& uuid,
                                                             std::string_view doing) const {
  TRY(auto poller, find(context, uuid));
  if (!mappings_.at({context.region, uuid}).moving) return poller;
  return base::fail(errors::kResourceInUseException,
                    fmt::format("Cannot {} the event source mapping because it is in use.", doing));
}

base::Result<Resolved> Mappings::resolve(const Place& place, std::string_view name) const {
  TRY(const FunctionName parsed, parse_function_name(name, place));
  auto resolved = parts_.catalog.resolve(place, parsed);
  if (!resolved) return invalid("Function does not exist");
  return resolved;
}

// The queue is there, and hides its messages for at least as long as the function may take.
Mappings::Answer<void> Mappings::check_queue(std::string queue_arn, std::int32_t timeout_s) {
  const auto settings = co_await parts_.poller.queues.attributes(std::move(queue_arn));
  if (!settings) {
    const base::Error& error = settings.error();
    std::string code(error.row != nullptr ? error.row->code : base::to_string(error.kind));
    if (code == "QueueDoesNotExist") code = "AWS.SimpleQueueService.NonExistentQueue";
    co_return invalid("Error occurred while ReceiveMessage. SQS Error Code: " + code +
                      ". SQS Error Message: " + error.message);
  }
  if (settings->visibility_timeout < std::chrono::seconds(timeout_s)) {
    co_return invalid(fmt::format(
        "Invalid request provided: Queue visibility timeout: {} seconds is less than Function "
        "timeout: {} seconds",
        settings->visibility_timeout.count(), timeout_s));
  }
  co_return base::Result<void>();
}

base::Result<void> Mappings::check_new(const wire::Context& context,
                                       const MappingRecord& record) const {
  for (const auto& [key, mapping] : mappings_) {
    const MappingRecord& other = mapping.poller->record();
    if (key.first != context.region || other.uuid == record.uuid) continue;
    if (other.queue_arn != record.queue_arn || other.function_name != record.function_name ||
        other.qualifier != record.qualifier || mapping.moving == MappingState::Deleting) {
      continue;
    }
    return base::fail(errors::kResourceConflictException,
                      fmt::format("An event source mapping with SQS arn (\" {} \") and function "
                                  "(\" {} \") already exists. Please update or delete the existing "
                                  "mapping with UUID {}",
                                  record.queue_arn, record.function_name, other.uuid));
  }
  return {};
}

base::Result<void> Mappings::put(const std::string& region, MappingRecord record,
                                 std::optional<MappingState> moving) {
  store::Batch batch;
  batch.put(kTable, keys::mapping(region, record.uuid), to_text(record));
  TRY_VOID(parts_.store.write(std::move(batch)));
  const Key key{region, record.uuid};
  Mapping& mapping = mappings_[key];
  if (!mapping.poller) mapping.poller = std::make_shared<Poller>(parts_.poller, region);
  mapping.moving = moving;
  mapping.poller->set_record(std::move(record));
  if (moving) parts_.poller.tasks.spawn("settle a mapping", arrive(key, mapping.poller, *moving));
  return {};
}

// Ends a transition once what it stands for has happened.
runtime::Task<void> Mappings::arrive(Key key, std::shared_ptr<Poller> poller, MappingState moving) {
  if (moving == MappingState::Deleting || moving == MappingState::Disabling) {
    co_await poller->drained();
  }
  // After the answer that tells of it.
  co_await boost::asio::post(parts_.poller.executor, runtime::use_task);
  const auto found = mappings_.find(key);
  if (found == mappings_.end() || found->second.poller != poller) co_return;
  if (moving == MappingState::Deleting) {
    mappings_.erase(found);
  } else {
    found->second.moving.reset();
  }
}

Mappings::Answer<EventSourceMappingConfiguration> Mappings::create(
    const wire::Context& context, CreateEventSourceMappingRequest request) {
  const Place place = place_of(context);
  CO_TRY(MappingRecord record, new_mapping(request, place));
  CO_TRY(const Resolved function, resolve(place, request.function_name));
  record.function_name = function.latest->name;
  record.qualifier = function.qualifier;
  CO_TRY_VOID(
      check_polling_role(parts_.roles, context.region, function.version->role, record.queue_arn));
  CO_TRY_VOID(co_await check_queue(record.queue_arn, function.version->timeout_s));
  CO_TRY_VOID(check_new(context, record));
  record.uuid = parts_.poller.random.uuid();
  record.last_modified = parts_.poller.clock.now();
  std::optional<MappingState> moving;
  if (record.enabled) moving = MappingState::Creating;
  CO_TRY_VOID(put(context.region, record, moving));
  CO_TRY_VOID(co_await parts_.store.sync());
  co_return describe(record, place, moving.value_or(MappingState::Disabled));
}

Mappings::Answer<EventSourceMappingConfiguration> Mappings::get(
    const wire::Context& context, GetEventSourceMappingRequest request) {
  CO_TRY(const auto poller, find(context, request.uuid));
  const Mapping& mapping = mappings_.at({context.region, request.uuid});
  co_return describe(poller->record(), place_of(context), state_of(mapping));
}

Mappings::Answer<ListEventSourceMappingsResponse> Mappings::list(
    const wire::Context& context, ListEventSourceMappingsRequest request) {
  const Place place = place_of(context);
  std::optional<FunctionName> wanted;
  if (request.function_name) {
    CO_TRY(wanted, parse_function_name(*request.function_name, place));
  }
  const std::size_t size =
      std::min(static_cast<std::size_t>(std::max(1, request.max_items.value_or(kMappingsPage))),
               kMappingsPage);
  std::string after;
  if (request.marker && !request.marker->empty()) {
    auto decoded = base::base64_decode(*request.marker);
    if (!decoded) co_return invalid("Invalid Marker");
    after = *std::move(decoded);
  }
  ListEventSourceMappingsResponse response;
  auto& page = response.event_source_mappings.emplace();
  for (auto at = mappings_.upper_bound({context.region, after}); at != mappings_.end(); ++at) {
    if (at->first.first != context.region) break;
    const MappingRecord& record = at->second.poller->record();
    if (wanted && (record.function_name != wanted->name ||
                   (!wanted->qualifier.empty() && record.qualifier != wanted->qualifier))) {
      continue;
    }
    if (request.event_source_arn && record.queue_arn != *request.event_source_arn) continue;
    if (page.size() == size) {
      response.next_marker = base::base64_encode(*page.back().uuid);
      break;
    }
    page.push_back(describe(record, place, state_of(at->second)));
  }
  co_return response;
}

Mappings::Answer<EventSourceMappingConfiguration> Mappings::update(
    const wire::Context& context, UpdateEventSourceMappingRequest request) {
  const Place place = place_of(context);
  CO_TRY(const auto before, find_at_rest(context, request.uuid, "update"));
  FunctionName name{before->record().function_name, before->record().qualifier};
  std::int32_t timeout_s = 0;
  if (request.function_name) {
    CO_TRY(const Resolved function, resolve(place, *request.function_name));
    CO_TRY_VOID(check_polling_role(parts_.roles, context.region, function.version->role,
                                   before->record().queue_arn));
    name = {function.latest->name, function.qualifier};
    timeout_s = function.version->timeout_s;
  } else if (const auto function = parts_.catalog.resolve(place, name)) {
    timeout_s = function->version->timeout_s;
  }
  CO_TRY_VOID(updated(before->record(), request));
  CO_TRY_VOID(co_await check_queue(before->record().queue_arn, timeout_s));
  // It may have changed, or gone, meanwhile.
  CO_TRY(const auto poller, find_at_rest(context, request.uuid, "update"));
  CO_TRY(MappingRecord record, updated(poller->record(), request));
  record.function_name = name.name;
  record.qualifier = name.qualifier;
  CO_TRY_VOID(check_new(context, record));
  record.last_modified = parts_.poller.clock.now();
  const MappingState moving = transition(poller->record(), record);
  CO_TRY_VOID(put(context.region, record, moving));
  CO_TRY_VOID(co_await parts_.store.sync());
  co_return describe(record, place, moving);
}

Mappings::Answer<EventSourceMappingConfiguration> Mappings::remove(
    const wire::Context& context, DeleteEventSourceMappingRequest request) {
  CO_TRY(const auto poller, find_at_rest(context, request.uuid, "delete"));
  MappingRecord record = poller->record();
  store::Batch batch;
  batch.erase(kTable, keys::mapping(context.region, request.uuid));
  CO_TRY_VOID(parts_.store.write(std::move(batch)));
  const Key key{context.region, request.uuid};
  mappings_.at(key).moving = MappingState::Deleting;
  MappingRecord off = record;
  off.enabled = false;
  poller->set_record(std::move(off));
  parts_.poller.tasks.spawn("delete a mapping", arrive(key, poller, MappingState::Deleting));
  CO_TRY_VOID(co_await parts_.store.sync());
  co_return describe(record, place_of(context), MappingState::Deleting);
}

bool Mappings::is_arn(std::string_view arn) { return arn.find(kArnPart) != std::string_view::npos; }

base::Result<std::string> Mappings::uuid_of(const wire::Context& context,
                                            std::string_view arn) const {
  const std::size_t at = arn.find(kArnPart);
  const std::string uuid(at == arn.npos ? "" : arn.substr(at + kArnPart.size()));
  TRY_VOID(find(context, arn == mapping_arn(place_of(context), uuid) ? uuid : ""));
  return uuid;
}

base::Result<Mappings::Tags> Mappings::tags(const wire::Context& context,
                                            std::string_view arn) const {
  TRY(const std::string uuid, uuid_of(context, arn));
  TRY(const auto poller, find(context, uuid));
  return poller->record().tags;
}

Mappings::Answer<wire::Empty> Mappings::change_tags(const wire::Context& context, std::string arn,
                                                    Tags added, std::vector<std::string> removed) {
  CO_TRY(const std::string uuid, uuid_of(context, arn));
  CO_TRY(const auto poller, find_at_rest(context, uuid, "update"));
  MappingRecord record = poller->record();
  for (auto& [key, value] : added) record.tags[key] = std::move(value);
  for (const std::string& key : removed) record.tags.erase(key);
  CO_TRY_VOID(check_tags(record.tags));
  CO_TRY_VOID(put(context.region, std::move(record), {}));
  CO_TRY_VOID(co_await parts_.store.sync());
  co_return wire::Empty();
}

std::vector<Mappings::Status> Mappings::status() const {
  std::vector<Status> all;
  for (const auto& [key, mapping] : mappings_) {
    all.push_back({.region = key.first,
                   .record = mapping.poller->record(),
                   .state = state_of(mapping),
                   .batches = mapping.poller->batches(),
                   .last_result = mapping.poller->last_result()});
  }
  return all;
}

}  // namespace terrarium::lambda
