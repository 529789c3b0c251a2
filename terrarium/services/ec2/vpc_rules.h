// The rules of VPCs. Pure: records in, records and answers out.
// Source: "VPC CIDR blocks", Amazon VPC User Guide; errors: "Error codes for the Amazon EC2 API".
#pragma once

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/cidr.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

inline constexpr int kVpcPrefixLengthMin = 16;
inline constexpr int kVpcPrefixLengthMax = 28;

// The range that a request gives a VPC.
base::Result<Cidr> check_vpc_cidr(const std::optional<std::string>& text);
// A VPC with what AWS makes along with it: a main route table with the local route, a network ACL
// that lets everything through, and the group "default".
VpcId make_vpc(Transaction& transaction, const std::string& cidr, bool is_default, Tags tags);

base::Result<CreateVpcResult> create_vpc(Transaction& transaction, const CreateVpcRequest& request);
// DependencyViolation while it holds anything that AWS did not make along with it.
base::Result<wire::Empty> delete_vpc(Transaction& transaction, const DeleteVpcRequest& request);
base::Result<DescribeVpcsResult> describe_vpcs(const State& state, const std::string& account,
                                               const DescribeVpcsRequest& request);
base::Result<DescribeVpcAttributeResult> describe_vpc_attribute(
    const State& state, const DescribeVpcAttributeRequest& request);
base::Result<wire::Empty> modify_vpc_attribute(Transaction& transaction,
                                               const ModifyVpcAttributeRequest& request);

Vpc view(const VpcRecord& vpc, const std::string& account);

}  // namespace terrarium::ec2
