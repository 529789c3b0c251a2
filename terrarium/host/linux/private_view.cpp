#include "terrarium/host/linux/private_view.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace terrarium::host::linux_host {
namespace {

constexpr const char* kEmptyPath = "/var/empty";
constexpr std::uint64_t kReadOnly = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

// A copy of the mount that `path` shows, attached nowhere yet: the folder may lie below /tmp or
// /var, which are about to be covered. -1 with errno.
int detached_copy(const char* path, std::uint64_t attributes) {
  const long fd = ::syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (fd < 0) return -1;
  mount_attr change{.attr_set = attributes, .attr_clr = 0, .propagation = 0, .userns_fd = 0};
  if (::syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &change, sizeof change) != 0) return -1;
  return static_cast<int>(fd);
}

bool attach(int copy, const char* path) {
  return ::syscall(SYS_move_mount, copy, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

// An empty /var with what programs expect there.
bool cover_var() {
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV;
  return ::mount("none", "/var", "tmpfs", kFlags, "size=64k,nr_inodes=32,mode=755") == 0 &&
         ::mkdir(kCodePath, 0755) == 0 && ::mkdir(kRuntimePath, 0755) == 0 &&
         ::mkdir(kEmptyPath, 0755) == 0 && ::symlink("/run", "/var/run") == 0 &&
         ::symlink("/run/lock", "/var/lock") == 0 && ::symlink("/tmp", "/var/tmp") == 0;
}

bool seal_var() {
  return ::mount(nullptr, "/var", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
                 nullptr) == 0;
}

}  // namespace

int enter_private_view(const void* argument) {
  const auto& view = *static_cast<const PrivateView*>(argument);
  if (::unshare(CLONE_NEWNS) != 0) return errno;
  // Nothing mounted here must reach the host.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
  const int code = detached_copy(view.code.c_str(), kReadOnly);
  if (code < 0) return errno;
  const int scratch = detached_copy(view.scratch.c_str(), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  if (scratch < 0) return errno;
  const int runtime = view.runtime.empty() ? -1 : detached_copy(view.runtime.c_str(), kReadOnly);
  if (runtime < 0 && !view.runtime.empty()) return errno;
  const int opt = view.opt.empty() ? -1 : detached_copy(view.opt.c_str(), kReadOnly);
  if (opt < 0 && !view.opt.empty()) return errno;
  if (!cover_var() || !attach(code, kCodePath)) return errno;
  if (runtime >= 0 && !attach(runtime, kRuntimePath)) return errno;
  if (!seal_var()) return errno;
  if (opt >= 0) {
    if (!attach(opt, kOptPath)) return errno;
  } else if (::access(kOptPath, F_OK) == 0 &&
             ::mount(kEmptyPath, kOptPath, nullptr, MS_BIND, nullptr) != 0) {
    return errno;
  }
  if (!attach(scratch, "/tmp")) return errno;
  return 0;
}

bool private_view_allowed() {
  if (::geteuid() != 0) return false;
  const pid_t child = ::fork();
  if (child < 0) return false;
  if (child == 0) {
    const PrivateView view{.code = "/usr", .scratch = "/usr", .runtime = {}, .opt = {}};
    ::_exit(enter_private_view(&view) == 0 ? 0 : 1);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace terrarium::host::linux_host
