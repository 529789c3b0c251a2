// The threads of a program: one io_context a core for connections, one "control" context whose
// single thread owns all control state (so that services need no locks), and a pool for calls that
// block. A manual runtime has one context for everything and no threads: tests drive it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "lib/runtime/blocking_pool.h"
#include "lib/runtime/task.h"

namespace runtime {

class Runtime {
 public:
  // io_threads > 0 connection threads, a control thread, and up to blocking_threads for blocking
  // calls. Nothing runs before start().
  Runtime(std::size_t io_threads, std::size_t blocking_threads);
  // Everything on the caller's thread, in run_until_idle(); blocking calls run in place.
  static std::unique_ptr<Runtime> manual();
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  std::size_t io_count() const { return io_.size(); }
  Executor io(std::size_t index) { return io_[index]->get_executor(); }
  Executor control() { return control_->get_executor(); }
  BlockingPool& blocking() { return *blocking_; }

  void start();
  // Ends the loops and joins. What still waits in them is destroyed with the Runtime.
  void stop();

  // Manual runtime: runs until nothing is runnable. Returns the number of handlers run.
  std::size_t run_until_idle();

 private:
  Runtime();

  std::vector<std::unique_ptr<asio::io_context>> io_;
  std::unique_ptr<asio::io_context> control_owned_;
  asio::io_context* control_ = nullptr;
  std::unique_ptr<BlockingPool> blocking_;
  std::vector<asio::executor_work_guard<Executor>> work_;
  std::vector<std::thread> threads_;
};

// Runs one task to its end on a fresh single-threaded loop: for main() and for tests.
void block_on(Task<void> task);

// Runs one task on `executor`, whose loop other threads drive, and blocks until it has ended.
void run_and_wait(Executor executor, Task<void> task);

}  // namespace runtime
