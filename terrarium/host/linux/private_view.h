// What a sandbox sees of the file system: everything as it is, but its own /tmp, its code read-only
// at /var/task, what belongs to its runtime at /var/runtime, its layers at /opt, and nothing else
// of /var and /opt. Runs in the child between fork and exec.
#pragma once

#include <string>

#include "lib/base/result.h"

namespace terrarium::host::linux_host {

inline constexpr const char* kCodePath = "/var/task";
inline constexpr const char* kRuntimePath = "/var/runtime";
inline constexpr const char* kOptPath = "/opt";

struct PrivateView {
  std::string code;     // folder to be seen at kCodePath
  std::string scratch;  // folder to be seen at /tmp
  std::string runtime;  // folder to be seen at kRuntimePath; empty: an empty one
  std::string opt;      // the same at kOptPath
};

// For runtime::SpawnOptions::prepare; `argument` is a PrivateView. Makes system calls only. Returns
// 0 or errno.
int enter_private_view(const void* argument);

// Whether this process may do that.
bool private_view_allowed();

}  // namespace terrarium::host::linux_host
