// The rules of subnets, and of the default VPC and its subnets. Pure.
// Source: "Subnet CIDR blocks", "Default VPCs", Amazon VPC User Guide.
#pragma once

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

inline constexpr int kSubnetPrefixLengthMin = 16;
inline constexpr int kSubnetPrefixLengthMax = 28;

base::Result<CreateSubnetResult> create_subnet(Transaction& transaction,
                                               const CreateSubnetRequest& request);
base::Result<DescribeSubnetsResult> describe_subnets(const State& state, const Scene& scene,
                                                     const DescribeSubnetsRequest& request);
// One attribute a call, as AWS demands.
base::Result<wire::Empty> modify_subnet_attribute(Transaction& transaction,
                                                  const ModifySubnetAttributeRequest& request);
// DependencyViolation while a network interface or a NAT gateway is in it. Its association with a
// route table goes along.
base::Result<wire::Empty> delete_subnet(Transaction& transaction,
                                        const DeleteSubnetRequest& request);
base::Result<CreateDefaultVpcResult> create_default_vpc(Transaction& transaction);
base::Result<CreateDefaultSubnetResult> create_default_subnet(
    Transaction& transaction, const CreateDefaultSubnetRequest& request);

Subnet view(const State& state, const SubnetRecord& subnet, const Scene& scene);

}  // namespace terrarium::ec2
