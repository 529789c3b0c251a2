// Asynchronous invocations: on disk from the moment they are accepted until they have succeeded or
// were given up, and their outcome is where it should go. Tried again as AWS does: what the
// function failed after one and after two more minutes, what found no room as soon as there is
// some; how often and for how long is the function's InvokeConfigRecord. Control executor.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "lib/base/random.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/lambda/fleet.h"
#include "terrarium/services/lambda/invoke_configs.h"
#include "terrarium/services/lambda/outcome_record.h"
#include "terrarium/services/lambda/records.h"
#include "terrarium/services/lambda/scaling.h"
#include "terrarium/store/store.h"

namespace terrarium::lambda {

class EventQueue {
 public:
  // All outlive it.
  struct Parts {
    store::Store& store;
    base::Clock& clock;
    base::Random& random;
    Fleet& fleet;
    const Catalog& catalog;
    const InvokeConfigs& configs;
    sqs::Api& queues;
    runtime::TaskGroup& tasks;
    FleetLimits limits;
    std::string account;
  };
  explicit EventQueue(Parts parts) : parts_(std::move(parts)) {}

  // Takes up what an earlier daemon had accepted.
  base::Result<void> load();
  // Before environments are ended: what fails from now on is not the function's fault.
  void stop() { stopping_ = true; }
  // Durable when it returns. Throttled: the function has too many.
  runtime::Task<base::Result<void>> accept(std::string region, std::string function,
                                           QueuedEvent event);
  // The function was deleted: `batch` erases its events.
  void forget(store::Batch& batch, const std::string& region, const std::string& function);
  // Events of a function that were accepted and are not done.
  std::size_t waiting(const std::string& region, const std::string& function) const;

 private:
  using Name = std::pair<std::string, std::string>;  // {region, function}
  // The events of one function.
  struct Lane : std::enable_shared_from_this<Lane> {
    Lane(base::Clock& clock, std::size_t eager) : changed(clock), scaling(eager) {}
    std::multimap<base::Timestamp, std::string> due;  // -> key
    std::size_t events = 0;                           // due, and being run
    std::size_t running = 0;
    std::size_t acquiring = 0;  // of them, those that have no environment yet
    runtime::Event changed;
    Scaling scaling;
    bool dispatching = false;
    bool forgotten = false;
  };
  using LanePtr = std::shared_ptr<Lane>;
  // What came of one try.
  struct Try {
    std::optional<Outcome> outcome;
    std::string executed_version;
    std::string dead_letter_arn;
    std::optional<Ending> refused;  // it is not tried at all
  };

  LanePtr lane(const Name& name);
  void dispatch_soon(const Name& name, const LanePtr& lane);
  runtime::Task<void> dispatch(Name name, LanePtr lane);
  runtime::Task<void> wait_for_turn(LanePtr lane);
  runtime::Task<void> run(Name name, LanePtr lane, std::string key);
  runtime::Task<void> handle(Name name, LanePtr lane, std::string key, QueuedEvent event);
  runtime::Task<Try> try_once(Name name, LanePtr lane, QueuedEvent event, base::Duration age_max);
  std::optional<Ending> refusal(const Name& name, const QueuedEvent& event) const;
  void retry(const Name& name, Lane& lane, std::string key, QueuedEvent event);
  runtime::Task<void> conclude(Name name, EndedEvent ended, Try last);
  runtime::Task<void> send(Name name, std::string target_arn, EndedEvent ended);
  runtime::Task<void> finish(LanePtr lane, std::string key);

  Parts parts_;
  std::map<Name, LanePtr> lanes_;
  bool stopping_ = false;
};

}  // namespace terrarium::lambda
