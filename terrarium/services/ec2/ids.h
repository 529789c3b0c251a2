// Identifiers of EC2's resources: a type each, so that a subnet is never taken for a VPC. In AWS's
// form: a prefix and 17 hexadecimal digits ("vpc-0a1b2c3d4e5f60718").
#pragma once

#include <string>
#include <string_view>

#include "lib/base/id.h"
#include "lib/base/random.h"

namespace terrarium::ec2 {

#define EC2_ID(Name, prefix)                            \
  struct Name##Tag {                                    \
    static constexpr std::string_view kPrefix = prefix; \
  };                                                    \
  using Name = base::Id<Name##Tag>

EC2_ID(VpcId, "vpc-");
EC2_ID(VpcCidrAssociationId, "vpc-cidr-assoc-");
EC2_ID(SubnetId, "subnet-");
EC2_ID(RouteTableId, "rtb-");
EC2_ID(RouteTableAssociationId, "rtbassoc-");
EC2_ID(InternetGatewayId, "igw-");
EC2_ID(NatGatewayId, "nat-");
EC2_ID(NetworkAclId, "acl-");
EC2_ID(NetworkAclAssociationId, "aclassoc-");
EC2_ID(SecurityGroupId, "sg-");
EC2_ID(SecurityGroupRuleId, "sgr-");
EC2_ID(NetworkInterfaceId, "eni-");
EC2_ID(AttachmentId, "eni-attach-");
EC2_ID(AllocationId, "eipalloc-");
EC2_ID(AddressAssociationId, "eipassoc-");
EC2_ID(DhcpOptionsId, "dopt-");
EC2_ID(KeyPairId, "key-");
EC2_ID(ImageId, "ami-");
EC2_ID(SnapshotId, "snap-");
EC2_ID(VolumeId, "vol-");
EC2_ID(InstanceId, "i-");
EC2_ID(ReservationId, "r-");
EC2_ID(LaunchTemplateId, "lt-");
EC2_ID(ProfileAssociationId, "iip-assoc-");

#undef EC2_ID

// `prefix` and 17 random hexadecimal digits.
std::string new_id_text(base::Random& random, std::string_view prefix);
// Whether `text` is `prefix` and 8 or 17 lower-case hexadecimal digits.
bool is_id_text(std::string_view text, std::string_view prefix);

template <class Tag>
void make_id(base::Random& random, base::Id<Tag>& id) {
  id.value = new_id_text(random, Tag::kPrefix);
}
template <class Tag>
constexpr std::string_view id_prefix(const base::Id<Tag>&) {
  return Tag::kPrefix;
}
template <class Id>
Id new_id(base::Random& random) {
  Id id;
  make_id(random, id);
  return id;
}

}  // namespace terrarium::ec2
