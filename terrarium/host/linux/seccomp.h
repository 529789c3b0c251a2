// The system calls that a machine may make: all that Linux had when this was written but those that
// reach the kernel itself, other machines, or namespaces. What came later does not exist for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

struct sock_filter;

namespace terrarium::host::linux_host {

std::vector<sock_filter> machine_filter();
// As the kernel and the LaunchPlan take it.
std::string machine_filter_bytes();

}  // namespace terrarium::host::linux_host
