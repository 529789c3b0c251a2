#include "terrarium/services/ec2/security_group_rules.h"

#include <algorithm>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/security_group_permissions.h"
#include "terrarium/services/ec2/security_group_view.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

constexpr std::size_t kNameCharactersMax = 255;
constexpr std::string_view kDefaultGroup = "default";
constexpr std::string_view kSigns = " ._-:/()#,@[]+=&;{}!$*";

// ------------------------------------------------------------------------------------- groups

base::Result<void> check_text(const std::string& text, std::string_view parameter) {
  if (text.empty()) return std::unexpected(missing(parameter));
  const bool legal = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kSigns.contains(c);
  });
  if (text.size() > kNameCharactersMax || !legal) {
    return std::unexpected(
        invalid_value(text, parameter,
                      "Up to 255 characters of a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$* "
                      "are allowed."));
  }
  return {};
}

base::Result<void> check_name(const State& state, const VpcId& vpc, const std::string& name) {
  TRY_VOID(check_text(name, "GroupName"));
  if (name.starts_with("sg-")) {
    return std::unexpected(
        invalid_value(name, "GroupName", "Group names may not be in the format sg-*."));
  }
  if (name == kDefaultGroup) {
    return base::fail(errors::kInvalidParameterValue,
                      "Cannot use reserved security group name: default");
  }
  for (const SecurityGroupRecord& other : state.all<SecurityGroupRecord>()) {
    if (other.vpc == vpc && other.name == name) {
      return base::fail(
          errors::kInvalidGroupDuplicate,
          "The security group '" + name + "' already exists for VPC '" + vpc.value + "'");
    }
  }
  return {};
}

// By id, or by name in the default VPC.
base::Result<const SecurityGroupRecord*> choose_group(const State& state,
                                                      const std::optional<std::string>& id,
                                                      const std::optional<std::string>& name) {
  if (id.has_value() && !id->empty()) return require<SecurityGroupRecord>(state, *id);
  if (name.has_value() && !name->empty()) return group_by_name(state, *name);
  return base::fail(errors::kMissingParameter,
                    "The request must contain the parameter groupName or groupId");
}

bool is_needed(const State& state, const SecurityGroupId& id) {
  const bool by_interface = std::ranges::any_of(
      state.all<NetworkInterfaceRecord>(), [&id](const NetworkInterfaceRecord& one) {
        return std::ranges::find(one.groups, id) != one.groups.end();
      });
  const bool by_group = std::ranges::any_of(
      state.all<SecurityGroupRecord>(), [&id](const SecurityGroupRecord& other) {
        return other.id != id &&
               std::ranges::find(other.rules, id, &SecurityGroupRuleRecord::group) !=
                   other.rules.end();
      });
  return by_interface || by_group;
}

// -------------------------------------------------------------------------------------- rules

base::Result<void> check_count(const SecurityGroupRecord& group) {
  for (const bool egress : {false, true}) {
    for (const bool ipv6 : {false, true}) {
      const auto count = std::ranges::count_if(group.rules, [&](const auto& rule) {
        return rule.egress == egress && (rule.group.has_value() || rule.ipv6_cidr.empty() != ipv6);
      });
      if (static_cast<std::size_t>(count) > kRulesPerSecurityGroupMax) {
        return base::fail(errors::kRulesPerSecurityGroupLimitExceeded,
                          "The maximum number of rules per security group has been reached.");
      }
    }
  }
  return {};
}

// Of one direction, or, without `egress`, of both.
base::Result<SecurityGroupRuleRecord*> require_rule(SecurityGroupRecord& group,
                                                    const std::string& id,
                                                    std::optional<bool> egress) {
  const auto found =
      std::ranges::find(group.rules, SecurityGroupRuleId(id), &SecurityGroupRuleRecord::id);
  if (found == group.rules.end() || found->egress != egress.value_or(found->egress)) {
    return std::unexpected(unknown_rule(id));
  }
  return &*found;
}

base::Result<SecurityGroupRuleRecord*> require_same(SecurityGroupRecord& group,
                                                    const SecurityGroupRuleRecord& wanted) {
  const auto found = std::ranges::find_if(
      group.rules, [&wanted](const auto& rule) { return same_traffic(rule, wanted); });
  if (found == group.rules.end()) {
    return base::fail(errors::kInvalidPermissionNotFound,
                      "The specified rule does not exist in this security group.");
  }
  return &*found;
}

// The request of EC2-Classic's days: one range, or all traffic of one group.
base::Result<std::vector<IpPermission>> flat_permissions(
    const std::optional<std::string>& cidr, const RuleTraffic& traffic,
    const std::optional<std::string>& source_name, const std::optional<std::string>& source_owner) {
  if (!source_name.has_value()) {
    IpPermission permission{
        .from_port = traffic.from, .ip_protocol = traffic.protocol, .to_port = traffic.to};
    if (cidr.has_value()) permission.ip_ranges = std::vector<IpRange>{{.cidr_ip = cidr}};
    return std::vector{std::move(permission)};
  }
  if (cidr.has_value() || traffic.protocol.has_value() || traffic.from.has_value() ||
      traffic.to.has_value()) {
    return base::fail(errors::kInvalidParameterCombination,
                      "SourceSecurityGroupName can't be combined with CidrIp, IpProtocol, FromPort "
                      "or ToPort; use IpPermissions instead.");
  }
  const std::vector<UserIdGroupPair> source{{.group_name = source_name, .user_id = source_owner}};
  return std::vector<IpPermission>{
      {.from_port = 0, .ip_protocol = "tcp", .to_port = 65535, .user_id_group_pairs = source},
      {.from_port = 0, .ip_protocol = "udp", .to_port = 65535, .user_id_group_pairs = source},
      {.from_port = -1, .ip_protocol = "icmp", .to_port = -1, .user_id_group_pairs = source}};
}

template <class Request>
base::Result<std::vector<IpPermission>> ingress_permissions(const Request& request) {
  const bool flat = request.cidr_ip.has_value() || request.ip_protocol.has_value() ||
                    request.from_port.has_value() || request.to_port.has_value() ||
                    request.source_security_group_name.has_value() ||
                    request.source_security_group_owner_id.has_value();
  const bool listed = request.ip_permissions.has_value() && !request.ip_permissions->empty();
  if (flat && listed) {
    return base::fail(errors::kInvalidParameterCombination,
                      "The parameter 'ipPermissions' may not be used in combination with "
                      "'ipProtocol'");
  }
  if (!flat) return request.ip_permissions.value_or(std::vector<IpPermission>{});
  return flat_permissions(
      request.cidr_ip, {request.ip_protocol, request.from_port, request.to_port},
      request.source_security_group_name, request.source_security_group_owner_id);
}

// AWS takes no flat form for egress.
template <class Request>
base::Result<std::vector<IpPermission>> egress_permissions(const Request& request) {
  TRY_VOID(
      refuse({{"CidrIp", request.cidr_ip.has_value()},
              {"IpProtocol", request.ip_protocol.has_value()},
              {"FromPort", request.from_port.has_value()},
              {"ToPort", request.to_port.has_value()},
              {"SourceSecurityGroupName", request.source_security_group_name.has_value()},
              {"SourceSecurityGroupOwnerId", request.source_security_group_owner_id.has_value()}}));
  return request.ip_permissions.value_or(std::vector<IpPermission>{});
}

base::Result<std::vector<SecurityGroupRule>> authorize(
    Transaction& transaction, const SecurityGroupRecord& found, bool egress,
    const std::vector<IpPermission>& permissions,
    const std::optional<std::vector<TagSpecification>>& tag_specifications) {
  if (permissions.empty()) return std::unexpected(missing("ipPermissions"));
  const std::string& account = transaction.scene().account;
  SecurityGroupRecord group = found;
  TRY(const Tags tags, tags_for(tag_specifications, "security-group-rule"));
  TRY(auto rules, rules_of({transaction.state(), account, found, egress}, permissions));
  std::vector<SecurityGroupRule> shown;
  for (SecurityGroupRuleRecord& rule : rules) {
    const bool known = std::ranges::any_of(
        group.rules, [&rule](const auto& other) { return same_traffic(other, rule); });
    if (known) {
      return base::fail(errors::kInvalidPermissionDuplicate,
                        "the specified rule \"" + rule_text(rule) + "\" already exists");
    }
    rule.id = new_id<SecurityGroupRuleId>(transaction.random());
    rule.tags = tags;
    shown.push_back(view(group, rule, transaction.scene()));
    group.rules.push_back(std::move(rule));
  }
  TRY_VOID(check_count(group));
  transaction.put(std::move(group));
  return shown;
}

RevokedSecurityGroupRule revoked_view(const SecurityGroupRecord& group,
                                      const SecurityGroupRuleRecord& rule) {
  RevokedSecurityGroupRule out{.security_group_rule_id = rule.id.value,
                               .group_id = group.id.value,
                               .is_egress = rule.egress,
                               .ip_protocol = rule.protocol,
                               .from_port = rule.from.value_or(-1),
                               .to_port = rule.to.value_or(-1),
                               .description = rule.description};
  if (!rule.cidr.empty()) out.cidr_ipv4 = rule.cidr;
  if (!rule.ipv6_cidr.empty()) out.cidr_ipv6 = rule.ipv6_cidr;
  if (rule.group.has_value()) out.referenced_group_id = rule.group->value;
  return out;
}

base::Result<std::vector<RevokedSecurityGroupRule>> revoke(
    Transaction& transaction, const SecurityGroupRecord& found, bool egress,
    const std::vector<IpPermission>& permissions, const std::vector<std::string>& rule_ids) {
  if (permissions.empty() && rule_ids.empty()) {
    return base::fail(errors::kMissingParameter,
                      "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.");
  }
  if (!permissions.empty() && !rule_ids.empty()) {
    return base::fail(errors::kInvalidParameterCombination,
                      "The parameters 'ipPermissions' and 'securityGroupRuleIds' may not be used "
                      "together.");
  }
  SecurityGroupRecord group = found;
  const RuleScope scope{transaction.state(), transaction.scene().account, found, egress};
  TRY(const auto rules, rules_of(scope, permissions));
  std::vector<RevokedSecurityGroupRule> revoked;
  const auto erase = [&](const SecurityGroupRuleRecord* rule) {
    revoked.push_back(revoked_view(group, *rule));
    group.rules.erase(group.rules.begin() + (rule - group.rules.data()));
  };
  for (const SecurityGroupRuleRecord& rule : rules) {
    TRY(const SecurityGroupRuleRecord* const same, require_same(group, rule));
    erase(same);
  }
  for (const std::string& id : rule_ids) {
    TRY(const SecurityGroupRuleRecord* const rule, require_rule(group, id, egress));
    erase(rule);
  }
  transaction.put(std::move(group));
  return revoked;
}

// An update names its rules as Authorize does, or by id.
template <class Request>
base::Result<void> update_descriptions(Transaction& transaction, bool egress,
                                       const Request& request) {
  const State& state = transaction.state();
  TRY(const SecurityGroupRecord* const found,
      choose_group(state, request.group_id, request.group_name));
  const auto permissions = request.ip_permissions.value_or(std::vector<IpPermission>{});
  const auto by_id = request.security_group_rule_descriptions.value_or(
      std::vector<SecurityGroupRuleDescription>{});
  if (permissions.empty() == by_id.empty()) {
    return base::fail(errors::kInvalidParameterCombination,
                      "Specify either IP permissions or security group rule descriptions.");
  }
  SecurityGroupRecord group = *found;
  TRY(const auto rules,
      rules_of({state, transaction.scene().account, *found, egress}, permissions));
  for (const SecurityGroupRuleRecord& rule : rules) {
    TRY(SecurityGroupRuleRecord* const same, require_same(group, rule));
    same->description = rule.description;
  }
  for (const SecurityGroupRuleDescription& one : by_id) {
    TRY(SecurityGroupRuleRecord* const rule,
        require_rule(group, one.security_group_rule_id.value_or(""), egress));
    TRY_VOID(set_description(*rule, one.description));
  }
  transaction.put(std::move(group));
  return {};
}

base::Result<SecurityGroupRuleRecord> changed_rule(const RuleScope& scope,
                                                   const SecurityGroupRuleRequest& wanted) {
  TRY_VOID(refuse({{"PrefixListId", wanted.prefix_list_id.has_value()}}));
  const int peers = static_cast<int>(wanted.cidr_ipv4.has_value()) +
                    static_cast<int>(wanted.cidr_ipv6.has_value()) +
                    static_cast<int>(wanted.referenced_group_id.has_value());
  if (peers != 1) {
    return base::fail(errors::kInvalidParameterValue,
                      "Exactly one of CidrIpv4, CidrIpv6 and ReferencedGroupId must be given.");
  }
  TRY(SecurityGroupRuleRecord rule,
      rule_for(scope.egress, {wanted.ip_protocol, wanted.from_port, wanted.to_port}));
  if (wanted.cidr_ipv4.has_value()) TRY_VOID(set_cidr(rule, *wanted.cidr_ipv4));
  if (wanted.cidr_ipv6.has_value()) TRY_VOID(set_ipv6_cidr(rule, *wanted.cidr_ipv6));
  if (wanted.referenced_group_id.has_value()) {
    TRY_VOID(set_peer_group(scope, rule, *wanted.referenced_group_id));
  }
  TRY_VOID(set_description(rule, wanted.description));
  return rule;
}

}  // namespace

base::Result<CreateSecurityGroupResult> create_security_group(
    Transaction& transaction, const CreateSecurityGroupRequest& request) {
  const State& state = transaction.state();
  const auto chosen = request.vpc_id.has_value() && !request.vpc_id->empty()
                          ? require<VpcRecord>(state, *request.vpc_id)
                          : require_default_vpc(state);
  TRY(const VpcRecord* const vpc, chosen);
  TRY_VOID(check_name(state, vpc->id, request.group_name));
  TRY_VOID(check_text(request.description, "GroupDescription"));
  TRY(Tags tags, tags_for(request.tag_specifications, "security-group"));
  if (state.count<SecurityGroupRecord>() >= kSecurityGroupsMax) {
    return base::fail(errors::kSecurityGroupLimitExceeded,
                      "The maximum number of security groups has been reached.");
  }
  SecurityGroupRecord group{.id = new_id<SecurityGroupId>(transaction.random()),
                            .vpc = vpc->id,
                            .name = request.group_name,
                            .description = request.description,
                            .tags = std::move(tags)};
  group.rules.push_back({.id = new_id<SecurityGroupRuleId>(transaction.random()),
                         .egress = true,
                         .cidr = "0.0.0.0/0"});
  CreateSecurityGroupResult result{
      .group_id = group.id.value,
      .tags = tag_list(group.tags),
      .security_group_arn = security_group_arn(transaction.scene(), group.id)};
  transaction.put(std::move(group));
  return result;
}

base::Result<DeleteSecurityGroupResult> delete_security_group(
    Transaction& transaction, const DeleteSecurityGroupRequest& request) {
  TRY(const SecurityGroupRecord* const group,
      choose_group(transaction.state(), request.group_id, request.group_name));
  const SecurityGroupId id = group->id;
  if (group->name == kDefaultGroup) {
    return base::fail(errors::kCannotDelete, "the specified group: \"" + id.value +
                                                 "\" name: \"default\" cannot be deleted by a "
                                                 "user");
  }
  if (is_needed(transaction.state(), id)) {
    return base::fail(errors::kDependencyViolation,
                      "resource " + id.value + " has a dependent object");
  }
  transaction.erase<SecurityGroupRecord>(id);
  return DeleteSecurityGroupResult{.return_ = true, .group_id = id.value};
}

base::Result<AuthorizeSecurityGroupIngressResult> authorize_ingress(
    Transaction& transaction, const AuthorizeSecurityGroupIngressRequest& request) {
  TRY(const SecurityGroupRecord* const group,
      choose_group(transaction.state(), request.group_id, request.group_name));
  TRY(const auto permissions, ingress_permissions(request));
  TRY(auto rules, authorize(transaction, *group, false, permissions, request.tag_specifications));
  return AuthorizeSecurityGroupIngressResult{.return_ = true,
                                             .security_group_rules = std::move(rules)};
}

base::Result<AuthorizeSecurityGroupEgressResult> authorize_egress(
    Transaction& transaction, const AuthorizeSecurityGroupEgressRequest& request) {
  TRY(const SecurityGroupRecord* const group,
      require<SecurityGroupRecord>(transaction.state(), request.group_id));
  TRY(const auto permissions, egress_permissions(request));
  TRY(auto rules, authorize(transaction, *group, true, permissions, request.tag_specifications));
  return AuthorizeSecurityGroupEgressResult{.return_ = true,
                                            .security_group_rules = std::move(rules)};
}

base::Result<RevokeSecurityGroupIngressResult> revoke_ingress(
    Transaction& transaction, const RevokeSecurityGroupIngressRequest& request) {
  TRY(const SecurityGroupRecord* const group,
      choose_group(transaction.state(), request.group_id, request.group_name));
  TRY(const auto permissions, ingress_permissions(request));
  TRY(auto revoked, revoke(transaction, *group, false, permissions,
                           request.security_group_rule_ids.value_or(std::vector<std::string>{})));
  return RevokeSecurityGroupIngressResult{.return_ = true,
                                          .revoked_security_group_rules = std::move(revoked)};
}

base::Result<RevokeSecurityGroupEgressResult> revoke_egress(
    Transaction& transaction, const RevokeSecurityGroupEgressRequest& request) {
  TRY(const SecurityGroupRecord* const group,
      require<SecurityGroupRecord>(transaction.state(), request.group_id));
  TRY(const auto permissions, egress_permissions(request));
  TRY(auto revoked, revoke(transaction, *group, true, permissions,
                           request.security_group_rule_ids.value_or(std::vector<std::string>{})));
  return RevokeSecurityGroupEgressResult{.return_ = true,
                                         .revoked_security_group_rules = std::move(revoked)};
}

base::Result<ModifySecurityGroupRulesResult> modify_security_group_rules(
    Transaction& transaction, const ModifySecurityGroupRulesRequest& request) {
  const State& state = transaction.state();
  TRY(const SecurityGroupRecord* const found,
      require<SecurityGroupRecord>(state, request.group_id));
  SecurityGroupRecord group = *found;
  for (const SecurityGroupRuleUpdate& update : request.security_group_rules) {
    if (!update.security_group_rule.has_value()) {
      return std::unexpected(missing("SecurityGroupRule"));
    }
    TRY(SecurityGroupRuleRecord* const rule,
        require_rule(group, update.security_group_rule_id.value_or(""), {}));
    const RuleScope scope{state, transaction.scene().account, *found, rule->egress};
    TRY(SecurityGroupRuleRecord changed, changed_rule(scope, *update.security_group_rule));
    changed.id = rule->id;
    changed.tags = rule->tags;
    for (const SecurityGroupRuleRecord& other : group.rules) {
      if (other.id != changed.id && same_traffic(other, changed)) {
        return base::fail(errors::kInvalidPermissionDuplicate,
                          "the specified rule \"" + rule_text(changed) + "\" already exists");
      }
    }
    *rule = std::move(changed);
  }
  TRY_VOID(check_count(group));
  transaction.put(std::move(group));
  return ModifySecurityGroupRulesResult{.return_ = true};
}

base::Result<UpdateSecurityGroupRuleDescriptionsIngressResult> update_ingress_descriptions(
    Transaction& transaction, const UpdateSecurityGroupRuleDescriptionsIngressRequest& request) {
  TRY_VOID(update_descriptions(transaction, false, request));
  return UpdateSecurityGroupRuleDescriptionsIngressResult{.return_ = true};
}

base::Result<UpdateSecurityGroupRuleDescriptionsEgressResult> update_egress_descriptions(
    Transaction& transaction, const UpdateSecurityGroupRuleDescriptionsEgressRequest& request) {
  TRY_VOID(update_descriptions(transaction, true, request));
  return UpdateSecurityGroupRuleDescriptionsEgressResult{.return_ = true};
}

}  // namespace terrarium::ec2
