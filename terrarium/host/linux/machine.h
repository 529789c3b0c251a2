// host::Machines on Linux: namespaces, an overlay over the host's /usr, control groups, and a shim
// as each machine's parent (README.md says what that keeps apart, and how).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/runtime/runtime.h"
#include "terrarium/host/machine.h"

namespace terrarium::host {

struct LinuxMachinesOptions {
  std::filesystem::path state;           // machines/ and images/ are made in it, closed to others
  std::filesystem::path ca_certificate;  // PEM, trusted by every machine; empty: none
  std::filesystem::path shim;            // empty: terrarium-shim beside this program
  // For tests: a start stops dead after the step for which this says true, as if the daemon had
  // been killed there.
  std::function<bool(std::string_view step)> dies_at;
};

// Adopts what an earlier daemon left running, and removes what it left half made. Blocks. Without
// the rights that machines need it opens all the same: start() then says why, as description()
// does. `runtime`, `clock` and `random` outlive it; machines go on when it is gone.
base::Result<std::unique_ptr<Machines>> open_linux_machines(runtime::Runtime& runtime,
                                                            base::Clock& clock,
                                                            base::Random& random,
                                                            LinuxMachinesOptions options);

}  // namespace terrarium::host
