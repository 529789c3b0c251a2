// How long machines take: start to SSH and to HTTP from user data, stop, remove, many at once, and
// what an idle one holds. As root; prints a line a figure:  machine_bench [one by one] [at once]
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/detached.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "lib/base/random.h"
#include "lib/runtime/event.h"
#include "terrarium/host/linux/machine.h"

namespace terrarium::host {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr base::Duration kPatience = 60s;
constexpr base::Duration kIdle = 3s;

double milliseconds(base::Duration time) { return static_cast<double>(time.count()) / 1'000; }

void print(const char* what, std::vector<double> values, const char* unit) {
  std::ranges::sort(values);
  const auto at = [&values](std::size_t percent) {
    return values[std::min(values.size() - 1, values.size() * percent / 100)];
  };
  std::printf("%-32s p50 %8.1f %s  min %8.1f  p99 %8.1f  (%zu)\n", what, at(50), unit, values[0],
              at(99), values.size());
  std::fflush(stdout);
}

class Bench {
 public:
  explicit Bench(fs::path folder) : folder_(std::move(folder)) {}
  bool open();
  void one_by_one(int count);
  void all_at_once(int count);
  void close();

 private:
  MachineSpec spec(const std::string& name) const;
  base::Result<void> run(runtime::Task<base::Result<void>> call);
  base::Duration until_answer(std::uint16_t port, const char* request, base::Timestamp since);
  void enter_namespace() const;

  base::SystemClock clock_;
  base::SystemRandom random_;
  runtime::Runtime runtime_{1, 8};
  fs::path folder_;
  std::string namespace_ = "bench" + std::to_string(::getpid());
  std::unique_ptr<Machines> machines_;
};

runtime::Task<void> keep(runtime::Task<base::Result<void>> call, base::Result<void>& result) {
  result = co_await std::move(call);
}

runtime::Task<void> pause(base::Clock& clock, base::Duration time) {
  co_await runtime::sleep_until(clock, clock.now() + time);
}

runtime::Task<void> count_running(const Machines& machines, base::Clock& clock,
                                  std::size_t& running) {
  co_await runtime::sleep_until(clock, clock.now() + 5ms);
  running = static_cast<std::size_t>(
      std::ranges::count(machines.list().value(), MachineState::Running, &MachineStatus::state));
}

base::Result<void> Bench::run(runtime::Task<base::Result<void>> call) {
  base::Result<void> result;
  runtime::run_and_wait(runtime_.control(), keep(std::move(call), result));
  if (!result) std::printf("failed: %s\n", base::describe(result.error()).c_str());
  return result;
}

bool Bench::open() {
  const std::string make =
      "ip netns add " + namespace_ + " && ip -n " + namespace_ + " link set lo up";
  if (std::system(make.c_str()) != 0) return false;
  runtime_.start();
  auto opened = open_linux_machines(runtime_, clock_, random_, {.state = folder_});
  if (!opened || !(*opened)->description()) return false;
  machines_ = *std::move(opened);
  return true;
}

// Of this thread only: the program's others stay where they are.
void Bench::enter_namespace() const {
  const int fd = ::open(("/run/netns/" + namespace_).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || ::setns(fd, CLONE_NEWNET) != 0) std::abort();
  ::close(fd);
}

MachineSpec Bench::spec(const std::string& name) const {
  MachineSpec made;
  made.name = name;
  made.hostname = name;
  made.boot = BootSpec{.user_data = "#!/bin/sh\nexec busybox httpd -f -p 8080 -h /etc/ssh\n"};
  return made;
}

base::Duration Bench::until_answer(std::uint16_t port, const char* request, base::Timestamp since) {
  while (clock_.now() - since < kPatience) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    char byte = 0;
    const bool answered =
        ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
        ::write(fd, request, std::char_traits<char>::length(request)) >= 0 &&
        ::read(fd, &byte, 1) == 1;
    ::close(fd);
    if (answered) return clock_.now() - since;
    ::usleep(1'000);
  }
  return kPatience;
}

void Bench::one_by_one(int count) {
  std::vector<double> started, ssh, http, stopped, removed;
  enter_namespace();
  for (int i = 0; i < 2 * count + 1; ++i) {
    MachineSpec made = spec("i-" + std::to_string(i));
    made.network_namespace = "/run/netns/" + namespace_;
    const base::Timestamp begin = clock_.now();
    if (!run(machines_->start(made))) return;
    const base::Timestamp running = clock_.now();
    // One of the two a run: who waits for both measures the slower.
    const bool by_ssh = i % 2 == 1;
    const auto answered = by_ssh ? until_answer(22, "", begin)
                                 : until_answer(8080, "GET /sshd_config HTTP/1.0\r\n\r\n", begin);
    const base::Timestamp before_stop = clock_.now();
    if (!run(machines_->stop(made.name, 10s))) return;
    const base::Timestamp before_remove = clock_.now();
    if (!run(machines_->remove(made.name))) return;
    // The first makes the base image.
    if (i == 0) continue;
    started.push_back(milliseconds(running - begin));
    (by_ssh ? ssh : http).push_back(milliseconds(answered));
    stopped.push_back(milliseconds(before_remove - before_stop));
    removed.push_back(milliseconds(clock_.now() - before_remove));
  }
  print("start() returns", started, "ms");
  print("start to SSH's banner", ssh, "ms");
  print("start to HTTP from user data", http, "ms");
  print("stop()", stopped, "ms");
  print("remove()", removed, "ms");
}

void Bench::all_at_once(int count) {
  std::vector<base::Result<void>> results(static_cast<std::size_t>(count));
  const base::Timestamp begin = clock_.now();
  for (int i = 0; i < count; ++i) {
    runtime::asio::co_spawn(runtime_.control(),
                            keep(machines_->start(spec("m-" + std::to_string(i))),
                                 results[static_cast<std::size_t>(i)]),
                            runtime::asio::detached);
  }
  std::size_t running = 0;
  while (running < results.size() && clock_.now() - begin < kPatience) {
    runtime::run_and_wait(runtime_.control(), count_running(*machines_, clock_, running));
  }
  std::printf("%d at once: %zu run after %.0f ms\n", count, running,
              milliseconds(clock_.now() - begin));
  runtime::run_and_wait(runtime_.control(), pause(clock_, kIdle));
  std::vector<double> memory, processes;
  for (int i = 0; i < count; ++i) {
    const auto usage = machines_->usage("m-" + std::to_string(i));
    if (!usage) continue;
    memory.push_back(static_cast<double>(usage->memory_bytes) / (1 << 20));
    processes.push_back(usage->processes);
  }
  print("idle machine's memory", memory, "MiB");
  print("its processes", processes, "   ");
  const base::Timestamp end = clock_.now();
  run(machines_->remove_all());
  std::printf("all removed after %.0f ms\n", milliseconds(clock_.now() - end));
}

void Bench::close() {
  if (machines_) run(machines_->remove_all());
  runtime_.stop();
  machines_.reset();
  if (std::system(("ip netns del " + namespace_).c_str()) != 0) std::puts("namespace left");
}

}  // namespace
}  // namespace terrarium::host

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::clamp(std::atoi(argv[1]), 1, 1'000) : 20;
  const int many = argc > 2 ? std::clamp(std::atoi(argv[2]), 1, 200) : 50;
  std::string pattern = "/tmp/machine-bench-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  {
    terrarium::host::Bench bench(folder);
    if (!bench.open()) {
      std::puts("machines cannot run here");
      return 1;
    }
    bench.one_by_one(count);
    bench.all_at_once(many);
    bench.close();
  }
  std::filesystem::remove_all(folder);
  return 0;
}
