// StartMessageMoveTask: messages go back from dead-letter queues.
#include <gtest/gtest.h>

#include "terrarium/services/sqs/testing_region.h"

namespace terrarium::sqs {
namespace {

using namespace std::chrono_literals;

struct MoveRegion : TestingRegion {
  std::string dead = create("dead");
  std::string url = create(
      "q", {{"RedrivePolicy", R"({"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead",)"
                              R"("maxReceiveCount":1})"}});
  std::string dead_arn = "arn:aws:sqs:us-east-1:000000000000:dead";

  void kill(int count) {
    for (int i = 0; i < count; ++i) send(url, "m" + std::to_string(i));
    for (int i = 0; i < count; ++i) receive(url, 10, 0);
    while (!receive(url, 10, 0).empty()) {
    }
  }
  base::Result<StartMessageMoveTaskResult> begin_move(std::optional<std::string> to = {},
                                                      std::optional<std::int32_t> rate = {}) {
    return ask(
        service->start_message_move_task(context, {.source_arn = dead_arn,
                                                   .destination_arn = std::move(to),
                                                   .max_number_of_messages_per_second = rate}));
  }
  ListMessageMoveTasksResultEntry latest() {
    const auto listed = ask(service->list_message_move_tasks(context, {.source_arn = dead_arn}));
    return listed->results->front();
  }
  std::string count(std::string queue) {
    return attribute(std::move(queue), "ApproximateNumberOfMessages");
  }
};

TEST(SqsMove, MessagesGoBackWhereTheyCameFromAsNewOnes) {
  MoveRegion region;
  region.kill(250);
  EXPECT_EQ(region.count(region.dead), "250");
  region.advance(100s);
  ASSERT_TRUE(region.begin_move().has_value());
  region.run();
  EXPECT_EQ(region.count(region.dead), "0");
  EXPECT_EQ(region.count(region.url), "250");
  const auto task = region.latest();
  EXPECT_EQ(task.status, "COMPLETED");
  EXPECT_EQ(task.approximate_number_of_messages_moved, 250);
  EXPECT_EQ(task.approximate_number_of_messages_to_move, 250);
  EXPECT_FALSE(task.task_handle.has_value());
  EXPECT_FALSE(task.destination_arn.has_value());
  const auto attributes = *region.receive(region.url, 1).front().attributes;
  EXPECT_EQ(attributes.at("ApproximateReceiveCount"), "1");
  EXPECT_EQ(attributes.at("SentTimestamp"), "1700000100000");
  EXPECT_FALSE(attributes.contains("DeadLetterQueueSourceArn"));
  EXPECT_FALSE(region.store->scan(store::Table::Sqs, "x", "y")->valid());
}

TEST(SqsMove, RateHoldsAndATaskGoesOnAfterARestart) {
  MoveRegion region;
  const std::string other = region.create("other");
  region.kill(10);
  const auto begun = region.begin_move("arn:aws:sqs:us-east-1:000000000000:other", 2);
  ASSERT_TRUE(begun.has_value());
  EXPECT_EQ(region.count(other), "1");
  EXPECT_EQ(*region.latest().task_handle, *begun->task_handle);
  EXPECT_EQ(code_of(region.begin_move()), "InvalidParameterValueException") << "one at a time";
  region.advance(1s);
  EXPECT_EQ(region.count(other), "3");
  region.restart();
  region.advance(10s);
  EXPECT_EQ(region.count(other), "10");
  EXPECT_EQ(region.latest().status, "COMPLETED");
  EXPECT_EQ(region.latest().approximate_number_of_messages_moved, 10);
}

TEST(SqsMove, CancelledTaskLeavesTheRest) {
  MoveRegion region;
  region.kill(5);
  const auto begun = region.begin_move({}, 1);
  const auto cancel = [&] {
    return region.ask(
        region.service->cancel_message_move_task(region.context, {*begun->task_handle}));
  };
  EXPECT_EQ(cancel()->approximate_number_of_messages_moved, 1);
  region.advance(10s);
  EXPECT_EQ(region.latest().status, "CANCELLED");
  EXPECT_EQ(region.count(region.dead), "4");
  EXPECT_EQ(cancel().error().message, "Task does not exist.");
  EXPECT_TRUE(region.begin_move().has_value());
}

TEST(SqsMove, MissingDestinationFailsTheTaskAndKeepsTheMessages) {
  MoveRegion region;
  const std::string other = region.create("other");
  region.kill(3);
  ASSERT_TRUE(region.begin_move("arn:aws:sqs:us-east-1:000000000000:other", 1).has_value());
  ASSERT_TRUE(region.ask(region.service->delete_queue(region.context, {other})).has_value());
  region.advance(5s);
  EXPECT_EQ(region.latest().status, "FAILED");
  EXPECT_EQ(region.latest().failure_reason, "AWS.SimpleQueueService.NonExistentQueue");
  EXPECT_EQ(region.bodies(region.dead), "m1 m2");
  region.send(region.dead, "direct");
  region.advance(30s);
  ASSERT_TRUE(region.begin_move().has_value());
  EXPECT_EQ(region.latest().failure_reason, "CouldNotDetermineMessageSource");
  EXPECT_EQ(region.bodies(region.dead), "direct");
  EXPECT_EQ(region.count(region.url), "2");
}

TEST(SqsMove, WhatCannotBeMovedIsRefused) {
  MoveRegion region;
  const auto message = [&](StartMessageMoveTaskRequest request) {
    const auto begun = region.ask(region.service->start_message_move_task(region.context, request));
    return begun.has_value() ? "none" : begun.error().message;
  };
  EXPECT_EQ(message({.source_arn = "arn:aws:sqs:us-east-1:000000000000:none"}),
            "The resource that you specified for the SourceArn parameter doesn't exist.");
  EXPECT_EQ(message({.source_arn = "arn:aws:sqs:us-east-1:000000000000:q"}),
            "Source queue must be configured as a Dead Letter Queue.");
  EXPECT_EQ(message({.source_arn = region.dead_arn, .destination_arn = "arn:aws:sqs:x"}),
            "The resource that you specified for the DestinationArn parameter doesn't exist.");
  EXPECT_EQ(message({.source_arn = region.dead_arn, .max_number_of_messages_per_second = 501}),
            "Value 501 for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be "
            "between 1 and 500.");
  EXPECT_EQ(region.ask(region.service->cancel_message_move_task(region.context, {"foobared"}))
                .error()
                .message,
            "Value for parameter TaskHandle is invalid.");
}

TEST(SqsMove, LastTenTasksAreListed) {
  MoveRegion region;
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(region.begin_move({}, i + 1).has_value());
  region.restart();
  const auto listed = region.ask(region.service->list_message_move_tasks(
      region.context, {.source_arn = region.dead_arn, .max_results = 10}));
  ASSERT_EQ(listed->results->size(), 10U);
  EXPECT_EQ(listed->results->front().max_number_of_messages_per_second, 12);
  EXPECT_EQ(listed->results->back().max_number_of_messages_per_second, 3);
}

}  // namespace
}  // namespace terrarium::sqs
