#include "terrarium/host/linux/machine_cgroup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "terrarium/host/linux/cgroup_files.h"

namespace terrarium::host::linux_host {
namespace {

constexpr std::array<const char*, 5> kV1Controllers = {"memory", "cpu", "cpuacct", "pids",
                                                       "freezer"};
constexpr std::uint64_t kCpuPeriodUs = 100'000;
constexpr int kFreezePolls = 200;
constexpr unsigned kFreezePollUs = 5'000;

bool make_folder(const std::string& path) {
  return ::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST;
}

bool remove_folder(const std::string& path) {
  return ::rmdir(path.c_str()) == 0 || errno == ENOENT;
}

base::Result<void> set(const std::string& file, const std::string& value) {
  if (write_small(file, value)) return {};
  return base::fail_errno("write " + value + " to " + file, errno);
}

}  // namespace

base::Result<MachineCgroups> MachineCgroups::find(const std::string& tag) {
  const auto refuse = [](const std::string& why) {
    return base::fail(base::ErrorKind::Unavailable, "machines cannot be limited here: " + why);
  };
  const Hierarchies mounted = mounted_hierarchies();
  MachineCgroups groups;
  groups.v2_ = !mounted.v1.contains("memory");
  const std::string folder = "/terrarium-" + tag;
  if (!mounted.unified.empty()) groups.unified_ = mounted.unified + folder;
  if (groups.v2_) {
    if (mounted.unified.empty()) return refuse("no control groups are mounted");
    const std::string controllers = read_small(mounted.unified + "/cgroup.controllers");
    for (const char* needed : {"memory", "cpu", "pids"}) {
      if (controllers.find(needed) == std::string::npos) {
        return refuse(std::string("no control group for ") + needed);
      }
      write_small(mounted.unified + "/cgroup.subtree_control", std::string("+") + needed);
    }
  } else {
    for (const char* needed : kV1Controllers) {
      const auto mount = mounted.v1.find(needed);
      if (mount == mounted.v1.end()) return refuse(std::string("no control group for ") + needed);
      groups.v1_[needed] = mount->second + folder;
      if (!make_folder(groups.v1_[needed])) return refuse(groups.v1_[needed] + " cannot be made");
    }
  }
  if (!groups.unified_.empty() && !make_folder(groups.unified_)) {
    return refuse(groups.unified_ + " cannot be made");
  }
  if (groups.v2_) write_small(groups.unified_ + "/cgroup.subtree_control", "+memory +cpu +pids");
  return groups;
}

std::string MachineCgroups::at(const std::string& controller, const std::string& name) const {
  const auto v1 = v1_.find(controller);
  return (v1 == v1_.end() ? unified_ : v1->second) + "/" + name;
}

base::Result<void> MachineCgroups::make(const std::string& name,
                                        const MachineLimits& limits) const {
  for (const auto& [controller, folder] : v1_) {
    if (!make_folder(folder + "/" + name)) return base::fail_errno("make " + folder, errno);
  }
  if (!unified_.empty() && !make_folder(unified_ + "/" + name)) {
    return base::fail_errno("make " + unified_ + "/" + name, errno);
  }
  const std::string memory = std::to_string(limits.memory_bytes);
  const std::string quota = std::to_string(limits.cpu_millis * kCpuPeriodUs / 1'000);
  const std::string period = std::to_string(kCpuPeriodUs);
  TRY_VOID(set(at("pids", name) + "/pids.max", std::to_string(limits.processes_max)));
  // Where swap is accounted: none of it. Where it is not, the files are not there either.
  if (v2_) {
    TRY_VOID(set(at("memory", name) + "/memory.max", memory));
    write_small(at("memory", name) + "/memory.swap.max", "0");
    return set(at("cpu", name) + "/cpu.max", quota + " " + period);
  }
  TRY_VOID(set(at("memory", name) + "/memory.limit_in_bytes", memory));
  write_small(at("memory", name) + "/memory.memsw.limit_in_bytes", memory);
  TRY_VOID(set(at("cpu", name) + "/cpu.cfs_period_us", period));
  return set(at("cpu", name) + "/cpu.cfs_quota_us", quota);
}

std::vector<std::string> MachineCgroups::procs_files(const std::string& name) const {
  std::set<std::string> files;
  for (const auto& [controller, folder] : v1_) files.insert(folder + "/" + name + "/cgroup.procs");
  if (!unified_.empty()) files.insert(unified_ + "/" + name + "/cgroup.procs");
  return {files.begin(), files.end()};
}

void MachineCgroups::kill(const std::string& name) const {
  if (!unified_.empty() && write_small(unified_ + "/" + name + "/cgroup.kill", "1")) return;
  kill_members(at("pids", name));
}

bool MachineCgroups::set_frozen(const std::string& name, bool frozen) const {
  const std::string unified = unified_ + "/" + name;
  if (!unified_.empty() && write_small(unified + "/cgroup.freeze", frozen ? "1" : "0")) {
    for (int i = 0; i < kFreezePolls; ++i) {
      if (field(read_small(unified + "/cgroup.events"), "frozen") == (frozen ? 1U : 0U))
        return true;
      ::usleep(kFreezePollUs);
    }
    return false;
  }
  const std::string file = at("freezer", name) + "/freezer.state";
  const std::string wanted = frozen ? "FROZEN" : "THAWED";
  if (!write_small(file, wanted)) return false;
  for (int i = 0; i < kFreezePolls; ++i) {
    if (read_small(file).starts_with(wanted)) return true;
    ::usleep(kFreezePollUs);
  }
  return false;
}

bool MachineCgroups::ran_out_of_memory(const std::string& name) const {
  const std::string file = at("memory", name) + (v2_ ? "/memory.events" : "/memory.oom_control");
  return field(read_small(file), "oom_kill") > 0;
}

MachineUsage MachineCgroups::usage(const std::string& name) const {
  using std::chrono::microseconds;
  const std::string memory = at("memory", name);
  MachineUsage usage;
  usage.processes =
      static_cast<std::uint32_t>(leading_number(read_small(at("pids", name) + "/pids.current")));
  // Cached files that nobody uses are the host's to take back, not the machine's need.
  const std::string stat = read_small(memory + "/memory.stat");
  std::uint64_t idle = 0;
  if (v2_) {
    usage.cpu = microseconds(field(read_small(at("cpu", name) + "/cpu.stat"), "usage_usec"));
    usage.memory_bytes = leading_number(read_small(memory + "/memory.current"));
    usage.memory_peak_bytes = leading_number(read_small(memory + "/memory.peak"));
    idle = field(stat, "inactive_file");
  } else {
    usage.cpu =
        microseconds(leading_number(read_small(at("cpuacct", name) + "/cpuacct.usage")) / 1'000);
    usage.memory_bytes = leading_number(read_small(memory + "/memory.usage_in_bytes"));
    usage.memory_peak_bytes = leading_number(read_small(memory + "/memory.max_usage_in_bytes"));
    idle = field(stat, "total_inactive_file");
  }
  usage.memory_bytes -= std::min(idle, usage.memory_bytes);
  return usage;
}

bool MachineCgroups::remove(const std::string& name) const {
  bool all = true;
  for (const auto& [controller, folder] : v1_) all = remove_folder(folder + "/" + name) && all;
  if (!unified_.empty()) all = remove_folder(unified_ + "/" + name) && all;
  return all;
}

std::vector<std::string> MachineCgroups::names() const {
  std::set<std::string> found;
  for (const auto& [controller, folder] : v1_)
    for (std::string& name : folders_in(folder)) found.insert(std::move(name));
  if (!unified_.empty()) {
    for (std::string& name : folders_in(unified_)) found.insert(std::move(name));
  }
  return {found.begin(), found.end()};
}

void MachineCgroups::remove_folders() const {
  for (const auto& [controller, folder] : v1_) remove_folder(folder);
  if (!unified_.empty()) remove_folder(unified_);
}

}  // namespace terrarium::host::linux_host
