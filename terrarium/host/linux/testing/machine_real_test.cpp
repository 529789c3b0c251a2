// Machines on the real kernel. Needs root; skips without.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

#include "lib/base/random.h"
#include "lib/runtime/event.h"
#include "terrarium/host/linux/machine.h"
#include "terrarium/host/linux/machine_record.h"

namespace terrarium::host {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr base::Duration kPatience = 60s;

runtime::Task<void> keep(runtime::Task<base::Result<void>> call, base::Result<void>& result) {
  result = co_await std::move(call);
}

runtime::Task<void> pause(base::Clock& clock, base::Duration time) {
  co_await runtime::sleep_until(clock, clock.now() + time);
}

std::string read_text(const fs::path& file) {
  std::ifstream input(file, std::ios::binary);
  std::stringstream text;
  text << input.rdbuf();
  return text.str();
}

// Output of a shell command on the host.
std::string shell(const std::string& command) {
  FILE* pipe = ::popen(("{ " + command + "; } 2>&1").c_str(), "r");
  std::string text;
  char piece[4096];
  for (std::size_t got = 1; got > 0;) {
    got = std::fread(piece, 1, sizeof piece, pipe);
    text.append(piece, got);
  }
  ::pclose(pipe);
  return text;
}

class LinuxMachine : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    std::string pattern = (fs::temp_directory_path() / "machine-test-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    runtime_.start();
    open();
  }
  void TearDown() override {
    if (::geteuid() != 0) return;
    if (machines_) {
      EXPECT_TRUE(run(machines_->remove_all()).has_value());
      expect_nothing_left();
    }
    runtime_.stop();
    machines_.reset();
    for (const std::string& name : namespaces_) shell("ip netns del " + name);
    fs::remove_all(folder_);
  }
  // A second daemon over the same state; the first is gone as if killed.
  void open(std::function<bool(std::string_view)> dies_at = {}) {
    machines_.reset();
    auto opened = open_linux_machines(
        runtime_, clock_, random_,
        {.state = folder_, .ca_certificate = certificate_, .dies_at = std::move(dies_at)});
    ASSERT_TRUE(opened.has_value()) << base::describe(opened.error());
    machines_ = *std::move(opened);
    ASSERT_TRUE(machines_->description().has_value())
        << base::describe(machines_->description().error());
    machines_->on_ended([this](std::string name) { ended_.insert(std::move(name)); });
  }
  base::Result<void> run(runtime::Task<base::Result<void>> call) {
    base::Result<void> result;
    runtime::run_and_wait(runtime_.control(), keep(std::move(call), result));
    if (!result) problem_ = base::describe(result.error());
    return result;
  }
  template <class Predicate>
  bool eventually(Predicate predicate) {
    const base::Timestamp deadline = clock_.now() + kPatience;
    while (!predicate()) {
      if (clock_.now() > deadline) return false;
      runtime::run_and_wait(runtime_.control(), pause(clock_, 10ms));
    }
    return true;
  }
  std::string console(const std::string& name) {
    return machines_->console(name).value_or("no console");
  }
  bool says(const std::string& name, const std::string& text) {
    return eventually([&] { return console(name).find(text) != std::string::npos; });
  }
  MachineStatus status(const std::string& name) {
    for (const MachineStatus& machine : machines_->list().value()) {
      if (machine.name == name) return machine;
    }
    return {};
  }
  bool ends(const std::string& name) {
    return eventually([&] { return status(name).state == MachineState::Stopped; });
  }
  static MachineSpec system(std::string name, const std::string& script) {
    MachineSpec spec;
    spec.name = name;
    spec.hostname = "ip-10-0-1-23";
    spec.domain = "ec2.internal";
    spec.nameserver = "10.0.0.2";
    spec.env = {{"AWS_REGION", "us-east-1"}, {"AWS_DEFAULT_REGION", "us-east-1"}};
    spec.boot = BootSpec{.user_data = script.empty() ? "" : "#!/bin/sh\n" + script + "\n"};
    return spec;
  }
  static MachineSpec command(std::string name, const std::string& script) {
    MachineSpec spec;
    spec.name = std::move(name);
    spec.hostname = "worker";
    spec.command = {"/bin/sh", "-c", script};
    spec.command_user = "nobody";
    return spec;
  }
  // What a script says as root inside, until it has ended.
  std::string story(const std::string& name, const std::string& script) {
    const auto started = run(machines_->start(system(name, script)));
    EXPECT_TRUE(started.has_value()) << problem_;
    EXPECT_TRUE(says(name, "cloud-init: user data part-001 ended")) << console(name);
    return console(name);
  }
  fs::path make_namespace(const std::string& name) {
    const std::string full = "mt" + std::to_string(::getpid()) + name;
    shell("ip netns add " + full + " && ip -n " + full + " link set lo up");
    namespaces_.push_back(full);
    return "/run/netns/" + full;
  }
  std::string ssh(const std::string& key, const std::string& words) {
    return shell("timeout 20 ip netns exec " + namespaces_.back() + " ssh -i " + key +
                 " -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
                 "-o LogLevel=ERROR ec2-user@127.0.0.1 '" +
                 words + "'");
  }
  std::string make_key(const std::string& name) {
    const std::string key = (folder_ / name).string();
    shell("ssh-keygen -q -t ed25519 -N '' -f " + key);
    return key;
  }
  void expect_nothing_left() {
    EXPECT_THAT(shell("cat /proc/mounts"), Not(HasSubstr(folder_.string())));
    EXPECT_THAT(shell("losetup -a"), Not(HasSubstr(folder_.string())));
    EXPECT_TRUE(fs::is_empty(folder_ / "machines"));
    EXPECT_EQ(shell("grep -sl " + folder_.string() + " /proc/[0-9]*/mountinfo 2>/dev/null"), "");
    EXPECT_EQ(shell("find /sys/fs/cgroup -name 'terrarium-*' -newer " + folder_.string() +
                    "/images -path '*/terrarium-*/*' -type d 2>/dev/null"),
              "");
  }

  base::SystemClock clock_;
  base::SystemRandom random_;
  runtime::Runtime runtime_{1, 8};
  fs::path folder_;
  fs::path certificate_;
  std::unique_ptr<Machines> machines_;
  std::set<std::string> ended_;
  std::string problem_;
  std::vector<std::string> namespaces_;
};

TEST_F(LinuxMachine, BootsAndAnswersOverSsh) {
  MachineSpec spec = system("i-1", "id -un; hostname; cat /etc/resolv.conf; echo $AWS_REGION");
  const std::string key = make_key("key");
  spec.network_namespace = make_namespace("a");
  spec.boot->authorized_keys = {read_text(key + ".pub")};
  ASSERT_TRUE(run(machines_->start(spec)).has_value()) << problem_;
  std::string answer;
  EXPECT_TRUE(eventually([&] {
    answer = ssh(key, "id -un; sudo id -un; hostname -f; echo $AWS_REGION; nproc; ls /home");
    return answer.find("ec2-user") != std::string::npos;
  })) << answer
      << console("i-1") << shell("cat " + folder_.string() + "/machines/i-1/mnt/*");
  EXPECT_EQ(answer, "ec2-user\nroot\nip-10-0-1-23.ec2.internal\nus-east-1\n1\nec2-user\n");
  EXPECT_TRUE(says("i-1", "ended: exit 0"));
  EXPECT_THAT(
      console("i-1"),
      HasSubstr("root\nip-10-0-1-23\nnameserver 10.0.0.2\nsearch ec2.internal\nus-east-1\n"));
  EXPECT_EQ(ssh(key, "cat /var/log/cloud-init-output.log"), console("i-1"));
  EXPECT_GT(machines_->usage("i-1")->processes, 1U);
  EXPECT_GT(machines_->usage("i-1")->cpu.count(), 0);
}

TEST_F(LinuxMachine, RootInsideChangesNothingOutside) {
  const std::string told = story("i-1", R"sh(
try() {
  name=$1; shift
  if "$@" >/dev/null 2>&1; then echo "$name CAN"; else echo "$name cannot"; fi
}
try address ip addr add 10.9.9.9/24 dev lo
try link ip link set lo down
try mount mount -t tmpfs none /mnt
try bind mount --bind /etc /mnt
try umount umount /proc
try remount mount -o remount,rw /sys
try clock date -s 2001-01-01
try dmesg dmesg
try hostname hostname other
try node mknod /tmp/sda b 8 0
try namespace unshare -r true
try mountspace unshare -m true
try netspace unshare -n true
try raw python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'
try rawip python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'
try sysctl sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
try core sh -c 'echo x > /proc/sys/kernel/core_pattern'
try sysrq sh -c 'test ! -c /proc/sysrq-trigger && echo b > /proc/sysrq-trigger'
try kcore sh -c 'head -c 1 /proc/kcore | grep -q .'
try keys sh -c 'grep -q . /proc/keys'
try swap swapoff /dev/vda
try reboot python3 -c 'import ctypes; exit(ctypes.CDLL(None).reboot(0x89abcdef) != 0)'
try chroot_escape test -e /proc/1/root/work
try shadow grep -q 'root:\$' /etc/shadow
try init sh -c 'echo x >> /usr/bin/env && false'
try loop sh -c 'ls /sys/block/loop0/loop'
try devices test -e /dev/loop-control -o -e /dev/vda -o -e /dev/mem
try cgroup sh -c 'ls /sys/fs/cgroup/*'
echo "processes $(ls -d /proc/[0-9]* | wc -l)"
echo "net $(ls /sys/class/net)"
)sh");
  EXPECT_THAT(told, Not(HasSubstr(" CAN"))) << told;
  EXPECT_THAT(told, HasSubstr("reboot cannot"));
  EXPECT_THAT(told, HasSubstr("net lo\n"));
  const std::size_t at = told.find("processes ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_LT(std::stoi(told.substr(at + 10)), 12);
}

TEST_F(LinuxMachine, WhatItExhaustsIsItsOwn) {
  ASSERT_TRUE(run(machines_->start(system("i-neighbour", ""))).has_value()) << problem_;
  MachineSpec spec = system("i-1", R"sh(
python3 -c 'x = bytearray(300 << 20)'; echo "memory $?"
python3 - <<'END'
import os
count = 0
try:
    while True:
        if os.fork() == 0:
            os.read(os.pipe()[0], 1)
        count += 1
except OSError:
    print('stopped at', count, flush=True)
    os.killpg(0, 9)
END
dd if=/dev/zero of=/var/big bs=1M count=400 2>&1 | grep -o 'No space left'
)sh");
  spec.limits.memory_bytes = 128 << 20;
  spec.limits.processes_max = 64;
  spec.limits.disk_bytes = 128 << 20;
  ASSERT_TRUE(run(machines_->start(spec)).has_value()) << problem_;
  EXPECT_TRUE(says("i-1", "memory 137")) << console("i-1");
  EXPECT_TRUE(says("i-1", "stopped at ")) << console("i-1");
  EXPECT_EQ(status("i-neighbour").state, MachineState::Running);
}

TEST_F(LinuxMachine, ItsDiskIsAsLargeAsItsLimit) {
  MachineSpec spec = system(
      "i-1",
      "dd if=/dev/zero of=/var/big bs=1M count=400 2>&1 | grep -o 'No space left'\nrm /var/big");
  spec.limits.disk_bytes = 128 << 20;
  ASSERT_TRUE(run(machines_->start(spec)).has_value()) << problem_;
  EXPECT_TRUE(says("i-1", "No space left")) << console("i-1");
}

TEST_F(LinuxMachine, StoppedItKeepsItsDiskAndRunsUserDataNoMore) {
  story("i-1", "echo once; echo kept > /root/file");
  ASSERT_TRUE(run(machines_->stop("i-1", 20s)).has_value()) << problem_;
  EXPECT_EQ(status("i-1").state, MachineState::Stopped);
  EXPECT_EQ(status("i-1").last_exit, "");
  EXPECT_TRUE(ended_.empty());
  // Now as a command, to look without booting.
  MachineSpec look = command("i-1", "cat /root/file; cat /var/log/cloud-init-output.log");
  look.command_user = "root";
  ASSERT_TRUE(run(machines_->start(look)).has_value()) << problem_;
  ASSERT_TRUE(ends("i-1"));
  EXPECT_THAT(console("i-1"), HasSubstr("kept\nonce\n"));
  ASSERT_TRUE(run(machines_->start(system("i-1", "echo twice"))).has_value()) << problem_;
  ASSERT_TRUE(run(machines_->stop("i-1", 20s)).has_value());
  EXPECT_THAT(console("i-1"), Not(HasSubstr("twice")));
}

TEST_F(LinuxMachine, EndsByItselfAsItSays) {
  ASSERT_TRUE(run(machines_->start(system("i-1", "poweroff"))).has_value()) << problem_;
  ASSERT_TRUE(run(machines_->start(system("i-2", "shutdown -r now"))).has_value()) << problem_;
  MachineSpec failing = command("c-3", "exit 3");
  ASSERT_TRUE(run(machines_->start(failing)).has_value()) << problem_;
  MachineSpec hungry = command("c-4", "exec python3 -c 'x = bytearray(300 << 20)'");
  hungry.limits.memory_bytes = 64 << 20;
  ASSERT_TRUE(run(machines_->start(hungry)).has_value()) << problem_;
  for (const auto& [name, exit] : std::map<std::string, std::string>{
           {"i-1", "exit 0"}, {"i-2", "reboot"}, {"c-3", "exit 3"}, {"c-4", "out of memory"}}) {
    EXPECT_TRUE(ends(name)) << name << console(name);
    EXPECT_EQ(status(name).last_exit, exit) << name << console(name);
    EXPECT_TRUE(ended_.contains(name)) << name;
  }
}

TEST_F(LinuxMachine, ACommandRunsAsItsUserInItsFolder) {
  const fs::path data = folder_ / "data";
  fs::create_directory(data);
  MachineSpec spec = command("db-1",
                             "trap 'echo interrupted; exit 5' INT; id -u; touch /data/made; "
                             "echo $COLOUR; echo ready; while :; do sleep 0.1; done");
  spec.folders = {{.host = data, .path = "/data", .writable = true, .owner_id = 65'534}};
  spec.env = {{"COLOUR", "blue"}, {"PATH", "/usr/bin"}};
  spec.stop_signal = SIGINT;
  ASSERT_TRUE(run(machines_->start(spec)).has_value()) << problem_;
  ASSERT_TRUE(says("db-1", "ready")) << console("db-1");
  EXPECT_EQ(console("db-1"), "65534\nblue\nready\n");
  struct stat made{};
  ASSERT_EQ(::stat((data / "made").c_str(), &made), 0);
  EXPECT_EQ(made.st_uid, 65'534U);
  ASSERT_TRUE(run(machines_->stop("db-1", 20s)).has_value()) << problem_;
  EXPECT_THAT(console("db-1"), HasSubstr("interrupted\n"));
}

TEST_F(LinuxMachine, AnImageOfItBootsAsSomebodyElse) {
  story("i-1",
        "echo saved > /opt/file; rm /etc/issue; mkdir -p /usr/local/thing; "
        "cat /etc/ssh/ssh_host_ed25519_key.pub");
  ASSERT_TRUE(run(machines_->save_image("i-1", "ami-1")).has_value()) << problem_;
  EXPECT_EQ(machines_->images().value(), std::vector<std::string>{"ami-1"});
  MachineSpec spec = system("i-2",
                            "cat /opt/file; ls /etc/issue; ls -d /usr/local/thing; "
                            "stat -c %u /opt/file; cat /etc/ssh/ssh_host_ed25519_key.pub");
  spec.layers = {"ami-1"};
  ASSERT_TRUE(run(machines_->start(spec)).has_value()) << problem_;
  EXPECT_TRUE(says("i-2", "ended: exit 0"));
  EXPECT_THAT(console("i-2"), HasSubstr("saved\n"));
  EXPECT_THAT(console("i-2"), HasSubstr("'/etc/issue': No such file"));
  EXPECT_THAT(console("i-2"), HasSubstr("/usr/local/thing\n0\nssh-ed25519 "));
  const std::string first = console("i-1").substr(console("i-1").find("ssh-ed25519"), 80);
  EXPECT_THAT(console("i-2"), Not(HasSubstr(first)));
  EXPECT_FALSE(run(machines_->remove_image("ami-1")).has_value());
  ASSERT_TRUE(run(machines_->remove("i-2")).has_value());
  EXPECT_TRUE(run(machines_->remove_image("ami-1")).has_value());
}

TEST_F(LinuxMachine, TrustsTheRegionAndHoldsNothingOfTheHostsPeople) {
  certificate_ = folder_ / "ca.pem";
  shell(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
      "'/CN=Region CA' -keyout " +
      (folder_ / "ca.key").string() + " -out " + certificate_.string());
  open();
  MachineSpec spec = system("i-1", R"sh(
openssl verify /etc/ssl/certs/terrarium.pem
/usr/bin/python3 -c 'import ssl
names = [c["subject"] for c in ssl.create_default_context().get_ca_certs()]
print("bundle", ((("commonName", "Region CA"),),) in names)'
/usr/bin/python3 -c 'from botocore.httpsession import get_cert_path
print("boto", "Region CA" if open("/etc/ssl/certs/terrarium.pem").read() in
      open(get_cert_path(True)).read() else "no")'
cut -d: -f2 /etc/shadow | sort -u | tr '\n' ' '
ls /etc/ssh /home /root | grep -v -e '^$' | tr '\n' ' '
)sh");
  ASSERT_TRUE(run(machines_->start(spec)).has_value()) << problem_;
  EXPECT_TRUE(says("i-1", "user data part-001 ended")) << console("i-1");
  const std::string told = console("i-1");
  EXPECT_THAT(told, HasSubstr("terrarium.pem: OK\nbundle True\nboto Region CA\n* "));
  EXPECT_THAT(told, HasSubstr("/etc/ssh: ssh_config ssh_host_ed25519_key "
                              "ssh_host_ed25519_key.pub sshd_config /home: ec2-user /root: "));
}

TEST_F(LinuxMachine, ANewDaemonAdoptsIt) {
  story("i-1", "echo up");
  const MachineStatus before = status("i-1");
  open();
  EXPECT_EQ(status("i-1").pid, before.pid);
  EXPECT_EQ(status("i-1").started, before.started);
  EXPECT_THAT(console("i-1"), HasSubstr("up\n"));
  ::kill(before.pid, SIGKILL);
  EXPECT_TRUE(ends("i-1"));
  EXPECT_EQ(status("i-1").last_exit, "signal 9");
  EXPECT_TRUE(eventually([this] { return ended_.contains("i-1"); }));
  open();
  EXPECT_EQ(status("i-1").last_exit, "signal 9");
}

TEST_F(LinuxMachine, ADaemonThatDiesWhileStartingLeavesNothingAStartCannotFinish) {
  for (const std::string step : {"folder", "disk", "record", "cgroup", "spawned"}) {
    open([step](std::string_view at) { return at == step; });
    EXPECT_FALSE(run(machines_->start(system("i-1", "echo up"))).has_value()) << step;
    open();
    EXPECT_TRUE(run(machines_->start(system("i-1", "echo up"))).has_value()) << step << problem_;
    EXPECT_TRUE(says("i-1", "up\n")) << step << console("i-1");
    EXPECT_TRUE(run(machines_->remove("i-1")).has_value()) << step << problem_;
    expect_nothing_left();
  }
}

TEST_F(LinuxMachine, WhoeverKillsItsParentEndsIt) {
  story("i-1", "echo up");
  std::istringstream pids(read_text(folder_ / "machines/i-1/run"));
  int shim = 0;
  pids >> shim;
  const int init = status("i-1").pid;
  ::kill(shim, SIGKILL);
  EXPECT_TRUE(ends("i-1"));
  EXPECT_TRUE(eventually([init] { return ::kill(init, 0) != 0; }));
  ASSERT_TRUE(run(machines_->start(system("i-1", ""))).has_value()) << problem_;
}

TEST_F(LinuxMachine, WhatCannotStartLeavesNothing) {
  MachineSpec spec = system("i-1", "");
  spec.network_namespace = folder_ / "missing";
  EXPECT_FALSE(run(machines_->start(spec)).has_value());
  EXPECT_THAT(problem_, HasSubstr("missing: No such file"));
  expect_nothing_left();
  spec = system("I 1", "");
  EXPECT_FALSE(run(machines_->start(spec)).has_value());
  spec = system("i-1", "");
  spec.layers = {"ami-unknown"};
  EXPECT_FALSE(run(machines_->start(spec)).has_value());
  EXPECT_TRUE(machines_->list()->empty());
}

}  // namespace
}  // namespace terrarium::host
