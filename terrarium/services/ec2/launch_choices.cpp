#include "terrarium/services/ec2/launch_choices.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/address_pool.h"
#include "terrarium/services/ec2/instance_types.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/regions.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

constexpr std::array<std::string_view, 3> kTaggable{"instance", "volume", "network-interface"};

template <class T>
bool given(const std::optional<std::vector<T>>& list) {
  return list.has_value() && !list->empty();
}

base::Result<void> check_supported(const RunInstancesRequest& request) {
  const auto& cpu = request.cpu_options;
  const auto& reservation = request.capacity_reservation_specification;
  const auto& names = request.private_dns_name_options;
  const auto& maintenance = request.maintenance_options;
  return refuse(
      {{"Ipv6AddressCount", request.ipv6_address_count.value_or(0) > 0},
       {"Ipv6Address", given(request.ipv6_addresses)},
       {"KernelId", request.kernel_id.has_value()},
       {"RamdiskId", request.ramdisk_id.has_value()},
       {"AdditionalInfo", request.additional_info.has_value()},
       {"ElasticGpuSpecification", given(request.elastic_gpu_specification)},
       {"ElasticInferenceAccelerator", given(request.elastic_inference_accelerators)},
       {"InstanceMarketOptions", request.instance_market_options.has_value()},
       {"CpuOptions",
        cpu.has_value() && (cpu->core_count.has_value() || cpu->threads_per_core.has_value())},
       {"CapacityReservationSpecification.CapacityReservationPreference",
        reservation.has_value() &&
            reservation->capacity_reservation_preference.value_or("open") != "open"},
       {"CapacityReservationSpecification.CapacityReservationTarget",
        reservation.has_value() && reservation->capacity_reservation_target.has_value()},
       {"HibernationOptions.Configured",
        request.hibernation_options.has_value() &&
            request.hibernation_options->configured.value_or(false)},
       {"LicenseSpecification", given(request.license_specifications)},
       {"EnclaveOptions.Enabled",
        request.enclave_options.has_value() && request.enclave_options->enabled.value_or(false)},
       {"PrivateDnsNameOptions.HostnameType",
        names.has_value() && names->hostname_type.value_or("ip-name") != "ip-name"},
       {"PrivateDnsNameOptions.EnableResourceNameDnsARecord",
        names.has_value() && names->enable_resource_name_dns_a_record.value_or(false)},
       {"PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord",
        names.has_value() && names->enable_resource_name_dns_aaaa_record.value_or(false)},
       {"MaintenanceOptions.AutoRecovery",
        maintenance.has_value() && maintenance->auto_recovery.value_or("default") != "default"}});
}

base::Result<void> check_placement(const std::string& region, const Placement& placement) {
  TRY_VOID(
      refuse({{"Placement.Affinity", placement.affinity.has_value()},
              {"Placement.GroupName", !placement.group_name.value_or("").empty()},
              {"Placement.GroupId", !placement.group_id.value_or("").empty()},
              {"Placement.PartitionNumber", placement.partition_number.has_value()},
              {"Placement.HostId", placement.host_id.has_value()},
              {"Placement.Tenancy", placement.tenancy.value_or("default") != "default"},
              {"Placement.SpreadDomain", placement.spread_domain.has_value()},
              {"Placement.HostResourceGroupArn", placement.host_resource_group_arn.has_value()}}));
  const std::string zone = placement.availability_zone.value_or("");
  if (!zone.empty() && !zone_id(region, zone).has_value()) {
    return std::unexpected(invalid_value(zone, "availabilityZone", "Invalid availability zone."));
  }
  return {};
}

base::Result<void> check_interface(const InstanceNetworkInterfaceSpecification& one) {
  TRY_VOID(refuse({{"NetworkInterface.1.DeviceIndex", one.device_index.value_or(0) != 0},
                   {"NetworkInterface.1.NetworkCardIndex", one.network_card_index.value_or(0) != 0},
                   {"NetworkInterface.1.InterfaceType",
                    one.interface_type.value_or("interface") != "interface"},
                   {"NetworkInterface.1.Ipv6AddressCount", one.ipv6_address_count.value_or(0) > 0},
                   {"NetworkInterface.1.Ipv6Addresses", given(one.ipv6_addresses)},
                   {"NetworkInterface.1.SecondaryPrivateIpAddressCount",
                    one.secondary_private_ip_address_count.value_or(0) > 0},
                   {"NetworkInterface.1.AssociateCarrierIpAddress",
                    one.associate_carrier_ip_address.value_or(false)},
                   {"NetworkInterface.1.Ipv4Prefix", given(one.ipv4_prefixes)},
                   {"NetworkInterface.1.Ipv4PrefixCount", one.ipv4_prefix_count.value_or(0) > 0},
                   {"NetworkInterface.1.Ipv6Prefix", given(one.ipv6_prefixes)},
                   {"NetworkInterface.1.Ipv6PrefixCount", one.ipv6_prefix_count.value_or(0) > 0},
                   {"NetworkInterface.1.PrivateIpAddresses.2",
                    given(one.private_ip_addresses) && one.private_ip_addresses->size() > 1}}));
  const bool existing = one.network_interface_id.has_value();
  const bool describes_new = one.associate_public_ip_address.has_value() || given(one.groups) ||
                             one.subnet_id.has_value() || one.private_ip_address.has_value() ||
                             one.description.has_value() || given(one.private_ip_addresses);
  if (existing && describes_new) {
    return base::fail(errors::kInvalidParameterCombination,
                      "A network interface may not specify both a network interface ID and the "
                      "properties of a new interface");
  }
  return {};
}

base::Result<void> check_levels(const RunInstancesRequest& request) {
  const auto both = [](std::string_view what) {
    return base::fail(errors::kInvalidParameterCombination,
                      "Network interfaces and an instance-level " + std::string(what) +
                          " may not be specified on the same request");
  };
  if (request.subnet_id.has_value()) return both("subnet ID");
  if (given(request.security_group_ids) || given(request.security_groups)) {
    return both("security groups");
  }
  if (request.private_ip_address.has_value()) return both("private address");
  return {};
}

base::Result<const VpcRecord*> default_vpc(const State& state) {
  for (const VpcRecord& vpc : state.all<VpcRecord>()) {
    if (vpc.is_default) return &vpc;
  }
  return base::fail(errors::kVPCIdNotSpecified, "No default VPC for this user");
}

// The default subnet of the zone, or of the first zone that has room.
base::Result<const SubnetRecord*> default_subnet(const State& state, const std::string& zone,
                                                 std::int32_t count) {
  TRY(const VpcRecord* const vpc, default_vpc(state));
  std::vector<const SubnetRecord*> subnets;
  for (const SubnetRecord& subnet : state.all<SubnetRecord>()) {
    const bool fits = zone.empty() || subnet.zone == zone;
    if (subnet.vpc == vpc->id && subnet.is_default && fits) subnets.push_back(&subnet);
  }
  if (subnets.empty()) {
    return base::fail(errors::kMissingInput, "No subnets found for the default VPC '" +
                                                 vpc->id.value + "'. Please specify a subnet.");
  }
  std::ranges::sort(subnets, {}, [](const SubnetRecord* subnet) { return subnet->zone; });
  const auto roomy = std::ranges::find_if(subnets, [&](const SubnetRecord* subnet) {
    return free_addresses(state, *subnet) >= static_cast<std::uint32_t>(count);
  });
  return roomy == subnets.end() ? subnets.front() : *roomy;
}

base::Result<void> choose_subnet(const State& state, const RunInstancesRequest& request,
                                 const std::optional<std::string>& id, Launch& launch) {
  const std::string zone =
      request.placement.has_value() ? request.placement->availability_zone.value_or("") : "";
  if (!id.has_value()) {
    TRY(const SubnetRecord* const subnet, default_subnet(state, zone, launch.count_min));
    launch.subnet = *subnet;
    return {};
  }
  TRY(const SubnetRecord* const subnet, require<SubnetRecord>(state, *id));
  if (!zone.empty() && subnet->zone != zone) {
    return std::unexpected(invalid_value(zone, "availabilityZone",
                                         "The subnet '" + *id + "' is in " + subnet->zone + "."));
  }
  launch.subnet = *subnet;
  return {};
}

// Ids, names (of the default VPC's groups), or the VPC's own group.
base::Result<std::vector<SecurityGroupId>> groups_of(const State& state,
                                                     const RunInstancesRequest& request,
                                                     const SubnetRecord& subnet,
                                                     std::vector<std::string> ids) {
  if (given(request.security_groups)) {
    if (request.subnet_id.has_value() && !subnet.is_default) {
      return base::fail(errors::kInvalidParameterCombination,
                        "The parameter groupName cannot be used with the parameter subnet");
    }
    for (const std::string& name : *request.security_groups) {
      const auto all = state.all<SecurityGroupRecord>();
      const auto found = std::ranges::find_if(all, [&](const SecurityGroupRecord& group) {
        return group.vpc == subnet.vpc && group.name == name;
      });
      if (found == all.end()) {
        return base::fail(errors::kInvalidGroupNotFound, "The security group '" + name +
                                                             "' does not exist in default VPC '" +
                                                             subnet.vpc.value + "'");
      }
      ids.push_back((*found).id.value);
    }
  }
  if (ids.empty()) {
    for (const SecurityGroupRecord& group : state.all<SecurityGroupRecord>()) {
      if (group.vpc == subnet.vpc && group.name == "default") ids.push_back(group.id.value);
    }
  }
  return choose_groups(state, subnet.vpc, subnet.id.value, ids);
}

base::Result<void> choose_existing(const State& state, const std::string& id, Launch& launch) {
  TRY(const NetworkInterfaceRecord* const found, require<NetworkInterfaceRecord>(state, id));
  if (launch.count_max > 1) {
    return base::fail(errors::kInvalidParameterCombination,
                      "Only one instance can be launched with an existing network interface");
  }
  if (found->attachment.has_value() || !found->requester.empty()) {
    return base::fail(errors::kInvalidNetworkInterfaceInUse, "Interface: [" + id + "] in use.");
  }
  launch.existing_interface = found->id;
  launch.network_interface = *found;
  launch.subnet = *state.find<SubnetRecord>(found->subnet);
  return {};
}

base::Result<void> choose_network(const State& state, const RunInstancesRequest& request,
                                  Launch& launch) {
  const InstanceNetworkInterfaceSpecification none;
  const auto* one = &none;
  if (given(request.network_interfaces)) {
    TRY_VOID(refuse({{"NetworkInterface.2", request.network_interfaces->size() > 1}}));
    TRY_VOID(check_levels(request));
    one = &request.network_interfaces->front();
    TRY_VOID(check_interface(*one));
  }
  launch.delete_interface =
      one->delete_on_termination.value_or(!one->network_interface_id.has_value());
  if (one->network_interface_id.has_value()) {
    return choose_existing(state, *one->network_interface_id, launch);
  }
  TRY_VOID(
      choose_subnet(state, request, one == &none ? request.subnet_id : one->subnet_id, launch));
  const auto& ids = one == &none ? request.security_group_ids : one->groups;
  TRY(launch.network_interface.groups,
      groups_of(state, request, launch.subnet, ids.value_or(std::vector<std::string>{})));
  launch.network_interface.vpc = launch.subnet.vpc;
  launch.network_interface.subnet = launch.subnet.id;
  launch.network_interface.description = one->description.value_or("");
  launch.public_address =
      one->associate_public_ip_address.value_or(launch.subnet.map_public_ip_on_launch);
  const auto& address = one == &none ? request.private_ip_address : one->private_ip_address;
  launch.private_address = address.value_or("");
  if (given(one->private_ip_addresses)) {
    launch.private_address = one->private_ip_addresses->front().private_ip_address.value_or("");
  }
  if (!launch.private_address.empty() && launch.count_max > 1) {
    return base::fail(errors::kInvalidParameterCombination,
                      "Only one instance can be launched with a private address");
  }
  return {};
}

base::Result<void> choose_disk(const ImageRecord& image, const RunInstancesRequest& request,
                               Launch& launch) {
  launch.volume = {.gib = image.volume_gib, .snapshot = image.snapshot};
  launch.volume.zone = launch.subnet.zone;
  if (!given(request.block_device_mappings)) return {};
  TRY_VOID(refuse({{"BlockDeviceMapping.2", request.block_device_mappings->size() > 1}}));
  const BlockDeviceMapping& mapping = request.block_device_mappings->front();
  const std::string device = mapping.device_name.value_or("");
  if (device != kRootDevice) {
    return base::fail(errors::kUnsupportedOperation,
                      "Only the root device " + std::string(kRootDevice) +
                          " can be mapped here, not '" + device + "'.");
  }
  const EbsBlockDevice ebs = mapping.ebs.value_or(EbsBlockDevice{});
  TRY_VOID(refuse({{"BlockDeviceMapping.1.VirtualName", mapping.virtual_name.has_value()},
                   {"BlockDeviceMapping.1.NoDevice", mapping.no_device.has_value()},
                   {"BlockDeviceMapping.1.Ebs.Encrypted", ebs.encrypted.value_or(false)},
                   {"BlockDeviceMapping.1.Ebs.KmsKeyId", ebs.kms_key_id.has_value()},
                   {"BlockDeviceMapping.1.Ebs.OutpostArn", ebs.outpost_arn.has_value()},
                   {"BlockDeviceMapping.1.Ebs.SnapshotId",
                    ebs.snapshot_id.has_value() && *ebs.snapshot_id != image.snapshot.value},
                   // The disk lies on its image's layers, and goes with the instance.
                   {"BlockDeviceMapping.1.Ebs.DeleteOnTermination=false",
                    !ebs.delete_on_termination.value_or(true)}}));
  if (ebs.volume_size.has_value() && *ebs.volume_size < image.volume_gib) {
    return base::fail(errors::kInvalidBlockDeviceMapping,
                      "Volume of size " + std::to_string(*ebs.volume_size) +
                          "GB is smaller than snapshot '" + image.snapshot.value +
                          "', expect size >= " + std::to_string(image.volume_gib) + "GB");
  }
  TRY(launch.volume,
      change_volume(launch.volume, {ebs.volume_size, ebs.volume_type, ebs.iops, ebs.throughput}));
  return {};
}

base::Result<const ImageRecord*> choose_image(const State& state,
                                              const RunInstancesRequest& request) {
  if (!request.image_id.has_value()) return std::unexpected(missing("ImageId"));
  TRY(const ImageRecord* const image, require<ImageRecord>(state, *request.image_id));
  if (image->state == ImageState::Deregistered) {
    return std::unexpected(unknown_id(noun_of<ImageRecord>(), *request.image_id));
  }
  if (image->state != ImageState::Available) {
    return base::fail(errors::kInvalidAMIIDUnavailable,
                      "The image ID '" + *request.image_id + "' is not available");
  }
  return image;
}

base::Result<void> choose_counts(const RunInstancesRequest& request, Launch& launch) {
  if (request.min_count < 1) {
    return std::unexpected(
        invalid_value(std::to_string(request.min_count), "minCount", "Must be greater than 0."));
  }
  if (request.max_count < request.min_count) {
    return std::unexpected(
        invalid_value(std::to_string(request.max_count), "maxCount", "Must be at least minCount."));
  }
  launch.count_min = request.min_count;
  launch.count_max = request.max_count;
  return {};
}

base::Result<void> choose_key(const State& state, const RunInstancesRequest& request,
                              InstanceRecord& instance) {
  if (!request.key_name.has_value() || request.key_name->empty()) return {};
  for (const KeyPairRecord& key : state.all<KeyPairRecord>()) {
    if (key.name != *request.key_name) continue;
    instance.key_name = key.name;
    instance.public_key = key.public_key;
    return {};
  }
  return base::fail(errors::kInvalidKeyPairNotFound,
                    "The key pair '" + *request.key_name + "' does not exist");
}

base::Result<void> choose_behaviour(const RunInstancesRequest& request,
                                    const InstanceProfiles& profiles, InstanceRecord& instance) {
  if (request.user_data.has_value()) {
    TRY(instance.user_data, decode_user_data(*request.user_data));
  }
  if (request.iam_instance_profile.has_value()) {
    TRY(instance.profile, choose_profile(profiles, *request.iam_instance_profile));
  }
  if (request.metadata_options.has_value()) {
    const InstanceMetadataOptionsRequest& options = *request.metadata_options;
    TRY(instance.metadata,
        change_metadata(
            {}, {options.http_tokens, options.http_put_response_hop_limit, options.http_endpoint,
                 options.http_protocol_ipv6, options.instance_metadata_tags}));
  }
  const InstanceType& type = *find_instance_type(instance.type);
  instance.unlimited_credits = type.is_burstable() && type.is_nitro();
  if (request.credit_specification.has_value()) {
    TRY(instance.unlimited_credits,
        choose_unlimited(instance.type, request.credit_specification->cpu_credits));
  }
  if (request.instance_initiated_shutdown_behavior.has_value()) {
    TRY(instance.terminate_on_shutdown,
        choose_shutdown(*request.instance_initiated_shutdown_behavior));
  }
  instance.detailed_monitoring = request.monitoring.has_value() && request.monitoring->enabled;
  instance.disable_api_termination = request.disable_api_termination.value_or(false);
  instance.disable_api_stop = request.disable_api_stop.value_or(false);
  instance.ebs_optimized = request.ebs_optimized.value_or(false);
  return {};
}

}  // namespace

base::Result<Launch> choose_launch(const State& state, const std::string& region,
                                   const LaunchRequest& launch_request,
                                   const InstanceProfiles& profiles) {
  const RunInstancesRequest& request = launch_request.request;
  Launch launch;
  TRY_VOID(check_supported(request));
  if (request.placement.has_value()) TRY_VOID(check_placement(region, *request.placement));
  TRY_VOID(choose_counts(request, launch));
  TRY(const ImageRecord* const image, choose_image(state, request));
  InstanceRecord& instance = launch.instance;
  instance.image = image->id;
  instance.layers = image->layers;
  instance.type = request.instance_type.value_or(std::string(kDefaultInstanceType));
  if (find_instance_type(instance.type) == nullptr) {
    return base::fail(errors::kInvalidParameterValue,
                      "Invalid value '" + instance.type + "' for InstanceType.");
  }
  TRY_VOID(choose_key(state, request, instance));
  TRY_VOID(choose_network(state, request, launch));
  TRY_VOID(choose_disk(*image, request, launch));
  TRY_VOID(choose_behaviour(request, profiles, instance));
  instance.vpc = launch.subnet.vpc;
  instance.subnet = launch.subnet.id;
  instance.zone = launch.subnet.zone;
  const auto& tags = request.tag_specifications;
  TRY(instance.tags, tags_for(tags, "instance", kTaggable));
  TRY(launch.volume.tags, tags_for(tags, "volume", kTaggable));
  if (!launch.existing_interface.has_value()) {
    TRY(launch.network_interface.tags, tags_for(tags, "network-interface", kTaggable));
  }
  return launch;
}

}  // namespace terrarium::ec2
