// serve: the daemon itself.
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "lib/base/log.h"
#include "lib/http/server.h"
#include "lib/runtime/runtime.h"
#include "terrarium/cli/commands.h"
#include "terrarium/region/region.h"

namespace terrarium::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kIoThreadsMax = 4;
constexpr std::size_t kBlockingThreads = 8;
constexpr base::Duration kDrain = 5s;
constexpr int kStorageFailed = 3;

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

runtime::Task<void> start_region(region::Region& region, base::Result<void>& outcome) {
  outcome = co_await region.start();
}

runtime::Task<void> open_face(region::Region& region, http::Server& server,
                              base::Result<void>& outcome) {
  outcome = region.listen(server);
  co_return;
}

runtime::Task<void> stop_region(region::Region& region) { co_await region.stop(); }

int refuse(const base::Error& error) {
  base::log::error("daemon", "{}", base::describe(error));
  std::fprintf(stderr, "error: %s\n", error.message.c_str());
  return kCannotRun;
}

}  // namespace

int serve(const Options& options) {
  // Signals are read from a descriptor by this thread; every thread started later inherits the
  // mask.
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  // Functions and programs of other users read their code here; what is private is made so by name.
  ::umask(0022);
  raise_descriptor_limit();
  const char* const level = std::getenv("TERRARIUM_LOG");
  if (level != nullptr && std::string_view(level) == "debug") {
    base::log::set_level(base::log::Level::Debug);
  }

  base::SystemClock clock;
  base::SystemRandom random;
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  runtime::Runtime runtime(std::min(cores, kIoThreadsMax), kBlockingThreads);
  region::RegionConfig config;
  config.state = options.state;
  config.account = options.account;
  config.default_region = options.region;
  config.port = options.port;
  // `terrarium down` arrives on an io thread: it becomes the same signal that a terminal sends.
  config.stop = [] { ::kill(::getpid(), SIGTERM); };
  // As a crash: whoever waits for an acknowledgement must not get one, and the next daemon reads
  // what the disk has.
  config.storage_failed = [] { ::_exit(kStorageFailed); };
  auto opened = region::Region::open(std::move(config), runtime, clock, random);
  if (!opened) return refuse(opened.error());
  region::Region& region = **opened;

  auto server = http::Server::open(runtime, clock, http::ServerOptions{},
                                   [&region](auto& request) { return region.handle(request); });
  if (!server) return refuse(server.error());
  runtime.start();
  base::Result<void> started;
  runtime::run_and_wait(runtime.control(), start_region(region, started));
  if (!started) return refuse(started.error());
  runtime::run_and_wait(runtime.control(), open_face(region, **server, started));
  if (!started) {
    runtime::run_and_wait(runtime.control(), stop_region(region));
    runtime.stop();
    return refuse(started.error());
  }
  const auto listening = (*server)->listen({.address = "127.0.0.1", .port = options.port});
  if (!listening) {
    runtime::run_and_wait(runtime.control(), stop_region(region));
    runtime.stop();
    return refuse(listening.error());
  }
  base::log::info("daemon", "serving http://127.0.0.1:{}, state in {}", *listening,
                  options.state.string());

  int received = 0;
  ::sigwait(&signals, &received);
  base::log::info("daemon", "stopping");
  runtime::run_and_wait(runtime.control(), (*server)->drain(clock.now() + kDrain));
  runtime::run_and_wait(runtime.control(), stop_region(region));
  runtime.stop();
  return 0;
}

}  // namespace terrarium::cli
