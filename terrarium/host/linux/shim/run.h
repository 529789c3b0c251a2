// The shim: the parent of a machine's PID 1. Starts it, keeps its console, writes down how it
// ended.
#pragma once

namespace terrarium::host::shim {

// Reads the LaunchPlan at kPlanFd, reports at kReportFd, and returns in the calling process at
// once: the machine's parent is a process of its own that outlives the daemon. Exit code.
int run_machine();

}  // namespace terrarium::host::shim
