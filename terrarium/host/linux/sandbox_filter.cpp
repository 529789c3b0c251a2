#include "terrarium/host/linux/sandbox_filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>

namespace terrarium::host::linux_host {
namespace {

#if !defined(__x86_64__)
#error "The list of system calls below is x86_64's"
#endif

// The last that the list below has been made with (Linux 6.1).
constexpr std::uint32_t kYoungestCall = SYS_set_mempolicy_home_node;
// The same numbers with other sizes of arguments.
constexpr std::uint32_t kX32Bit = 0x4000'0000;
constexpr std::uint32_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                      CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

constexpr std::uint32_t kRefused[] = {
    // Namespaces and mounts
    SYS_chroot, SYS_fsconfig, SYS_fsmount, SYS_fsopen, SYS_fspick, SYS_mount, SYS_mount_setattr,
    SYS_move_mount, SYS_open_tree, SYS_pivot_root, SYS_setns, SYS_umount2, SYS_unshare,
    // Other processes' insides
    SYS_kcmp, SYS_pidfd_getfd, SYS_process_madvise, SYS_process_vm_readv, SYS_process_vm_writev,
    SYS_ptrace,
    // Keys, programs in the kernel, its insides
    SYS_add_key, SYS_bpf, SYS_io_uring_enter, SYS_io_uring_register, SYS_io_uring_setup, SYS_keyctl,
    SYS_lookup_dcookie, SYS_perf_event_open, SYS_request_key, SYS_syslog, SYS_userfaultfd,
    // The machine
    SYS_acct, SYS_create_module, SYS_delete_module, SYS_fanotify_init, SYS_finit_module,
    SYS_init_module, SYS_ioperm, SYS_iopl, SYS_kexec_file_load, SYS_kexec_load, SYS_modify_ldt,
    SYS_name_to_handle_at, SYS_nfsservctl, SYS_open_by_handle_at, SYS_personality, SYS_quotactl,
    SYS_quotactl_fd, SYS_reboot, SYS_swapoff, SYS_swapon, SYS_sysfs, SYS_uselib, SYS_ustat,
    SYS_vhangup, SYS__sysctl,
    // Its clock and name
    SYS_adjtimex, SYS_clock_adjtime, SYS_clock_settime, SYS_setdomainname, SYS_sethostname,
    SYS_settimeofday};

class Program {
 public:
  void load(std::uint32_t offset) { add(BPF_LD | BPF_W | BPF_ABS, offset); }
  void answer(std::uint32_t action) { add(BPF_RET | BPF_K, action); }
  // `action` when what was loaded compares so.
  void answer_if(std::uint16_t comparison, std::uint32_t value, std::uint32_t action) {
    add(BPF_JMP | comparison | BPF_K, value, 0, 1);
    answer(action);
  }
  void answer_unless_equal(std::uint32_t value, std::uint32_t action) {
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    answer(action);
  }
  // Skips as many instructions as `count` when it does not.
  void skip_unless_equal(std::uint32_t value, std::uint8_t count) {
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count);
  }
  std::vector<sock_filter> take() { return std::move(instructions_); }

 private:
  void add(int code, std::uint32_t value, std::uint8_t when_true = 0, std::uint8_t when_false = 0) {
    instructions_.push_back({static_cast<std::uint16_t>(code), when_true, when_false, value});
  }
  std::vector<sock_filter> instructions_;
};

constexpr std::uint32_t refusal(int error) {
  return SECCOMP_RET_ERRNO | (static_cast<std::uint32_t>(error) & SECCOMP_RET_DATA);
}

// The low half of the first argument; what the kernel makes of these calls' has no more.
constexpr std::uint32_t kFirstArgument = offsetof(seccomp_data, args);

}  // namespace

std::vector<sock_filter> sandbox_filter() {
  Program program;
  program.load(offsetof(seccomp_data, arch));
  program.answer_unless_equal(AUDIT_ARCH_X86_64, SECCOMP_RET_KILL_PROCESS);
  program.load(offsetof(seccomp_data, nr));
  program.answer_if(BPF_JGE, kX32Bit, refusal(ENOSYS));
  program.answer_if(BPF_JGT, kYoungestCall, refusal(ENOSYS));
  // Its flags lie in memory, which a filter can't see: the C library then calls clone().
  program.answer_if(BPF_JEQ, SYS_clone3, refusal(ENOSYS));
  for (const std::uint32_t call : kRefused) program.answer_if(BPF_JEQ, call, refusal(EPERM));
  program.skip_unless_equal(SYS_clone, 4);
  program.load(kFirstArgument);
  program.answer_if(BPF_JSET, kNamespaces, refusal(EPERM));
  program.answer(SECCOMP_RET_ALLOW);
  program.skip_unless_equal(SYS_socket, 10);
  program.load(kFirstArgument);
  for (const int family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK}) {
    program.answer_if(BPF_JEQ, static_cast<std::uint32_t>(family), SECCOMP_RET_ALLOW);
  }
  program.answer(refusal(EAFNOSUPPORT));
  program.answer(SECCOMP_RET_ALLOW);
  return program.take();
}

}  // namespace terrarium::host::linux_host
