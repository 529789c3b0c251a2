#include "messageboard/api/database.h"

#include <algorithm>

#include "lib/base/log.h"

namespace messageboard {
namespace {

namespace asio = runtime::asio;
using runtime::Task;

constexpr base::Duration kFirstPause = std::chrono::milliseconds(50);
constexpr base::Duration kLongestPause = std::chrono::seconds(1);
constexpr base::Duration kWatchInterval = std::chrono::milliseconds(250);
constexpr base::Duration kLong = std::chrono::hours(1);

}  // namespace

Database::Database(runtime::Executor executor, base::Clock& clock, DatabaseAddress address,
                   DatabaseLimits limits)
    : executor_(executor),
      clock_(clock),
      address_(std::move(address)),
      limits_(limits),
      tasks_(executor),
      lost_(clock) {}

Database::~Database() = default;

void Database::start() {
  away_since_ = clock_.now();
  tasks_.spawn("database connection", keep_connected());
  tasks_.spawn("database watch", watch());
}

Task<void> Database::stop() {
  stopping_ = true;
  co_await tasks_.stop();
  if (pipeline_) {
    const std::shared_ptr<Pipeline> last = std::exchange(pipeline_, nullptr);
    for (Operation* operation : last->close()) refuse(*operation, "stopping");
  }
  while (!waiting_.empty()) {
    Operation* const operation = waiting_.front();
    waiting_.pop_front();
    refuse(*operation, "stopping");
  }
}

Task<base::Result<Rows>> Database::run(Statement statement, std::vector<std::string> parameters) {
  Operation operation{.statement = statement,
                      .parameters = std::move(parameters),
                      .deadline = {},
                      .result = {},
                      .resume = {}};
  co_await asio::async_initiate<const asio::use_awaitable_t<runtime::Executor>, void()>(
      [this, &operation](auto handler) {
        operation.resume = [handler = std::move(handler)]() mutable { std::move(handler)(); };
        submit(operation);
      },
      runtime::use_task);
  co_return std::move(operation.result);
}

void Database::submit(Operation& operation) {
  if (pipeline_ && waiting_.empty() && pipeline_->under_way() < limits_.under_way_max) {
    pipeline_->send(operation);
    return;
  }
  const base::Timestamp now = clock_.now();
  if (stopping_ || waiting_.size() >= limits_.waiting_max) {
    refuse(operation, "too many operations wait");
  } else if (!pipeline_ && now - away_since_ > limits_.patience) {
    refuse(operation, "the database is away");
  } else {
    operation.deadline = now + limits_.patience;
    waiting_.push_back(&operation);
  }
}

// Resumes on a later turn: callers may be in the middle of handing an operation over.
void Database::refuse(Operation& operation, std::string_view detail) {
  auto failure =
      base::fail(base::ErrorKind::Unavailable, "The database is not available, try again later");
  failure.error().detail = detail;
  operation.result = std::move(failure);
  asio::post(executor_, [&operation] { std::exchange(operation.resume, {})(); });
}

void Database::send_waiting() {
  while (pipeline_ && !waiting_.empty() && pipeline_->under_way() < limits_.under_way_max) {
    Operation* const operation = waiting_.front();
    waiting_.pop_front();
    pipeline_->send(*operation);
  }
}

void Database::done(Operation& operation) {
  // Moved out first: the operation lives in the coroutine that now goes on and may end.
  auto resume = std::exchange(operation.resume, {});
  resume();
  send_waiting();
}

void Database::broken(std::vector<Operation*> under_way, std::string why) {
  if (pipeline_) {
    base::log::warning("database", "connection lost: {}", why);
    pipeline_.reset();
    away_since_ = clock_.now();
    lost_.notify_all();
  }
  for (Operation* operation : under_way) {
    if (text_of(operation->statement).writes || stopping_) {
      refuse(*operation, "the connection broke before the commit was confirmed");
    } else {
      operation->alone = false;
      operation->deadline = clock_.now() + limits_.patience;
      waiting_.push_back(operation);
    }
  }
}

Task<void> Database::keep_connected() {
  co_await asio::this_coro::throw_if_cancelled(false);
  base::Duration pause = kFirstPause;
  bool reported = false;
  base::Timestamp connected_at;
  while (!stopping_) {
    if (pipeline_) {
      co_await lost_.wait_until(clock_.now() + kLong);
      // A connection that was good for a while is replaced at once, one that breaks at once is not.
      if (clock_.now() - connected_at > kLongestPause) pause = kFirstPause;
      if (!pipeline_ && pause > kFirstPause && !stopping_) {
        co_await runtime::sleep_until(clock_, clock_.now() + pause);
      }
      continue;
    }
    auto connection =
        co_await connect_to_database(clock_, address_, clock_.now() + limits_.connect_timeout);
    if (stopping_) co_return;
    if (connection) {
      base::log::info("database", "connected to {}:{}", address_.host, address_.port);
      pipeline_ = std::make_shared<Pipeline>(executor_, clock_, *std::move(connection), *this);
      pipeline_->start();
      connected_at = clock_.now();
      pause = std::min(pause * 2, kLongestPause);
      reported = false;
      send_waiting();
      continue;
    }
    if (!reported) {
      base::log::warning("database", "cannot connect, trying on: {}",
                         base::describe(connection.error()));
    }
    reported = true;
    co_await runtime::sleep_until(clock_, clock_.now() + pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

Task<void> Database::watch() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!stopping_) {
    co_await runtime::sleep_until(clock_, clock_.now() + kWatchInterval);
    const base::Timestamp now = clock_.now();
    // Not in order of deadline (reads come back after a break), so all are looked at.
    std::deque<Operation*> kept;
    for (Operation* operation : std::exchange(waiting_, {})) {
      if (operation->deadline <= now) {
        refuse(*operation, "waited too long");
      } else {
        kept.push_back(operation);
      }
    }
    waiting_ = std::move(kept);
    if (pipeline_ && now - pipeline_->oldest() > limits_.answer_timeout) {
      const std::shared_ptr<Pipeline> silent = pipeline_;
      silent->break_off("no answer in time");
    }
  }
}

}  // namespace messageboard
