#include "terrarium/services/ec2/instance_view.h"

#include <map>

#include "terrarium/services/ec2/instance_types.h"
#include "terrarium/services/ec2/launch_choices.h"
#include "terrarium/services/ec2/network_plan.h"
#include "terrarium/services/ec2/regions.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

std::string private_name(const std::string& region, const std::string& address) {
  return private_host(address) + "." + private_domain(region);
}

std::optional<InstanceNetworkInterfaceAssociation> association_view(
    const State& state, const NetworkInterfaceRecord& record, const Place& place) {
  const std::string address = public_address_of(state, record);
  if (address.empty()) return {};
  const VpcRecord* const vpc = state.find<VpcRecord>(record.vpc);
  const bool named = vpc != nullptr && vpc->dns_hostnames;
  return InstanceNetworkInterfaceAssociation{
      .ip_owner_id = record.lent_public_address == address ? "amazon" : place.account,
      .public_dns_name = named ? public_dns_name(place.region, address) : "",
      .public_ip = address};
}

InstanceNetworkInterface interface_view(const State& state, const NetworkInterfaceRecord& record,
                                        const Place& place) {
  InstanceNetworkInterface out{.association = association_view(state, record, place),
                               .description = record.description,
                               .groups = group_views(state, record.groups),
                               .ipv6_addresses = std::vector<InstanceIpv6Address>{},
                               .mac_address = record.mac,
                               .network_interface_id = record.id.value,
                               .owner_id = place.account,
                               .private_dns_name = private_name(place.region, record.address),
                               .private_ip_address = record.address,
                               .source_dest_check = record.source_dest_check,
                               .status = "in-use",
                               .subnet_id = record.subnet.value,
                               .vpc_id = record.vpc.value,
                               .interface_type = record.type};
  if (record.attachment.has_value()) {
    out.attachment = InstanceNetworkInterfaceAttachment{
        .attach_time = record.attachment->time,
        .attachment_id = record.attachment->id.value,
        .delete_on_termination = record.attachment->delete_on_termination,
        .device_index = record.attachment->device_index,
        .status = "attached",
        .network_card_index = 0};
  }
  auto& addresses = out.private_ip_addresses.emplace();
  addresses.push_back({.association = out.association,
                       .primary = true,
                       .private_dns_name = out.private_dns_name,
                       .private_ip_address = record.address});
  for (const std::string& address : record.secondary_addresses) {
    addresses.push_back({.primary = false,
                         .private_dns_name = private_name(place.region, address),
                         .private_ip_address = address});
  }
  return out;
}

// What AWS says of every instance here alike.
void add_constants(const InstanceRecord& instance, Instance& out) {
  out.product_codes = std::vector<ProductCode>{};
  out.architecture = "x86_64";
  out.ena_support = true;
  out.root_device_name = std::string(kRootDevice);
  out.root_device_type = "ebs";
  out.virtualization_type = "hvm";
  out.capacity_reservation_specification =
      CapacityReservationSpecificationResponse{.capacity_reservation_preference = "open"};
  out.hibernation_options = HibernationOptions{.configured = false};
  out.enclave_options = EnclaveOptions{.enabled = false};
  out.platform_details = "Linux/UNIX";
  out.usage_operation = "RunInstances";
  out.usage_operation_update_time = instance.launched;
  out.private_dns_name_options =
      PrivateDnsNameOptionsResponse{.hostname_type = "ip-name",
                                    .enable_resource_name_dns_a_record = false,
                                    .enable_resource_name_dns_aaaa_record = false};
  out.current_instance_boot_mode = "legacy-bios";
  out.maintenance_options = InstanceMaintenanceOptions{.auto_recovery = "default"};
}

void add_type(const InstanceRecord& instance, Instance& out) {
  out.instance_type = instance.type;
  const InstanceType* const type = find_instance_type(instance.type);
  if (type == nullptr) return;
  out.hypervisor = "xen";  // AWS says so of Nitro too
  out.cpu_options = CpuOptions{.core_count = type->vcpus / type->threads_per_core,
                               .threads_per_core = type->threads_per_core};
}

// A terminated instance has no network any more, and AWS shows none.
void add_network(const State& state, const InstanceRecord& instance, const Place& place,
                 Instance& out) {
  out.private_dns_name = "";
  out.public_dns_name = "";
  out.network_interfaces.emplace();
  out.security_groups.emplace();
  const NetworkInterfaceRecord* const primary = primary_interface(state, instance);
  if (primary == nullptr) return;
  out.vpc_id = instance.vpc.value;
  out.subnet_id = instance.subnet.value;
  out.private_ip_address = primary->address;
  out.private_dns_name = private_name(place.region, primary->address);
  out.source_dest_check = primary->source_dest_check;
  out.security_groups = group_views(state, primary->groups);
  if (const auto association = association_view(state, *primary, place)) {
    out.public_ip_address = association->public_ip;
    out.public_dns_name = association->public_dns_name;
  }
  for (const NetworkInterfaceId& id : instance.network_interfaces) {
    const auto* const record = state.find<NetworkInterfaceRecord>(id);
    if (record != nullptr) {
      out.network_interfaces->push_back(interface_view(state, *record, place));
    }
  }
}

}  // namespace

InstanceState state_view(InstanceStateName state) {
  switch (state) {
    case InstanceStateName::Pending: return {0, "pending"};
    case InstanceStateName::Running: return {16, "running"};
    case InstanceStateName::ShuttingDown: return {32, "shutting-down"};
    case InstanceStateName::Terminated: return {48, "terminated"};
    case InstanceStateName::Stopping: return {64, "stopping"};
    case InstanceStateName::Stopped: return {80, "stopped"};
  }
  return {};
}

InstanceMetadataOptionsResponse metadata_view(const MetadataOptionsRecord& options) {
  return {.state = "applied",
          .http_tokens = options.tokens_required ? "required" : "optional",
          .http_put_response_hop_limit = options.hop_limit,
          .http_endpoint = options.endpoint_enabled ? "enabled" : "disabled",
          .http_protocol_ipv6 = "disabled",
          .instance_metadata_tags = options.instance_tags ? "enabled" : "disabled"};
}

std::vector<GroupIdentifier> group_views(const State& state,
                                         const std::vector<SecurityGroupId>& groups) {
  std::vector<GroupIdentifier> out;
  for (const SecurityGroupId& id : groups) {
    const auto* const group = state.find<SecurityGroupRecord>(id);
    out.push_back({.group_name = group == nullptr ? "" : group->name, .group_id = id.value});
  }
  return out;
}

std::string region_of(const InstanceRecord& instance) {
  return instance.zone.substr(0, instance.zone.empty() ? 0 : instance.zone.size() - 1);
}

const NetworkInterfaceRecord* primary_interface(const State& state,
                                                const InstanceRecord& instance) {
  if (instance.network_interfaces.empty()) return nullptr;
  return state.find<NetworkInterfaceRecord>(instance.network_interfaces.front());
}

std::vector<InstanceBlockDeviceMapping> device_views(const State& state,
                                                     const InstanceRecord& instance) {
  const VolumeRecord* const volume = state.find<VolumeRecord>(instance.volume);
  if (volume == nullptr) return {};
  return {{.device_name = volume->device,
           .ebs = EbsInstanceBlockDevice{.attach_time = volume->created,
                                         .delete_on_termination = volume->delete_on_termination,
                                         .status = "attached",
                                         .volume_id = volume->id.value}}};
}

Instance view(const State& state, const InstanceRecord& instance, const Place& place) {
  Instance out{.ami_launch_index = instance.launch_index,
               .image_id = instance.image.value,
               .instance_id = instance.id.value,
               .launch_time = instance.launched,
               .monitoring = Monitoring{instance.detailed_monitoring ? "enabled" : "disabled"},
               .placement = Placement{.availability_zone = instance.zone,
                                      .group_name = "",
                                      .tenancy = instance.tenancy},
               .state = state_view(instance.state),
               .state_transition_reason = instance.state_transition_reason,
               .block_device_mappings = device_views(state, instance),
               .client_token = instance.client_token,
               .ebs_optimized = instance.ebs_optimized,
               .tags = tag_list(instance.tags),
               .metadata_options = metadata_view(instance.metadata)};
  if (!instance.key_name.empty()) out.key_name = instance.key_name;
  if (instance.profile.has_value()) {
    out.iam_instance_profile =
        IamInstanceProfile{instance.profile->profile_arn, instance.profile->profile_id};
  }
  if (instance.state_reason.has_value()) {
    out.state_reason = StateReason{instance.state_reason->code, instance.state_reason->message};
  }
  if (instance.state == InstanceStateName::Pending) {
    out.state_reason = StateReason{"pending", "pending"};
    out.metadata_options->state = "pending";
  }
  add_constants(instance, out);
  add_type(instance, out);
  add_network(state, instance, place, out);
  return out;
}

std::vector<Reservation> reservation_views(const State& state,
                                           const std::vector<const InstanceRecord*>& instances,
                                           const Place& place) {
  std::vector<Reservation> out;
  std::map<ReservationId, std::size_t> index;
  for (const InstanceRecord* instance : instances) {
    const auto [found, is_new] = index.try_emplace(instance->reservation, out.size());
    if (is_new) {
      Reservation& made = out.emplace_back();
      made.reservation_id = instance->reservation.value;
      made.owner_id = place.account;
      made.groups.emplace();
      made.instances.emplace();
      if (!instance->requester.empty()) made.requester_id = instance->requester;
    }
    out[found->second].instances->push_back(view(state, *instance, place));
  }
  return out;
}

}  // namespace terrarium::ec2
