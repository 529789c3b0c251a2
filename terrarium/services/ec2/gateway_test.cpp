// Internet and NAT gateways, elastic addresses and network interfaces by their rules.
#include <gtest/gtest.h>

#include <set>

#include "terrarium/host/network.h"
#include "terrarium/services/ec2/address_pool.h"
#include "terrarium/services/ec2/cidr.h"
#include "terrarium/services/ec2/network_plan.h"
#include "terrarium/services/ec2/testing_network.h"

namespace terrarium::ec2 {
namespace {

const IsApplied kApplied = [](const VpcId&) { return true; };
const IsApplied kNotApplied = [](const VpcId&) { return false; };

void settle(TestingNetwork& net, const IsApplied& is_applied) {
  net.records
      .change(
          [&](Transaction& transaction) { return settle_nat_gateways(transaction, is_applied); })
      .value();
}

std::string state_of(TestingNetwork& net, const std::string& nat) {
  const auto found = describe_nat_gateways(net.state(), {.nat_gateway_ids = {{nat}}});
  return found.has_value() ? *found->nat_gateways->front().state : code_of(found);
}

Address shown_address(TestingNetwork& net, const std::string& id) {
  return describe_addresses(net.state(), net.scene(), {.allocation_ids = {{id}}})
      ->addresses->front();
}

TEST(InternetGatewayRules, OneGatewayOneVpc) {
  TestingNetwork net;
  const std::string id = net.make_gateway();
  const auto shown =
      describe_internet_gateways(net.state(), net.scene(), {.internet_gateway_ids = {{id}}});
  EXPECT_EQ(shown->internet_gateways->front().attachments->front().state, "available");
  EXPECT_EQ(
      code_of(net.call(attach_internet_gateway, {.internet_gateway_id = id, .vpc_id = net.vpc})),
      "Resource.AlreadyAssociated");
  const std::string other =
      *net.call(create_internet_gateway, {})->internet_gateway->internet_gateway_id;
  EXPECT_EQ(
      code_of(net.call(attach_internet_gateway, {.internet_gateway_id = other, .vpc_id = net.vpc})),
      "InvalidParameterValue");
  EXPECT_EQ(
      code_of(net.call(detach_internet_gateway, {.internet_gateway_id = other, .vpc_id = net.vpc})),
      "Gateway.NotAttached");
  EXPECT_EQ(code_of(net.call(delete_internet_gateway, {.internet_gateway_id = id})),
            "DependencyViolation");
}

TEST(InternetGatewayRules, MappedAddressesKeepItAttached) {
  TestingNetwork net;
  const std::string id = net.make_gateway();
  const auto associated =
      net.call(associate_address,
               {.allocation_id = net.make_address(), .network_interface_id = net.make_interface()});
  const DetachInternetGatewayRequest detach{.internet_gateway_id = id, .vpc_id = net.vpc};
  EXPECT_EQ(code_of(net.call(detach_internet_gateway, detach)), "DependencyViolation");
  net.call(disassociate_address, {.association_id = associated->association_id}).value();
  EXPECT_EQ(code_of(net.call(detach_internet_gateway, detach)), "");
  EXPECT_EQ(code_of(net.call(delete_internet_gateway, {.internet_gateway_id = id})), "");
}

TEST(NatGatewayRules, ItIsAvailableWhenTheKernelHasItAndDescribedAfterItsEnd) {
  TestingNetwork net;
  net.make_gateway();
  const std::string allocation = net.make_address();
  const auto made =
      net.call(create_nat_gateway, {.allocation_id = allocation, .subnet_id = net.subnet});
  ASSERT_TRUE(made.has_value()) << base::describe(made.error());
  const std::string id = *made->nat_gateway->nat_gateway_id;
  settle(net, kNotApplied);
  EXPECT_EQ(state_of(net, id), "pending");
  settle(net, kApplied);
  EXPECT_EQ(state_of(net, id), "available");
  settle(net, kNotApplied);
  EXPECT_EQ(state_of(net, id), "available");
  net.call(delete_nat_gateway, {.nat_gateway_id = id}).value();
  EXPECT_EQ(state_of(net, id), "deleting");
  EXPECT_TRUE(nat_gateways_move(net.state(), net.records.now, kApplied));
  settle(net, kApplied);
  EXPECT_EQ(state_of(net, id), "deleted");
  EXPECT_FALSE(nat_gateways_move(net.state(), net.records.now, kApplied));
  net.records.now += kDeletedNatGatewayKept + std::chrono::seconds(1);
  settle(net, kApplied);
  EXPECT_EQ(state_of(net, id), "NatGatewayNotFound");
}

TEST(NatGatewayRules, ItHoldsAnAddressAnInterfaceAndItsSubnet) {
  TestingNetwork net;
  net.make_gateway();
  const std::string allocation = net.make_address();
  const auto made =
      net.call(create_nat_gateway, {.allocation_id = allocation, .subnet_id = net.subnet});
  const NatGatewayAddress& address = made->nat_gateway->nat_gateway_addresses->front();
  EXPECT_EQ(address.is_primary, true);
  EXPECT_EQ(address.association_id, shown_address(net, allocation).association_id);
  EXPECT_EQ(code_of(net.call(disassociate_address, {.association_id = address.association_id})),
            "OperationNotPermitted");
  EXPECT_EQ(code_of(net.call(release_address, {.allocation_id = allocation})),
            "InvalidIPAddress.InUse");
  EXPECT_EQ(code_of(net.call(delete_network_interface,
                             {.network_interface_id = *address.network_interface_id})),
            "OperationNotPermitted");
  EXPECT_EQ(code_of(net.call(delete_subnet, {.subnet_id = net.subnet})), "DependencyViolation");
  net.call(delete_nat_gateway, {.nat_gateway_id = *made->nat_gateway->nat_gateway_id}).value();
  EXPECT_EQ(code_of(net.call(release_address, {.allocation_id = allocation})), "");
  EXPECT_EQ(code_of(net.call(delete_subnet, {.subnet_id = net.subnet})), "");
}

TEST(NatGatewayRules, AClientTokenMakesOneGateway) {
  TestingNetwork net;
  const CreateNatGatewayRequest request{
      .client_token = "t", .subnet_id = net.subnet, .connectivity_type = "private"};
  const auto first = net.call(create_nat_gateway, request);
  const auto second = net.call(create_nat_gateway, request);
  EXPECT_EQ(first->nat_gateway->nat_gateway_id, second->nat_gateway->nat_gateway_id);
  CreateNatGatewayRequest other = request;
  other.subnet_id = net.other_subnet;
  EXPECT_EQ(code_of(net.call(create_nat_gateway, other)), "IdempotentParameterMismatch");
}

TEST(NatGatewayRules, WhatCouldNeverWorkIsRefused) {
  TestingNetwork net;
  const auto code = [&](const CreateNatGatewayRequest& request) {
    return code_of(net.call(create_nat_gateway, request));
  };
  const std::string allocation = net.make_address();
  EXPECT_EQ(code({.subnet_id = net.subnet}), "MissingParameter");
  EXPECT_EQ(code({.allocation_id = allocation, .subnet_id = net.subnet}), "Gateway.NotAttached");
  net.make_gateway();
  EXPECT_EQ(code({.allocation_id = allocation, .subnet_id = net.subnet}), "");
  EXPECT_EQ(code({.allocation_id = allocation, .subnet_id = net.subnet}),
            "Resource.AlreadyAssociated");
}

TEST(AddressRules, AnAllocatedAddressIsShown) {
  TestingNetwork net;
  const auto made = net.call(allocate_address, {.domain = "vpc"});
  const Address address = shown_address(net, *made->allocation_id);
  EXPECT_EQ(address.public_ip, made->public_ip);
  EXPECT_EQ(address.public_ipv4_pool, "amazon");
  EXPECT_EQ(address.network_border_group, "us-east-1");
  EXPECT_FALSE(address.association_id.has_value());
  EXPECT_EQ(code_of(describe_addresses(net.state(), net.scene(), {.public_ips = {{"192.0.2.1"}}})),
            "InvalidAddress.NotFound");
  net.call(release_address,
           {.allocation_id = made->allocation_id, .network_border_group = "us-east-1"})
      .value();
  EXPECT_EQ(code_of(net.call(release_address, {.allocation_id = made->allocation_id})),
            "InvalidAllocationID.NotFound");
}

TEST(AddressRules, TheQuotaHolds) {
  TestingNetwork net;
  for (std::size_t i = 0; i < kAddressesMax; ++i) net.make_address();
  EXPECT_EQ(code_of(net.call(allocate_address, {})), "AddressLimitExceeded");
}

TEST(AddressRules, EveryPublicAddressIsOneThatInterfacesMayHave) {
  TestingNetwork net;
  const std::uint32_t first = Cidr::parse(host::kPublicCidr)->first() + host::kFirstPublicHost;
  std::set<std::string> given;
  const auto give = [&](Transaction& transaction) -> base::Result<void> {
    TRY(const std::string address, free_public_address(transaction));
    EXPECT_GE(Cidr::parse(address + "/32")->first(), first);
    EXPECT_TRUE(given.insert(address).second);
    transaction.put(AddressRecord{.id = AllocationId{address}, .public_address = address});
    return {};
  };
  while (given.size() <= 256 && net.records.change(give).has_value()) continue;
  EXPECT_EQ(given.size(), 255 - host::kFirstPublicHost);
  EXPECT_EQ(code_of(net.records.change(give)), "InsufficientAddressCapacity");
}

TEST(AddressRules, AnElasticAddressTakesTheLentOnesPlace) {
  TestingNetwork net;
  net.make_gateway();
  const std::string instance = net.make_instance(InstanceStateName::Running);
  const NetworkInterfaceId id =
      net.state().find<InstanceRecord>(InstanceId(instance))->network_interfaces.front();
  net.records
      .change([&](Transaction& transaction) -> base::Result<wire::Empty> {
        NetworkInterfaceRecord lent = *transaction.find<NetworkInterfaceRecord>(id);
        lent.lent_public_address = "203.0.113.200";
        transaction.put(std::move(lent));
        return wire::Empty{};
      })
      .value();
  const std::string allocation = net.make_address();
  net.call(associate_address, {.allocation_id = allocation, .instance_id = instance}).value();
  const NetworkInterfaceRecord& record = *net.state().find<NetworkInterfaceRecord>(id);
  EXPECT_EQ(record.lent_public_address, "");
  EXPECT_EQ(public_address_of(net.state(), record), shown_address(net, allocation).public_ip);
  EXPECT_EQ(shown_address(net, allocation).instance_id, instance);
}

TEST(AddressRules, ALentAddressComesBackWhenTheElasticOneGoes) {
  TestingNetwork net;
  net.make_gateway();
  const std::string instance = net.make_instance(InstanceStateName::Running);
  InstanceRecord record = *net.state().find<InstanceRecord>(InstanceId(instance));
  record.lends_public_address = true;
  const NetworkInterfaceId id = record.network_interfaces.front();
  net.records
      .change([&](Transaction& transaction) -> base::Result<wire::Empty> {
        transaction.put(record);
        return wire::Empty{};
      })
      .value();
  const auto made =
      net.call(associate_address, {.allocation_id = net.make_address(), .instance_id = instance});
  const auto lent = [&] {
    return net.state().find<NetworkInterfaceRecord>(id)->lent_public_address;
  };
  EXPECT_EQ(lent(), "");
  net.call(disassociate_address, {.association_id = made->association_id}).value();
  EXPECT_TRUE(lent().starts_with("203.0.113.")) << lent();
}

TEST(AddressRules, AnAssociationMovesUnlessItMayNot) {
  TestingNetwork net;
  net.make_gateway();
  const std::string allocation = net.make_address();
  const std::string first = net.make_interface();
  const std::string second = net.make_interface();
  net.call(associate_address, {.allocation_id = allocation, .network_interface_id = first}).value();
  EXPECT_EQ(code_of(net.call(associate_address, {.allocation_id = allocation,
                                                 .allow_reassociation = false,
                                                 .network_interface_id = second})),
            "Resource.AlreadyAssociated");
  net.call(associate_address, {.allocation_id = allocation, .network_interface_id = second})
      .value();
  EXPECT_EQ(shown_address(net, allocation).network_interface_id, second);
  const std::string other = net.make_address();
  net.call(associate_address, {.allocation_id = other, .network_interface_id = second}).value();
  EXPECT_FALSE(shown_address(net, allocation).association_id.has_value());
}

TEST(AddressRules, WithoutAnInternetGatewayNothingIsAssociated) {
  TestingNetwork net;
  EXPECT_EQ(code_of(net.call(associate_address, {.allocation_id = net.make_address(),
                                                 .network_interface_id = net.make_interface()})),
            "Gateway.NotAttached");
}

TEST(NetworkInterfaceRules, AnInterfaceHasAddressesAndTheDefaultGroup) {
  TestingNetwork net;
  const auto made = net.call(create_network_interface, {.description = "AWS Lambda VPC ENI-x",
                                                        .private_ip_address = "10.0.1.50",
                                                        .secondary_private_ip_address_count = 2,
                                                        .subnet_id = net.subnet});
  ASSERT_TRUE(made.has_value()) << base::describe(made.error());
  const NetworkInterface& one = *made->network_interface;
  EXPECT_EQ(one.private_ip_address, "10.0.1.50");
  EXPECT_EQ(one.private_ip_addresses->size(), 3U);
  EXPECT_EQ(one.groups->front().group_name, "default");
  EXPECT_EQ(one.status, "pending");
  const auto found = describe_network_interfaces(
      net.state(), net.scene(),
      {.filters = std::vector<Filter>{{.name = "description", .values = {{"AWS Lambda VPC ENI*"}}},
                                      {.name = "subnet-id", .values = {{net.subnet}}}}});
  ASSERT_EQ(found->network_interfaces->size(), 1U);
  EXPECT_EQ(found->network_interfaces->front().status, "available");
  EXPECT_EQ(code_of(net.call(create_network_interface,
                             {.private_ip_address = "10.0.1.50", .subnet_id = net.subnet})),
            "InvalidIPAddress.InUse");
  EXPECT_EQ(code_of(net.call(create_network_interface,
                             {.private_ip_address = "10.0.1.3", .subnet_id = net.subnet})),
            "InvalidParameterValue");
}

TEST(NetworkInterfaceRules, AnAttachedOneStaysWithItsInstance) {
  TestingNetwork net;
  const std::string instance = net.make_instance(InstanceStateName::Running);
  const auto found = describe_network_interfaces(
      net.state(), net.scene(),
      {.filters = std::vector<Filter>{{.name = "attachment.instance-id", .values = {{instance}}}}});
  ASSERT_EQ(found->network_interfaces->size(), 1U);
  const NetworkInterface& one = found->network_interfaces->front();
  EXPECT_EQ(one.status, "in-use");
  EXPECT_EQ(code_of(net.call(delete_network_interface,
                             {.network_interface_id = *one.network_interface_id})),
            "InvalidParameterValue");
  EXPECT_EQ(code_of(detach_network_interface(net.state(),
                                             {.attachment_id = *one.attachment->attachment_id})),
            "OperationNotPermitted");
  EXPECT_EQ(
      code_of(detach_network_interface(net.state(), {.attachment_id = "eni-attach-01234567"})),
      "InvalidAttachmentID.NotFound");
  EXPECT_EQ(code_of(attach_network_interface(net.state(),
                                             {.device_index = 1,
                                              .instance_id = instance,
                                              .network_interface_id = net.make_interface()})),
            "UnsupportedOperation");
}

TEST(NetworkInterfaceRules, AttributesChangeOneByOne) {
  TestingNetwork net;
  const std::string id = net.make_interface();
  net.call(modify_network_interface_attribute,
           {.network_interface_id = id, .source_dest_check = AttributeBooleanValue{false}})
      .value();
  const auto shown = describe_network_interface_attribute(
      net.state(), {.attribute = "sourceDestCheck", .network_interface_id = id});
  EXPECT_EQ(shown->source_dest_check->value, false);
  EXPECT_EQ(code_of(net.call(modify_network_interface_attribute, {.network_interface_id = id})),
            "MissingParameter");
  SecurityGroupId foreign;
  for (const SecurityGroupRecord& group : net.state().all<SecurityGroupRecord>()) {
    if (group.vpc.value != net.vpc) foreign = group.id;
  }
  EXPECT_EQ(code_of(net.call(modify_network_interface_attribute,
                             {.groups = {{foreign.value}}, .network_interface_id = id})),
            "InvalidParameter");
}

TEST(NetworkInterfaceRules, SecondaryAddressesComeAndGo) {
  TestingNetwork net;
  const std::string id = net.make_interface();
  const auto assigned =
      net.call(assign_private_ip_addresses,
               {.network_interface_id = id, .secondary_private_ip_address_count = 2});
  ASSERT_EQ(assigned->assigned_private_ip_addresses->size(), 2U);
  const std::string first = *assigned->assigned_private_ip_addresses->front().private_ip_address;
  const UnassignPrivateIpAddressesRequest gone{.network_interface_id = id,
                                               .private_ip_addresses = {{first}}};
  EXPECT_EQ(code_of(net.call(unassign_private_ip_addresses, gone)), "");
  EXPECT_EQ(code_of(net.call(unassign_private_ip_addresses, gone)), "InvalidParameterValue");
  EXPECT_EQ(
      net.state().find<NetworkInterfaceRecord>(NetworkInterfaceId(id))->secondary_addresses.size(),
      1U);
}

}  // namespace
}  // namespace terrarium::ec2
