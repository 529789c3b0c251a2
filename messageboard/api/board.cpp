#include "messageboard/api/board.h"

#include <unistd.h>

#include <array>

#include "lib/aws/instance_metadata.h"
#include "lib/base/log.h"
#include "messageboard/api/picture_store.h"

namespace messageboard {
namespace {

using namespace std::chrono_literals;
using runtime::Task;

constexpr std::size_t kUploadBytesMax = std::size_t{256} * 1024 * 1024;
constexpr base::Duration kDrainTime = 20s;

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

// "http://127.0.0.1:4566" of "http://127.0.0.1:4566/bucket/key".
std::string picture_origin(const Config& config) {
  const std::string url = picture_url(config, config.processed_bucket, "picture");
  return url.substr(0, url.find('/', url.find("//") + 2));
}

std::vector<std::unique_ptr<Worker>> make_workers(runtime::Runtime& runtime, Shared& shared) {
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::size_t i = 0; i < runtime.io_count(); ++i) {
    workers.push_back(std::make_unique<Worker>(runtime.io(i), shared));
  }
  return workers;
}

}  // namespace

Board::Board(runtime::Runtime& runtime, base::Clock& clock, base::Random& random, Config config)
    : runtime_(runtime),
      shared_{.clock = clock,
              .random = random,
              .config = std::move(config),
              .instance_id = InstanceId(host_name()),
              .uploads = UploadBudget(kUploadBytesMax)},
      all_workers_(make_workers(runtime, shared_)),
      sweeper_(*all_workers_.front()),
      tasks_(all_workers_.front()->executor),
      app_(workers_, picture_origin(shared_.config)) {
  for (const auto& worker : all_workers_) workers_.add(*worker);
  shared_.sweeper = &sweeper_;
}

Board::~Board() = default;

base::Result<std::uint16_t> Board::start() {
  // Bodies are bounded by who reads them, so that 413 is answered in JSON like everything else.
  TRY(server_, http::Server::open(runtime_, shared_.clock, {},
                                  [this](http::Request& request) { return app_.handle(request); }));
  TRY(const std::uint16_t port,
      server_->listen(
          {.address = shared_.config.address, .port = shared_.config.port, .tls = std::nullopt}));
  for (const auto& worker : all_workers_) worker->database.start();
  sweeper_.start();
  tasks_.spawn("instance id", learn_instance_id());
  return port;
}

// The load balancer's test answers who served it. Outside EC2 that is the host's name.
Task<void> Board::learn_instance_id() {
  co_await runtime::asio::this_coro::throw_if_cancelled(false);
  aws::InstanceMetadata metadata(*all_workers_.front()->http, shared_.clock);
  const auto id = co_await metadata.instance_id();
  if (id) shared_.instance_id.set(*id);
  if (!tasks_.stopping()) {
    base::log::info("board", "answering as {}", shared_.instance_id.get());
  }
}

Task<void> Board::stop() {
  co_await server_->drain(shared_.clock.now() + kDrainTime);
  const runtime::Executor first = all_workers_.front()->executor;
  co_await runtime::run_on(first, tasks_.stop());
  co_await runtime::run_on(first, sweeper_.stop());
  for (const auto& worker : all_workers_) {
    co_await runtime::run_on(worker->executor, worker->database.stop());
  }
}

}  // namespace messageboard
