#include "terrarium/host/linux/vpc_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "terrarium/host/linux/ipv4.h"
#include "terrarium/host/linux/network_names.h"

namespace terrarium::host::linux_host {
namespace {

using base::Result;

constexpr int kTcp = 6;
constexpr int kUdp = 17;
constexpr int kIcmp = 1;

std::unexpected<base::Error> refuse(std::string text) {
  return base::fail(base::ErrorKind::InvalidInput, std::move(text));
}

std::string in_quotes(std::string_view link) { return fmt::format("\"{}\"", link); }

// "tcp dport 80-90 ", with a space behind what there is.
Result<std::string> traffic_text(const TrafficSpec& traffic) {
  if (traffic.protocol == kAllProtocols) return std::string();
  if (traffic.protocol < 0 || traffic.protocol > 255) {
    return refuse(fmt::format("{} is no IP protocol.", traffic.protocol));
  }
  const auto within = [](int value, int most) { return value >= -1 && value <= most; };
  if (traffic.protocol == kTcp || traffic.protocol == kUdp) {
    const char* const name = traffic.protocol == kTcp ? "tcp" : "udp";
    if (traffic.from == -1) return fmt::format("meta l4proto {} ", name);
    if (!within(traffic.from, 65535) || traffic.to > 65535 || traffic.to < traffic.from) {
      return refuse(fmt::format("{}-{} is no range of ports.", traffic.from, traffic.to));
    }
    return fmt::format("{} dport {}-{} ", name, traffic.from, traffic.to);
  }
  if (traffic.protocol == kIcmp) {
    if (!within(traffic.from, 255) || !within(traffic.to, 255)) {
      return refuse(fmt::format("{}, {} is no ICMP type and code.", traffic.from, traffic.to));
    }
    if (traffic.from == -1) return std::string("meta l4proto icmp ");
    const std::string type = fmt::format("icmp type {} ", traffic.from);
    return traffic.to == -1 ? type : type + fmt::format("icmp code {} ", traffic.to);
  }
  return fmt::format("meta l4proto {} ", traffic.protocol);
}

// "ip daddr 10.0.0.0/16 "; everybody needs no match.
Result<std::string> range_text(std::string_view field, const std::string& cidr) {
  TRY(const Ipv4Range range, parse_ipv4_range(cidr));
  return range.length == 0 ? std::string() : fmt::format("ip {} {} ", field, cidr);
}

bool allows_everything(const NetworkAclSpec& acl, bool egress) {
  const AclEntrySpec* first = nullptr;
  for (const AclEntrySpec& entry : acl.entries) {
    if (entry.egress == egress && (first == nullptr || entry.number < first->number)) {
      first = &entry;
    }
  }
  return first != nullptr && first->allow && first->traffic.protocol == kAllProtocols &&
         first->cidr == "0.0.0.0/0";
}

class Builder {
 public:
  explicit Builder(const VpcSpec& spec) : spec_(spec) { rules_.table = "vpc"; }

  Result<NftRuleset> build() {
    declare_sets();
    TRY_VOID(add_groups());
    TRY_VOID(add_acls());
    add_subnets();
    for (const InterfaceSpec& interface : spec_.interfaces) TRY_VOID(add_interface(interface));
    for (const NatGatewaySpec& gateway : spec_.nat_gateways) TRY_VOID(add_nat_gateway(gateway));
    add_gates_of_others();
    add_prerouting();
    add_forward();
    add_input();
    add_postrouting();
    return std::move(rules_);
  }

 private:
  NftSet& set(const std::string& name) { return rules_.sets[name]; }
  void put(const std::string& name, std::string key, std::string value = "") {
    set(name).elements[std::move(key)] = std::move(value);
  }
  void rule(const std::string& chain, std::string text) {
    rules_.chains[chain].rules.push_back(std::move(text));
  }

  void declare_sets() {
    set("sources").declaration = "type ifname . ipv4_addr;";
    set("unchecked").declaration = "type ifname;";
    set("alive").declaration = "type ipv4_addr;";
    set("connections").declaration = "type ifname; size 65535; flags dynamic;";
    set("same_subnet").declaration = "type ifname . mark;";
    rules_.sets["subnet_of"] = {.declaration = "type ifname : mark;", .is_map = true};
    rules_.sets["public_of"] = {.declaration = "type ipv4_addr : ipv4_addr;", .is_map = true};
    rules_.sets["private_of"] = {.declaration = "type ipv4_addr : ipv4_addr;", .is_map = true};
    for (const char* const gate : {"egress_of", "ingress_of", "acl_out_of", "acl_in_of"}) {
      rules_.sets[gate] = {.declaration = "type ifname : verdict;", .is_map = true};
    }
  }

  // A chain a group and direction; whose match it is goes on to the receiver's gate, or is in.
  Result<void> add_groups() {
    for (const SecurityGroupSpec& group : spec_.security_groups) {
      if (!is_plain_id(group.id) || !groups_.insert(group.id).second) {
        return refuse("'" + group.id + "' names no security group, or two.");
      }
      set("members-" + group.id).declaration = "type ipv4_addr;";
      rules_.chains["egress-" + group.id];
      rules_.chains["ingress-" + group.id];
    }
    for (const SecurityGroupSpec& group : spec_.security_groups) {
      for (const GroupRuleSpec& rule_spec : group.rules) {
        TRY_VOID(add_group_rule(group.id, rule_spec));
      }
    }
    return {};
  }

  Result<void> add_group_rule(const std::string& group, const GroupRuleSpec& spec) {
    const std::string_view field = spec.egress ? "daddr" : "saddr";
    std::string peer;
    if (!spec.peer_group.empty()) {
      if (!groups_.contains(spec.peer_group)) {
        return refuse(group + " names " + spec.peer_group + ", which its VPC does not have.");
      }
      peer = fmt::format("ip {} @members-{} ", field, spec.peer_group);
    } else {
      TRY(peer, range_text(field, spec.peer_cidr));
    }
    TRY(const std::string traffic, traffic_text(spec.traffic));
    rule((spec.egress ? "egress-" : "ingress-") + group,
         peer + traffic + (spec.egress ? "goto ingress_gate" : "accept"));
    return {};
  }

  Result<void> add_acls() {
    for (const NetworkAclSpec& acl : spec_.network_acls) {
      if (!is_plain_id(acl.id) || !acls_.emplace(acl.id, &acl).second) {
        return refuse("'" + acl.id + "' names no network ACL, or two.");
      }
      for (const bool egress : {true, false}) {
        if (!allows_everything(acl, egress)) TRY_VOID(add_acl_chain(acl, egress));
      }
    }
    return {};
  }

  Result<void> add_acl_chain(const NetworkAclSpec& acl, bool egress) {
    std::vector<const AclEntrySpec*> entries;
    for (const AclEntrySpec& entry : acl.entries) {
      if (entry.egress == egress) entries.push_back(&entry);
    }
    std::ranges::sort(entries, {}, &AclEntrySpec::number);
    const std::string chain = (egress ? "out-" : "in-") + acl.id;
    for (const AclEntrySpec* entry : entries) {
      TRY(const std::string peer, range_text(egress ? "daddr" : "saddr", entry->cidr));
      TRY(const std::string traffic, traffic_text(entry->traffic));
      rule(chain, peer + traffic + (entry->allow ? "return" : "drop"));
    }
    rule(chain, "drop");
    return {};
  }

  void add_subnets() {
    for (const SubnetSpec& subnet : spec_.subnets) {
      subnets_[subnet.id] = &subnet;
      const Ipv4Range range = *parse_ipv4_range(subnet.cidr);
      put("alive", ipv4_text(range.first + 1));
    }
    put("alive", ipv4_text(parse_ipv4_range(spec_.cidrs[0])->first + 2));
  }

  // The ACL of a link's subnet, where it does not let everything through.
  Result<void> add_link(const std::string& link, const std::string& subnet_id) {
    const SubnetSpec& subnet = *subnets_.at(subnet_id);
    const auto acl = acls_.find(subnet.network_acl);
    if (acl == acls_.end()) return refuse("Subnet " + subnet.id + " names no ACL of its VPC.");
    const std::string mark = fmt::format("{:#010x}", number_of(subnet_id));
    put("subnet_of", in_quotes(link), mark);
    put("same_subnet", in_quotes(link) + " . " + mark);
    for (const bool egress : {true, false}) {
      if (allows_everything(*acl->second, egress)) continue;
      put(egress ? "acl_out_of" : "acl_in_of", in_quotes(link),
          (egress ? "jump out-" : "jump in-") + acl->first);
      filtered_ = true;
    }
    return {};
  }

  void add_address(const std::string& address, const std::string& public_address) {
    put("alive", address);
    if (public_address.empty() || !spec_.internet_gateway) return;
    put("public_of", address, public_address);
    put("private_of", public_address, address);
  }

  Result<void> add_interface(const InterfaceSpec& interface) {
    const std::string link = link_name(kInterfacePrefix, interface.id);
    TRY_VOID(add_link(link, interface.subnet));
    add_address(interface.address, interface.public_address);
    std::vector<std::string> addresses = interface.secondary_addresses;
    for (const std::string& address : addresses) add_address(address, "");
    addresses.push_back(interface.address);
    for (const std::string& address : addresses) {
      if (interface.source_dest_check) put("sources", in_quotes(link) + " . " + address);
    }
    if (!interface.source_dest_check) put("unchecked", in_quotes(link));
    const std::set<std::string> groups(interface.security_groups.begin(),
                                       interface.security_groups.end());
    for (const std::string& group : groups) {
      if (!groups_.contains(group)) {
        return refuse(interface.id + " names " + group + ", which its VPC does not have.");
      }
      for (const std::string& address : addresses) put("members-" + group, address);
    }
    add_gates(link, groups);
    return {};
  }

  // One pair of chains for each combination of groups that occurs.
  void add_gates(const std::string& link, const std::set<std::string>& groups) {
    std::string all;
    for (const std::string& group : groups) all += group + " ";
    const std::string name = groups.size() == 1 ? *groups.begin() : link_name("all-of-", all);
    for (const std::string direction : {"egress", "ingress"}) {
      const std::string chain = fmt::format("{}-gate-{}", direction, name);
      put(direction + "_of", in_quotes(link), "goto " + chain);
      if (rules_.chains.contains(chain)) continue;
      for (const std::string& group : groups)
        rule(chain, fmt::format("jump {}-{}", direction, group));
      rule(chain, "drop");
    }
  }

  Result<void> add_nat_gateway(const NatGatewaySpec& gateway) {
    const std::string link = link_name(kNatPrefix, gateway.id);
    TRY_VOID(add_link(link, gateway.subnet));
    add_address(gateway.address, gateway.public_address);
    // Answers from the outside come through it with foreign sources.
    put("unchecked", in_quotes(link));
    put("egress_of", in_quotes(link), "goto ingress_gate");
    put("ingress_of", in_quotes(link), "accept");
    return {};
  }

  void add_gates_of_others() {
    put("egress_of", in_quotes(kInternetLink), "goto ingress_gate");
    put("ingress_of", in_quotes(kInternetLink), "accept");
  }

  void add_prerouting() {
    auto& first = rules_.chains["prerouting_first"];
    first.hook = "type filter hook prerouting priority -300; policy drop;";
    first.rules = {
        "iifname . ip saddr @sources accept", "iifname @unchecked accept",
        fmt::format("iifname {} ip daddr {} accept", in_quotes(kInternetLink), kPublicCidr),
        "iifname \"lo\" accept"};
    auto& translate = rules_.chains["prerouting_translate"];
    translate.hook = "type nat hook prerouting priority -100; policy accept;";
    translate.rules = {
        fmt::format("iifname {} dnat to ip daddr map @private_of", in_quotes(kInternetLink))};
    std::string ranges;
    for (const std::string& cidr : spec_.cidrs) ranges += (ranges.empty() ? "" : ", ") + cidr;
    // Nobody will ever answer there: said at once, instead of a wait for the sender's timeout.
    auto& dead = rules_.chains["prerouting_dead"];
    dead.hook = "type filter hook prerouting priority -90; policy accept;";
    dead.rules = {
        fmt::format("ip daddr {{ {} }} ip daddr != @alive meta l4proto tcp "
                    "reject with tcp reset",
                    ranges)};
  }

  void add_forward() {
    auto& forward = rules_.chains["forward"];
    forward.hook = "type filter hook forward priority 0; policy drop;";
    if (filtered_) {
      forward.rules = {"meta mark set iifname map @subnet_of",
                       "oifname . meta mark @same_subnet goto stateful", "iifname vmap @acl_out_of",
                       "oifname vmap @acl_in_of"};
    }
    forward.rules.push_back("goto stateful");
    rules_.chains["stateful"].rules = {
        "ct state established,related accept",
        "ct state invalid drop",
        fmt::format("iifname {} ct status & dnat == 0 drop", in_quotes(kInternetLink)),
        connection_limit(),
        "iifname vmap @egress_of",
        "drop"};
    rules_.chains["ingress_gate"].rules = {"oifname vmap @ingress_of", "drop"};
  }

  static std::string connection_limit() {
    return fmt::format(
        "iifname \"{}*\" ct state new add @connections {{ iifname ct count over {} }} drop",
        kInterfacePrefix, kConnectionsMax);
  }

  // The router's own services: metadata and DNS, whatever the groups say.
  void add_input() {
    auto& input = rules_.chains["input"];
    input.hook = "type filter hook input priority 0; policy drop;";
    const std::string dns = ipv4_text(parse_ipv4_range(spec_.cidrs[0])->first + 2);
    input.rules = {
        "iifname \"lo\" accept",
        fmt::format("iifname != \"{}*\" drop", kInterfacePrefix),
        "ct state established,related accept",
        connection_limit(),
        fmt::format("ip daddr {} meta l4proto tcp accept", kMetadataAddress),
        fmt::format("ip daddr {{ {}, {} }} meta l4proto {{ tcp, udp }} th dport 53 accept",
                    kDnsAddress, dns),
        "icmp type echo-request accept",
        "meta l4proto tcp reject with tcp reset"};
  }

  void add_postrouting() {
    auto& translate = rules_.chains["postrouting_translate"];
    translate.hook = "type nat hook postrouting priority 100; policy accept;";
    translate.rules = {
        fmt::format("oifname {} snat to ip saddr map @public_of", in_quotes(kInternetLink))};
    auto& last = rules_.chains["postrouting_last"];
    last.hook = "type filter hook postrouting priority 200; policy accept;";
    last.rules = {
        fmt::format("oifname {} ip saddr != {} drop", in_quotes(kInternetLink), kPublicCidr)};
  }

  const VpcSpec& spec_;
  NftRuleset rules_;
  std::set<std::string> groups_;
  std::map<std::string, const NetworkAclSpec*> acls_;
  std::map<std::string, const SubnetSpec*> subnets_;
  bool filtered_ = false;
};

}  // namespace

Result<NftRuleset> vpc_rules(const VpcSpec& spec) { return Builder(spec).build(); }

NftRuleset nat_rules(const std::string& address) {
  NftRuleset rules{.table = "nat"};
  rules.chains["input"].hook = "type filter hook input priority 0; policy drop;";
  rules.chains["forward"].hook = "type filter hook forward priority 0; policy accept;";
  auto& translate = rules.chains["postrouting"];
  translate.hook = "type nat hook postrouting priority 100; policy accept;";
  translate.rules = {fmt::format("oifname {} snat to {}", in_quotes(kInnerLink), address)};
  return rules;
}

NftRuleset internet_rules() {
  NftRuleset rules{.table = "internet"};
  auto& dead = rules.chains["prerouting"];
  dead.hook = "type filter hook prerouting priority -90; policy accept;";
  dead.rules = {"iifname \"lo\" accept",
                fmt::format("ip daddr != {{ {}, {} }} meta l4proto tcp reject with tcp reset",
                            kPublicCidr, kIsolatedCidr)};
  auto& input = rules.chains["input"];
  input.hook = "type filter hook input priority 0; policy drop;";
  input.rules = {"iifname \"lo\" accept", "ct state established,related accept",
                 fmt::format("ip daddr {} accept", kApiAddress), "icmp type echo-request accept"};
  auto& forward = rules.chains["forward"];
  forward.hook = "type filter hook forward priority 0; policy drop;";
  forward.rules = {"ct state established,related accept",
                   fmt::format("oifname \"{}*\" accept", kVpcPrefix)};
  auto& translate = rules.chains["postrouting"];
  translate.hook = "type nat hook postrouting priority 100; policy accept;";
  translate.rules = {fmt::format("ip saddr {} oifname \"{}*\" snat to {}", kIsolatedCidr,
                                 kVpcPrefix, kIsolatedAddress)};
  return rules;
}

}  // namespace terrarium::host::linux_host
