#include "terrarium/services/sqs/queue_index.h"

#include <gtest/gtest.h>

#include "lib/base/random.h"

namespace terrarium::sqs {
namespace {

using namespace std::chrono_literals;

constexpr base::Timestamp kStart{1'700'000'000s};
using Sequences = std::vector<std::uint64_t>;

IndexRecord sent_at(base::Timestamp time, base::Timestamp visible_at) {
  return {.sent = time, .visible_at = visible_at, .first_received = {}, .last_received = {}};
}

void receive(QueueIndex& index, std::uint64_t sequence, base::Timestamp now,
             std::chrono::seconds visibility) {
  IndexRecord record = *index.find(sequence);
  ++record.receives;
  record.visible_at = now + visibility;
  index.update(sequence, record, now);
}

TEST(SqsQueueIndex, OldestVisibleComesFirstAndReturnsToItsPlace) {
  QueueIndex index;
  for (std::uint64_t i = 1; i <= 4; ++i) index.add(i, sent_at(kStart, kStart), kStart);
  EXPECT_EQ(index.visible(2), (Sequences{1, 2}));
  receive(index, 1, kStart, 30s);
  receive(index, 2, kStart, 10s);
  EXPECT_EQ(index.visible(10), (Sequences{3, 4}));
  EXPECT_EQ(index.in_flight_count(), 2U);
  EXPECT_EQ(index.next_visible(), kStart + 10s);
  index.advance(kStart + 9s);
  EXPECT_EQ(index.visible(10), (Sequences{3, 4}));
  index.advance(kStart + 30s);
  EXPECT_EQ(index.visible(10), (Sequences{1, 2, 3, 4}));
  EXPECT_EQ(index.in_flight_count(), 0U);
  EXPECT_EQ(index.next_visible(), std::nullopt);
}

TEST(SqsQueueIndex, DelayedIsNeitherVisibleNorInFlight) {
  QueueIndex index;
  index.add(1, sent_at(kStart, kStart + 5s), kStart);
  index.add(2, sent_at(kStart, kStart), kStart);
  EXPECT_EQ(index.delayed_count(), 1U);
  EXPECT_EQ(index.in_flight_count(), 0U);
  EXPECT_FALSE(index.in_flight(1));
  EXPECT_EQ(index.visible(10), (Sequences{2}));
  index.advance(kStart + 5s);
  EXPECT_EQ(index.delayed_count(), 0U);
  EXPECT_EQ(index.visible(10), (Sequences{1, 2}));
}

TEST(SqsQueueIndex, ExpiredGoBySendTimeEvenWhenMovedHereLate) {
  QueueIndex index;
  index.add(1, sent_at(kStart, kStart), kStart);
  index.add(2, sent_at(kStart + 50s, kStart), kStart);
  IndexRecord moved = sent_at(kStart - 100s, kStart);
  moved.moved = true;
  index.add(3, moved, kStart);
  EXPECT_EQ(index.expired(kStart, 60s, 10), (Sequences{3}));
  EXPECT_EQ(index.expired(kStart + 60s, 60s, 10), (Sequences{1, 3}));
  EXPECT_EQ(index.expired(kStart + 60s, 60s, 1), (Sequences{1}));
  index.erase(3);
  index.erase(1);
  EXPECT_TRUE(index.expired(kStart + 109s, 60s, 10).empty());
  EXPECT_EQ(index.expired(kStart + 110s, 60s, 10), (Sequences{2}));
}

TEST(SqsQueueIndex, SequencesGrowWithTheClockAndWithEachMessage) {
  QueueIndex index;
  const std::uint64_t first = index.next_sequence(kStart);
  EXPECT_EQ(first, 1'700'000'000'000'000U);
  index.add(first, sent_at(kStart, kStart), kStart);
  EXPECT_EQ(index.next_sequence(kStart), first + 1);
  index.clear();
  EXPECT_EQ(index.next_sequence(kStart - 10s), first + 1);
  EXPECT_EQ(index.visible_count(), 0U);
}

// Against a plain list of messages, over random steps.
TEST(SqsQueueIndex, AgreesWithAPlainModel) {
  base::SeededRandom random(11);
  QueueIndex index;
  std::map<std::uint64_t, IndexRecord> model;
  base::Timestamp now = kStart;
  for (int step = 0; step < 20'000; ++step) {
    now += std::chrono::milliseconds(random.below(300));
    const std::uint64_t choice = random.below(4);
    if (choice == 0) {
      const std::uint64_t sequence = index.next_sequence(now);
      const auto record = sent_at(now, now + std::chrono::seconds(random.below(2) * 3));
      index.add(sequence, record, now);
      model.emplace(sequence, record);
    } else if (!model.empty()) {
      auto at = model.begin();
      std::advance(at, random.below(std::min<std::size_t>(model.size(), 20)));
      if (choice == 1) {
        index.erase(at->first);
        model.erase(at);
      } else if (at->second.visible_at <= now || choice == 2) {
        ++at->second.receives;
        at->second.visible_at = now + std::chrono::seconds(random.below(5));
        index.advance(now);
        index.update(at->first, at->second, now);
      }
    }
    index.advance(now);
    Sequences expected;
    std::size_t in_flight = 0;
    for (const auto& [sequence, record] : model) {
      if (record.visible_at <= now && expected.size() < 5) expected.push_back(sequence);
      in_flight += record.visible_at > now && record.receives > 0 ? 1 : 0;
    }
    ASSERT_EQ(index.visible(5), expected) << "step " << step;
    ASSERT_EQ(index.in_flight_count(), in_flight) << "step " << step;
    ASSERT_EQ(index.size(), model.size());
  }
}

}  // namespace
}  // namespace terrarium::sqs
