#include "terrarium/host/linux/machine.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <fstream>
#include <set>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "lib/base/log.h"
#include "lib/runtime/event.h"
#include "terrarium/host/linux/cgroup_files.h"
#include "terrarium/host/linux/launch.h"
#include "terrarium/host/linux/seccomp.h"
#include "terrarium/host/linux/turns.h"

namespace terrarium::host {
namespace {

using namespace linux_host;
using namespace std::chrono_literals;
using runtime::Task;
namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr base::Duration kKillTimeout = 30s;
constexpr int kAdoptPolls = 500;
constexpr unsigned kAdoptPollUs = 10'000;
constexpr std::uint64_t kSectorBytes = 512;

using Descriptor = asio::posix::basic_stream_descriptor<runtime::Executor>;

struct Machine {
  Machine(runtime::Executor executor, base::Clock& clock)
      : shim(executor), init(executor), changed(clock), turns(clock) {}
  MachineRecord record;
  std::optional<RunningAs> running;
  bool asked = false;  // its end is no surprise
  Descriptor shim;     // pidfds
  Descriptor init;
  runtime::Event changed;  // it has ended
  Turns turns;             // of calls for it
};

int open_pidfd(int pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

class LinuxMachines final : public Machines {
 public:
  LinuxMachines(runtime::Runtime& runtime, base::Clock& clock, std::unique_ptr<MachineHost> host)
      : runtime_(runtime), clock_(clock), host_(std::move(host)) {}

  // A region that runs nothing leaves nothing; folders of machines that go on stay.
  ~LinuxMachines() override { host_->cgroups.remove_folders(); }

  base::Result<void> adopt();
  void on_ended(std::function<void(std::string)> callback) override {
    on_ended_.push_back(std::move(callback));
  }
  Task<base::Result<void>> start(MachineSpec spec) override;
  Task<base::Result<void>> stop(std::string name, base::Duration grace) override;
  Task<base::Result<void>> remove(std::string name) override;
  base::Result<std::vector<MachineStatus>> list() const override;
  base::Result<MachineUsage> usage(const std::string& name) const override;
  base::Result<std::string> console(const std::string& name) const override;
  Task<base::Result<void>> save_image(std::string name, std::string image_id) override;
  Task<base::Result<void>> remove_image(std::string image_id) override;
  base::Result<std::vector<std::string>> images() const override;
  Task<base::Result<void>> remove_all() override;
  base::Result<std::string> description() const override {
    return "user namespaces, overlay over the host's /usr, disks on loop devices, " +
           std::string(host_->cgroups.version()) + " limits";
  }

 private:
  using Shared = std::shared_ptr<Machine>;
  Shared find(const std::string& name) const;
  base::Result<Shared> make_entry(const std::string& name);
  Task<base::Result<void>> launch_now(Shared machine, MachineSpec spec);
  Task<base::Result<void>> kill_now(Shared machine, std::string name);
  bool watch(const std::string& name, const Shared& machine);
  void ended(const std::string& name, Machine& machine);
  base::Result<void> adopt_one(const std::string& name);
  std::uint32_t free_slot() const;

  runtime::Runtime& runtime_;
  base::Clock& clock_;
  std::unique_ptr<MachineHost> host_;
  std::vector<std::function<void(std::string)>> on_ended_;
  std::map<std::string, Shared> machines_;
  // What callbacks of descriptors check: false when this object is gone.
  std::shared_ptr<bool> here_ = std::make_shared<bool>(true);
};

base::Result<void> LinuxMachines::adopt() {
  for (const std::string& name : folders_in((host_->state / "machines").string())) {
    TRY_VOID(adopt_one(name));
  }
  for (const std::string& name : host_->cgroups.names()) {
    const auto machine = find(name);
    if (machine && machine->running) {
      // An image was being saved when the daemon died.
      host_->cgroups.set_frozen(name, false);
      continue;
    }
    host_->cgroups.kill(name);
    host_->cgroups.remove(name);
  }
  return {};
}

base::Result<void> LinuxMachines::adopt_one(const std::string& name) {
  const MachineFiles files = host_->files(name);
  const auto record = files.record();
  const auto lock = files.lock();
  if (lock) ::close(*lock);
  if (!record) {
    // A start got no further; nothing ran.
    std::error_code error;
    fs::remove_all(files.folder(), error);
    return {};
  }
  auto machine = std::make_shared<Machine>(runtime_.control(), clock_);
  machine->record = *record;
  machines_[name] = machine;
  if (lock) {
    const std::string exit = files.exit();
    std::error_code error;
    if (!exit.empty() && !fs::exists(files / "asked", error)) machine->record.last_exit = exit;
    return {};
  }
  // Its shim may be only just making it.
  for (int i = 0; i < kAdoptPolls && !files.running_as(); ++i) ::usleep(kAdoptPollUs);
  machine->running = files.running_as();
  if (!machine->running || !watch(name, machine)) {
    machine->running.reset();
    return base::fail(base::ErrorKind::Internal, "the parent of machine " + name + " is stuck");
  }
  base::log::info("machines", "{} adopted, pid {}", name, machine->running->init);
  return {};
}

// From now on its end is noticed.
bool LinuxMachines::watch(const std::string& name, const Shared& machine) {
  const int shim = open_pidfd(machine->running->shim);
  if (shim < 0) return false;
  machine->shim.assign(shim);
  if (const int init = open_pidfd(machine->running->init); init >= 0) machine->init.assign(init);
  machine->shim.async_wait(Descriptor::wait_read, [this, here = std::weak_ptr(here_), name,
                                                   held = std::weak_ptr(machine)](auto error) {
    const auto machine_held = held.lock();
    if (!error && here.lock() && machine_held) ended(name, *machine_held);
  });
  return true;
}

void LinuxMachines::ended(const std::string& name, Machine& machine) {
  if (!machine.running) return;
  const MachineFiles files = host_->files(name);
  std::string exit = files.exit();
  if (exit.empty()) exit = "signal 9";
  if (exit == "signal 9" && host_->cgroups.ran_out_of_memory(name)) exit = "out of memory";
  machine.record.last_exit = machine.asked ? "" : exit;
  if (const auto written = files.write_record(machine.record); !written) {
    base::log::warning("machines", "{}: {}", name, base::describe(written.error()));
  }
  machine.running.reset();
  boost::system::error_code ignored;
  machine.shim.close(ignored);
  machine.init.close(ignored);
  host_->cgroups.remove(name);
  machine.changed.notify_all();
  if (machine.asked) return;
  base::log::info("machines", "{} ended by itself: {}", name, exit);
  for (const auto& callback : on_ended_) callback(name);
}

LinuxMachines::Shared LinuxMachines::find(const std::string& name) const {
  const auto found = machines_.find(name);
  return found == machines_.end() ? nullptr : found->second;
}

// Two regions on one machine begin at different places.
std::uint32_t LinuxMachines::free_slot() const {
  const std::string hash = base::digest(base::DigestKind::Sha256, host_->state.string());
  const auto first = static_cast<std::uint32_t>(
      (static_cast<unsigned char>(hash[0]) << 8 | static_cast<unsigned char>(hash[1])) % kSlots);
  std::set<std::uint32_t> used;
  for (const auto& [name, machine] : machines_) used.insert(machine->record.slot);
  for (std::uint32_t i = 0; i < kSlots; ++i) {
    if (!used.contains((first + i) % kSlots)) return (first + i) % kSlots;
  }
  return kSlots;
}

base::Result<LinuxMachines::Shared> LinuxMachines::make_entry(const std::string& name) {
  if (auto found = find(name)) return found;
  auto machine = std::make_shared<Machine>(runtime_.control(), clock_);
  machine->record.slot = free_slot();
  if (machine->record.slot == kSlots) {
    return base::fail(base::ErrorKind::Throttled, "every range of ids for machines is in use");
  }
  machines_[name] = machine;
  return machine;
}

Task<base::Result<void>> LinuxMachines::start(MachineSpec spec) {
  CO_TRY_VOID(check(spec));
  for (;;) {
    CO_TRY(auto machine, make_entry(spec.name));
    CO_TRY(const auto turn, co_await machine->turns.wait());
    // It may have been removed while this waited.
    if (find(spec.name) != machine) continue;
    if (machine->running) co_return base::Result<void>();
    co_return co_await launch_now(machine, spec);
  }
}

Task<base::Result<void>> LinuxMachines::launch_now(Shared machine, MachineSpec spec) {
  MachineHost& host = *host_;
  const bool is_new = machine->record.layers.empty();
  machine->record.last_exit.clear();
  machine->record.started = clock_.now();
  MachineRecord record = machine->record;
  auto launched = co_await runtime_.blocking().run([&host, &spec, &record, is_new] {
    auto running = launch(host, spec, record);
    const bool died = !running && running.error().kind == base::ErrorKind::Cancelled;
    if (!running && !died) undo_launch(host, spec.name, is_new);
    return running;
  });
  if (!launched) {
    if (is_new) machines_.erase(spec.name);
    co_return std::unexpected(base::wrap(std::move(launched).error(), "start " + spec.name));
  }
  machine->record = std::move(record);
  machine->running = *launched;
  machine->asked = false;
  if (watch(spec.name, machine)) co_return base::Result<void>();
  // It came and went.
  ended(spec.name, *machine);
  co_return base::Result<void>();
}

Task<base::Result<void>> LinuxMachines::kill_now(Shared machine, std::string name) {
  const base::Timestamp deadline = clock_.now() + kKillTimeout;
  while (machine->running) {
    host_->cgroups.kill(name);
    if (!co_await machine->changed.wait_until(std::min(deadline, clock_.now() + 1s)) &&
        clock_.now() >= deadline) {
      co_return base::fail(base::ErrorKind::Timeout, "the machine " + name + " does not end");
    }
  }
  co_return base::Result<void>();
}

Task<base::Result<void>> LinuxMachines::stop(std::string name, base::Duration grace) {
  const auto machine = find(name);
  if (!machine) co_return base::Result<void>();
  CO_TRY(const auto turn, co_await machine->turns.wait());
  base::Result<void> stopped;
  if (machine->running) {
    machine->asked = true;
    std::ofstream(host_->files(name) / "asked") << "\n";
    ::syscall(SYS_pidfd_send_signal, machine->init.native_handle(), SIGTERM, nullptr, 0);
    const base::Timestamp deadline = clock_.now() + grace;
    while (machine->running && clock_.now() < deadline) {
      co_await machine->changed.wait_until(deadline);
    }
    stopped = co_await kill_now(machine, name);
  }
  co_return stopped;
}

Task<base::Result<void>> LinuxMachines::remove(std::string name) {
  const auto machine = find(name);
  if (!machine) co_return base::Result<void>();
  CO_TRY(const auto turn, co_await machine->turns.wait());
  machine->asked = true;
  auto removed = co_await kill_now(machine, name);
  if (removed && find(name) == machine) {
    const fs::path folder = host_->files(name).folder();
    const auto error = co_await runtime_.blocking().run([folder] {
      std::error_code code;
      fs::remove_all(folder, code);
      return code;
    });
    if (error) {
      removed = base::fail_errno("remove " + folder.string(), error.value());
    } else {
      machines_.erase(name);
    }
  }
  co_return removed;
}

base::Result<std::vector<MachineStatus>> LinuxMachines::list() const {
  std::vector<MachineStatus> all;
  for (const auto& [name, machine] : machines_) {
    // One that is being made is nothing yet.
    if (machine->record.layers.empty()) continue;
    all.push_back({.name = name,
                   .state = machine->running ? MachineState::Running : MachineState::Stopped,
                   .pid = machine->running ? machine->running->init : 0,
                   .started = machine->record.started,
                   .last_exit = machine->record.last_exit});
  }
  return all;
}

base::Result<MachineUsage> LinuxMachines::usage(const std::string& name) const {
  const auto machine = find(name);
  if (!machine) return base::fail(base::ErrorKind::NotFound, "there is no machine " + name);
  if (!machine->running) return MachineUsage{};
  MachineUsage usage = host_->cgroups.usage(name);
  // Its own loop device counts exactly what it reads and writes.
  std::ifstream stat("/sys/block/loop" + std::to_string(machine->running->loop) + "/stat");
  std::uint64_t field = 0;
  for (int i = 0; i < 7 && stat >> field; ++i) {
    if (i == 2) usage.disk_read_bytes = field * kSectorBytes;
    if (i == 6) usage.disk_written_bytes = field * kSectorBytes;
  }
  return usage;
}

base::Result<std::string> LinuxMachines::console(const std::string& name) const {
  if (!find(name)) return base::fail(base::ErrorKind::NotFound, "there is no machine " + name);
  return host_->files(name).console();
}

Task<base::Result<void>> LinuxMachines::save_image(std::string name, std::string image_id) {
  const auto machine = find(name);
  if (!machine || machine->record.layers.empty()) {
    co_return base::fail(base::ErrorKind::NotFound, "there is no machine " + name);
  }
  CO_TRY(const auto turn, co_await machine->turns.wait());
  MachineHost& host = *host_;
  const MachineRecord record = machine->record;
  const int shim = machine->running ? machine->running->shim : 0;
  auto saved = co_await runtime_.blocking().run([&]() -> base::Result<void> {
    if (shim == 0) return save_layer(host, name, record, 0, image_id);
    if (!host.cgroups.set_frozen(name, true)) {
      host.cgroups.set_frozen(name, false);
      return base::fail(base::ErrorKind::Unavailable, "the machine could not be held still");
    }
    auto result = save_layer(host, name, record, shim, image_id);
    host.cgroups.set_frozen(name, false);
    return result;
  });
  co_return saved;
}

Task<base::Result<void>> LinuxMachines::remove_image(std::string image_id) {
  const fs::path folder = host_->images() / image_id;
  for (const auto& [name, machine] : machines_) {
    if (std::ranges::find(machine->record.layers, folder.string()) !=
        machine->record.layers.end()) {
      co_return base::fail(base::ErrorKind::Conflict, "the image is the disk of " + name);
    }
  }
  const auto error = co_await runtime_.blocking().run([folder] {
    std::error_code code;
    fs::remove_all(folder, code);
    return code;
  });
  if (error) co_return base::fail_errno("remove " + folder.string(), error.value());
  co_return base::Result<void>();
}

base::Result<std::vector<std::string>> LinuxMachines::images() const {
  std::vector<std::string> ids;
  for (std::string& name : folders_in(host_->images().string())) {
    if (!name.starts_with("base-") && !name.ends_with(".new")) ids.push_back(std::move(name));
  }
  std::ranges::sort(ids);
  return ids;
}

Task<base::Result<void>> LinuxMachines::remove_all() {
  base::Result<void> all;
  std::vector<std::string> names;
  for (const auto& [name, machine] : machines_) names.push_back(name);
  for (const std::string& name : names) {
    if (auto removed = co_await remove(name); !removed) all = std::move(removed);
  }
  if (machines_.empty()) host_->cgroups.remove_folders();
  co_return all;
}

// Where no machine can run: says so to everybody who asks for one.
class NoMachines final : public Machines {
 public:
  explicit NoMachines(base::Error why) : why_(std::move(why)) {}
  void on_ended(std::function<void(std::string)>) override {}
  Task<base::Result<void>> start(MachineSpec) override { co_return std::unexpected(why_); }
  Task<base::Result<void>> stop(std::string, base::Duration) override {
    co_return base::Result<void>();
  }
  Task<base::Result<void>> remove(std::string) override { co_return base::Result<void>(); }
  base::Result<std::vector<MachineStatus>> list() const override { return {}; }
  base::Result<MachineUsage> usage(const std::string&) const override {
    return std::unexpected(why_);
  }
  base::Result<std::string> console(const std::string&) const override {
    return std::unexpected(why_);
  }
  Task<base::Result<void>> save_image(std::string, std::string) override {
    co_return std::unexpected(why_);
  }
  Task<base::Result<void>> remove_image(std::string) override { co_return base::Result<void>(); }
  base::Result<std::vector<std::string>> images() const override { return {}; }
  Task<base::Result<void>> remove_all() override { co_return base::Result<void>(); }
  base::Result<std::string> description() const override { return std::unexpected(why_); }

 private:
  base::Error why_;
};

// Whether the user namespace that the daemon lives in knows our range of ids.
bool ids_are_mapped() {
  std::ifstream map("/proc/self/uid_map");
  std::uint64_t inside = 0;
  std::uint64_t outside = 0;
  std::uint64_t count = 0;
  const std::uint64_t end = kFirstMachineId + std::uint64_t{kSlots} * kIdsPerMachine;
  while (map >> inside >> outside >> count) {
    if (inside <= kFirstMachineId && end <= inside + count) return true;
  }
  return false;
}

base::Result<MachineCgroups> what_is_allowed(const std::string& tag) {
  const auto refuse = [](const char* why) {
    return base::fail(base::ErrorKind::Unavailable, std::string("machines need ") + why);
  };
  if (::geteuid() != 0) return refuse("root: the daemon runs as another user");
  if (!ids_are_mapped()) return refuse("user ids above 1,744,830,464, which do not exist here");
  if (::access("/dev/loop-control", R_OK | W_OK) != 0) return refuse("loop devices");
  if (::access("/proc/self/ns/user", F_OK) != 0) return refuse("user namespaces");
  return MachineCgroups::find(tag);
}

}  // namespace

base::Result<std::unique_ptr<Machines>> open_linux_machines(runtime::Runtime& runtime,
                                                            base::Clock& clock,
                                                            base::Random& random,
                                                            LinuxMachinesOptions options) {
  const fs::path state = fs::absolute(options.state);
  const std::string tag =
      base::hex_encode(base::digest(base::DigestKind::Sha256, (state / "machines").string()));
  auto cgroups = what_is_allowed(tag.substr(0, 12));
  if (!cgroups) {
    base::log::warning("machines", "{}", base::describe(cgroups.error()));
    return std::make_unique<NoMachines>(cgroups.error());
  }
  std::error_code error;
  for (const char* name : {"machines", "images"}) {
    fs::create_directories(state / name, error);
    // What machines own lies here with ids of this system: nobody may reach it.
    if (!error) fs::permissions(state / name, fs::perms::owner_all, error);
    if (error) return base::fail_errno("make " + (state / name).string(), error.value());
  }
  if (options.shim.empty()) {
    options.shim = fs::read_symlink("/proc/self/exe", error).parent_path() / "terrarium-shim";
  }
  auto host = std::unique_ptr<MachineHost>(new MachineHost{.state = state,
                                                           .ca_certificate = options.ca_certificate,
                                                           .shim = options.shim,
                                                           .cgroups = *std::move(cgroups),
                                                           .random = random,
                                                           .filter = machine_filter_bytes(),
                                                           .dies_at = options.dies_at});
  auto machines = std::make_unique<LinuxMachines>(runtime, clock, std::move(host));
  TRY_VOID(machines->adopt());
  base::log::info("machines", "{}", machines->description().value_or(""));
  return machines;
}

}  // namespace terrarium::host
