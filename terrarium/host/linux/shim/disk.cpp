#include "terrarium/host/linux/shim/disk.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "terrarium/host/linux/shim/system_call.h"

namespace terrarium::host::shim {
namespace {

// Somebody else may take the free device first.
constexpr int kLoopTriesMax = 256;
// Ids that a machine has.
constexpr std::uint32_t kIdCount = 65'536;

int open_or_give_up(const std::string& path, int flags) {
  return static_cast<int>(must(::open(path.c_str(), flags | O_CLOEXEC), "open " + path));
}

}  // namespace

void enter_own_mounts(const std::string& scratch) {
  must(::unshare(CLONE_NEWNS), "make a mount namespace");
  must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make mounts private");
  make_folders(scratch);
  must(::mount("none", scratch.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "size=256k,mode=700"),
       "mount memory at " + scratch);
}

NamespaceMaker begin_user_namespace() {
  int ready[2];
  must(::pipe2(ready, O_CLOEXEC), "make a pipe");
  const int child = static_cast<int>(must(::fork(), "fork"));
  if (child == 0) {
    must(::unshare(CLONE_NEWUSER), "make a user namespace");
    must(::prctl(PR_SET_PDEATHSIG, SIGKILL), "die with the parent");
    write_all(ready[1], "1");
    for (;;) ::pause();
  }
  ::close(ready[1]);
  return {child, ready[0]};
}

int finish_user_namespace(NamespaceMaker maker, std::uint32_t inside, std::uint32_t outside) {
  char byte = 0;
  const bool made = ::read(maker.ready, &byte, 1) == 1;
  ::close(maker.ready);
  // The child has reported why.
  if (!made) ::_exit(1);
  const std::string process = "/proc/" + std::to_string(maker.child);
  const std::string map = std::to_string(inside) + " " + std::to_string(outside) + " " +
                          std::to_string(kIdCount) + "\n";
  write_file(process + "/uid_map", map);
  write_file(process + "/gid_map", map);
  const int fd = open_or_give_up(process + "/ns/user", O_RDONLY);
  ::kill(maker.child, SIGKILL);
  wait_for(maker.child);
  return fd;
}

int mount_disk(const std::string& image, const std::string& where) {
  const int file = open_or_give_up(image, O_RDWR);
  const int control = open_or_give_up("/dev/loop-control", O_RDWR);
  for (int i = 0; i < kLoopTriesMax; ++i) {
    const int number =
        static_cast<int>(must(::ioctl(control, LOOP_CTL_GET_FREE), "find a loop device"));
    const std::string device = "/dev/loop" + std::to_string(number);
    const int loop = open_or_give_up(device, O_RDWR);
    loop_config config{};
    config.fd = static_cast<__u32>(file);
    // It detaches itself when the mount is gone.
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    if (::ioctl(loop, LOOP_CONFIGURE, &config) != 0) {
      if (errno != EBUSY) give_up("attach the disk to " + device, errno);
      ::close(loop);
      continue;
    }
    make_folders(where);
    // The kernel's lazy zeroing would write every disk's inode tables out: the file is sparse, they
    // read as zeroes.
    must(::mount(device.c_str(), where.c_str(), "ext4", MS_NOSUID | MS_NODEV,
                 "noinit_itable,discard"),
         "mount the disk");
    ::close(loop);
    ::close(control);
    ::close(file);
    return number;
  }
  give_up("attach the disk", EBUSY);
}

int take_mapped(const std::string& path, int user_namespace, bool writable) {
  const int tree = static_cast<int>(
      must(::syscall(SYS_open_tree, AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
           "take the mount of " + path));
  mount_attr change{};
  change.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NODEV;
  // What a machine writes must not be a way to become somebody on the host.
  if (writable) change.attr_set |= MOUNT_ATTR_NOSUID;
  if (!writable) change.attr_set |= MOUNT_ATTR_RDONLY;
  change.userns_fd = static_cast<__u64>(user_namespace);
  must(::syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &change, sizeof change),
       "map the owners of " + path);
  return tree;
}

void attach_tree(int tree, const std::string& where) {
  must(::syscall(SYS_move_mount, tree, "", AT_FDCWD, where.c_str(), MOVE_MOUNT_F_EMPTY_PATH),
       "mount at " + where);
  ::close(tree);
}

}  // namespace terrarium::host::shim
