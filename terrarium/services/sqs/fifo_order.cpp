#include "terrarium/services/sqs/fifo_order.h"

#include "lib/base/check.h"

namespace terrarium::sqs {
namespace {

constexpr std::size_t kWindow = 120'000;
constexpr std::size_t kLoadAtOnce = 1'000;

}  // namespace

void FifoOrder::hide(Entry& entry, base::Timestamp now) {
  entry.hidden = entry.record.visible_at > now;
  if (!entry.hidden) return;
  hidden_.emplace(entry.record.visible_at, entry.sequence);
  if (entry.record.receives > 0) ++in_flight_;
}

void FifoOrder::unhide(Entry& entry) {
  if (!entry.hidden) return;
  hidden_.erase({entry.record.visible_at, entry.sequence});
  if (entry.record.receives > 0) --in_flight_;
  entry.hidden = false;
}

void FifoOrder::leave(Group& group) {
  if (!group.available) return;
  available_.erase(group.turn);
  group.available = false;
}

// A group that becomes available gets its turn after all others.
void FifoOrder::settle(Group& group) {
  const bool available = group.first != nullptr && !group.first->hidden;
  if (!available) return leave(group);
  if (group.available) return;
  group.turn = available_.insert(available_.end(), &group);
  group.available = true;
}

base::Result<void> FifoOrder::load(std::uint64_t sequence, std::string_view stored,
                                   base::Timestamp now) {
  TRY(const DecodedIndex index, decode_index(stored));
  append(sequence, index.record, index.group, now);
  return {};
}

void FifoOrder::append(std::uint64_t sequence, const IndexRecord& record, std::string_view group_id,
                       base::Timestamp now) {
  loaded_to_ = sequence;
  const auto place = entries_.try_emplace(entries_.end(), sequence);
  const auto group = groups_.try_emplace(std::string(group_id)).first;
  Entry& entry = place->second;
  CHECK(entry.group == nullptr, "a sequence number names one message");
  group->second.id = &group->first;
  entry.sequence = sequence;
  entry.record = record;
  entry.group = &group->second;
  entry.before = entry.group->last;
  (entry.before == nullptr ? entry.group->first : entry.before->behind) = &entry;
  entry.group->last = &entry;
  if (record.receives == 0) entry.record.visible_at = record.sent + delay_;
  hide(entry, now);
  settle(*entry.group);
}

void FifoOrder::add(std::uint64_t sequence, const IndexRecord& record, std::string_view group,
                    std::string_view, base::Timestamp now) {
  if (!complete_ || entries_.size() >= kWindow) {
    complete_ = false;
    return;
  }
  append(sequence, record, group, now);
}

void FifoOrder::set_delay(std::chrono::seconds delay, base::Timestamp now) {
  if (delay == delay_) return;
  delay_ = delay;
  for (auto& [sequence, entry] : entries_) {
    if (entry.record.receives > 0) continue;
    unhide(entry);
    entry.record.visible_at = entry.record.sent + delay_;
    hide(entry, now);
    settle(*entry.group);
  }
}

std::size_t FifoOrder::room() const {
  return complete_ || entries_.size() + kLoadAtOnce > kWindow ? 0 : kWindow - entries_.size();
}

std::uint64_t FifoOrder::waiting_from() const {
  return entries_.empty() ? loaded_to_ + 1 : entries_.begin()->first;
}

const IndexRecord* FifoOrder::find(std::uint64_t sequence) const {
  const auto found = entries_.find(sequence);
  const bool received = found != entries_.end() && found->second.record.receives > 0;
  return received ? &found->second.record : nullptr;
}

std::string_view FifoOrder::group_of(std::uint64_t sequence) const {
  const auto found = entries_.find(sequence);
  return found == entries_.end() ? std::string_view() : *found->second.group->id;
}

std::vector<MessageOrder::Candidate> FifoOrder::take(std::size_t max) {
  std::vector<Candidate> out;
  for (const Group* group : available_) {
    for (const Entry* at = group->first; at != nullptr && !at->hidden; at = at->behind) {
      if (out.size() == max) return out;
      out.push_back({.sequence = at->sequence, .record = at->record});
    }
  }
  return out;
}

void FifoOrder::update(std::uint64_t sequence, const IndexRecord& record, base::Timestamp now) {
  const auto found = entries_.find(sequence);
  CHECK(found != entries_.end(), "only a message that is there changes");
  Entry& entry = found->second;
  unhide(entry);
  entry.record = record;
  hide(entry, now);
  // Whoever had its turn waits for the next one, also when it is still visible.
  leave(*entry.group);
  settle(*entry.group);
}

void FifoOrder::erase(std::uint64_t sequence) {
  const auto found = entries_.find(sequence);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  Group& group = *entry.group;
  unhide(entry);
  (entry.before == nullptr ? group.first : entry.before->behind) = entry.behind;
  (entry.behind == nullptr ? group.last : entry.behind->before) = entry.before;
  entries_.erase(found);
  settle(group);
  if (group.first == nullptr) groups_.erase(groups_.find(*group.id));
}

void FifoOrder::clear() {
  entries_.clear();
  groups_.clear();
  available_.clear();
  hidden_.clear();
  in_flight_ = 0;
}

void FifoOrder::advance(base::Timestamp now) {
  while (!hidden_.empty() && hidden_.begin()->first <= now) {
    Entry& entry = entries_.at(hidden_.begin()->second);
    unhide(entry);
    settle(*entry.group);
  }
}

std::vector<MessageOrder::Candidate> FifoOrder::expired(base::Timestamp now,
                                                        std::chrono::seconds retention,
                                                        std::size_t max) const {
  std::vector<Candidate> out;
  for (const auto& [sequence, entry] : entries_) {
    if (out.size() == max || entry.record.sent + retention > now) break;
    out.push_back({.sequence = sequence, .record = entry.record});
  }
  return out;
}

std::optional<base::Timestamp> FifoOrder::next_visible() const {
  if (hidden_.empty()) return std::nullopt;
  return hidden_.begin()->first;
}

std::optional<base::Timestamp> FifoOrder::oldest() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.begin()->second.record.sent;
}

}  // namespace terrarium::sqs
