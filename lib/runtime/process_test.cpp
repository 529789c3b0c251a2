#include "lib/runtime/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/detached.hpp>
#include <filesystem>
#include <fstream>

#include "lib/runtime/runtime.h"

// These tests start real processes of the base system and wait for them, never for time alone.
namespace runtime {
namespace {

using namespace std::chrono_literals;

constexpr auto kLong = 60s;

struct Pipe {
  std::array<int, 2> ends{};
  Pipe() { EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0); }
  ~Pipe() {
    ::close(ends[0]);
    close_writer();
  }
  void close_writer() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
  std::string read_all() {
    close_writer();
    std::string text;
    std::array<char, 4096> bytes{};
    ssize_t got = 0;
    while ((got = ::read(ends[0], bytes.data(), bytes.size())) > 0) {
      text.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return text;
  }
};

SpawnOptions shell(std::string script) {
  SpawnOptions options;
  options.argv = {"/bin/sh", "-c", std::move(script)};
  options.env = {{"PATH", "/usr/bin:/bin"}};
  return options;
}

Task<void> spawn_and_wait(SpawnOptions options, base::Clock& clock, base::Duration patience,
                          std::optional<ExitStatus>& exit) {
  const Executor executor = co_await this_executor();
  auto process = Process::spawn(executor, std::move(options));
  EXPECT_TRUE(process.has_value()) << base::describe(process.error());
  if (process) exit = co_await (*process)->wait_until(clock, clock.now() + patience);
}

std::optional<ExitStatus> run(SpawnOptions options) {
  base::SystemClock clock;
  std::optional<ExitStatus> exit;
  block_on(spawn_and_wait(std::move(options), clock, kLong, exit));
  return exit;
}

// What the script wrote.
std::string output_of(SpawnOptions options) {
  Pipe out;
  options.stdout_fd = out.ends[1];
  const auto exit = run(std::move(options));
  EXPECT_TRUE(exit && exit->code == 0 && exit->signal == 0);
  return out.read_all();
}

base::Error failure_of(SpawnOptions options) {
  const auto runtime = Runtime::manual();
  auto process = Process::spawn(runtime->control(), std::move(options));
  EXPECT_FALSE(process.has_value());
  return process ? base::Error{} : process.error();
}

TEST(Process, ReportsExitCode) {
  const auto exit = run(shell("exit 7"));
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->code, 7);
  EXPECT_EQ(exit->signal, 0);
}

TEST(Process, ReportsTheSignalThatEndedIt) {
  const auto exit = run(shell("kill -TERM $$"));
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->signal, SIGTERM);
}

TEST(Process, SeesItsArgumentsAndOnlyItsEnvironment) {
  SpawnOptions options;
  options.argv = {"/usr/bin/env"};
  options.env = {{"A", "1"}, {"B", "two words"}};
  EXPECT_EQ(output_of(std::move(options)), "A=1\nB=two words\n");
}

TEST(Process, RunsInItsWorkingDirectory) {
  SpawnOptions options = shell("pwd");
  options.working_directory = "/usr";
  EXPECT_EQ(output_of(std::move(options)), "/usr\n");
}

TEST(Process, HasExactlyTheFilesThatItWasGiven) {
  Pipe leaked;
  // Without O_CLOEXEC: still not the child's business.
  const int inheritable = ::dup(leaked.ends[0]);
  Pipe given;
  SpawnOptions options;
  options.argv = {"/bin/ls", "/proc/self/fd"};
  options.extra_fds = {{given.ends[0], 9}, {given.ends[1], 7}};
  const std::string files = output_of(std::move(options));
  ::close(inheritable);
  // 3 is ls reading the folder.
  EXPECT_EQ(files, "0\n1\n2\n3\n7\n9\n");
}

TEST(Process, FilesMayTradeNumbers) {
  Pipe first;
  Pipe second;
  SpawnOptions options = shell("echo first >&" + std::to_string(second.ends[1]) +
                               "; echo second >&" + std::to_string(first.ends[1]));
  options.extra_fds = {{first.ends[1], second.ends[1]}, {second.ends[1], first.ends[1]}};
  ASSERT_TRUE(run(std::move(options)).has_value());
  EXPECT_EQ(first.read_all(), "first\n");
  EXPECT_EQ(second.read_all(), "second\n");
}

TEST(Process, LeadsItsOwnSession) {
  EXPECT_EQ(output_of(shell("set -- $(cat /proc/self/stat); test $6 = $$ && echo own")), "own\n");
}

TEST(Process, StartsWithSignalsReset) {
  ::signal(SIGUSR1, SIG_IGN);
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const std::string text = output_of([] {
    SpawnOptions options;
    options.argv = {"/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"};
    return options;
  }());
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::signal(SIGUSR1, SIG_DFL);
  EXPECT_EQ(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(Process, CannotGainPrivileges) {
  EXPECT_EQ(output_of(shell("grep NoNewPrivs /proc/self/status")), "NoNewPrivs:\t1\n");
}

TEST(Process, ObeysItsLimits) {
  SpawnOptions options = shell("ulimit -n; ulimit -c");
  options.limits = {{RLIMIT_NOFILE, 64}, {RLIMIT_CORE, 0}};
  EXPECT_EQ(output_of(std::move(options)), "64\n0\n");
}

TEST(Process, DropsUserGroupAndSupplementaryGroups) {
  if (::getuid() != 0) GTEST_SKIP() << "needs root";
  SpawnOptions options = shell("grep -E '^(Uid|Gid|Groups|CapEff)' /proc/self/status");
  options.uid = 65534;
  options.gid = 65533;
  EXPECT_EQ(output_of(std::move(options)),
            "Uid:\t65534\t65534\t65534\t65534\nGid:\t65533\t65533\t65533\t65533\nGroups:\t \n"
            "CapEff:\t0000000000000000\n");
}

TEST(Process, WritesItselfIntoItsCgroups) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / ("procs-" + std::to_string(::getpid()));
  std::ofstream(file).close();
  SpawnOptions options = shell("true");
  options.cgroup_procs = {file.string()};
  ASSERT_TRUE(run(std::move(options)).has_value());
  std::string text;
  std::ifstream(file) >> text;
  std::filesystem::remove(file);
  EXPECT_EQ(text, "0");
}

TEST(Process, NamesTheStepThatFailed) {
  SpawnOptions missing;
  missing.argv = {"/no/such/program"};
  EXPECT_EQ(failure_of(missing).message, "starting '/no/such/program': exec");
  EXPECT_EQ(failure_of(missing).detail, "No such file or directory");
  SpawnOptions lost = shell("true");
  lost.working_directory = "/no/such/folder";
  EXPECT_EQ(failure_of(lost).message, "starting '/bin/sh': changing the directory");
  SpawnOptions ungrouped = shell("true");
  ungrouped.cgroup_procs = {"/no/such/cgroup.procs"};
  EXPECT_EQ(failure_of(ungrouped).message, "starting '/bin/sh': joining a cgroup");
}

TEST(Process, RefusesMalformedOptions) {
  EXPECT_EQ(failure_of({}).kind, base::ErrorKind::InvalidInput);
  SpawnOptions half = shell("true");
  half.uid = 1;
  EXPECT_EQ(failure_of(half).kind, base::ErrorKind::InvalidInput);
  SpawnOptions twice = shell("true");
  twice.extra_fds = {{0, 5}, {1, 5}};
  EXPECT_EQ(failure_of(twice).kind, base::ErrorKind::InvalidInput);
  SpawnOptions odd = shell("true");
  odd.env = {{"A=B", "c"}};
  EXPECT_EQ(failure_of(odd).kind, base::ErrorKind::InvalidInput);
}

TEST(Process, AFailedStartLeavesNoZombie) {
  SpawnOptions missing;
  missing.argv = {"/no/such/program"};
  EXPECT_EQ(failure_of(missing).kind, base::ErrorKind::Internal);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

Task<void> wait_twice(base::Clock& clock, std::vector<std::optional<ExitStatus>>& seen) {
  const Executor executor = co_await this_executor();
  Pipe input;
  SpawnOptions options = shell("read line; exit 3");
  options.stdin_fd = input.ends[0];
  const auto process = Process::spawn(executor, std::move(options));
  seen.push_back(co_await (*process)->wait_until(clock, clock.now()));
  seen.push_back((*process)->exited());
  input.close_writer();
  seen.push_back(co_await (*process)->wait_until(clock, clock.now() + kLong));
  seen.push_back(co_await (*process)->wait_until(clock, clock.now()));
}

TEST(Process, CanBeWaitedForAgainAfterADeadline) {
  base::SystemClock clock;
  std::vector<std::optional<ExitStatus>> seen;
  block_on(wait_twice(clock, seen));
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_FALSE(seen[0].has_value());
  EXPECT_FALSE(seen[1].has_value());
  ASSERT_TRUE(seen[2].has_value());
  EXPECT_EQ(seen[2]->code, 3);
  ASSERT_TRUE(seen[3].has_value());
  EXPECT_EQ(seen[3]->code, 3);
}

Task<void> kill_the_group(base::Clock& clock, Pipe& out, std::optional<ExitStatus>& exit) {
  const Executor executor = co_await this_executor();
  SpawnOptions options = shell("sleep 600 & echo started; wait");
  options.stdout_fd = out.ends[1];
  auto process = Process::spawn(executor, std::move(options));
  std::array<char, 8> started{};
  EXPECT_EQ(::read(out.ends[0], started.data(), started.size()), 8);
  (*process)->kill_group(SIGKILL);
  exit = co_await (*process)->wait_until(clock, clock.now() + kLong);
}

TEST(Process, KillingTheGroupReachesGrandchildren) {
  base::SystemClock clock;
  Pipe out;
  std::optional<ExitStatus> exit;
  block_on(kill_the_group(clock, out, exit));
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->signal, SIGKILL);
  // The pipe ends only when the grandchild, which holds it too, is gone.
  EXPECT_EQ(out.read_all(), "");
}

TEST(Process, IsKilledAndReapedWhenItsOwnerGoes) {
  const auto runtime = Runtime::manual();
  auto process = Process::spawn(runtime->control(), shell("sleep 600"));
  ASSERT_TRUE(process.has_value());
  const pid_t pid = (*process)->pid();
  EXPECT_EQ(::kill(pid, 0), 0);
  process->reset();
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(Process, DiesWithTheThreadThatStartedIt) {
  const auto runtime = Runtime::manual();
  base::SystemClock clock;
  Pipe out;
  base::Result<std::unique_ptr<Process>> process;
  std::thread([&] {
    SpawnOptions options = shell("exec sleep 600");
    options.die_with_parent = true;
    options.stdout_fd = out.ends[1];
    if (::getuid() == 0) {
      options.uid = 65534;
      options.gid = 65534;
    }
    process = Process::spawn(runtime->control(), std::move(options));
  }).join();
  ASSERT_TRUE(process.has_value());
  EXPECT_EQ(out.read_all(), "");
}

}  // namespace
}  // namespace runtime
