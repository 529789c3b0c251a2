#include <gtest/gtest.h>

#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/testing_region.h"

namespace terrarium::lambda {
namespace {

using namespace std::chrono_literals;

CreateEventSourceMappingRequest one_at_a_time() {
  CreateEventSourceMappingRequest request;
  request.batch_size = 1;
  return request;
}

TEST(LambdaMapping, AMessageIsHandledAndDeletedAtOnce) {
  TestingRegion region;
  region.create();
  region.map_queue();
  region.queue.put("hello");
  region.run();
  ASSERT_EQ(region.events.size(), 1U);
  EXPECT_NE(region.events[0].find(R"("body":"hello")"), std::string::npos);
  EXPECT_NE(region.events[0].find(R"("eventSource":"aws:sqs")"), std::string::npos);
  EXPECT_EQ(region.queue.left(), 0U);
}

TEST(LambdaMapping, AFailedBatchComesBackAfterItsVisibilityTimeout) {
  TestingRegion region;
  region.create();
  region.map_queue();
  region.behave = [](const std::string&) { return Behaviour{.is_error = true}; };
  region.queue.put("hello");
  region.advance(29s);
  EXPECT_EQ(region.events.size(), 1U);
  region.behave = [](const std::string&) { return Behaviour{}; };
  region.advance(1s);
  EXPECT_EQ(region.events.size(), 2U);
  EXPECT_EQ(region.queue.left(), 0U);
}

TEST(LambdaMapping, OnlyReportedItemsStay) {
  TestingRegion region;
  region.create();
  auto request = CreateEventSourceMappingRequest();
  request.function_response_types = {"ReportBatchItemFailures"};
  region.queue.put("a");
  region.queue.put("b");
  region.queue.put("c");
  region.behave = [](const std::string&) {
    return Behaviour{.answer = R"({"batchItemFailures":[{"itemIdentifier":"1"}]})"};
  };
  region.map_queue(request);
  region.run();
  ASSERT_EQ(region.events.size(), 1U);
  EXPECT_EQ(region.queue.left(), 1U);
  EXPECT_FALSE(region.queue.messages[1].deleted);
}

TEST(LambdaMapping, AMalformedReportFailsTheWholeBatch) {
  TestingRegion region;
  region.create();
  auto request = CreateEventSourceMappingRequest();
  request.function_response_types = {"ReportBatchItemFailures"};
  region.queue.put("a");
  region.queue.put("b");
  region.behave = [](const std::string&) {
    return Behaviour{.answer = R"({"batchItemFailures":[{"itemIdentifier":""}]})"};
  };
  region.map_queue(request);
  region.run();
  EXPECT_EQ(region.queue.left(), 2U);
}

TEST(LambdaMapping, WithoutReportsTheAnswerDoesNotMatter) {
  TestingRegion region;
  region.create();
  region.behave = [](const std::string&) {
    return Behaviour{.answer = R"({"batchItemFailures":[{"itemIdentifier":"0"}]})"};
  };
  region.map_queue();
  region.queue.put("a");
  region.run();
  EXPECT_EQ(region.queue.left(), 0U);
}

TEST(LambdaMapping, BatchesRunInParallelUpToTheMaximum) {
  TestingRegion region;
  region.create();
  auto request = one_at_a_time();
  request.scaling_config.emplace().maximum_concurrency = 3;
  region.behave = [](const std::string&) { return Behaviour{.takes = 2s}; };
  for (int i = 0; i < 12; ++i) region.queue.put("m");
  region.map_queue(request);
  region.advance(12s);
  EXPECT_EQ(region.running_max, 3);
  EXPECT_EQ(region.queue.left(), 0U);
  for (const auto& message : region.queue.messages) EXPECT_EQ(message.receives, 1);
}

TEST(LambdaMapping, AWindowGathersAFullBatch) {
  TestingRegion region;
  region.create();
  auto request = CreateEventSourceMappingRequest();
  request.batch_size = 25;
  request.maximum_batching_window_in_seconds = 10;
  region.map_queue(request);
  for (int i = 0; i < 15; ++i) region.queue.put("m");
  region.advance(5s);
  EXPECT_EQ(region.events.size(), 0U);
  for (int i = 0; i < 10; ++i) region.queue.put("m");
  region.run();
  EXPECT_EQ(region.events.size(), 1U);
  region.queue.put("late");
  region.advance(9s);
  EXPECT_EQ(region.events.size(), 1U);
  region.advance(1s);
  EXPECT_EQ(region.events.size(), 2U);
  EXPECT_EQ(region.queue.left(), 0U);
}

TEST(LambdaMapping, TheVisibilityTimeoutCoversTheFunctions) {
  TestingRegion region;
  region.create("f", 60);
  CreateEventSourceMappingRequest request;
  request.function_name = "f";
  request.event_source_arn = TestingRegion::kQueue;
  const auto made =
      region.ask(region.service->create_event_source_mapping(region.context, request));
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().message,
            "Invalid request provided: Queue visibility timeout: 30 seconds is less than Function "
            "timeout: 60 seconds");
}

TEST(LambdaMapping, TheSameTwiceIsAConflict) {
  TestingRegion region;
  region.create();
  region.map_queue();
  CreateEventSourceMappingRequest request;
  request.function_name = "f";
  request.event_source_arn = TestingRegion::kQueue;
  const auto made =
      region.ask(region.service->create_event_source_mapping(region.context, request));
  ASSERT_FALSE(made.has_value());
  EXPECT_TRUE(made.error().is(errors::kResourceConflictException));
}

TEST(LambdaMapping, ItsRoleMayDoWhatThePollerDoes) {
  TestingRegion region;
  region.create();
  CreateEventSourceMappingRequest request;
  request.function_name = "f";
  request.event_source_arn = TestingRegion::kQueue;
  for (const char* const action : {"ReceiveMessage", "DeleteMessage", "GetQueueAttributes"}) {
    region.roles.forbidden = "sqs:" + std::string(action);
    const auto made =
        region.ask(region.service->create_event_source_mapping(region.context, request));
    ASSERT_FALSE(made.has_value());
    EXPECT_TRUE(made.error().is(errors::kInvalidParameterValueException));
    EXPECT_EQ(made.error().message,
              "The provided execution role does not have permissions to call " +
                  std::string(action) + " on SQS");
  }
}

TEST(LambdaMapping, DisabledItReceivesNothingAndEnabledItGoesOn) {
  TestingRegion region;
  region.create();
  const std::string uuid = region.map_queue();
  UpdateEventSourceMappingRequest update;
  update.uuid = uuid;
  update.enabled = false;
  const auto off = region.ask(region.service->update_event_source_mapping(region.context, update));
  ASSERT_TRUE(off.has_value());
  EXPECT_EQ(off->state, "Disabling");
  region.queue.put("m");
  region.advance(1min);
  EXPECT_EQ(region.queue.messages[0].receives, 0);
  GetEventSourceMappingRequest get;
  get.uuid = uuid;
  EXPECT_EQ(region.ask(region.service->get_event_source_mapping(region.context, get))->state,
            "Disabled");
  update.enabled = true;
  ASSERT_TRUE(
      region.ask(region.service->update_event_source_mapping(region.context, update)).has_value());
  region.run();
  EXPECT_EQ(region.queue.left(), 0U);
}

TEST(LambdaMapping, DeletedItIsGoneAndReceivesNothing) {
  TestingRegion region;
  region.create();
  const std::string uuid = region.map_queue();
  DeleteEventSourceMappingRequest request;
  request.uuid = uuid;
  const auto gone =
      region.ask(region.service->delete_event_source_mapping(region.context, request));
  ASSERT_TRUE(gone.has_value());
  EXPECT_EQ(gone->state, "Deleting");
  region.queue.put("m");
  region.advance(1min);
  EXPECT_EQ(region.queue.messages[0].receives, 0);
  GetEventSourceMappingRequest get;
  get.uuid = uuid;
  EXPECT_FALSE(region.ask(region.service->get_event_source_mapping(region.context, get)));
}

TEST(LambdaMapping, GoesOnAfterARestart) {
  TestingRegion region;
  region.create();
  region.map_queue();
  region.behave = [](const std::string&) { return Behaviour{.takes = 2s}; };
  region.queue.put("in flight");
  region.advance(1s);
  EXPECT_EQ(region.events.size(), 1U);
  region.stop();
  EXPECT_EQ(region.sandbox.running(), 0U);
  region.behave = [](const std::string&) { return Behaviour{}; };
  region.start();
  EXPECT_EQ(region.events.size(), 2U);
  EXPECT_EQ(region.queue.left(), 0U);
}

TEST(LambdaMapping, WaitsForAFunctionThatWasDeleted) {
  TestingRegion region;
  region.create();
  region.map_queue();
  DeleteFunctionRequest request;
  request.function_name = "f";
  ASSERT_TRUE(region.ask(region.service->delete_function(region.context, request)).has_value());
  region.queue.put("m");
  region.advance(10min);
  EXPECT_EQ(region.events.size(), 0U);
  region.create();
  region.advance(1min);
  EXPECT_EQ(region.queue.left(), 0U);
}

}  // namespace
}  // namespace terrarium::lambda
