#include "terrarium/host/program.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "lib/runtime/event.h"
#include "lib/runtime/runtime.h"

namespace terrarium::host {
namespace {

using runtime::Task;
using namespace std::chrono_literals;

class ProgramKeeperTest : public testing::Test {
 protected:
  ProgramKeeperTest() {
    char name[] = "/tmp/program-keeper-test-XXXXXX";
    folder_ = ::mkdtemp(name);
    runtime_.start();
    keeper_.emplace(runtime_.control(), clock_, folder_);
  }
  ~ProgramKeeperTest() override {
    if (keeper_) runtime::run_and_wait(runtime_.control(), keeper_->stop_all());
    runtime_.stop();
    std::filesystem::remove_all(folder_);
  }

  static ProgramSpec sleeper(std::string seconds) {
    ProgramSpec spec;
    spec.name = "sleeper";
    spec.argv = {"/bin/sleep", std::move(seconds)};
    return spec;
  }

  Task<void> start_into(ProgramSpec spec, base::Result<void>& outcome) {
    outcome = co_await keeper_->start(std::move(spec));
  }
  base::Result<void> start(ProgramSpec spec) {
    base::Result<void> outcome;
    runtime::run_and_wait(runtime_.control(), start_into(std::move(spec), outcome));
    return outcome;
  }

  Task<void> wait_into(int not_pid, int& pid) {
    const base::Timestamp deadline = clock_.now() + 10s;
    while (clock_.now() < deadline) {
      const auto all = keeper_->status();
      pid = all.empty() ? 0 : all[0].pid;
      if (pid != 0 && pid != not_pid) co_return;
      co_await runtime::sleep_until(clock_, clock_.now() + 5ms);
    }
    pid = 0;
  }
  // The pid of the running program, once it is another than `not_pid`; 0 after ten seconds.
  int running_pid(int not_pid = 0) {
    int pid = 0;
    runtime::run_and_wait(runtime_.control(), wait_into(not_pid, pid));
    return pid;
  }

  base::SystemClock clock_;
  runtime::Runtime runtime_{1, 1};
  std::filesystem::path folder_;
  std::optional<ProgramKeeper> keeper_;
};

TEST_F(ProgramKeeperTest, AKilledProgramIsStartedAgain) {
  ASSERT_TRUE(start(sleeper("1000")).has_value());
  const int first = running_pid();
  ASSERT_GT(first, 0);
  ::kill(first, SIGKILL);
  const int second = running_pid(first);
  EXPECT_GT(second, 0);
  EXPECT_FALSE(process_start_ticks(first).has_value());
}

TEST_F(ProgramKeeperTest, StartingTheSameAgainChangesNothingAndAnotherReplacesIt) {
  ASSERT_TRUE(start(sleeper("1000")).has_value());
  const int first = running_pid();
  ASSERT_TRUE(start(sleeper("1000")).has_value());
  EXPECT_EQ(running_pid(), first);
  ASSERT_TRUE(start(sleeper("2000")).has_value());
  EXPECT_GT(running_pid(first), 0);
  EXPECT_FALSE(process_start_ticks(first).has_value());
}

TEST_F(ProgramKeeperTest, StoppingEndsTheProcessAndForgetsIt) {
  ASSERT_TRUE(start(sleeper("1000")).has_value());
  const int pid = running_pid();
  runtime::run_and_wait(runtime_.control(), keeper_->stop("sleeper"));
  EXPECT_FALSE(process_start_ticks(pid).has_value());
  EXPECT_TRUE(keeper_->status().empty());
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "run"));
}

TEST_F(ProgramKeeperTest, WhatACrashedDaemonLeftIsAdoptedNotStartedTwice) {
  const pid_t orphan = ::fork();
  if (orphan == 0) {
    ::setsid();
    ::execl("/bin/sleep", "sleep", "1000", nullptr);
    ::_exit(127);
  }
  // What the daemon before wrote; the fingerprint is taken from a run of the same spec.
  ASSERT_TRUE(start(sleeper("1000")).has_value());
  const int first = running_pid();
  std::string record;
  {
    std::ifstream file(folder_ / "run" / "sleeper.json");
    std::getline(file, record);
  }
  runtime::run_and_wait(runtime_.control(), keeper_->stop_all());
  keeper_.reset();
  const auto replace = [&record](const std::string& from, const std::string& to) {
    record.replace(record.find(from), from.size(), to);
  };
  replace("\"pid\":" + std::to_string(first), "\"pid\":" + std::to_string(orphan));
  const std::size_t ticks = record.find("\"start_ticks\":") + 14;
  record.replace(ticks, record.find(',', ticks) - ticks,
                 std::to_string(process_start_ticks(orphan).value_or(0)));
  std::ofstream(folder_ / "run" / "sleeper.json") << record << '\n';

  keeper_.emplace(runtime_.control(), clock_, folder_);
  ASSERT_TRUE(start(sleeper("1000")).has_value());
  EXPECT_EQ(running_pid(), orphan);
  ::kill(orphan, SIGKILL);
  ::waitpid(orphan, nullptr, 0);
  EXPECT_GT(running_pid(orphan), 0);
}

TEST_F(ProgramKeeperTest, WhatCannotRunIsRefusedByName) {
  ProgramSpec spec = sleeper("1");
  spec.argv = {"/no/such/program"};
  const auto outcome = start(spec);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_NE(outcome.error().message.find("sleeper"), std::string::npos);
  spec = sleeper("1");
  spec.name = "../escape";
  EXPECT_FALSE(start(spec).has_value());
}

}  // namespace
}  // namespace terrarium::host
