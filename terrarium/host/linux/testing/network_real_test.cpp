// The region's networks in the kernel, with real traffic: who reaches whom, and what is left.
#include <cstdlib>

#include "terrarium/host/linux/testing/network_region.h"

namespace terrarium::host::testing_network {
namespace {

using NetworkRouting = NetworkRegion;

// An open group: everything in, everything out.
void open_up(VpcSpec& spec) {
  spec.security_groups.push_back(
      {"sg-open", {from_cidr(kEverything, "0.0.0.0/0"), to_cidr(kEverything, "0.0.0.0/0")}});
}

TEST_F(NetworkRouting, InterfacesReachEachOtherWithinAndAcrossSubnets) {
  VpcSpec spec = vpc_spec();
  open_up(spec);
  spec.interfaces = {interface("eni-1", "10.0.1.5", {"sg-open"}),
                     interface("eni-2", "10.0.1.6", {"sg-open"}),
                     interface("eni-3", "10.0.2.5", {"sg-open"})};
  ASSERT_TRUE(set(spec));
  const Echo same(at("eni-2"), 80);
  const Echo other(at("eni-3"), 80);
  EXPECT_EQ(ask(at("eni-1"), "10.0.1.6", 80), "10.0.1.5");
  EXPECT_EQ(ask(at("eni-1"), "10.0.2.5", 80), "10.0.1.5");
  EXPECT_EQ(ask(at("eni-1"), "10.0.1.6", 81), "refused");
}

TEST_F(NetworkRouting, AnAddressThatNobodyHasRefusesAtOnce) {
  VpcSpec spec = vpc_spec();
  open_up(spec);
  spec.interfaces = {interface("eni-1", "10.0.1.5", {"sg-open"})};
  ASSERT_TRUE(set(spec));
  EXPECT_EQ(ask(at("eni-1"), "10.0.1.77", 80), "refused");
  EXPECT_EQ(ask(at("eni-1"), "10.0.77.77", 80), "refused");
}

TEST_F(NetworkRouting, PublicAddressesWorkInAndOutAndBackIn) {
  VpcSpec spec = vpc_spec();
  open_up(spec);
  spec.interfaces = {interface("eni-1", "10.0.101.5", {"sg-open"}),
                     interface("eni-2", "10.0.101.6", {"sg-open"}),
                     interface("eni-3", "10.0.101.7", {"sg-open"})};
  spec.interfaces[0].public_address = "203.0.113.20";
  spec.interfaces[1].public_address = "203.0.113.21";
  ASSERT_TRUE(set(spec));
  const Echo web(at("eni-1"), 80);
  auto api = network_->listen_on_internet(std::string(kApiAddress), 8000);
  ASSERT_TRUE(api.has_value());
  const Echo outside(*api);
  EXPECT_EQ(ask(internet(), "203.0.113.20", 80), kOperatorAddress);
  EXPECT_EQ(ask(at("eni-1"), std::string(kApiAddress), 8000), "203.0.113.20");
  EXPECT_EQ(ask(at("eni-2"), "203.0.113.20", 80), "203.0.113.21");
  EXPECT_EQ(ask(at("eni-3"), std::string(kApiAddress), 8000), "timeout") << "it has none";
  spec.interfaces[0].public_address = "";
  ASSERT_TRUE(set(spec));
  EXPECT_EQ(ask(internet(), "203.0.113.20", 80), "unreachable");
}

TEST_F(NetworkRouting, ThroughTheNatGatewayOutAndNeverIn) {
  VpcSpec spec = vpc_spec();
  open_up(spec);
  spec.interfaces = {interface("eni-1", "10.0.1.5", {"sg-open"}),
                     interface("eni-2", "10.0.101.5", {"sg-open"})};
  ASSERT_TRUE(set(spec));
  auto api = network_->listen_on_internet(std::string(kApiAddress), 8000);
  ASSERT_TRUE(api.has_value());
  const Echo outside(*api);
  const Echo inside(at("eni-1"), 8000);
  EXPECT_EQ(ask(at("eni-1"), std::string(kApiAddress), 8000), "203.0.113.30");
  EXPECT_EQ(ask(internet(), "203.0.113.30", 8000), "timeout");
  EXPECT_EQ(ask(at("eni-2"), "10.0.101.9", 8000), "timeout") << "nor from within";
  spec.route_tables[1].routes[1] = {"0.0.0.0/0", RouteSpec::Target::Blackhole, ""};
  ASSERT_TRUE(set(spec));
  EXPECT_EQ(ask(at("eni-1"), std::string(kApiAddress), 8000), "timeout");
}

TEST_F(NetworkRouting, ANatInstancePassesOnOnlyWithoutItsCheck) {
  VpcSpec spec = vpc_spec();
  open_up(spec);
  spec.nat_gateways.clear();
  spec.interfaces = {interface("eni-1", "10.0.1.5", {"sg-open"}),
                     interface("eni-nat", "10.0.101.5", {"sg-open"})};
  spec.interfaces[1].public_address = "203.0.113.20";
  spec.interfaces[1].source_dest_check = false;
  spec.route_tables[1].routes[1] = {"0.0.0.0/0", RouteSpec::Target::Interface, "eni-nat"};
  ASSERT_TRUE(set(spec));
  const std::string enter = "nsenter --net=" + at("eni-nat").string() + " ";
  ASSERT_EQ(::system((enter + "sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward && "
                              "nft add table ip n && nft \"add chain ip n p { type nat hook "
                              "postrouting priority 100; }\" && nft add rule ip n p masquerade'")
                         .c_str()),
            0);
  auto api = network_->listen_on_internet(std::string(kApiAddress), 8000);
  ASSERT_TRUE(api.has_value());
  const Echo outside(*api);
  EXPECT_EQ(ask(at("eni-1"), std::string(kApiAddress), 8000), "203.0.113.20");
  spec.interfaces[1].source_dest_check = true;
  ASSERT_TRUE(set(spec));
  EXPECT_EQ(ask(at("eni-1"), std::string(kApiAddress), 8000), "timeout");
}

TEST_F(NetworkRouting, TwoVpcsWithTheSameAddressesNeverMeet) {
  for (const std::string id : {"1", "2"}) {
    VpcSpec spec = vpc_spec("vpc-" + id);
    open_up(spec);
    spec.nat_gateways.clear();
    spec.interfaces = {interface("eni-a" + id, "10.0.1.5", {"sg-open"}),
                       interface("eni-b" + id, "10.0.1.6", {"sg-open"})};
    ASSERT_TRUE(set(spec));
  }
  const Echo first(at("eni-b1"), 8001);
  const Echo second(at("eni-b2"), 8002);
  EXPECT_EQ(ask(at("eni-a1"), "10.0.1.6", 8001), "10.0.1.5");
  EXPECT_EQ(ask(at("eni-a1"), "10.0.1.6", 8002), "refused");
  EXPECT_EQ(ask(at("eni-a2"), "10.0.1.6", 8002), "10.0.1.5");
  EXPECT_EQ(network_->vpcs().value(), (std::vector<std::string>{"vpc-1", "vpc-2"}));
  ASSERT_TRUE(remove("vpc-1"));
  EXPECT_EQ(network_->vpcs().value(), std::vector<std::string>{"vpc-2"});
  EXPECT_EQ(ask(at("eni-a2"), "10.0.1.6", 8002), "10.0.1.5");
  EXPECT_FALSE(fs::exists(at("eni-a1")));
}

TEST_F(NetworkRouting, AFloatingAddressMovesBetweenInterfaces) {
  VpcSpec spec = vpc_spec();
  open_up(spec);
  spec.interfaces = {interface("eni-1", "10.0.1.5", {"sg-open"}),
                     interface("eni-2", "10.0.1.6", {"sg-open"}),
                     interface("eni-3", "10.0.2.5", {"sg-open"})};
  spec.interfaces[1].secondary_addresses = {"10.0.1.99"};
  ASSERT_TRUE(set(spec));
  const Echo at_second(at("eni-2"), 8002);
  const Echo at_third(at("eni-3"), 8003);
  EXPECT_EQ(ask(at("eni-1"), "10.0.1.99", 8002), "10.0.1.5");
  spec.interfaces[1].secondary_addresses.clear();
  spec.interfaces[2].secondary_addresses = {"10.0.1.99"};
  ASSERT_TRUE(set(spec));
  EXPECT_EQ(ask(at("eni-1"), "10.0.1.99", 8002), "refused");
  EXPECT_EQ(ask(at("eni-1"), "10.0.1.99", 8003), "10.0.1.5");
}

TEST_F(NetworkRouting, IsolatedNamespacesReachTheInternetSideAndAreReachedByNobody) {
  VpcSpec spec = vpc_spec();
  open_up(spec);
  spec.interfaces = {interface("eni-1", "10.0.101.5", {"sg-open"})};
  spec.interfaces[0].public_address = "203.0.113.20";
  ASSERT_TRUE(set(spec));
  ASSERT_TRUE(add_isolated("fn-1"));
  ASSERT_TRUE(add_isolated("fn-2"));
  ASSERT_TRUE(add_isolated("fn-2"));
  auto api = network_->listen_on_internet(std::string(kApiAddress), 8000);
  ASSERT_TRUE(api.has_value());
  const Echo outside(*api);
  const Echo web(at("eni-1"), 8000);
  const Echo function(at("fn-2"), 8000);
  EXPECT_EQ(ask(at("fn-1"), std::string(kApiAddress), 8000), "100.64.0.1");
  EXPECT_EQ(ask(at("fn-1"), "203.0.113.20", 8000), kIsolatedAddress);
  EXPECT_EQ(ask(at("fn-1"), "100.64.0.2", 8000), "timeout");
  EXPECT_EQ(ask(at("fn-1"), "8.8.8.8", 53), "refused");
  EXPECT_EQ(ask(at("eni-1"), "100.64.0.2", 8000), "timeout") << "no way into it from a VPC";
  UdpSink sink(at("eni-1"), 5000);
  send_spoofed(at("fn-1"), "100.64.0.1", "203.0.113.20", 5000);
  EXPECT_EQ(sink.next(), kIsolatedAddress);
  send_spoofed(at("fn-1"), "203.0.113.2", "203.0.113.20", 5000);
  EXPECT_EQ(sink.next(), "timeout") << "not as the operator";
  EXPECT_EQ(resolve(at("fn-1"), std::string(kApiAddress), "sqs.us-east-1.amazonaws.com"),
            kApiAddress);
  auto own = network_->listen_in_isolated("fn-1", "127.0.0.1", 9001);
  ASSERT_TRUE(own.has_value());
  const Echo runtime_api(*own);
  EXPECT_EQ(ask(at("fn-1"), "127.0.0.1", 9001), "127.0.0.1");
  EXPECT_EQ(ask(at("fn-2"), "127.0.0.1", 9001), "refused");
  ASSERT_TRUE(remove_isolated("fn-1"));
  EXPECT_FALSE(fs::exists(at("fn-1")));
}

TEST_F(NetworkRouting, ANewDaemonFindsEverythingAndConnectionsSurvive) {
  VpcSpec spec = vpc_spec();
  open_up(spec);
  spec.interfaces = {interface("eni-1", "10.0.101.5", {"sg-open"}),
                     interface("eni-2", "10.0.1.6", {"sg-open"})};
  spec.interfaces[0].public_address = "203.0.113.20";
  ASSERT_TRUE(set(spec));
  ASSERT_EQ(resolve(at("eni-2"), "10.0.0.2", "s3.amazonaws.com"), kApiAddress);
  const Echo web(at("eni-1"), 80);
  const Echo local(at("eni-2"), 80);
  Connection outside(internet(), "203.0.113.20", 80);
  Connection inside(at("eni-1"), "10.0.1.6", 80);
  ASSERT_TRUE(outside.open() && inside.open());
  const auto before = namespace_files();
  crash();
  open();
  EXPECT_EQ(network_->vpcs().value(), std::vector<std::string>{"vpc-1"});
  EXPECT_TRUE(outside.works() && inside.works());
  // Changed while nobody looked: one interface less, one more.
  spec.interfaces.push_back(interface("eni-3", "10.0.1.7", {"sg-open"}));
  ASSERT_TRUE(set(spec));
  EXPECT_TRUE(outside.works() && inside.works());
  EXPECT_EQ(ask(at("eni-3"), "10.0.1.6", 80), "10.0.1.7");
  EXPECT_EQ(namespace_files().size(), before.size() + 1);
  spec.interfaces.erase(spec.interfaces.begin() + 1);
  ASSERT_TRUE(set(spec));
  EXPECT_EQ(namespace_files().size(), before.size());
  EXPECT_EQ(programs_->status().size(), 1U);
}

TEST_F(NetworkRouting, WhatADaemonLeftHalfMadeIsFinished) {
  VpcSpec spec = vpc_spec();
  open_up(spec);
  spec.interfaces = {interface("eni-1", "10.0.1.5", {"sg-open"}),
                     interface("eni-2", "10.0.1.6", {"sg-open"}),
                     interface("eni-3", "10.0.1.7", {"sg-open"})};
  ASSERT_TRUE(set(spec));
  const Echo echo(at("eni-2"), 80);
  const std::string router = "ip -n " + at("vpc-1").filename().string() + " ";
  crash();
  // Killed before a link had addresses, before routes were there, after a namespace was taken away.
  open();
  ASSERT_EQ(::system(("ip -n " + at("eni-1").filename().string() + " addr flush dev eth0").c_str()),
            0);
  ASSERT_EQ(::system((router + "route flush table 100; " + router + "rule del pref 200").c_str()),
            0);
  ASSERT_EQ(::system(("umount " + at("eni-3").string()).c_str()), 0);
  EXPECT_EQ(ask(at("eni-1"), "10.0.1.6", 80), "unreachable");
  ASSERT_TRUE(set(spec));
  EXPECT_EQ(ask(at("eni-1"), "10.0.1.6", 80), "10.0.1.5");
  EXPECT_EQ(ask(at("eni-3"), "10.0.1.6", 80), "10.0.1.7");
  auto api = network_->listen_on_internet(std::string(kApiAddress), 8000);
  ASSERT_TRUE(api.has_value());
  const Echo outside(*api);
  EXPECT_EQ(ask(at("eni-1"), std::string(kApiAddress), 8000), "203.0.113.30");
}

TEST_F(NetworkRouting, ARefusedSpecChangesNothing) {
  VpcSpec spec = vpc_spec();
  open_up(spec);
  spec.interfaces = {interface("eni-1", "10.0.1.5", {"sg-open"}),
                     interface("eni-2", "10.0.1.6", {"sg-open"})};
  ASSERT_TRUE(set(spec));
  const Echo echo(at("eni-2"), 80);
  VpcSpec wrong = spec;
  wrong.interfaces.pop_back();
  wrong.interfaces[0].security_groups = {"sg-missing"};
  EXPECT_FALSE(try_set(wrong).has_value());
  EXPECT_EQ(ask(at("eni-1"), "10.0.1.6", 80), "10.0.1.5");
  ASSERT_TRUE(set(spec));
  EXPECT_EQ(ask(at("eni-1"), "10.0.1.6", 80), "10.0.1.5");
}

TEST_F(NetworkRouting, AnotherDaemonsFolderIsAnotherRegion) {
  VpcSpec spec = vpc_spec();
  open_up(spec);
  spec.interfaces = {interface("eni-1", "10.0.1.5", {"sg-open"})};
  ASSERT_TRUE(set(spec));
  auto other = open_linux_network(clock_, *programs_, {.state = state_ / "other"});
  ASSERT_TRUE(other.has_value());
  EXPECT_EQ((*other)->vpcs().value(), std::vector<std::string>());
  EXPECT_NE((*other)->internet_namespace_path(), internet());
  ASSERT_TRUE(remove_all_of(**other));
  EXPECT_FALSE(fs::exists((*other)->internet_namespace_path()));
  EXPECT_EQ(network_->vpcs().value(), std::vector<std::string>{"vpc-1"});
  EXPECT_TRUE(fs::exists(at("eni-1")));
}

TEST_F(NetworkRouting, RemovingLeavesNothing) {
  VpcSpec spec = vpc_spec();
  open_up(spec);
  spec.interfaces = {interface("eni-1", "10.0.101.5", {"sg-open"})};
  ASSERT_TRUE(set(spec));
  EXPECT_EQ(namespace_files().size(), 4U) << "internet, router, interface, NAT gateway";
  ASSERT_TRUE(remove("vpc-1"));
  ASSERT_TRUE(remove("vpc-1"));
  EXPECT_EQ(namespace_files().size(), 1U) << "the internet";
  EXPECT_EQ(network_->vpcs().value(), std::vector<std::string>());
  ASSERT_TRUE(set(spec)) << "and may come again";
}

}  // namespace
}  // namespace terrarium::host::testing_network
