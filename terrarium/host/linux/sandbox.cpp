#include "terrarium/host/linux/sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <cerrno>
#include <fstream>
#include <set>
#include <system_error>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "lib/base/log.h"
#include "lib/runtime/event.h"
#include "terrarium/host/linux/cgroup.h"
#include "terrarium/host/linux/private_view.h"
#include "terrarium/host/linux/sandbox_filter.h"

namespace terrarium::host {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace fs = std::filesystem;
using linux_host::Cgroup;
using linux_host::CgroupRoot;
using linux_host::PrivateView;
using linux_host::SystemView;

constexpr std::size_t kReadBytes = 16 * 1024;
constexpr std::size_t kTakeBytesMax = 1 << 20;
constexpr base::Duration kEndTimeout = 5s;
constexpr base::Duration kCgroupRetry = 10ms;
constexpr int kCgroupRetriesMax = 100;
// User ids that Debian gives to nobody: one a sandbox, so that none can signal or trace another.
constexpr uid_t kUidFirst = 1'610'612'736;
constexpr uid_t kUidCount = 4096;
constexpr uid_t kNobody = 65'534;

// Whether the user namespace that the daemon lives in knows our range of ids.
bool range_is_mapped() {
  std::ifstream map("/proc/self/uid_map");
  std::uint64_t inside = 0;
  std::uint64_t outside = 0;
  std::uint64_t count = 0;
  while (map >> inside >> outside >> count) {
    if (inside <= kUidFirst && kUidFirst + kUidCount <= inside + count) return true;
  }
  return false;
}

struct Pipe {
  int read = -1;
  int write = -1;
  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    if (read >= 0) ::close(read);
    if (write >= 0) ::close(write);
  }
};

std::string resolver_of(const SandboxSpec& spec) {
  return spec.nameserver.empty() ? std::string() : "nameserver " + spec.nameserver + "\n";
}

// What the sandbox and its processes share; the processes may not outlive it.
struct Shared {
  runtime::Executor executor;
  runtime::BlockingPool& blocking;
  base::Clock& clock;
  fs::path folder;
  bool root = false;
  bool own_uids = false;
  std::optional<CgroupRoot> cgroups;
  std::set<uid_t> uids;  // in use
  SystemView system;
  std::vector<sock_filter> filter = linux_host::sandbox_filter();
};

// Who it is, as programs look it up.
std::string passwd_of(uid_t uid) {
  const std::string id = std::to_string(uid);
  return "root:x:0:0:root:/:/usr/sbin/nologin\nsbx_user:x:" + id + ":" + id +
         "::/tmp:/usr/sbin/nologin\n";
}

class LinuxSandboxProcess final : public SandboxProcess {
 public:
  LinuxSandboxProcess(Shared& shared, std::string name)
      : shared_(shared), name_(std::move(name)), output_(shared.executor) {}
  ~LinuxSandboxProcess() override {
    if (closed_) return;
    kill();
    process_.reset();
    release();
  }

  base::Result<void> start(SandboxSpec spec);
  runtime::Task<std::optional<runtime::ExitStatus>> wait_until(base::Timestamp deadline) override {
    co_return co_await process_->wait_until(shared_.clock, deadline);
  }
  runtime::Task<std::string> read_output() override;
  std::string take_output() override;
  void kill() override;
  std::uint64_t memory_peak_bytes() const override;
  bool memory_exceeded() const override { return cgroup_ && cgroup_->memory_exceeded(); }
  runtime::Task<void> close() override;

 private:
  base::Result<void> make_scratch();
  runtime::SpawnOptions spawn_options(const SandboxSpec& spec) const;
  void release();
  fs::path scratch() const { return shared_.folder / "tmp" / name_; }

  Shared& shared_;
  std::string name_;
  std::optional<uid_t> uid_;
  std::unique_ptr<Cgroup> cgroup_;
  std::unique_ptr<runtime::Process> process_;
  asio::posix::basic_stream_descriptor<runtime::Executor> output_;
  bool closed_ = false;
};

base::Result<void> LinuxSandboxProcess::make_scratch() {
  const fs::path path = scratch();
  if (::mkdir(path.c_str(), 0700) != 0) {
    return base::fail_errno("make the folder " + path.string(), errno);
  }
  if (uid_ && ::chown(path.c_str(), *uid_, *uid_) != 0) {
    return base::fail_errno("give away the folder " + path.string(), errno);
  }
  return {};
}

runtime::SpawnOptions LinuxSandboxProcess::spawn_options(const SandboxSpec& spec) const {
  runtime::SpawnOptions options;
  const std::string code = shared_.root ? linux_host::kCodePath : spec.code.string();
  options.argv = spec.arguments;
  if (options.argv.empty()) options.argv = {code + "/" + spec.program};
  options.env = spec.env;
  options.working_directory = code;
  options.die_with_parent = true;
  options.limits = {{RLIMIT_CORE, 0},
                    {RLIMIT_NOFILE, spec.descriptors_max},
                    {RLIMIT_FSIZE, spec.scratch_bytes_max}};
  if (uid_) {
    options.uid = uid_;
    options.gid = uid_;
    options.new_pid_namespace = true;
    options.filter = shared_.filter;
  } else {
    options.env.emplace("TMPDIR", scratch().string());
  }
  // Counted over all processes of a user id: only one that nobody shares can be limited.
  if (shared_.own_uids) options.limits.emplace_back(RLIMIT_NPROC, spec.processes_max);
  if (cgroup_) {
    options.cgroup_procs = {cgroup_->procs_file()};
  } else {
    options.limits.emplace_back(RLIMIT_DATA, spec.memory_bytes_max);
  }
  return options;
}

base::Result<void> LinuxSandboxProcess::start(SandboxSpec spec) {
  if (!spec.network_namespace.empty() && !shared_.root) {
    return base::fail(base::ErrorKind::Unavailable, "only root joins a network namespace");
  }
  if (shared_.root) {
    uid_t uid = kNobody;
    if (shared_.own_uids) {
      uid = kUidFirst;
      while (shared_.uids.contains(uid)) ++uid;
      if (uid == kUidFirst + kUidCount) {
        return base::fail(base::ErrorKind::Throttled, "every user id for sandboxes is in use");
      }
      shared_.uids.insert(uid);
    }
    uid_ = uid;
  }
  TRY_VOID(make_scratch());
  if (shared_.cgroups) {
    TRY(cgroup_, shared_.cgroups->make(name_, spec.memory_bytes_max));
  }
  Pipe pipe;
  int ends[2] = {};
  if (::pipe2(ends, O_CLOEXEC) != 0) return base::fail_errno("make a pipe", errno);
  pipe.read = ends[0];
  pipe.write = ends[1];
  runtime::SpawnOptions options = spawn_options(spec);
  options.stdout_fd = pipe.write;
  options.stderr_fd = pipe.write;
  const PrivateView view{.system = &shared_.system,
                         .code = spec.code.string(),
                         .scratch = scratch().string(),
                         .runtime = spec.runtime.string(),
                         .opt = spec.opt.string(),
                         .network_namespace = spec.network_namespace.string(),
                         .resolver = resolver_of(spec),
                         .passwd = passwd_of(uid_.value_or(kNobody)),
                         .group = "sbx_user:x:" + std::to_string(uid_.value_or(kNobody)) + ":\n"};
  if (shared_.root) {
    options.prepare = linux_host::enter_private_view;
    options.prepare_argument = &view;
  }
  TRY(process_, runtime::Process::spawn(shared_.executor, std::move(options)));
  output_.assign(std::exchange(pipe.read, -1));
  output_.non_blocking(true);
  return {};
}

runtime::Task<std::string> LinuxSandboxProcess::read_output() {
  std::string bytes(kReadBytes, '\0');
  boost::system::error_code error;
  const std::size_t got = co_await output_.async_read_some(
      asio::buffer(bytes), asio::redirect_error(runtime::use_task, error));
  bytes.resize(error ? 0 : got);
  co_return bytes;
}

std::string LinuxSandboxProcess::take_output() {
  std::string bytes;
  char piece[kReadBytes];
  // Bounded: a program that never stops writing must not hold the daemon.
  while (output_.is_open() && bytes.size() < kTakeBytesMax) {
    const ssize_t got = ::read(output_.native_handle(), piece, sizeof piece);
    if (got <= 0) break;
    bytes.append(piece, static_cast<std::size_t>(got));
  }
  return bytes;
}

void LinuxSandboxProcess::kill() {
  if (process_) {
    process_->kill_group(SIGKILL);
    process_->kill(SIGKILL);
  }
  if (cgroup_) cgroup_->kill();
}

std::uint64_t LinuxSandboxProcess::memory_peak_bytes() const {
  if (cgroup_) return cgroup_->memory_peak_bytes();
  std::ifstream status("/proc/" + std::to_string(process_->pid()) + "/status");
  for (std::string word; status >> word;) {
    std::uint64_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib * 1024;
  }
  return 0;
}

void LinuxSandboxProcess::release() {
  closed_ = true;
  if (uid_ && shared_.own_uids) shared_.uids.erase(*uid_);
  std::error_code ignored;
  fs::remove_all(scratch(), ignored);
  if (cgroup_) cgroup_->remove();
}

runtime::Task<void> LinuxSandboxProcess::close() {
  if (closed_) co_return;
  kill();
  if (process_) co_await process_->wait_until(shared_.clock, shared_.clock.now() + kEndTimeout);
  boost::system::error_code ignored;
  output_.close(ignored);
  // A process that was killed stays in its group until its parent, or init, has reaped it.
  for (int i = 0; cgroup_ && !cgroup_->remove() && i < kCgroupRetriesMax; ++i) {
    cgroup_->kill();
    co_await runtime::sleep_until(shared_.clock, shared_.clock.now() + kCgroupRetry);
  }
  co_await shared_.blocking.run([path = scratch()] {
    std::error_code error;
    fs::remove_all(path, error);
    return error.value();
  });
  // Last: until nothing of it runs, nobody else may be this user.
  release();
}

class LinuxSandbox final : public Sandbox {
 public:
  LinuxSandbox(Shared shared) : shared_(std::move(shared)) {}
  ~LinuxSandbox() override {
    if (shared_.cgroups) shared_.cgroups->remove();
  }
  base::Result<std::unique_ptr<SandboxProcess>> start(SandboxSpec spec) override {
    auto process = std::make_unique<LinuxSandboxProcess>(shared_, spec.name);
    TRY_VOID(process->start(std::move(spec)));
    return std::unique_ptr<SandboxProcess>(std::move(process));
  }
  std::string code_path(const fs::path& code) const override {
    return shared_.root ? linux_host::kCodePath : code.string();
  }
  std::string opt_path(const fs::path& opt) const override {
    return shared_.root ? linux_host::kOptPath : opt.string();
  }
  std::string runtime_path(const fs::path& runtime) const override {
    return shared_.root ? linux_host::kRuntimePath : runtime.string();
  }
  std::string description() const override {
    const std::string memory = shared_.cgroups
                                   ? std::string(shared_.cgroups->version()) + " memory limit"
                                   : "no control group: RLIMIT_DATA limits each process";
    if (!shared_.root) return "not root: functions run as this user, in its view; " + memory;
    return std::string(shared_.own_uids ? "a user id for each" : "user id nobody") +
           ", own processes, files and system calls, " + memory;
  }

 private:
  Shared shared_;
};

}  // namespace

base::Result<std::unique_ptr<Sandbox>> open_linux_sandbox(runtime::Runtime& runtime,
                                                          base::Clock& clock,
                                                          LinuxSandboxOptions options) {
  Shared shared{.executor = runtime.control(),
                .blocking = runtime.blocking(),
                .clock = clock,
                .folder = fs::absolute(options.folder),
                .root = ::geteuid() == 0};
  if (shared.root) shared.system = SystemView::of_this_machine();
  if (shared.root && !linux_host::private_view_allowed(shared.system)) {
    return base::fail(base::ErrorKind::Unavailable,
                      "root may not make namespaces and mounts here (CAP_SYS_ADMIN is missing): "
                      "functions would see the whole machine");
  }
  shared.own_uids = shared.root && range_is_mapped();
  const std::string tag =
      base::hex_encode(base::digest(base::DigestKind::Sha256, shared.folder.string()));
  shared.cgroups = CgroupRoot::find(tag.substr(0, 12));
  if (shared.cgroups) shared.cgroups->clear();
  std::error_code error;
  fs::remove_all(shared.folder / "tmp", error);
  if (!error) fs::create_directories(shared.folder / "tmp", error);
  if (error) return base::fail_errno("empty " + shared.folder.string() + "/tmp", error.value());
  auto sandbox = std::make_unique<LinuxSandbox>(std::move(shared));
  base::log::info("sandbox", "{}", sandbox->description());
  return sandbox;
}

}  // namespace terrarium::host
