// Security groups, network ACLs, anti-spoofing, metadata and names in the kernel, with real
// traffic.
#include <unistd.h>

#include "terrarium/host/linux/testing/network_region.h"

namespace terrarium::host::testing_network {
namespace {

using NetworkRules = NetworkRegion;

TEST_F(NetworkRules, BothGatesMustOpen) {
  VpcSpec spec = vpc_spec();
  spec.interfaces = {interface("eni-1", "10.0.1.5", {"sg-out"}),
                     interface("eni-2", "10.0.2.5", {"sg-web"}),
                     interface("eni-3", "10.0.1.7", {"sg-none"})};
  ASSERT_TRUE(set(spec));
  const Echo web(at("eni-2"), 80);
  const Echo beside(at("eni-1"), 80);
  EXPECT_EQ(ask(at("eni-1"), "10.0.2.5", 80), "timeout") << "the receiver's gate is closed";
  group(spec, "sg-web").rules = {from_cidr(tcp(80), "10.0.1.0/24")};
  ASSERT_TRUE(set(spec));
  EXPECT_EQ(ask(at("eni-1"), "10.0.2.5", 80), "10.0.1.5");
  EXPECT_EQ(ask(at("eni-1"), "10.0.2.5", 81), "timeout") << "another port";
  EXPECT_EQ(ask(at("eni-3"), "10.0.2.5", 80), "timeout") << "the sender's gate is closed";
  EXPECT_EQ(ask(at("eni-2"), "10.0.1.5", 80), "timeout") << "the other direction";
}

TEST_F(NetworkRules, AGroupNamesAnotherOneOrItself) {
  VpcSpec spec = vpc_spec();
  group(spec, "sg-web").rules = {from_group(tcp(80), "sg-out"),
                                 from_group(tcp(81), "sg-web"),
                                 {.egress = true, .traffic = tcp(81), .peer_group = "sg-web"}};
  spec.interfaces = {interface("eni-1", "10.0.1.5", {"sg-out"}),
                     interface("eni-2", "10.0.1.6", {"sg-web"}),
                     interface("eni-3", "10.0.2.5", {"sg-web"})};
  ASSERT_TRUE(set(spec));
  const Echo first(at("eni-2"), 80);
  const Echo second(at("eni-2"), 81);
  EXPECT_EQ(ask(at("eni-1"), "10.0.1.6", 80), "10.0.1.5");
  EXPECT_EQ(ask(at("eni-1"), "10.0.1.6", 81), "timeout");
  EXPECT_EQ(ask(at("eni-3"), "10.0.1.6", 81), "10.0.2.5");
  EXPECT_EQ(ask(at("eni-3"), "10.0.1.6", 80), "timeout");
  spec.interfaces[0].security_groups = {"sg-out", "sg-web"};
  ASSERT_TRUE(set(spec));
  EXPECT_EQ(ask(at("eni-1"), "10.0.1.6", 81), "10.0.1.5") << "a member of both";
}

TEST_F(NetworkRules, RevokingStopsNewConnectionsAndKeepsThoseThatAre) {
  VpcSpec spec = vpc_spec();
  group(spec, "sg-web").rules = {from_group(tcp(80), "sg-out")};
  spec.interfaces = {interface("eni-1", "10.0.1.5", {"sg-out"}),
                     interface("eni-2", "10.0.1.6", {"sg-web"})};
  ASSERT_TRUE(set(spec));
  const Echo web(at("eni-2"), 80);
  Connection open(at("eni-1"), "10.0.1.6", 80);
  ASSERT_TRUE(open.open());
  group(spec, "sg-web").rules.clear();
  ASSERT_TRUE(set(spec));
  EXPECT_EQ(ask(at("eni-1"), "10.0.1.6", 80), "timeout");
  EXPECT_TRUE(open.works());
}

TEST_F(NetworkRules, NobodySendsAsSomebodyElse) {
  VpcSpec spec = vpc_spec();
  group(spec, "sg-web").rules = {from_cidr(kEverything, "0.0.0.0/0")};
  spec.interfaces = {interface("eni-1", "10.0.1.5", {"sg-out"}),
                     interface("eni-2", "10.0.1.6", {"sg-web"}),
                     interface("eni-3", "10.0.1.7", {"sg-out"})};
  ASSERT_TRUE(set(spec));
  UdpSink sink(at("eni-2"), 5000);
  send_spoofed(at("eni-1"), "10.0.1.5", "10.0.1.6", 5000);
  EXPECT_EQ(sink.next(), "10.0.1.5");
  for (const std::string source : {"10.0.1.7", "10.0.0.2", "203.0.113.1", "8.8.8.8"}) {
    send_spoofed(at("eni-1"), source, "10.0.1.6", 5000);
    EXPECT_EQ(sink.next(), "timeout") << source;
  }
}

TEST_F(NetworkRules, MetadataAnswersInterfacesWhateverTheirGroupsAndNobodyElse) {
  VpcSpec spec = vpc_spec();
  spec.interfaces = {interface("eni-1", "10.0.1.5", {"sg-none"}),
                     interface("eni-2", "10.0.101.5", {"sg-none"})};
  spec.interfaces[1].public_address = "203.0.113.20";
  ASSERT_TRUE(set(spec));
  auto listening = network_->listen_in_vpc("vpc-1", std::string(kMetadataAddress), 80);
  ASSERT_TRUE(listening.has_value()) << base::describe(listening.error());
  const Echo metadata(*listening);
  EXPECT_EQ(ask(at("eni-1"), std::string(kMetadataAddress), 80), "10.0.1.5");
  EXPECT_EQ(ask(at("eni-2"), std::string(kMetadataAddress), 80), "10.0.101.5");
  EXPECT_NE(ask(internet(), std::string(kMetadataAddress), 80), kOperatorAddress);
}

TEST_F(NetworkRules, AnAclDeniesBetweenSubnetsAndNotWithin) {
  VpcSpec spec = vpc_spec();
  group(spec, "sg-web").rules = {from_cidr(kEverything, "0.0.0.0/0")};
  spec.network_acls.push_back(
      {"acl-2",
       {{.number = 90, .allow = false, .traffic = tcp(81), .cidr = "10.0.1.0/24"},
        {.number = 100, .allow = true, .cidr = "10.0.0.0/16"},
        {.number = 100, .egress = true, .allow = true, .cidr = "0.0.0.0/0"}}});
  spec.subnets[2].network_acl = "acl-2";
  spec.interfaces = {interface("eni-1", "10.0.1.5", {"sg-out"}),
                     interface("eni-2", "10.0.2.5", {"sg-web"}),
                     interface("eni-3", "10.0.2.6", {"sg-out"})};
  ASSERT_TRUE(set(spec));
  const Echo first(at("eni-2"), 80);
  const Echo second(at("eni-2"), 81);
  EXPECT_EQ(ask(at("eni-1"), "10.0.2.5", 80), "10.0.1.5");
  EXPECT_EQ(ask(at("eni-1"), "10.0.2.5", 81), "timeout");
  EXPECT_EQ(ask(at("eni-3"), "10.0.2.5", 81), "10.0.2.6") << "within the subnet";
  // Stateless: an answer needs a rule of its own.
  spec.network_acls[1].entries.pop_back();
  ASSERT_TRUE(set(spec));
  EXPECT_EQ(ask(at("eni-1"), "10.0.2.5", 80), "timeout");
}

TEST_F(NetworkRules, AnAclStandsBetweenASubnetAndTheGatewaysToo) {
  VpcSpec spec = vpc_spec();
  group(spec, "sg-web").rules = {from_cidr(kEverything, "0.0.0.0/0")};
  spec.network_acls.push_back(
      {"acl-2",
       {{.number = 90, .allow = false, .traffic = tcp(81), .cidr = "203.0.113.0/24"},
        {.number = 100, .allow = true, .cidr = "0.0.0.0/0"},
        {.number = 100, .egress = true, .allow = true, .cidr = "0.0.0.0/0"}}});
  spec.subnets[0].network_acl = "acl-2";
  spec.interfaces = {interface("eni-1", "10.0.101.5", {"sg-web"})};
  spec.interfaces[0].public_address = "203.0.113.20";
  ASSERT_TRUE(set(spec));
  const Echo first(at("eni-1"), 80);
  const Echo second(at("eni-1"), 81);
  EXPECT_EQ(ask(internet(), "203.0.113.20", 80), kOperatorAddress);
  EXPECT_EQ(ask(internet(), "203.0.113.20", 81), "timeout");
}

TEST_F(NetworkRules, NamesAreServedAndNothingElseIsKnown) {
  VpcSpec spec = vpc_spec();
  spec.interfaces = {interface("eni-1", "10.0.1.5", {"sg-none"})};
  spec.dns_names = {{"ip-10-0-1-5.ec2.internal", {"10.0.1.5"}}};
  ASSERT_TRUE(set(spec));
  for (const std::string server : {"10.0.0.2", "169.254.169.253"}) {
    const auto answer = [&](const std::string& name, std::uint16_t type = 1) {
      return resolve(at("eni-1"), server, name, type);
    };
    EXPECT_EQ(answer("ip-10-0-1-5.ec2.internal"), "10.0.1.5");
    EXPECT_EQ(answer("5.1.0.10.in-addr.arpa", 12), "ip-10-0-1-5.ec2.internal");
    EXPECT_EQ(answer("bucket.s3.us-east-1.amazonaws.com"), kApiAddress);
    EXPECT_EQ(answer("sqs.us-east-1.amazonaws.com", 28), "no such record");
    EXPECT_EQ(answer("example.com"), "no such name");
  }
  spec.dns_names = {{"database.internal", {"10.0.1.9"}}};
  ASSERT_TRUE(set(spec));
  for (int i = 0; i < 50; ++i) {
    if (resolve(at("eni-1"), "10.0.0.2", "database.internal") == "10.0.1.9") break;
    ::usleep(20'000);
  }
  EXPECT_EQ(resolve(at("eni-1"), "10.0.0.2", "database.internal"), "10.0.1.9");
  EXPECT_EQ(resolve(at("eni-1"), "10.0.0.2", "ip-10-0-1-5.ec2.internal"), "no such name");
}

}  // namespace
}  // namespace terrarium::host::testing_network
