#include "terrarium/host/linux/vpc_rules.h"

#include <gtest/gtest.h>

#include "terrarium/host/linux/network_names.h"

namespace terrarium::host::linux_host {
namespace {

VpcSpec vpc_spec() {
  VpcSpec spec{.id = "vpc-1", .cidrs = {"10.0.0.0/16"}, .internet_gateway = true};
  spec.subnets = {{"subnet-1", "10.0.1.0/24", "rtb-1", "acl-1"}};
  spec.route_tables = {{"rtb-1", {}}};
  spec.network_acls = {{"acl-1",
                        {{.number = 100, .allow = true, .cidr = "0.0.0.0/0"},
                         {.number = 100, .egress = true, .allow = true, .cidr = "0.0.0.0/0"}}}};
  spec.security_groups = {{"sg-1", {}}, {"sg-2", {}}};
  spec.interfaces = {
      {.id = "eni-1", .subnet = "subnet-1", .address = "10.0.1.5", .security_groups = {"sg-1"}}};
  return spec;
}

std::string quoted_link(const std::string& id) {
  return "\"" + link_name(kInterfacePrefix, id) + "\"";
}

// The rule that one security group's rule becomes.
std::string rule_text(GroupRuleSpec rule) {
  VpcSpec spec = vpc_spec();
  spec.security_groups[0].rules = {rule};
  const NftRuleset rules = vpc_rules(spec).value();
  return rules.chains.at(rule.egress ? "egress-sg-1" : "ingress-sg-1").rules.at(0);
}

TEST(VpcRules, AGroupsRuleIsOneRule) {
  EXPECT_EQ(rule_text({.traffic = {6, 80, 90}, .peer_cidr = "10.0.2.0/24"}),
            "ip saddr 10.0.2.0/24 tcp dport 80-90 accept");
  EXPECT_EQ(rule_text({.egress = true, .traffic = {17, 53, 53}, .peer_cidr = "0.0.0.0/0"}),
            "udp dport 53-53 goto ingress_gate");
  EXPECT_EQ(rule_text({.traffic = {6, -1, -1}, .peer_group = "sg-2"}),
            "ip saddr @members-sg-2 meta l4proto tcp accept");
  EXPECT_EQ(rule_text({.traffic = {1, 8, -1}, .peer_group = "sg-1"}),
            "ip saddr @members-sg-1 icmp type 8 accept");
  EXPECT_EQ(rule_text({.traffic = {1, 3, 4}, .peer_cidr = "0.0.0.0/0"}),
            "icmp type 3 icmp code 4 accept");
  EXPECT_EQ(rule_text({.traffic = {50, -1, -1}, .peer_cidr = "0.0.0.0/0"}),
            "meta l4proto 50 accept");
  EXPECT_EQ(rule_text({.egress = true, .peer_cidr = "0.0.0.0/0"}), "goto ingress_gate");
}

TEST(VpcRules, WhatIsNoTrafficIsRefused) {
  VpcSpec spec = vpc_spec();
  for (const TrafficSpec traffic : {TrafficSpec{300, -1, -1}, TrafficSpec{6, 90, 80},
                                    TrafficSpec{6, 1, 70000}, TrafficSpec{1, 300, -1}}) {
    spec.security_groups[0].rules = {{.traffic = traffic, .peer_cidr = "0.0.0.0/0"}};
    EXPECT_FALSE(vpc_rules(spec).has_value());
  }
  spec.security_groups[0].rules = {{.peer_group = "sg-3"}};
  EXPECT_FALSE(vpc_rules(spec).has_value()) << "an unknown group";
  spec.security_groups[0].rules = {{.peer_cidr = "10.0.0.1; drop"}};
  EXPECT_FALSE(vpc_rules(spec).has_value()) << "no range";
}

TEST(VpcRules, AnInterfaceIsKnownByItsLinkInEveryGate) {
  VpcSpec spec = vpc_spec();
  spec.interfaces[0].secondary_addresses = {"10.0.1.9"};
  const NftRuleset rules = vpc_rules(spec).value();
  const std::string link = quoted_link("eni-1");
  EXPECT_EQ(rules.sets.at("egress_of").elements.at(link), "goto egress-gate-sg-1");
  EXPECT_EQ(rules.sets.at("ingress_of").elements.at(link), "goto ingress-gate-sg-1");
  EXPECT_EQ(rules.sets.at("sources").elements.size(), 2U);
  EXPECT_EQ(rules.sets.at("members-sg-1").elements.size(), 2U);
  EXPECT_EQ(rules.chains.at("ingress-gate-sg-1").rules,
            (std::vector<std::string>{"jump ingress-sg-1", "drop"}));
}

TEST(VpcRules, InterfacesWithEqualGroupsShareTheirGates) {
  VpcSpec spec = vpc_spec();
  spec.interfaces[0].security_groups = {"sg-2", "sg-1"};
  const NftRuleset one = vpc_rules(spec).value();
  spec.interfaces.push_back(spec.interfaces[0]);
  spec.interfaces[1].id = "eni-2";
  spec.interfaces[1].address = "10.0.1.6";
  spec.interfaces[1].security_groups = {"sg-1", "sg-2"};
  const NftRuleset two = vpc_rules(spec).value();
  EXPECT_EQ(one.chains, two.chains);
  EXPECT_EQ(two.sets.at("egress_of").elements.at(quoted_link("eni-1")),
            two.sets.at("egress_of").elements.at(quoted_link("eni-2")));
}

TEST(VpcRules, OneMoreInterfaceIsAFewElements) {
  VpcSpec spec = vpc_spec();
  const NftRuleset before = vpc_rules(spec).value();
  spec.interfaces.push_back(spec.interfaces[0]);
  spec.interfaces[1].id = "eni-2";
  spec.interfaces[1].address = "10.0.1.6";
  const std::string text = change_text(before, vpc_rules(spec).value());
  EXPECT_EQ(text.find("chain"), std::string::npos) << text;
  EXPECT_EQ(text.find("delete"), std::string::npos) << text;
  EXPECT_EQ(text.find(quoted_link("eni-1")), std::string::npos) << text;
}

TEST(VpcRules, AnAclThatLetsEverythingThroughCostsNothing) {
  VpcSpec spec = vpc_spec();
  const NftRuleset open = vpc_rules(spec).value();
  EXPECT_EQ(open.chains.at("forward").rules, std::vector<std::string>{"goto stateful"});
  spec.network_acls[0].entries[0].number = 200;
  spec.network_acls[0].entries.push_back(
      {.number = 110, .traffic = {6, 22, 22}, .cidr = "10.0.0.0/8"});
  const NftRuleset filtered = vpc_rules(spec).value();
  EXPECT_EQ(
      filtered.chains.at("in-acl-1").rules,
      (std::vector<std::string>{"ip saddr 10.0.0.0/8 tcp dport 22-22 drop", "return", "drop"}));
  EXPECT_FALSE(filtered.chains.contains("out-acl-1"));
  EXPECT_EQ(filtered.sets.at("acl_in_of").elements.at(quoted_link("eni-1")), "jump in-acl-1");
}

TEST(VpcRules, WithoutTheCheckAnInterfaceSendsAnything) {
  VpcSpec spec = vpc_spec();
  spec.interfaces[0].source_dest_check = false;
  const NftRuleset rules = vpc_rules(spec).value();
  EXPECT_TRUE(rules.sets.at("sources").elements.empty());
  EXPECT_TRUE(rules.sets.at("unchecked").elements.contains(quoted_link("eni-1")));
}

TEST(VpcRules, PublicAddressesAreTranslatedOnlyWithAnInternetGateway) {
  VpcSpec spec = vpc_spec();
  spec.interfaces[0].public_address = "203.0.113.20";
  const NftRuleset with = vpc_rules(spec).value();
  EXPECT_EQ(with.sets.at("public_of").elements.at("10.0.1.5"), "203.0.113.20");
  EXPECT_EQ(with.sets.at("private_of").elements.at("203.0.113.20"), "10.0.1.5");
  spec.internet_gateway = false;
  EXPECT_TRUE(vpc_rules(spec)->sets.at("public_of").elements.empty());
}

}  // namespace
}  // namespace terrarium::host::linux_host
