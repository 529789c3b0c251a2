// The image below every other: the host's programs (/usr, shared as it is) with an /etc, /var and
// /home made for it. Nothing of the host's own goes in: no password, no key, no identity.
//
// Made once for a state of the host's packages, in a folder named for that state.
#pragma once

#include <filesystem>

#include "lib/base/result.h"

namespace terrarium::host::linux_host {

struct BaseImageSources {
  std::filesystem::path images;          // where it is put
  std::filesystem::path ca_certificate;  // PEM, trusted inside; empty: none
  std::filesystem::path shim;            // becomes PID 1's program
};

// Its folder, with root/ and usr/: layers for a LaunchPlan. Blocks, half a second the first time.
// Needs root. Not for two threads at once.
base::Result<std::filesystem::path> make_base_image(const BaseImageSources& sources);

}  // namespace terrarium::host::linux_host
