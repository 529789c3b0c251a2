#include "terrarium/host/linux/network_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "terrarium/host/linux/network_names.h"

namespace terrarium::host::linux_host {
namespace {

VpcSpec vpc_spec() {
  VpcSpec spec{.id = "vpc-1", .cidrs = {"10.0.0.0/16"}, .internet_gateway = true};
  spec.subnets = {{"subnet-1", "10.0.1.0/24", "rtb-1", "acl-1"}};
  spec.route_tables = {{"rtb-1",
                        {{.destination = "10.0.0.0/16"},
                         {"0.0.0.0/0", RouteSpec::Target::InternetGateway, "igw-1"}}}};
  spec.network_acls = {{"acl-1", {}}};
  spec.interfaces = {{.id = "eni-1",
                      .subnet = "subnet-1",
                      .address = "10.0.1.5",
                      .mac = "02:00:00:00:00:01",
                      .public_address = "203.0.113.20"}};
  return spec;
}

// Why the spec is refused; empty when it is not.
base::ErrorKind refusal(const VpcSpec& spec) {
  const auto state = desired_state(spec);
  EXPECT_FALSE(state.has_value());
  return state ? base::ErrorKind::Internal : state.error().kind;
}

Route route_to(const RouterState& state, const std::string& destination) {
  const auto found = std::ranges::find(state.routes, destination, &Route::destination);
  return found == state.routes.end() ? Route() : *found;
}

TEST(NetworkPlan, AnInterfaceGetsALinkAHostRouteAndItsSubnetsGateway) {
  const RouterState state = desired_state(vpc_spec()).value();
  const Attachment& attachment = state.attachments.at("eni-1");
  EXPECT_EQ(attachment.link, link_name(kInterfacePrefix, "eni-1"));
  EXPECT_EQ(attachment.gateway, "10.0.1.1");
  EXPECT_EQ(attachment.prefix_length, 24);
  EXPECT_EQ(route_to(state, "10.0.1.5/32"),
            (Route{kLocalTable, "10.0.1.5/32", attachment.link, ""}));
  EXPECT_EQ(route_to(state, "10.0.0.0/16").link, "") << "the rest of the VPC is dropped";
  EXPECT_EQ(state.own_addresses,
            (std::set<std::string>{"10.0.0.2", "10.0.1.1", "169.254.169.253", "169.254.169.254"}));
  EXPECT_EQ(state.public_addresses, std::set<std::string>{"203.0.113.20"});
}

TEST(NetworkPlan, WithoutAnInternetGatewayNothingIsPublic) {
  VpcSpec spec = vpc_spec();
  spec.internet_gateway = false;
  const RouterState state = desired_state(spec).value();
  EXPECT_EQ(state.public_addresses, std::set<std::string>());
  EXPECT_EQ(route_to(state, "0.0.0.0/0").link, "");
}

TEST(NetworkPlan, ARouteWhoseTargetIsGoneDropsPackets) {
  VpcSpec spec = vpc_spec();
  for (const auto target : {RouteSpec::Target::NatGateway, RouteSpec::Target::Interface,
                            RouteSpec::Target::Blackhole}) {
    spec.route_tables[0].routes[1] = {"0.0.0.0/0", target, "missing"};
    EXPECT_EQ(route_to(desired_state(spec).value(), "0.0.0.0/0").link, "");
  }
}

TEST(NetworkPlan, OnlyAnInterfaceWithoutTheCheckPassesOn) {
  VpcSpec spec = vpc_spec();
  spec.route_tables[0].routes[1] = {"0.0.0.0/0", RouteSpec::Target::Interface, "eni-1"};
  EXPECT_EQ(route_to(desired_state(spec).value(), "0.0.0.0/0").link, "");
  spec.interfaces[0].source_dest_check = false;
  EXPECT_EQ(route_to(desired_state(spec).value(), "0.0.0.0/0").via, "10.0.1.5");
}

TEST(NetworkPlan, WhatContradictsItselfIsRefused) {
  VpcSpec spec = vpc_spec();
  spec.interfaces.push_back(spec.interfaces[0]);
  spec.interfaces[1].id = "eni-2";
  EXPECT_EQ(refusal(spec), base::ErrorKind::InvalidInput) << "one address twice";
  spec = vpc_spec();
  spec.interfaces[0].address = "10.0.2.5";
  EXPECT_EQ(refusal(spec), base::ErrorKind::InvalidInput) << "not in its subnet";
  spec = vpc_spec();
  spec.interfaces[0].address = "10.0.1.1";
  EXPECT_EQ(refusal(spec), base::ErrorKind::InvalidInput) << "the router's own";
  spec = vpc_spec();
  spec.interfaces[0].public_address = "203.0.113.1";
  EXPECT_EQ(refusal(spec), base::ErrorKind::InvalidInput) << "the region's own";
  spec = vpc_spec();
  spec.interfaces[0].id = "../eni";
  EXPECT_EQ(refusal(spec), base::ErrorKind::InvalidInput) << "an id that is a path";
  spec = vpc_spec();
  spec.subnets[0].route_table = "rtb-2";
  EXPECT_EQ(refusal(spec), base::ErrorKind::InvalidInput) << "an unknown route table";
  spec = vpc_spec();
  spec.subnets[0].cidr = "10.1.1.0/24";
  EXPECT_EQ(refusal(spec), base::ErrorKind::InvalidInput) << "a subnet outside the VPC";
  spec = vpc_spec();
  spec.route_tables[0].routes.push_back({"10.0.7.0/24", RouteSpec::Target::Blackhole, ""});
  EXPECT_EQ(refusal(spec), base::ErrorKind::NotImplemented) << "a route within the VPC";
}

TEST(NetworkPlan, EqualStatesNeedNoChange) {
  const RouterState state = desired_state(vpc_spec()).value();
  EXPECT_TRUE(changes_between(state, state).empty());
}

TEST(NetworkPlan, OneMoreInterfaceChangesNothingElse) {
  VpcSpec spec = vpc_spec();
  const RouterState before = desired_state(spec).value();
  spec.interfaces.push_back({.id = "eni-2", .subnet = "subnet-1", .address = "10.0.1.6"});
  const RouterChanges changes = changes_between(before, desired_state(spec).value());
  ASSERT_EQ(changes.to_attach.size(), 1U);
  EXPECT_EQ(changes.to_attach[0].id, "eni-2");
  ASSERT_EQ(changes.routes_to_add.size(), 1U);
  EXPECT_EQ(changes.routes_to_add[0].destination, "10.0.1.6/32");
  EXPECT_TRUE(changes.to_detach.empty() && changes.routes_to_remove.empty() &&
              changes.rules_to_add.empty() && changes.public_to_add.empty());
}

TEST(NetworkPlan, WhatIsAttachedAnewGetsItsRoutesAgain) {
  const RouterState wanted = desired_state(vpc_spec()).value();
  RouterState found = wanted;
  found.attachments.at("eni-1").mac = "02:00:00:00:00:99";
  const RouterChanges changes = changes_between(found, wanted);
  EXPECT_EQ(changes.to_attach.size(), 1U);
  EXPECT_EQ(changes.routes_to_add.size(), 1U);
  EXPECT_TRUE(changes.routes_to_remove.empty());
}

TEST(NetworkPlan, ARouteIsReplacedAndNeverMissing) {
  VpcSpec spec = vpc_spec();
  const RouterState before = desired_state(spec).value();
  spec.route_tables[0].routes[1] = {"0.0.0.0/0", RouteSpec::Target::Blackhole, ""};
  const RouterChanges changes = changes_between(before, desired_state(spec).value());
  EXPECT_EQ(changes.routes_to_add.size(), 1U);
  EXPECT_TRUE(changes.routes_to_remove.empty());
}

}  // namespace
}  // namespace terrarium::host::linux_host
