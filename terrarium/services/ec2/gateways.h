// The operations of internet gateways and NAT gateways: rules in gateway_rules.h.
#pragma once

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/vpcs.h"

namespace terrarium::ec2 {

class Gateways {
 public:
  explicit Gateways(Core& core) : core_(core) {}

  EC2_OPERATION(create_internet_gateway, CreateInternetGatewayRequest, CreateInternetGatewayResult);
  EC2_OPERATION(attach_internet_gateway, AttachInternetGatewayRequest, wire::Empty);
  EC2_OPERATION(describe_internet_gateways, DescribeInternetGatewaysRequest,
                DescribeInternetGatewaysResult);
  EC2_OPERATION(detach_internet_gateway, DetachInternetGatewayRequest, wire::Empty);
  EC2_OPERATION(delete_internet_gateway, DeleteInternetGatewayRequest, wire::Empty);
  EC2_OPERATION(create_nat_gateway, CreateNatGatewayRequest, CreateNatGatewayResult);
  EC2_OPERATION(describe_nat_gateways, DescribeNatGatewaysRequest, DescribeNatGatewaysResult);
  EC2_OPERATION(delete_nat_gateway, DeleteNatGatewayRequest, DeleteNatGatewayResult);

 private:
  Core& core_;
};

}  // namespace terrarium::ec2
