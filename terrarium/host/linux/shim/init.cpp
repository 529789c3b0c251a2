#include "terrarium/host/linux/shim/init.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "terrarium/host/linux/launch_plan.h"
#include "terrarium/host/linux/shim/system_call.h"
#include "terrarium/host/linux/shim/system_setup.h"

namespace terrarium::host::shim {
namespace {

using namespace linux_host;

constexpr std::int64_t kShutdownMs = 90'000;
constexpr std::int64_t kRespawnMs = 1'000;
constexpr const char* kLocalScript = "/etc/rc.local";
constexpr const char* kUserDataLog = "/var/log/cloud-init-output.log";

std::int64_t now_ms() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000 + time.tv_nsec / 1'000'000;
}

std::string ended_text(int status) {
  return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                             : "exit " + std::to_string(WEXITSTATUS(status));
}

class Init {
 public:
  explicit Init(LaunchPlan plan) : plan_(std::move(plan)) {}
  [[noreturn]] void run();

 private:
  void start_system();
  void start_sshd();
  void start_user_data();
  void start_local_script();
  void start_command();
  int make_child();
  void on_signal(int signal);
  void reap();
  void copy_user_data_output();
  void begin_shutdown();
  [[noreturn]] void finish();
  int poll_timeout() const;

  LaunchPlan plan_;
  int signals_ = -1;
  sigset_t blocked_{};
  int sshd_ = 0;
  int command_ = 0;
  std::int64_t respawn_at_ = 0;  // 0: sshd runs
  std::int64_t kill_at_ = 0;     // 0: no shutdown under way
  int user_data_out_ = -1;
  int user_data_log_ = -1;
  std::string verdict_ = "exit 0";
};

// Signals as a program expects them, in a session of its own.
int Init::make_child() {
  const int child = ::fork();
  if (child != 0) return child;
  ::sigprocmask(SIG_UNBLOCK, &blocked_, nullptr);
  ::setsid();
  return 0;
}

void Init::start_sshd() {
  respawn_at_ = 0;
  sshd_ = make_child();
  if (sshd_ == 0) {
    execute({"/usr/sbin/sshd", "-D", "-E", "/var/log/auth.log"}, {"PATH=/usr/sbin:/usr/bin"});
  }
}

void Init::start_user_data() {
  if (plan_.scripts.empty() && plan_.notices.empty()) return;
  int ends[2];
  must(::pipe2(ends, O_CLOEXEC), "make a pipe");
  if (make_child() == 0) {
    ::dup2(ends[1], 1);
    ::dup2(ends[1], 2);
    run_user_data(plan_);
  }
  ::close(ends[1]);
  user_data_out_ = ends[0];
  user_data_log_ = ::open(kUserDataLog, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

// What an image, or its user data, wants done at every boot, as Debian has it.
void Init::start_local_script() {
  if (::access(kLocalScript, X_OK) != 0) return;
  if (make_child() == 0) execute({kLocalScript, "start"}, plan_.env);
}

void Init::start_command() {
  const Account account = find_account(plan_.command_user);
  command_ = make_child();
  if (command_ != 0) return;
  std::vector<gid_t> groups(account.groups.begin(), account.groups.end());
  must(::setgroups(groups.size(), groups.data()), "set the groups");
  must(::setresgid(account.gid, account.gid, account.gid), "set the group");
  must(::setresuid(account.uid, account.uid, account.uid), "set the user");
  if (::chdir(account.home.c_str()) != 0) must(::chdir("/"), "change to /");
  execute(plan_.command, plan_.env);
}

void Init::start_system() {
  write_system_files(plan_);
  if (!plan_.boot) return start_command();
  const bool first = take_identity(plan_);
  start_sshd();
  start_local_script();
  if (first) {
    mark_booted(plan_);
    start_user_data();
  }
}

void Init::reap() {
  for (;;) {
    int status = 0;
    const int child = ::waitpid(-1, &status, WNOHANG);
    if (child < 0 && errno == ECHILD && kill_at_ != 0) finish();
    if (child <= 0) return;
    if (child == command_) {
      verdict_ = ended_text(status);
      command_ = 0;
      begin_shutdown();
      // What a command leaves behind is of no use without it.
      ::kill(-1, SIGKILL);
    }
    if (child == sshd_ && kill_at_ == 0) respawn_at_ = now_ms() + kRespawnMs;
  }
}

void Init::begin_shutdown() {
  if (kill_at_ != 0) return;
  kill_at_ = now_ms() + kShutdownMs;
  if (plan_.boot) {
    ::kill(-1, SIGTERM);
    ::kill(-1, SIGCONT);
  } else if (command_ != 0) {
    ::kill(command_, plan_.stop_signal);
  }
}

void Init::finish() {
  copy_user_data_output();
  write_all(kReportFd, verdict_);
  ::_exit(0);
}

void Init::on_signal(int signal) {
  if (signal == SIGCHLD) return reap();
  if (signal == SIGINT && plan_.boot) verdict_ = "reboot";
  begin_shutdown();
  reap();
}

// To the console and to the log, as cloud-init does.
void Init::copy_user_data_output() {
  if (user_data_out_ < 0) return;
  char piece[16 * 1024];
  pollfd ready{.fd = user_data_out_, .events = POLLIN, .revents = 0};
  while (::poll(&ready, 1, 0) > 0) {
    const ssize_t got = ::read(user_data_out_, piece, sizeof piece);
    if (got <= 0) {
      ::close(user_data_out_);
      ::close(user_data_log_);
      user_data_out_ = -1;
      return;
    }
    const std::string_view bytes(piece, static_cast<std::size_t>(got));
    write_all(1, bytes);
    write_all(user_data_log_, bytes);
    if (bytes.size() < sizeof piece) return;
  }
}

int Init::poll_timeout() const {
  const std::int64_t next = kill_at_ != 0 ? kill_at_ : respawn_at_;
  if (next == 0) return -1;
  return static_cast<int>(std::max<std::int64_t>(0, next - now_ms()));
}

void Init::run() {
  ::sigemptyset(&blocked_);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGPWR}) ::sigaddset(&blocked_, signal);
  must(::sigprocmask(SIG_SETMASK, &blocked_, nullptr), "block signals");
  signals_ = static_cast<int>(must(::signalfd(-1, &blocked_, SFD_CLOEXEC), "watch signals"));
  start_system();
  for (;;) {
    pollfd waits[2] = {{.fd = signals_, .events = POLLIN, .revents = 0},
                       {.fd = user_data_out_, .events = POLLIN, .revents = 0}};
    ::poll(waits, 2, poll_timeout());
    if ((waits[1].revents & (POLLIN | POLLHUP)) != 0) copy_user_data_output();
    if ((waits[0].revents & POLLIN) != 0) {
      signalfd_siginfo info{};
      if (::read(signals_, &info, sizeof info) == sizeof info) {
        on_signal(static_cast<int>(info.ssi_signo));
      }
    }
    if (kill_at_ != 0 && now_ms() >= kill_at_) {
      ::kill(-1, SIGKILL);
      kill_at_ = now_ms() + kShutdownMs;
    } else if (kill_at_ == 0 && respawn_at_ != 0 && now_ms() >= respawn_at_) {
      start_sshd();
    }
  }
}

}  // namespace

int run_init() {
  const auto plan = decode_launch_plan(read_whole(kPlanFd));
  ::close(kPlanFd);
  if (!plan) give_up("read the plan", EINVAL);
  ::fcntl(kReportFd, F_SETFD, FD_CLOEXEC);
  // A secret or two were in the plan; the page cache of a machine is its own, other users' are not.
  Init(*plan).run();
}

}  // namespace terrarium::host::shim
