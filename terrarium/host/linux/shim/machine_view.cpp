#include "terrarium/host/linux/shim/machine_view.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "terrarium/host/linux/shim/disk.h"
#include "terrarium/host/linux/shim/system_call.h"

namespace terrarium::host::shim {
namespace {

using linux_host::LaunchPlan;

constexpr std::uint32_t kTtyGroup = 5;  // Debian's
constexpr rlim_t kDescriptorsSoft = 1024;
constexpr unsigned long kSealed = MS_NOSUID | MS_NODEV | MS_NOEXEC;

struct Device {
  const char* path;
  unsigned minor;
  unsigned major = 1;
};
constexpr std::array<Device, 6> kDevices = {{{"dev/null", 3},
                                             {"dev/zero", 5},
                                             {"dev/full", 7},
                                             {"dev/random", 8},
                                             {"dev/urandom", 9},
                                             {"dev/tty", 0, 5}}};

// What tells of the host or of other machines. Most is closed to a machine's root by its owner; of
// the rest a machine has no need.
constexpr std::array<const char*, 5> kHiddenFiles = {"proc/kcore", "proc/keys", "proc/key-users",
                                                     "proc/timer_list", "proc/sysrq-trigger"};
constexpr std::array<const char*, 5> kHiddenFolders = {"proc/scsi", "proc/acpi", "sys/firmware",
                                                       "sys/fs", "sys/devices/virtual/block"};
constexpr std::array<const char*, 4> kSealedFolders = {"proc/sys", "proc/irq", "proc/bus",
                                                       "proc/fs"};

constexpr std::array<int, 13> kCapabilities = {
    CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FSETID,     CAP_FOWNER,  CAP_NET_RAW,
    CAP_SETGID, CAP_SETUID,       CAP_SETFCAP,    CAP_SETPCAP, CAP_NET_BIND_SERVICE,
    CAP_KILL,   CAP_SYS_CHROOT,   CAP_AUDIT_WRITE};

void mount_at(const char* type, const char* where, unsigned long flags, const std::string& data) {
  must(::mount(type, where, type, flags, data.c_str()), std::string("mount ") + where);
}

// One overlay: the tree `part` ("root", "usr") of the image's layers, the disk on top.
void mount_overlay(const LaunchPlan& plan, const std::string& scratch, const std::string& part,
                   const std::vector<std::string>& lowers, const std::string& where) {
  const std::string on_disk = scratch + "/disk/" + part;
  for (const char* folder : {"/upper", "/work"}) make_folders(on_disk + folder);
  must(::chown((on_disk + "/upper").c_str(), plan.first_id, plan.first_id), "give away the disk");
  std::string stack;
  for (auto lower = lowers.rbegin(); lower != lowers.rend(); ++lower) {
    stack += (stack.empty() ? "" : ":") + *lower;
  }
  // The kernel may be built with other defaults; a saved layer must not depend on them.
  const std::string data = "lowerdir=" + stack + ",upperdir=" + on_disk +
                           "/upper,workdir=" + on_disk +
                           "/work,redirect_dir=off,index=off,metacopy=off";
  must(::mount("overlay", where.c_str(), "overlay", 0, data.c_str()),
       "mount the " + part + " tree");
}

void make_devices() {
  mount_at("tmpfs", "dev", MS_NOSUID | MS_NOEXEC, "size=64k,mode=755");
  for (const Device& device : kDevices) {
    must(::mknod(device.path, S_IFCHR | 0666, ::makedev(device.major, device.minor)),
         std::string("make ") + device.path);
    // Whatever the umask was.
    must(::chmod(device.path, 0666), std::string("open ") + device.path);
  }
  must(::mkdir("dev/pts", 0755), "make /dev/pts");
  must(::mkdir("dev/shm", 01777), "make /dev/shm");
  const char* const links[][2] = {
      {"/proc/self/fd", "dev/fd"},       {"/proc/self/fd/0", "dev/stdin"},
      {"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"},
      {"pts/ptmx", "dev/ptmx"},          {"/proc/1/fd/1", "dev/console"}};
  for (const auto& [target, link] : links) must(::symlink(target, link), "make a link in /dev");
}

// Ids in mount options are the machine's, seen from the host.
std::string ids(const LaunchPlan& plan, std::uint32_t group) {
  return "uid=" + std::to_string(plan.first_id) + ",gid=" + std::to_string(plan.first_id + group);
}

void mount_kernel_file_systems(const LaunchPlan& plan) {
  make_devices();
  must(::mount(
           "devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
           ("newinstance,ptmxmode=0666,mode=0620,gid=" + std::to_string(plan.first_id + kTtyGroup))
               .c_str()),
       "mount /dev/pts");
  mount_at("tmpfs", "dev/shm", MS_NOSUID | MS_NODEV, "mode=1777," + ids(plan, 0));
  mount_at("tmpfs", "run", MS_NOSUID | MS_NODEV, "mode=755," + ids(plan, 0));
  mount_at("proc", "proc", kSealed, "");
  mount_at("sysfs", "sys", kSealed | MS_RDONLY, "");
  for (const char* path : kHiddenFiles) {
    if (::mount("dev/null", path, nullptr, MS_BIND, nullptr) != 0 && errno != ENOENT) {
      give_up(std::string("hide ") + path, errno);
    }
  }
  for (const char* path : kHiddenFolders) {
    if (::mount("none", path, "tmpfs", kSealed | MS_RDONLY, "size=4k") != 0 && errno != ENOENT) {
      give_up(std::string("hide ") + path, errno);
    }
  }
  for (const char* path : kSealedFolders) {
    if (::mount(path, path, nullptr, MS_BIND | MS_REC, nullptr) != 0 && errno == ENOENT) continue;
    must(::mount(nullptr, path, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kSealed, nullptr),
         std::string("seal ") + path);
  }
}

void join_network(const LaunchPlan& plan) {
  if (plan.network_namespace.empty()) {
    must(::unshare(CLONE_NEWNET), "make a network namespace");
    const int socket =
        static_cast<int>(must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket"));
    ifreq loopback{};
    std::strcpy(loopback.ifr_name, "lo");
    loopback.ifr_flags = IFF_UP;
    must(::ioctl(socket, SIOCSIFFLAGS, &loopback), "bring loopback up");
    ::close(socket);
  } else {
    const std::string& path = plan.network_namespace;
    const int fd =
        static_cast<int>(must(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open " + path));
    must(::setns(fd, CLONE_NEWNET), "join the network namespace " + path);
    ::close(fd);
  }
  // The namespace is not the machine's: without these its root could not listen on port 80, nor
  // its users ping.
  write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
  write_file("/proc/sys/net/ipv4/ping_group_range",
             std::to_string(plan.first_id) + " " + std::to_string(plan.first_id + 65'535));
}

void use_processors(const LaunchPlan& plan) {
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  if (online <= 0 || plan.cpus >= static_cast<std::uint32_t>(online)) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (std::uint32_t i = 0; i < plan.cpus; ++i) {
    CPU_SET((plan.first_cpu + i) % static_cast<std::uint32_t>(online), &set);
  }
  // Not every number up to the count need be online: then it may use all.
  ::sched_setaffinity(0, sizeof set, &set);
}

void drop_capabilities() {
  __user_cap_data_struct kept[2]{};
  for (const int capability : kCapabilities) {
    kept[capability / 32].permitted |= 1U << (capability % 32);
  }
  for (int i = 0; i < 2; ++i) kept[i].effective = kept[i].permitted;
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if ((kept[capability / 32].permitted >> (capability % 32) & 1U) != 0) continue;
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL) {
      give_up("drop a capability", errno);
    }
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  must(::syscall(SYS_capset, &header, kept), "set capabilities");
}

}  // namespace

void build_root(const LaunchPlan& plan, const std::string& scratch, const std::string& root,
                int user_namespace) {
  for (const char* part : {"root", "usr"}) {
    std::vector<std::string> lowers;
    const auto add = [&](const std::string& folder) {
      lowers.push_back(scratch + "/" + part + std::to_string(lowers.size()));
      make_folders(lowers.back());
      attach_tree(take_mapped(folder, user_namespace, false), lowers.back());
    };
    const bool is_usr = part == std::string_view("usr");
    if (is_usr) add("/usr");
    for (const std::string& layer : plan.layers) add(layer + "/" + part);
    const std::string where = root + (is_usr ? "/usr" : "");
    make_folders(where);
    mount_overlay(plan, scratch, part, lowers, where);
  }
}

void enter_root(const LaunchPlan& plan, const std::string& root, int user_namespace) {
  must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make mounts private");
  join_network(plan);
  must(::sethostname(plan.hostname.data(), plan.hostname.size()), "set the host name");
  std::vector<int> trees;
  for (const auto& folder : plan.folders) {
    trees.push_back(take_mapped(folder.host, user_namespace, folder.writable));
  }
  must(::chdir(root.c_str()), "enter the root");
  must(::syscall(SYS_pivot_root, ".", "."), "change the root");
  must(::umount2(".", MNT_DETACH), "leave the host's files");
  must(::chdir("/"), "enter the root");
  // The disk is its owner's: from here on no link on it leads anywhere else.
  mount_kernel_file_systems(plan);
  for (std::size_t i = 0; i < trees.size(); ++i) {
    // As the machine's root, or the folders on the way would belong to nobody in it.
    ::setfsgid(plan.first_id);
    ::setfsuid(plan.first_id);
    make_folders(plan.folders[i].path);
    ::setfsuid(0);
    ::setfsgid(0);
    attach_tree(trees[i], plan.folders[i].path);
  }
}

void become_machine_root(const LaunchPlan& plan, int user_namespace) {
  use_processors(plan);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min(kDescriptorsSoft, files.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &files);
  ::umask(022);
  must(::setns(user_namespace, CLONE_NEWUSER), "enter the user namespace");
  must(::setresgid(0, 0, 0), "become the machine's group");
  must(::setgroups(0, nullptr), "leave the host's groups");
  must(::setresuid(0, 0, 0), "become the machine's root");
  // Without no_new_privs, or sudo would not work: that needs a capability which goes next.
  sock_fprog program{static_cast<unsigned short>(plan.filter.size() / sizeof(sock_filter)),
                     reinterpret_cast<sock_filter*>(const_cast<char*>(plan.filter.data()))};
  must(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "filter system calls");
  drop_capabilities();
  // It must not outlive the shim, whose mounts it uses and who tells how it ended.
  must(::prctl(PR_SET_PDEATHSIG, SIGKILL), "die with the shim");
}

}  // namespace terrarium::host::shim
