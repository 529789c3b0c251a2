#include "terrarium/services/lambda/mapping_rules.h"

#include <gtest/gtest.h>

#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/scaling.h"

namespace terrarium::lambda {
namespace {

using namespace std::chrono_literals;

const Place kPlace{"us-east-1", "000000000000"};

CreateEventSourceMappingRequest of_queue(std::string name = "q") {
  CreateEventSourceMappingRequest request;
  request.event_source_arn = "arn:aws:sqs:us-east-1:000000000000:" + name;
  return request;
}

std::string refusal(const CreateEventSourceMappingRequest& request) {
  const auto made = new_mapping(request, kPlace);
  if (made) return {};
  EXPECT_TRUE(made.error().is(errors::kInvalidParameterValueException));
  return made.error().message;
}

TEST(LambdaMappingRules, ABatchOfMoreThanTenNeedsAWindow) {
  auto request = of_queue();
  EXPECT_EQ(refusal(request), "");
  request.batch_size = 11;
  EXPECT_EQ(refusal(request),
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is "
            "greater than 10");
  request.maximum_batching_window_in_seconds = 1;
  EXPECT_EQ(refusal(request), "");
  request.event_source_arn->append(".fifo");
  EXPECT_EQ(refusal(request),
            "Invalid request provided: Batching window is not supported for FIFO queues");
}

TEST(LambdaMappingRules, OnlyQueuesOfThisRegionAreSources) {
  EXPECT_EQ(refusal({}), "Unrecognized event source.");
  auto request = of_queue();
  request.event_source_arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
  EXPECT_NE(refusal(request).find("kinesis"), std::string::npos);
  request.event_source_arn = "arn:aws:sns:us-east-1:000000000000:t";
  EXPECT_EQ(refusal(request),
            "Unrecognized event source, must be kinesis, dynamodb stream or sqs. Unsupported "
            "source arn arn:aws:sns:us-east-1:000000000000:t");
  request.event_source_arn = "arn:aws:sqs:eu-west-1:000000000000:q";
  EXPECT_NE(refusal(request), "");
  request = of_queue();
  request.starting_position = "LATEST";
  EXPECT_EQ(refusal(request), "StartingPosition is not valid for SQS event sources.");
  request = of_queue();
  request.parallelization_factor = 2;
  EXPECT_NE(refusal(request).find("ParallelizationFactor"), std::string::npos);
}

TEST(LambdaMappingRules, FiltersArePatternsAndAtMostFive) {
  auto request = of_queue();
  auto& filters = request.filter_criteria.emplace().filters.emplace();
  filters.emplace_back().pattern = R"({"body":{"a":["b"]}})";
  const auto made = new_mapping(request, kPlace);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(describe(*made, kPlace, MappingState::Enabled).filter_criteria->filters->size(), 1U);
  filters.emplace_back().pattern = "simple string";
  EXPECT_EQ(refusal(request), "Invalid filter pattern definition.");
  filters.assign(6, filters.front());
  EXPECT_NE(refusal(request), "");
  UpdateEventSourceMappingRequest update;
  update.filter_criteria.emplace();
  const auto without = updated(*made, update);
  ASSERT_TRUE(without.has_value());
  EXPECT_FALSE(describe(*without, kPlace, MappingState::Enabled).filter_criteria.has_value());
}

TEST(LambdaMappingRules, AnswersHaveAwssMembers) {
  auto request = of_queue();
  request.function_response_types = {"ReportBatchItemFailures"};
  request.scaling_config.emplace().maximum_concurrency = 5;
  auto record = new_mapping(request, kPlace).value();
  record.uuid = "u";
  record.function_name = "f";
  record.qualifier = "live";
  const auto view = describe(record, kPlace, MappingState::Creating);
  EXPECT_EQ(view.function_arn, "arn:aws:lambda:us-east-1:000000000000:function:f:live");
  EXPECT_EQ(view.event_source_mapping_arn,
            "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:u");
  EXPECT_EQ(view.state, "Creating");
  EXPECT_EQ(view.state_transition_reason, "USER_INITIATED");
  EXPECT_EQ(view.batch_size, 10);
  EXPECT_EQ(view.maximum_batching_window_in_seconds, 0);
  EXPECT_EQ(view.scaling_config->maximum_concurrency, 5);
  EXPECT_EQ(view.function_response_types->front(), "ReportBatchItemFailures");
  EXPECT_FALSE(view.last_processing_result.has_value());
}

TEST(LambdaMappingRules, RecordsComeBackAsTheyWereWritten) {
  auto record = new_mapping(of_queue(), kPlace).value();
  record.uuid = "u";
  record.function_name = "f";
  record.qualifier = "3";
  record.filters = {"{}", "x"};
  record.tags = {{"k", "v"}};
  const auto again = parse_mapping(to_text(record));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(to_text(*again), to_text(record));
  EXPECT_EQ(again->filters, record.filters);
  EXPECT_EQ(again->tags, record.tags);
}

TEST(LambdaScaling, GrowsWhileThereIsMoreToDoAndTheMachineCan) {
  base::Timestamp now(1s);
  Scaling scaling(2);
  EXPECT_EQ(scaling.full(now), now + 250ms);
  scaling.grow(now + 100ms, false);
  EXPECT_EQ(scaling.allowed(), 2U);
  now += 250ms;
  scaling.grow(now, false);
  EXPECT_EQ(scaling.allowed(), 3U);
  EXPECT_EQ(scaling.full(now), now + 250ms);
  scaling.caught_up();
  EXPECT_EQ(scaling.full(now + 1s), now + 1250ms);
  scaling.rest();
  EXPECT_EQ(scaling.allowed(), 2U);
}

TEST(LambdaScaling, ABusyMachineIsAskedForLittleMore) {
  base::Timestamp now(1s);
  Scaling scaling(2);
  for (const base::Timestamp end = now + 1min; now < end;) {
    const base::Timestamp next = scaling.full(now);
    ASSERT_GT(next, now);
    now = next;
    scaling.grow(now, true);
  }
  EXPECT_EQ(scaling.allowed(), 4U);
}

}  // namespace
}  // namespace terrarium::lambda
