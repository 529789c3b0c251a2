// Waiting, on one executor: sleep_until() for time, Event for "something changed". All of it obeys
// the injected clock, and cancellation (TaskGroup::stop) ends every wait at once.
#pragma once

#include <functional>
#include <list>
#include <memory>

#include "lib/base/clock.h"
#include "lib/runtime/task.h"

namespace runtime {

// Returns at `when`, or earlier when the task is cancelled.
Task<void> sleep_until(base::Clock& clock, base::Timestamp when);

// Wakes tasks that wait for a change. Owned and used on one executor; the owner outlives waiters.
class Event {
 public:
  explicit Event(base::Clock& clock);
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Every task now waiting resumes (posted, so not before the caller yields).
  void notify_all();
  // The one that has waited longest; nothing when none waits.
  void notify_one();
  // True when notified, false when the deadline passed or the task was cancelled.
  Task<bool> wait_until(base::Timestamp deadline);
  std::size_t waiting() const { return waiters_.size(); }

 private:
  struct Waiter;
  base::Clock& clock_;
  std::list<std::shared_ptr<Waiter>> waiters_;
};

}  // namespace runtime
