// The operations of VPCs: rules in vpc_rules.h.
#pragma once

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/core.h"

namespace terrarium::ec2 {

// How every operation of EC2 is declared.
#define EC2_OPERATION(name, Request, Output) \
  runtime::Task<base::Result<Output>> name(const wire::Context& context, Request request)

class Vpcs {
 public:
  explicit Vpcs(Core& core) : core_(core) {}

  EC2_OPERATION(create_vpc, CreateVpcRequest, CreateVpcResult);
  EC2_OPERATION(delete_vpc, DeleteVpcRequest, wire::Empty);
  EC2_OPERATION(describe_vpcs, DescribeVpcsRequest, DescribeVpcsResult);
  EC2_OPERATION(describe_vpc_attribute, DescribeVpcAttributeRequest, DescribeVpcAttributeResult);
  EC2_OPERATION(associate_vpc_cidr_block, AssociateVpcCidrBlockRequest,
                AssociateVpcCidrBlockResult);
  EC2_OPERATION(disassociate_vpc_cidr_block, DisassociateVpcCidrBlockRequest,
                DisassociateVpcCidrBlockResult);
  EC2_OPERATION(modify_vpc_attribute, ModifyVpcAttributeRequest, wire::Empty);

 private:
  Core& core_;
};

}  // namespace terrarium::ec2
