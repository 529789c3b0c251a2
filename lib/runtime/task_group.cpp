#include "lib/runtime/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>

#include "lib/base/check.h"

namespace runtime {

struct TaskGroup::State {
  struct Running {
    std::string name;
    asio::cancellation_signal cancel;
  };
  std::list<Running> running;
  bool stopping = false;
  std::function<void()> when_empty;
};

namespace {

// Asio's default is to throw at the first co_await after cancellation. Ours end their waits early
// and let the task see it: clean-up code may await.
Task<void> without_throwing(Task<void> task) {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await std::move(task);
}

}  // namespace

TaskGroup::TaskGroup(Executor executor) : executor_(executor), state_(std::make_shared<State>()) {}

TaskGroup::~TaskGroup() { state_->stopping = true; }

void TaskGroup::spawn(std::string_view name, Task<void> task) {
  if (state_->stopping) return;
  state_->running.emplace_back();
  const auto place = std::prev(state_->running.end());
  place->name = name;
  asio::co_spawn(
      executor_, without_throwing(std::move(task)),
      asio::bind_cancellation_slot(place->cancel.slot(),
                                   [state = state_, place](const std::exception_ptr& failure) {
                                     CHECK(failure == nullptr, "our tasks throw nothing");
                                     state->running.erase(place);
                                     if (state->running.empty() && state->when_empty) {
                                       std::exchange(state->when_empty, nullptr)();
                                     }
                                   }));
}

Task<void> TaskGroup::stop() {
  state_->stopping = true;
  // A cancelled task may end at once and erase itself: step before emitting.
  for (auto at = state_->running.begin(); at != state_->running.end();) {
    auto& running = *at++;
    running.cancel.emit(asio::cancellation_type::all);
  }
  if (state_->running.empty()) co_return;
  const Executor own = co_await asio::this_coro::executor;
  co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
      [this, own](auto handler) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        state_->when_empty = [own, shared] {
          asio::post(own, [shared] { std::move (*shared)(); });
        };
      },
      use_task);
}

bool TaskGroup::stopping() const { return state_->stopping; }

std::size_t TaskGroup::size() const { return state_->running.size(); }

}  // namespace runtime
