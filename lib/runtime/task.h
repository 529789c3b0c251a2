// Task<T>: the coroutine type of the project, bound to the concrete executor of one io_context (the
// type-erased executor costs a tenth of a small request). A coroutine lives on one thread; run_on()
// is how it reaches another.
//
// Rules (docs/coroutines.md): named functions, by-value parameters, long-lived services by
// reference, no capturing lambda coroutines, spawn only through TaskGroup.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace runtime {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;

template <class T>
using Task = asio::awaitable<T, Executor>;

// Completion token for Asio operations inside a Task.
inline constexpr asio::use_awaitable_t<Executor> use_task;

// The executor that the running coroutine belongs to.
inline auto this_executor() { return asio::this_coro::executor; }

// A cancelled wait says so by its result; Asio's default would have the task's next co_await throw.
template <class T>
Task<T> without_throwing(Task<T> task) {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_return co_await std::move(task);
}

// Runs `task` on `target`'s thread and resumes the caller on its own. T is default constructible.
template <class T>
Task<T> run_on(Executor target, Task<T> task) {
  const Executor own = co_await asio::this_coro::executor;
  if (own == target) co_return co_await std::move(task);
  co_return co_await asio::co_spawn(target, without_throwing(std::move(task)), use_task);
}

}  // namespace runtime
