// Images and snapshots as Describe operations show them. Pure.
#pragma once

#include <string>

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

inline constexpr std::string_view kImageRootDevice = "/dev/xvda";

Image view(const ImageRecord& image, const std::string& account);
std::vector<BlockDeviceMapping> mappings_of(const ImageRecord& image);
// The snapshot of an image's root device.
Snapshot snapshot_of(const State& state, const ImageRecord& image, const std::string& account);

}  // namespace terrarium::ec2
