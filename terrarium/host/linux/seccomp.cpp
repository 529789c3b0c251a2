#include "terrarium/host/linux/seccomp.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace terrarium::host::linux_host {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
// The x32 calls: the same table with this bit, and a way around every number below.
constexpr std::uint32_t kNumbersEnd = 0x40000000;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
constexpr std::uint32_t kNumbersEnd = 0x40000000;
#else
#error "machines run on x86-64 and arm64"
#endif

// The last call known here; later ones answer ENOSYS, so that programs fall back.
constexpr std::uint32_t kLastNumber = 450;  // set_mempolicy_home_node
constexpr std::uint32_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                         CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

// Refused with EPERM: mounts, namespaces, modules, the clock, the machine itself, keys (they have
// no namespace), tracing and tools that read the kernel.
std::vector<std::uint32_t> refused_calls() {
  std::vector<std::uint32_t> calls = {SYS_acct,
                                      SYS_add_key,
                                      SYS_adjtimex,
                                      SYS_bpf,
                                      SYS_clock_adjtime,
                                      SYS_clock_settime,
                                      SYS_delete_module,
                                      SYS_fanotify_init,
                                      SYS_finit_module,
                                      SYS_fsconfig,
                                      SYS_fsmount,
                                      SYS_fsopen,
                                      SYS_fspick,
                                      SYS_init_module,
                                      SYS_io_uring_enter,
                                      SYS_io_uring_register,
                                      SYS_io_uring_setup,
                                      SYS_kexec_file_load,
                                      SYS_kexec_load,
                                      SYS_keyctl,
                                      SYS_lookup_dcookie,
                                      SYS_mbind,
                                      SYS_migrate_pages,
                                      SYS_mount,
                                      SYS_mount_setattr,
                                      SYS_move_mount,
                                      SYS_move_pages,
                                      SYS_nfsservctl,
                                      SYS_open_by_handle_at,
                                      SYS_open_tree,
                                      SYS_perf_event_open,
                                      SYS_pivot_root,
                                      SYS_quotactl,
                                      SYS_quotactl_fd,
                                      SYS_reboot,
                                      SYS_request_key,
                                      SYS_set_mempolicy,
                                      SYS_setdomainname,
                                      SYS_sethostname,
                                      SYS_setns,
                                      SYS_settimeofday,
                                      SYS_swapoff,
                                      SYS_swapon,
                                      SYS_syslog,
                                      SYS_umount2,
                                      SYS_unshare,
                                      SYS_userfaultfd,
                                      SYS_vhangup};
#if defined(__x86_64__)
  const std::uint32_t old[] = {
      SYS_create_module, SYS_get_kernel_syms, SYS_ioperm, SYS_iopl,   SYS_modify_ldt,
      SYS_query_module,  SYS__sysctl,         SYS_sysfs,  SYS_uselib, SYS_ustat,
  };
  calls.insert(calls.end(), std::begin(old), std::end(old));
#endif
  return calls;
}

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kUnknown = SECCOMP_RET_ERRNO | ENOSYS;

struct Range {
  std::uint32_t first;
  std::uint32_t answer;
};

// Where each answer begins, by call number.
std::vector<Range> ranges() {
  std::vector<std::uint32_t> refused = refused_calls();
  std::ranges::sort(refused);
  std::vector<Range> all;
  for (std::uint32_t number = 0; number <= kLastNumber + 1; ++number) {
    std::uint32_t answer = std::ranges::binary_search(refused, number) ? kRefuse : kAllow;
    // glibc falls back to clone, whose flags a filter can read.
    if (number == SYS_clone3 || number > kLastNumber) answer = kUnknown;
    if (all.empty() || all.back().answer != answer) all.push_back({number, answer});
  }
  return all;
}

sock_filter statement(std::uint16_t code, std::uint32_t value) { return {code, 0, 0, value}; }

sock_filter jump(std::uint16_t code, std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
  return {code, yes, no, value};
}

// A balanced tree of comparisons over ranges [from, to).
void search(const std::vector<Range>& all, std::size_t from, std::size_t to,
            std::vector<sock_filter>& program) {
  if (to - from == 1) {
    program.push_back(statement(BPF_RET | BPF_K, all[from].answer));
    return;
  }
  const std::size_t middle = (from + to) / 2;
  std::vector<sock_filter> lower;
  search(all, from, middle, lower);
  // The distance may be more than a conditional jump reaches.
  program.push_back(jump(BPF_JMP | BPF_JGE | BPF_K, all[middle].first, 0, 1));
  program.push_back(statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(lower.size())));
  program.insert(program.end(), lower.begin(), lower.end());
  search(all, middle, to, program);
}

sock_filter load(std::size_t offset) {
  return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

// Calls that depend on an argument: two instructions of comparison, then the argument's test.
void test_argument(std::uint32_t number, std::size_t argument, std::uint16_t test,
                   std::uint32_t value, std::vector<sock_filter>& program) {
  program.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4));
  program.push_back(load(offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t)));
  program.push_back(jump(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value, 0, 1));
  program.push_back(statement(BPF_RET | BPF_K, kRefuse));
  program.push_back(statement(BPF_RET | BPF_K, kAllow));
}

}  // namespace

std::vector<sock_filter> machine_filter() {
  std::vector<sock_filter> program;
  program.push_back(load(offsetof(seccomp_data, arch)));
  program.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
  program.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  program.push_back(load(offsetof(seccomp_data, nr)));
  program.push_back(jump(BPF_JMP | BPF_JGE | BPF_K, kNumbersEnd, 0, 1));
  program.push_back(statement(BPF_RET | BPF_K, kUnknown));
  test_argument(SYS_clone, 0, BPF_JSET, kNewNamespaces, program);
  // Typing into another's terminal (TIOCSTI): a way out of su and sudo.
  test_argument(SYS_ioctl, 1, BPF_JEQ, 0x5412, program);
  // AF_VSOCK (40): a guest's way to its hypervisor, in no network namespace.
  test_argument(SYS_socket, 0, BPF_JEQ, 40, program);
  const std::vector<Range> all = ranges();
  search(all, 0, all.size(), program);
  return program;
}

std::string machine_filter_bytes() {
  const std::vector<sock_filter> program = machine_filter();
  return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)};
}

}  // namespace terrarium::host::linux_host
