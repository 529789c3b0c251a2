// Which role an instance has: its instance profile, replaced and taken away while it runs. Pure.
// Source: "IAM roles for Amazon EC2", Amazon EC2 User Guide.
#pragma once

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/instance_profiles.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

base::Result<DescribeIamInstanceProfileAssociationsResult>
describe_iam_instance_profile_associations(
    const State& state, const DescribeIamInstanceProfileAssociationsRequest& request);
base::Result<AssociateIamInstanceProfileResult> associate_iam_instance_profile(
    Transaction& transaction, const AssociateIamInstanceProfileRequest& request,
    const InstanceProfiles& profiles);
base::Result<ReplaceIamInstanceProfileAssociationResult> replace_iam_instance_profile_association(
    Transaction& transaction, const ReplaceIamInstanceProfileAssociationRequest& request,
    const InstanceProfiles& profiles);
base::Result<DisassociateIamInstanceProfileResult> disassociate_iam_instance_profile(
    Transaction& transaction, const DisassociateIamInstanceProfileRequest& request);

}  // namespace terrarium::ec2
