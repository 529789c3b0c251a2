// The filters of DescribeInstances. Source: DescribeInstances, Amazon EC2 API Reference.
#include <array>

#include "lib/base/encoding.h"
#include "terrarium/services/ec2/instance_view.h"
#include "terrarium/services/ec2/launch_choices.h"
#include "terrarium/services/ec2/network_plan.h"
#include "terrarium/services/ec2/regions.h"

namespace terrarium::ec2 {
namespace {

using Field = FilterField<InstanceRecord>;

// One of its values, from every network interface of an instance.
template <class Value>
FilterValues each_interface(const State& state, const InstanceRecord& instance, Value value) {
  FilterValues values;
  for (const NetworkInterfaceId& id : instance.network_interfaces) {
    const auto* const record = state.find<NetworkInterfaceRecord>(id);
    if (record != nullptr) value(*record, values);
  }
  return values;
}

FilterValues public_addresses(const State& state, const InstanceRecord& instance) {
  return each_interface(state, instance, [&](const NetworkInterfaceRecord& one, FilterValues& to) {
    const std::string address = public_address_of(state, one);
    if (!address.empty()) to.push_back(address);
  });
}
FilterValues public_names(const State& state, const InstanceRecord& instance) {
  FilterValues values = public_addresses(state, instance);
  for (std::string& value : values) value = public_dns_name(region_of(instance), value);
  return values;
}
FilterValues private_addresses(const State& state, const InstanceRecord& instance) {
  return each_interface(state, instance, [](const NetworkInterfaceRecord& one, FilterValues& to) {
    to.push_back(one.address);
    to.insert(to.end(), one.secondary_addresses.begin(), one.secondary_addresses.end());
  });
}
FilterValues private_names(const State& state, const InstanceRecord& instance) {
  const std::string region = region_of(instance);
  return each_interface(state, instance, [&](const NetworkInterfaceRecord& one, FilterValues& to) {
    to.push_back(private_host(one.address) + "." + private_domain(region));
  });
}
FilterValues group_ids(const State& state, const InstanceRecord& instance) {
  return each_interface(state, instance, [](const NetworkInterfaceRecord& one, FilterValues& to) {
    for (const SecurityGroupId& id : one.groups) to.push_back(id.value);
  });
}
FilterValues group_names(const State& state, const InstanceRecord& instance) {
  return each_interface(state, instance, [&](const NetworkInterfaceRecord& one, FilterValues& to) {
    for (const GroupIdentifier& group : group_views(state, one.groups)) {
      to.push_back(group.group_name.value_or(""));
    }
  });
}
FilterValues interface_ids(const State&, const InstanceRecord& instance) {
  FilterValues values;
  for (const NetworkInterfaceId& id : instance.network_interfaces) values.push_back(id.value);
  return values;
}
template <class Text>
FilterValues each_attachment(const State& state, const InstanceRecord& instance, Text text) {
  return each_interface(state, instance, [&](const NetworkInterfaceRecord& one, FilterValues& to) {
    if (one.attachment.has_value()) to.push_back(text(*one.attachment));
  });
}
FilterValues source_dest_checks(const State& state, const InstanceRecord& instance) {
  return each_interface(state, instance, [](const NetworkInterfaceRecord& one, FilterValues& to) {
    to.push_back(filter_text(one.source_dest_check));
  });
}
FilterValues primaries(const State& state, const InstanceRecord& instance) {
  return each_interface(state, instance, [](const NetworkInterfaceRecord& one, FilterValues& to) {
    to.push_back("true");
    if (!one.secondary_addresses.empty()) to.push_back("false");
  });
}
FilterValues attach_times(const State& state, const InstanceRecord& instance) {
  const auto* const volume = state.find<VolumeRecord>(instance.volume);
  return volume == nullptr ? FilterValues{} : FilterValues{base::iso8601(volume->created)};
}
// What no instance here has: elastic hosts, reservations, kernels, IPv6.
FilterValues nothing(const State&, const InstanceRecord&) { return {}; }
FilterValues some(std::string text) {
  return text.empty() ? FilterValues{} : FilterValues{std::move(text)};
}
// What a terminated instance has no more.
FilterValues while_alive(const InstanceRecord& instance, const std::string& text) {
  return instance.state == InstanceStateName::Terminated ? FilterValues{} : FilterValues{text};
}

#define EC2_INSTANCE_FILTER(name, expression)                                                     \
  Field {                                                                                         \
    name, [](const State&, [[maybe_unused]] const InstanceRecord& one) -> FilterValues expression \
  }

constexpr std::array kInstanceFilters{
    EC2_INSTANCE_FILTER("instance-id", { return {one.id.value}; }),
    EC2_INSTANCE_FILTER("instance-state-name", { return {*state_view(one.state).name}; }),
    EC2_INSTANCE_FILTER("instance-state-code",
                        { return {std::to_string(*state_view(one.state).code)}; }),
    EC2_INSTANCE_FILTER("instance-type", { return {one.type}; }),
    EC2_INSTANCE_FILTER("image-id", { return {one.image.value}; }),
    EC2_INSTANCE_FILTER("vpc-id", { return while_alive(one, one.vpc.value); }),
    EC2_INSTANCE_FILTER("subnet-id", { return while_alive(one, one.subnet.value); }),
    EC2_INSTANCE_FILTER("availability-zone", { return {one.zone}; }),
    EC2_INSTANCE_FILTER("key-name", { return some(one.key_name); }),
    EC2_INSTANCE_FILTER("reservation-id", { return {one.reservation.value}; }),
    EC2_INSTANCE_FILTER("requester-id", { return some(one.requester); }),
    EC2_INSTANCE_FILTER("client-token", { return some(one.client_token); }),
    EC2_INSTANCE_FILTER("launch-index", { return {std::to_string(one.launch_index)}; }),
    EC2_INSTANCE_FILTER("launch-time", { return {base::iso8601(one.launched)}; }),
    EC2_INSTANCE_FILTER("reason", { return some(one.state_transition_reason); }),
    EC2_INSTANCE_FILTER("state-reason-code",
                        {
                          return one.state_reason.has_value() ? FilterValues{one.state_reason->code}
                                                              : FilterValues{};
                        }),
    EC2_INSTANCE_FILTER("monitoring-state",
                        { return {one.detailed_monitoring ? "enabled" : "disabled"}; }),
    EC2_INSTANCE_FILTER("tenancy", { return {one.tenancy}; }),
    EC2_INSTANCE_FILTER("placement-group-name", { return {}; }),
    EC2_INSTANCE_FILTER("instance-lifecycle", { return {}; }),
    EC2_INSTANCE_FILTER("platform", { return {}; }),
    EC2_INSTANCE_FILTER("platform-details", { return {"Linux/UNIX"}; }),
    EC2_INSTANCE_FILTER("architecture", { return {"x86_64"}; }),
    EC2_INSTANCE_FILTER("hypervisor", { return {"xen"}; }),
    EC2_INSTANCE_FILTER("virtualization-type", { return {"hvm"}; }),
    EC2_INSTANCE_FILTER("root-device-type", { return {"ebs"}; }),
    EC2_INSTANCE_FILTER("root-device-name", { return {std::string(kRootDevice)}; }),
    EC2_INSTANCE_FILTER("usage-operation", { return {"RunInstances"}; }),
    EC2_INSTANCE_FILTER("iam-instance-profile.arn",
                        {
                          return one.profile.has_value() ? FilterValues{one.profile->profile_arn}
                                                         : FilterValues{};
                        }),
    EC2_INSTANCE_FILTER("iam-instance-profile.id",
                        {
                          return one.profile.has_value() ? FilterValues{one.profile->profile_id}
                                                         : FilterValues{};
                        }),
    EC2_INSTANCE_FILTER("iam-instance-profile.name",
                        {
                          if (!one.profile.has_value()) return {};
                          const std::string& arn = one.profile->profile_arn;
                          return {arn.substr(arn.rfind('/') + 1)};
                        }),
    EC2_INSTANCE_FILTER("ebs-optimized", { return {filter_text(one.ebs_optimized)}; }),
    EC2_INSTANCE_FILTER("hibernation-options.configured", { return {"false"}; }),
    EC2_INSTANCE_FILTER("enclave-options.enabled", { return {"false"}; }),
    EC2_INSTANCE_FILTER("maintenance-options.auto-recovery", { return {"default"}; }),
    EC2_INSTANCE_FILTER("current-instance-boot-mode", { return {"legacy-bios"}; }),
    EC2_INSTANCE_FILTER("private-dns-name-options.hostname-type", { return {"ip-name"}; }),
    EC2_INSTANCE_FILTER("private-dns-name-options.enable-resource-name-dns-a-record",
                        { return {"false"}; }),
    EC2_INSTANCE_FILTER("private-dns-name-options.enable-resource-name-dns-aaaa-record",
                        { return {"false"}; }),
    EC2_INSTANCE_FILTER("state-reason-message",
                        {
                          return one.state_reason.has_value()
                                     ? FilterValues{one.state_reason->message}
                                     : FilterValues{};
                        }),
    EC2_INSTANCE_FILTER("metadata-options.state",
                        {
                          const bool pending = one.state == InstanceStateName::Pending;
                          return {pending ? "pending" : "applied"};
                        }),
    EC2_INSTANCE_FILTER("metadata-options.instance-metadata-tags",
                        { return {*metadata_view(one.metadata).instance_metadata_tags}; }),
    EC2_INSTANCE_FILTER("metadata-options.http-tokens",
                        { return {*metadata_view(one.metadata).http_tokens}; }),
    EC2_INSTANCE_FILTER("metadata-options.http-endpoint",
                        { return {*metadata_view(one.metadata).http_endpoint}; }),
    EC2_INSTANCE_FILTER("metadata-options.http-put-response-hop-limit",
                        { return {std::to_string(one.metadata.hop_limit)}; }),
    EC2_INSTANCE_FILTER("block-device-mapping.device-name",
                        { return while_alive(one, std::string(kRootDevice)); }),
    EC2_INSTANCE_FILTER("block-device-mapping.status", { return while_alive(one, "attached"); }),
    EC2_INSTANCE_FILTER("block-device-mapping.volume-id",
                        { return while_alive(one, one.volume.value); }),
    EC2_INSTANCE_FILTER("block-device-mapping.delete-on-termination",
                        { return while_alive(one, "true"); }),
    Field{"block-device-mapping.attach-time", attach_times},
    Field{"affinity", nothing},
    Field{"boot-mode", nothing},
    Field{"capacity-reservation-id", nothing},
    Field{"capacity-reservation-specification.capacity-reservation-preference",
          [](const State&, const InstanceRecord&) { return FilterValues{"open"}; }},
    Field{"host-id", nothing},
    Field{"ipv6-address", nothing},
    Field{"kernel-id", nothing},
    Field{"network-interface.ipv6-addresses.ipv6-address", nothing},
    Field{"outpost-arn", nothing},
    Field{"placement-partition-number", nothing},
    Field{"product-code", nothing},
    Field{"product-code.type", nothing},
    Field{"ramdisk-id", nothing},
    Field{"spot-instance-request-id", nothing},
    Field{"tpm-support", nothing},
    Field{"source-dest-check", source_dest_checks},
    Field{"private-ip-address", private_addresses},
    Field{"private-dns-name", private_names},
    Field{"ip-address", public_addresses},
    Field{"dns-name", public_names},
    Field{"group-id", group_ids},
    Field{"instance.group-id", group_ids},
    Field{"group-name", group_names},
    Field{"instance.group-name", group_names},
    Field{"network-interface.network-interface-id", interface_ids},
    Field{"network-interface.group-id", group_ids},
    Field{"network-interface.group-name", group_names},
    Field{"network-interface.addresses.private-ip-address", private_addresses},
    Field{"network-interface.addresses.association.public-ip", public_addresses},
    Field{"network-interface.association.public-ip", public_addresses},
    Field{"network-interface.association.public-dns-name", public_names},
    Field{"network-interface.private-dns-name", private_names},
    Field{"network-interface.private-ip-address", private_addresses},
    Field{"network-interface.addresses.primary", primaries},
    Field{"network-interface.source-dest-check", source_dest_checks},
    Field{"network-interface.requester-id", nothing},
    Field{"network-interface.description",
          [](const State& state, const InstanceRecord& instance) {
            return each_interface(state, instance, [](const auto& one, FilterValues& to) {
              to.push_back(one.description);
            });
          }},
    Field{"network-interface.mac-address",
          [](const State& state, const InstanceRecord& instance) {
            return each_interface(state, instance,
                                  [](const auto& one, FilterValues& to) { to.push_back(one.mac); });
          }},
    Field{"network-interface.requester-managed",
          [](const State& state, const InstanceRecord& instance) {
            return each_interface(state, instance, [](const auto&, FilterValues& to) {
              to.push_back(filter_text(false));
            });
          }},
    Field{"network-interface.status",
          [](const State& state, const InstanceRecord& instance) {
            return each_interface(state, instance,
                                  [](const auto&, FilterValues& to) { to.push_back("in-use"); });
          }},
    Field{"network-interface.attachment.attachment-id",
          [](const State& state, const InstanceRecord& instance) {
            return each_attachment(state, instance, [](const auto& one) { return one.id.value; });
          }},
    Field{"network-interface.attachment.instance-id",
          [](const State& state, const InstanceRecord& instance) {
            return each_attachment(state, instance, [&](const auto&) { return instance.id.value; });
          }},
    Field{"network-interface.attachment.instance-owner-id",
          [](const State& state, const InstanceRecord& instance) {
            return each_attachment(state, instance,
                                   [](const auto& one) { return one.instance_owner; });
          }},
    Field{"network-interface.attachment.device-index",
          [](const State& state, const InstanceRecord& instance) {
            return each_attachment(
                state, instance, [](const auto& one) { return std::to_string(one.device_index); });
          }},
    Field{"network-interface.attachment.delete-on-termination",
          [](const State& state, const InstanceRecord& instance) {
            return each_attachment(state, instance, [](const auto& one) {
              return std::string(filter_text(one.delete_on_termination));
            });
          }},
    Field{"network-interface.attachment.status",
          [](const State& state, const InstanceRecord& instance) {
            return each_attachment(state, instance,
                                   [](const auto&) { return std::string("attached"); });
          }},
    Field{"network-interface.attachment.attach-time",
          [](const State& state, const InstanceRecord& instance) {
            return each_attachment(state, instance,
                                   [](const auto& one) { return base::iso8601(one.time); });
          }},
    EC2_INSTANCE_FILTER("network-interface.subnet-id",
                        { return while_alive(one, one.subnet.value); }),
    EC2_INSTANCE_FILTER("network-interface.vpc-id", { return while_alive(one, one.vpc.value); }),
    EC2_INSTANCE_FILTER("network-interface.availability-zone", { return {one.zone}; }),
};
#undef EC2_INSTANCE_FILTER

}  // namespace

std::span<const FilterField<InstanceRecord>> instance_filters() { return kInstanceFilters; }

}  // namespace terrarium::ec2
