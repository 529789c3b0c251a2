// Event source mappings: from SQS queues to functions.
#include <algorithm>

#include "generated/lambda/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/mapping_rules.h"
#include "terrarium/services/lambda/service.h"

namespace terrarium::lambda {
namespace {

constexpr auto kTable = store::Table::Lambda;
constexpr std::size_t kMappingsPage = 100;

Place place_of(const wire::Context& context) { return {context.region, context.account}; }

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidParameterValueException, std::move(message));
}

std::string state_of(const MappingRecord& record) {
  return record.enabled ? "Enabled" : "Disabled";
}

EventSourceMappingConfiguration view_of(const Poller& poller, const Place& place) {
  return describe(poller.record(), place, state_of(poller.record()), poller.last_result());
}

}  // namespace

void Service::start_mapping(const std::string& region, MappingRecord record) {
  auto& poller = mappings_[{region, record.uuid}];
  if (poller) poller->stop();
  poller = std::make_shared<Poller>(Poller::Parts{.clock = parts_.clock,
                                                  .random = parts_.random,
                                                  .executor = parts_.runtime.control(),
                                                  .fleet = fleet_,
                                                  .queues = parts_.sqs,
                                                  .tasks = tasks_},
                                    region, std::move(record));
  poller->start();
}

Result<std::shared_ptr<Poller>> Service::mapping(const wire::Context& context,
                                                 const std::string& uuid) const {
  const auto found = mappings_.find({context.region, uuid});
  if (found != mappings_.end()) return found->second;
  return base::fail(errors::kResourceNotFoundException,
                    "The resource you requested does not exist.");
}

// The queue is there, and hides its messages for at least as long as the function may take.
Task<Result<void>> Service::check_queue(const FunctionRecord& record,
                                        const std::string& queue_arn) {
  const std::int32_t timeout_s = record.timeout_s;
  const auto settings = co_await parts_.sqs.attributes(queue_arn);
  if (!settings) {
    const base::Error& error = settings.error();
    std::string code(error.row != nullptr ? error.row->code : base::to_string(error.kind));
    if (code == "QueueDoesNotExist") code = "AWS.SimpleQueueService.NonExistentQueue";
    co_return invalid("Error occurred while ReceiveMessage. SQS Error Code: " + code +
                      ". SQS Error Message: " + error.message);
  }
  if (settings->visibility_timeout < std::chrono::seconds(timeout_s)) {
    co_return invalid("Invalid request provided: Queue visibility timeout: " +
                      std::to_string(settings->visibility_timeout.count()) +
                      " seconds is less than Function timeout: " + std::to_string(timeout_s) +
                      " seconds");
  }
  co_return Result<void>();
}

Result<void> Service::check_new(const wire::Context& context, const MappingRecord& record) const {
  for (const auto& [key, poller] : mappings_) {
    const MappingRecord& other = poller->record();
    if (key.first != context.region || other.uuid == record.uuid) continue;
    if (other.queue_arn != record.queue_arn || other.function_name != record.function_name) {
      continue;
    }
    return base::fail(errors::kResourceConflictException,
                      "An event source mapping with SQS arn (\" " + record.queue_arn +
                          " \") and function (\" " + record.function_name +
                          " \") already exists. Please update or delete the existing mapping "
                          "with UUID " +
                          other.uuid);
  }
  return {};
}

Task<Result<EventSourceMappingConfiguration>> Service::create_event_source_mapping(
    const wire::Context& context, CreateEventSourceMappingRequest request) {
  const Place place = place_of(context);
  CO_TRY(const FunctionRecord function, named(context, request.function_name, {}));
  CO_TRY(MappingRecord record, new_mapping(request, place, function.name));
  CO_TRY_VOID(co_await check_queue(function, record.queue_arn));
  CO_TRY_VOID(check_new(context, record));
  record.uuid = parts_.random.uuid();
  record.last_modified = parts_.clock.now();
  store::Batch batch;
  batch.put(kTable, keys::mapping(context.region, record.uuid), to_text(record));
  CO_TRY_VOID(parts_.store.write(std::move(batch)));
  start_mapping(context.region, record);
  CO_TRY_VOID(co_await parts_.store.sync());
  co_return describe(record, place, "Creating", "No records processed");
}

Task<Result<EventSourceMappingConfiguration>> Service::get_event_source_mapping(
    const wire::Context& context, GetEventSourceMappingRequest request) {
  CO_TRY(const auto poller, mapping(context, request.uuid));
  co_return view_of(*poller, place_of(context));
}

Task<Result<ListEventSourceMappingsResponse>> Service::list_event_source_mappings(
    const wire::Context& context, ListEventSourceMappingsRequest request) {
  std::optional<std::string> function_name;
  if (request.function_name) {
    CO_TRY(FunctionName name, parse_function_name(*request.function_name, place_of(context)));
    function_name = std::move(name.name);
  }
  if (request.max_items && *request.max_items < 1) co_return invalid("MaxItems is at least 1");
  const std::size_t size =
      std::min(static_cast<std::size_t>(request.max_items.value_or(kMappingsPage)), kMappingsPage);
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
    const MappingRecord& record = at->second->record();
    if (function_name && record.function_name != *function_name) continue;
    if (request.event_source_arn && record.queue_arn != *request.event_source_arn) continue;
    if (page.size() == size) {
      response.next_marker = base::base64_encode(*page.back().uuid);
      break;
    }
    page.push_back(view_of(*at->second, place_of(context)));
  }
  co_return response;
}

Task<Result<EventSourceMappingConfiguration>> Service::update_event_source_mapping(
    const wire::Context& context, UpdateEventSourceMappingRequest request) {
  const Place place = place_of(context);
  CO_TRY(const auto before, mapping(context, request.uuid));
  const std::string name = request.function_name.value_or(before->record().function_name);
  CO_TRY(const FunctionRecord function, named(context, name, {}));
  CO_TRY_VOID(co_await check_queue(function, before->record().queue_arn));
  // It may have changed, or gone, meanwhile.
  CO_TRY(const auto poller, mapping(context, request.uuid));
  CO_TRY(MappingRecord record, updated(poller->record(), request));
  record.function_name = function.name;
  CO_TRY_VOID(check_new(context, record));
  record.last_modified = parts_.clock.now();
  const std::string last_result = poller->last_result();
  store::Batch batch;
  batch.put(kTable, keys::mapping(context.region, record.uuid), to_text(record));
  CO_TRY_VOID(parts_.store.write(std::move(batch)));
  start_mapping(context.region, record);
  CO_TRY_VOID(co_await parts_.store.sync());
  co_return describe(record, place, "Updating", last_result);
}

Task<Result<EventSourceMappingConfiguration>> Service::delete_event_source_mapping(
    const wire::Context& context, DeleteEventSourceMappingRequest request) {
  CO_TRY(const auto poller, mapping(context, request.uuid));
  store::Batch batch;
  batch.erase(kTable, keys::mapping(context.region, request.uuid));
  CO_TRY_VOID(parts_.store.write(std::move(batch)));
  mappings_.erase({context.region, request.uuid});
  poller->stop();
  CO_TRY_VOID(co_await parts_.store.sync());
  co_return describe(poller->record(), place_of(context), "Deleting", poller->last_result());
}

}  // namespace terrarium::lambda
