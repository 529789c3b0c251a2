// Time, injected. SystemClock and the timer thread behind it are the only readers of real clocks in
// the project (tools/tidy checks); ManualClock lets a whole region run on virtual time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace base {

using namespace std::chrono_literals;

// Wall-clock time, UTC. Fine enough for Lambda's durations, coarse enough for 300,000 years.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

using TimerId = std::uint64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
  // Calls `wake` once at or after `when`, from a thread that the clock chooses: `wake` must only
  // post to an executor. Any thread may call.
  virtual TimerId call_at(Timestamp when, std::function<void()> wake) = 0;
  // True when `wake` will not run any more and has not run.
  virtual bool cancel(TimerId id) = 0;
};

// Real time. Timers are kept on the monotonic clock: a step of the wall clock moves none of them.
class SystemClock final : public Clock {
 public:
  SystemClock();
  ~SystemClock() override;
  Timestamp now() const override;
  TimerId call_at(Timestamp when, std::function<void()> wake) override;
  bool cancel(TimerId id) override;

 private:
  using Monotonic = std::chrono::steady_clock::time_point;
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<Monotonic, TimerId>, std::function<void()>> timers_;
  std::map<TimerId, Monotonic> when_;
  TimerId next_ = 1;
  bool stopping_ = false;
  std::thread thread_;
};

// Virtual time, for tests. Time moves only in advance_to(); one thread owns the clock.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start = Timestamp(std::chrono::seconds(1'700'000'000)));
  Timestamp now() const override;
  TimerId call_at(Timestamp when, std::function<void()> wake) override;
  bool cancel(TimerId id) override;
  // Jumps from timer to timer up to `when`, calling `settle` (which runs whatever became runnable)
  // before the first jump and after each.
  void advance_to(Timestamp when, const std::function<void()>& settle);

 private:
  Timestamp now_;
  std::map<std::pair<Timestamp, TimerId>, std::function<void()>> timers_;
  TimerId next_ = 1;
};

}  // namespace base
