// A change of messages, of one queue or several: collected, written as one batch with the tallies
// of its queues, then made in memory. What the disk and what memory say stay the same.
#pragma once

#include <string>
#include <vector>

#include "terrarium/services/sqs/queue.h"
#include "terrarium/store/store.h"

namespace terrarium::sqs {

class Changes {
 public:
  explicit Changes(base::Timestamp now) : now_(now) {}

  // A new message at the queue's end; gives its sequence number.
  std::uint64_t add(const QueuePtr& queue, const IndexRecord& index, const MessageRecord& message);
  // Received, or its visibility changed.
  void update(const QueuePtr& queue, std::uint64_t sequence, const IndexRecord& index);
  void erase(const QueuePtr& queue, std::uint64_t sequence, const IndexRecord& index);
  // For other records that come and go with the messages.
  store::Batch& batch() { return batch_; }

  bool empty() const { return effects_.empty() && batch_.empty(); }
  base::Result<void> write(store::Store& store);
  // That it touches.
  std::vector<QueuePtr> queues() const;

 private:
  enum class What : std::uint8_t { Add, Update, Erase };
  struct Effect {
    What what;
    std::size_t queue;  // in queues_
    std::uint64_t sequence;
    IndexRecord index;
    std::string group;
    std::string stored;
  };
  struct Part {
    QueuePtr queue;
    Tally tally;
    bool counted = false;
  };
  std::size_t part_of(const QueuePtr& queue);

  base::Timestamp now_;
  store::Batch batch_;
  std::vector<Part> parts_;
  std::vector<Effect> effects_;
};

}  // namespace terrarium::sqs
