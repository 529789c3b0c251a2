// A standard queue's order: the oldest visible message comes first.
//
// In memory are a window of the messages that wait for their first receive, every message that was
// received and not deleted (at most 120,000 are in flight), and the number of each that is delayed,
// or was.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <utility>

#include "terrarium/services/sqs/message_order.h"

namespace terrarium::sqs {

// Messages kept in memory as they are on disk, so that receiving reads nothing: all queues share
// this many bytes.
struct StoredBudget {
  std::size_t left = 16 << 20;
};

class StandardOrder final : public MessageOrder {
 public:
  explicit StandardOrder(StoredBudget& budget) : budget_(budget) {}
  ~StandardOrder() override { clear(); }
  StandardOrder(const StandardOrder&) = delete;
  StandardOrder& operator=(const StandardOrder&) = delete;

  void add(std::uint64_t sequence, const IndexRecord& record, std::string_view group,
           std::string_view stored, base::Timestamp now) override;
  void restore(std::uint64_t sequence, const IndexRecord& record, base::Timestamp now) override;
  std::size_t room() const override;
  Kind loads() const override { return Kind::Message; }
  base::Result<void> load(std::uint64_t sequence, std::string_view stored,
                          base::Timestamp now) override;
  std::uint64_t waiting_from() const override;
  const IndexRecord* find(std::uint64_t sequence) const override;
  std::string_view group_of(std::uint64_t) const override { return {}; }
  std::vector<Candidate> take(std::size_t max) override;
  void put_back(std::vector<Candidate> candidates) override;
  void update(std::uint64_t sequence, const IndexRecord& record, base::Timestamp now) override;
  void erase(std::uint64_t sequence) override;
  void clear() override;
  void advance(base::Timestamp now) override;
  std::vector<Candidate> expired(base::Timestamp now, std::chrono::seconds retention,
                                 std::size_t max) const override;
  std::optional<base::Timestamp> next_visible() const override;
  bool any_visible() const override;
  std::optional<base::Timestamp> oldest() const override;
  std::size_t in_flight_count() const override { return hidden_.size(); }
  std::size_t delayed_count() const override { return delayed_.size(); }

 private:
  using Moment = std::pair<base::Timestamp, std::uint64_t>;

  void show(std::uint64_t sequence, const IndexRecord& record, base::Timestamp now);
  void wait(std::uint64_t sequence, const IndexRecord& record, std::string_view stored);
  void release(std::string& stored);

  StoredBudget& budget_;
  std::deque<Candidate> window_;
  std::map<std::uint64_t, IndexRecord> received_;
  std::set<std::uint64_t> returned_;  // of received_, visible again
  std::set<Moment> hidden_;           // of received_, in flight
  std::vector<Moment> delayed_;       // a heap, the soonest first
  std::set<std::uint64_t> due_;       // were delayed and wait now
};

}  // namespace terrarium::sqs
