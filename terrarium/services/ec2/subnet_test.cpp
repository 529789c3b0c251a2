// Subnets, network ACLs and DHCP options by their rules.
#include <gtest/gtest.h>

#include "terrarium/services/ec2/absent_networking.h"
#include "terrarium/services/ec2/network_acl_rules.h"
#include "terrarium/services/ec2/network_plan.h"
#include "terrarium/services/ec2/testing_network.h"

namespace terrarium::ec2 {
namespace {

std::vector<Filter> by(const std::string& name, const std::string& value) {
  return {{.name = name, .values = {{value}}}};
}

TEST(SubnetRules, ASubnetIsShownWithEverythingThatClientsRead) {
  TestingNetwork net;
  const auto made = net.call(
      create_subnet,
      {.availability_zone_id = "use1-az3", .cidr_block = "10.0.9.7/28", .vpc_id = net.vpc});
  ASSERT_TRUE(made.has_value()) << base::describe(made.error());
  const Subnet& subnet = *made->subnet;
  EXPECT_EQ(subnet.cidr_block, "10.0.9.0/28");
  EXPECT_EQ(subnet.availability_zone, "us-east-1c");
  EXPECT_EQ(subnet.available_ip_address_count, 11);
  EXPECT_EQ(subnet.map_public_ip_on_launch, false);
  EXPECT_EQ(subnet.private_dns_name_options_on_launch->hostname_type, "ip-name");
  EXPECT_EQ(subnet.subnet_arn, "arn:aws:ec2:us-east-1:000000000000:subnet/" + *subnet.subnet_id);
}

TEST(SubnetRules, RangesMustLieInTheVpcAndBeFree) {
  TestingNetwork net;
  const auto refused = [&](const std::string& cidr) {
    return code_of(net.call(create_subnet, {.cidr_block = cidr, .vpc_id = net.vpc}));
  };
  EXPECT_EQ(refused("10.0.1.128/25"), "InvalidSubnet.Conflict");
  EXPECT_EQ(refused("10.1.0.0/24"), "InvalidSubnet.Range");
  EXPECT_EQ(refused("10.0.3.0/29"), "InvalidSubnet.Range");
  EXPECT_EQ(refused("10.0.3"), "InvalidParameterValue");
  EXPECT_EQ(refused("10.0.3.0/28"), "");
}

TEST(SubnetRules, AnUnknownZoneIsRefusedWithThoseThatAre) {
  TestingNetwork net;
  const auto refused =
      net.call(create_subnet,
               {.availability_zone = "us-east-1z", .cidr_block = "10.0.3.0/24", .vpc_id = net.vpc});
  EXPECT_EQ(code_of(refused), "InvalidParameterValue");
  EXPECT_NE(refused.error().message.find("us-east-1a, us-east-1b"), std::string::npos);
}

TEST(SubnetRules, AnInterfaceTakesAnAddressAndKeepsTheSubnet) {
  TestingNetwork net;
  const std::string id = net.make_interface();
  const auto shown = describe_subnets(net.state(), net.scene(), {.subnet_ids = {{net.subnet}}});
  EXPECT_EQ(shown->subnets->front().available_ip_address_count, 250);
  EXPECT_EQ(code_of(net.call(delete_subnet, {.subnet_id = net.subnet})), "DependencyViolation");
  net.call(delete_network_interface, {.network_interface_id = id}).value();
  EXPECT_EQ(code_of(net.call(delete_subnet, {.subnet_id = net.subnet})), "");
  EXPECT_EQ(code_of(net.call(delete_subnet, {.subnet_id = net.subnet})),
            "InvalidSubnetID.NotFound");
}

TEST(SubnetRules, OneAttributeIsChangedAtATime) {
  TestingNetwork net;
  net.call(modify_subnet_attribute,
           {.map_public_ip_on_launch = AttributeBooleanValue{true}, .subnet_id = net.subnet})
      .value();
  EXPECT_TRUE(net.state().find<SubnetRecord>(SubnetId(net.subnet))->map_public_ip_on_launch);
  EXPECT_EQ(code_of(net.call(modify_subnet_attribute,
                             {.map_public_ip_on_launch = AttributeBooleanValue{true},
                              .subnet_id = net.subnet,
                              .private_dns_hostname_type_on_launch = "ip-name"})),
            "InvalidParameterCombination");
  EXPECT_EQ(
      code_of(net.call(modify_subnet_attribute,
                       {.subnet_id = net.subnet, .enable_dns64 = AttributeBooleanValue{true}})),
      "UnsupportedOperation");
}

TEST(SubnetRules, FiltersChoose) {
  TestingNetwork net;
  const auto count = [&](const std::string& name, const std::string& value) {
    return describe_subnets(net.state(), net.scene(), {.filters = by(name, value)})
        ->subnets->size();
  };
  EXPECT_EQ(count("vpc-id", net.vpc), 2U);
  EXPECT_EQ(count("default-for-az", "true"), 6U);
  EXPECT_EQ(count("availability-zone-id", "use1-az1"), 2U);
  EXPECT_EQ(count("cidr-block", "10.0.?.0/24"), 2U);
  EXPECT_EQ(count("owner-id", "000000000000"), 8U);
  EXPECT_EQ(count("owner-id", "1"), 0U);
}

TEST(SubnetRules, DefaultsAreMadeOnceAndAgain) {
  TestingNetwork net;
  const auto again = [&] { return net.records.change(create_default_vpc); };
  EXPECT_EQ(code_of(again()), "DefaultVpcAlreadyExists");
  EXPECT_EQ(code_of(net.call(create_default_subnet, {.availability_zone = "us-east-1b"})),
            "DefaultSubnetAlreadyExistsInAvailabilityZone");
  const auto shown = describe_subnets(
      net.state(), net.scene(),
      {.filters = std::vector<Filter>{{.name = "availability-zone", .values = {{"us-east-1b"}}},
                                      {.name = "default-for-az", .values = {{"true"}}}}});
  net.call(delete_subnet, {.subnet_id = *shown->subnets->front().subnet_id}).value();
  const auto made = net.call(create_default_subnet, {.availability_zone = "us-east-1b"});
  EXPECT_EQ(made->subnet->cidr_block, shown->subnets->front().cidr_block);
  EXPECT_EQ(made->subnet->map_public_ip_on_launch, true);
}

CreateNetworkAclEntryRequest entry(const std::string& acl, int number, const std::string& protocol,
                                   std::optional<PortRange> ports = {}) {
  return {.cidr_block = "10.0.0.9/8",
          .egress = false,
          .network_acl_id = acl,
          .port_range = ports,
          .protocol = protocol,
          .rule_action = "allow",
          .rule_number = number};
}

std::string new_acl(TestingNetwork& net) {
  return *net.call(create_network_acl, {.vpc_id = net.vpc})->network_acl->network_acl_id;
}

TEST(NetworkAclRules, ANewListDeniesAllWithItsFinalRules) {
  TestingNetwork net;
  const auto made = net.call(create_network_acl, {.vpc_id = net.vpc});
  const NetworkAcl& acl = *made->network_acl;
  ASSERT_EQ(acl.entries->size(), 2U);
  for (const NetworkAclEntry& one : *acl.entries) {
    EXPECT_EQ(one.rule_number, kAclFinalRule);
    EXPECT_EQ(one.rule_action, "deny");
    EXPECT_EQ(one.protocol, "-1");
    EXPECT_EQ(one.cidr_block, "0.0.0.0/0");
  }
}

TEST(NetworkAclRules, EntriesAreCheckedAndNumbered) {
  TestingNetwork net;
  const std::string acl = new_acl(net);
  const auto code = [&](const CreateNetworkAclEntryRequest& request) {
    return code_of(net.call(create_network_acl_entry, request));
  };
  EXPECT_EQ(code(entry(acl, 100, "tcp")), "MissingParameter");
  EXPECT_EQ(code(entry(acl, 100, "tcp", PortRange{443, 80})), "InvalidParameterValue");
  EXPECT_EQ(code(entry(acl, 100, "tcpx", PortRange{80, 443})), "InvalidParameterValue");
  EXPECT_EQ(code(entry(acl, kAclFinalRule, "-1")), "InvalidParameterValue");
  EXPECT_EQ(code(entry(acl, 100, "icmp")), "MissingParameter");
  EXPECT_EQ(code(entry(acl, 100, "6", PortRange{80, 443})), "");
  EXPECT_EQ(code(entry(acl, 100, "-1")), "NetworkAclEntryAlreadyExists");
  const auto shown = describe_network_acls(net.state(), net.scene(),
                                           {.filters = by("entry.port-range.to", "443")});
  ASSERT_EQ(shown->network_acls->size(), 1U);
  EXPECT_EQ(shown->network_acls->front().entries->at(1).cidr_block, "10.0.0.0/8");
}

TEST(NetworkAclRules, EntriesAreReplacedAndDeleted) {
  TestingNetwork net;
  const std::string acl = new_acl(net);
  net.call(create_network_acl_entry, entry(acl, 100, "-1")).value();
  const auto& kept = net.state().find<NetworkAclRecord>(NetworkAclId(acl))->entries;
  net.call(replace_network_acl_entry, {.cidr_block = "0.0.0.0/0",
                                       .network_acl_id = acl,
                                       .protocol = "all",
                                       .rule_action = "deny",
                                       .rule_number = 100})
      .value();
  ASSERT_EQ(net.state().find<NetworkAclRecord>(NetworkAclId(acl))->entries.size(), 1U);
  EXPECT_FALSE(kept.front().allow);
  const DeleteNetworkAclEntryRequest gone{.network_acl_id = acl, .rule_number = 100};
  EXPECT_EQ(code_of(net.call(delete_network_acl_entry, gone)), "");
  EXPECT_EQ(code_of(net.call(delete_network_acl_entry, gone)), "InvalidNetworkAclEntry.NotFound");
}

TEST(NetworkAclRules, ASubnetGetsAnotherListAndTheKernelLearnsIt) {
  TestingNetwork net;
  const std::string acl = new_acl(net);
  const std::string before =
      net.state().find<SubnetRecord>(SubnetId(net.subnet))->network_acl_association.value;
  const auto replaced =
      net.call(replace_network_acl_association, {.association_id = before, .network_acl_id = acl});
  EXPECT_NE(replaced->new_association_id, before);
  EXPECT_EQ(code_of(net.call(delete_network_acl, {.network_acl_id = acl})), "DependencyViolation");
  EXPECT_EQ(code_of(net.call(replace_network_acl_association,
                             {.association_id = before, .network_acl_id = acl})),
            "InvalidAssociationID.NotFound");
  const VpcRecord& vpc = *net.state().find<VpcRecord>(VpcId(net.vpc));
  for (const host::SubnetSpec& subnet : desired_network(net.state(), "us-east-1", vpc).subnets) {
    EXPECT_EQ(subnet.network_acl == acl, subnet.id == net.subnet);
  }
}

TEST(NetworkAclRules, TheDefaultListStays) {
  TestingNetwork net;
  const auto acls = describe_network_acls(
      net.state(), net.scene(),
      {.filters = std::vector<Filter>{{.name = "vpc-id", .values = {{net.vpc}}},
                                      {.name = "default", .values = {{"true"}}}}});
  ASSERT_EQ(acls->network_acls->size(), 1U);
  EXPECT_EQ(acls->network_acls->front().entries->size(), 4U);
  EXPECT_EQ(acls->network_acls->front().associations->size(), 2U);
  EXPECT_EQ(code_of(net.call(delete_network_acl,
                             {.network_acl_id = *acls->network_acls->front().network_acl_id})),
            "InvalidParameterValue");
}

TEST(DhcpOptionsRules, AVpcTakesOptionsOrNone) {
  TestingNetwork net;
  const auto shown = describe_dhcp_options(net.state(), net.scene(), {});
  ASSERT_EQ(shown->dhcp_options->size(), 1U);
  net.call(associate_dhcp_options, {.dhcp_options_id = "default", .vpc_id = net.vpc}).value();
  const auto vpcs = describe_vpcs(net.state(), "1", {.vpc_ids = {{net.vpc}}});
  EXPECT_EQ(vpcs->vpcs->front().dhcp_options_id, "default");
  EXPECT_EQ(code_of(net.call(associate_dhcp_options,
                             {.dhcp_options_id = "dopt-01234567", .vpc_id = net.vpc})),
            "InvalidDhcpOptionID.NotFound");
}

}  // namespace
}  // namespace terrarium::ec2
