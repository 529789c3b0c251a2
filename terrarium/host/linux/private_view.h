// What a sandbox sees of the machine: a root of its own, read-only, with the host's programs and
// libraries (/usr), what they need of /etc, harmless devices, its own /proc and /tmp, its code at
// /var/task, what belongs to its runtime at /var/runtime and its layers at /opt; its own hostname,
// shared memory and control groups, and the network namespace that it is given. Nothing else of the
// host is there. Runs in the child between fork and exec, as the first process of a PID namespace.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lib/base/result.h"

namespace terrarium::host::linux_host {

inline constexpr const char* kCodePath = "/var/task";
inline constexpr const char* kRuntimePath = "/var/runtime";
inline constexpr const char* kOptPath = "/opt";

// The same for all sandboxes: what this machine has of what a program may need. Absolute paths.
struct SystemView {
  std::vector<std::string> parents;                        // folders to make first, in order
  std::vector<std::pair<std::string, std::string>> links;  // {"/bin", "usr/bin"}
  std::vector<std::string> folders;                        // "/usr", "/etc/ssl/certs"
  std::vector<std::string> files;                          // "/etc/ld.so.cache"
  std::vector<std::string> devices;                        // "/dev/null"

  static SystemView of_this_machine();
};

struct PrivateView {
  const SystemView* system = nullptr;
  std::string code;               // folder to be seen at kCodePath
  std::string scratch;            // folder to be seen at /tmp
  std::string runtime;            // folder to be seen at kRuntimePath; empty: an empty one
  std::string opt;                // the same at kOptPath
  std::string network_namespace;  // file; empty: the host's network, and its resolv.conf
  std::string resolver;           // the text of /etc/resolv.conf otherwise
  std::string passwd;             // the text of /etc/passwd
  std::string group;              // the text of /etc/group
};

// For runtime::SpawnOptions::prepare; `argument` is a PrivateView. Makes system calls only. Returns
// 0 or errno.
int enter_private_view(const void* argument);

// Whether this process may do that.
bool private_view_allowed(const SystemView& system);

}  // namespace terrarium::host::linux_host
