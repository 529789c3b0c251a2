#include "terrarium/services/ec2/network_acl_rules.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/cidr.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

using Field = FilterField<NetworkAclRecord>;

constexpr int kAllProtocols = -1;
constexpr int kIcmp = 1;
constexpr int kTcp = 6;
constexpr int kUdp = 17;
constexpr int kIcmpV6 = 58;
constexpr int kProtocolMax = 255;
constexpr int kPortMax = 65535;
constexpr int kIcmpMax = 255;

bool has_ports(int protocol) { return protocol == kTcp || protocol == kUdp; }
bool has_icmp(int protocol) { return protocol == kIcmp || protocol == kIcmpV6; }

// The entries of a list with the last one of each direction.
std::vector<NetworkAclEntryRecord> all_entries(const NetworkAclRecord& acl) {
  std::vector<NetworkAclEntryRecord> entries = acl.entries;
  for (const bool egress : {true, false}) {
    entries.push_back({.number = kAclFinalRule, .egress = egress, .cidr = "0.0.0.0/0"});
  }
  std::ranges::sort(entries, {}, [](const NetworkAclEntryRecord& entry) {
    return std::pair(!entry.egress, entry.number);
  });
  return entries;
}

std::vector<const SubnetRecord*> subnets_of(const State& state, const NetworkAclRecord& acl) {
  std::vector<const SubnetRecord*> found;
  for (const SubnetRecord& subnet : state.all<SubnetRecord>()) {
    if (subnet.network_acl == acl.id) found.push_back(&subnet);
  }
  return found;
}

NetworkAclEntry entry_view(const NetworkAclEntryRecord& entry) {
  NetworkAclEntry out{.egress = entry.egress,
                      .protocol = std::to_string(entry.protocol),
                      .rule_action = entry.allow ? "allow" : "deny",
                      .rule_number = entry.number};
  (entry.cidr.empty() ? out.ipv6_cidr_block : out.cidr_block) =
      entry.cidr.empty() ? entry.ipv6_cidr : entry.cidr;
  if (entry.from.has_value()) out.port_range = PortRange{entry.from, entry.to};
  if (entry.icmp_type.has_value()) {
    out.icmp_type_code = IcmpTypeCode{.code = entry.icmp_code, .type = entry.icmp_type};
  }
  return out;
}

NetworkAcl view(const State& state, const NetworkAclRecord& acl, const Scene& scene) {
  NetworkAcl out{.associations = std::vector<NetworkAclAssociation>{},
                 .entries = std::vector<NetworkAclEntry>{},
                 .is_default = acl.is_default,
                 .network_acl_id = acl.id.value,
                 .tags = tag_list(acl.tags),
                 .vpc_id = acl.vpc.value,
                 .owner_id = scene.account};
  for (const SubnetRecord* subnet : subnets_of(state, acl)) {
    out.associations->push_back(
        {.network_acl_association_id = subnet->network_acl_association.value,
         .network_acl_id = acl.id.value,
         .subnet_id = subnet->id.value});
  }
  for (const NetworkAclEntryRecord& entry : all_entries(acl)) {
    out.entries->push_back(entry_view(entry));
  }
  return out;
}

template <class Value>
FilterValues of_entries(const NetworkAclRecord& acl, Value value) {
  FilterValues values;
  for (const NetworkAclEntryRecord& entry : all_entries(acl)) {
    std::string text = value(entry);
    if (!text.empty()) values.push_back(std::move(text));
  }
  return values;
}

template <std::optional<int> NetworkAclEntryRecord::* member>
FilterValues numbers(const State&, const NetworkAclRecord& acl) {
  return of_entries(acl, [](const NetworkAclEntryRecord& entry) {
    const std::optional<int>& value = entry.*member;
    return value.has_value() ? std::to_string(*value) : std::string();
  });
}

constexpr std::array kFilters{
    Field{"association.association-id",
          [](const State& state, const NetworkAclRecord& acl) {
            FilterValues values;
            for (const SubnetRecord* subnet : subnets_of(state, acl)) {
              values.push_back(subnet->network_acl_association.value);
            }
            return values;
          }},
    Field{"association.network-acl-id",
          [](const State& state, const NetworkAclRecord& acl) {
            return subnets_of(state, acl).empty() ? FilterValues{} : FilterValues{acl.id.value};
          }},
    Field{"association.subnet-id",
          [](const State& state, const NetworkAclRecord& acl) {
            FilterValues values;
            for (const SubnetRecord* subnet : subnets_of(state, acl)) {
              values.push_back(subnet->id.value);
            }
            return values;
          }},
    Field{"default",
          [](const State&, const NetworkAclRecord& acl) {
            return FilterValues{filter_text(acl.is_default)};
          }},
    Field{"entry.cidr",
          [](const State&, const NetworkAclRecord& acl) {
            return of_entries(acl, [](const auto& entry) { return entry.cidr; });
          }},
    Field{"entry.ipv6-cidr",
          [](const State&, const NetworkAclRecord& acl) {
            return of_entries(acl, [](const auto& entry) { return entry.ipv6_cidr; });
          }},
    Field{"entry.egress",
          [](const State&, const NetworkAclRecord& acl) {
            return of_entries(acl, [](const auto& entry) { return filter_text(entry.egress); });
          }},
    Field{"entry.icmp.code", numbers<&NetworkAclEntryRecord::icmp_code>},
    Field{"entry.icmp.type", numbers<&NetworkAclEntryRecord::icmp_type>},
    Field{"entry.port-range.from", numbers<&NetworkAclEntryRecord::from>},
    Field{"entry.port-range.to", numbers<&NetworkAclEntryRecord::to>},
    Field{"entry.protocol",
          [](const State&, const NetworkAclRecord& acl) {
            return of_entries(acl,
                              [](const auto& entry) { return std::to_string(entry.protocol); });
          }},
    Field{"entry.rule-action",
          [](const State&, const NetworkAclRecord& acl) {
            return of_entries(
                acl, [](const auto& entry) { return std::string(entry.allow ? "allow" : "deny"); });
          }},
    Field{"entry.rule-number",
          [](const State&, const NetworkAclRecord& acl) {
            return of_entries(acl, [](const auto& entry) { return std::to_string(entry.number); });
          }},
    Field{"network-acl-id",
          [](const State&, const NetworkAclRecord& acl) { return FilterValues{acl.id.value}; }},
    Field{"vpc-id",
          [](const State&, const NetworkAclRecord& acl) { return FilterValues{acl.vpc.value}; }},
};

base::Result<int> protocol_of(const std::string& text) {
  constexpr std::array<std::pair<std::string_view, int>, 6> kNames{{{"all", kAllProtocols},
                                                                    {"tcp", kTcp},
                                                                    {"udp", kUdp},
                                                                    {"icmp", kIcmp},
                                                                    {"icmpv6", kIcmpV6},
                                                                    {"icmp6", kIcmpV6}}};
  for (const auto& [name, number] : kNames) {
    if (text == name) return number;
  }
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < kAllProtocols ||
      number > kProtocolMax) {
    return std::unexpected(invalid_value(text, "protocol", "Unknown protocol."));
  }
  return number;
}

bool between(const std::optional<std::int32_t>& value, int min, int max) {
  return value.has_value() && *value >= min && *value <= max;
}

// Of protocols that have neither ports nor types, both are without effect, as on AWS.
template <class Request>
base::Result<void> read_traffic(const Request& request, NetworkAclEntryRecord& entry) {
  TRY(entry.protocol, protocol_of(request.protocol));
  if (has_ports(entry.protocol)) {
    if (!request.port_range.has_value()) return std::unexpected(missing("portRange"));
    const PortRange& ports = *request.port_range;
    if (!between(ports.from, 0, kPortMax) || !between(ports.to, *ports.from, kPortMax)) {
      return base::fail(errors::kInvalidParameterValue, "Invalid port range.");
    }
    entry.from = ports.from;
    entry.to = ports.to;
  } else if (has_icmp(entry.protocol)) {
    if (!request.icmp_type_code.has_value()) return std::unexpected(missing("icmpTypeCode"));
    const IcmpTypeCode& icmp = *request.icmp_type_code;
    if (!between(icmp.type, -1, kIcmpMax) || !between(icmp.code, -1, kIcmpMax)) {
      return base::fail(errors::kInvalidParameterValue, "Invalid ICMP type or code.");
    }
    entry.icmp_type = icmp.type;
    entry.icmp_code = icmp.code;
  }
  return {};
}

template <class Request>
base::Result<void> read_range(const Request& request, NetworkAclEntryRecord& entry) {
  if (request.cidr_block.has_value() == request.ipv6_cidr_block.has_value()) {
    return base::fail(errors::kInvalidParameterCombination,
                      "The request must contain exactly one of cidrBlock and ipv6CidrBlock");
  }
  if (request.cidr_block.has_value()) {
    const auto range = Cidr::parse(*request.cidr_block);
    if (!range.has_value()) {
      return std::unexpected(
          invalid_value(*request.cidr_block, "cidrBlock", "This is not a valid CIDR block."));
    }
    entry.cidr = range->text();
    return {};
  }
  const auto range = canonical_ipv6_cidr(*request.ipv6_cidr_block);
  if (!range.has_value()) {
    return std::unexpected(invalid_value(*request.ipv6_cidr_block, "ipv6CidrBlock",
                                         "This is not a valid CIDR block."));
  }
  entry.ipv6_cidr = *range;
  return {};
}

base::Result<void> check_number(int number) {
  if (number >= 1 && number < kAclFinalRule) return {};
  return std::unexpected(invalid_value(std::to_string(number), "ruleNumber",
                                       "Expecting a value between 1 and 32766."));
}

template <class Request>
base::Result<NetworkAclEntryRecord> wanted_entry(const Request& request) {
  NetworkAclEntryRecord entry{.number = request.rule_number, .egress = request.egress};
  TRY_VOID(check_number(entry.number));
  if (request.rule_action != "allow" && request.rule_action != "deny") {
    return std::unexpected(
        invalid_value(request.rule_action, "ruleAction", "Valid values are allow and deny."));
  }
  entry.allow = request.rule_action == "allow";
  TRY_VOID(read_range(request, entry));
  TRY_VOID(read_traffic(request, entry));
  return entry;
}

auto find_entry(NetworkAclRecord& acl, bool egress, int number) {
  return std::ranges::find_if(acl.entries, [&](const NetworkAclEntryRecord& entry) {
    return entry.egress == egress && entry.number == number;
  });
}

base::Error unknown_entry(int number) {
  return base::fail(
             errors::kInvalidNetworkAclEntryNotFound,
             "The network acl entry identified by " + std::to_string(number) + " does not exist.")
      .error();
}

}  // namespace

NetworkAclId default_network_acl(const State& state, const VpcId& vpc) {
  for (const NetworkAclRecord& acl : state.all<NetworkAclRecord>()) {
    if (acl.vpc == vpc && acl.is_default) return acl.id;
  }
  return {};
}

base::Result<CreateNetworkAclResult> create_network_acl(Transaction& transaction,
                                                        const CreateNetworkAclRequest& request) {
  TRY(const VpcRecord* const vpc, require<VpcRecord>(transaction.state(), request.vpc_id));
  const std::string token = request.client_token.value_or("");
  TRY(const auto* const before,
      made_with_token<NetworkAclRecord>(transaction.state(), token, request.vpc_id));
  if (before != nullptr) {
    return CreateNetworkAclResult{
        .network_acl = view(transaction.state(), *before, transaction.scene()),
        .client_token = request.client_token};
  }
  NetworkAclRecord acl{
      .id = new_id<NetworkAclId>(transaction.random()), .vpc = vpc->id, .client_token = token};
  TRY(acl.tags, tags_for(request.tag_specifications, "network-acl"));
  transaction.put(acl);
  return CreateNetworkAclResult{.network_acl = view(transaction.state(), acl, transaction.scene()),
                                .client_token = request.client_token};
}

base::Result<DescribeNetworkAclsResult> describe_network_acls(
    const State& state, const Scene& scene, const DescribeNetworkAclsRequest& request) {
  const std::array shared{SharedValue{"owner-id", scene.account}};
  TRY(const auto page,
      select_shared<NetworkAclRecord>(state, shared, request.network_acl_ids, request.filters,
                                      kFilters, {request.max_results, request.next_token}));
  DescribeNetworkAclsResult result{.network_acls = std::vector<NetworkAcl>{},
                                   .next_token = page.next_token};
  for (const NetworkAclRecord* acl : page.records) {
    result.network_acls->push_back(view(state, *acl, scene));
  }
  return result;
}

base::Result<wire::Empty> delete_network_acl(Transaction& transaction,
                                             const DeleteNetworkAclRequest& request) {
  const State& state = transaction.state();
  TRY(const auto* const acl, require<NetworkAclRecord>(state, request.network_acl_id));
  if (acl->is_default) {
    return base::fail(errors::kInvalidParameterValue,
                      "cannot delete default network ACL " + request.network_acl_id);
  }
  if (!subnets_of(state, *acl).empty()) {
    return std::unexpected(has_dependencies("networkAcl", request.network_acl_id));
  }
  transaction.erase<NetworkAclRecord>(acl->id);
  return wire::Empty{};
}

base::Result<wire::Empty> create_network_acl_entry(Transaction& transaction,
                                                   const CreateNetworkAclEntryRequest& request) {
  TRY(const auto* const found,
      require<NetworkAclRecord>(transaction.state(), request.network_acl_id));
  TRY(NetworkAclEntryRecord entry, wanted_entry(request));
  NetworkAclRecord acl = *found;
  if (find_entry(acl, entry.egress, entry.number) != acl.entries.end()) {
    return base::fail(
        errors::kNetworkAclEntryAlreadyExists,
        "The network acl entry identified by " + std::to_string(entry.number) + " already exists.");
  }
  if (std::ranges::count(acl.entries, entry.egress, &NetworkAclEntryRecord::egress) >=
      kAclEntriesMax) {
    return base::fail(errors::kNetworkAclEntryLimitExceeded,
                      "The maximum number of network acl entries has been reached.");
  }
  acl.entries.push_back(std::move(entry));
  transaction.put(std::move(acl));
  return wire::Empty{};
}

base::Result<wire::Empty> replace_network_acl_entry(Transaction& transaction,
                                                    const ReplaceNetworkAclEntryRequest& request) {
  TRY(const auto* const found,
      require<NetworkAclRecord>(transaction.state(), request.network_acl_id));
  TRY(NetworkAclEntryRecord entry, wanted_entry(request));
  NetworkAclRecord acl = *found;
  const auto old = find_entry(acl, entry.egress, entry.number);
  if (old == acl.entries.end()) return std::unexpected(unknown_entry(entry.number));
  *old = std::move(entry);
  transaction.put(std::move(acl));
  return wire::Empty{};
}

base::Result<wire::Empty> delete_network_acl_entry(Transaction& transaction,
                                                   const DeleteNetworkAclEntryRequest& request) {
  TRY(const auto* const found,
      require<NetworkAclRecord>(transaction.state(), request.network_acl_id));
  TRY_VOID(check_number(request.rule_number));
  NetworkAclRecord acl = *found;
  const auto old = find_entry(acl, request.egress, request.rule_number);
  if (old == acl.entries.end()) return std::unexpected(unknown_entry(request.rule_number));
  acl.entries.erase(old);
  transaction.put(std::move(acl));
  return wire::Empty{};
}

base::Result<ReplaceNetworkAclAssociationResult> replace_network_acl_association(
    Transaction& transaction, const ReplaceNetworkAclAssociationRequest& request) {
  const State& state = transaction.state();
  TRY(const auto* const acl, require<NetworkAclRecord>(state, request.network_acl_id));
  const SubnetRecord* found = nullptr;
  for (const SubnetRecord& subnet : state.all<SubnetRecord>()) {
    if (subnet.network_acl_association.value == request.association_id) found = &subnet;
  }
  if (found == nullptr) {
    return base::fail(errors::kInvalidAssociationIDNotFound,
                      "The association ID '" + request.association_id + "' does not exist");
  }
  if (found->vpc != acl->vpc) {
    return base::fail(errors::kInvalidParameterValue, "network acl " + acl->id.value +
                                                          " and subnet " + found->id.value +
                                                          " belong to different networks");
  }
  SubnetRecord subnet = *found;
  subnet.network_acl = acl->id;
  subnet.network_acl_association = new_id<NetworkAclAssociationId>(transaction.random());
  ReplaceNetworkAclAssociationResult result{subnet.network_acl_association.value};
  transaction.put(std::move(subnet));
  return result;
}

}  // namespace terrarium::ec2
