#include "terrarium/services/ec2/security_group_view.h"

#include <algorithm>
#include <array>
#include <set>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/security_group_permissions.h"
#include "terrarium/services/ec2/security_group_rules.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

// A group with the account that has it.
struct GroupRow {
  SecurityGroupId id;
  const SecurityGroupRecord* group = nullptr;
  const std::string* account = nullptr;
};

template <bool kEgress, class Value>
FilterValues rule_values(const GroupRow& row, Value value) {
  FilterValues values;
  for (const SecurityGroupRuleRecord& rule : row.group->rules) {
    if (rule.egress == kEgress) values.push_back(value(rule));
  }
  return values;
}
template <bool kEgress>
FilterValues cidrs(const State&, const GroupRow& row) {
  return rule_values<kEgress>(row, [](const auto& rule) { return rule.cidr; });
}
template <bool kEgress>
FilterValues ipv6_cidrs(const State&, const GroupRow& row) {
  return rule_values<kEgress>(row, [](const auto& rule) { return rule.ipv6_cidr; });
}
template <bool kEgress>
FilterValues protocols(const State&, const GroupRow& row) {
  return rule_values<kEgress>(row, [](const auto& rule) { return rule.protocol; });
}
template <bool kEgress>
FilterValues from_ports(const State&, const GroupRow& row) {
  return rule_values<kEgress>(
      row, [](const auto& rule) { return std::to_string(rule.from.value_or(-1)); });
}
template <bool kEgress>
FilterValues to_ports(const State&, const GroupRow& row) {
  return rule_values<kEgress>(
      row, [](const auto& rule) { return std::to_string(rule.to.value_or(-1)); });
}
template <bool kEgress>
FilterValues peer_ids(const State&, const GroupRow& row) {
  return rule_values<kEgress>(
      row, [](const auto& rule) { return rule.group.has_value() ? rule.group->value : ""; });
}
template <bool kEgress>
FilterValues peer_owners(const State&, const GroupRow& row) {
  return rule_values<kEgress>(
      row, [&row](const auto& rule) { return rule.group.has_value() ? *row.account : ""; });
}
template <bool kEgress>
FilterValues peer_names(const State& state, const GroupRow& row) {
  return rule_values<kEgress>(row, [&state](const auto& rule) {
    const auto* const peer =
        rule.group.has_value() ? state.find<SecurityGroupRecord>(*rule.group) : nullptr;
    return peer == nullptr ? std::string() : peer->name;
  });
}
FilterValues no_values(const State&, const GroupRow&) { return {}; }

using GroupFilter = FilterField<GroupRow>;
constexpr std::array kGroupFilters{
    GroupFilter{
        "description",
        [](const State&, const GroupRow& row) { return FilterValues{row.group->description}; }},
    GroupFilter{"group-id",
                [](const State&, const GroupRow& row) { return FilterValues{row.id.value}; }},
    GroupFilter{"group-name",
                [](const State&, const GroupRow& row) { return FilterValues{row.group->name}; }},
    GroupFilter{"owner-id",
                [](const State&, const GroupRow& row) { return FilterValues{*row.account}; }},
    GroupFilter{"vpc-id", [](const State&,
                             const GroupRow& row) { return FilterValues{row.group->vpc.value}; }},
    GroupFilter{"ip-permission.cidr", cidrs<false>},
    GroupFilter{"ip-permission.ipv6-cidr", ipv6_cidrs<false>},
    GroupFilter{"ip-permission.protocol", protocols<false>},
    GroupFilter{"ip-permission.from-port", from_ports<false>},
    GroupFilter{"ip-permission.to-port", to_ports<false>},
    GroupFilter{"ip-permission.group-id", peer_ids<false>},
    GroupFilter{"ip-permission.group-name", peer_names<false>},
    GroupFilter{"ip-permission.user-id", peer_owners<false>},
    GroupFilter{"ip-permission.prefix-list-id", no_values},
    GroupFilter{"egress.ip-permission.cidr", cidrs<true>},
    GroupFilter{"egress.ip-permission.ipv6-cidr", ipv6_cidrs<true>},
    GroupFilter{"egress.ip-permission.protocol", protocols<true>},
    GroupFilter{"egress.ip-permission.from-port", from_ports<true>},
    GroupFilter{"egress.ip-permission.to-port", to_ports<true>},
    GroupFilter{"egress.ip-permission.group-id", peer_ids<true>},
    GroupFilter{"egress.ip-permission.group-name", peer_names<true>},
    GroupFilter{"egress.ip-permission.user-id", peer_owners<true>},
    GroupFilter{"egress.ip-permission.prefix-list-id", no_values},
};

// A rule with its group, as DescribeSecurityGroupRules lists them.
struct RuleRow {
  SecurityGroupRuleId id;
  const SecurityGroupRecord* group = nullptr;
  const SecurityGroupRuleRecord* rule = nullptr;
};
constexpr std::array kRuleFilters{
    FilterField<RuleRow>{
        "group-id",
        [](const State&, const RuleRow& row) { return FilterValues{row.group->id.value}; }},
    FilterField<RuleRow>{
        "security-group-rule-id",
        [](const State&, const RuleRow& row) { return FilterValues{row.id.value}; }},
};

std::vector<RuleRow> rule_rows(const State& state) {
  std::vector<RuleRow> rows;
  for (const SecurityGroupRecord& group : state.all<SecurityGroupRecord>()) {
    for (const SecurityGroupRuleRecord& rule : group.rules)
      rows.push_back({rule.id, &group, &rule});
  }
  std::ranges::sort(rows, {}, &RuleRow::id);
  return rows;
}

std::string arn_of(const Scene& scene, std::string_view kind, const std::string& id) {
  return "arn:aws:ec2:" + scene.region + ":" + scene.account + ":" + std::string(kind) + id;
}

}  // namespace

base::Error unknown_rule(const std::string& id) {
  if (!is_id_text(id, SecurityGroupRuleIdTag::kPrefix)) {
    return base::fail(errors::kInvalidSecurityGroupRuleIdMalformed, "Invalid id: \"" + id + "\"")
        .error();
  }
  return base::fail(errors::kInvalidSecurityGroupRuleIdNotFound,
                    "The security group rule ID '" + id + "' does not exist")
      .error();
}

SecurityGroupRule view(const SecurityGroupRecord& group, const SecurityGroupRuleRecord& rule,
                       const Scene& scene) {
  const std::string& account = scene.account;
  SecurityGroupRule out{
      .security_group_rule_id = rule.id.value,
      .group_id = group.id.value,
      .group_owner_id = account,
      .is_egress = rule.egress,
      .ip_protocol = rule.protocol,
      .from_port = rule.from.value_or(-1),
      .to_port = rule.to.value_or(-1),
      .description = rule.description,
      .tags = tag_list(rule.tags),
      .security_group_rule_arn = arn_of(scene, "security-group-rule/", rule.id.value)};
  if (!rule.cidr.empty()) out.cidr_ipv4 = rule.cidr;
  if (!rule.ipv6_cidr.empty()) out.cidr_ipv6 = rule.ipv6_cidr;
  if (rule.group.has_value()) {
    out.referenced_group_info = ReferencedSecurityGroup{
        .group_id = rule.group->value, .user_id = account, .vpc_id = group.vpc.value};
  }
  return out;
}

std::string security_group_arn(const Scene& scene, const SecurityGroupId& id) {
  return arn_of(scene, "security-group/", id.value);
}

SecurityGroup view(const SecurityGroupRecord& group, const Scene& scene) {
  const std::string& account = scene.account;
  return {.description = group.description,
          .group_name = group.name,
          .ip_permissions = permissions_of(account, group.rules, false),
          .owner_id = account,
          .group_id = group.id.value,
          .ip_permissions_egress = permissions_of(account, group.rules, true),
          .tags = tag_list(group.tags),
          .vpc_id = group.vpc.value,
          .security_group_arn = security_group_arn(scene, group.id)};
}

base::Result<DescribeSecurityGroupsResult> describe_security_groups(
    const State& state, const Scene& scene, const DescribeSecurityGroupsRequest& request) {
  TRY(const FilterSet filters, FilterSet::of(request.filters));
  TRY_VOID(filters.check(std::span<const GroupFilter>(kGroupFilters)));
  std::set<SecurityGroupId> wanted;
  TRY(const auto named, require_all<SecurityGroupRecord>(
                            state, request.group_ids.value_or(std::vector<std::string>{})));
  for (const SecurityGroupRecord* group : named) wanted.insert(group->id);
  for (const std::string& name : request.group_names.value_or(std::vector<std::string>{})) {
    TRY(const SecurityGroupRecord* const group, group_by_name(state, name));
    wanted.insert(group->id);
  }
  std::vector<GroupRow> rows;
  for (const SecurityGroupRecord& group : state.all<SecurityGroupRecord>()) {
    if (wanted.empty() || wanted.contains(group.id)) {
      rows.push_back({group.id, &group, &scene.account});
    }
  }
  std::vector<const GroupRow*> found;
  for (const GroupRow& row : rows) {
    if (filters.match<GroupRow>(state, row, row.group->tags, kGroupFilters)) found.push_back(&row);
  }
  TRY(const auto page, paginate(std::move(found), {request.max_results, request.next_token}));
  DescribeSecurityGroupsResult result{.security_groups = std::vector<SecurityGroup>{},
                                      .next_token = page.next_token};
  for (const GroupRow* row : page.records) {
    result.security_groups->push_back(view(*row->group, scene));
  }
  return result;
}

base::Result<DescribeSecurityGroupRulesResult> describe_security_group_rules(
    const State& state, const Scene& scene, const DescribeSecurityGroupRulesRequest& request) {
  TRY(const FilterSet filters, FilterSet::of(request.filters));
  TRY_VOID(filters.check(std::span<const FilterField<RuleRow>>(kRuleFilters)));
  const std::vector<RuleRow> rows = rule_rows(state);
  const auto ids = request.security_group_rule_ids.value_or(std::vector<std::string>{});
  for (const std::string& id : ids) {
    if (std::ranges::find(rows, SecurityGroupRuleId(id), &RuleRow::id) == rows.end()) {
      return std::unexpected(unknown_rule(id));
    }
  }
  std::vector<const RuleRow*> found;
  for (const RuleRow& row : rows) {
    if (!ids.empty() && std::ranges::find(ids, row.id.value) == ids.end()) continue;
    if (filters.match<RuleRow>(state, row, row.rule->tags, kRuleFilters)) found.push_back(&row);
  }
  TRY(const auto page, paginate(std::move(found), {request.max_results, request.next_token}));
  DescribeSecurityGroupRulesResult result{.security_group_rules = std::vector<SecurityGroupRule>{},
                                          .next_token = page.next_token};
  for (const RuleRow* row : page.records) {
    result.security_group_rules->push_back(view(*row->group, *row->rule, scene));
  }
  return result;
}

}  // namespace terrarium::ec2
