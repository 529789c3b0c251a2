#include "terrarium/host/linux/network_namespace.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "lib/base/check.h"
#include "lib/http/owned_fd.h"

namespace terrarium::host::linux_host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "/run/netns";
constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";

// Goes back to where the thread was when made.
class WayBack {
 public:
  WayBack() : home_(::open(kOwnNamespace, O_RDONLY | O_CLOEXEC)) {}
  ~WayBack() {
    // A thread left in a foreign namespace would do the next call's work there.
    CHECK(home_.get() < 0 || ::setns(home_.get(), CLONE_NEWNET) == 0,
          "a thread returns to its own network namespace");
  }
  WayBack(const WayBack&) = delete;
  WayBack& operator=(const WayBack&) = delete;
  bool known() const { return home_.get() >= 0; }

 private:
  http::OwnedFd home_;
};

bool is_namespace(const fs::path& file) {
  struct statfs found{};
  return ::statfs(file.c_str(), &found) == 0 && found.f_type == NSFS_MAGIC;
}

// As `ip netns` does: the folder is a mount point that shares its mounts, so that programs with
// their own view of the files see namespaces come and go.
base::Result<void> make_folder() {
  if (::mkdir(kFolder, 0755) != 0 && errno != EEXIST) {
    return base::fail_errno("cannot make /run/netns", errno);
  }
  return {};
}

}  // namespace

fs::path NetworkNamespaces::path(const std::string& id) const {
  return fs::path(kFolder) / (tag_ + "-" + id);
}

bool NetworkNamespaces::exists(const std::string& id) const { return is_namespace(path(id)); }

base::Result<void> NetworkNamespaces::ensure(
    const std::string& id, const std::function<base::Result<void>()>& set_up) const {
  const fs::path file = path(id);
  if (is_namespace(file)) return enter(id, set_up);
  TRY_VOID(make_folder());
  const http::OwnedFd made(::open(file.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0444));
  if (made.get() < 0) return base::fail_errno("cannot make " + file.string(), errno);
  const WayBack way_back;
  if (!way_back.known()) return base::fail_errno("cannot open the own network namespace", errno);
  if (::unshare(CLONE_NEWNET) != 0) return base::fail_errno("cannot make a namespace", errno);
  if (::mount(kOwnNamespace, file.c_str(), "none", MS_BIND, nullptr) != 0) {
    return base::fail_errno("cannot keep the namespace " + file.string(), errno);
  }
  return set_up();
}

base::Result<void> NetworkNamespaces::enter(const std::string& id,
                                            const std::function<base::Result<void>()>& work) const {
  const fs::path file = path(id);
  const http::OwnedFd there(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (there.get() < 0) return base::fail_errno("cannot open the namespace " + file.string(), errno);
  const WayBack way_back;
  if (!way_back.known()) return base::fail_errno("cannot open the own network namespace", errno);
  if (::setns(there.get(), CLONE_NEWNET) != 0) {
    return base::fail_errno("cannot enter the namespace " + file.string(), errno);
  }
  return work();
}

base::Result<void> NetworkNamespaces::remove(const std::string& id) const {
  const fs::path file = path(id);
  while (is_namespace(file)) {
    if (::umount2(file.c_str(), MNT_DETACH) != 0) {
      return base::fail_errno("cannot release the namespace " + file.string(), errno);
    }
  }
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) {
    return base::fail_errno("cannot remove " + file.string(), errno);
  }
  return {};
}

std::vector<std::string> NetworkNamespaces::list() const {
  std::vector<std::string> ids;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(kFolder, none)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(tag_ + "-")) ids.push_back(name.substr(tag_.size() + 1));
  }
  return ids;
}

void NetworkNamespaces::kill_inside(const std::string& id) const {
  struct stat inside{};
  if (!exists(id) || ::stat(path(id).c_str(), &inside) != 0) return;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/proc", none)) {
    const std::string name = entry.path().filename();
    int pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc()) continue;
    if (pid == ::getpid()) continue;  // this daemon, whose thread may be inside just now
    struct stat found{};
    if (::stat((entry.path() / "ns/net").c_str(), &found) != 0) continue;
    if (found.st_ino == inside.st_ino && found.st_dev == inside.st_dev) ::kill(pid, SIGKILL);
  }
}

base::Result<void> set_sysctl(const std::string& name, const std::string& value) {
  const std::string file = "/proc/sys/net/" + name;
  const http::OwnedFd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd.get() < 0 ||
      ::write(fd.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
    return base::fail_errno("cannot set " + file, errno);
  }
  return {};
}

}  // namespace terrarium::host::linux_host
