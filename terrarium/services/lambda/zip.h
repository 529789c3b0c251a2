// Function code comes as a zip from outside: unpacked so that nothing lands, or points, outside the
// folder, however its entries are named, linked or sized.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "lib/base/result.h"

namespace terrarium::lambda {

struct UnpackLimits {
  std::uint64_t bytes_max = 0;  // of all files together, unpacked
  std::size_t entries_max = 0;
};

// Unpacks into the existing, empty folder `into`. Files become 0644 or, when anybody may execute
// them, 0755; folders 0755. On failure the folder holds a part. Blocks.
base::Result<void> unpack_zip(std::string_view zip, const std::filesystem::path& into,
                              UnpackLimits limits);

// Whether a link at depth `depth` (0: in the root) with this target stays inside whatever links its
// target goes through: ".." at its start only, and no more of them than folders above it.
bool link_stays_inside(std::string_view target, std::size_t depth);

}  // namespace terrarium::lambda
