// The parts of machines that decide without touching the kernel.
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>

#include "lib/base/encoding.h"
#include "lib/base/random.h"
#include "terrarium/host/linux/host_key.h"
#include "terrarium/host/linux/launch.h"
#include "terrarium/host/linux/launch_plan.h"
#include "terrarium/host/linux/machine_record.h"
#include "terrarium/host/linux/seccomp.h"

namespace terrarium::host::linux_host {
namespace {

// The few instructions that the filter uses, as the kernel carries them out.
std::uint32_t answer(std::uint32_t call, std::uint64_t argument = 0, std::size_t which = 0,
                     std::uint32_t architecture = AUDIT_ARCH_X86_64) {
  seccomp_data data{};
  data.nr = static_cast<int>(call);
  data.arch = architecture;
  data.args[which] = argument;
  const std::vector<sock_filter> program = machine_filter();
  std::uint32_t accumulator = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& step = program[at];
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + step.k, 4);
        break;
      case BPF_RET | BPF_K: return step.k;
      case BPF_JMP | BPF_JA: at += step.k; break;
      case BPF_JMP | BPF_JEQ | BPF_K: at += accumulator == step.k ? step.jt : step.jf; break;
      case BPF_JMP | BPF_JGE | BPF_K: at += accumulator >= step.k ? step.jt : step.jf; break;
      case BPF_JMP | BPF_JSET | BPF_K: at += (accumulator & step.k) != 0 ? step.jt : step.jf; break;
      default: ADD_FAILURE() << "unknown instruction"; return 0;
    }
  }
  ADD_FAILURE() << "the filter has no end";
  return 0;
}

constexpr std::uint32_t kRefused = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kMissing = SECCOMP_RET_ERRNO | ENOSYS;

#if defined(__x86_64__)
TEST(MachineFilter, LetsProgramsRunAndKeepsThemFromTheKernel) {
  for (const std::uint32_t call : {SYS_read, SYS_execve, SYS_chroot, SYS_ptrace, SYS_mknodat,
                                   SYS_setresuid, SYS_statx, SYS_faccessat2}) {
    EXPECT_EQ(answer(call), SECCOMP_RET_ALLOW) << call;
  }
  for (const std::uint32_t call : {SYS_mount, SYS_umount2, SYS_unshare, SYS_setns, SYS_keyctl,
                                   SYS_bpf, SYS_reboot, SYS_clock_settime, SYS_io_uring_setup,
                                   SYS_open_tree, SYS_move_mount, SYS_init_module, SYS_syslog}) {
    EXPECT_EQ(answer(call), kRefused) << call;
  }
}

TEST(MachineFilter, WhatCameLaterDoesNotExist) {
  EXPECT_EQ(answer(SYS_clone3), kMissing);
  EXPECT_EQ(answer(451), kMissing);
  EXPECT_EQ(answer(100'000), kMissing);
  EXPECT_EQ(answer(0x40000000 | SYS_read), kMissing);
}

TEST(MachineFilter, ANewNamespaceIsRefusedByItsFlag) {
  EXPECT_EQ(answer(SYS_clone, SIGCHLD), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(SYS_clone, CLONE_NEWUSER | SIGCHLD), kRefused);
  EXPECT_EQ(answer(SYS_ioctl, 0x5401, 1), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(SYS_ioctl, 0x5412, 1), kRefused);
  EXPECT_EQ(answer(SYS_socket, 40), kRefused);
}

TEST(MachineFilter, AnotherArchitectureEndsTheProcess) {
  EXPECT_EQ(answer(SYS_read, 0, 0, AUDIT_ARCH_I386), SECCOMP_RET_KILL_PROCESS);
}
#endif

LaunchPlan example() {
  MachineSpec spec;
  spec.name = "i-1";
  spec.hostname = "ip-10-0-1-23";
  spec.domain = "ec2.internal";
  spec.nameserver = "10.0.0.2";
  spec.env = {{"A", "b c"}};
  spec.files = {{"/opt/file", std::string("\0\n", 2), 0600}};
  spec.folders = {{.host = "/srv/x", .path = "/data", .writable = true, .owner_id = 7}};
  spec.boot = BootSpec{.authorized_keys = {"ssh-ed25519 AAAA me"}, .user_data = "#!/bin/sh\n"};
  MachineRecord record;
  record.slot = 2;
  record.layers = {"/images/base-1", "/images/ami-1"};
  return make_plan(spec, record, "/machines/i-1", {{"/etc/machine-id", "0\n", 0444}});
}

TEST(MachineLaunchPlan, SurvivesTheWayToTheShim) {
  const LaunchPlan plan = example();
  EXPECT_EQ(decode_launch_plan(encode(plan)), plan);
}

TEST(MachineLaunchPlan, DamagedBytesAreNoPlan) {
  const std::string bytes = encode(example());
  for (std::size_t size = 0; size < bytes.size(); size += 7) {
    EXPECT_FALSE(decode_launch_plan(bytes.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(decode_launch_plan(bytes + "0:").has_value());
  EXPECT_FALSE(decode_launch_plan("99999999999999999999:x").has_value());
}

TEST(MachineLaunchPlan, SaysWhatTheSpecSays) {
  const LaunchPlan plan = example();
  EXPECT_EQ(plan.first_id, kFirstMachineId + 2 * kIdsPerMachine);
  EXPECT_EQ(plan.layers, (std::vector<std::string>{"/images/base-1", "/images/ami-1"}));
  EXPECT_EQ(plan.scripts, std::vector<std::string>{"#!/bin/sh\n"});
  EXPECT_EQ(plan.authorized_keys, "ssh-ed25519 AAAA me\n");
  const auto content = [&plan](const std::string& path) {
    for (const PlannedFile& file : plan.files) {
      if (file.path == path) return file.content;
    }
    return std::string("missing");
  };
  EXPECT_EQ(content("/etc/hosts"),
            "127.0.0.1 localhost\n127.0.1.1 ip-10-0-1-23.ec2.internal ip-10-0-1-23\n"
            "::1 localhost ip6-localhost ip6-loopback\n");
  EXPECT_EQ(content("/etc/resolv.conf"), "nameserver 10.0.0.2\nsearch ec2.internal\n");
  EXPECT_EQ(content("/etc/environment"), "A=b c\n");
}

TEST(MachineIds, RangesOverlapNeitherEachOtherNorTheSandboxes) {
  EXPECT_EQ(first_id_of(1), first_id_of(0) + kIdsPerMachine);
  constexpr std::uint32_t kSandboxEnd = 1'610'612'736 + 4'096;
  EXPECT_GE(first_id_of(0), kSandboxEnd);
  // A signed number to programs that take ids for one.
  EXPECT_LT(std::uint64_t{first_id_of(kSlots - 1)} + kIdsPerMachine, std::uint64_t{1} << 31);
}

TEST(MachineRecords, AreReadAsTheyWereWritten) {
  MachineRecord record;
  record.slot = 5;
  record.layers = {"/a", "/b"};
  record.last_exit = "signal 9";
  EXPECT_EQ(decode_machine_record(encode(record)), record);
  record.started = base::Timestamp(std::chrono::microseconds(1'700'000'000'000'001));
  EXPECT_EQ(decode_machine_record(encode(record)), record);
  for (const char* damaged : {"", "{}", "[]", R"({"slot":99999,"layers":[],"last_exit":""})",
                              R"({"slot":1,"layers":[1],"last_exit":""})"}) {
    EXPECT_FALSE(decode_machine_record(damaged).has_value()) << damaged;
  }
}

TEST(MachineSpecs, AreCheckedBeforeAnythingIsMade) {
  MachineSpec good;
  good.name = "i-1";
  good.hostname = "ip-10-0-1-23";
  good.boot = BootSpec{};
  EXPECT_TRUE(check(good).has_value());
  const auto refused = [&good](auto change) {
    MachineSpec spec = good;
    change(spec);
    return !check(spec).has_value();
  };
  EXPECT_TRUE(refused([](auto& spec) { spec.name = "../i-1"; }));
  EXPECT_TRUE(refused([](auto& spec) { spec.hostname = "a b"; }));
  EXPECT_TRUE(refused([](auto& spec) { spec.layers = {"../x"}; }));
  EXPECT_TRUE(refused([](auto& spec) { spec.boot->login_user = "admin"; }));
  EXPECT_TRUE(refused([](auto& spec) { spec.boot.reset(); }));
  EXPECT_TRUE(refused([](auto& spec) { spec.env = {{"A=B", "c"}}; }));
  EXPECT_TRUE(refused([](auto& spec) { spec.env = {{"A", "c\nd"}}; }));
  EXPECT_TRUE(refused([](auto& spec) { spec.files = {{.path = "etc/x", .content = ""}}; }));
  EXPECT_TRUE(refused([](auto& spec) { spec.limits.memory_bytes = 0; }));
}

TEST(MachineHostKey, HasOpenSshsShape) {
  base::SeededRandom random(7);
  const auto key = make_host_key(random, "root@ip-10-0-1-23");
  ASSERT_TRUE(key.has_value());
  EXPECT_TRUE(key->public_key.starts_with("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"));
  EXPECT_TRUE(key->private_key.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk"));
  const auto other = make_host_key(random, "root@ip-10-0-1-23");
  EXPECT_NE(other->public_key, key->public_key);
}

}  // namespace
}  // namespace terrarium::host::linux_host
