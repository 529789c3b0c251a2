// up, keep, down: the daemon in the background, kept running, and its end.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "terrarium/cli/commands.h"
#include "terrarium/cli/control_client.h"
#include "terrarium/host/program.h"
#include "terrarium/region/compute.h"

namespace terrarium::cli {
namespace {

using namespace std::chrono_literals;

constexpr int kStartTenths = 200;  // up waits 20 s for the first answer
constexpr int kStopTenths = 600;   // down waits a minute: PostgreSQL may have much to flush
constexpr unsigned kPauseMaxMs = 5'000;

volatile sig_atomic_t g_stop_requested = 0;
volatile pid_t g_daemon = 0;

std::filesystem::path lock_file(const Options& options) {
  return options.state / "run" / "keeper.lock";
}

// The keeper's lock, held for its life; -1 when another keeper holds it.
int lock_keeper(const Options& options) {
  const int fd = ::open(lock_file(options).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

bool keeper_runs(const Options& options) {
  if (!std::filesystem::exists(lock_file(options))) return false;
  const int fd = lock_keeper(options);
  if (fd < 0) return true;
  ::close(fd);
  return false;
}

// What a keeper writes into its lock.
struct KeeperRecord {
  pid_t pid = 0;
  std::uint16_t port = 0;
};

KeeperRecord keeper_record(const Options& options) {
  std::ifstream file(lock_file(options));
  KeeperRecord record;
  file >> record.pid >> record.port;
  return record;
}

// A state folder is one region's, a port too: options that name two regions must end neither.
bool names_one_region(const Options& options) {
  const KeeperRecord record = keeper_record(options);
  if (!keeper_runs(options) || record.port == 0 || record.port == options.port) return true;
  std::fprintf(stderr,
               "error: the region in %s serves port %u, not %u: give its --port, or --state for "
               "another region\n",
               options.state.c_str(), record.port, options.port);
  return false;
}

bool prepare_state(const Options& options) {
  std::error_code failure;
  std::filesystem::create_directories(options.state / "run", failure);
  if (!failure) std::filesystem::create_directories(options.state / "logs", failure);
  if (failure) {
    std::fprintf(stderr, "error: cannot make the state folder %s: %s\n", options.state.c_str(),
                 failure.message().c_str());
    return false;
  }
  // Programs of other users (PostgreSQL, functions) pass through it; what is secret is 0600 inside.
  ::chmod(options.state.c_str(), 0755);
  return true;
}

std::vector<std::string> arguments(const Options& options, const std::string& command) {
  return {"/proc/self/exe", command,       "--port",    std::to_string(options.port),
          "--state",        options.state, "--account", options.account,
          "--region",       options.region};
}

[[noreturn]] void become(const std::vector<std::string>& words) {
  // The link is read now: after exec /proc/self/exe would name the new program in `ps`.
  char self[4096] = {};
  if (::readlink("/proc/self/exe", self, sizeof self - 1) < 0) ::_exit(127);
  std::vector<char*> argv;
  std::string own(self);
  argv.push_back(own.data());
  for (std::size_t i = 1; i < words.size(); ++i)
    argv.push_back(const_cast<char*>(words[i].c_str()));
  argv.push_back(nullptr);
  ::execv(self, argv.data());
  ::_exit(127);
}

void print_log_tail(const Options& options) {
  std::ifstream log(options.state / "logs" / "daemon.log");
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) {
    lines.push_back(line);
    if (lines.size() > 8) lines.erase(lines.begin());
  }
  for (const std::string& line : lines) std::fprintf(stderr, "  %s\n", line.c_str());
}

void start_keeper(const Options& options) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    const auto log = options.state / "logs" / "daemon.log";
    const int log_fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0640);
    const int null_fd = ::open("/dev/null", O_RDONLY);
    ::dup2(null_fd, 0);
    ::dup2(log_fd, 1);
    ::dup2(log_fd, 2);
    ::close_range(3, ~0U, 0);
    if (::chdir("/") != 0) ::_exit(127);
    become(arguments(options, "keep"));
  }
  ::waitpid(child, nullptr, 0);
}

pid_t start_daemon(const Options& options) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGTERM, SIG_DFL);
    ::signal(SIGINT, SIG_DFL);
    become(arguments(options, "serve"));
  }
  return child;
}

void pass_on(int) {
  g_stop_requested = 1;
  if (g_daemon > 0) ::kill(g_daemon, SIGTERM);
}

// Waits for `daemon`, reaping whatever else was orphaned to us meanwhile.
int wait_for(pid_t daemon) {
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended == daemon) return status;
    if (ended < 0 && errno == ECHILD) return 0;
  }
}

}  // namespace

std::filesystem::path default_state_folder() {
  if (::geteuid() == 0) return "/var/lib/terrarium";
  const char* const home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : "/tmp") / ".local/state/terrarium";
}

int keep(const Options& options) {
  if (!prepare_state(options)) return 1;
  const int lock = lock_keeper(options);
  if (lock < 0) {
    std::fprintf(stderr, "error: %s is in use by another terrarium\n", options.state.c_str());
    return 1;
  }
  if (::ftruncate(lock, 0) != 0 || ::dprintf(lock, "%d %u\n", ::getpid(), options.port) < 0) {
    return 1;
  }
  // Programs whose daemon died belong to init otherwise, and a container's init may not reap.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  struct sigaction action{};
  action.sa_handler = pass_on;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);

  unsigned pause_ms = 50;
  bool has_run = false;
  for (;;) {
    const std::time_t began = std::time(nullptr);
    g_daemon = start_daemon(options);
    const int status = wait_for(g_daemon);
    g_daemon = 0;
    const bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (clean || g_stop_requested) return 0;
    // One that never ran won't by being asked again. One that did may be held up by what will pass:
    // a connection of somebody's that uses its port, a full disk.
    const bool cannot_run = WIFEXITED(status) && WEXITSTATUS(status) == kCannotRun;
    if (cannot_run && !has_run) return kCannotRun;
    has_run = true;
    if (std::time(nullptr) - began > 10) pause_ms = 50;
    std::fprintf(stderr, "keeper: the daemon ended (status %d); starting it again in %u ms\n",
                 status, pause_ms);
    ::usleep(pause_ms * 1000);
    pause_ms = std::min(pause_ms * 2, kPauseMaxMs);
  }
}

int up(const Options& options) {
  if (!prepare_state(options) || !names_one_region(options)) return 1;
  if (keeper_runs(options) && daemon_answers(options)) {
    std::printf("Terrarium runs already: http://127.0.0.1:%u\n", options.port);
    return 0;
  }
  if (!keeper_runs(options)) start_keeper(options);
  for (int tenth = 0; tenth < kStartTenths; ++tenth) {
    if (daemon_answers(options) && keeper_runs(options)) {
      std::printf("Terrarium is up: http://127.0.0.1:%u (state in %s)\n", options.port,
                  options.state.c_str());
      return 0;
    }
    ::usleep(tenth < 10 ? 10'000 : 100'000);
    if (tenth > 10 && !keeper_runs(options)) break;
  }
  std::fprintf(stderr, "error: the daemon did not come up; the end of its log:\n");
  print_log_tail(options);
  return 1;
}

namespace {

void end_what_is_left(const Options& options) {
  host::stop_recorded_programs(options.state);
  if (::geteuid() != 0 || !std::filesystem::exists(options.state / "machines")) return;
  base::log::set_level(base::log::Level::Warning);
  region::RegionConfig config;
  config.state = options.state;
  const auto ended = region::end_remains(config);
  if (!ended) std::fprintf(stderr, "error: %s\n", ended.error().message.c_str());
}

}  // namespace

int down(const Options& options) {
  if (!names_one_region(options)) return 1;
  const bool had_keeper = keeper_runs(options);
  const auto answer = call_control(options, "POST", "stop", boost::json::object(), 5s);
  if (!answer && had_keeper) {
    if (const pid_t pid = keeper_record(options).pid; pid > 0) ::kill(pid, SIGTERM);
  }
  if (!answer && !had_keeper) std::printf("No daemon runs on this state folder.\n");
  for (int tenth = 0; tenth < kStopTenths && keeper_runs(options); ++tenth) ::usleep(100'000);
  if (keeper_runs(options)) {
    std::fprintf(stderr, "error: the daemon does not end; its log is %s\n",
                 (options.state / "logs" / "daemon.log").c_str());
    return 1;
  }
  // What a killed daemon could not stop itself; one that answered is at it.
  if (!answer || had_keeper) end_what_is_left(options);
  if (had_keeper) std::printf("Terrarium is down. State stays in %s.\n", options.state.c_str());
  return 0;
}

}  // namespace terrarium::cli
