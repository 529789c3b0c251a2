#include "terrarium/services/ec2/interface_view.h"

#include <array>

#include "lib/base/encoding.h"
#include "terrarium/services/ec2/network_plan.h"
#include "terrarium/services/ec2/regions.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

using Record = NetworkInterfaceRecord;
using Field = FilterField<Record>;

const AddressRecord* elastic_address(const State& state, const Record& record) {
  for (const AddressRecord& address : state.all<AddressRecord>()) {
    if (address.network_interface == record.id) return &address;
  }
  return nullptr;
}

std::string zone_of(const State& state, const Record& record) {
  const SubnetRecord* const subnet = state.find<SubnetRecord>(record.subnet);
  return subnet == nullptr ? std::string() : subnet->zone;
}

// A zone's name is its region's and a letter.
std::string region_of(const State& state, const Record& record) {
  const std::string zone = zone_of(state, record);
  return zone.empty() ? zone : zone.substr(0, zone.size() - 1);
}

bool has_host_names(const State& state, const Record& record) {
  const VpcRecord* const vpc = state.find<VpcRecord>(record.vpc);
  return vpc != nullptr && vpc->dns_hostnames;
}

std::string private_name(const State& state, const Record& record, const std::string& address) {
  return private_host(address) + "." + private_domain(region_of(state, record));
}

std::optional<NetworkInterfaceAssociation> association_view(const State& state,
                                                            const Record& record,
                                                            const std::string& account) {
  const std::string address = public_address_of(state, record);
  if (address.empty()) return {};
  const AddressRecord* const elastic = elastic_address(state, record);
  NetworkInterfaceAssociation out{.ip_owner_id = elastic == nullptr ? "amazon" : account,
                                  .public_ip = address};
  if (elastic != nullptr) {
    out.allocation_id = elastic->id.value;
    out.association_id = elastic->association->value;
  }
  if (has_host_names(state, record)) {
    out.public_dns_name = public_dns_name(region_of(state, record), address);
  }
  return out;
}

std::string_view status_of(const Record& record) {
  return record.attachment.has_value() ? "in-use" : "available";
}

FilterValues unless_empty(const std::string& text) {
  return text.empty() ? FilterValues{} : FilterValues{text};
}

FilterValues public_addresses(const State& state, const Record& record) {
  return unless_empty(public_address_of(state, record));
}

// Of interfaces that are attached.
template <class Value>
FilterValues of_attachment(const Record& record, Value value) {
  return record.attachment.has_value() ? unless_empty(value(*record.attachment)) : FilterValues{};
}

constexpr std::array kFilters{
    Field{"addresses.association.public-ip", public_addresses},
    Field{"addresses.primary",
          [](const State&, const Record& record) {
            return record.secondary_addresses.empty() ? FilterValues{"true"}
                                                      : FilterValues{"true", "false"};
          }},
    Field{"addresses.private-ip-address",
          [](const State&, const Record& record) {
            FilterValues values = record.secondary_addresses;
            values.push_back(record.address);
            return values;
          }},
    Field{"association.allocation-id",
          [](const State& state, const Record& record) {
            const AddressRecord* const elastic = elastic_address(state, record);
            return elastic == nullptr ? FilterValues{} : FilterValues{elastic->id.value};
          }},
    Field{"association.association-id",
          [](const State& state, const Record& record) {
            const AddressRecord* const elastic = elastic_address(state, record);
            return elastic == nullptr ? FilterValues{} : FilterValues{elastic->association->value};
          }},
    Field{"association.public-dns-name",
          [](const State& state, const Record& record) {
            const std::string address = public_address_of(state, record);
            if (address.empty() || !has_host_names(state, record)) return FilterValues{};
            return FilterValues{public_dns_name(region_of(state, record), address)};
          }},
    Field{"association.public-ip", public_addresses},
    Field{"attachment.attach-time",
          [](const State&, const Record& record) {
            return of_attachment(record, [](const auto& one) { return base::iso8601(one.time); });
          }},
    Field{"attachment.attachment-id",
          [](const State&, const Record& record) {
            return of_attachment(record, [](const auto& one) { return one.id.value; });
          }},
    Field{"attachment.delete-on-termination",
          [](const State&, const Record& record) {
            return of_attachment(
                record, [](const auto& one) { return filter_text(one.delete_on_termination); });
          }},
    Field{"attachment.device-index",
          [](const State&, const Record& record) {
            return of_attachment(record,
                                 [](const auto& one) { return std::to_string(one.device_index); });
          }},
    Field{"attachment.instance-id",
          [](const State&, const Record& record) {
            return of_attachment(
                record, [](const auto& one) { return one.instance.value_or(InstanceId()).value; });
          }},
    Field{"attachment.instance-owner-id",
          [](const State&, const Record& record) {
            return of_attachment(record, [](const auto& one) { return one.instance_owner; });
          }},
    Field{"attachment.status",
          [](const State&, const Record& record) {
            return of_attachment(record, [](const auto&) { return std::string("attached"); });
          }},
    Field{"availability-zone",
          [](const State& state, const Record& record) {
            return FilterValues{zone_of(state, record)};
          }},
    Field{"description",
          [](const State&, const Record& record) { return FilterValues{record.description}; }},
    Field{"group-id",
          [](const State&, const Record& record) {
            FilterValues values;
            for (const SecurityGroupId& id : record.groups) values.push_back(id.value);
            return values;
          }},
    Field{"group-name",
          [](const State& state, const Record& record) {
            FilterValues values;
            for (const GroupIdentifier& group : groups_view(state, record)) {
              values.push_back(group.group_name.value_or(""));
            }
            return values;
          }},
    Field{"interface-type",
          [](const State&, const Record& record) { return FilterValues{record.type}; }},
    Field{"ipv6-addresses.ipv6-address",
          [](const State&, const Record&) { return FilterValues{}; }},
    Field{"mac-address",
          [](const State&, const Record& record) { return FilterValues{record.mac}; }},
    Field{"network-interface-id",
          [](const State&, const Record& record) { return FilterValues{record.id.value}; }},
    Field{"private-dns-name",
          [](const State& state, const Record& record) {
            if (!has_host_names(state, record)) return FilterValues{};
            return FilterValues{private_name(state, record, record.address)};
          }},
    Field{"private-ip-address",
          [](const State&, const Record& record) { return FilterValues{record.address}; }},
    Field{"requester-id",
          [](const State&, const Record& record) { return unless_empty(record.requester); }},
    Field{"requester-managed",
          [](const State&, const Record& record) {
            return FilterValues{filter_text(!record.requester.empty())};
          }},
    Field{"source-dest-check",
          [](const State&, const Record& record) {
            return FilterValues{filter_text(record.source_dest_check)};
          }},
    Field{"status",
          [](const State&, const Record& record) {
            return FilterValues{std::string(status_of(record))};
          }},
    Field{"subnet-id",
          [](const State&, const Record& record) { return FilterValues{record.subnet.value}; }},
    Field{"vpc-id",
          [](const State&, const Record& record) { return FilterValues{record.vpc.value}; }},
};

std::vector<NetworkInterfacePrivateIpAddress> addresses_view(
    const State& state, const Record& record,
    const std::optional<NetworkInterfaceAssociation>& association) {
  std::vector<NetworkInterfacePrivateIpAddress> out{
      {.association = association, .primary = true, .private_ip_address = record.address}};
  for (const std::string& address : record.secondary_addresses) {
    out.push_back({.primary = false, .private_ip_address = address});
  }
  if (!has_host_names(state, record)) return out;
  for (auto& one : out) one.private_dns_name = private_name(state, record, *one.private_ip_address);
  return out;
}

}  // namespace

std::optional<NetworkInterfaceAttachment> attachment_view(const Record& record) {
  if (!record.attachment.has_value()) return {};
  const NetworkInterfaceAttachmentRecord& one = *record.attachment;
  NetworkInterfaceAttachment out{.attach_time = one.time,
                                 .attachment_id = one.id.value,
                                 .delete_on_termination = one.delete_on_termination,
                                 .device_index = one.device_index,
                                 .network_card_index = 0,
                                 .instance_owner_id = one.instance_owner,
                                 .status = "attached"};
  if (one.instance.has_value()) out.instance_id = one.instance->value;
  return out;
}

std::vector<GroupIdentifier> groups_view(const State& state, const Record& record) {
  std::vector<GroupIdentifier> out;
  for (const SecurityGroupId& id : record.groups) {
    const SecurityGroupRecord* const group = state.find<SecurityGroupRecord>(id);
    if (group != nullptr) out.push_back({.group_name = group->name, .group_id = id.value});
  }
  return out;
}

NetworkInterface view(const State& state, const Record& record, const Scene& scene) {
  const auto association = association_view(state, record, scene.account);
  NetworkInterface out{.association = association,
                       .attachment = attachment_view(record),
                       .availability_zone = zone_of(state, record),
                       .description = record.description,
                       .groups = groups_view(state, record),
                       .interface_type = record.type,
                       .ipv6_addresses = std::vector<NetworkInterfaceIpv6Address>{},
                       .mac_address = record.mac,
                       .network_interface_id = record.id.value,
                       .owner_id = scene.account,
                       .private_ip_address = record.address,
                       .private_ip_addresses = addresses_view(state, record, association),
                       .requester_managed = !record.requester.empty(),
                       .source_dest_check = record.source_dest_check,
                       .status = std::string(status_of(record)),
                       .subnet_id = record.subnet.value,
                       .tag_set = tag_list(record.tags),
                       .vpc_id = record.vpc.value};
  if (!record.requester.empty()) out.requester_id = record.requester;
  if (has_host_names(state, record)) {
    out.private_dns_name = private_name(state, record, record.address);
  }
  return out;
}

std::span<const Field> network_interface_filters() { return kFilters; }

}  // namespace terrarium::ec2
