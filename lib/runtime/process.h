// Child processes: started with exactly the files, identity and limits asked for, waited for
// through a pidfd, never left behind as zombies.
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"

namespace runtime {

struct SpawnOptions {
  std::vector<std::string> argv;           // argv[0] is a path; no search
  std::map<std::string, std::string> env;  // the whole environment
  std::string working_directory = "/";
  int stdin_fd = -1;  // -1: /dev/null; the caller keeps and closes its own
  int stdout_fd = -1;
  int stderr_fd = -1;
  std::vector<std::pair<int, int>> extra_fds;  // {ours, number in the child}
  std::optional<uid_t> uid;  // with gid: dropped for good, no supplementary groups
  std::optional<gid_t> gid;
  bool new_session = true;       // own session and process group: kill_group() works
  bool die_with_parent = false;  // SIGKILL when the spawning thread ends
  bool no_new_privileges = true;
  // The first process of a PID namespace of its own: whatever it started ends with it.
  bool new_pid_namespace = false;
  // A seccomp program for everything from exec on; with no_new_privileges.
  std::span<const sock_filter> filter;
  // {RLIMIT_x, soft and hard limit}
  std::vector<std::pair<int, std::uint64_t>> limits;
  // Files to which the child writes its pid before exec ("0" as the kernel understands it):
  // cgroup.procs of the groups that it must run in.
  std::vector<std::string> cgroup_procs;
  // Called in the child, as the parent's user, before it changes directory: for namespaces and
  // mounts. May only make system calls; returns 0 or errno.
  int (*prepare)(const void* argument) = nullptr;
  const void* prepare_argument = nullptr;
};

struct ExitStatus {
  int code = 0;    // exit code, valid when signal == 0
  int signal = 0;  // the signal that ended it
};

class Process {
 public:
  // Returns when exec has succeeded, or the error that stopped it (named step by step).
  static base::Result<std::unique_ptr<Process>> spawn(Executor executor, SpawnOptions options);
  // A process still running is killed with its group, and reaped.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  // Resumes when the process has ended, or with nothing at the deadline. May be called again.
  Task<std::optional<ExitStatus>> wait_until(base::Clock& clock, base::Timestamp deadline);
  // Signals the process / its whole group; nothing when it has been reaped.
  void kill(int signal);
  void kill_group(int signal);
  const std::optional<ExitStatus>& exited() const { return exit_; }

 private:
  struct Watch;
  Process(Executor executor, pid_t pid, int pidfd);
  bool reap();
  void watch();

  Executor executor_;
  pid_t pid_;
  std::unique_ptr<Watch> watch_;
  std::optional<ExitStatus> exit_;
};

}  // namespace runtime
