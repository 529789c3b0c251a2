// Which messages of one queue can be received, which are hidden until when, which have expired: the
// queue's messages without their bodies, in memory. Every step costs O(log n) at most, whatever the
// queue's depth. Pure: time comes in; the caller keeps the store in step.
//
// Sequence numbers give the order: the message with the smallest visible one goes out first. They
// grow, and never repeat while the clock does not step back over a restart.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "terrarium/services/sqs/records.h"

namespace terrarium::sqs {

class QueueIndex {
 public:
  // For a message about to be added.
  std::uint64_t next_sequence(base::Timestamp now) const;
  void add(std::uint64_t sequence, const IndexRecord& record, base::Timestamp now);
  // The message has been received, or its visibility changed.
  void update(std::uint64_t sequence, const IndexRecord& record, base::Timestamp now);
  void erase(std::uint64_t sequence);
  void clear();
  // Makes visible what was hidden until `now` or earlier.
  void advance(base::Timestamp now);

  const IndexRecord* find(std::uint64_t sequence) const;
  // Hidden because it was received, as opposed to delayed or visible.
  bool in_flight(std::uint64_t sequence) const;
  // The first `max` visible messages.
  std::vector<std::uint64_t> visible(std::size_t max) const;
  // At most `max` messages sent `retention` ago or earlier.
  std::vector<std::uint64_t> expired(base::Timestamp now, std::chrono::seconds retention,
                                     std::size_t max) const;
  // When the next hidden message turns visible.
  std::optional<base::Timestamp> next_visible() const;

  std::size_t size() const { return entries_.size(); }
  std::size_t visible_count() const { return entries_.size() - hidden_.size(); }
  std::size_t in_flight_count() const { return in_flight_; }
  std::size_t delayed_count() const { return hidden_.size() - in_flight_; }

 private:
  // Fresh: visible and in fresh_; Returned: visible again and in returned_.
  enum class Place : std::uint8_t { Fresh, Returned, Hidden };
  struct Entry {
    IndexRecord record;
    Place place = Place::Fresh;
  };
  using Entries = std::map<std::uint64_t, Entry>;

  void hide(std::uint64_t sequence, Entry& entry);
  void take_out(std::uint64_t sequence, Entry& entry);
  void drop_stale();
  bool is_fresh(std::uint64_t sequence) const;

  Entries entries_;
  // Never received, by sequence. Messages that left stay in it until they come to the front.
  std::deque<std::uint64_t> fresh_;
  std::set<std::uint64_t> returned_;
  std::set<std::pair<base::Timestamp, std::uint64_t>> hidden_;
  // Moved here by a redrive policy, by time sent: they alone are not in order of sequence.
  std::set<std::pair<base::Timestamp, std::uint64_t>> moved_;
  std::size_t in_flight_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace terrarium::sqs
