#include "terrarium/host/linux/launch.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "terrarium/host/linux/base_image.h"
#include "terrarium/host/linux/host_key.h"
#include "terrarium/host/linux/user_data.h"

namespace terrarium::host::linux_host {
namespace {

namespace fs = std::filesystem;

// A machine starts in a tenth of this on a machine that does nothing else; fifty at once take
// longer.
constexpr int kStartTimeoutMs = 60'000;
constexpr int kSaveTimeoutMs = 600'000;
constexpr int kUndoPolls = 1'000;
constexpr unsigned kUndoPollUs = 5'000;
constexpr int kFdsFrom = 64;
constexpr std::size_t kLayersMax = 24;
constexpr std::size_t kReportBytesMax = 4'096;

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&&) = delete;
  int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

// Above those that a child gets, so that arranging them overwrites none.
Fd out_of_the_way(int fd) {
  Fd moved(::fcntl(fd, F_DUPFD_CLOEXEC, kFdsFrom));
  ::close(fd);
  return moved;
}

struct Child {
  pid_t pid = 0;
  Fd report;
};

// Starts the shim in `role`, with descriptors at their agreed numbers; -1: none.
base::Result<Child> spawn_shim(const MachineHost& host, std::vector<std::string> arguments,
                               int plan_fd, int lock_fd) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return base::fail_errno("make a pipe", errno);
  Child child{.pid = 0, .report = out_of_the_way(ends[0])};
  const Fd report = out_of_the_way(ends[1]);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, 1, 2);
  ::posix_spawn_file_actions_adddup2(&files, report.get(), kReportFd);
  if (plan_fd >= 0) ::posix_spawn_file_actions_adddup2(&files, plan_fd, kPlanFd);
  if (lock_fd >= 0) ::posix_spawn_file_actions_adddup2(&files, lock_fd, kLockFd);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string program = host.shim.string();
  std::vector<char*> argv = {program.data()};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  char* env[] = {nullptr};
  const int error =
      ::posix_spawn(&child.pid, program.c_str(), &files, &attributes, argv.data(), env);
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return base::fail_errno("start " + program, error);
  return child;
}

// What the child reported until it closed the pipe: empty when all went well.
base::Result<std::string> read_report(const Child& child, int timeout_ms) {
  std::string text;
  for (;;) {
    pollfd ready{.fd = child.report.get(), .events = POLLIN, .revents = 0};
    const int count = ::poll(&ready, 1, timeout_ms);
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) return base::fail(base::ErrorKind::Timeout, "the machine's parent is stuck");
    char piece[512];
    const ssize_t got = ::read(child.report.get(), piece, sizeof piece);
    if (got <= 0 || text.size() > kReportBytesMax) return text;
    text.append(piece, static_cast<std::size_t>(got));
  }
}

int reap(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

base::Result<Fd> in_memory(const std::string& bytes) {
  Fd fd = out_of_the_way(::memfd_create("launch-plan", MFD_CLOEXEC));
  if (fd.get() < 0) return base::fail_errno("make a file in memory", errno);
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t put = ::write(fd.get(), rest.data(), rest.size());
    if (put <= 0) return base::fail_errno("write the launch plan", errno);
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

base::Result<void> run_mkfs(const std::string& image) {
  std::vector<std::string> words = {
      "mkfs.ext4", "-q", "-F",
      "-m",        "0",  "-J",
      "size=4",    "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard",
      image};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  char* env[] = {nullptr};
  pid_t pid = 0;
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  for (const int fd : {0, 1, 2}) {
    ::posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
  }
  const int error = ::posix_spawn(&pid, "/usr/sbin/mkfs.ext4", &files, nullptr, argv.data(), env);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) return base::fail_errno("start mkfs.ext4", error);
  if (reap(pid) != 0) return base::fail(base::ErrorKind::Unavailable, "mkfs.ext4 failed");
  return {};
}

// An empty file system of that size, made once: a new disk is a copy of what little is in it.
base::Result<fs::path> disk_template(MachineHost& host, std::uint64_t bytes) {
  const std::lock_guard lock(host.making_disk);
  const fs::path made = host.images() / ("disk-" + std::to_string(bytes));
  std::error_code error;
  if (fs::exists(made, error)) return made;
  const std::string making = made.string() + ".new";
  const Fd fd(::open(making.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (fd.get() < 0 || ::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) {
    return base::fail_errno("make " + making, errno);
  }
  TRY_VOID(run_mkfs(making));
  fs::rename(making, made, error);
  if (error) return base::fail_errno("finish " + made.string(), error.value());
  return made;
}

base::Result<void> copy_sparse(const fs::path& from, const fs::path& to) {
  const Fd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  const Fd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  struct stat status{};
  if (in.get() < 0 || out.get() < 0 || ::fstat(in.get(), &status) != 0 ||
      ::ftruncate(out.get(), status.st_size) != 0) {
    return base::fail_errno("make " + to.string(), errno);
  }
  off_t at = 0;
  while (at < status.st_size) {
    off_t data = ::lseek(in.get(), at, SEEK_DATA);
    if (data < 0) break;  // ENXIO: only a hole is left
    at = ::lseek(in.get(), data, SEEK_HOLE);
    off_t target = data;
    while (data < at) {
      const ssize_t copied = ::copy_file_range(in.get(), &data, out.get(), &target,
                                               static_cast<std::size_t>(at - data), 0);
      if (copied <= 0) return base::fail_errno("copy to " + to.string(), errno);
    }
  }
  return {};
}

// New for a name: whoever knew another machine by its host key does not take this one for it.
base::Result<std::vector<PlannedFile>> make_identity(base::Random& random,
                                                     const std::string& hostname) {
  TRY(auto key, make_host_key(random, "root@" + hostname));
  return std::vector<PlannedFile>{
      {"/etc/ssh/ssh_host_ed25519_key", key.private_key, 0600},
      {"/etc/ssh/ssh_host_ed25519_key.pub", key.public_key, 0644},
      {"/etc/machine-id", random.hex(16) + "\n", 0444},
  };
}

base::Result<void> make_disk(MachineHost& host, const MachineSpec& spec, MachineRecord& record) {
  const MachineFiles files = host.files(spec.name);
  std::error_code error;
  if (!record.layers.empty() && fs::exists(files / "disk", error)) return {};
  record.layers.clear();
  {
    const std::lock_guard lock(host.making_base);
    TRY(auto base, make_base_image({host.images(), host.ca_certificate, host.shim}));
    record.layers.push_back(base.string());
  }
  if (spec.layers.size() > kLayersMax) {
    return base::fail(base::ErrorKind::InvalidInput, "an image has too many layers");
  }
  for (const std::string& id : spec.layers) {
    const fs::path layer = host.images() / id;
    if (!fs::exists(layer, error)) {
      return base::fail(base::ErrorKind::NotFound, "there is no image layer " + id);
    }
    record.layers.push_back(layer.string());
  }
  TRY(auto empty, disk_template(host, spec.limits.disk_bytes));
  // Until the record is written it counts for nothing.
  return copy_sparse(empty, files / "disk");
}

base::Result<void> give_folders(const MachineSpec& spec) {
  for (const MachineFolder& folder : spec.folders) {
    struct stat status{};
    if (::stat(folder.host.c_str(), &status) != 0) {
      return base::fail_errno("look at " + folder.host.string(), errno);
    }
    if (folder.writable && status.st_uid != folder.owner_id &&
        ::chown(folder.host.c_str(), folder.owner_id, folder.owner_id) != 0) {
      return base::fail_errno("give away " + folder.host.string(), errno);
    }
  }
  return {};
}

base::Error daemon_died() {
  return {.kind = base::ErrorKind::Cancelled, .message = "the daemon ends here, as a test asked"};
}

base::Result<RunningAs> run_shim(MachineHost& host, const LaunchPlan& plan, int lock_fd) {
  const MachineFiles files = host.files(plan.name);
  TRY(auto bytes, in_memory(encode(plan)));
  const Fd lock = out_of_the_way(lock_fd);
  TRY(auto child, spawn_shim(host, {"run"}, bytes.get(), lock.get()));
  const int status = reap(child.pid);
  if (host.dies_at && host.dies_at("spawned")) return std::unexpected(daemon_died());
  TRY(auto failure, read_report(child, kStartTimeoutMs));
  if (!failure.empty() || status != 0) {
    return base::fail(base::ErrorKind::Unavailable, "the machine did not start: " + failure);
  }
  const auto running = files.running_as();
  if (!running) return base::fail(base::ErrorKind::Unavailable, "the machine's parent ended");
  return *running;
}

}  // namespace

LaunchPlan make_plan(const MachineSpec& spec, const MachineRecord& record, const fs::path& folder,
                     std::vector<PlannedFile> first) {
  LaunchPlan plan;
  plan.name = spec.name;
  plan.folder = folder.string();
  plan.layers = record.layers;
  plan.first_id = first_id_of(record.slot);
  plan.network_namespace = spec.network_namespace.string();
  plan.hostname = spec.hostname;
  plan.first_cpu = record.slot;
  plan.cpus = spec.limits.vcpus;
  for (const MachineFolder& shared : spec.folders) {
    plan.folders.push_back({shared.host.string(), shared.path, shared.writable});
  }
  const std::string full = spec.domain.empty() ? "" : spec.hostname + "." + spec.domain + " ";
  plan.files = {{"/etc/hostname", spec.hostname + "\n", 0644},
                {"/etc/hosts",
                 "127.0.0.1 localhost\n127.0.1.1 " + full + spec.hostname + "\n" +
                     "::1 localhost ip6-localhost ip6-loopback\n",
                 0644}};
  std::string resolver;
  if (!spec.nameserver.empty()) resolver += "nameserver " + spec.nameserver + "\n";
  if (!spec.domain.empty()) resolver += "search " + spec.domain + "\n";
  plan.files.push_back({"/etc/resolv.conf", resolver, 0644});
  std::string environment;
  for (const auto& [name, value] : spec.env) {
    plan.env.push_back(name + "=" + value);
    environment += name + "=" + value + "\n";
  }
  plan.files.push_back({"/etc/environment", environment, 0644});
  for (const MachineFile& file : spec.files) {
    plan.files.push_back({file.path, file.content, file.mode});
  }
  plan.command = spec.command;
  plan.command_user = spec.command_user;
  plan.stop_signal = spec.stop_signal;
  if (!spec.boot) return plan;
  plan.boot = true;
  plan.login_user = spec.boot->login_user;
  for (const std::string& key : spec.boot->authorized_keys) plan.authorized_keys += key + "\n";
  plan.first_files = std::move(first);
  UserData data = parse_user_data(spec.boot->user_data);
  plan.scripts = std::move(data.scripts);
  plan.notices = std::move(data.refused);
  return plan;
}

base::Result<RunningAs> launch(MachineHost& host, const MachineSpec& spec, MachineRecord& record) {
  const MachineFiles files = host.files(spec.name);
  const auto dies_at = [&host](std::string_view step) {
    return host.dies_at && host.dies_at(step);
  };
  std::error_code error;
  fs::create_directories(files.folder(), error);
  if (error) return base::fail_errno("make " + files.folder().string(), error.value());
  if (dies_at("folder")) return std::unexpected(daemon_died());
  const auto lock = files.lock();
  if (!lock) return base::fail(base::ErrorKind::Conflict, "the machine already runs");
  Fd held(*lock);
  TRY_VOID(make_disk(host, spec, record));
  if (dies_at("disk")) return std::unexpected(daemon_died());
  for (const char* name : {"run", "exit", "asked"}) fs::remove(files / name, error);
  TRY_VOID(files.write_record(record));
  if (dies_at("record")) return std::unexpected(daemon_died());
  TRY_VOID(host.cgroups.make(spec.name, spec.limits));
  if (dies_at("cgroup")) return std::unexpected(daemon_died());
  TRY_VOID(give_folders(spec));
  TRY(auto identity, make_identity(host.random, spec.hostname));
  LaunchPlan plan = make_plan(spec, record, files.folder(), std::move(identity));
  plan.cgroups = host.cgroups.procs_files(spec.name);
  plan.filter = host.filter;
  return run_shim(host, plan, ::fcntl(held.get(), F_DUPFD_CLOEXEC, kFdsFrom));
}

void undo_launch(MachineHost& host, const std::string& name, bool is_new) {
  const MachineFiles files = host.files(name);
  host.cgroups.kill(name);
  // Its parent writes to the folder until it ends.
  std::optional<int> lock;
  for (int i = 0; i < kUndoPolls && !lock; ++i) {
    lock = files.lock();
    if (!lock) ::usleep(kUndoPollUs);
  }
  if (lock) ::close(*lock);
  host.cgroups.remove(name);
  std::error_code ignored;
  if (is_new) fs::remove_all(files.folder(), ignored);
}

base::Result<void> save_layer(MachineHost& host, const std::string& name,
                              const MachineRecord& record, int shim, const std::string& image_id) {
  const fs::path made = host.images() / image_id;
  const fs::path making = made.string() + ".new";
  std::error_code error;
  if (fs::exists(made, error)) {
    return base::fail(base::ErrorKind::Conflict, "there is an image " + image_id + " already");
  }
  fs::remove_all(making, error);
  TRY(auto child,
      spawn_shim(host,
                 {"save", host.files(name).folder().string(),
                  std::to_string(first_id_of(record.slot)), std::to_string(shim), making.string()},
                 -1, -1));
  const auto failure = read_report(child, kSaveTimeoutMs);
  if (!failure) ::kill(child.pid, SIGKILL);
  const int status = reap(child.pid);
  if (!failure || status != 0) {
    fs::remove_all(making, error);
    return base::fail(base::ErrorKind::Unavailable,
                      "the disk could not be saved: " + failure.value_or("it took too long"));
  }
  fs::rename(making, made, error);
  if (error) return base::fail_errno("finish " + made.string(), error.value());
  return {};
}

}  // namespace terrarium::host::linux_host
