// The operations of regions, zones and the account: rules in zone_rules.h.
#pragma once

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/vpcs.h"

namespace terrarium::ec2 {

class Zones {
 public:
  explicit Zones(Core& core) : core_(core) {}

  EC2_OPERATION(describe_regions, DescribeRegionsRequest, DescribeRegionsResult);
  EC2_OPERATION(describe_availability_zones, DescribeAvailabilityZonesRequest,
                DescribeAvailabilityZonesResult);
  EC2_OPERATION(describe_account_attributes, DescribeAccountAttributesRequest,
                DescribeAccountAttributesResult);
  // Disks are not encrypted.
  EC2_OPERATION(get_ebs_encryption_by_default, GetEbsEncryptionByDefaultRequest,
                GetEbsEncryptionByDefaultResult);

 private:
  Core& core_;
};

}  // namespace terrarium::ec2
