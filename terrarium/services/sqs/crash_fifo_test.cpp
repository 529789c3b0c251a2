// Every write and every sync fails once, as in crash_test.cpp, in the life of a FIFO queue and of a
// move task: their changes touch several records, which must come and go together.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "terrarium/services/sqs/testing_region.h"
#include "terrarium/store/faulty.h"

namespace terrarium::sqs {
namespace {

using namespace std::chrono_literals;
using store::FaultPoint;
using store::FaultyStore;

struct FifoLife {
  TestingRegion region;
  FaultyStore& store;
  std::string url = "/000000000000/q.fifo";
  std::map<std::string, int> sent;     // acknowledged, and as the how manieth
  std::set<std::string> delete_tried;  // acknowledged or not
  std::set<std::string> deleted;       // acknowledged

  FifoLife() : FifoLife(std::make_unique<FaultyStore>()) {}
  explicit FifoLife(std::unique_ptr<FaultyStore> made)
      : region(std::move(made)), store(static_cast<FaultyStore&>(*region.store)) {}

  void create() {
    (void)region.ask(region.service->create_queue(
        region.context,
        {.queue_name = "q.fifo",
         .attributes = {{{"FifoQueue", "true"}, {"ContentBasedDeduplication", "true"}}}}));
  }
  // The body is all that tells duplicates.
  bool send(const std::string& body) {
    const auto answer = region.ask(region.service->send_message(
        region.context,
        {.queue_url = url, .message_body = body, .message_group_id = body.substr(0, 1)}));
    if (answer.has_value()) sent.emplace(body, static_cast<int>(sent.size()));
    return answer.has_value();
  }
  std::vector<Message> receive(std::int32_t max) {
    const auto got = region.ask(region.service->receive_message(
        region.context,
        {.queue_url = url, .max_number_of_messages = max, .visibility_timeout = 30}));
    if (!got.has_value() || !got->messages.has_value()) return {};
    return *got->messages;
  }
  void remove(const Message& message) {
    delete_tried.insert(*message.body);
    const auto done =
        region.ask(region.service->delete_message(region.context, {url, *message.receipt_handle}));
    if (done.has_value()) deleted.insert(*message.body);
  }
  void scenario() {
    create();
    for (const char* body : {"a1", "b1", "a2", "a3", "b2"}) send(body);
    send("a1");
    for (const Message& message : receive(2)) remove(message);
    send("a1");
    send("a4");
  }
};

// Returns whether there was an effect number n to fail.
bool live_through(std::uint64_t n, FaultPoint point, std::size_t kept) {
  SCOPED_TRACE(testing::Message() << "effect " << n
                                  << (point == FaultPoint::Before ? " before" : " after")
                                  << ", kept " << kept);
  FifoLife life;
  life.store.fail_effect(n, point);
  life.scenario();
  const bool fired = life.store.fired();
  life.region.stop();
  life.store.crash(kept);
  life.region.start();
  life.create();
  const auto acknowledged = life.sent;
  const auto tried = life.delete_tried;
  const auto deleted = life.deleted;
  // What a careful client does: everything again, within the interval.
  for (const char* body : {"a1", "a2", "a3", "a4", "b1", "b2"}) {
    EXPECT_TRUE(life.send(body)) << body;
  }
  life.region.advance(31s);
  std::multiset<std::string> found;
  std::map<char, int> last;
  for (int round = 0; round < 10; ++round) {
    for (const Message& message : life.receive(10)) {
      const std::string& body = *message.body;
      found.insert(body);
      if (const auto place = acknowledged.find(body); place != acknowledged.end()) {
        EXPECT_GE(place->second, last[body.front()]) << body << " is out of order";
        last[body.front()] = place->second;
      }
      life.remove(message);
    }
  }
  for (const std::string body : {"a1", "a2", "a3", "a4", "b1", "b2"}) {
    EXPECT_LE(found.count(body), 1U) << body << " came twice";
    if (deleted.contains(body)) EXPECT_EQ(found.count(body), 0U) << body << " was deleted";
    if (!tried.contains(body)) EXPECT_EQ(found.count(body), 1U) << body << " is lost";
  }
  for (const Kind kind : {Kind::Message, Kind::Index}) {
    const std::string left = prefix(kind, 1).substr(0, 1);
    EXPECT_FALSE(life.store.scan(store::Table::Sqs, left, store::prefix_end(left))->valid());
  }
  EXPECT_EQ(life.region.attribute(life.url, "ApproximateNumberOfMessages"), "0");
  return fired;
}

TEST(SqsFifoCrash, NothingIsLostAndNothingComesTwice) {
  for (const FaultPoint point : {FaultPoint::Before, FaultPoint::After}) {
    for (const std::size_t kept : {0UL, 1UL, 1'000UL}) {
      std::uint64_t n = 0;
      while (live_through(n, point, kept)) ++n;
      EXPECT_GT(n, 15U) << "the scenario has at least that many writes and syncs";
      if (testing::Test::HasFailure()) return;
    }
  }
}

bool move_through(std::uint64_t n, FaultPoint point, std::size_t kept) {
  SCOPED_TRACE(testing::Message() << "effect " << n << ", kept " << kept);
  auto made = std::make_unique<FaultyStore>();
  FaultyStore& store = *made;
  TestingRegion region(std::move(made));
  const std::string dead = region.create("dead");
  const std::string arn = "arn:aws:sqs:us-east-1:000000000000:dead";
  const std::string url = region.create(
      "q", {{"RedrivePolicy", R"({"deadLetterTargetArn":")" + arn + R"(","maxReceiveCount":1})"}});
  for (int i = 0; i < 5; ++i) region.send(url, std::to_string(i));
  region.receive(url, 10, 0);
  region.receive(url, 10, 0);
  EXPECT_EQ(region.attribute(dead, "ApproximateNumberOfMessages"), "5");
  // A receive is written and not synced; this syncs it.
  region.create("other");
  store.fail_effect(n, point);
  (void)region.ask(region.service->start_message_move_task(
      region.context, {.source_arn = arn, .max_number_of_messages_per_second = 2}));
  region.advance(1s);
  const bool fired = store.fired();
  region.stop();
  store.crash(kept);
  region.start();
  region.advance(10s);
  (void)region.ask(region.service->start_message_move_task(region.context, {.source_arn = arn}));
  region.advance(10s);
  std::multiset<std::string> found;
  for (const Message& message : region.receive(url)) found.insert(*message.body);
  EXPECT_EQ(found, (std::multiset<std::string>{"0", "1", "2", "3", "4"}));
  EXPECT_EQ(region.attribute(dead, "ApproximateNumberOfMessages"), "0");
  EXPECT_FALSE(store.scan(store::Table::Sqs, "x", "y")->valid());
  return fired;
}

TEST(SqsMoveCrash, EachMessageIsInOneQueueWhateverFails) {
  for (const FaultPoint point : {FaultPoint::Before, FaultPoint::After}) {
    for (const std::size_t kept : {0UL, 1UL, 1'000UL}) {
      std::uint64_t n = 0;
      while (move_through(n, point, kept)) ++n;
      EXPECT_GT(n, 4U);
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace terrarium::sqs
