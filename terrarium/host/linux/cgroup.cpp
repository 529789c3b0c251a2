#include "terrarium/host/linux/cgroup.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <vector>

#include "terrarium/host/linux/cgroup_files.h"

namespace terrarium::host::linux_host {
namespace {

constexpr int kEndTimeoutMs = 1000;

struct Hierarchy {
  std::string mount_point;
  bool v2 = false;
};

// The v1 memory hierarchy where there is one: a hybrid host's unified tree has no controllers.
std::optional<Hierarchy> memory_hierarchy() {
  const Hierarchies all = mounted_hierarchies();
  if (const auto v1 = all.v1.find("memory"); v1 != all.v1.end()) {
    return Hierarchy{v1->second, false};
  }
  if (all.unified.empty()) return std::nullopt;
  return Hierarchy{all.unified, true};
}

}  // namespace

base::Result<std::unique_ptr<Cgroup>> Cgroup::make(std::string folder, bool v2,
                                                   std::uint64_t memory_bytes_max) {
  if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
    return base::fail_errno("make the control group " + folder, errno);
  }
  std::unique_ptr<Cgroup> made(new Cgroup(std::move(folder), v2));
  const std::string limit = std::to_string(memory_bytes_max);
  const std::string& in = made->folder_;
  if (!write_small(in + (v2 ? "/memory.max" : "/memory.limit_in_bytes"), limit)) {
    const int error_number = errno;
    made->remove();
    return base::fail_errno("limit the memory of " + made->folder_, error_number);
  }
  // Where swap is accounted: none of it. Where it is not, the files are not there either.
  if (v2) {
    write_small(in + "/memory.swap.max", "0");
    // A program without one of its processes is of no use: all of them go together.
    write_small(in + "/memory.oom.group", "1");
  } else {
    write_small(in + "/memory.memsw.limit_in_bytes", limit);
  }
  return made;
}

std::unique_ptr<Cgroup> Cgroup::existing(std::string folder, bool v2) {
  return std::unique_ptr<Cgroup>(new Cgroup(std::move(folder), v2));
}

void Cgroup::kill() const {
  if (v2_ && write_small(folder_ + "/cgroup.kill", "1")) return;
  kill_members(folder_);
}

void Cgroup::kill_and_wait() const {
  std::vector<int> pidfds;
  std::istringstream pids(read_small(procs_file()));
  for (int pid = 0; pids >> pid;) {
    const long fd = ::syscall(SYS_pidfd_open, pid, 0);
    if (fd >= 0) pidfds.push_back(static_cast<int>(fd));
  }
  kill();
  for (const int fd : pidfds) {
    pollfd ended{.fd = fd, .events = POLLIN, .revents = 0};
    ::poll(&ended, 1, kEndTimeoutMs);
    ::close(fd);
  }
}

std::uint64_t Cgroup::memory_peak_bytes() const {
  // The kernel's own high-water mark counts the page cache, which it would give back; it is no
  // measure of what the processes need. The sum of theirs is.
  std::uint64_t total = 0;
  std::istringstream pids(read_small(procs_file()));
  for (int pid = 0; pids >> pid;) {
    total += field(read_small("/proc/" + std::to_string(pid) + "/status"), "VmHWM:");
  }
  if (total > 0) return total * 1024;
  // Nobody is left to ask: the kernel's mark is better than nothing.
  return leading_number(
      read_small(folder_ + (v2_ ? "/memory.peak" : "/memory.max_usage_in_bytes")));
}

bool Cgroup::memory_exceeded() const {
  const std::string events = read_small(folder_ + (v2_ ? "/memory.events" : "/memory.oom_control"));
  return field(events, "oom_kill") > 0;
}

bool Cgroup::remove() const { return ::rmdir(folder_.c_str()) == 0 || errno == ENOENT; }

std::optional<CgroupRoot> CgroupRoot::find(const std::string& tag) {
  const auto hierarchy = memory_hierarchy();
  if (!hierarchy) return std::nullopt;
  const std::string folder = hierarchy->mount_point + "/terrarium-" + tag;
  if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) return std::nullopt;
  if (hierarchy->v2) {
    write_small(hierarchy->mount_point + "/cgroup.subtree_control", "+memory");
    write_small(folder + "/cgroup.subtree_control", "+memory");
  }
  CgroupRoot root(folder, hierarchy->v2);
  // Only a try tells whether limits can be set here.
  const auto probe = root.make("probe", 64 << 20);
  if (!probe) {
    ::rmdir(folder.c_str());
    return std::nullopt;
  }
  (*probe)->remove();
  return root;
}

base::Result<std::unique_ptr<Cgroup>> CgroupRoot::make(const std::string& name,
                                                       std::uint64_t memory_bytes_max) const {
  return Cgroup::make(folder_ + "/" + name, v2_, memory_bytes_max);
}

void CgroupRoot::clear() const {
  for (const std::string& name : folders_in(folder_)) {
    const auto left = Cgroup::existing(folder_ + "/" + name, v2_);
    left->kill_and_wait();
    left->remove();
  }
}

void CgroupRoot::remove() const {
  clear();
  ::rmdir(folder_.c_str());
}

}  // namespace terrarium::host::linux_host
