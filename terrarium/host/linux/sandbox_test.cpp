// With real processes. Needs no root; as root more is checked.
#include "terrarium/host/linux/sandbox.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "lib/runtime/event.h"

namespace terrarium::host {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

struct Story {
  std::string output;
  std::optional<runtime::ExitStatus> status;
};

// Starts, reads to the end, waits, closes.
runtime::Task<void> run_whole(Sandbox& sandbox, SandboxSpec spec, base::Clock& clock,
                              Story& story) {
  auto process = sandbox.start(std::move(spec));
  EXPECT_TRUE(process.has_value()) << base::describe(process.error());
  if (!process) co_return;
  for (;;) {
    const std::string piece = co_await (*process)->read_output();
    if (piece.empty()) break;
    story.output += piece;
  }
  story.status = co_await (*process)->wait_until(clock.now() + 10s);
  co_await (*process)->close();
}

// Starts, reads the first output, closes while the program still runs.
runtime::Task<void> run_and_close(Sandbox& sandbox, SandboxSpec spec, base::Clock& clock,
                                  Story& story) {
  auto process = sandbox.start(std::move(spec));
  EXPECT_TRUE(process.has_value()) << base::describe(process.error());
  if (!process) co_return;
  story.output = co_await (*process)->read_output();
  story.status = co_await (*process)->wait_until(clock.now());
  co_await (*process)->close();
}

runtime::Task<void> pause_briefly(base::Clock& clock) {
  co_await runtime::sleep_until(clock, clock.now() + 10ms);
}

// A zombie, which waits to be reaped by whoever adopted it, does not run.
bool is_running(const std::string& stat_file) {
  std::ifstream stat(stat_file);
  std::string text;
  std::getline(stat, text);
  const std::size_t state = text.rfind(") ");
  return state != std::string::npos && text[state + 2] != 'Z';
}

class LinuxSandbox : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "sandbox-test-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    fs::create_directory(folder_ / "code");
    fs::permissions(folder_ / "code", fs::perms(0755));
    runtime_.start();
    open();
  }
  void TearDown() override {
    runtime_.stop();
    sandbox_.reset();
    fs::remove_all(folder_);
  }
  void open() {
    auto sandbox = open_linux_sandbox(runtime_, clock_, {.folder = folder_});
    if (!sandbox) GTEST_SKIP() << sandbox.error().message;
    sandbox_ = *std::move(sandbox);
  }
  SandboxSpec script(const std::string& text) {
    std::ofstream(folder_ / "code" / "program") << "#!/bin/sh\n" << text;
    fs::permissions(folder_ / "code" / "program", fs::perms(0755));
    return {.name = "a" + std::to_string(++names_),
            .code = folder_ / "code",
            .program = "program",
            .env = {{"PATH", "/usr/bin:/bin"}, {"SET", "yes"}},
            .memory_bytes_max = 128 << 20,
            .scratch_bytes_max = 1 << 20};
  }
  Story run(const std::string& text) {
    Story story;
    runtime::run_and_wait(runtime_.control(), run_whole(*sandbox_, script(text), clock_, story));
    return story;
  }

  base::SystemClock clock_;
  runtime::Runtime runtime_{1, 1};
  fs::path folder_;
  std::unique_ptr<Sandbox> sandbox_;
  int names_ = 0;
};

TEST_F(LinuxSandbox, OutputAndExitStatusArrive) {
  const Story ended = run("echo out; echo err >&2; echo $SET $HOME; exit 5\n");
  EXPECT_EQ(ended.output, "out\nerr\nyes\n");
  ASSERT_TRUE(ended.status.has_value());
  EXPECT_EQ(ended.status->code, 5);
  EXPECT_TRUE(fs::is_empty(folder_ / "tmp"));
}

TEST_F(LinuxSandbox, AFileGrowsNoLargerThanItsLimit) {
  const Story ended = run("head -c 5000000 /dev/zero > ${TMPDIR:-/tmp}/large; echo $?\n");
  EXPECT_NE(ended.output, "0\n");
}

TEST_F(LinuxSandbox, ClosedItLeavesNoProcess) {
  Story story;
  runtime::run_and_wait(
      runtime_.control(),
      run_and_close(*sandbox_, script("sleep 1000 & echo $!; wait\n"), clock_, story));
  EXPECT_FALSE(story.status.has_value()) << "it was still running when it was closed";
  // Without a control group nobody waits for a killed process that is not the program itself.
  const std::string child = "/proc/" + std::to_string(std::stoi(story.output)) + "/stat";
  for (int i = 0; i < 500 && is_running(child); ++i) {
    runtime::run_and_wait(runtime_.control(), pause_briefly(clock_));
  }
  EXPECT_FALSE(is_running(child));
  EXPECT_TRUE(fs::is_empty(folder_ / "tmp"));
}

TEST_F(LinuxSandbox, WhatCannotRunIsAnError) {
  SandboxSpec spec = script("true\n");
  fs::permissions(folder_ / "code" / "program", fs::perms(0644));
  EXPECT_FALSE(sandbox_->start(spec).has_value());
  spec.program = "missing";
  EXPECT_FALSE(sandbox_->start(spec).has_value());
  EXPECT_TRUE(fs::is_empty(folder_ / "tmp"));
}

TEST_F(LinuxSandbox, RootsSandboxesSeeLittleAndChangeNothing) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const Story seen =
      run("id -u; pwd; ls /var; ls /tmp | wc -l; touch /var/task/x 2>/dev/null || echo sealed\n"
          "touch /tmp/mine && echo own; grep -c NoNewPrivs:.1 /proc/self/status\n");
  EXPECT_TRUE(std::stoul(seen.output) >= 65'534) << seen.output;
  EXPECT_EQ(seen.output.substr(seen.output.find('\n')),
            "\n/var/task\nempty\nlock\nrun\nruntime\ntask\ntmp\n0\nsealed\nown\n1\n");
  EXPECT_FALSE(fs::exists("/tmp/mine"));
  EXPECT_FALSE(fs::exists("/var/task/program"));
}

TEST_F(LinuxSandbox, LayersAndRuntimesAreSeenReadOnlyAndNothingElseIs) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(run("ls /opt /var/runtime | grep -v :\n").output, "\n");
  SandboxSpec spec = script(
      "cat /opt/of-a-layer /var/runtime/of-a-runtime\n"
      "touch /opt/x 2>/dev/null || echo sealed\n");
  for (const char* const name : {"layer", "runtime"}) {
    fs::create_directory(folder_ / name);
    std::ofstream(folder_ / name / (std::string("of-a-") + name)) << name << "\n";
  }
  spec.opt = folder_ / "layer";
  spec.runtime = folder_ / "runtime";
  spec.arguments = {"/bin/sh", "/var/task/program"};
  Story seen;
  runtime::run_and_wait(runtime_.control(), run_whole(*sandbox_, std::move(spec), clock_, seen));
  EXPECT_EQ(seen.output, "layer\nruntime\nsealed\n");
}

TEST_F(LinuxSandbox, WhatAnEarlierDaemonLeftIsRemoved) {
  fs::create_directories(folder_ / "tmp" / "left" / "behind");
  sandbox_.reset();
  open();
  EXPECT_TRUE(fs::is_empty(folder_ / "tmp"));
}

}  // namespace
}  // namespace terrarium::host
