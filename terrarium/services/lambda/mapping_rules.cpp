#include "terrarium/services/lambda/mapping_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/event_pattern.h"
#include "terrarium/services/lambda/function_rules.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {
namespace {

constexpr std::string_view kReportFailures = "ReportBatchItemFailures";

// Members that streams have and queues have not.
std::unexpected<base::Error> not_for_queues(std::string_view what) {
  return invalid(
      fmt::format("Unsupported {} parameter for given event source mapping type.", what));
}

base::Result<void> check_source(const std::string& arn, const Place& place) {
  static constexpr std::string_view kOthers[] = {"kinesis", "dynamodb", "kafka", "mq", "rds"};
  for (const std::string_view other : kOthers) {
    if (!arn.starts_with(fmt::format("arn:aws:{}:", other))) continue;
    return unsupported(fmt::format("The event source {} (of {}; SQS queues are)", arn, other));
  }
  if (!arn.starts_with("arn:aws:sqs:")) {
    return invalid(
        "Unrecognized event source, must be kinesis, dynamodb stream or sqs. "
        "Unsupported source arn " +
        arn);
  }
  const std::string here = fmt::format("arn:aws:sqs:{}:{}:", place.region, place.account);
  if (!arn.starts_with(here) || arn.size() == here.size()) {
    return invalid("The event source must be in the same region and account as the function: '" +
                   arn + "'");
  }
  return {};
}

// Members of both requests that queues do not have, or that this region does not do.
template <class Request>
base::Result<void> check_unsupported(const Request& request) {
  const auto given = [](const auto& list) { return list && !list->empty(); };
  if (request.destination_config &&
      (request.destination_config->on_success || request.destination_config->on_failure)) {
    return not_for_queues("DestinationConfig");
  }
  if (request.parallelization_factor) return not_for_queues("ParallelizationFactor");
  if (request.maximum_record_age_in_seconds) return not_for_queues("MaximumRecordAgeInSeconds");
  if (request.maximum_retry_attempts) return not_for_queues("MaximumRetryAttempts");
  if (request.bisect_batch_on_function_error.value_or(false)) {
    return not_for_queues("BisectBatchOnFunctionError");
  }
  if (request.tumbling_window_in_seconds.value_or(0) != 0) {
    return not_for_queues("TumblingWindowInSeconds");
  }
  if (given(request.source_access_configurations)) {
    return not_for_queues("SourceAccessConfigurations");
  }
  if (given(request.kms_key_arn)) return unsupported("KMSKeyArn");
  if (request.metrics_config && given(request.metrics_config->metrics)) {
    return unsupported("MetricsConfig");
  }
  if (request.provisioned_poller_config) return unsupported("ProvisionedPollerConfig");
  return {};
}

base::Result<void> check_sizes(const MappingRecord& record) {
  if (record.batch_size > kBatchSizeWithoutWindowMax && record.window_s == 0) {
    return invalid(
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater "
        "than 10");
  }
  // So their batches hold ten messages at most.
  if (is_fifo(record) && record.window_s > 0) {
    return invalid("Invalid request provided: Batching window is not supported for FIFO queues");
  }
  return {};
}

base::Result<std::vector<std::string>> patterns_of(const FilterCriteria& criteria) {
  std::vector<std::string> patterns;
  for (const Filter& filter : criteria.filters.value_or(std::vector<Filter>{})) {
    const std::string pattern = filter.pattern.value_or("");
    if (!EventPattern::parse(pattern)) return invalid("Invalid filter pattern definition.");
    patterns.push_back(pattern);
  }
  if (patterns.size() > kFiltersMax) {
    return invalid(fmt::format("FilterCriteria can have at most {} filters: {}", kFiltersMax,
                               patterns.size()));
  }
  return patterns;
}

template <class Request>
base::Result<void> apply(MappingRecord& record, const Request& request) {
  TRY_VOID(check_unsupported(request));
  record.enabled = request.enabled.value_or(record.enabled);
  record.batch_size = request.batch_size.value_or(record.batch_size);
  record.window_s = request.maximum_batching_window_in_seconds.value_or(record.window_s);
  TRY_VOID(check_sizes(record));
  // An empty ScalingConfig takes the limit away, empty FilterCriteria the filters.
  if (request.scaling_config) {
    record.concurrency_max = request.scaling_config->maximum_concurrency;
  }
  if (request.filter_criteria) {
    TRY(record.filters, patterns_of(*request.filter_criteria));
  }
  if (request.function_response_types) {
    record.report_item_failures =
        std::ranges::find(*request.function_response_types, kReportFailures) !=
        request.function_response_types->end();
  }
  return {};
}

}  // namespace

bool is_fifo(const MappingRecord& record) { return record.queue_arn.ends_with(".fifo"); }

base::Result<MappingRecord> new_mapping(const CreateEventSourceMappingRequest& request,
                                        const Place& place) {
  if (request.self_managed_event_source) return unsupported("SelfManagedEventSource (Kafka)");
  if (!request.event_source_arn) return invalid("Unrecognized event source.");
  TRY_VOID(check_source(*request.event_source_arn, place));
  if (request.self_managed_kafka_event_source_config) {
    return not_for_queues("SelfManagedKafkaEventSourceConfig");
  }
  if (request.amazon_managed_kafka_event_source_config) {
    return not_for_queues("AmazonManagedKafkaEventSourceConfig");
  }
  if (request.topics) return not_for_queues("Topics");
  if (request.queues) return not_for_queues("Queues");
  if (request.starting_position || request.starting_position_timestamp) {
    return invalid("StartingPosition is not valid for SQS event sources.");
  }
  MappingRecord record{.queue_arn = *request.event_source_arn};
  TRY_VOID(apply(record, request));
  if (request.tags) {
    TRY_VOID(check_tags(*request.tags));
    record.tags = *request.tags;
  }
  return record;
}

base::Result<MappingRecord> updated(MappingRecord record,
                                    const UpdateEventSourceMappingRequest& request) {
  TRY_VOID(apply(record, request));
  return record;
}

std::string_view to_string(MappingState state) {
  switch (state) {
    case MappingState::Creating: return "Creating";
    case MappingState::Enabling: return "Enabling";
    case MappingState::Enabled: return "Enabled";
    case MappingState::Disabling: return "Disabling";
    case MappingState::Disabled: return "Disabled";
    case MappingState::Updating: return "Updating";
    case MappingState::Deleting: return "Deleting";
  }
  return "";
}

MappingState transition(const MappingRecord& before, const MappingRecord& after) {
  if (before.enabled == after.enabled) return MappingState::Updating;
  return after.enabled ? MappingState::Enabling : MappingState::Disabling;
}

EventSourceMappingConfiguration describe(const MappingRecord& record, const Place& place,
                                         MappingState state) {
  EventSourceMappingConfiguration view;
  view.uuid = record.uuid;
  view.event_source_mapping_arn = mapping_arn(place, record.uuid);
  view.batch_size = record.batch_size;
  view.maximum_batching_window_in_seconds = record.window_s;
  view.event_source_arn = record.queue_arn;
  view.function_arn = qualified_arn(place, record.function_name, record.qualifier);
  view.last_modified = record.last_modified;
  view.state = to_string(state);
  view.state_transition_reason = "USER_INITIATED";
  auto& types = view.function_response_types.emplace();
  if (record.report_item_failures) types.emplace_back(kReportFailures);
  if (record.concurrency_max) {
    view.scaling_config.emplace().maximum_concurrency = record.concurrency_max;
  }
  if (!record.filters.empty()) {
    auto& filters = view.filter_criteria.emplace().filters.emplace();
    for (const std::string& pattern : record.filters) {
      filters.emplace_back().pattern = pattern;
    }
  }
  return view;
}

}  // namespace terrarium::lambda
