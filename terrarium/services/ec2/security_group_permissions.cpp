#include "terrarium/services/ec2/security_group_permissions.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "generated/ec2/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/ec2/cidr.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"

namespace terrarium::ec2 {
namespace {

constexpr int kPortMax = 65535;
constexpr int kIcmpMax = 255;
constexpr int kProtocolMax = 255;
constexpr std::size_t kDescriptionCharactersMax = 255;
constexpr std::string_view kDescriptionSigns = " ._-:/()#,@[]+=&;{}!$*";
constexpr std::string_view kAll = "-1";

struct ProtocolName {
  std::string_view name;
  int number;
};
// AWS shows these by name, and every other protocol by number.
constexpr std::array kNames{ProtocolName{"tcp", 6}, ProtocolName{"udp", 17},
                            ProtocolName{"icmp", 1}, ProtocolName{"icmpv6", 58}};

base::Result<std::string> canonical_protocol(const std::optional<std::string>& given) {
  if (!given.has_value() || given->empty()) return std::unexpected(missing("IpProtocol"));
  const std::string text = base::to_lower(*given);
  if (text == kAll || text == "all") return std::string(kAll);
  int number = -1;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  const bool is_number = error == std::errc{} && stopped == end;
  for (const ProtocolName& known : kNames) {
    if (text == known.name || (is_number && number == known.number)) return std::string(known.name);
  }
  if (is_number && number >= 0 && number <= kProtocolMax) return std::to_string(number);
  return base::fail(errors::kInvalidParameterValue,
                    "Invalid value '" + *given + "' for IP protocol. Unknown protocol.");
}

base::Result<void> set_ports(SecurityGroupRuleRecord& rule, const RuleTraffic& traffic) {
  if (!traffic.from.has_value() || !traffic.to.has_value()) {
    return base::fail(errors::kInvalidParameterValue,
                      "Invalid value 'Must specify both from and to ports with TCP/UDP.' for "
                      "portRange.");
  }
  for (const int port : {*traffic.from, *traffic.to}) {
    if (port < 0 || port > kPortMax) {
      return base::fail(errors::kInvalidParameterValue,
                        "TCP/UDP port (" + std::to_string(port) + ") out of range");
    }
  }
  if (*traffic.from > *traffic.to) {
    return base::fail(errors::kInvalidParameterValue, "Invalid TCP/UDP port range (" +
                                                          std::to_string(*traffic.from) + ":" +
                                                          std::to_string(*traffic.to) + ")");
  }
  rule.from = traffic.from;
  rule.to = traffic.to;
  return {};
}

// "Ports" of ICMP are its type and code, -1 for all.
base::Result<void> set_icmp(SecurityGroupRuleRecord& rule, const RuleTraffic& traffic) {
  const int type = traffic.from.value_or(-1);
  const int code = traffic.to.value_or(-1);
  for (const int value : {type, code}) {
    if (value < -1 || value > kIcmpMax) {
      return base::fail(errors::kInvalidParameterValue,
                        "ICMP type or code (" + std::to_string(value) + ") out of range");
    }
  }
  if (type == -1 && code != -1) {
    return base::fail(errors::kInvalidParameterValue,
                      "ICMP code (" + std::to_string(code) + ") requires an ICMP type");
  }
  rule.from = type;
  rule.to = code;
  return {};
}

base::Result<std::string> pair_group(const RuleScope& scope, const UserIdGroupPair& pair) {
  TRY_VOID(refuse({{"VpcPeeringConnectionId", pair.vpc_peering_connection_id.has_value()}}));
  const std::string named = pair.group_id.value_or(pair.group_name.value_or(""));
  if (pair.user_id.has_value() && !pair.user_id->empty() && *pair.user_id != scope.account) {
    return std::unexpected(unknown_id(noun_of<SecurityGroupRecord>(), named));
  }
  if (pair.group_id.has_value() && !pair.group_id->empty()) return *pair.group_id;
  if (!pair.group_name.has_value()) return std::unexpected(missing("GroupId"));
  TRY(const SecurityGroupRecord* const group, group_by_name(scope.state, *pair.group_name));
  return group->id.value;
}

class RuleList {
 public:
  explicit RuleList(const RuleScope& scope) : scope_(scope) {}

  base::Result<void> add(const IpPermission& permission) {
    if (permission.prefix_list_ids.has_value() && !permission.prefix_list_ids->empty()) {
      return refuse({{"PrefixListIds", true}});
    }
    const std::size_t before = rules_.size();
    TRY(const SecurityGroupRuleRecord blank,
        rule_for(scope_.egress,
                 {permission.ip_protocol, permission.from_port, permission.to_port}));
    for (const IpRange& range : permission.ip_ranges.value_or(std::vector<IpRange>{})) {
      SecurityGroupRuleRecord rule = blank;
      TRY_VOID(set_cidr(rule, range.cidr_ip.value_or("")));
      TRY_VOID(append(std::move(rule), range.description));
    }
    for (const Ipv6Range& range : permission.ipv6_ranges.value_or(std::vector<Ipv6Range>{})) {
      SecurityGroupRuleRecord rule = blank;
      TRY_VOID(set_ipv6_cidr(rule, range.cidr_ipv6.value_or("")));
      TRY_VOID(append(std::move(rule), range.description));
    }
    for (const UserIdGroupPair& pair :
         permission.user_id_group_pairs.value_or(std::vector<UserIdGroupPair>{})) {
      SecurityGroupRuleRecord rule = blank;
      TRY(const std::string group, pair_group(scope_, pair));
      TRY_VOID(set_peer_group(scope_, rule, group));
      TRY_VOID(append(std::move(rule), pair.description));
    }
    if (rules_.size() == before) {
      return base::fail(errors::kInvalidPermissionMalformed,
                        "The permission has neither a range nor a security group.");
    }
    return {};
  }
  std::vector<SecurityGroupRuleRecord> take() { return std::move(rules_); }

 private:
  base::Result<void> append(SecurityGroupRuleRecord rule,
                            const std::optional<std::string>& description) {
    TRY_VOID(set_description(rule, description));
    for (const SecurityGroupRuleRecord& other : rules_) {
      if (same_traffic(other, rule)) {
        return base::fail(errors::kInvalidParameterValue,
                          "The same permission must not appear multiple times");
      }
    }
    rules_.push_back(std::move(rule));
    return {};
  }

  const RuleScope& scope_;
  std::vector<SecurityGroupRuleRecord> rules_;
};

std::string traffic_text(const SecurityGroupRuleRecord& rule) {
  const auto number = [](const std::optional<int>& value) {
    return value.value_or(-1) == -1 ? std::string("ALL") : std::to_string(*value);
  };
  if (rule.protocol == "tcp" || rule.protocol == "udp") {
    return (rule.protocol == "tcp" ? "TCP" : "UDP") + std::string(", from port: ") +
           number(rule.from) + ", to port: " + number(rule.to);
  }
  if (rule.protocol == "icmp" || rule.protocol == "icmpv6") {
    return (rule.protocol == "icmp" ? "ICMP" : "ICMPv6") + std::string(", type: ") +
           number(rule.from) + ", code: " + number(rule.to);
  }
  return rule.protocol == kAll ? "ALL" : "protocol " + rule.protocol;
}

void show_peer(const std::string& account, const SecurityGroupRuleRecord& rule,
               IpPermission& permission) {
  if (rule.group.has_value()) {
    permission.user_id_group_pairs->push_back(
        {.description = rule.description, .group_id = rule.group->value, .user_id = account});
  } else if (!rule.ipv6_cidr.empty()) {
    permission.ipv6_ranges->push_back({rule.ipv6_cidr, rule.description});
  } else {
    permission.ip_ranges->push_back({rule.cidr, rule.description});
  }
}

}  // namespace

base::Result<SecurityGroupRuleRecord> rule_for(bool egress, const RuleTraffic& traffic) {
  SecurityGroupRuleRecord rule{.egress = egress};
  TRY(rule.protocol, canonical_protocol(traffic.protocol));
  if (rule.protocol == "tcp" || rule.protocol == "udp") {
    TRY_VOID(set_ports(rule, traffic));
  } else if (rule.protocol == "icmp" || rule.protocol == "icmpv6") {
    TRY_VOID(set_icmp(rule, traffic));
  }
  // Other protocols have no ports: AWS lets through all of them, whatever the request says.
  return rule;
}

base::Result<void> set_cidr(SecurityGroupRuleRecord& rule, const std::string& cidr) {
  const auto range = Cidr::parse(cidr);
  if (!range.has_value()) {
    return base::fail(errors::kInvalidParameterValue, "CIDR block " + cidr + " is malformed");
  }
  rule.cidr = range->text();
  return {};
}

base::Result<void> set_ipv6_cidr(SecurityGroupRuleRecord& rule, const std::string& cidr) {
  auto range = canonical_ipv6_cidr(cidr);
  if (!range.has_value()) {
    return base::fail(errors::kInvalidParameterValue, "CIDR block " + cidr + " is malformed");
  }
  rule.ipv6_cidr = *std::move(range);
  return {};
}

base::Result<void> set_peer_group(const RuleScope& scope, SecurityGroupRuleRecord& rule,
                                  const std::string& group_id) {
  TRY(const SecurityGroupRecord* const peer, require<SecurityGroupRecord>(scope.state, group_id));
  if (peer->vpc != scope.group.vpc) {
    return base::fail(errors::kInvalidGroupNotFound,
                      "You have specified two resources that belong to different networks.");
  }
  rule.group = peer->id;
  return {};
}

base::Result<void> set_description(SecurityGroupRuleRecord& rule,
                                   const std::optional<std::string>& description) {
  const std::string text = description.value_or("");
  const bool legal = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kDescriptionSigns.contains(c);
  });
  if (!legal || text.size() > kDescriptionCharactersMax) {
    return base::fail(errors::kInvalidParameterValue,
                      "Invalid rule description. Valid descriptions are strings less than 256 "
                      "characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*");
  }
  rule.description = text.empty() ? std::nullopt : std::optional(text);
  return {};
}

base::Result<std::vector<SecurityGroupRuleRecord>> rules_of(
    const RuleScope& scope, const std::vector<IpPermission>& permissions) {
  RuleList rules(scope);
  for (const IpPermission& permission : permissions) TRY_VOID(rules.add(permission));
  return rules.take();
}

bool same_traffic(const SecurityGroupRuleRecord& a, const SecurityGroupRuleRecord& b) {
  return a.egress == b.egress && a.protocol == b.protocol && a.from == b.from && a.to == b.to &&
         a.cidr == b.cidr && a.ipv6_cidr == b.ipv6_cidr && a.group == b.group;
}

std::string rule_text(const SecurityGroupRuleRecord& rule) {
  const std::string peer = rule.group.has_value()
                               ? rule.group->value
                               : (rule.ipv6_cidr.empty() ? rule.cidr : rule.ipv6_cidr);
  return "peer: " + peer + ", " + traffic_text(rule) + ", ALLOW";
}

std::vector<IpPermission> permissions_of(const std::string& account,
                                         std::span<const SecurityGroupRuleRecord> rules,
                                         bool egress) {
  std::vector<IpPermission> permissions;
  for (const SecurityGroupRuleRecord& rule : rules) {
    if (rule.egress != egress) continue;
    auto found = std::ranges::find_if(permissions, [&rule](const IpPermission& one) {
      return one.ip_protocol == rule.protocol && one.from_port == rule.from &&
             one.to_port == rule.to;
    });
    if (found == permissions.end()) {
      // Lists are there when they are empty, as AWS answers.
      permissions.push_back({.from_port = rule.from,
                             .ip_protocol = rule.protocol,
                             .ip_ranges = std::vector<IpRange>{},
                             .ipv6_ranges = std::vector<Ipv6Range>{},
                             .prefix_list_ids = std::vector<PrefixListId>{},
                             .to_port = rule.to,
                             .user_id_group_pairs = std::vector<UserIdGroupPair>{}});
      found = std::prev(permissions.end());
    }
    show_peer(account, rule, *found);
  }
  return permissions;
}

base::Result<const VpcRecord*> require_default_vpc(const State& state) {
  for (const VpcRecord& vpc : state.all<VpcRecord>()) {
    if (vpc.is_default) return &vpc;
  }
  return base::fail(errors::kVPCIdNotSpecified, "No default VPC for this user");
}

base::Result<const SecurityGroupRecord*> group_by_name(const State& state,
                                                       const std::string& name) {
  TRY(const VpcRecord* const vpc, require_default_vpc(state));
  for (const SecurityGroupRecord& group : state.all<SecurityGroupRecord>()) {
    if (group.vpc == vpc->id && group.name == name) return &group;
  }
  return base::fail(
      errors::kInvalidGroupNotFound,
      "The security group '" + name + "' does not exist in default VPC '" + vpc->id.value + "'");
}

}  // namespace terrarium::ec2
