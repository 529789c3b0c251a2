// One event source mapping at work: receives from its queue while there is room to run, hands
// batches to the function, deletes what succeeded. Never idle while there are messages and room:
// the next batch is received as soon as the one before has got its environment.
//
// What a function failed stays in the queue until its visibility timeout ends. Control executor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/base/random.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/lambda/fleet.h"
#include "terrarium/services/lambda/records.h"
#include "terrarium/services/sqs/api.h"

namespace terrarium::lambda {

class Poller : public std::enable_shared_from_this<Poller> {
 public:
  // All outlive it.
  struct Parts {
    base::Clock& clock;
    base::Random& random;
    runtime::Executor executor;
    Fleet& fleet;
    sqs::Api& queues;
    runtime::TaskGroup& tasks;  // batches, and the end of pollers
  };
  Poller(Parts parts, std::string region, MappingRecord record);

  // Receives, when the mapping is enabled.
  void start();
  // Receives no more, from now on; batches under way go on.
  void stop();
  // The same, waited for.
  runtime::Task<void> stopped();

  const MappingRecord& record() const { return record_; }
  const std::string& last_result() const { return last_result_; }
  std::size_t batches() const { return batches_; }

 private:
  using Messages = std::vector<sqs::ReceivedMessage>;

  runtime::Task<void> receive_all(std::shared_ptr<Poller> self);
  runtime::Task<void> receive_once(std::shared_ptr<FunctionPool> pool);
  runtime::Task<void> wait_for_room(std::shared_ptr<FunctionPool> pool);
  runtime::Task<base::Result<Messages>> gather();
  runtime::Task<void> run_batch(std::shared_ptr<Poller> self, std::shared_ptr<FunctionPool> pool,
                                Messages messages);
  runtime::Task<void> settle(Messages messages, Outcome outcome);
  static runtime::Task<void> finish(std::shared_ptr<Poller> self);
  void problem(const std::string& what, const base::Error& error);

  Parts parts_;
  std::string region_;
  MappingRecord record_;
  runtime::TaskGroup receiving_;
  runtime::Event changed_;
  std::size_t batches_ = 0;  // under way
  bool acquiring_ = false;   // a batch waits for its environment
  base::Duration backoff_{};
  std::string last_result_ = "No records processed";
};

}  // namespace terrarium::lambda
