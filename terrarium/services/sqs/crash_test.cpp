// Every write and every sync of a busy queue's life fails once, before or after it happened; then
// the power goes, or only the process. Whatever was acknowledged must hold.
#include <gtest/gtest.h>

#include <set>

#include "terrarium/services/sqs/testing_region.h"
#include "terrarium/store/faulty.h"

namespace terrarium::sqs {
namespace {

using namespace std::chrono_literals;
using store::FaultPoint;
using store::FaultyStore;

// What the clients of a queue know.
struct Ledger {
  std::set<std::string> sent;           // acknowledged
  std::set<std::string> deleted;        // acknowledged
  std::set<std::string> delete_tried;   // acknowledged or not
  std::multiset<std::string> received;  // in the last drain

  bool must_be_there(const std::string& body) const {
    return sent.contains(body) && !delete_tried.contains(body);
  }
};

struct Life {
  TestingRegion region;
  FaultyStore& store;
  Ledger ledger;
  std::string url = "/000000000000/q";
  std::string dead = "/000000000000/dead";

  Life() : Life(std::make_unique<FaultyStore>()) {}
  explicit Life(std::unique_ptr<FaultyStore> made)
      : region(std::move(made)), store(static_cast<FaultyStore&>(*region.store)) {}

  void create() {
    (void)region.ask(region.service->create_queue(region.context, {.queue_name = "dead"}));
    (void)region.ask(region.service->create_queue(
        region.context,
        {.queue_name = "q",
         .attributes = {{{"VisibilityTimeout", "5"},
                         {"RedrivePolicy",
                          R"({"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead",)"
                          R"("maxReceiveCount":2})"}}}}));
  }
  void send(const std::string& body, std::optional<std::int32_t> delay = {}) {
    const auto sent = region.ask(region.service->send_message(
        region.context, {.queue_url = url, .message_body = body, .delay_seconds = delay}));
    if (sent.has_value()) ledger.sent.insert(body);
  }
  void send_batch(const std::vector<std::string>& bodies) {
    SendMessageBatchRequest request{url, {}};
    for (const std::string& body : bodies) {
      request.entries.push_back({.id = body, .message_body = body});
    }
    const auto sent =
        region.ask(region.service->send_message_batch(region.context, std::move(request)));
    if (!sent.has_value()) return;
    for (const auto& entry : *sent->successful) ledger.sent.insert(entry.id);
  }
  std::vector<Message> receive(const std::string& from, std::int32_t visibility) {
    const auto got = region.ask(region.service->receive_message(
        region.context,
        {.queue_url = from, .max_number_of_messages = 10, .visibility_timeout = visibility}));
    if (!got.has_value() || !got->messages.has_value()) return {};
    return *got->messages;
  }
  void remove(const std::string& from, const Message& message) {
    ledger.delete_tried.insert(*message.body);
    const auto removed =
        region.ask(region.service->delete_message(region.context, {from, *message.receipt_handle}));
    if (removed.has_value()) ledger.deleted.insert(*message.body);
  }

  void scenario() {
    create();
    send("a");
    send("late", 3);
    send_batch({"b", "c", "d"});
    for (const Message& message : receive(url, 5)) {
      if (*message.body == "a" || *message.body == "c") remove(url, message);
      if (*message.body == "b") {
        (void)region.ask(region.service->change_message_visibility(
            region.context, {url, *message.receipt_handle, 0}));
      }
    }
    send("e");
    region.advance(6s);
    receive(url, 1);
    region.advance(2s);
    // Twice received by now: some move to the dead-letter queue.
    for (const Message& message : receive(url, 1)) {
      if (*message.body == "e") remove(url, message);
    }
    for (const Message& message : receive(dead, 1)) {
      if (*message.body == "d") remove(dead, message);
    }
    send("f");
  }

  // Receives and deletes until nothing comes any more.
  void drain() {
    ledger.received.clear();
    for (int round = 0; round < 6; ++round) {
      for (const std::string& from : {url, dead}) {
        for (const Message& message : receive(from, 30)) {
          ledger.received.insert(*message.body);
          ASSERT_TRUE(region.remove(from, *message.receipt_handle));
        }
      }
      region.advance(10s);
    }
  }

  void check() {
    for (const std::string& body : ledger.sent) {
      if (ledger.must_be_there(body)) {
        EXPECT_EQ(ledger.received.count(body), 1U) << body << " was acknowledged and is lost";
      }
    }
    for (const std::string& body : ledger.deleted) {
      EXPECT_EQ(ledger.received.count(body), 0U) << body << " was deleted and came again";
    }
    for (const std::string& body : ledger.received) {
      EXPECT_EQ(ledger.received.count(body), 1U) << body << " exists twice";
    }
    EXPECT_FALSE(store.scan(store::Table::Sqs, "i", "j")->valid()) << "an index entry is left";
    EXPECT_FALSE(store.scan(store::Table::Sqs, "m", "n")->valid()) << "a message is left";
  }
};

// Returns whether there was an effect number n to fail.
bool live_through(std::uint64_t n, FaultPoint point, std::size_t kept) {
  SCOPED_TRACE(testing::Message() << "effect " << n
                                  << (point == FaultPoint::Before ? " before" : " after")
                                  << ", kept " << kept);
  Life life;
  life.store.fail_effect(n, point);
  life.scenario();
  const bool fired = life.store.fired();
  life.region.stop();
  life.store.crash(kept);
  life.region.start();
  life.create();
  life.drain();
  life.check();
  return fired;
}

TEST(SqsCrash, NothingAcknowledgedIsLostWhateverFails) {
  for (const FaultPoint point : {FaultPoint::Before, FaultPoint::After}) {
    for (const std::size_t kept : {0UL, 1UL, 1'000UL}) {
      std::uint64_t n = 0;
      while (live_through(n, point, kept)) ++n;
      EXPECT_GT(n, 20U) << "the scenario has at least that many writes and syncs";
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(SqsCrash, WithoutAFaultEverythingIsWhereItBelongs) {
  Life life;
  life.scenario();
  EXPECT_EQ(life.ledger.sent, (std::set<std::string>{"a", "b", "c", "d", "e", "f", "late"}));
  EXPECT_EQ(life.ledger.deleted, (std::set<std::string>{"a", "c", "d", "e"}));
  life.drain();
  EXPECT_EQ(life.ledger.received, (std::multiset<std::string>{"b", "f", "late"}));
}

TEST(SqsCrash, InFlightMessagesStayInFlightOverARestart) {
  Life life;
  life.create();
  life.send("a");
  ASSERT_EQ(life.receive(life.url, 20).size(), 1U);
  life.region.stop();
  // The process dies; what it wrote without syncing is still with the kernel.
  life.store.crash(1'000);
  life.region.start();
  EXPECT_EQ(life.region.bodies(life.url), "");
  EXPECT_EQ(life.region.attribute(life.url, "ApproximateNumberOfMessagesNotVisible"), "1");
  life.region.advance(20s);
  EXPECT_EQ(life.region.receive(life.url).front().attributes->at("ApproximateReceiveCount"), "2");
}

TEST(SqsCrash, PowerCutForgetsAReceiveButNotTheMessage) {
  Life life;
  life.create();
  life.send("a");
  ASSERT_EQ(life.receive(life.url, 20).size(), 1U);
  life.region.stop();
  life.store.crash();
  life.region.start();
  EXPECT_EQ(life.region.bodies(life.url), "a");
}

}  // namespace
}  // namespace terrarium::sqs
