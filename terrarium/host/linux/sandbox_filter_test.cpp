#include "terrarium/host/linux/sandbox_filter.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>

namespace terrarium::host::linux_host {
namespace {

constexpr std::uint32_t kErrno = SECCOMP_RET_ERRNO;

// As the kernel runs it, with the instructions that the filter uses.
std::uint32_t decide(long call, std::uint64_t argument = 0,
                     std::uint32_t machine = AUDIT_ARCH_X86_64) {
  const std::vector<sock_filter> program = sandbox_filter();
  seccomp_data data{
      .nr = static_cast<int>(call), .arch = machine, .instruction_pointer = 0, .args = {argument}};
  std::uint32_t held = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& step = program[at];
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&held, reinterpret_cast<const char*>(&data) + step.k, sizeof held);
        break;
      case BPF_JMP | BPF_JEQ | BPF_K: at += held == step.k ? step.jt : step.jf; break;
      case BPF_JMP | BPF_JGT | BPF_K: at += held > step.k ? step.jt : step.jf; break;
      case BPF_JMP | BPF_JGE | BPF_K: at += held >= step.k ? step.jt : step.jf; break;
      case BPF_JMP | BPF_JSET | BPF_K: at += (held & step.k) != 0 ? step.jt : step.jf; break;
      case BPF_RET | BPF_K: return step.k;
      default: ADD_FAILURE() << "an instruction that no filter here has"; return 0;
    }
  }
  ADD_FAILURE() << "the program has no end";
  return 0;
}

TEST(SandboxFilter, OrdinaryCallsPass) {
  for (const long call : {SYS_read, SYS_execve, SYS_mmap, SYS_futex, SYS_setsid, SYS_kill,
                          SYS_memfd_create, SYS_mknodat, SYS_openat2, SYS_faccessat2}) {
    EXPECT_EQ(decide(call), SECCOMP_RET_ALLOW) << call;
  }
  EXPECT_EQ(decide(SYS_clone, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_THREAD), SECCOMP_RET_ALLOW);
  for (const int family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK}) {
    EXPECT_EQ(decide(SYS_socket, static_cast<std::uint64_t>(family)), SECCOMP_RET_ALLOW);
  }
}

TEST(SandboxFilter, NamespacesMountsTracingAndTheMachineAreRefused) {
  for (const long call : {SYS_unshare, SYS_setns, SYS_mount, SYS_move_mount, SYS_pivot_root,
                          SYS_ptrace, SYS_process_vm_writev, SYS_keyctl, SYS_bpf, SYS_reboot,
                          SYS_init_module, SYS_io_uring_setup, SYS_clock_settime}) {
    EXPECT_EQ(decide(call), kErrno | EPERM) << call;
  }
  for (const unsigned flag : {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWPID}) {
    EXPECT_EQ(decide(SYS_clone, CLONE_VM | flag), kErrno | EPERM);
  }
  EXPECT_EQ(decide(SYS_socket, AF_VSOCK), kErrno | EAFNOSUPPORT);
  EXPECT_EQ(decide(SYS_socket, AF_ALG), kErrno | EAFNOSUPPORT);
}

TEST(SandboxFilter, WhatItDoesNotKnowIsNotThere) {
  EXPECT_EQ(decide(SYS_clone3), kErrno | ENOSYS);
  EXPECT_EQ(decide(467), kErrno | ENOSYS);
  EXPECT_EQ(decide(0x4000'0000 | SYS_read), kErrno | ENOSYS);
  EXPECT_EQ(decide(SYS_read, 0, AUDIT_ARCH_I386), SECCOMP_RET_KILL_PROCESS);
}

}  // namespace
}  // namespace terrarium::host::linux_host
