#include <fmt/core.h>

#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

#include "lib/aws/endpoint.h"
#include "lib/base/log.h"
#include "messageboard/api/board.h"

namespace {

std::optional<std::string> environment(std::string_view name) {
  const char* const value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

int serve(messageboard::Config config) {
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGTERM);
  sigaddset(&stop_signals, SIGINT);
  // Before the first thread starts: they all inherit it, and sigwait() below gets the signal.
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  base::SystemClock clock;
  base::SystemRandom random;
  runtime::Runtime threads(config.threads, 0);
  const std::string address = config.address;
  messageboard::Board board(threads, clock, random, std::move(config));
  const auto port = board.start();
  if (!port) {
    fmt::print(stderr, "error: {}\n", port.error().message);
    return 1;
  }
  threads.start();
  base::log::info("board", "listening on http://{}:{}", address, *port);
  int received = 0;
  sigwait(&stop_signals, &received);
  base::log::info("board", "stopping");
  runtime::block_on(board.stop());
  threads.stop();
  base::log::info("board", "stopped");
  return 0;
}

}  // namespace

int main(int count, char** values) {
  const std::vector<std::string_view> arguments(values + 1, values + count);
  for (const std::string_view argument : arguments) {
    if (argument == "--help" || argument == "-h") {
      fmt::print("{}", messageboard::usage());
      return 0;
    }
  }
  auto config =
      messageboard::read_config(arguments, environment, std::thread::hardware_concurrency());
  if (!config) {
    fmt::print(stderr, "{}\n{}", config.error(), messageboard::usage());
    return 2;
  }
  config->region = aws::default_region();
  return serve(*std::move(config));
}
