// Messages on their way: sent, hidden, received again, deleted, given up.
#include <gtest/gtest.h>

#include "terrarium/services/sqs/testing_region.h"

namespace terrarium::sqs {
namespace {

using namespace std::chrono_literals;

std::string counts(TestingRegion& region, const std::string& url) {
  return region.attribute(url, "ApproximateNumberOfMessages") + " " +
         region.attribute(url, "ApproximateNumberOfMessagesNotVisible") + " " +
         region.attribute(url, "ApproximateNumberOfMessagesDelayed");
}

std::shared_ptr<Pending<ReceiveMessageResult>> long_poll(TestingRegion& region, std::string url,
                                                         std::int32_t seconds) {
  return region.begin(region.service->receive_message(
      region.context, {.queue_url = std::move(url), .wait_time_seconds = seconds}));
}

std::string outcome(const Pending<ReceiveMessageResult>& poll) {
  if (!poll.answer.has_value()) return "(waits)";
  if (!poll.answer->has_value()) return std::string(poll.answer->error().row->code);
  return (*poll.answer)->messages.has_value() ? *(*poll.answer)->messages->front().body : "";
}

TEST(SqsVisibility, UndeletedMessageReappearsAfterTimeout) {
  TestingRegion region;
  const std::string url = region.create("q", {{"VisibilityTimeout", "30"}});
  const std::string id = region.send(url, "hello");
  const auto first = region.receive(url);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(*first[0].message_id, id);
  EXPECT_EQ(counts(region, url), "0 1 0");
  region.advance(29s);
  EXPECT_EQ(region.bodies(url), "");
  region.advance(1s);
  const auto second = region.receive(url);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].attributes->at("ApproximateReceiveCount"), "2");
  EXPECT_EQ(second[0].attributes->at("SentTimestamp"), "1700000000000");
  EXPECT_EQ(second[0].attributes->at("ApproximateFirstReceiveTimestamp"), "1700000000000");
  EXPECT_EQ(second[0].attributes->at("SenderId"), "000000000000");
  EXPECT_NE(*second[0].receipt_handle, *first[0].receipt_handle);
}

TEST(SqsVisibility, TimeoutCanBeChangedWhileTheMessageExists) {
  TestingRegion region;
  const std::string url = region.create("q");
  region.send(url, "hello");
  const std::string handle = *region.receive(url).front().receipt_handle;
  const auto change = [&](std::int32_t seconds) {
    return code_of(region.ask(
        region.service->change_message_visibility(region.context, {url, handle, seconds})));
  };
  EXPECT_EQ(change(100), "none");
  region.advance(99s);
  EXPECT_EQ(region.bodies(url), "");
  EXPECT_EQ(change(43'200), "InvalidParameterValueException");
  EXPECT_EQ(change(43'201), "InvalidParameterValueException");
  EXPECT_EQ(change(0), "none");
  EXPECT_EQ(change(10), "none") << "visible again, hidden anew";
  EXPECT_EQ(region.bodies(url), "");
  region.advance(10s);
  EXPECT_EQ(region.bodies(url), "hello");
  EXPECT_EQ(change(0), "none") << "an old handle of a message that is there";
  const std::string latest = *region.receive(url).front().receipt_handle;
  ASSERT_TRUE(region.remove(url, latest));
  EXPECT_EQ(change(10), "InvalidParameterValueException");
}

TEST(SqsVisibility, ZeroKeepsTheMessageVisibleButCounts) {
  TestingRegion region;
  const std::string url = region.create("q");
  region.send(url, "hello");
  EXPECT_EQ(region.bodies(url, 10, 0), "hello");
  EXPECT_EQ(region.receive(url, 10, 0).front().attributes->at("ApproximateReceiveCount"), "2");
}

TEST(SqsDelete, ExpiredHandleAndAnOlderOneDelete) {
  TestingRegion region;
  const std::string url = region.create("q", {{"VisibilityTimeout", "10"}});
  region.send(url, "hello");
  const std::string old = *region.receive(url).front().receipt_handle;
  region.advance(10s);
  const std::string latest = *region.receive(url).front().receipt_handle;
  region.advance(10s);
  EXPECT_TRUE(region.remove(url, latest));
  EXPECT_EQ(counts(region, url), "0 0 0");
  EXPECT_TRUE(region.remove(url, old));
  region.send(url, "another");
  const std::string first = *region.receive(url).front().receipt_handle;
  region.advance(10s);
  ASSERT_EQ(region.bodies(url), "another");
  EXPECT_TRUE(region.remove(url, first));
  EXPECT_EQ(counts(region, url), "0 0 0");
  EXPECT_TRUE(region.remove(url, latest)) << "deleting twice succeeds";
  EXPECT_FALSE(region.store->scan(store::Table::Sqs, "i", "j")->valid());
  EXPECT_FALSE(region.store->scan(store::Table::Sqs, "m", "n")->valid());
}

TEST(SqsDelete, HandleOfAnotherQueueIsInvalid) {
  TestingRegion region;
  const std::string a = region.create("a");
  const std::string b = region.create("b");
  region.send(a, "hello");
  const std::string handle = *region.receive(a).front().receipt_handle;
  EXPECT_EQ(code_of(region.ask(region.service->delete_message(region.context, {b, handle}))),
            "ReceiptHandleIsInvalid");
  EXPECT_EQ(code_of(region.ask(region.service->delete_message(region.context, {a, "junk"}))),
            "ReceiptHandleIsInvalid");
}

TEST(SqsDelay, MessageAndQueueDelaysHideNewMessages) {
  TestingRegion region;
  const std::string url = region.create("q", {{"DelaySeconds", "20"}});
  region.send(url, "queue's");
  region.send(url, "own", 5);
  region.send(url, "now", 0);
  EXPECT_EQ(counts(region, url), "1 0 2");
  EXPECT_EQ(region.bodies(url), "now");
  region.advance(5s);
  EXPECT_EQ(region.bodies(url), "own");
  region.advance(15s);
  EXPECT_EQ(region.bodies(url), "queue's");
}

TEST(SqsLongPoll, WakesAtOnceWhenAMessageComes) {
  TestingRegion region;
  const std::string url = region.create("q");
  const auto first = long_poll(region, url, 20);
  const auto second = long_poll(region, url, 20);
  region.advance(5s);
  EXPECT_EQ(outcome(*first), "(waits)");
  region.send(url, "one");
  EXPECT_EQ(outcome(*first), "one");
  EXPECT_EQ(outcome(*second), "(waits)");
  region.send(url, "two");
  EXPECT_EQ(outcome(*second), "two");
}

TEST(SqsLongPoll, EndsEmptyAtItsTimeAndQueuesOwnTimeIsTheDefault) {
  TestingRegion region;
  const std::string url = region.create("q", {{"ReceiveMessageWaitTimeSeconds", "10"}});
  const auto own =
      region.begin(region.service->receive_message(region.context, {.queue_url = url}));
  const auto asked = long_poll(region, url, 3);
  region.advance(3s);
  EXPECT_EQ(outcome(*asked), "");
  EXPECT_EQ(outcome(*own), "(waits)");
  region.advance(7s);
  EXPECT_EQ(outcome(*own), "");
}

TEST(SqsLongPoll, WakesWhenAHiddenMessageTurnsVisible) {
  TestingRegion region;
  const std::string url = region.create("q");
  const auto poll = long_poll(region, url, 20);
  region.send(url, "later", 4);
  const auto other = long_poll(region, url, 20);
  region.advance(4s);
  EXPECT_EQ(outcome(*poll), "later");
  // The one who took it lets it lapse by asking for one second.
  const std::string handle = *(*poll->answer)->messages->front().receipt_handle;
  ASSERT_TRUE(
      region.ask(region.service->change_message_visibility(region.context, {url, handle, 1}))
          .has_value());
  EXPECT_EQ(outcome(*other), "(waits)");
  region.advance(1s);
  EXPECT_EQ(outcome(*other), "later");
}

TEST(SqsLongPoll, EndsWhenTheQueueOrTheServiceGoes) {
  TestingRegion region;
  const std::string url = region.create("q");
  const std::string kept = region.create("kept");
  const auto deleted = long_poll(region, url, 20);
  const auto stopped = long_poll(region, kept, 20);
  ASSERT_TRUE(region.ask(region.service->delete_queue(region.context, {url})).has_value());
  EXPECT_EQ(outcome(*deleted), "QueueDoesNotExist");
  EXPECT_EQ(outcome(*stopped), "(waits)");
  region.stop();
  EXPECT_EQ(outcome(*stopped), "");
}

struct Client final : http::Presence {
  bool gone() const override { return left; }
  bool left = false;
};

// A poll that comes over a connection; the client outlives it.
std::shared_ptr<Pending<ReceiveMessageResult>> poll_of(const Client& client, TestingRegion& region,
                                                       http::Request& request,
                                                       const std::string& url) {
  request.client = &client;
  region.context.request = &request;
  auto poll = long_poll(region, url, 20);
  region.context.request = nullptr;
  return poll;
}

TEST(SqsLongPoll, ClientThatHasLeftTakesNoMessageAndItsPollEnds) {
  TestingRegion region;
  const std::string url = region.create("q");
  Client client;
  http::Request request;
  const auto left = poll_of(client, region, request, url);
  const auto other = long_poll(region, url, 20);
  // The message is offered to whoever came first, and goes on to the next.
  client.left = true;
  EXPECT_EQ(outcome(*left), "(waits)");
  region.send(url, "kept");
  EXPECT_EQ(outcome(*left), "");
  EXPECT_EQ(outcome(*other), "kept");
}

TEST(SqsLongPoll, EndsSoonAfterItsClientHasLeftAlsoWithoutAMessage) {
  TestingRegion region;
  const std::string url = region.create("q");
  Client client;
  http::Request request;
  const auto left = poll_of(client, region, request, url);
  region.advance(3s);
  client.left = true;
  EXPECT_EQ(outcome(*left), "(waits)");
  region.advance(1s);
  EXPECT_EQ(outcome(*left), "");
}

runtime::Task<void> stop_group(runtime::TaskGroup& group) { co_await group.stop(); }

TEST(SqsLongPoll, CancelledPollEndsAndLeavesMessagesToOthers) {
  TestingRegion region;
  const std::string url = region.create("q");
  const std::string arn = region.attribute(url, "QueueArn");
  runtime::TaskGroup pollers(region.runtime->control());
  const auto cancelled = std::make_shared<Pending<std::vector<ReceivedMessage>>>();
  pollers.spawn("poll",
                runtime::keep_answer(region.service->receive(arn, 1, region.clock.now() + 20s, {}),
                                     cancelled));
  region.run();
  const auto other = long_poll(region, url, 20);
  region.group.spawn("stop", stop_group(pollers));
  region.run();
  ASSERT_TRUE(cancelled->answer.has_value());
  EXPECT_EQ(cancelled->answer->error().kind, base::ErrorKind::Cancelled);
  region.send(url, "kept");
  EXPECT_EQ(outcome(*other), "kept");
}

TEST(SqsRetention, ExpiredMessagesAreNeitherReceivedNorKept) {
  TestingRegion region;
  const std::string url = region.create("q", {{"MessageRetentionPeriod", "60"}});
  for (int i = 0; i < 250; ++i) region.send(url, "old");
  region.advance(59s);
  region.send(url, "new");
  EXPECT_EQ(counts(region, url), "251 0 0");
  region.advance(1s);
  EXPECT_EQ(region.bodies(url, 1, 0).substr(0, 3), "new");
  region.advance(60s);
  EXPECT_EQ(counts(region, url), "0 0 0");
  EXPECT_FALSE(region.store->scan(store::Table::Sqs, "i", "j")->valid());
}

TEST(SqsRetention, MessagesThatWereDelayedExpireToo) {
  TestingRegion region;
  const std::string url =
      region.create("q", {{"MessageRetentionPeriod", "60"}, {"DelaySeconds", "5"}});
  for (int i = 0; i < 250; ++i) region.send(url, "old");
  region.advance(6s);
  EXPECT_EQ(counts(region, url), "250 0 0");
  region.advance(3min);
  EXPECT_EQ(counts(region, url), "0 0 0");
  for (const char* kind : {"m", "i"}) {
    EXPECT_FALSE(region.store->scan(store::Table::Sqs, kind, store::prefix_end(kind))->valid());
  }
}

TEST(SqsPurge, EmptiesAllAndIsAllowedOnceAMinute) {
  TestingRegion region;
  const std::string url = region.create("q");
  region.send(url, "a");
  region.send(url, "b", 100);
  region.receive(url);
  const auto purge = [&] {
    return code_of(region.ask(region.service->purge_queue(region.context, {url})));
  };
  EXPECT_EQ(purge(), "none");
  EXPECT_EQ(counts(region, url), "0 0 0");
  region.send(url, "c");
  EXPECT_EQ(purge(), "PurgeQueueInProgress");
  region.restart();
  EXPECT_EQ(region.bodies(url, 10, 0), "c");
  region.advance(60s);
  EXPECT_EQ(purge(), "none");
  EXPECT_EQ(region.bodies(url), "");
}

AttributeMap redrive_to(std::string name, int count) {
  return {{"RedrivePolicy", R"({"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:)" +
                                std::move(name) + R"(","maxReceiveCount":)" +
                                std::to_string(count) + "}"},
          {"VisibilityTimeout", "1"}};
}

TEST(SqsRedrive, MessageMovesAfterItsLastReceive) {
  TestingRegion region;
  const std::string dead = region.create("dead");
  const std::string url = region.create("q", redrive_to("dead", 2));
  const auto waiting = long_poll(region, dead, 20);
  const std::string id = region.send(url, "poison");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(region.bodies(url), "poison");
    region.advance(1s);
  }
  EXPECT_EQ(region.bodies(url), "");
  EXPECT_EQ(outcome(*waiting), "poison");
  region.advance(30s);
  region.restart();
  const auto moved = region.receive(dead);
  ASSERT_EQ(moved.size(), 1U);
  EXPECT_EQ(*moved[0].message_id, id);
  EXPECT_EQ(moved[0].attributes->at("DeadLetterQueueSourceArn"),
            "arn:aws:sqs:us-east-1:000000000000:q");
  EXPECT_EQ(moved[0].attributes->at("SentTimestamp"), "1700000000000");
  EXPECT_EQ(moved[0].attributes->at("ApproximateReceiveCount"), "4");
  EXPECT_EQ(counts(region, url), "0 0 0");
}

TEST(SqsRedrive, ManyGivenUpMessagesDoNotHideAGoodOne) {
  TestingRegion region;
  const std::string dead = region.create("dead");
  const std::string url = region.create("q", redrive_to("dead", 1));
  for (int i = 0; i < 150; ++i) region.send(url, "poison");
  for (int i = 0; i < 15; ++i) region.receive(url);
  region.send(url, "good");
  EXPECT_EQ(region.bodies(url), "good");
  region.advance(1s);
  // More than one call moves; a long poll goes on by itself.
  const auto poll = long_poll(region, url, 5);
  EXPECT_EQ(region.attribute(dead, "ApproximateNumberOfMessages"), "151");
  EXPECT_EQ(outcome(*poll), "(waits)");
}

TEST(SqsRedrive, WithoutADeadLetterQueueMessagesGoOnComing) {
  TestingRegion region;
  const std::string dead = region.create("dead");
  const std::string url = region.create("q", redrive_to("dead", 1));
  region.send(url, "poison");
  ASSERT_TRUE(region.ask(region.service->delete_queue(region.context, {dead})).has_value());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(region.bodies(url), "poison");
    region.advance(1s);
  }
}

TEST(SqsBatch, EachEntrySucceedsOrFailsByItself) {
  TestingRegion region;
  const std::string url = region.create("q");
  const auto sent = region.ask(
      region.service->send_message_batch(region.context, {url,
                                                          {{.id = "a", .message_body = "one"},
                                                           {.id = "b", .message_body = "\x01"},
                                                           {.id = "c", .message_body = "two"}}}));
  ASSERT_TRUE(sent.has_value());
  ASSERT_EQ(sent->successful->size(), 2U);
  EXPECT_EQ(sent->successful->at(1).id, "c");
  EXPECT_EQ(sent->successful->at(1).md5_of_message_body, "b8a9f715dbb64fd5c56e7783c6820a61");
  ASSERT_EQ(sent->failed->size(), 1U);
  EXPECT_EQ(sent->failed->front().code, "InvalidMessageContents");
  EXPECT_TRUE(sent->failed->front().sender_fault);
  const auto got = region.receive(url);
  ASSERT_EQ(got.size(), 2U);
  const auto changed = region.ask(region.service->change_message_visibility_batch(
      region.context, {url, {{"a", *got[0].receipt_handle, 5}, {"b", "junk", 5}}}));
  EXPECT_EQ(changed->successful->size(), 1U);
  EXPECT_EQ(changed->failed->front().code, "ReceiptHandleIsInvalid");
  const auto removed = region.ask(region.service->delete_message_batch(
      region.context,
      {url, {{"a", *got[0].receipt_handle}, {"b", "junk"}, {"c", *got[1].receipt_handle}}}));
  EXPECT_EQ(removed->successful->size(), 2U);
  EXPECT_EQ(removed->failed->front().id, "b");
  EXPECT_EQ(counts(region, url), "0 0 0");
}

TEST(SqsBatch, TogetherNoLongerThanOneMessageMayBe) {
  TestingRegion region;
  const std::string url = region.create("q", {{"MaximumMessageSize", "1048576"}});
  EXPECT_EQ(code_of(region.ask(region.service->send_message_batch(
                region.context, {url,
                                 {{.id = "a", .message_body = std::string(600'000, 'x')},
                                  {.id = "b", .message_body = std::string(600'000, 'x')}}}))),
            "BatchRequestTooLong");
  EXPECT_EQ(counts(region, url), "0 0 0");
}

TEST(SqsReceive, ParametersAreCheckedAndAttributesChosen) {
  TestingRegion region;
  const std::string url = region.create("q");
  MessageAttributeValue color;
  color.data_type = "String";
  color.string_value = "red";
  const auto sent = region.ask(region.service->send_message(
      region.context, {.queue_url = url,
                       .message_body = "x",
                       .message_attributes = {{{"color", color}, {"other", color}}}}));
  ASSERT_TRUE(sent.has_value());
  const auto ask = [&](ReceiveMessageRequest request) {
    request.queue_url = url;
    request.visibility_timeout = request.visibility_timeout.value_or(0);
    return region.ask(region.service->receive_message(region.context, std::move(request)));
  };
  constexpr std::string_view kRefused = "InvalidParameterValueException";
  EXPECT_EQ(code_of(ask({.max_number_of_messages = 0})), kRefused);
  EXPECT_EQ(code_of(ask({.max_number_of_messages = 11})), kRefused);
  EXPECT_EQ(code_of(ask({.visibility_timeout = -1})), kRefused);
  EXPECT_EQ(code_of(ask({.wait_time_seconds = 21})), kRefused);
  EXPECT_EQ(code_of(ask({.receive_request_attempt_id = "x"})), kRefused);
  EXPECT_EQ(code_of(ask({.attribute_names = {{"Nonsense"}}})), "InvalidAttributeName");
  const Message plain = ask({})->messages->front();
  EXPECT_FALSE(plain.attributes.has_value());
  EXPECT_FALSE(plain.message_attributes.has_value());
  EXPECT_FALSE(plain.md5_of_message_attributes.has_value());
  const Message some = ask({.message_attribute_names = {{"color"}},
                            .message_system_attribute_names = {{"SenderId"}}})
                           ->messages->front();
  EXPECT_EQ(some.attributes->size(), 1U);
  EXPECT_EQ(some.message_attributes->size(), 1U);
  EXPECT_EQ(*some.md5_of_message_attributes, md5_of_attributes({{"color", {"String", "red"}}}));
  const Message all = ask({.message_attribute_names = {{"All"}}})->messages->front();
  EXPECT_EQ(*all.md5_of_message_attributes, *sent->md5_of_message_attributes);
}

TEST(SqsMessages, ACrowdInFlightHidesNoneThatWaits) {
  TestingRegion region;
  const std::string url = region.create("q");
  for (int i = 0; i < 1'100; ++i) region.send(url, "x");
  for (int i = 0; i < 105; ++i) EXPECT_EQ(region.receive(url, 10, 600).size(), 10U);
  region.restart();
  EXPECT_EQ(region.receive(url, 10, 600).size(), 10U) << "the first after the restart";
  EXPECT_EQ(counts(region, url), "40 1060 0");
}

TEST(SqsApi, LambdaReceivesDeletesAndGivesBack) {
  TestingRegion region;
  const std::string url = region.create("q", {{"VisibilityTimeout", "10"}});
  const std::string arn = region.attribute(url, "QueueArn");
  const auto poll =
      region.begin(region.service->receive(arn, 10, region.clock.now() + 20s, std::nullopt));
  EXPECT_FALSE(poll->answer.has_value());
  region.send(url, "one");
  ASSERT_TRUE(poll->answer.has_value());
  const ReceivedMessage one = (*poll->answer)->front();
  EXPECT_EQ(one.body, "one");
  EXPECT_EQ(one.attributes.at("ApproximateReceiveCount"), "1");
  EXPECT_EQ(region.ask(region.service->attributes(arn))->visibility_timeout, 10s);
  ASSERT_TRUE(
      region.ask(region.service->change_visibility(arn, {one.receipt_handle}, 0s)).has_value());
  const auto again = region.ask(region.service->receive(arn, 10, region.clock.now(), 60s));
  ASSERT_EQ(again->size(), 1U);
  region.advance(59s);
  EXPECT_EQ(region.bodies(url), "");
  ASSERT_TRUE(region.ask(region.service->delete_messages(arn, {again->front().receipt_handle}))
                  .has_value());
  EXPECT_EQ(counts(region, url), "0 0 0");
  EXPECT_EQ(code_of(region.ask(region.service->attributes(arn + "x"))), "QueueDoesNotExist");
}

}  // namespace
}  // namespace terrarium::sqs
