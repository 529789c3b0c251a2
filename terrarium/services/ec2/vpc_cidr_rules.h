// The ranges of a VPC besides its first, which it never loses.
// Source: "VPC CIDR blocks", Amazon VPC User Guide.
#pragma once

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

inline constexpr std::size_t kVpcCidrsMax = 5;

// Every route table of the VPC has its local route at once.
base::Result<AssociateVpcCidrBlockResult> associate_vpc_cidr_block(
    Transaction& transaction, const AssociateVpcCidrBlockRequest& request);
// InvalidCidr.InUse while a subnet lies in it.
base::Result<DisassociateVpcCidrBlockResult> disassociate_vpc_cidr_block(
    Transaction& transaction, const DisassociateVpcCidrBlockRequest& request);

}  // namespace terrarium::ec2
