// FIFO queues as their clients see them.
#include <gtest/gtest.h>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/services/sqs/testing_region.h"

namespace terrarium::sqs {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kRefused = "InvalidParameterValueException";

struct FifoRegion : TestingRegion {
  std::string url = make("q.fifo", {});

  std::string make(std::string name, AttributeMap more) {
    more.emplace("FifoQueue", "true");
    return create(std::move(name), std::move(more));
  }
  base::Result<SendMessageResult> put(std::string body, std::string group, std::string once) {
    SendMessageRequest request{.queue_url = url, .message_body = std::move(body)};
    if (!group.empty()) request.message_group_id = std::move(group);
    if (!once.empty()) request.message_deduplication_id = std::move(once);
    return ask(service->send_message(context, std::move(request)));
  }
  std::vector<Message> attempt(std::string id, std::int32_t visibility) {
    auto got =
        ask(service->receive_message(context, {.queue_url = url,
                                               .max_number_of_messages = 10,
                                               .visibility_timeout = visibility,
                                               .receive_request_attempt_id = std::move(id)}));
    return got.has_value() ? got->messages.value_or(std::vector<Message>{})
                           : std::vector<Message>{};
  }
};

TEST(SqsFifo, AttributesOfAQueueReadBackWithTheirDefaults) {
  FifoRegion region;
  EXPECT_EQ(region.attribute(region.url, "FifoQueue"), "true");
  EXPECT_EQ(region.attribute(region.url, "ContentBasedDeduplication"), "false");
  EXPECT_EQ(region.attribute(region.url, "DeduplicationScope"), "queue");
  EXPECT_EQ(region.attribute(region.url, "FifoThroughputLimit"), "perQueue");
  EXPECT_EQ(code_of(region.set(region.url, {{"FifoQueue", "false"}})), "InvalidAttributeValue");
  EXPECT_EQ(code_of(region.set(region.url, {{"FifoQueue", "true"}})), "none");
}

TEST(SqsFifo, SendNeedsAGroupAndSomethingToTellDuplicatesBy) {
  FifoRegion region;
  EXPECT_EQ(code_of(region.put("x", "", "once")), "MissingRequiredParameterException");
  EXPECT_EQ(code_of(region.put("x", "g", "")), kRefused);
  EXPECT_EQ(code_of(region.put("x", "a b", "once")), kRefused);
  EXPECT_EQ(code_of(region.put("x", "g", std::string(129, 'x'))), kRefused);
  EXPECT_EQ(code_of(region.put("x", std::string(128, '~'), "!")), "none");
  const auto delayed =
      region.ask(region.service->send_message(region.context, {.queue_url = region.url,
                                                               .message_body = "x",
                                                               .delay_seconds = 2,
                                                               .message_deduplication_id = "d",
                                                               .message_group_id = "g"}));
  EXPECT_EQ(delayed.error().message,
            "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter "
            "that is not valid for this queue type.");
  const auto batch = region.ask(region.service->send_message_batch(
      region.context,
      {region.url,
       {{.id = "a", .message_body = "x", .message_deduplication_id = "e", .message_group_id = "g"},
        {.id = "b", .message_body = "x", .message_deduplication_id = "f"}}}));
  EXPECT_EQ(code_of(batch), kRefused) << "the whole batch";
  EXPECT_EQ(region.attribute(region.url, "ApproximateNumberOfMessages"), "1");
}

TEST(SqsFifo, DuplicateIsAnsweredLikeTheFirstAndNeverComes) {
  FifoRegion region;
  const auto first = region.put("one", "g", "once");
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->sequence_number->size(), 20U);
  ASSERT_TRUE(region.remove(region.url, *region.receive(region.url).front().receipt_handle));
  region.advance(299s);
  region.restart();
  const auto second = region.put("two", "other", "once");
  EXPECT_EQ(second->message_id, first->message_id);
  EXPECT_EQ(second->sequence_number, first->sequence_number);
  EXPECT_EQ(region.bodies(region.url), "");
  region.advance(1s);
  const auto third = region.put("three", "g", "once");
  EXPECT_NE(third->message_id, first->message_id);
  EXPECT_GT(*third->sequence_number, *first->sequence_number);
  EXPECT_EQ(region.bodies(region.url), "three");
}

TEST(SqsFifo, DuplicatesWithinABatchAreOneMessage) {
  FifoRegion region;
  SendMessageBatchRequest request{region.url, {}};
  for (const std::string id : {"a", "b"}) {
    request.entries.push_back({.id = id,
                               .message_body = id,
                               .message_deduplication_id = "once",
                               .message_group_id = "g"});
  }
  const auto sent = region.ask(region.service->send_message_batch(region.context, request));
  ASSERT_EQ(sent->successful->size(), 2U);
  EXPECT_EQ(sent->successful->at(0).message_id, sent->successful->at(1).message_id);
  EXPECT_EQ(region.bodies(region.url), "a");
}

TEST(SqsFifo, ContentTellsDuplicatesWhenNoIdDoes) {
  FifoRegion region;
  ASSERT_TRUE(region.set(region.url, {{"ContentBasedDeduplication", "true"}}).has_value());
  ASSERT_TRUE(region.put("same", "g", "").has_value());
  ASSERT_TRUE(region.put("same", "h", "").has_value());
  ASSERT_TRUE(region.put("same", "g", "another").has_value());
  const auto got = region.receive(region.url);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].attributes->at("MessageDeduplicationId"),
            base::hex_encode(base::digest(base::DigestKind::Sha256, "same")));
  EXPECT_EQ(got[0].attributes->at("MessageGroupId"), "g");
  EXPECT_EQ(got[1].attributes->at("MessageDeduplicationId"), "another");
}

TEST(SqsFifo, ScopeOfGroupsLetsEachGroupHaveTheSameId) {
  FifoRegion region;
  ASSERT_TRUE(region
                  .set(region.url, {{"DeduplicationScope", "messageGroup"},
                                    {"FifoThroughputLimit", "perMessageGroupId"}})
                  .has_value());
  region.put("one", "g", "once");
  region.put("two", "h", "once");
  region.put("three", "g", "once");
  EXPECT_EQ(region.bodies(region.url), "one two");
}

TEST(SqsFifo, OldDuplicatesLeaveTheDisk) {
  FifoRegion region;
  region.put("one", "g", "once");
  region.advance(20min);
  EXPECT_FALSE(region.store->scan(store::Table::Sqs, "d", "e")->valid());
}

TEST(SqsFifo, OrderHoldsOverRestartsAndGroupsInFlightAreExclusive) {
  FifoRegion region;
  for (int i = 0; i < 6; ++i) {
    region.put("m" + std::to_string(i), i % 2 == 0 ? "even" : "odd", std::to_string(i));
  }
  EXPECT_EQ(region.bodies(region.url, 2), "m0 m2");
  region.restart();
  EXPECT_EQ(region.bodies(region.url), "m1 m3 m5");
  EXPECT_EQ(region.attribute(region.url, "ApproximateNumberOfMessagesNotVisible"), "5");
  region.advance(30s);
  EXPECT_EQ(region.bodies(region.url), "m0 m2 m4 m1 m3 m5");
}

TEST(SqsFifo, ExpiredHandleDeletesNothing) {
  FifoRegion region;
  region.put("one", "g", "1");
  const std::string handle = *region.receive(region.url, 1, 5).front().receipt_handle;
  region.advance(5s);
  const auto late =
      region.ask(region.service->delete_message(region.context, {region.url, handle}));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().message, "Value " + handle +
                                      " for parameter ReceiptHandle is invalid. Reason: The "
                                      "receipt handle has expired.");
  const std::string latest = *region.receive(region.url).front().receipt_handle;
  EXPECT_TRUE(region.remove(region.url, latest));
  EXPECT_TRUE(region.remove(region.url, latest)) << "deleting twice succeeds";
}

TEST(SqsFifo, SameAttemptReceivesTheSame) {
  FifoRegion region;
  region.put("one", "g", "1");
  region.put("two", "g", "2");
  const auto first = region.attempt("try", 10);
  ASSERT_EQ(first.size(), 2U);
  region.advance(5s);
  const auto again = region.attempt("try", 10);
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[0].receipt_handle, first[0].receipt_handle);
  region.advance(9s);
  EXPECT_TRUE(region.attempt("another", 10).empty()) << "hidden anew by the second";
  ASSERT_TRUE(region.remove(region.url, *again[0].receipt_handle));
  EXPECT_TRUE(region.attempt("try", 10).empty()) << "not after one of them was deleted";
}

TEST(SqsFifo, DeadLettersKeepTheirGroup) {
  FifoRegion region;
  const std::string dead = region.make("dead.fifo", {});
  ASSERT_TRUE(region
                  .set(region.url,
                       {{"RedrivePolicy",
                         R"({"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead.fifo",)"
                         R"("maxReceiveCount":1})"}})
                  .has_value());
  const auto sent = region.put("poison", "g", "1");
  region.put("good", "g", "2");
  EXPECT_EQ(region.bodies(region.url, 1, 0), "poison");
  region.advance(100s);
  EXPECT_EQ(region.bodies(region.url), "good") << "what follows in the group comes then";
  const auto got = region.receive(dead);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].message_id, sent->message_id);
  EXPECT_EQ(got[0].attributes->at("MessageGroupId"), "g");
  EXPECT_EQ(got[0].attributes->at("SentTimestamp"), "1700000100000") << "FIFO begins anew";
}

TEST(SqsFifo, PurgeForgetsDuplicates) {
  FifoRegion region;
  region.put("one", "g", "once");
  ASSERT_TRUE(region.ask(region.service->purge_queue(region.context, {region.url})).has_value());
  region.put("two", "g", "once");
  region.restart();
  EXPECT_EQ(region.bodies(region.url), "two");
}

TEST(SqsFifo, ReceiverWhoWaitsGetsTheNextOfTheGroupAtOnce) {
  FifoRegion region;
  region.put("one", "g", "1");
  region.put("two", "g", "2");
  const std::string handle = *region.receive(region.url, 1).front().receipt_handle;
  const auto poll = region.begin(region.service->receive_message(
      region.context, {.queue_url = region.url, .wait_time_seconds = 20}));
  EXPECT_FALSE(poll->answer.has_value());
  ASSERT_TRUE(region.remove(region.url, handle));
  ASSERT_TRUE(poll->answer.has_value());
  EXPECT_EQ(*(*poll->answer)->messages->front().body, "two");
}

TEST(SqsFifo, GroupsOfStandardQueuesAreShown) {
  TestingRegion region;
  const std::string url = region.create("q");
  ASSERT_TRUE(region
                  .ask(region.service->send_message(
                      region.context,
                      {.queue_url = url, .message_body = "x", .message_group_id = "tenant"}))
                  .has_value());
  const auto attributes = *region.receive(url).front().attributes;
  EXPECT_EQ(attributes.at("MessageGroupId"), "tenant");
  EXPECT_FALSE(attributes.contains("SequenceNumber"));
}

}  // namespace
}  // namespace terrarium::sqs
