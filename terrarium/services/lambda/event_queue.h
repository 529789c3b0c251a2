// Asynchronous invocations: on disk from the moment they are accepted until they are done or given
// up. Tried again after one and after two more minutes, as AWS does; nothing is older than six
// hours. Waits for room instead of throttling. Control executor.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "lib/base/random.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/lambda/fleet.h"
#include "terrarium/services/lambda/records.h"
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
    runtime::TaskGroup& tasks;
  };
  explicit EventQueue(Parts parts) : parts_(parts) {}

  // Takes up what an earlier daemon had accepted.
  base::Result<void> load();
  // Before environments are ended: what fails from now on is not the function's fault.
  void stop() { stopping_ = true; }
  // Durable when it returns. Throttled: the function has too many.
  runtime::Task<base::Result<void>> accept(std::string region, std::string function,
                                           QueuedEvent event);
  // The function was deleted: `batch` erases its events.
  void forget(store::Batch& batch, const std::string& region, const std::string& function);

 private:
  using Name = std::pair<std::string, std::string>;  // {region, function}
  // The events of one function.
  struct Lane : std::enable_shared_from_this<Lane> {
    explicit Lane(base::Clock& clock) : changed(clock) {}
    std::multimap<base::Timestamp, std::string> due;  // -> key
    std::size_t events = 0;                           // due, and being run
    runtime::Event changed;
    bool dispatching = false;
    bool acquiring = false;  // one at a time: who waits for an environment may start one
    bool forgotten = false;
  };

  std::shared_ptr<Lane> lane(const Name& name);
  void dispatch_soon(const Name& name, const std::shared_ptr<Lane>& lane);
  runtime::Task<void> dispatch(Name name, std::shared_ptr<Lane> lane);
  runtime::Task<void> run(Name name, std::shared_ptr<Lane> lane, std::string key);
  runtime::Task<bool> try_once(Name name, std::shared_ptr<Lane> lane, QueuedEvent event);
  runtime::Task<void> finish(std::shared_ptr<Lane> lane, std::string key);
  void retry(const Name& name, Lane& lane, std::string key, QueuedEvent event);

  Parts parts_;
  std::map<Name, std::shared_ptr<Lane>> lanes_;
  bool stopping_ = false;
};

}  // namespace terrarium::lambda
