#include "lib/runtime/runtime.h"

#include <boost/asio/executor_work_guard.hpp>
#include <exception>
#include <future>

#include "lib/base/check.h"

namespace runtime {
namespace {

// One thread runs each context; the hint lets Asio skip its thread-to-thread wake-ups.
constexpr int kOneThread = 1;

}  // namespace

Runtime::Runtime() = default;

Runtime::Runtime(std::size_t io_threads, std::size_t blocking_threads) {
  CHECK(io_threads > 0, "connections need a thread");
  for (std::size_t i = 0; i < io_threads; ++i) {
    io_.push_back(std::make_unique<asio::io_context>(kOneThread));
  }
  control_owned_ = std::make_unique<asio::io_context>(kOneThread);
  control_ = control_owned_.get();
  blocking_ = std::make_unique<BlockingPool>(blocking_threads);
}

std::unique_ptr<Runtime> Runtime::manual() {
  std::unique_ptr<Runtime> made(new Runtime);
  made->io_.push_back(std::make_unique<asio::io_context>(kOneThread));
  made->control_ = made->io_.front().get();
  made->blocking_ = std::make_unique<BlockingPool>(0);
  return made;
}

Runtime::~Runtime() {
  stop();
  // Destroying a context destroys suspended coroutines, which may still name the others: pools and
  // work guards go first, contexts last.
  work_.clear();
  blocking_.reset();
}

void Runtime::start() {
  CHECK(threads_.empty() && control_owned_ != nullptr, "start() once, and not on a manual runtime");
  const auto run = [this](asio::io_context& context) {
    work_.emplace_back(context.get_executor());
    threads_.emplace_back([&context] { context.run(); });
  };
  for (const auto& context : io_) run(*context);
  run(*control_);
}

void Runtime::stop() {
  for (const auto& context : io_) context->stop();
  control_->stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::size_t Runtime::run_until_idle() {
  CHECK(control_owned_ == nullptr, "only a manual runtime is driven by its caller");
  io_.front()->restart();
  return io_.front()->poll();
}

void block_on(Task<void> task) {
  asio::io_context context(kOneThread);
  asio::co_spawn(context, std::move(task), [](const std::exception_ptr& failure) {
    CHECK(failure == nullptr, "our tasks throw nothing");
  });
  context.run();
}

void run_and_wait(Executor executor, Task<void> task) {
  std::promise<void> done;
  asio::co_spawn(executor, std::move(task), [&done](const std::exception_ptr& failure) {
    CHECK(failure == nullptr, "our tasks throw nothing");
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace runtime
