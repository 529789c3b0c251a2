// Root disks as volumes: described, and their size, type and speed changed. Pure.
// Source: ModifyVolume, Amazon EC2 API Reference.
#pragma once

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

base::Result<DescribeVolumesResult> describe_volumes(const State& state,
                                                     const DescribeVolumesRequest& request);
base::Result<ModifyVolumeResult> modify_volume(Transaction& transaction,
                                               const ModifyVolumeRequest& request);
base::Result<DescribeVolumesModificationsResult> describe_volumes_modifications(
    const State& state, const DescribeVolumesModificationsRequest& request);

}  // namespace terrarium::ec2
