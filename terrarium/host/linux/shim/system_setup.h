// What PID 1 puts on the machine's disk before anything runs: at every start, and once for a name.
#pragma once

#include <string>
#include <vector>

#include "terrarium/host/linux/launch_plan.h"

namespace terrarium::host::shim {

struct Account {
  unsigned uid = 0;
  unsigned gid = 0;
  std::string home = "/";
  std::vector<unsigned> groups;
};

// From /etc/passwd and /etc/group: a static program has no name service. Gives up when unknown.
Account find_account(const std::string& name);

// The plan's files, folders in /run.
void write_system_files(const linux_host::LaunchPlan& plan);
// True at the first boot of this name, also of a disk that was another's: then the identity is
// written anew.
bool take_identity(const linux_host::LaunchPlan& plan);
// From now on it is not the first boot: before user data runs, which must never run twice.
void mark_booted(const linux_host::LaunchPlan& plan);

// Runs the plan's user data, one script after another, and ends the process. Standard output is
// where it goes.
[[noreturn]] void run_user_data(const linux_host::LaunchPlan& plan);
// Replaces the process; argv[0] is a path.
[[noreturn]] void execute(const std::vector<std::string>& argv,
                          const std::vector<std::string>& env);

}  // namespace terrarium::host::shim
