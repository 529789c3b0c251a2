// What a request calls IP permissions, as the rules that it means: one for each range or group; and
// back, grouped as AWS shows them. Pure. Source: "Security group rules", Amazon VPC User Guide.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

struct RuleScope {
  const State& state;
  const std::string& account;
  const SecurityGroupRecord& group;
  bool egress = false;
};

// What one rule lets through, before its peer.
struct RuleTraffic {
  const std::optional<std::string>& protocol;
  const std::optional<std::int32_t>& from;
  const std::optional<std::int32_t>& to;
};

// A rule for `traffic` without id, peer and description.
base::Result<SecurityGroupRuleRecord> rule_for(bool egress, const RuleTraffic& traffic);
base::Result<void> set_cidr(SecurityGroupRuleRecord& rule, const std::string& cidr);
base::Result<void> set_ipv6_cidr(SecurityGroupRuleRecord& rule, const std::string& cidr);
// A group of the same VPC, by id.
base::Result<void> set_peer_group(const RuleScope& scope, SecurityGroupRuleRecord& rule,
                                  const std::string& group_id);
base::Result<void> set_description(SecurityGroupRuleRecord& rule,
                                   const std::optional<std::string>& description);

// Rules without ids, each once. A permission without any peer is malformed.
base::Result<std::vector<SecurityGroupRuleRecord>> rules_of(
    const RuleScope& scope, const std::vector<IpPermission>& permissions);

// Whether both let the same through: ids, descriptions and tags do not count.
bool same_traffic(const SecurityGroupRuleRecord& a, const SecurityGroupRuleRecord& b);
// "peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW"
std::string rule_text(const SecurityGroupRuleRecord& rule);

// One entry for each protocol and range of ports, in the order of their first rules.
std::vector<IpPermission> permissions_of(const std::string& account,
                                         std::span<const SecurityGroupRuleRecord> rules,
                                         bool egress);

// The VPC "default", or VPCIdNotSpecified.
base::Result<const VpcRecord*> require_default_vpc(const State& state);
// A group by its name in the default VPC, as requests from EC2-Classic's days name groups.
base::Result<const SecurityGroupRecord*> group_by_name(const State& state, const std::string& name);

}  // namespace terrarium::ec2
