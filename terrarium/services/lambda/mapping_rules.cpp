#include "terrarium/services/lambda/mapping_rules.h"

#include <fmt/format.h>

#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/limits.h"

namespace terrarium::lambda {
namespace {

constexpr std::string_view kReportFailures = "ReportBatchItemFailures";

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidParameterValueException, std::move(message));
}

std::unexpected<base::Error> unsupported(std::string_view what) {
  return invalid(fmt::format("{} is not supported by this region", what));
}

base::Result<void> check_source(std::string_view arn, const Place& place) {
  const std::string here = fmt::format("arn:aws:sqs:{}:{}:", place.region, place.account);
  if (!arn.starts_with("arn:aws:sqs:")) {
    return invalid("Unrecognized event source, must be sqs: '" + std::string(arn) +
                   "' (no other source is supported by this region)");
  }
  if (!arn.starts_with(here) || arn.size() == here.size()) {
    return invalid("The event source must be in the same region and account as the function: '" +
                   std::string(arn) + "'");
  }
  return {};
}

// Members of both requests that queues do not have, or that this region does not do.
template <class Request>
base::Result<void> check_unsupported(const Request& request) {
  const auto given = [](const auto& list) { return list && !list->empty(); };
  if (request.filter_criteria && given(request.filter_criteria->filters)) {
    return unsupported("FilterCriteria");
  }
  if (request.destination_config &&
      (request.destination_config->on_success || request.destination_config->on_failure)) {
    return unsupported("DestinationConfig of an SQS event source");
  }
  if (given(request.kms_key_arn)) return unsupported("KMSKeyArn");
  if (request.parallelization_factor) {
    return unsupported("ParallelizationFactor of an SQS event source");
  }
  if (request.maximum_record_age_in_seconds) {
    return unsupported("MaximumRecordAgeInSeconds of an SQS event source");
  }
  if (request.maximum_retry_attempts) {
    return unsupported("MaximumRetryAttempts of an SQS event source");
  }
  if (request.bisect_batch_on_function_error.value_or(false)) {
    return unsupported("BisectBatchOnFunctionError of an SQS event source");
  }
  if (request.tumbling_window_in_seconds.value_or(0) != 0) {
    return unsupported("TumblingWindowInSeconds of an SQS event source");
  }
  if (given(request.source_access_configurations)) {
    return unsupported("SourceAccessConfigurations of an SQS event source");
  }
  return {};
}

base::Result<void> check_sizes(const MappingRecord& record) {
  if (record.batch_size < 1 || record.batch_size > kBatchSizeMax) {
    return invalid(
        fmt::format("Batch size must be between 1 and {}: {}", kBatchSizeMax, record.batch_size));
  }
  if (record.window_s < 0 || record.window_s > kWindowMaxSeconds) {
    return invalid(fmt::format("Maximum batch window in seconds must be between 0 and {}: {}",
                               kWindowMaxSeconds, record.window_s));
  }
  if (record.batch_size > kBatchSizeWithoutWindowMax && record.window_s == 0) {
    return invalid(
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater "
        "than 10");
  }
  if (record.concurrency_max && (*record.concurrency_max < kMappingConcurrencyMin ||
                                 *record.concurrency_max > kMappingConcurrencyMax)) {
    return invalid(fmt::format("MaximumConcurrency must be between {} and {}: {}",
                               kMappingConcurrencyMin, kMappingConcurrencyMax,
                               *record.concurrency_max));
  }
  return {};
}

template <class Request>
base::Result<void> apply(MappingRecord& record, const Request& request) {
  TRY_VOID(check_unsupported(request));
  record.enabled = request.enabled.value_or(record.enabled);
  record.batch_size = request.batch_size.value_or(record.batch_size);
  record.window_s = request.maximum_batching_window_in_seconds.value_or(record.window_s);
  // An empty ScalingConfig takes the limit away.
  if (request.scaling_config) {
    record.concurrency_max = request.scaling_config->maximum_concurrency;
  }
  if (request.function_response_types) {
    record.report_item_failures = false;
    for (const std::string& type : *request.function_response_types) {
      if (type != kReportFailures) return invalid("Unknown FunctionResponseType " + type);
      record.report_item_failures = true;
    }
  }
  return check_sizes(record);
}

}  // namespace

base::Result<MappingRecord> new_mapping(const CreateEventSourceMappingRequest& request,
                                        const Place& place, std::string function_name) {
  if (request.self_managed_event_source || request.self_managed_kafka_event_source_config ||
      request.amazon_managed_kafka_event_source_config || request.topics || request.queues) {
    return unsupported("An event source other than SQS");
  }
  if (!request.event_source_arn) {
    return invalid("Event source ARN is required: an SQS queue's");
  }
  TRY_VOID(check_source(*request.event_source_arn, place));
  if (request.starting_position || request.starting_position_timestamp) {
    return invalid("StartingPosition is not valid for SQS event sources.");
  }
  if (request.tags && !request.tags->empty()) return unsupported("Tags of event source mappings");
  MappingRecord record{.function_name = std::move(function_name),
                       .queue_arn = *request.event_source_arn};
  TRY_VOID(apply(record, request));
  return record;
}

base::Result<MappingRecord> updated(MappingRecord record,
                                    const UpdateEventSourceMappingRequest& request) {
  TRY_VOID(apply(record, request));
  return record;
}

EventSourceMappingConfiguration describe(const MappingRecord& record, const Place& place,
                                         std::string state, std::string last_result) {
  EventSourceMappingConfiguration view;
  view.uuid = record.uuid;
  view.event_source_mapping_arn = mapping_arn(place, record.uuid);
  view.batch_size = record.batch_size;
  view.maximum_batching_window_in_seconds = record.window_s;
  view.event_source_arn = record.queue_arn;
  view.function_arn = function_arn(place, record.function_name);
  view.last_modified = record.last_modified;
  view.last_processing_result = std::move(last_result);
  view.state = std::move(state);
  view.state_transition_reason = "USER_INITIATED";
  auto& types = view.function_response_types.emplace();
  if (record.report_item_failures) types.emplace_back(kReportFailures);
  if (record.concurrency_max) {
    view.scaling_config.emplace().maximum_concurrency = record.concurrency_max;
  }
  return view;
}

}  // namespace terrarium::lambda
