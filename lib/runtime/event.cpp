#include "lib/runtime/event.h"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/this_coro.hpp>
#include <mutex>
#include <optional>

namespace runtime {

// The clock's thread, the owner's thread and cancellation may all want to finish a wait: the first
// takes `resume` under the lock, the others find it empty.
struct Event::Waiter {
  std::mutex mutex;
  std::function<void()> resume;
  bool notified = false;
  base::TimerId timer = 0;

  void finish(bool by_notify) {
    std::function<void()> taken;
    {
      const std::lock_guard lock(mutex);
      if (!resume) return;
      notified = by_notify;
      taken.swap(resume);
    }
    taken();
  }
};

Event::Event(base::Clock& clock) : clock_(clock) {}

Event::~Event() { notify_all(); }

void Event::notify_all() {
  for (const auto& waiter : waiters_) waiter->finish(true);
}

void Event::notify_one() {
  for (const auto& waiter : waiters_) {
    {
      const std::lock_guard lock(waiter->mutex);
      if (!waiter->resume) continue;
    }
    waiter->finish(true);
    return;
  }
}

namespace {

// Suspends until waiter->finish(); the handler is posted to `own`, never called in place.
template <class Waiter>
Task<void> suspend(std::shared_ptr<Waiter> waiter, base::Clock& clock, base::Timestamp deadline) {
  const Executor own = co_await asio::this_coro::executor;
  co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
      [own, waiter, &clock, deadline](auto handler) {
        auto slot = asio::get_associated_cancellation_slot(handler);
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        {
          const std::lock_guard lock(waiter->mutex);
          // All of it moves on with the post: once the task runs, its loop may be gone before the
          // clock's thread is back here.
          waiter->resume = [own, shared = std::move(shared),
                            guard = asio::make_work_guard(own)]() mutable {
            asio::post(own, [shared = std::move(shared), guard = std::move(guard)]() mutable {
              guard.reset();
              std::move (*shared)();
            });
          };
        }
        if (slot.is_connected()) {
          slot.assign([waiter](asio::cancellation_type) { waiter->finish(false); });
        }
        waiter->timer = clock.call_at(deadline, [waiter] { waiter->finish(false); });
      },
      use_task);
  clock.cancel(waiter->timer);
}

}  // namespace

Task<bool> Event::wait_until(base::Timestamp deadline) {
  // A task that was cancelled before waits for nothing any more.
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) co_return false;
  const auto waiter = std::make_shared<Waiter>();
  waiters_.push_back(waiter);
  const auto place = std::prev(waiters_.end());
  co_await suspend(waiter, clock_, deadline);
  waiters_.erase(place);
  co_return waiter->notified;
}

Task<void> sleep_until(base::Clock& clock, base::Timestamp when) {
  Event never(clock);
  co_await never.wait_until(when);
}

}  // namespace runtime
