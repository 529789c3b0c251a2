// Group commit: one sync for everybody who waits. Callers that come while a sync runs share the
// next one, so the number of syncs does not grow with the number of callers.
//
// A sync that fails is never tried again: after a failed fsync the kernel may have dropped the
// pages, and a later one that succeeds would say nothing about them. Every later wait fails too,
// and the daemon must restart from what is on disk.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "lib/base/result.h"
#include "lib/runtime/task.h"

namespace terrarium::store {

class GroupSync {
 public:
  // `sync` runs on this object's own thread. `on_failure` is called once, at the first failure, on
  // the thread that met it.
  explicit GroupSync(
      std::function<base::Result<void>()> sync, std::function<void()> on_failure = [] {});
  // Whoever still waits is answered first.
  ~GroupSync();
  GroupSync(const GroupSync&) = delete;
  GroupSync& operator=(const GroupSync&) = delete;

  // Call after each write, before its writer learns that it was written.
  void note_write() { written_.fetch_add(1, std::memory_order_release); }
  // Returns when a sync that began after every write noted so far has ended; at once when one has.
  // Resumes on the caller's executor.
  runtime::Task<base::Result<void>> wait();
  // Callers that the next sync will answer.
  std::size_t waiting() const;
  // Every later wait fails, as after a sync that failed.
  void fail() {
    if (!failed_.exchange(true, std::memory_order_acq_rel)) on_failure_();
  }
  bool failed() const { return failed_.load(std::memory_order_acquire); }

 private:
  struct Waiter {
    runtime::Executor executor;
    std::move_only_function<void()> resume;
  };
  void run();
  static void resume_all(std::vector<Waiter> waiters);
  base::Result<void> outcome() const;

  std::function<base::Result<void>()> sync_;
  std::function<void()> on_failure_;
  std::atomic<std::uint64_t> written_ = 0;
  std::atomic<std::uint64_t> synced_ = 0;
  std::atomic<bool> failed_ = false;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Waiter> waiters_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace terrarium::store
