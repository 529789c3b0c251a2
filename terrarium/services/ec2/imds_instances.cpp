#include "terrarium/services/ec2/imds_instances.h"

#include <algorithm>

#include "lib/base/log.h"
#include "terrarium/services/ec2/instance_view.h"
#include "terrarium/services/ec2/launch_choices.h"
#include "terrarium/services/ec2/network_plan.h"
#include "terrarium/services/ec2/regions.h"

namespace terrarium::ec2 {
namespace {

struct Found {
  const State& state;
  const InstanceRecord& instance;
  const NetworkInterfaceRecord& primary;
  Place place;
};

std::vector<std::string> group_names(const State& state,
                                     const std::vector<SecurityGroupId>& groups) {
  std::vector<std::string> names;
  for (const GroupIdentifier& group : group_views(state, groups)) {
    names.push_back(group.group_name.value_or(""));
  }
  return names;
}

std::string private_name(const std::string& region, const std::string& address) {
  return private_host(address) + "." + private_domain(region);
}

// Empty without a public address, and in a VPC that names none.
std::string public_name(const Found& found, const std::string& address) {
  const VpcRecord* const vpc = found.state.find<VpcRecord>(found.instance.vpc);
  if (address.empty() || vpc == nullptr || !vpc->dns_hostnames) return "";
  return public_dns_name(found.place.region, address);
}

imds::InterfaceFacts interface_facts(const Found& found, const NetworkInterfaceRecord& record) {
  imds::InterfaceFacts out{
      .mac = record.mac,
      .interface_id = record.id.value,
      .device_number = record.attachment.has_value() ? record.attachment->device_index : 0,
      .local_hostname = private_name(found.place.region, record.address),
      .local_ipv4s = {record.address},
      .owner_id = found.place.account,
      .security_groups = group_names(found.state, record.groups),
      .subnet_id = record.subnet.value,
      .vpc_id = record.vpc.value};
  out.local_ipv4s.insert(out.local_ipv4s.end(), record.secondary_addresses.begin(),
                         record.secondary_addresses.end());
  const std::string address = public_address_of(found.state, record);
  out.public_hostname = public_name(found, address);
  if (!address.empty()) out.public_ipv4s.emplace(address, record.address);
  for (const SecurityGroupId& group : record.groups) out.security_group_ids.push_back(group.value);
  if (const auto* const subnet = found.state.find<SubnetRecord>(record.subnet)) {
    out.subnet_cidr = subnet->cidr;
  }
  if (const auto* const vpc = found.state.find<VpcRecord>(record.vpc)) {
    for (const CidrAssociationRecord& range : vpc->cidrs) out.vpc_cidrs.push_back(range.cidr);
  }
  return out;
}

imds::InstanceFacts instance_facts(const Found& found) {
  const InstanceRecord& instance = found.instance;
  imds::InstanceFacts out{
      .account = found.place.account,
      .region = found.place.region,
      .availability_zone = instance.zone,
      .availability_zone_id = zone_id(found.place.region, instance.zone).value_or(""),
      .instance_id = instance.id.value,
      .reservation_id = instance.reservation.value,
      .image_id = instance.image.value,
      .launch_index = instance.launch_index,
      .instance_type = instance.type,
      .root_device_name = std::string(kRootDevice),
      .pending_time = instance.launched,
      .detailed_monitoring = instance.detailed_monitoring,
      .local_hostname = private_name(found.place.region, found.primary.address),
      .local_ipv4 = found.primary.address,
      .public_ipv4 = public_address_of(found.state, found.primary),
      .mac = found.primary.mac,
      .security_groups = group_names(found.state, found.primary.groups),
      .key_name = instance.key_name,
      .public_key = instance.public_key,
      .tags = {instance.tags.begin(), instance.tags.end()},
      .options = {.endpoint_enabled = instance.metadata.endpoint_enabled,
                  .tokens_required = instance.metadata.tokens_required,
                  .tags_enabled = instance.metadata.instance_tags,
                  .hop_limit = instance.metadata.hop_limit}};
  out.public_hostname = public_name(found, out.public_ipv4);
  if (!instance.user_data.empty()) out.user_data = instance.user_data;
  for (const NetworkInterfaceId& id : instance.network_interfaces) {
    const auto* const record = found.state.find<NetworkInterfaceRecord>(id);
    if (record != nullptr) out.interfaces.push_back(interface_facts(found, *record));
  }
  return out;
}

// The role is looked up at every call: a profile may be given another.
std::optional<imds::ProfileFacts> profile_facts(const InstanceProfiles& profiles,
                                                const InstanceRecord& instance) {
  if (!instance.profile.has_value()) return {};
  const std::string& arn = instance.profile->profile_arn;
  imds::ProfileFacts out{arn, instance.profile->profile_id, ""};
  const auto facts = profiles.find(arn.substr(arn.rfind('/') + 1));
  if (!facts.has_value()) {
    base::log::warning("ec2", "profile {}: {}", arn, base::describe(facts.error()));
  } else if (facts->has_value()) {
    out.role_arn = (*facts)->role_arn;
  }
  return out;
}

const NetworkInterfaceRecord* speaker(const State& state, const VpcId& vpc,
                                      const std::string& address) {
  const auto all = state.all<NetworkInterfaceRecord>();
  const auto found = std::ranges::find_if(all, [&](const NetworkInterfaceRecord& one) {
    return one.vpc == vpc &&
           (one.address == address ||
            std::ranges::find(one.secondary_addresses, address) != one.secondary_addresses.end());
  });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

std::optional<imds::InstanceFacts> ImdsInstances::find(const std::string& vpc_id,
                                                       const std::string& source_address) const {
  const VpcId vpc(vpc_id);
  for (const auto& [region, state] : core_.states()) {
    if (state.find<VpcRecord>(vpc) == nullptr) continue;
    const NetworkInterfaceRecord* const who = speaker(state, vpc, source_address);
    if (who == nullptr || !who->attachment.has_value() || !who->attachment->instance) return {};
    const auto* const instance = state.find<InstanceRecord>(*who->attachment->instance);
    if (instance == nullptr) return {};
    const NetworkInterfaceRecord* const primary = primary_interface(state, *instance);
    if (primary == nullptr) return {};
    imds::InstanceFacts out =
        instance_facts({state, *instance, *primary, {region, core_.config().account}});
    out.profile = profile_facts(profiles_, *instance);
    return out;
  }
  return {};
}

}  // namespace terrarium::ec2
