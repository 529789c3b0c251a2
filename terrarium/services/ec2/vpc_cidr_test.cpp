// The ranges of a VPC besides its first.
#include <gtest/gtest.h>

#include "terrarium/services/ec2/route_rules.h"
#include "terrarium/services/ec2/testing_network.h"
#include "terrarium/services/ec2/vpc_cidr_rules.h"

namespace terrarium::ec2 {
namespace {

auto associate(TestingNetwork& net, const std::string& cidr) {
  return net.call(associate_vpc_cidr_block, {.cidr_block = cidr, .vpc_id = net.vpc});
}
std::size_t routes(TestingNetwork& net) {
  const auto tables = describe_route_tables(
      net.state(), net.scene(),
      {.filters = std::vector<Filter>{{"vpc-id", std::vector<std::string>{net.vpc}}}});
  return tables->route_tables->front().routes->size();
}

TEST(VpcCidrs, ASubnetMayLieInASecondRange) {
  TestingNetwork net;
  const auto made = associate(net, "10.1.0.0/16");
  ASSERT_TRUE(made.has_value()) << base::describe(made.error());
  EXPECT_EQ(made->cidr_block_association->cidr_block_state->state, "associating");
  EXPECT_EQ(routes(net), 2u);
  const std::string subnet = net.make_subnet("10.1.1.0/24", "us-east-1a");
  const std::string id = *made->cidr_block_association->association_id;
  EXPECT_EQ(code_of(net.call(disassociate_vpc_cidr_block, {.association_id = id})),
            "InvalidCidr.InUse");
  (void)net.call(delete_subnet, {.subnet_id = subnet});
  EXPECT_EQ(code_of(net.call(disassociate_vpc_cidr_block, {.association_id = id})), "");
  EXPECT_EQ(routes(net), 1u);
  EXPECT_EQ(code_of(net.call(disassociate_vpc_cidr_block, {.association_id = id})),
            "InvalidVpcCidrBlockAssociationID.NotFound");
}

TEST(VpcCidrs, TheFirstRangeStays) {
  TestingNetwork net;
  const VpcRecord& vpc = *net.state().find<VpcRecord>(VpcId(net.vpc));
  EXPECT_EQ(code_of(net.call(disassociate_vpc_cidr_block,
                             {.association_id = vpc.cidrs.front().id.value})),
            "OperationNotPermitted");
}

TEST(VpcCidrs, RangesThatCannotBeAreRefused) {
  TestingNetwork net;
  for (const char* cidr : {"10.0.128.0/17", "10.0.0.0/16", "192.168.0.0/16", "10.1.0.0/8"}) {
    EXPECT_EQ(code_of(associate(net, cidr)), "InvalidVpc.Range") << cidr;
  }
  EXPECT_EQ(code_of(associate(net, "what")), "InvalidParameterValue");
  EXPECT_EQ(code_of(associate(net, "100.64.0.0/16")), "");
  for (const char* cidr : {"10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"}) {
    EXPECT_EQ(code_of(associate(net, cidr)), "") << cidr;
  }
  EXPECT_EQ(code_of(associate(net, "10.4.0.0/16")), "CidrLimitExceeded");
}

}  // namespace
}  // namespace terrarium::ec2
