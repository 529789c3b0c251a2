// TaskGroup: the only way to start a task that nobody awaits. It owns what it spawned: stop()
// cancels, waits for the last to end, and refuses new ones. Used on one executor.
//
// Cancellation ends the wait under way and every later Event wait at once; it throws nothing. A
// task that loops looks at stopping().
#pragma once

#include <boost/asio/cancellation_signal.hpp>

#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "lib/runtime/task.h"

namespace runtime {

class TaskGroup {
 public:
  explicit TaskGroup(Executor executor);
  ~TaskGroup();  // nothing may still run: stop() first
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts `task` (posted). An exception that escapes it ends the process: a task reports failure
  // by Result. After stop() the task is destroyed unstarted.
  void spawn(std::string_view name, Task<void> task);
  // Cancels every task and waits until none is left. Idempotent.
  Task<void> stop();
  bool stopping() const;
  std::size_t size() const;

 private:
  struct State;
  Executor executor_;
  std::shared_ptr<State> state_;
};

}  // namespace runtime
