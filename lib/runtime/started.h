// A call that runs on the blocking pool while its caller does something else: BlockingPool::start()
// gives one. Belongs to the caller's executor; may die before the call has ended.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "lib/runtime/task.h"

namespace runtime {

template <class Value>
class Started {
 public:
  // What the pool's side and the caller's share; touched on the caller's executor only.
  struct State {
    explicit State(Executor executor) : done(executor, Timer::time_point::max()) {}
    void finish(Value result) {
      value.emplace(std::move(result));
      done.cancel();
    }
    using Timer =
        asio::basic_waitable_timer<std::chrono::steady_clock,
                                   asio::wait_traits<std::chrono::steady_clock>, Executor>;
    std::optional<Value> value;
    Timer done;
  };

  explicit Started(std::shared_ptr<State> state) : state_(std::move(state)) {}

  // Once.
  Task<Value> wait() {
    const std::shared_ptr<State> state = state_;
    while (!state->value) co_await state->done.async_wait(asio::as_tuple(use_task));
    co_return std::move(*state->value);
  }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace runtime
