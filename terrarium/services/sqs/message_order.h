// Which message of a queue comes next, which are hidden until when, which have expired: in memory,
// bounded whatever the queue's depth, O(log n) a step. The rest of the queue stays in the store, in
// order of sequence, and is loaded as the head moves on.
//
// Pure: time comes in, and the caller keeps the store in step. Sequence numbers grow with time and
// never repeat; add() and load() get them in order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "terrarium/services/sqs/keys.h"
#include "terrarium/services/sqs/records.h"

namespace terrarium::sqs {

class MessageOrder {
 public:
  struct Candidate {
    std::uint64_t sequence = 0;
    IndexRecord record = {};
    std::string stored = {};  // the message as the store has it; empty: it must be read
    bool delayed = false;     // until a while ago: all of the record is in the stored message
  };

  virtual ~MessageOrder() = default;

  // A new message, the newest of all.
  virtual void add(std::uint64_t sequence, const IndexRecord& record, std::string_view group,
                   std::string_view stored, base::Timestamp now) = 0;
  // A message's state as the store has it, when the queue is read at start.
  virtual void restore(std::uint64_t sequence, const IndexRecord& record, base::Timestamp now) = 0;

  // The queue's own delay, for the kind of queue in which it holds for messages already sent.
  virtual void set_delay(std::chrono::seconds, base::Timestamp) {}

  // Messages behind loaded_to() that may be loaded now; 0: enough, or there are no more.
  virtual std::size_t room() const = 0;
  // What load() reads of them: Message or Index.
  virtual Kind loads() const = 0;
  virtual base::Result<void> load(std::uint64_t sequence, std::string_view stored,
                                  base::Timestamp now) = 0;
  std::uint64_t loaded_to() const { return loaded_to_; }
  // Every message up to this one has been loaded, or needs not be.
  void set_loaded_to(std::uint64_t sequence) { loaded_to_ = sequence; }
  void set_complete() { complete_ = true; }
  // The first message that loading must begin with after a restart.
  virtual std::uint64_t waiting_from() const = 0;

  // Nothing for a message that was never received: no receipt handle names it.
  virtual const IndexRecord* find(std::uint64_t sequence) const = 0;
  virtual std::string_view group_of(std::uint64_t sequence) const = 0;

  // The next visible messages, out of the order until update(), erase() or put_back().
  virtual std::vector<Candidate> take(std::size_t max) = 0;
  virtual void put_back(std::vector<Candidate> candidates) = 0;
  // The message has been received, or its visibility changed.
  virtual void update(std::uint64_t sequence, const IndexRecord& record, base::Timestamp now) = 0;
  virtual void erase(std::uint64_t sequence) = 0;
  virtual void clear() = 0;
  // Makes visible what was hidden until `now` or earlier.
  virtual void advance(base::Timestamp now) = 0;

  // At most `max` messages sent `retention` ago or earlier, of those that are in order of sending.
  virtual std::vector<Candidate> expired(base::Timestamp now, std::chrono::seconds retention,
                                         std::size_t max) const = 0;
  // When the next hidden message turns visible.
  virtual std::optional<base::Timestamp> next_visible() const = 0;
  // Whether take() would give any.
  virtual bool any_visible() const = 0;
  // When the oldest message was sent.
  virtual std::optional<base::Timestamp> oldest() const = 0;
  // Hidden because they were received, and because they were delayed.
  virtual std::size_t in_flight_count() const = 0;
  virtual std::size_t delayed_count() const = 0;

 protected:
  std::uint64_t loaded_to_ = 0;
  bool complete_ = false;  // nothing lies behind loaded_to_
};

}  // namespace terrarium::sqs
