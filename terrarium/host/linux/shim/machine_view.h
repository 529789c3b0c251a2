// What a machine sees: its files, devices and kernel file systems; and what it may do. Called in
// the process that becomes PID 1, as the host's root, inside its new namespaces.
#pragma once

#include <string>

#include "terrarium/host/linux/launch_plan.h"

namespace terrarium::host::shim {

// In the shim: the overlays of the machine's disk over its image at `root`; `scratch` as from
// enter_own_mounts(), the disk at scratch/disk.
void build_root(const linux_host::LaunchPlan& plan, const std::string& scratch,
                const std::string& root, int user_namespace);

// Joins the network, makes /dev, /proc, /sys, /run, the plan's folders, and makes `root` all there
// is. The mount namespace goes on belonging to the host's root: nobody inside can mount anything,
// whatever capabilities they come by.
void enter_root(const linux_host::LaunchPlan& plan, const std::string& root, int user_namespace);

// Becomes root of the machine's user namespace, with the capabilities and the system calls that a
// machine has. Only exec may follow.
void become_machine_root(const linux_host::LaunchPlan& plan, int user_namespace);

}  // namespace terrarium::host::shim
