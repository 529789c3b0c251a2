#include "terrarium/host/linux/shim/save.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "terrarium/host/linux/launch_plan.h"
#include "terrarium/host/linux/shim/disk.h"
#include "terrarium/host/linux/shim/system_call.h"

namespace terrarium::host::shim {
namespace {

// cp knows sparse files, hard links, devices and every attribute.
void copy_tree(const std::string& from, const std::string& to) {
  const int child = static_cast<int>(must(::fork(), "fork"));
  if (child == 0) {
    ::dup2(linux_host::kReportFd, 2);
    const char* const argv[] = {"cp",         "-a",       "--sparse=auto", "--",
                                from.c_str(), to.c_str(), nullptr};
    char* const env[] = {nullptr};
    ::execve("/usr/bin/cp", const_cast<char**>(argv), env);
    give_up("start cp", errno);
  }
  if (wait_for(child) != 0) ::_exit(1);
}

}  // namespace

int save_disk(char** arguments) {
  report_failures_to(linux_host::kReportFd);
  const std::string scratch = std::string(arguments[0]) + "/mnt";
  const auto first_id = static_cast<std::uint32_t>(std::strtoul(arguments[1], nullptr, 10));
  const std::string shim = arguments[2];
  const std::string target = arguments[3];
  if (shim == "0") {
    enter_own_mounts(scratch);
    mount_disk(std::string(arguments[0]) + "/disk", scratch + "/disk");
  } else {
    const std::string path = "/proc/" + shim + "/ns/mnt";
    const int fd =
        static_cast<int>(must(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open " + path));
    must(::setns(fd, CLONE_NEWNS), "join the machine's mounts");
    ::close(fd);
    // A copy of them: what is mounted below goes with this process.
    must(::unshare(CLONE_NEWNS), "make a mount namespace");
  }
  const int user_namespace = finish_user_namespace(begin_user_namespace(), first_id, 0);
  make_folders(target, 0700);
  for (const char* part : {"root", "usr"}) {
    const std::string view = scratch + "/saved-" + part;
    const std::string upper = scratch + "/disk/" + part + "/upper";
    make_folders(view);
    // A machine that never ran has written nothing.
    if (::access(upper.c_str(), F_OK) != 0) make_folders(upper);
    attach_tree(take_mapped(upper, user_namespace, false), view);
    copy_tree(view, target + "/" + part);
  }
  const int fd = static_cast<int>(must(::open(target.c_str(), O_RDONLY | O_CLOEXEC), "open"));
  must(::syncfs(fd), "write the image to disk");
  return 0;
}

}  // namespace terrarium::host::shim
