// Events on their way to queues and functions. An event is written in the batch of the change that
// it tells of and erased once its destination has taken it: delivered at least once, kill -9 or
// not.
//
// Each destination has its own order and its own backoff: a queue that is gone or that refuses us
// holds nobody else up, and its events are dropped a day after they happened.
// Control executor only.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/lambda/api.h"
#include "terrarium/services/s3/records.h"
#include "terrarium/services/sqs/api.h"
#include "terrarium/store/store.h"

namespace terrarium::s3 {

class Outbox {
 public:
  // All outlive the outbox.
  Outbox(store::Store& store, base::Clock& clock, runtime::Executor control, sqs::Api& queues,
         std::string account);
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // Where events for functions go; without it they wait. Before start().
  void connect(lambda::Api& functions) { functions_ = &functions; }
  // Takes up what the store still holds.
  void start();
  runtime::Task<void> stop();

  // An event for this destination has been written.
  void wake(const std::string& destination_arn);
  // The highest sequence number of an event that waits.
  std::uint64_t last_sequence() const;

 private:
  struct Destination;
  struct Attempt;

  runtime::Task<void> deliver(std::string arn);
  // One round: up to kEventsInFlightMax events at a time until none is left (true) or some could
  // not be sent (false).
  runtime::Task<bool> deliver_waiting(const std::string& arn);
  runtime::Task<void> send(std::string arn, std::string key, EventRecord event,
                           std::shared_ptr<Attempt> attempt);
  runtime::Task<base::Result<void>> hand_over(std::string arn, std::string bucket,
                                              std::string body);

  store::Store& store_;
  base::Clock& clock_;
  sqs::Api& queues_;
  lambda::Api* functions_ = nullptr;
  const std::string account_;
  runtime::TaskGroup tasks_;
  std::map<std::string, std::unique_ptr<Destination>> destinations_;
};

}  // namespace terrarium::s3
