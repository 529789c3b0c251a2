#include <gtest/gtest.h>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/security_group_permissions.h"
#include "terrarium/services/ec2/security_group_rules.h"
#include "terrarium/services/ec2/security_group_view.h"
#include "terrarium/services/ec2/testing_records.h"

namespace terrarium::ec2 {
namespace {

template <class T>
std::string code_of(const base::Result<T>& answer) {
  return answer.has_value() ? "" : std::string(answer.error().row->code);
}
template <class T>
std::string message_of(const base::Result<T>& answer) {
  return answer.has_value() ? "" : answer.error().message;
}

IpPermission tcp(int from, int to, std::vector<std::string> cidrs) {
  IpPermission permission{.from_port = from, .ip_protocol = "tcp", .to_port = to};
  permission.ip_ranges.emplace();
  for (std::string& cidr : cidrs) permission.ip_ranges->push_back({.cidr_ip = std::move(cidr)});
  return permission;
}

class SecurityGroupRules : public testing::Test {
 protected:
  std::string create(const std::string& name) {
    return *records
                .change([&name](Transaction& transaction) {
                  return create_security_group(transaction,
                                               {.description = "web", .group_name = name});
                })
                ->group_id;
  }
  auto allow(const std::string& group, std::vector<IpPermission> permissions) {
    return records.change([&](Transaction& transaction) {
      return authorize_ingress(transaction,
                               {.group_id = group, .ip_permissions = std::move(permissions)});
    });
  }
  auto forbid(const std::string& group, std::vector<IpPermission> permissions) {
    return records.change([&](Transaction& transaction) {
      return revoke_ingress(transaction,
                            {.group_id = group, .ip_permissions = std::move(permissions)});
    });
  }
  SecurityGroup shown(const std::string& group) {
    return view(*records.state().find<SecurityGroupRecord>(SecurityGroupId(group)), kScene);
  }
  std::size_t count(const std::string& filter, const std::string& value) {
    return describe_security_groups(
               records.state(), kScene,
               {.filters = std::vector<Filter>{{filter, std::vector<std::string>{value}}}})
        ->security_groups->size();
  }

  const std::string kAccount = "000000000000";
  const Scene kScene{.region = "us-east-1", .account = kAccount};
  TestingRecords records;
};

TEST_F(SecurityGroupRules, NewGroupLetsEverythingOutAndNothingIn) {
  const SecurityGroup group = shown(create("web"));
  EXPECT_TRUE(group.ip_permissions->empty());
  ASSERT_EQ(group.ip_permissions_egress->size(), 1u);
  const IpPermission& egress = group.ip_permissions_egress->front();
  EXPECT_EQ(egress.ip_protocol, "-1");
  EXPECT_FALSE(egress.from_port.has_value());
  EXPECT_EQ(egress.ip_ranges->front().cidr_ip, "0.0.0.0/0");
  EXPECT_EQ(group.vpc_id, records.default_vpc().value);
}

TEST_F(SecurityGroupRules, NamesAreUniqueInAVpcAndWellFormed) {
  create("web");
  const auto again = [this](std::string name) {
    return code_of(records.change([&name](Transaction& transaction) {
      return create_security_group(transaction, {.description = "x", .group_name = name});
    }));
  };
  EXPECT_EQ(again("web"), "InvalidGroup.Duplicate");
  EXPECT_EQ(again("sg-web"), "InvalidParameterValue");
  EXPECT_EQ(again("default"), "InvalidParameterValue");
  EXPECT_EQ(again("web\n"), "InvalidParameterValue");
  EXPECT_EQ(again(""), "MissingParameter");
}

TEST_F(SecurityGroupRules, PermissionsAreGroupedByProtocolAndPorts) {
  const std::string group = create("web");
  IpPermission ping{.from_port = 8, .ip_protocol = "1", .to_port = -1};
  ping.ip_ranges = std::vector<IpRange>{{.cidr_ip = "10.1.2.3/16", .description = "ping"}};
  const auto made = allow(group, {tcp(80, 80, {"0.0.0.0/0", "10.0.0.0/8"}), ping});
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->security_group_rules->size(), 3u);
  EXPECT_FALSE(*made->security_group_rules->front().is_egress);
  const SecurityGroup now = shown(group);
  ASSERT_EQ(now.ip_permissions->size(), 2u);
  EXPECT_EQ(now.ip_permissions->front().ip_ranges->size(), 2u);
  const IpPermission& icmp = now.ip_permissions->back();
  EXPECT_EQ(icmp.ip_protocol, "icmp");
  EXPECT_EQ(icmp.ip_ranges->front().cidr_ip, "10.1.0.0/16");
  EXPECT_EQ(icmp.ip_ranges->front().description, "ping");
}

TEST_F(SecurityGroupRules, DuplicateRuleIsRefusedInAwssWords) {
  const std::string group = create("web");
  ASSERT_TRUE(allow(group, {tcp(80, 80, {"0.0.0.0/0"})}).has_value());
  const auto again = allow(group, {tcp(22, 22, {"0.0.0.0/0"}), tcp(80, 80, {"0.0.0.0/0"})});
  EXPECT_EQ(code_of(again), "InvalidPermission.Duplicate");
  EXPECT_EQ(message_of(again),
            "the specified rule \"peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW\" "
            "already exists");
  EXPECT_EQ(shown(group).ip_permissions->size(), 1u);
  EXPECT_EQ(code_of(allow(group, {tcp(1, 1, {"10.0.0.0/8", "10.0.0.0/8"})})),
            "InvalidParameterValue");
}

TEST_F(SecurityGroupRules, MalformedPermissionsAreRefused) {
  const std::string group = create("web");
  EXPECT_EQ(code_of(allow(group, {tcp(80, 80, {})})), "InvalidPermission.Malformed");
  EXPECT_EQ(code_of(allow(group, {tcp(80, 70, {"0.0.0.0/0"})})), "InvalidParameterValue");
  EXPECT_EQ(code_of(allow(group, {tcp(80, 70000, {"0.0.0.0/0"})})), "InvalidParameterValue");
  EXPECT_EQ(code_of(allow(group, {tcp(80, 80, {"300.0.0.0/8"})})), "InvalidParameterValue");
  EXPECT_EQ(code_of(allow(group, {})), "MissingParameter");
  EXPECT_EQ(code_of(allow("sg-00000000000000000", {tcp(80, 80, {"0.0.0.0/0"})})),
            "InvalidGroup.NotFound");
  IpPermission listed{.ip_protocol = "-1"};
  listed.prefix_list_ids = std::vector<PrefixListId>{{.prefix_list_id = "pl-1"}};
  EXPECT_EQ(code_of(allow(group, {listed})), "UnsupportedOperation");
}

TEST_F(SecurityGroupRules, AllTrafficIsRevokedWhateverItsPortsSay) {
  const std::string group = create("web");
  IpPermission all{.from_port = 0, .ip_protocol = "-1", .to_port = 0};
  all.ip_ranges = std::vector<IpRange>{{.cidr_ip = "0.0.0.0/0"}};
  const auto revoked = [&] {
    return records.change([&](Transaction& transaction) {
      return revoke_egress(transaction, {.group_id = group, .ip_permissions = std::vector{all}});
    });
  };
  EXPECT_TRUE(revoked().has_value());
  EXPECT_TRUE(shown(group).ip_permissions_egress->empty());
  EXPECT_EQ(code_of(revoked()), "InvalidPermission.NotFound");
}

TEST_F(SecurityGroupRules, RulesAreRevokedByIdInTheirDirectionOnly) {
  const std::string group = create("web");
  const auto made = allow(group, {tcp(80, 80, {"0.0.0.0/0"})});
  const std::vector<std::string> ids{*made->security_group_rules->front().security_group_rule_id};
  const auto out = records.change([&](Transaction& transaction) {
    return revoke_egress(transaction, {.group_id = group, .security_group_rule_ids = ids});
  });
  EXPECT_EQ(code_of(out), "InvalidSecurityGroupRuleId.NotFound");
  const auto in = records.change([&](Transaction& transaction) {
    return revoke_ingress(transaction, {.group_id = group, .security_group_rule_ids = ids});
  });
  EXPECT_TRUE(in.has_value());
  EXPECT_TRUE(shown(group).ip_permissions->empty());
}

TEST_F(SecurityGroupRules, FlatFormMeansOneRangeOrAllTrafficOfANamedGroup) {
  create("web");
  const std::string source = create("source");
  const auto flat = records.change([](Transaction& transaction) {
    return authorize_ingress(transaction, {.cidr_ip = "10.0.0.0/8",
                                           .from_port = 22,
                                           .group_name = "web",
                                           .ip_protocol = "tcp",
                                           .to_port = 22});
  });
  ASSERT_TRUE(flat.has_value());
  EXPECT_EQ(flat->security_group_rules->size(), 1u);
  const auto named = records.change([](Transaction& transaction) {
    return authorize_ingress(transaction,
                             {.group_name = "web", .source_security_group_name = "source"});
  });
  ASSERT_TRUE(named.has_value());
  ASSERT_EQ(named->security_group_rules->size(), 3u);
  EXPECT_EQ(named->security_group_rules->front().referenced_group_info->group_id, source);
}

TEST_F(SecurityGroupRules, GroupInUseIsNotDeleted) {
  const std::string web = create("web");
  const std::string db = create("db");
  IpPermission from_web{.from_port = 3306, .ip_protocol = "tcp", .to_port = 3306};
  from_web.user_id_group_pairs = std::vector<UserIdGroupPair>{{.group_id = web}};
  ASSERT_TRUE(allow(db, {from_web}).has_value());
  const auto erase = [this](const std::string& id) {
    return records.change([&id](Transaction& transaction) {
      return delete_security_group(transaction, {.group_id = id});
    });
  };
  EXPECT_EQ(message_of(erase(web)), "resource " + web + " has a dependent object");
  EXPECT_EQ(code_of(erase(web)), "DependencyViolation");
  EXPECT_TRUE(erase(db).has_value());
  EXPECT_TRUE(erase(web).has_value());
  EXPECT_EQ(code_of(erase(web)), "InvalidGroup.NotFound");
  const auto byname = group_by_name(records.state(), "default");
  EXPECT_EQ(code_of(erase((*byname)->id.value)), "CannotDelete");
}

TEST_F(SecurityGroupRules, SixtyRulesInOneDirectionAreTheLimit) {
  const std::string group = create("web");
  std::vector<std::string> cidrs;
  for (int i = 0; i < 60; ++i) cidrs.push_back("10.0." + std::to_string(i) + ".0/24");
  EXPECT_TRUE(allow(group, {tcp(80, 80, cidrs)}).has_value());
  EXPECT_EQ(code_of(allow(group, {tcp(81, 81, {"10.0.0.0/8"})})),
            "RulesPerSecurityGroupLimitExceeded");
}

TEST_F(SecurityGroupRules, FiltersSeeRulesOfTheirDirection) {
  const std::string group = create("web");
  ASSERT_TRUE(allow(group, {tcp(80, 81, {"10.0.0.0/8"})}).has_value());
  EXPECT_EQ(count("ip-permission.cidr", "10.0.0.0/8"), 1u);
  EXPECT_EQ(count("egress.ip-permission.cidr", "10.0.0.0/8"), 0u);
  EXPECT_EQ(count("ip-permission.to-port", "81"), 1u);
  EXPECT_EQ(count("group-name", "we?"), 1u);
  EXPECT_EQ(count("owner-id", kAccount), 2u);
  EXPECT_EQ(count("owner-id", "1"), 0u);
}

TEST_F(SecurityGroupRules, RulesAreListedModifiedAndDescribed) {
  const std::string group = create("web");
  const auto made = allow(group, {tcp(80, 80, {"10.0.0.0/8"})});
  const std::string id = *made->security_group_rules->front().security_group_rule_id;
  const auto modified = records.change([&](Transaction& transaction) {
    return modify_security_group_rules(
        transaction, {.group_id = group,
                      .security_group_rules = {{.security_group_rule_id = id,
                                                .security_group_rule = SecurityGroupRuleRequest{
                                                    .ip_protocol = "tcp",
                                                    .from_port = 443,
                                                    .to_port = 443,
                                                    .cidr_ipv6 = "2001:DB8::/32"}}}});
  });
  ASSERT_TRUE(modified.has_value());
  const auto described = records.change([&](Transaction& transaction) {
    return update_ingress_descriptions(
        transaction, {.group_id = group,
                      .security_group_rule_descriptions = std::vector<SecurityGroupRuleDescription>{
                          {.security_group_rule_id = id, .description = "tls"}}});
  });
  ASSERT_TRUE(described.has_value());
  const auto listed = describe_security_group_rules(
      records.state(), kScene,
      {.filters = std::vector<Filter>{{"group-id", std::vector<std::string>{group}}},
       .security_group_rule_ids = std::vector<std::string>{id}});
  ASSERT_EQ(listed->security_group_rules->size(), 1u);
  const SecurityGroupRule& rule = listed->security_group_rules->front();
  EXPECT_EQ(rule.cidr_ipv6, "2001:db8::/32");
  EXPECT_EQ(rule.from_port, 443);
  EXPECT_EQ(rule.description, "tls");
  EXPECT_FALSE(rule.cidr_ipv4.has_value());
}

}  // namespace
}  // namespace terrarium::ec2
