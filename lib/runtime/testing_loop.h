// For tests: calls on a manual runtime and clock, begun, settled and answered by the test's own
// thread. What services' testing regions are made of.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/runtime.h"
#include "lib/runtime/task_group.h"

namespace runtime {

// An answer that may not be there yet.
template <class T>
struct Pending {
  std::optional<base::Result<T>> answer;
};

template <class T>
Task<void> keep_answer(Task<base::Result<T>> call, std::shared_ptr<Pending<T>> out) {
  out->answer.emplace(co_await std::move(call));
}

class TestingLoop {
 public:
  // Runs what can run now.
  void run() { advance({}); }
  void advance(base::Duration by) {
    clock.advance_to(clock.now() + by, [this] { runtime->run_until_idle(); });
  }
  void run(Task<void> task) {
    group.spawn("task", std::move(task));
    run();
  }
  // Starts a call and runs what can run now.
  template <class T>
  std::shared_ptr<Pending<T>> begin(Task<base::Result<T>> call) {
    auto out = std::make_shared<Pending<T>>();
    run(keep_answer(std::move(call), out));
    return out;
  }
  // A call that must be answered at once.
  template <class T>
  base::Result<T> ask(Task<base::Result<T>> call) {
    const auto pending = begin(std::move(call));
    if (pending->answer.has_value()) return *std::move(pending->answer);
    ADD_FAILURE() << "the call still waits";
    return base::fail(base::ErrorKind::Timeout, "the call still waits");
  }

  std::unique_ptr<Runtime> runtime = Runtime::manual();
  base::ManualClock clock;
  TaskGroup group{runtime->control()};
};

}  // namespace runtime
