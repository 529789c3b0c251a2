#include "lib/http/server.h"

#include <algorithm>

#include "lib/base/check.h"
#include "lib/base/encoding.h"
#include "lib/http/connection.h"
#include "lib/http/scanner.h"
#include "lib/http/tls.h"
#include "lib/http/worker.h"

namespace http {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// Timeouts are this late at most, and at least this many times finer than the shortest.
constexpr base::Duration kSweepMax = 1s;
constexpr base::Duration kSweepMin = 5ms;
constexpr int kSweepsPerTimeout = 4;

base::Duration sweep_interval(const ServerLimits& limits) {
  const base::Duration shortest =
      std::min({limits.head_timeout, limits.idle_timeout, limits.body_timeout});
  return std::clamp(shortest / kSweepsPerTimeout, kSweepMin, kSweepMax);
}

// One timer for all connections of an executor: a timer for each operation of each would cost more
// than the requests.
runtime::Task<void> sweep(std::shared_ptr<Core> core, Worker& worker) {
  const base::Duration interval = sweep_interval(core->options.limits);
  while (!worker.sweeper.stopping()) {
    co_await runtime::sleep_until(core->clock, core->clock.now() + interval);
    const base::Timestamp now = core->clock.now();
    for (Connection* connection : worker.open) connection->expire(now);
  }
}

runtime::Task<void> stop_accepting(std::shared_ptr<Core> core, Worker& worker) {
  if (std::exchange(worker.refusing, true)) co_return;
  co_await worker.acceptors.stop();
}

runtime::Task<void> begin_drain(std::shared_ptr<Core> core, Worker& worker) {
  for (Connection* connection : worker.open) connection->drain();
  co_return;
}

runtime::Task<void> end_drain(std::shared_ptr<Core> core, Worker& worker,
                              base::Timestamp deadline) {
  if (worker.stopping) {
    while (!worker.has_stopped) co_await worker.stopped.wait_until(core->clock.now() + 1h);
    co_return;
  }
  worker.stopping = true;
  while (!worker.open.empty() && core->clock.now() < deadline) {
    co_await worker.emptied.wait_until(deadline);
  }
  for (Connection* connection : worker.open) connection->abort();
  co_await worker.connections.stop();
  co_await worker.sweeper.stop();
  worker.has_stopped = true;
  worker.stopped.notify_all();
}

class AsioServer final : public Server {
 public:
  explicit AsioServer(std::shared_ptr<Core> core) : core_(std::move(core)) {}

  base::Result<std::uint16_t> listen(Listen listen) override {
    std::shared_ptr<TlsContext> tls;
    if (listen.tls) {
      TRY(tls, TlsContext::server(*listen.tls));
    }
    if (core_->draining.load()) {
      return base::fail(base::ErrorKind::Unavailable, "The server is shutting down.");
    }
    TRY(Listener listener, open_listener(listen));
    Worker& worker = *core_->workers.front();
    const std::uint16_t port = listener.port;
    asio::post(worker.executor, [core = core_, &worker, fd = std::move(listener.fd), tls,
                                 inherited = listen.inherited_fd >= 0]() mutable {
      worker.acceptors.spawn("accept", accept_all(core, std::move(fd), tls, inherited));
    });
    return port;
  }

  runtime::Task<void> drain(base::Timestamp deadline) override {
    const std::shared_ptr<Core> core = core_;
    core->draining.store(true);
    Worker& first = *core->workers.front();
    co_await runtime::run_on(first.executor, stop_accepting(core, first));
    for (const auto& worker : core->workers) {
      co_await runtime::run_on(worker->executor, begin_drain(core, *worker));
    }
    for (const auto& worker : core->workers) {
      co_await runtime::run_on(worker->executor, end_drain(core, *worker, deadline));
    }
  }

  std::size_t connections() const override {
    return core_->connections.load(std::memory_order_relaxed);
  }

 private:
  std::shared_ptr<Core> core_;
};

}  // namespace

std::string_view Worker::fixed_lines(base::Timestamp now, const std::string& server_name) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (second != fixed_second_) {
    fixed_second_ = second;
    fixed_ = "Date: " + base::http_date(now) + "\r\n";
    if (!server_name.empty()) fixed_ += "Server: " + server_name + "\r\n";
  }
  return fixed_;
}

base::Result<std::unique_ptr<Server>> Server::open(runtime::Runtime& runtime, base::Clock& clock,
                                                   ServerOptions options, Handler handler) {
  if (!handler) return base::fail(base::ErrorKind::Internal, "A server needs a handler.");
  if (!is_field_value(options.server_name)) {
    return base::fail(base::ErrorKind::InvalidInput, "The server's name holds control characters.");
  }
  auto core = std::make_shared<Core>(runtime, clock, std::move(options), std::move(handler));
  for (std::size_t i = 0; i < runtime.io_count(); ++i) {
    core->workers.push_back(std::make_unique<Worker>(runtime.io(i), clock));
    Worker& worker = *core->workers.back();
    asio::post(worker.executor,
               [core, &worker] { worker.sweeper.spawn("sweep", sweep(core, worker)); });
  }
  return std::make_unique<AsioServer>(std::move(core));
}

}  // namespace http
