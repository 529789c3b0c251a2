#include "terrarium/host/linux/shim/run.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "terrarium/host/linux/launch_plan.h"
#include "terrarium/host/linux/shim/console.h"
#include "terrarium/host/linux/shim/disk.h"
#include "terrarium/host/linux/shim/machine_view.h"
#include "terrarium/host/linux/shim/system_call.h"

namespace terrarium::host::shim {
namespace {

using namespace linux_host;

constexpr std::size_t kVerdictBytesMax = 32;

struct Pipes {
  int go[2];
  int console[2];
  int verdict[2];
};

// A file appears whole or not at all.
void write_at_once(const std::string& path, const std::string& text) {
  write_file(path + ".new", text);
  must(::rename((path + ".new").c_str(), path.c_str()), "rename " + path);
}

// PID 1: arranges its descriptors and becomes the machine's init. Never returns.
[[noreturn]] void become_init(const LaunchPlan& plan, const std::string& root, int user_namespace,
                              const Pipes& pipes) {
  must(::prctl(PR_SET_PDEATHSIG, SIGKILL), "die with the shim");
  // A shim that died before that is noticed here.
  ::close(pipes.go[1]);
  char go = 0;
  if (::read(pipes.go[0], &go, 1) != 1) ::_exit(1);
  for (const std::string& procs : plan.cgroups) write_file(procs, "0");
  // After joining: so the machine's own groups are all it sees.
  must(::unshare(CLONE_NEWCGROUP), "make a cgroup namespace");
  must(::setsid(), "make a session");
  // PID 1 reads them when it can: until then a signal would be lost.
  sigset_t signals;
  ::sigfillset(&signals);
  must(::sigprocmask(SIG_BLOCK, &signals, nullptr), "block signals");
  enter_root(plan, root, user_namespace);
  become_machine_root(plan, user_namespace);
  const int nothing = static_cast<int>(must(::open("/dev/null", O_RDONLY), "open /dev/null"));
  must(::dup2(nothing, 0), "arrange files");
  must(::dup2(pipes.console[1], 1), "arrange files");
  must(::dup2(pipes.console[1], 2), "arrange files");
  // The daemon hears of the end of its report when exec closes this one.
  const int report = static_cast<int>(must(::fcntl(kReportFd, F_DUPFD_CLOEXEC, 100), "keep files"));
  report_failures_to(report);
  must(::dup2(pipes.verdict[1], kReportFd), "arrange files");
  must(::lseek(kPlanFd, 0, SEEK_SET), "rewind the plan");
  // All but the plan and the verdict.
  must(::close_range(kReportFd + 1, ~0U, CLOSE_RANGE_CLOEXEC), "close files");
  char name[] = "init";
  char* const argv[] = {name, nullptr};
  char* const env[] = {nullptr};
  ::execve(kInitPath, argv, env);
  give_up(std::string("start ") + kInitPath, errno);
}

// Only what PID 1 could mean: the pipe's other end is inside.
bool is_verdict(const std::string& text) {
  if (text == "reboot") return true;
  const std::size_t space = text.find(' ');
  const std::string word = text.substr(0, space);
  return (word == "exit" || word == "signal") && space != std::string::npos &&
         text.find_first_not_of("0123456789", space + 1) == std::string::npos;
}

std::string verdict_of(int status, int verdict_fd) {
  std::string text(kVerdictBytesMax, '\0');
  const ssize_t got = ::read(verdict_fd, text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return is_verdict(text) ? text : "exit " + std::to_string(WEXITSTATUS(status));
}

// Until the machine is gone and its console is read to the end.
void keep_console(Console& console, int fd, int init_fd) {
  char piece[16 * 1024];
  bool ended = false;
  for (;;) {
    pollfd waits[2] = {{.fd = fd, .events = POLLIN, .revents = 0},
                       {.fd = init_fd, .events = POLLIN, .revents = 0}};
    if (::poll(waits, ended ? 1 : 2, ended ? 0 : -1) < 0 && errno != EINTR) return;
    if ((waits[0].revents & (POLLIN | POLLHUP)) != 0) {
      const ssize_t got = ::read(fd, piece, sizeof piece);
      if (got > 0) {
        console.write({piece, static_cast<std::size_t>(got)});
        continue;
      }
    }
    if (ended) return;
    ended = (waits[1].revents & POLLIN) != 0;
  }
}

[[noreturn]] void be_the_parent(const LaunchPlan& plan) {
  must(::prctl(PR_SET_NAME, "terrarium-shim"), "name the process");
  const std::string scratch = plan.folder + "/mnt";
  const std::string root = scratch + "/tree";
  const NamespaceMaker maker = begin_user_namespace();
  enter_own_mounts(scratch);
  const int loop = mount_disk(plan.folder + "/disk", scratch + "/disk");
  const int user_namespace = finish_user_namespace(maker, 0, plan.first_id);
  build_root(plan, scratch, root, user_namespace);
  Pipes pipes{};
  must(::pipe2(pipes.go, O_CLOEXEC), "make a pipe");
  must(::pipe2(pipes.console, O_CLOEXEC), "make a pipe");
  must(::pipe2(pipes.verdict, O_CLOEXEC), "make a pipe");
  // So that /dev/console can be opened inside.
  must(::fchown(pipes.console[1], plan.first_id, plan.first_id), "give away the console");
  int init_fd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_PIDFD;
  arguments.exit_signal = SIGCHLD;
  arguments.pidfd = reinterpret_cast<__u64>(&init_fd);
  const int init =
      static_cast<int>(must(::syscall(SYS_clone3, &arguments, sizeof arguments), "make PID 1"));
  if (init == 0) become_init(plan, root, user_namespace, pipes);
  ::close(pipes.console[1]);
  ::close(pipes.verdict[1]);
  ::close(user_namespace);
  write_at_once(plan.folder + "/run", std::to_string(::getpid()) + " " + std::to_string(init) +
                                          " " + std::to_string(loop) + "\n");
  // Nothing of the machine runs before it can be found.
  write_all(pipes.go[1], "1");
  ::close(kReportFd);
  ::close(kPlanFd);
  Console console(plan.folder);
  keep_console(console, pipes.console[0], init_fd);
  const int status = wait_for(init);
  // Whoever attaches the disk next finds it whole.
  for (const char* const mount : {"/tree/usr", "/tree", "/disk"}) {
    if (::umount2((scratch + mount).c_str(), 0) != 0) {
      ::umount2((scratch + mount).c_str(), MNT_DETACH);
    }
  }
  // By the time this is there, every process of the machine is gone.
  write_at_once(plan.folder + "/exit", verdict_of(status, pipes.verdict[0]));
  ::_exit(0);
}

}  // namespace

int run_machine() {
  ::close_range(kLockFd + 1, ~0U, 0);
  report_failures_to(kReportFd);
  const auto plan = decode_launch_plan(read_whole(kPlanFd));
  if (!plan) give_up("read the plan", EINVAL);
  // Not a child of the daemon's, so that nobody there waits for it.
  const int parent = static_cast<int>(must(::fork(), "fork"));
  if (parent > 0) return 0;
  must(::setsid(), "make a session");
  must(::chdir("/"), "change to /");
  be_the_parent(*plan);
}

}  // namespace terrarium::host::shim
