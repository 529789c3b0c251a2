#include "lib/runtime/process.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cerrno>
#include <list>
#include <string_view>

#include "lib/base/check.h"
#include "lib/runtime/event.h"

namespace runtime {
namespace {

constexpr int kChildFdMax = 1023;

// Where a child can fail between fork and exec, in order.
enum class Step : std::uint8_t {
  Signals,
  Session,
  Cgroup,
  Files,
  Prepare,
  Directory,
  Limits,
  Privileges,
  Identity,
  ParentDeath,
  Filter,
  Exec,
};
constexpr std::array<std::string_view, 12> kStepNames = {
    "resetting signals",      "making a session",          "joining a cgroup",
    "arranging its files",    "preparing its view",        "changing the directory",
    "setting limits",         "giving up new privileges",  "changing user and group",
    "tying it to its parent", "limiting its system calls", "exec"};

struct Failure {
  Step step = Step::Exec;
  int error = 0;
};

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

// All that the child touches, made before the fork: after it only async-signal-safe calls are
// allowed, because another thread of the parent may have held any lock.
struct Plan {
  std::vector<std::string> env_text;
  std::vector<char*> argv;
  std::vector<char*> env;
  std::vector<std::pair<int, int>> files;  // {ours, number in the child}
  int first_free = 3;                      // above every number that the child gets
  int error_fd = -1;
  int parent_fd = -1;  // pidfd
};

bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

base::Result<void> check(const SpawnOptions& options) {
  const auto wrong = [](const char* what) {
    return base::fail(base::ErrorKind::InvalidInput, what);
  };
  if (options.argv.empty()) return wrong("a process needs a program");
  if (options.uid.has_value() != options.gid.has_value()) return wrong("uid and gid come together");
  if (std::ranges::any_of(options.argv, has_nul)) return wrong("an argument holds a NUL");
  for (const auto& [name, value] : options.env) {
    if (name.empty() || name.find('=') != std::string::npos || has_nul(name) || has_nul(value)) {
      return wrong("an environment variable is malformed");
    }
  }
  std::vector<int> numbers;
  for (const auto& [ours, number] : options.extra_fds) {
    if (ours < 0 || number < 3 || number > kChildFdMax) return wrong("a file is out of range");
    numbers.push_back(number);
  }
  std::ranges::sort(numbers);
  if (std::ranges::adjacent_find(numbers) != numbers.end()) return wrong("a file is given twice");
  return {};
}

Plan make_plan(SpawnOptions& options, int null_fd, int error_fd, int parent_fd) {
  Plan plan;
  for (const auto& [name, value] : options.env) plan.env_text.push_back(name + "=" + value);
  for (std::string& text : options.argv) plan.argv.push_back(text.data());
  for (std::string& text : plan.env_text) plan.env.push_back(text.data());
  plan.argv.push_back(nullptr);
  plan.env.push_back(nullptr);
  const auto or_null = [null_fd](int fd) { return fd >= 0 ? fd : null_fd; };
  plan.files = {{or_null(options.stdin_fd), 0},
                {or_null(options.stdout_fd), 1},
                {or_null(options.stderr_fd), 2}};
  plan.files.insert(plan.files.end(), options.extra_fds.begin(), options.extra_fds.end());
  for (const auto& file : plan.files) plan.first_free = std::max(plan.first_free, file.second + 1);
  plan.error_fd = error_fd;
  plan.parent_fd = parent_fd;
  return plan;
}

// --- In the child -------------------------------------------------------------------------------

bool reset_signals() {
  struct sigaction fresh = {};
  fresh.sa_handler = SIG_DFL;
  // SIGKILL, SIGSTOP and the two that libc keeps for itself refuse: as they must.
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &fresh, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  return ::sigprocmask(SIG_SETMASK, &none, nullptr) == 0;
}

bool join_cgroups(const SpawnOptions& options) {
  for (const std::string& path : options.cgroup_procs) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const bool joined = ::write(fd, "0", 1) == 1;
    const int error = errno;
    ::close(fd);
    errno = error;
    if (!joined) return false;
  }
  return true;
}

// First out of the way of every target, then into place. Whatever else is open closes at exec.
bool arrange_files(Plan& plan) {
  for (auto& [ours, number] : plan.files) {
    ours = ::fcntl(ours, F_DUPFD_CLOEXEC, plan.first_free);
    if (ours < 0) return false;
  }
  for (int* const fd : {&plan.error_fd, &plan.parent_fd}) {
    *fd = ::fcntl(*fd, F_DUPFD_CLOEXEC, plan.first_free);
    if (*fd < 0) return false;
  }
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return false;
  for (const auto& [ours, number] : plan.files) {
    if (::dup2(ours, number) < 0) return false;
  }
  return true;
}

bool prepare(const SpawnOptions& options) {
  if (options.prepare == nullptr) return true;
  const int error = options.prepare(options.prepare_argument);
  errno = error;
  return error == 0;
}

bool set_limits(const SpawnOptions& options) {
  for (const auto& [resource, value] : options.limits) {
    const rlimit limit{value, value};
    if (::setrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return false;
  }
  return true;
}

// The plain system calls: libc's wrappers would signal the threads that the parent had.
bool change_identity(const SpawnOptions& options) {
  if (!options.uid) return true;
  const gid_t gid = *options.gid;
  const uid_t uid = *options.uid;
  return ::syscall(SYS_setgroups, 0, nullptr) == 0 &&
         ::syscall(SYS_setresgid, gid, gid, gid) == 0 &&
         ::syscall(SYS_setresuid, uid, uid, uid) == 0;
}

// After the change of identity, which clears it. A parent that has died before is asked for by its
// pidfd: from inside a PID namespace its number is not seen.
bool tie_to_parent(const SpawnOptions& options, const Plan& plan) {
  if (!options.die_with_parent) return true;
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return false;
  pollfd parent{.fd = plan.parent_fd, .events = POLLIN, .revents = 0};
  if (::poll(&parent, 1, 0) != 0) ::_exit(127);
  return true;
}

bool give_up_privileges(const SpawnOptions& options) {
  return !options.no_new_privileges || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

bool set_filter(const SpawnOptions& options) {
  if (options.filter.empty()) return true;
  const sock_fprog program{static_cast<unsigned short>(options.filter.size()),
                           const_cast<sock_filter*>(options.filter.data())};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

[[noreturn]] void run_child(const SpawnOptions& options, Plan& plan) {
  const auto require = [&plan](bool done, Step step) {
    if (done) return;
    const Failure failure{step, errno};
    // Smaller than PIPE_BUF: whole or not at all, and without a reader nobody wants to know.
    [[maybe_unused]] const ssize_t told = ::write(plan.error_fd, &failure, sizeof failure);
    ::_exit(127);
  };
  require(reset_signals(), Step::Signals);
  require(!options.new_session || ::setsid() >= 0, Step::Session);
  require(join_cgroups(options), Step::Cgroup);
  require(arrange_files(plan), Step::Files);
  require(prepare(options), Step::Prepare);
  // As the parent: the folders above it need not be open to the child's user.
  require(::chdir(options.working_directory.c_str()) == 0, Step::Directory);
  require(set_limits(options), Step::Limits);
  require(give_up_privileges(options), Step::Privileges);
  require(change_identity(options), Step::Identity);
  require(tie_to_parent(options, plan), Step::ParentDeath);
  require(set_filter(options), Step::Filter);
  ::execve(plan.argv.front(), plan.argv.data(), plan.env.data());
  require(false, Step::Exec);
  ::_exit(127);
}

// --- In the parent ------------------------------------------------------------------------------

// No handler of ours may run in the child before it has reset them: signals wait meanwhile.
pid_t fork_with_signals_blocked(const SpawnOptions& options, Plan& plan) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  // Without libc's fork() its handlers do not run; the child makes system calls only.
  const pid_t pid = options.new_pid_namespace
                        ? static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD | CLONE_NEWPID, nullptr,
                                                       nullptr, nullptr, nullptr))
                        : ::fork();
  if (pid == 0) run_child(options, plan);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

void wait_for(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

// Nothing when the pipe closed without a word: exec has succeeded.
std::optional<Failure> read_failure(int fd) {
  Failure failure;
  for (;;) {
    const ssize_t got = ::read(fd, &failure, sizeof failure);
    if (got < 0 && errno == EINTR) continue;
    if (got == sizeof failure) return failure;
    return std::nullopt;
  }
}

}  // namespace

struct Process::Watch {
  asio::posix::basic_stream_descriptor<Executor> pidfd;
  std::list<Event*> waiting;
  bool armed = false;
  // Held by nobody else: a completion that was queued before the end sees it expired.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

base::Result<std::unique_ptr<Process>> Process::spawn(Executor executor, SpawnOptions options) {
  TRY_VOID(check(options));
  const std::string doing = "starting '" + options.argv.front() + "': ";
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (null.get() < 0) return base::fail_errno(doing + "opening /dev/null", errno);
  const Fd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (self.get() < 0) return base::fail_errno(doing + "pidfd_open", errno);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail_errno(doing + "pipe", errno);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);

  Plan plan = make_plan(options, null.get(), write_end.get(), self.get());
  const pid_t pid = fork_with_signals_blocked(options, plan);
  if (pid < 0) return base::fail_errno(doing + "fork", errno);
  write_end.reset();
  if (const auto failure = read_failure(read_end.get())) {
    wait_for(pid);
    return base::fail_errno(
        doing + std::string(kStepNames[static_cast<std::size_t>(failure->step)]), failure->error);
  }
  // The pid is ours until we reap it: opening it now cannot hit another process.
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    wait_for(pid);
    return base::fail_errno(doing + "pidfd_open", error);
  }
  return std::unique_ptr<Process>(new Process(executor, pid, pidfd));
}

Process::Process(Executor executor, pid_t pid, int pidfd)
    : executor_(executor),
      pid_(pid),
      watch_(std::make_unique<Watch>(
          asio::posix::basic_stream_descriptor<Executor>(executor, pidfd))) {}

Process::~Process() {
  if (exit_) return;
  kill_group(SIGKILL);
  kill(SIGKILL);
  wait_for(pid_);
}

bool Process::reap() {
  if (exit_) return true;
  siginfo_t info = {};
  const int fd = watch_->pidfd.native_handle();
  if (::waitid(P_PIDFD, static_cast<id_t>(fd), &info, WEXITED | WNOHANG) != 0) return false;
  if (info.si_pid == 0) return false;
  exit_ =
      info.si_code == CLD_EXITED ? ExitStatus{info.si_status, 0} : ExitStatus{0, info.si_status};
  for (Event* const event : watch_->waiting) event->notify_all();
  return true;
}

void Process::watch() {
  if (watch_->armed) return;
  watch_->armed = true;
  watch_->pidfd.async_wait(
      asio::posix::descriptor_base::wait_read,
      [this, alive = std::weak_ptr<bool>(watch_->alive)](const boost::system::error_code& error) {
        if (error || alive.expired()) return;
        watch_->armed = false;
        if (!reap()) watch();
      });
}

Task<std::optional<ExitStatus>> Process::wait_until(base::Clock& clock, base::Timestamp deadline) {
  if (reap()) co_return exit_;
  Event ended(clock);
  const auto place = watch_->waiting.insert(watch_->waiting.end(), &ended);
  watch();
  co_await ended.wait_until(deadline);
  watch_->waiting.erase(place);
  if (watch_->waiting.empty() && watch_->armed) {
    // Nobody waits: a watch left behind would keep its loop from running out of work.
    watch_->armed = false;
    watch_->pidfd.cancel();
  }
  reap();
  co_return exit_;
}

void Process::kill(int signal) {
  if (exit_) return;
  ::syscall(SYS_pidfd_send_signal, watch_->pidfd.native_handle(), signal, nullptr, 0);
}

void Process::kill_group(int signal) {
  if (exit_) return;
  // While its leader is not reaped, no other group can have this number.
  ::kill(-pid_, signal);
}

}  // namespace runtime
