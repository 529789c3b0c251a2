#include "terrarium/services/sqs/queue.h"

#include "terrarium/services/sqs/fifo_order.h"

namespace terrarium::sqs {

Queue::Queue(QueueRecord made, Settings read, std::string name_as_arn, base::Clock& clock,
             StoredBudget& budget)
    : record(std::move(made)),
      settings(std::move(read)),
      arn(std::move(name_as_arn)),
      arrived(clock),
      watched(clock) {
  if (record.fifo()) {
    order = std::make_unique<FifoOrder>();
  } else {
    order = std::make_unique<StandardOrder>(budget);
  }
  order->set_delay(settings.delay, clock.now());
}

}  // namespace terrarium::sqs
