#include "terrarium/region/network_tree.h"

#include "terrarium/services/ec2/instance_view.h"
#include "terrarium/services/ec2/network_plan.h"

namespace terrarium::region {
namespace {

namespace json = boost::json;

std::string name_of(const ec2::Tags& tags) {
  const auto found = tags.find("Name");
  return found == tags.end() ? std::string() : found->second;
}

json::object instance_member(const ec2::State& state, const ec2::InstanceRecord& instance) {
  const ec2::NetworkInterfaceRecord* const primary = ec2::primary_interface(state, instance);
  const std::string public_address =
      primary == nullptr ? "" : ec2::public_address_of(state, *primary);
  return {{"instance", instance.id.value},
          {"name", name_of(instance.tags)},
          {"state", ec2::state_view(instance.state).name.value()},
          {"type", instance.type},
          {"private address", instance.private_address},
          {"public address", public_address}};
}

json::object interface_member(const ec2::State& state,
                              const ec2::NetworkInterfaceRecord& network_interface) {
  return {{"network interface", network_interface.id.value},
          {"description", network_interface.description},
          {"private address", network_interface.address},
          {"public address", ec2::public_address_of(state, network_interface)}};
}

bool is_instances_own(const ec2::NetworkInterfaceRecord& network_interface) {
  const auto& attachment = network_interface.attachment;
  return attachment.has_value() && attachment->instance.has_value();
}

json::object subnet_branch(const ec2::State& state, const ec2::SubnetRecord& subnet) {
  json::array members;
  for (const ec2::InstanceRecord& instance : state.all<ec2::InstanceRecord>()) {
    if (instance.subnet == subnet.id && instance.state != ec2::InstanceStateName::Terminated) {
      members.push_back(instance_member(state, instance));
    }
  }
  for (const auto& network_interface : state.all<ec2::NetworkInterfaceRecord>()) {
    if (network_interface.subnet == subnet.id && !is_instances_own(network_interface)) {
      members.push_back(interface_member(state, network_interface));
    }
  }
  return {{"subnet", subnet.id.value},
          {"name", name_of(subnet.tags)},
          {"range", subnet.cidr},
          {"zone", subnet.zone},
          {"members", std::move(members)}};
}

json::object vpc_branch(const std::string& region, const ec2::State& state,
                        const ec2::VpcRecord& vpc) {
  std::map<std::pair<std::string, std::string>, const ec2::SubnetRecord*> by_zone;
  for (const ec2::SubnetRecord& subnet : state.all<ec2::SubnetRecord>()) {
    if (subnet.vpc == vpc.id) by_zone[{subnet.zone, subnet.cidr}] = &subnet;
  }
  json::array subnets;
  for (const auto& [_, subnet] : by_zone) subnets.push_back(subnet_branch(state, *subnet));
  return {{"vpc", vpc.id.value},
          {"name", name_of(vpc.tags)},
          {"range", vpc.cidr()},
          {"region", region},
          {"subnets", std::move(subnets)}};
}

}  // namespace

json::array network_tree(const std::map<std::string, ec2::State, std::less<>>& states) {
  json::array tree;
  for (const auto& [region, state] : states) {
    for (const ec2::VpcRecord& vpc : state.all<ec2::VpcRecord>()) {
      if (vpc.is_default && !ec2::needs_network(state, vpc.id)) continue;
      tree.push_back(vpc_branch(region, state, vpc));
    }
  }
  return tree;
}

}  // namespace terrarium::region
