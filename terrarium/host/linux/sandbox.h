// host::Sandbox on Linux: fork, control group, private view of the file system, an unprivileged
// user id of its own, no_new_privs, rlimits. A daemon that is not root can do none of the first
// four: its sandboxes run as its own user, in their real folder, with a limit on data memory only.
#pragma once

#include <filesystem>
#include <memory>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/runtime.h"
#include "terrarium/host/sandbox.h"

namespace terrarium::host {

struct LinuxSandboxOptions {
  // Holds tmp/<name> for each sandbox; what an earlier daemon left there is removed.
  std::filesystem::path folder;
};

// `runtime` and `clock` outlive it, and it outlives its processes. Blocks.
base::Result<std::unique_ptr<Sandbox>> open_linux_sandbox(runtime::Runtime& runtime,
                                                          base::Clock& clock,
                                                          LinuxSandboxOptions options);

}  // namespace terrarium::host
