// Threads for calls that block (files, RocksDB scans, waiting for a child). A pool of no threads
// runs the call in place: what a manual runtime does. The queue is bounded by its callers: each
// waits for its own call.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/thread_pool.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "lib/runtime/started.h"
#include "lib/runtime/task.h"

namespace runtime {

class BlockingPool {
 public:
  explicit BlockingPool(std::size_t threads) {
    if (threads > 0) pool_ = std::make_unique<asio::thread_pool>(threads);
  }
  ~BlockingPool() {
    if (pool_) pool_->join();
  }
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  // Starts `function` on a pool thread for a caller on `own`, and returns at once. It owns whatever
  // it refers to: its caller may be gone before it ends. Its result is not void.
  template <class Function>
  Started<std::invoke_result_t<Function&>> start(Executor own, Function function) {
    using Value = std::invoke_result_t<Function&>;
    auto state = std::make_shared<typename Started<Value>::State>(own);
    if (!pool_) {
      state->finish(function());
      return Started<Value>(std::move(state));
    }
    asio::post(*pool_, [own, state, function = std::move(function),
                        guard = asio::make_work_guard(own)]() mutable {
      auto value = std::make_shared<Value>(function());
      asio::post(own, [state = std::move(state), value] { state->finish(std::move(*value)); });
    });
    return Started<Value>(std::move(state));
  }

  // Runs `function` on a pool thread and gives its result on the caller's executor. What
  // `function` refers to must outlive the call: the caller's frame does.
  template <class Function>
  Task<std::invoke_result_t<Function&>> run(Function function) {
    using Value = std::invoke_result_t<Function&>;
    if (!pool_) co_return function();
    if constexpr (std::is_void_v<Value>) {
      co_await on_pool(function);
    } else {
      std::optional<Value> value;
      auto store = [&value, &function] { value.emplace(function()); };
      co_await on_pool(store);
      co_return std::move(*value);
    }
  }

 private:
  template <class Work>
  Task<void> on_pool(Work& work) {
    const Executor own = co_await asio::this_coro::executor;
    co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
        [this, own, &work](auto handler) {
          asio::post(*pool_, [own, &work, handler = std::move(handler),
                              guard = asio::make_work_guard(own)]() mutable {
            work();
            asio::post(own, [handler = std::move(handler)]() mutable { handler(); });
          });
        },
        use_task);
  }

  std::unique_ptr<asio::thread_pool> pool_;
};

}  // namespace runtime
