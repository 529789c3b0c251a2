#include "terrarium/store/group_sync.h"

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include "lib/base/log.h"

namespace terrarium::store {

GroupSync::GroupSync(std::function<base::Result<void>()> sync, std::function<void()> on_failure)
    : sync_(std::move(sync)), on_failure_(std::move(on_failure)), thread_([this] { run(); }) {}

GroupSync::~GroupSync() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

std::size_t GroupSync::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiters_.size();
}

base::Result<void> GroupSync::outcome() const {
  if (!failed()) return {};
  return base::fail(base::ErrorKind::Internal, "The region's storage failed.");
}

runtime::Task<base::Result<void>> GroupSync::wait() {
  if (failed() ||
      synced_.load(std::memory_order_acquire) >= written_.load(std::memory_order_acquire)) {
    co_return outcome();
  }
  const runtime::Executor own = co_await runtime::this_executor();
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<runtime::Executor>,
                                       void()>(
      [this, own](auto handler) {
        {
          const std::lock_guard lock(mutex_);
          waiters_.push_back({own, [handler = std::move(handler),
                                    guard = boost::asio::make_work_guard(own)]() mutable {
                                std::move(handler)();
                              }});
        }
        changed_.notify_one();
      },
      runtime::use_task);
  co_return outcome();
}

void GroupSync::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiters_.empty(); });
    if (waiters_.empty()) return;
    std::vector<Waiter> waiters = std::exchange(waiters_, {});
    lock.unlock();
    // Read before the sync begins: what is written during it is not covered by it.
    const std::uint64_t covered = written_.load(std::memory_order_acquire);
    if (!failed() && synced_.load(std::memory_order_relaxed) < covered) {
      if (const auto done = sync_(); done.has_value()) {
        synced_.store(covered, std::memory_order_release);
      } else {
        base::log::error("store", "a sync failed, no later change will be acknowledged: {}",
                         base::describe(done.error()));
        fail();
      }
    }
    resume_all(std::move(waiters));
    lock.lock();
  }
}

// One wake-up for each executor, not for each waiter: a thread with a hundred commits under way is
// woken once.
void GroupSync::resume_all(std::vector<Waiter> waiters) {
  struct Group {
    runtime::Executor executor;
    std::vector<Waiter> waiters;
  };
  std::vector<Group> groups;
  for (Waiter& waiter : waiters) {
    auto group = std::ranges::find(groups, waiter.executor, &Group::executor);
    if (group == groups.end()) {
      groups.push_back({waiter.executor, {}});
      group = std::prev(groups.end());
    }
    group->waiters.push_back(std::move(waiter));
  }
  for (Group& group : groups) {
    boost::asio::post(group.executor, [waiting = std::move(group.waiters)]() mutable {
      for (Waiter& waiter : waiting) waiter.resume();
    });
  }
}

}  // namespace terrarium::store
