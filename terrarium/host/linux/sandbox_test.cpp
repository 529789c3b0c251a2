// With real processes. Needs no root; as root more is checked.
#include "terrarium/host/linux/sandbox.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

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

// Whether a process of this machine has `word` in its command line. A zombie, which waits to be
// reaped by whoever adopted it, has none.
bool is_running(const std::string& word) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    const std::string line{std::istreambuf_iterator<char>(file), {}};
    if (line.find(word) != std::string::npos) return true;
  }
  return false;
}

// A network namespace with nothing but a loopback interface, and a socket that listens in it.
class LonelyNetwork {
 public:
  explicit LonelyNetwork(fs::path file) : file_(std::move(file)) {
    std::ofstream(file_).close();
    // Namespaces belong to threads: this one's stays as it is.
    std::thread maker([this] {
      const std::string own = "/proc/self/task/" + std::to_string(::gettid()) + "/ns/net";
      if (::unshare(CLONE_NEWNET) != 0) return;
      const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      ifreq loopback{};
      loopback.ifr_name[0] = 'l';
      loopback.ifr_name[1] = 'o';
      loopback.ifr_flags = IFF_UP;
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(9001);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      mounted_ = ::mount(own.c_str(), file_.c_str(), nullptr, MS_BIND, nullptr) == 0;
      listens_ = ::ioctl(socket, SIOCSIFFLAGS, &loopback) == 0 &&
                 ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                 ::listen(socket, 8) == 0;
      socket_ = socket;
    });
    maker.join();
  }
  ~LonelyNetwork() {
    if (socket_ >= 0) ::close(socket_);
    if (mounted_) ::umount2(file_.c_str(), MNT_DETACH);
  }
  LonelyNetwork(const LonelyNetwork&) = delete;
  LonelyNetwork& operator=(const LonelyNetwork&) = delete;
  bool ready() const { return mounted_ && listens_; }
  const fs::path& file() const { return file_; }

 private:
  fs::path file_;
  bool mounted_ = false;
  bool listens_ = false;
  int socket_ = -1;
};

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
  const std::string seconds = "1000." + std::to_string(::getpid());
  // Only root has what ends a process that left its session too.
  const std::string child = ::geteuid() == 0 ? "setsid sleep " : "sleep ";
  runtime::run_and_wait(
      runtime_.control(),
      run_and_close(*sandbox_,
                    script("sleep " + seconds + " & " + child + seconds + " & echo on; wait\n"),
                    clock_, story));
  EXPECT_FALSE(story.status.has_value()) << "it was still running when it was closed";
  // Without a control group nobody waits for a killed process that is not the program itself.
  for (int i = 0; i < 500 && is_running(seconds); ++i) {
    runtime::run_and_wait(runtime_.control(), pause_briefly(clock_));
  }
  EXPECT_FALSE(is_running(seconds));
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
            "\n/var/task\nrun\nruntime\ntask\ntmp\n0\nsealed\nown\n1\n");
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

TEST_F(LinuxSandbox, NoOtherProcessIsSeen) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  // The shell's own words only: another program's process would be seen or not, as it happens.
  const Story seen =
      run("echo $$ /proc/[0-9]*; hostname; cat /proc/self/cgroup | grep -c terrarium\n");
  EXPECT_EQ(seen.output, "1 /proc/1\nsandbox\n0\n");
}

TEST_F(LinuxSandbox, OfTheHostsFilesOnlyWhatProgramsNeedIsSeen) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const Story seen = run(
      "for path in /root /home /sys /boot /srv /mnt /etc/shadow /etc/hostname /etc/ssl/private " +
      folder_.string() +
      "; do test -e $path && echo sees $path; done\n"
      "for folder in / /etc /usr /dev /var /run /var/task; do\n"
      "  touch $folder/new 2>/dev/null && echo writes to $folder\n"
      "done\n"
      "cut -d: -f1 /etc/passwd; test -s /etc/ssl/certs/ca-certificates.crt && echo certificates\n"
      "head -c 4 /dev/urandom | wc -c; echo x > /dev/null && echo null; ls /proc/1/root/\n");
  EXPECT_TRUE(seen.output.starts_with("root\nsbx_user\ncertificates\n4\nnull\nbin\ndev\netc\n"))
      << seen.output;
}

TEST_F(LinuxSandbox, TheKernelRefusesWhatNoFunctionNeeds) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const Story seen = run(
      "for call in 'unshare --user true' 'unshare --net true' 'mount -t tmpfs none /tmp'"
      " 'chroot / /bin/true' 'hostname other' 'date -s 2020-01-01' 'dmesg' 'setarch -R true'; do\n"
      "  $call >/dev/null 2>&1 && echo \"allows $call\"\n"
      "done\n"
      "mkfifo /tmp/pipe && (echo still works > /tmp/pipe & cat /tmp/pipe)\n");
  EXPECT_EQ(seen.output, "still works\n");
}

TEST_F(LinuxSandbox, ProcessesAreLimited) {
  if (sandbox_->description().find("a user id for each") == std::string::npos) {
    GTEST_SKIP() << "no user id of its own to count processes of";
  }
  SandboxSpec spec = script(
      "i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i + 1)); done\n"
      "echo all of them\n");
  spec.processes_max = 20;
  Story seen;
  runtime::run_and_wait(runtime_.control(), run_whole(*sandbox_, std::move(spec), clock_, seen));
  EXPECT_NE(seen.output.find("fork"), std::string::npos) << seen.output;
  EXPECT_EQ(seen.output.find("all of them"), std::string::npos) << seen.output;
}

TEST_F(LinuxSandbox, InANetworkOfItsOwnOnlyWhatListensThereIsReached) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const LonelyNetwork network(folder_ / "network");
  ASSERT_TRUE(network.ready());
  SandboxSpec spec = script(
      "grep -c : /proc/net/dev\n"
      "bash -c '(exec 3<>/dev/tcp/127.0.0.1/9001) 2>/dev/null && echo api'\n"
      "bash -c '(exec 3<>/dev/tcp/203.0.113.1/80) 2>&1 | grep -o unreachable | head -1'\n"
      "cat /etc/resolv.conf\n");
  spec.network_namespace = network.file();
  spec.nameserver = "203.0.113.1";
  Story seen;
  runtime::run_and_wait(runtime_.control(), run_whole(*sandbox_, std::move(spec), clock_, seen));
  EXPECT_EQ(seen.output, "1\napi\nunreachable\nnameserver 203.0.113.1\n");
  // From the host's network nobody reaches it.
  EXPECT_NE(run("bash -c '(exec 3<>/dev/tcp/127.0.0.1/9001) 2>/dev/null && echo api'\n").output,
            "api\n");
}

TEST_F(LinuxSandbox, WhatAnEarlierDaemonLeftIsRemoved) {
  fs::create_directories(folder_ / "tmp" / "left" / "behind");
  sandbox_.reset();
  open();
  EXPECT_TRUE(fs::is_empty(folder_ / "tmp"));
}

}  // namespace
}  // namespace terrarium::host
