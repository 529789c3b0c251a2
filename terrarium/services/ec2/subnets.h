// The operations of subnets and default VPCs: rules in subnet_rules.h.
#pragma once

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/vpcs.h"

namespace terrarium::ec2 {

class Subnets {
 public:
  explicit Subnets(Core& core) : core_(core) {}

  EC2_OPERATION(create_subnet, CreateSubnetRequest, CreateSubnetResult);
  EC2_OPERATION(describe_subnets, DescribeSubnetsRequest, DescribeSubnetsResult);
  EC2_OPERATION(modify_subnet_attribute, ModifySubnetAttributeRequest, wire::Empty);
  EC2_OPERATION(delete_subnet, DeleteSubnetRequest, wire::Empty);
  EC2_OPERATION(create_default_vpc, CreateDefaultVpcRequest, CreateDefaultVpcResult);
  EC2_OPERATION(create_default_subnet, CreateDefaultSubnetRequest, CreateDefaultSubnetResult);

 private:
  Core& core_;
};

}  // namespace terrarium::ec2
