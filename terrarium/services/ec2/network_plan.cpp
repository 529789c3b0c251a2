#include "terrarium/services/ec2/network_plan.h"

#include <algorithm>
#include <charconv>

#include "terrarium/services/ec2/regions.h"

namespace terrarium::ec2 {
namespace {

using Target = host::RouteSpec::Target;

constexpr int kIcmp = 1;
constexpr int kTcp = 6;
constexpr int kUdp = 17;
constexpr int kIcmpv6 = 58;

host::RouteSpec to_interface(const State& state, host::RouteSpec spec,
                             const NetworkInterfaceId& id) {
  const auto* const found = state.find<NetworkInterfaceRecord>(id);
  if (found == nullptr || !in_use(state, *found)) return spec;
  spec.target = Target::Interface;
  spec.target_id = id.value;
  return spec;
}

int protocol_number(const std::string& protocol) {
  if (protocol == "tcp") return kTcp;
  if (protocol == "udp") return kUdp;
  if (protocol == "icmp") return kIcmp;
  if (protocol == "icmpv6") return kIcmpv6;
  int number = host::kAllProtocols;
  std::from_chars(protocol.data(), protocol.data() + protocol.size(), number);
  return number;
}

host::SecurityGroupSpec group_spec(const SecurityGroupRecord& group) {
  host::SecurityGroupSpec spec{group.id.value, {}};
  for (const SecurityGroupRuleRecord& rule : group.rules) {
    if (!rule.ipv6_cidr.empty()) continue;
    spec.rules.push_back({.egress = rule.egress,
                          .traffic = {.protocol = protocol_number(rule.protocol),
                                      .from = rule.from.value_or(-1),
                                      .to = rule.to.value_or(-1)},
                          .peer_cidr = rule.cidr,
                          .peer_group = rule.group.has_value() ? rule.group->value : ""});
  }
  return spec;
}

host::NetworkAclSpec acl_spec(const NetworkAclRecord& acl) {
  host::NetworkAclSpec spec{acl.id.value, {}};
  for (const NetworkAclEntryRecord& entry : acl.entries) {
    if (entry.cidr.empty()) continue;
    const bool icmp = entry.protocol == kIcmp;
    spec.entries.push_back({.number = entry.number,
                            .egress = entry.egress,
                            .allow = entry.allow,
                            .traffic = {.protocol = entry.protocol,
                                        .from = (icmp ? entry.icmp_type : entry.from).value_or(-1),
                                        .to = (icmp ? entry.icmp_code : entry.to).value_or(-1)},
                            .cidr = entry.cidr});
  }
  return spec;
}

host::InterfaceSpec interface_spec(const State& state, const NetworkInterfaceRecord& record) {
  host::InterfaceSpec spec{.id = record.id.value,
                           .subnet = record.subnet.value,
                           .address = record.address,
                           .secondary_addresses = record.secondary_addresses,
                           .mac = record.mac,
                           .public_address = public_address_of(state, record),
                           .source_dest_check = record.source_dest_check};
  for (const SecurityGroupId& group : record.groups) spec.security_groups.push_back(group.value);
  return spec;
}

void add_names(const std::string& region, const VpcRecord& vpc,
               const NetworkInterfaceRecord& record, const host::InterfaceSpec& spec,
               std::vector<host::DnsNameSpec>& names) {
  names.push_back({private_host(record.address) + "." + private_domain(region), {record.address}});
  // Inside the VPC a public name means the private address.
  if (vpc.dns_hostnames && !spec.public_address.empty()) {
    names.push_back({public_dns_name(region, spec.public_address), {record.address}});
  }
  for (const std::string& name : record.dns_names) names.push_back({name, {record.address}});
}

template <class T>
auto in_vpc(const State& state, const VpcId& vpc) {
  return state.all<T>() | std::views::filter([&vpc](const T& record) { return record.vpc == vpc; });
}

}  // namespace

bool is_live(const NatGatewayRecord& gateway) {
  return gateway.state == NatGatewayState::Pending || gateway.state == NatGatewayState::Available;
}

host::RouteSpec route_spec(const State& state, const VpcId& vpc, const RouteRecord& route) {
  host::RouteSpec spec{route.destination, Target::Blackhole, {}};
  switch (route.target) {
    case RouteTarget::Local: spec.target = Target::Local; break;
    case RouteTarget::InternetGateway: {
      const auto* const gateway =
          state.find<InternetGatewayRecord>(InternetGatewayId(route.target_id));
      if (gateway != nullptr && gateway->vpc == vpc) spec.target = Target::InternetGateway;
      break;
    }
    case RouteTarget::NatGateway: {
      const auto* const gateway = state.find<NatGatewayRecord>(NatGatewayId(route.target_id));
      if (gateway != nullptr && is_live(*gateway)) {
        spec.target = Target::NatGateway;
        spec.target_id = route.target_id;
      }
      break;
    }
    case RouteTarget::NetworkInterface:
      return to_interface(state, std::move(spec), NetworkInterfaceId(route.target_id));
    case RouteTarget::Instance: {
      const auto* const instance = state.find<InstanceRecord>(InstanceId(route.target_id));
      if (instance == nullptr || instance->network_interfaces.empty()) break;
      return to_interface(state, std::move(spec), instance->network_interfaces.front());
    }
  }
  return spec;
}

bool in_use(const State& state, const NetworkInterfaceRecord& network_interface) {
  if (network_interface.type == "nat_gateway" || !network_interface.attachment.has_value()) {
    return false;
  }
  const auto& owner = network_interface.attachment->instance;
  if (!owner.has_value()) return true;
  const InstanceRecord* const instance = state.find<InstanceRecord>(*owner);
  return instance != nullptr && instance->state != InstanceStateName::Stopped &&
         instance->state != InstanceStateName::Terminated;
}

std::string public_address_of(const State& state, const NetworkInterfaceRecord& network_interface) {
  for (const AddressRecord& address : state.all<AddressRecord>()) {
    if (address.network_interface == network_interface.id) return address.public_address;
  }
  return network_interface.lent_public_address;
}

bool needs_network(const State& state, const VpcId& vpc) {
  return std::ranges::any_of(
             in_vpc<NetworkInterfaceRecord>(state, vpc),
             [&](const NetworkInterfaceRecord& one) { return in_use(state, one); }) ||
         std::ranges::any_of(in_vpc<NatGatewayRecord>(state, vpc), is_live);
}

host::VpcSpec desired_network(const State& state, const std::string& region, const VpcRecord& vpc) {
  host::VpcSpec spec{.id = vpc.id.value, .dns = vpc.dns_support};
  for (const CidrAssociationRecord& range : vpc.cidrs) spec.cidrs.push_back(range.cidr);
  spec.internet_gateway = std::ranges::any_of(
      state.all<InternetGatewayRecord>(),
      [&](const InternetGatewayRecord& gateway) { return gateway.vpc == vpc.id; });
  std::string main_table;
  std::map<SubnetId, std::string> table_of;
  for (const RouteTableRecord& table : in_vpc<RouteTableRecord>(state, vpc.id)) {
    host::RouteTableSpec& made = spec.route_tables.emplace_back(table.id.value);
    for (const RouteRecord& route : table.routes) {
      made.routes.push_back(route_spec(state, vpc.id, route));
    }
    if (table.is_main()) main_table = table.id.value;
    for (const RouteTableAssociationRecord& association : table.associations) {
      if (association.subnet.has_value()) table_of[*association.subnet] = table.id.value;
    }
  }
  for (const SubnetRecord& subnet : in_vpc<SubnetRecord>(state, vpc.id)) {
    const auto found = table_of.find(subnet.id);
    spec.subnets.push_back({subnet.id.value, subnet.cidr,
                            found == table_of.end() ? main_table : found->second,
                            subnet.network_acl.value});
  }
  for (const auto& group : in_vpc<SecurityGroupRecord>(state, vpc.id)) {
    spec.security_groups.push_back(group_spec(group));
  }
  for (const auto& acl : in_vpc<NetworkAclRecord>(state, vpc.id)) {
    spec.network_acls.push_back(acl_spec(acl));
  }
  for (const auto& record : in_vpc<NetworkInterfaceRecord>(state, vpc.id)) {
    if (!in_use(state, record)) continue;
    const host::InterfaceSpec made = interface_spec(state, record);
    add_names(region, vpc, record, made, spec.dns_names);
    spec.interfaces.push_back(made);
  }
  for (const auto& gateway : in_vpc<NatGatewayRecord>(state, vpc.id)) {
    if (!is_live(gateway)) continue;
    spec.nat_gateways.push_back(
        {gateway.id.value, gateway.subnet.value, gateway.address, gateway.public_address});
  }
  return spec;
}

}  // namespace terrarium::ec2
