// What every region of an AWS account has before anybody made anything: the default VPC with a
// subnet in each zone, default DHCP options, and the base image.
#pragma once

#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

inline constexpr std::string_view kDefaultVpcCidr = "172.31.0.0/16";
// The same in every region and account, so that templates can name it.
inline constexpr std::string_view kBaseImageId = "ami-0deb1200000000001";
inline constexpr std::string_view kBaseImageName = "terrarium-debian-12-x86_64";

void seed_region(Transaction& transaction);

// The default VPC alone: CreateDefaultVpc's.
VpcId make_default_vpc(Transaction& transaction);
// A default subnet in `zone`, the next free range of the default VPC.
SubnetId make_default_subnet(Transaction& transaction, const VpcId& vpc, const std::string& zone);

}  // namespace terrarium::ec2
