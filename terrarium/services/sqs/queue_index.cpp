#include "terrarium/services/sqs/queue_index.h"

#include <algorithm>

#include "lib/base/check.h"

namespace terrarium::sqs {

std::uint64_t QueueIndex::next_sequence(base::Timestamp now) const {
  return std::max(last_ + 1, static_cast<std::uint64_t>(now.time_since_epoch().count()));
}

void QueueIndex::add(std::uint64_t sequence, const IndexRecord& record, base::Timestamp now) {
  const std::size_t before = entries_.size();
  const auto place = entries_.try_emplace(entries_.end(), sequence, Entry{record});
  CHECK(entries_.size() == before + 1, "a sequence number names one message");
  last_ = std::max(last_, sequence);
  Entry& entry = place->second;
  if (record.moved) moved_.emplace(record.sent, sequence);
  if (record.visible_at > now) {
    hide(sequence, entry);
  } else if (record.receives > 0 || (!fresh_.empty() && fresh_.back() > sequence)) {
    entry.place = Place::Returned;
    returned_.insert(sequence);
  } else {
    fresh_.push_back(sequence);
  }
}

void QueueIndex::hide(std::uint64_t sequence, Entry& entry) {
  entry.place = Place::Hidden;
  hidden_.emplace(entry.record.visible_at, sequence);
  if (entry.record.receives > 0) ++in_flight_;
}

void QueueIndex::take_out(std::uint64_t sequence, Entry& entry) {
  if (entry.place == Place::Returned) returned_.erase(sequence);
  if (entry.place != Place::Hidden) return;
  hidden_.erase({entry.record.visible_at, sequence});
  if (entry.record.receives > 0) --in_flight_;
}

void QueueIndex::update(std::uint64_t sequence, const IndexRecord& record, base::Timestamp now) {
  const auto found = entries_.find(sequence);
  CHECK(found != entries_.end(), "only a message that is there changes");
  Entry& entry = found->second;
  take_out(sequence, entry);
  entry.record = record;
  if (record.visible_at > now) {
    hide(sequence, entry);
  } else {
    entry.place = Place::Returned;
    returned_.insert(sequence);
  }
  drop_stale();
}

void QueueIndex::erase(std::uint64_t sequence) {
  const auto found = entries_.find(sequence);
  if (found == entries_.end()) return;
  take_out(sequence, found->second);
  if (found->second.record.moved) moved_.erase({found->second.record.sent, sequence});
  entries_.erase(found);
  drop_stale();
}

void QueueIndex::clear() {
  entries_.clear();
  fresh_.clear();
  returned_.clear();
  hidden_.clear();
  moved_.clear();
  in_flight_ = 0;
}

bool QueueIndex::is_fresh(std::uint64_t sequence) const {
  const auto found = entries_.find(sequence);
  return found != entries_.end() && found->second.place == Place::Fresh;
}

void QueueIndex::drop_stale() {
  while (!fresh_.empty() && !is_fresh(fresh_.front())) fresh_.pop_front();
}

void QueueIndex::advance(base::Timestamp now) {
  while (!hidden_.empty() && hidden_.begin()->first <= now) {
    const std::uint64_t sequence = hidden_.begin()->second;
    Entry& entry = entries_.at(sequence);
    take_out(sequence, entry);
    entry.place = Place::Returned;
    returned_.insert(sequence);
  }
}

const IndexRecord* QueueIndex::find(std::uint64_t sequence) const {
  const auto found = entries_.find(sequence);
  return found == entries_.end() ? nullptr : &found->second.record;
}

bool QueueIndex::in_flight(std::uint64_t sequence) const {
  const auto found = entries_.find(sequence);
  return found != entries_.end() && found->second.place == Place::Hidden &&
         found->second.record.receives > 0;
}

std::vector<std::uint64_t> QueueIndex::visible(std::size_t max) const {
  std::vector<std::uint64_t> out;
  auto again = returned_.begin();
  auto first = fresh_.begin();
  while (out.size() < max) {
    while (first != fresh_.end() && !is_fresh(*first)) ++first;
    if (first == fresh_.end() && again == returned_.end()) break;
    const bool take_again = again != returned_.end() && (first == fresh_.end() || *again < *first);
    out.push_back(take_again ? *again++ : *first++);
  }
  return out;
}

std::vector<std::uint64_t> QueueIndex::expired(base::Timestamp now, std::chrono::seconds retention,
                                               std::size_t max) const {
  std::vector<std::uint64_t> out;
  for (auto at = entries_.begin(); at != entries_.end() && out.size() < max; ++at) {
    if (at->second.record.sent + retention > now) break;
    out.push_back(at->first);
  }
  for (auto at = moved_.begin(); at != moved_.end() && out.size() < max; ++at) {
    if (at->first + retention > now) break;
    if (std::ranges::find(out, at->second) == out.end()) out.push_back(at->second);
  }
  return out;
}

std::optional<base::Timestamp> QueueIndex::next_visible() const {
  if (hidden_.empty()) return std::nullopt;
  return hidden_.begin()->first;
}

}  // namespace terrarium::sqs
