#include "terrarium/host/linux/private_view.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>

namespace terrarium::host::linux_host {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSealed = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
constexpr std::uint64_t kWritable = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
constexpr std::uint64_t kDevice = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
// Where the new root is built; nobody sees it there.
constexpr const char* kBuildPath = "/tmp";
constexpr const char* kResolver = "/etc/resolv.conf";
constexpr std::string_view kHostname = "sandbox";
constexpr std::string_view kHosts = "127.0.0.1 localhost sandbox\n::1 localhost\n";

constexpr std::array kRootFolders = {"bin", "sbin", "lib", "lib32", "lib64", "libx32"};
constexpr std::array kFolders = {"/usr", "/etc/alternatives", "/etc/fonts", "/etc/ld.so.conf.d",
                                 "/etc/ssl/certs"};
constexpr std::array kFiles = {"/etc/gai.conf",      "/etc/host.conf",       "/etc/ld.so.cache",
                               "/etc/ld.so.conf",    "/etc/localtime",       "/etc/mime.types",
                               "/etc/nsswitch.conf", "/etc/os-release",      "/etc/protocols",
                               "/etc/services",      "/etc/ssl/openssl.cnf", "/etc/timezone"};
constexpr std::array kDevices = {"/dev/full", "/dev/null", "/dev/random", "/dev/urandom",
                                 "/dev/zero"};
constexpr std::array kParents = {"/etc", "/etc/ssl", "/dev",       "/proc",   "/tmp",
                                 "/run", "/var",     kRuntimePath, kCodePath, kOptPath};
// Of the processes inside, for each of them.
constexpr std::array<std::pair<const char*, const char*>, 7> kLinks = {{
    {"/dev/fd", "/proc/self/fd"},
    {"/dev/stdin", "/proc/self/fd/0"},
    {"/dev/stdout", "/proc/self/fd/1"},
    {"/dev/stderr", "/proc/self/fd/2"},
    {"/etc/mtab", "/proc/self/mounts"},
    {"/var/run", "/run"},
    {"/var/tmp", "/tmp"},
}};

// --- In the child: system calls only
// --------------------------------------------------------------

// Where an absolute path lies in the new root, which is the working directory.
const char* inside(const char* path) { return path + 1; }
const char* inside(const std::string& path) { return inside(path.c_str()); }

// A copy of the mount that `path` shows, attached nowhere yet: what it lies in may be about to be
// covered. -1 with errno.
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

// What the host has at the same path.
bool show(const char* path, std::uint64_t attributes) {
  const int copy = detached_copy(path, attributes);
  if (copy < 0) return false;
  const bool attached = attach(copy, inside(path));
  ::close(copy);
  return attached;
}

bool write_file(const char* path, std::string_view text) {
  const int fd = ::open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return written;
}

bool show_file(const char* path, std::uint64_t attributes) {
  return write_file(inside(path), {}) && show(path, attributes);
}

bool join_namespaces(const PrivateView& view) {
  if (!view.network_namespace.empty()) {
    const int fd = ::open(view.network_namespace.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || ::setns(fd, CLONE_NEWNET) != 0) return false;
    ::close(fd);
  }
  return ::unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) == 0 &&
         ::sethostname(kHostname.data(), kHostname.size()) == 0 &&
         // Nothing mounted here must reach the host.
         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool fill_system(const SystemView& system) {
  for (const std::string& path : system.parents) {
    if (::mkdir(inside(path), 0755) != 0) return false;
  }
  for (const auto& [path, target] : system.links) {
    if (::symlink(target.c_str(), inside(path)) != 0) return false;
  }
  for (const std::string& path : system.folders) {
    if (::mkdir(inside(path), 0755) != 0 || !show(path.c_str(), kSealed)) return false;
  }
  for (const std::string& path : system.files) {
    if (!show_file(path.c_str(), kSealed)) return false;
  }
  for (const std::string& path : system.devices) {
    if (!show_file(path.c_str(), kDevice)) return false;
  }
  return true;
}

bool fill_etc(const PrivateView& view) {
  if (!write_file("etc/passwd", view.passwd) || !write_file("etc/group", view.group) ||
      !write_file("etc/hosts", kHosts)) {
    return false;
  }
  if (!view.network_namespace.empty()) return write_file(inside(kResolver), view.resolver);
  return ::access(kResolver, R_OK) != 0 || show_file(kResolver, kSealed);
}

// The folders of this sandbox, taken before anything covers where they lie. -1: none is wanted.
struct Folders {
  int code = -1;
  int scratch = -1;
  int runtime = -1;
  int opt = -1;

  bool take(const PrivateView& view) {
    code = detached_copy(view.code.c_str(), kSealed);
    scratch = detached_copy(view.scratch.c_str(), kWritable);
    if (code < 0 || scratch < 0) return false;
    if (!view.runtime.empty()) {
      runtime = detached_copy(view.runtime.c_str(), kSealed);
      if (runtime < 0) return false;
    }
    if (!view.opt.empty()) {
      opt = detached_copy(view.opt.c_str(), kSealed);
      if (opt < 0) return false;
    }
    return true;
  }
  bool attach_all() const {
    return attach(code, inside(kCodePath)) && attach(scratch, "tmp") &&
           (runtime < 0 || attach(runtime, inside(kRuntimePath))) &&
           (opt < 0 || attach(opt, inside(kOptPath)));
  }
};

bool become_root() {
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV;
  return ::syscall(SYS_pivot_root, ".", ".") == 0 && ::umount2(".", MNT_DETACH) == 0 &&
         ::chdir("/") == 0 &&
         ::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kFlags, nullptr) == 0;
}

}  // namespace

int enter_private_view(const void* argument) {
  const auto& view = *static_cast<const PrivateView*>(argument);
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV;
  ::umask(022);
  Folders folders;
  const bool entered =
      join_namespaces(view) && folders.take(view) &&
      ::mount("none", kBuildPath, "tmpfs", kFlags, "size=256k,nr_inodes=256,mode=755") == 0 &&
      ::chdir(kBuildPath) == 0 && fill_system(*view.system) && fill_etc(view) &&
      folders.attach_all() && ::mount("proc", "proc", "proc", kFlags | MS_NOEXEC, nullptr) == 0 &&
      become_root();
  return entered ? 0 : errno;
}

// --- In the daemon
// --------------------------------------------------------------------------------

SystemView SystemView::of_this_machine() {
  SystemView view;
  std::error_code error;
  const auto keep_existing = [&error](const auto& paths, std::vector<std::string>& into) {
    for (const char* const path : paths) {
      if (fs::exists(path, error)) into.emplace_back(path);
    }
  };
  view.parents.assign(kParents.begin(), kParents.end());
  view.links.assign(kLinks.begin(), kLinks.end());
  keep_existing(kFolders, view.folders);
  keep_existing(kFiles, view.files);
  keep_existing(kDevices, view.devices);
  // "/lib" leads to "usr/lib" on most machines, and is a folder on others.
  for (const std::string name : kRootFolders) {
    const fs::path path = "/" + name;
    const fs::path target = "usr/" + name;
    if (fs::is_symlink(path, error)) {
      view.links.emplace_back(path, fs::read_symlink(path, error).relative_path());
    } else if (fs::is_directory(path, error)) {
      view.folders.emplace_back(path);
    }
  }
  // Debian's Python reads a file there when it starts.
  for (const auto& entry : fs::directory_iterator("/etc", error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("python3")) view.folders.emplace_back(entry.path());
  }
  return view;
}

bool private_view_allowed(const SystemView& system) {
  if (::geteuid() != 0) return false;
  const PrivateView view{.system = &system, .code = "/usr", .scratch = "/usr"};
  const long child =
      ::syscall(SYS_clone, SIGCHLD | CLONE_NEWPID, nullptr, nullptr, nullptr, nullptr);
  if (child < 0) return false;
  if (child == 0) ::_exit(enter_private_view(&view) == 0 ? 0 : 1);
  int status = 0;
  while (::waitpid(static_cast<pid_t>(child), &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace terrarium::host::linux_host
