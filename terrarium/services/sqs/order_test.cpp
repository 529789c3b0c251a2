// Which message comes next: standard and FIFO order, by themselves.
#include <gtest/gtest.h>

#include <algorithm>

#include "lib/base/random.h"
#include "terrarium/services/sqs/fifo_order.h"
#include "terrarium/services/sqs/standard_order.h"

namespace terrarium::sqs {
namespace {

using namespace std::chrono_literals;

constexpr base::Timestamp kStart{1'700'000'000s};
using Sequences = std::vector<std::uint64_t>;

IndexRecord sent_at(base::Timestamp time, std::chrono::seconds delay = 0s) {
  return {.sent = time,
          .visible_at = time + delay,
          .first_received = {},
          .last_received = {},
          .tag = 1};
}

// An order with all that a queue does to it.
template <class Order>
struct Line {
  StoredBudget budget;
  Order order;
  base::Timestamp now = kStart;

  Line()
    requires std::is_same_v<Order, StandardOrder>
      : order(budget) {
    order.set_complete();
  }
  Line()
    requires std::is_same_v<Order, FifoOrder>
  {
    order.set_complete();
  }
  void send(std::uint64_t sequence, std::string_view group = "g", std::chrono::seconds delay = 0s) {
    order.add(sequence, sent_at(now, delay), group, "stored", now);
  }
  Sequences receive(std::size_t max, std::chrono::seconds visibility) {
    order.advance(now);
    Sequences out;
    for (auto& one : order.take(max)) {
      out.push_back(one.sequence);
      ++one.record.receives;
      one.record.visible_at = now + visibility;
      order.update(one.sequence, one.record, now);
    }
    return out;
  }
  Sequences look(std::size_t max = 10) {
    order.advance(now);
    auto candidates = order.take(max);
    Sequences out;
    for (const auto& one : candidates) out.push_back(one.sequence);
    order.put_back(std::move(candidates));
    return out;
  }
  void hide(std::uint64_t sequence, std::chrono::seconds visibility) {
    IndexRecord record = *order.find(sequence);
    record.visible_at = now + visibility;
    order.update(sequence, record, now);
  }
};

TEST(SqsStandardOrder, OldestVisibleComesFirstAndReturnsToItsPlace) {
  Line<StandardOrder> line;
  for (std::uint64_t i = 1; i <= 4; ++i) line.send(i);
  EXPECT_EQ(line.receive(1, 30s), (Sequences{1}));
  EXPECT_EQ(line.receive(1, 10s), (Sequences{2}));
  EXPECT_EQ(line.look(), (Sequences{3, 4}));
  EXPECT_EQ(line.look(), (Sequences{3, 4})) << "put back as they were";
  EXPECT_EQ(line.order.in_flight_count(), 2U);
  EXPECT_EQ(line.order.next_visible(), kStart + 10s);
  line.now += 10s;
  EXPECT_EQ(line.look(), (Sequences{2, 3, 4}));
  line.now += 20s;
  EXPECT_EQ(line.look(), (Sequences{1, 2, 3, 4}));
  EXPECT_EQ(line.order.in_flight_count(), 0U);
}

TEST(SqsStandardOrder, DelayedTakesItsPlaceWhenItIsDue) {
  Line<StandardOrder> line;
  line.send(1, "", 5s);
  line.send(2);
  EXPECT_EQ(line.order.delayed_count(), 1U);
  EXPECT_EQ(line.order.in_flight_count(), 0U);
  EXPECT_EQ(line.look(), (Sequences{2}));
  line.now += 5s;
  EXPECT_EQ(line.look(), (Sequences{1, 2}));
  EXPECT_EQ(line.look(), (Sequences{1, 2}));
  EXPECT_EQ(line.order.delayed_count(), 0U);
}

TEST(SqsStandardOrder, WindowAloneIsInMemoryAndTheRestIsLoadedInOrder) {
  Line<StandardOrder> line;
  for (std::uint64_t i = 1; i <= 2'000; ++i) line.send(i);
  const std::size_t used = StoredBudget().left - line.budget.left;
  EXPECT_LT(used, 600 * std::string("stored").size());
  const MessageRecord message{.id = "0aa1bb2c-3d4e-4f60-8123-456789abcdef", .sent = kStart};
  Sequences all;
  while (all.size() < 2'000) {
    while (line.order.room() > 0 && line.order.loaded_to() < 2'000) {
      ASSERT_TRUE(
          line.order.load(line.order.loaded_to() + 1, encode(message), line.now).has_value());
    }
    if (line.order.loaded_to() == 2'000) line.order.set_complete();
    const Sequences some = line.receive(10, 30s);
    ASSERT_FALSE(some.empty());
    for (const std::uint64_t one : some) line.order.erase(one);
    all.insert(all.end(), some.begin(), some.end());
  }
  EXPECT_TRUE(std::ranges::is_sorted(all));
  EXPECT_EQ(all.front(), 1U);
  EXPECT_EQ(all.back(), 2'000U);
  EXPECT_EQ(line.budget.left, StoredBudget().left) << "nothing stays counted";
}

TEST(SqsStandardOrder, ExpiredAreTheOldest) {
  Line<StandardOrder> line;
  line.send(1);
  line.send(2);
  line.now += 50s;
  line.send(3);
  EXPECT_EQ(line.receive(1, 30s), (Sequences{1}));
  EXPECT_TRUE(line.order.expired(kStart + 59s, 60s, 10).empty());
  const auto expired = line.order.expired(kStart + 60s, 60s, 10);
  ASSERT_EQ(expired.size(), 2U);
  EXPECT_EQ(line.order.expired(kStart + 60s, 60s, 1).size(), 1U);
  for (const auto& one : expired) line.order.erase(one.sequence);
  EXPECT_EQ(line.look(), (Sequences{3}));
  EXPECT_EQ(line.order.in_flight_count(), 0U);
}

TEST(SqsFifoOrder, GroupsTakeTurnsAndAReceiveTakesWhatOneHas) {
  Line<FifoOrder> line;
  line.send(1, "a");
  line.send(2, "b");
  line.send(3, "a");
  line.send(4, "a");
  EXPECT_EQ(line.receive(10, 30s), (Sequences{1, 3, 4, 2}));
  EXPECT_EQ(line.order.in_flight_count(), 4U);
}

TEST(SqsFifoOrder, GroupWaitsForItsFirstMessage) {
  Line<FifoOrder> line;
  for (std::uint64_t i = 1; i <= 4; ++i) line.send(i, "a");
  line.send(5, "b");
  EXPECT_EQ(line.receive(2, 10s), (Sequences{1, 2}));
  EXPECT_EQ(line.look(), (Sequences{5}));
  line.order.erase(1);
  EXPECT_EQ(line.look(), (Sequences{5})) << "the second is still in flight";
  line.order.erase(2);
  EXPECT_EQ(line.look(), (Sequences{5, 3, 4})) << "and now it is the other group's turn";
}

TEST(SqsFifoOrder, MessageGivenBackComesBeforeThoseBehindItOnly) {
  Line<FifoOrder> line;
  line.send(1, "a");
  line.send(2, "a");
  line.send(3, "b");
  EXPECT_EQ(line.receive(2, 30s), (Sequences{1, 2}));
  line.hide(1, 0s);
  EXPECT_EQ(line.look(), (Sequences{3, 1})) << "the second one is still with its receiver";
  line.hide(2, 0s);
  EXPECT_EQ(line.look(), (Sequences{3, 1, 2}));
}

TEST(SqsFifoOrder, LaterOneGivenBackAloneStaysBehindTheFirst) {
  Line<FifoOrder> line;
  line.send(1, "a");
  line.send(2, "a");
  EXPECT_EQ(line.receive(2, 30s), (Sequences{1, 2}));
  line.hide(2, 0s);
  EXPECT_EQ(line.look(), Sequences{});
}

TEST(SqsFifoOrder, WithoutATimeoutTheGroupGoesToTheEnd) {
  Line<FifoOrder> line;
  line.send(1, "a");
  line.send(2, "b");
  line.send(3, "b");
  line.send(4, "c");
  line.send(5, "a");
  EXPECT_EQ(line.receive(3, 0s), (Sequences{1, 5, 2}));
  EXPECT_EQ(line.receive(10, 0s), (Sequences{4, 1, 5, 2, 3}));
}

TEST(SqsFifoOrder, DelayHoldsAlsoForWhatWasSentBefore) {
  Line<FifoOrder> line;
  line.send(1, "a");
  line.order.set_delay(10s, line.now);
  EXPECT_EQ(line.look(), Sequences{});
  EXPECT_EQ(line.order.delayed_count(), 1U);
  line.now += 10s;
  EXPECT_EQ(line.look(), (Sequences{1}));
}

// A model that knows nothing of lists and trees, against the real one.
TEST(SqsFifoOrder, NeverGivesAMessageBeforeAnOlderOneOfItsGroup) {
  base::SeededRandom random(11);
  Line<FifoOrder> line;
  std::map<std::uint64_t, std::string> groups;         // of those that are there
  std::map<std::uint64_t, base::Timestamp> in_flight;  // until when
  std::uint64_t next = 1;
  for (int step = 0; step < 20'000; ++step) {
    line.now += std::chrono::seconds(random.below(3));
    std::erase_if(in_flight, [&](const auto& one) { return one.second <= line.now; });
    const std::uint64_t what = random.below(4);
    if (what == 0) {
      groups[next] = std::to_string(random.below(5));
      line.send(next, groups[next]);
      ++next;
    } else if (what == 1 && !in_flight.empty()) {
      const std::uint64_t gone = in_flight.begin()->first;
      line.order.erase(gone);
      groups.erase(gone);
      in_flight.erase(gone);
    } else {
      const std::chrono::seconds visibility(random.below(10));
      std::map<std::string, std::uint64_t> last;
      for (const std::uint64_t one : line.receive(1 + random.below(10), visibility)) {
        ASSERT_TRUE(groups.contains(one));
        const std::string& group = groups[one];
        for (const auto& [older, its_group] : groups) {
          if (older >= one) break;
          if (its_group != group) continue;
          ASSERT_FALSE(in_flight.contains(older) && older > last[group])
              << older << " before " << one;
        }
        ASSERT_GT(one, last[group]);
        last[group] = one;
        if (visibility > 0s) in_flight[one] = line.now + visibility;
      }
    }
    line.order.advance(line.now);
    ASSERT_EQ(line.order.in_flight_count(), in_flight.size());
  }
}

}  // namespace
}  // namespace terrarium::sqs
