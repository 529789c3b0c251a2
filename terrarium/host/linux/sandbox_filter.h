// What a sandbox may ask of the kernel: a seccomp filter over system calls. Pure.
//
// Ordinary programs get everything they use. Refused are namespaces, mounts, tracing, keys, kernel
// programs and modules, clocks, devices of the machine and sockets of families other than IP, local
// and netlink; calls younger than this file answer ENOSYS, so that libraries fall back.
#pragma once

#include <linux/filter.h>

#include <vector>

namespace terrarium::host::linux_host {

std::vector<sock_filter> sandbox_filter();

}  // namespace terrarium::host::linux_host
