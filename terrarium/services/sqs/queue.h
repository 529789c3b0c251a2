// A queue in memory. Tasks that wait hold it by shared_ptr: it may be deleted meanwhile. Used on
// the service's executor only.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/runtime/event.h"
#include "terrarium/services/sqs/attributes.h"
#include "terrarium/services/sqs/message_order.h"
#include "terrarium/services/sqs/move_task.h"
#include "terrarium/services/sqs/records.h"
#include "terrarium/services/sqs/standard_order.h"

namespace terrarium::sqs {

// What a receive with a ReceiveRequestAttemptId gave out: asked for again, it gives the same.
struct Attempt {
  struct Given {
    std::uint64_t sequence = 0;
    IndexRecord index;
  };
  base::Timestamp made;
  std::vector<Given> given;
};

struct Queue {
  Queue(QueueRecord made, Settings read, std::string name_as_arn, base::Clock& clock,
        StoredBudget& budget);

  bool fifo() const { return record.fifo(); }
  std::size_t hidden() const { return order->in_flight_count() + order->delayed_count(); }
  std::size_t visible() const {
    return tally.messages > hidden() ? static_cast<std::size_t>(tally.messages) - hidden() : 0;
  }

  // The task that moves messages away now, if one does.
  const MoveTask* moving() const {
    const bool any = !moves.empty() && moves.front().status == MoveStatus::Running;
    return any ? &moves.front() : nullptr;
  }

  QueueRecord record;
  Settings settings;
  std::string arn;
  std::unique_ptr<MessageOrder> order;
  Tally tally;
  runtime::Event arrived;  // a message turned visible, or the queue is gone
  runtime::Event watched;  // the same, for those who only look
  bool waking = false;     // one that waits has been told and looks next
  bool deleted = false;
  bool has_moved = false;  // may hold messages that a redrive policy moved here
  // Wakes whoever waits when the next hidden message turns visible.
  std::optional<base::TimerId> timer;
  base::Timestamp timer_at;
  std::map<std::string, Attempt> attempts;                            // FIFO
  std::deque<std::pair<base::Timestamp, std::string>> attempt_times;  // the oldest first
  std::uint64_t deduplication_from = 0;  // buckets before this one are gone
  std::deque<MoveTask> moves;            // the newest first
};
using QueuePtr = std::shared_ptr<Queue>;

}  // namespace terrarium::sqs
