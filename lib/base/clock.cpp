#include "lib/base/clock.h"

#include <algorithm>

#include "lib/base/check.h"

namespace base {

SystemClock::SystemClock() : thread_([this] { run(); }) {}

SystemClock::~SystemClock() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

Timestamp SystemClock::now() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

TimerId SystemClock::call_at(Timestamp when, std::function<void()> wake) {
  const auto at = std::chrono::steady_clock::now() + (when - now());
  bool first = false;
  TimerId id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = next_++;
    const auto [place, inserted] = timers_.emplace(std::pair(at, id), std::move(wake));
    CHECK(inserted, "timer ids are unique");
    when_.emplace(id, at);
    first = place == timers_.begin();
  }
  if (first) changed_.notify_one();
  return id;
}

bool SystemClock::cancel(TimerId id) {
  const std::lock_guard lock(mutex_);
  const auto found = when_.find(id);
  if (found == when_.end()) return false;
  timers_.erase({found->second, id});
  when_.erase(found);
  return true;
}

void SystemClock::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (timers_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto first = timers_.begin();
    const auto [at, id] = first->first;
    if (std::chrono::steady_clock::now() < at) {
      changed_.wait_until(lock, at);
      continue;
    }
    auto wake = std::move(first->second);
    timers_.erase(first);
    when_.erase(id);
    lock.unlock();
    wake();
    wake = nullptr;
    lock.lock();
  }
}

ManualClock::ManualClock(Timestamp start) : now_(start) {}

Timestamp ManualClock::now() const { return now_; }

TimerId ManualClock::call_at(Timestamp when, std::function<void()> wake) {
  const TimerId id = next_++;
  timers_.emplace(std::pair(when, id), std::move(wake));
  return id;
}

bool ManualClock::cancel(TimerId id) {
  const auto found = std::find_if(timers_.begin(), timers_.end(),
                                  [id](const auto& timer) { return timer.first.second == id; });
  if (found == timers_.end()) return false;
  timers_.erase(found);
  return true;
}

void ManualClock::advance_to(Timestamp when, const std::function<void()>& settle) {
  CHECK(when >= now_, "time does not run backwards");
  settle();
  while (!timers_.empty() && timers_.begin()->first.first <= when) {
    const auto first = timers_.begin();
    now_ = std::max(now_, first->first.first);
    const auto wake = std::move(first->second);
    timers_.erase(first);
    wake();
    settle();
  }
  now_ = when;
}

}  // namespace base
