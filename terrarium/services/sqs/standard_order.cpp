#include "terrarium/services/sqs/standard_order.h"

#include <algorithm>
#include <functional>
#include <ranges>

namespace terrarium::sqs {
namespace {

constexpr std::size_t kWindow = 512;

}  // namespace

void StandardOrder::release(std::string& stored) {
  budget_.left += stored.size();
  stored = std::string();
}

void StandardOrder::wait(std::uint64_t sequence, const IndexRecord& record,
                         std::string_view stored) {
  Candidate& waiting = window_.emplace_back(sequence, record, std::string());
  if (stored.size() > budget_.left) return;
  budget_.left -= stored.size();
  waiting.stored = stored;
}

void StandardOrder::add(std::uint64_t sequence, const IndexRecord& record, std::string_view,
                        std::string_view stored, base::Timestamp now) {
  if (record.visible_at > now) {
    delayed_.emplace_back(record.visible_at, sequence);
    std::ranges::push_heap(delayed_, std::greater());
  } else if (complete_ && window_.size() < kWindow) {
    wait(sequence, record, stored);
    loaded_to_ = sequence;
  } else {
    complete_ = false;
  }
}

void StandardOrder::restore(std::uint64_t sequence, const IndexRecord& record,
                            base::Timestamp now) {
  if (record.receives > 0) {
    received_.emplace_hint(received_.end(), sequence, record);
    show(sequence, record, now);
  } else {
    delayed_.emplace_back(record.visible_at, sequence);
    std::ranges::push_heap(delayed_, std::greater());
  }
}

base::Result<void> StandardOrder::load(std::uint64_t sequence, std::string_view stored,
                                       base::Timestamp) {
  TRY(const MessageHead head, decode_head(stored));
  loaded_to_ = sequence;
  // Those that were delayed or received are known already.
  if (!head.delayed && !received_.contains(sequence)) wait(sequence, head.record, stored);
  return {};
}

std::size_t StandardOrder::room() const {
  // Half a window at a time: one seek in the store serves many receives.
  return complete_ || window_.size() > kWindow / 2 ? 0 : kWindow - window_.size();
}

std::uint64_t StandardOrder::waiting_from() const {
  return window_.empty() ? loaded_to_ + 1 : window_.front().sequence;
}

const IndexRecord* StandardOrder::find(std::uint64_t sequence) const {
  const auto found = received_.find(sequence);
  return found == received_.end() ? nullptr : &found->second;
}

std::vector<MessageOrder::Candidate> StandardOrder::take(std::size_t max) {
  std::vector<Candidate> out;
  while (out.size() < max) {
    constexpr std::uint64_t kNone = ~std::uint64_t{0};
    const std::uint64_t again = returned_.empty() ? kNone : *returned_.begin();
    const std::uint64_t fresh = window_.empty() ? kNone : window_.front().sequence;
    const std::uint64_t due = due_.empty() ? kNone : *due_.begin();
    if (again == kNone && fresh == kNone && due == kNone) break;
    if (again < fresh && again < due) {
      out.push_back({again, received_.at(again), {}});
      returned_.erase(returned_.begin());
    } else if (fresh < due) {
      budget_.left += window_.front().stored.size();
      out.push_back(std::move(window_.front()));
      window_.pop_front();
    } else {
      due_.erase(due_.begin());
      out.push_back({.sequence = due, .delayed = true});
    }
  }
  return out;
}

void StandardOrder::put_back(std::vector<Candidate> candidates) {
  for (Candidate& one : candidates | std::views::reverse) {
    if (one.record.receives > 0) {
      returned_.insert(one.sequence);
    } else if (one.delayed) {
      due_.insert(one.sequence);
    } else {
      budget_.left -= std::min(budget_.left, one.stored.size());
      window_.push_front(std::move(one));
    }
  }
}

void StandardOrder::show(std::uint64_t sequence, const IndexRecord& record, base::Timestamp now) {
  if (record.visible_at > now) {
    hidden_.emplace(record.visible_at, sequence);
  } else {
    returned_.insert(sequence);
  }
}

void StandardOrder::update(std::uint64_t sequence, const IndexRecord& record, base::Timestamp now) {
  const auto [place, added] = received_.try_emplace(sequence, record);
  if (!added) {
    hidden_.erase({place->second.visible_at, sequence});
    returned_.erase(sequence);
    place->second = record;
  }
  show(sequence, record, now);
}

void StandardOrder::erase(std::uint64_t sequence) {
  if (const auto found = received_.find(sequence); found != received_.end()) {
    hidden_.erase({found->second.visible_at, sequence});
    returned_.erase(sequence);
    received_.erase(found);
    return;
  }
  if (due_.erase(sequence) > 0) return;
  const auto waiting = std::ranges::lower_bound(window_, sequence, {}, &Candidate::sequence);
  if (waiting == window_.end() || waiting->sequence != sequence) return;
  release(waiting->stored);
  window_.erase(waiting);
}

void StandardOrder::clear() {
  for (Candidate& waiting : window_) release(waiting.stored);
  window_.clear();
  received_.clear();
  returned_.clear();
  hidden_.clear();
  delayed_.clear();
  due_.clear();
}

void StandardOrder::advance(base::Timestamp now) {
  while (!hidden_.empty() && hidden_.begin()->first <= now) {
    returned_.insert(hidden_.begin()->second);
    hidden_.erase(hidden_.begin());
  }
  while (!delayed_.empty() && delayed_.front().first <= now) {
    std::ranges::pop_heap(delayed_, std::greater());
    due_.insert(delayed_.back().second);
    delayed_.pop_back();
  }
}

std::vector<MessageOrder::Candidate> StandardOrder::expired(base::Timestamp now,
                                                            std::chrono::seconds retention,
                                                            std::size_t max) const {
  std::vector<Candidate> out;
  for (const auto& [sequence, record] : received_) {
    if (out.size() == max || record.sent + retention > now) break;
    out.push_back({.sequence = sequence, .record = record});
  }
  for (const Candidate& waiting : window_) {
    if (out.size() == max || waiting.record.sent + retention > now) break;
    out.push_back({.sequence = waiting.sequence, .record = waiting.record});
  }
  for (const std::uint64_t sequence : due_) {
    // A number is the time of sending, or a little more.
    const base::Timestamp sent{base::Duration(static_cast<std::int64_t>(sequence))};
    if (out.size() == max || sent + retention > now) break;
    out.push_back({.sequence = sequence, .record = {.sent = sent}});
  }
  return out;
}

std::optional<base::Timestamp> StandardOrder::next_visible() const {
  std::optional<base::Timestamp> next;
  if (!hidden_.empty()) next = hidden_.begin()->first;
  if (!delayed_.empty())
    next = std::min(next.value_or(delayed_.front().first), delayed_.front().first);
  return next;
}

bool StandardOrder::any_visible() const {
  return !returned_.empty() || !due_.empty() || !window_.empty() || !complete_;
}

std::optional<base::Timestamp> StandardOrder::oldest() const {
  std::optional<base::Timestamp> oldest;
  if (!received_.empty()) oldest = received_.begin()->second.sent;
  if (!window_.empty()) {
    const base::Timestamp sent = window_.front().record.sent;
    oldest = std::min(oldest.value_or(sent), sent);
  }
  if (!due_.empty()) {
    const base::Timestamp sent{base::Duration(static_cast<std::int64_t>(*due_.begin()))};
    oldest = std::min(oldest.value_or(sent), sent);
  }
  return oldest;
}

}  // namespace terrarium::sqs
