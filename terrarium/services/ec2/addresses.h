// The operations of elastic addresses: rules in address_rules.h.
#pragma once

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/vpcs.h"

namespace terrarium::ec2 {

class Addresses {
 public:
  explicit Addresses(Core& core) : core_(core) {}

  EC2_OPERATION(allocate_address, AllocateAddressRequest, AllocateAddressResult);
  EC2_OPERATION(describe_addresses, DescribeAddressesRequest, DescribeAddressesResult);
  EC2_OPERATION(describe_addresses_attribute, DescribeAddressesAttributeRequest,
                DescribeAddressesAttributeResult);
  EC2_OPERATION(associate_address, AssociateAddressRequest, AssociateAddressResult);
  EC2_OPERATION(disassociate_address, DisassociateAddressRequest, wire::Empty);
  EC2_OPERATION(release_address, ReleaseAddressRequest, wire::Empty);

 private:
  Core& core_;
};

}  // namespace terrarium::ec2
