// A FIFO queue's order: groups take turns in the order in which they became available, and within a
// group messages come strictly in order. A group is available when its first message is visible:
// while that one is in flight or delayed, nothing of the group comes.
//
// In memory are the queue's first 120,000 messages, as AWS looks for available groups: a group of
// which every message lies behind them must wait. Choosing a message is O(log n) at most.
#pragma once

#include <list>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "terrarium/services/sqs/message_order.h"

namespace terrarium::sqs {

class FifoOrder final : public MessageOrder {
 public:
  FifoOrder() = default;
  FifoOrder(const FifoOrder&) = delete;
  FifoOrder& operator=(const FifoOrder&) = delete;

  void set_delay(std::chrono::seconds delay, base::Timestamp now) override;
  void add(std::uint64_t sequence, const IndexRecord& record, std::string_view group,
           std::string_view stored, base::Timestamp now) override;
  // Everything is loaded in order.
  void restore(std::uint64_t, const IndexRecord&, base::Timestamp) override {}
  std::size_t room() const override;
  Kind loads() const override { return Kind::Index; }
  base::Result<void> load(std::uint64_t sequence, std::string_view stored,
                          base::Timestamp now) override;
  std::uint64_t waiting_from() const override;
  const IndexRecord* find(std::uint64_t sequence) const override;
  std::string_view group_of(std::uint64_t sequence) const override;
  std::vector<Candidate> take(std::size_t max) override;
  void put_back(std::vector<Candidate>) override {}
  void update(std::uint64_t sequence, const IndexRecord& record, base::Timestamp now) override;
  void erase(std::uint64_t sequence) override;
  void clear() override;
  void advance(base::Timestamp now) override;
  std::vector<Candidate> expired(base::Timestamp now, std::chrono::seconds retention,
                                 std::size_t max) const override;
  std::optional<base::Timestamp> next_visible() const override;
  bool any_visible() const override { return !available_.empty(); }
  std::optional<base::Timestamp> oldest() const override;
  std::size_t in_flight_count() const override { return in_flight_; }
  std::size_t delayed_count() const override { return hidden_.size() - in_flight_; }

 private:
  struct Entry;
  struct Group {
    Entry* first = nullptr;
    Entry* last = nullptr;
    std::list<Group*>::iterator turn;  // in available_
    bool available = false;
    const std::string* id = nullptr;
  };
  struct Entry {
    std::uint64_t sequence = 0;
    IndexRecord record;
    Group* group = nullptr;
    Entry* before = nullptr;  // in the group
    Entry* behind = nullptr;
    bool hidden = false;
  };

  void append(std::uint64_t sequence, const IndexRecord& record, std::string_view group,
              base::Timestamp now);
  void hide(Entry& entry, base::Timestamp now);
  void unhide(Entry& entry);
  void leave(Group& group);
  void settle(Group& group);

  std::chrono::seconds delay_{};
  std::map<std::uint64_t, Entry> entries_;
  std::unordered_map<std::string, Group> groups_;
  std::list<Group*> available_;
  std::set<std::pair<base::Timestamp, std::uint64_t>> hidden_;
  std::size_t in_flight_ = 0;
};

}  // namespace terrarium::sqs
