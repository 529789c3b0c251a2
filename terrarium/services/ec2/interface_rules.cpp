#include "terrarium/services/ec2/interface_rules.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/address_pool.h"
#include "terrarium/services/ec2/interface_view.h"
#include "terrarium/services/ec2/launch_choices.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

using Record = NetworkInterfaceRecord;

constexpr std::size_t kDescriptionCharactersMax = 255;

std::vector<SecurityGroupId> default_groups(const State& state, const VpcId& vpc) {
  for (const SecurityGroupRecord& group : state.all<SecurityGroupRecord>()) {
    if (group.vpc == vpc && group.name == "default") return {group.id};
  }
  return {};
}

base::Result<void> check_description(const std::string& description) {
  if (description.size() <= kDescriptionCharactersMax) return {};
  return std::unexpected(
      invalid_value(description, "description", "The length must not be over 255 characters."));
}

// Whether a user may change it.
base::Result<void> check_own(const Record& record) {
  if (record.requester.empty() && record.type == "interface") return {};
  return base::fail(errors::kOperationNotPermitted,
                    "You do not have permission to manage the interface " + record.id.value +
                        ": it belongs to a service.");
}

struct Addresses {
  std::string primary;  // empty: any that is free
  std::vector<std::string> secondary;
  std::int32_t more = 0;  // any that are free
};

base::Result<Addresses> wanted_addresses(const CreateNetworkInterfaceRequest& request) {
  Addresses wanted{.primary = request.private_ip_address.value_or(""),
                   .more = request.secondary_private_ip_address_count.value_or(0)};
  for (const auto& one :
       request.private_ip_addresses.value_or(std::vector<PrivateIpAddressSpecification>{})) {
    if (!one.private_ip_address.has_value()) return std::unexpected(missing("PrivateIpAddress"));
    if (!one.primary.value_or(false)) {
      wanted.secondary.push_back(*one.private_ip_address);
    } else if (wanted.primary.empty()) {
      wanted.primary = *one.private_ip_address;
    } else {
      return base::fail(errors::kInvalidParameterCombination,
                        "Only one primary private IP address can be specified.");
    }
  }
  if (wanted.more < 0 || (wanted.more > 0 && !wanted.secondary.empty())) {
    return base::fail(errors::kInvalidParameterCombination,
                      "Secondary addresses are either named or counted.");
  }
  return wanted;
}

// Puts the record with `named` and `more` further secondary addresses. The last ones are new.
base::Result<Record> add_secondary(Transaction& transaction, Record record,
                                   const SubnetRecord& subnet,
                                   const std::vector<std::string>& named, std::int32_t more) {
  const auto count = named.size() + static_cast<std::size_t>(std::max(more, 0));
  if (record.secondary_addresses.size() + count > kSecondaryAddressesMax) {
    return base::fail(errors::kPrivateIpAddressLimitExceeded,
                      "Number of private addresses will exceed limit.");
  }
  transaction.put(record);
  for (std::size_t i = 0; i < count; ++i) {
    std::string address;
    if (i < named.size()) {
      TRY_VOID(check_private_address(transaction.state(), subnet, named[i]));
      address = named[i];
    } else {
      TRY(address, free_private_address(transaction, subnet));
    }
    record.secondary_addresses.push_back(std::move(address));
    transaction.put(record);
  }
  return record;
}

base::Result<void> refuse_of_create(const CreateNetworkInterfaceRequest& request) {
  const auto given = [](const std::optional<std::int32_t>& count) { return count.value_or(0) > 0; };
  return refuse({{"Ipv6AddressCount", given(request.ipv6_address_count)},
                 {"Ipv6Addresses", request.ipv6_addresses.has_value()},
                 {"Ipv4Prefixes", request.ipv4_prefixes.has_value()},
                 {"Ipv4PrefixCount", given(request.ipv4_prefix_count)},
                 {"Ipv6Prefixes", request.ipv6_prefixes.has_value()},
                 {"Ipv6PrefixCount", given(request.ipv6_prefix_count)},
                 {"InterfaceType", request.interface_type.value_or("interface") != "interface"}});
}

// The record that the token made; nothing when it is new.
base::Result<const Record*> made_before(const State& state,
                                        const CreateNetworkInterfaceRequest& request) {
  if (request.client_token.value_or("").empty()) return nullptr;
  for (const Record& record : state.all<Record>()) {
    if (record.client_token != *request.client_token) continue;
    if (record.subnet.value != request.subnet_id) {
      return base::fail(errors::kIdempotentParameterMismatch,
                        "The client token '" + *request.client_token +
                            "' was used before, with other parameters than now.");
    }
    return &record;
  }
  return nullptr;
}

base::Error unknown_attachment(const std::string& id) {
  if (!is_id_text(id, id_prefix(AttachmentId()))) {
    return base::fail(errors::kInvalidNetworkInterfaceAttachmentIdMalformed,
                      "Invalid id: \"" + id + "\"")
        .error();
  }
  return base::fail(errors::kInvalidAttachmentIDNotFound,
                    "The attachment ID '" + id + "' does not exist")
      .error();
}

base::Result<void> change_attachment(Record& record,
                                     const NetworkInterfaceAttachmentChanges& changes) {
  if (!changes.attachment_id.has_value()) return std::unexpected(missing("attachmentId"));
  if (!changes.delete_on_termination.has_value()) {
    return std::unexpected(missing("deleteOnTermination"));
  }
  if (!record.attachment.has_value() || record.attachment->id.value != *changes.attachment_id) {
    return std::unexpected(unknown_attachment(*changes.attachment_id));
  }
  record.attachment->delete_on_termination = *changes.delete_on_termination;
  return {};
}

base::Result<void> check_one_attribute(const ModifyNetworkInterfaceAttributeRequest& request) {
  TRY_VOID(refuse({{"EnaSrdSpecification", request.ena_srd_specification.has_value()}}));
  const std::array given{request.attachment.has_value(), request.description.has_value(),
                         request.groups.has_value(), request.source_dest_check.has_value()};
  const auto count = std::ranges::count(given, true);
  if (count == 0) return std::unexpected(missing("attribute"));
  if (count > 1) {
    return base::fail(errors::kInvalidParameterCombination,
                      "Fields for multiple attribute types specified");
  }
  return {};
}

}  // namespace

base::Result<CreateNetworkInterfaceResult> create_network_interface(
    Transaction& transaction, const CreateNetworkInterfaceRequest& request) {
  const State& state = transaction.state();
  TRY_VOID(refuse_of_create(request));
  TRY(const Record* const before, made_before(state, request));
  if (before != nullptr) {
    return CreateNetworkInterfaceResult{
        .network_interface = view(state, *before, transaction.scene()),
        .client_token = request.client_token};
  }
  TRY(const SubnetRecord* const found, require<SubnetRecord>(state, request.subnet_id));
  const SubnetRecord subnet = *found;
  TRY(const Addresses wanted, wanted_addresses(request));
  Record record{.id = new_id<NetworkInterfaceId>(transaction.random()),
                .vpc = subnet.vpc,
                .subnet = subnet.id,
                .mac = new_mac_address(transaction.random()),
                .description = request.description.value_or(""),
                .client_token = request.client_token.value_or("")};
  TRY_VOID(check_description(record.description));
  TRY(record.tags, tags_for(request.tag_specifications, "network-interface"));
  TRY(record.groups, choose_groups(state, subnet.vpc, subnet.id.value,
                                   request.groups.value_or(std::vector<std::string>{})));
  if (record.groups.empty()) record.groups = default_groups(state, subnet.vpc);
  if (wanted.primary.empty()) {
    TRY(record.address, free_private_address(transaction, subnet));
  } else {
    TRY_VOID(check_private_address(state, subnet, wanted.primary));
    record.address = wanted.primary;
  }
  TRY(record, add_secondary(transaction, std::move(record), subnet, wanted.secondary, wanted.more));
  CreateNetworkInterfaceResult result{.network_interface = view(state, record, transaction.scene()),
                                      .client_token = request.client_token};
  // AWS answers before it is done, and says then who asked.
  result.network_interface->status = "pending";
  result.network_interface->requester_id = transaction.scene().account;
  return result;
}

base::Result<DescribeNetworkInterfacesResult> describe_network_interfaces(
    const State& state, const Scene& scene, const DescribeNetworkInterfacesRequest& request) {
  const std::array shared{SharedValue{"owner-id", scene.account}};
  TRY(const auto page, select_shared<Record>(state, shared, request.network_interface_ids,
                                             request.filters, network_interface_filters(),
                                             {request.max_results, request.next_token}));
  DescribeNetworkInterfacesResult result{.network_interfaces = std::vector<NetworkInterface>{},
                                         .next_token = page.next_token};
  for (const Record* record : page.records) {
    result.network_interfaces->push_back(view(state, *record, scene));
  }
  return result;
}

base::Result<DescribeNetworkInterfaceAttributeResult> describe_network_interface_attribute(
    const State& state, const DescribeNetworkInterfaceAttributeRequest& request) {
  TRY(const Record* const record, require<Record>(state, request.network_interface_id));
  const std::string attribute = request.attribute.value_or("");
  DescribeNetworkInterfaceAttributeResult result{.network_interface_id = record->id.value};
  if (attribute == "description") {
    result.description = AttributeValue{record->description};
  } else if (attribute == "groupSet") {
    result.groups = groups_view(state, *record);
  } else if (attribute == "sourceDestCheck") {
    result.source_dest_check = AttributeBooleanValue{record->source_dest_check};
  } else if (attribute == "attachment") {
    result.attachment = attachment_view(*record);
  } else {
    return std::unexpected(invalid_value(attribute, "attribute", "Unknown attribute."));
  }
  return result;
}

base::Result<wire::Empty> modify_network_interface_attribute(
    Transaction& transaction, const ModifyNetworkInterfaceAttributeRequest& request) {
  TRY(const Record* const found,
      require<Record>(transaction.state(), request.network_interface_id));
  TRY_VOID(check_one_attribute(request));
  TRY_VOID(check_own(*found));
  Record record = *found;
  if (request.attachment.has_value()) TRY_VOID(change_attachment(record, *request.attachment));
  if (request.description.has_value()) {
    record.description = request.description->value.value_or("");
    TRY_VOID(check_description(record.description));
  }
  if (request.groups.has_value()) {
    TRY(record.groups,
        choose_groups(transaction.state(), record.vpc, record.subnet.value, *request.groups));
    if (record.groups.empty()) return std::unexpected(missing("groups"));
  }
  if (request.source_dest_check.has_value()) {
    if (!request.source_dest_check->value.has_value()) return std::unexpected(missing("value"));
    record.source_dest_check = *request.source_dest_check->value;
  }
  transaction.put(std::move(record));
  return wire::Empty{};
}

base::Result<AttachNetworkInterfaceResult> attach_network_interface(
    const State& state, const AttachNetworkInterfaceRequest& request) {
  TRY_VOID(require<Record>(state, request.network_interface_id));
  TRY_VOID(require<InstanceRecord>(state, request.instance_id));
  return base::fail(errors::kUnsupportedOperation,
                    "Network interfaces are attached when an instance is launched: attaching one "
                    "to an instance that exists is not supported here.");
}

base::Result<wire::Empty> detach_network_interface(const State& state,
                                                   const DetachNetworkInterfaceRequest& request) {
  for (const Record& record : state.all<Record>()) {
    if (!record.attachment.has_value() || record.attachment->id.value != request.attachment_id) {
      continue;
    }
    TRY_VOID(check_own(record));
    return base::fail(errors::kOperationNotPermitted,
                      "The network interface at device index 0 cannot be detached.");
  }
  return std::unexpected(unknown_attachment(request.attachment_id));
}

base::Result<wire::Empty> delete_network_interface(Transaction& transaction,
                                                   const DeleteNetworkInterfaceRequest& request) {
  TRY(const Record* const record,
      require<Record>(transaction.state(), request.network_interface_id));
  TRY_VOID(check_own(*record));
  if (record->attachment.has_value()) {
    return base::fail(
        errors::kInvalidParameterValue,
        "Network interface '" + request.network_interface_id + "' is currently in use.");
  }
  std::optional<AddressRecord> address;
  for (const AddressRecord& one : transaction.state().all<AddressRecord>()) {
    if (one.network_interface == record->id) address = one;
  }
  if (address.has_value()) {
    address->association.reset();
    address->network_interface.reset();
    address->private_address.clear();
    transaction.put(*std::move(address));
  }
  transaction.erase<Record>(record->id);
  return wire::Empty{};
}

base::Result<AssignPrivateIpAddressesResult> assign_private_ip_addresses(
    Transaction& transaction, const AssignPrivateIpAddressesRequest& request) {
  TRY_VOID(refuse({{"AllowReassignment", request.allow_reassignment.value_or(false)},
                   {"Ipv4Prefixes", request.ipv4_prefixes.has_value()},
                   {"Ipv4PrefixCount", request.ipv4_prefix_count.value_or(0) > 0}}));
  TRY(const Record* const found,
      require<Record>(transaction.state(), request.network_interface_id));
  TRY_VOID(check_own(*found));
  const auto named = request.private_ip_addresses.value_or(std::vector<std::string>{});
  const std::int32_t more = request.secondary_private_ip_address_count.value_or(0);
  if (named.empty() == (more <= 0)) {
    return base::fail(errors::kInvalidParameterCombination,
                      "The request must contain either privateIpAddresses or "
                      "secondaryPrivateIpAddressCount");
  }
  const Record record = *found;
  const SubnetRecord subnet = *transaction.find<SubnetRecord>(record.subnet);
  TRY(const Record changed, add_secondary(transaction, record, subnet, named, more));
  AssignPrivateIpAddressesResult result{
      .network_interface_id = record.id.value,
      .assigned_private_ip_addresses = std::vector<AssignedPrivateIpAddress>{}};
  for (std::size_t i = record.secondary_addresses.size(); i < changed.secondary_addresses.size();
       ++i) {
    result.assigned_private_ip_addresses->push_back({changed.secondary_addresses[i]});
  }
  return result;
}

base::Result<wire::Empty> unassign_private_ip_addresses(
    Transaction& transaction, const UnassignPrivateIpAddressesRequest& request) {
  TRY_VOID(refuse({{"Ipv4Prefixes", request.ipv4_prefixes.has_value()}}));
  TRY(const Record* const found,
      require<Record>(transaction.state(), request.network_interface_id));
  TRY_VOID(check_own(*found));
  if (!request.private_ip_addresses.has_value()) {
    return std::unexpected(missing("privateIpAddresses"));
  }
  Record record = *found;
  for (const std::string& address : *request.private_ip_addresses) {
    if (std::erase(record.secondary_addresses, address) == 0) {
      return base::fail(
          errors::kInvalidParameterValue,
          "Some of the specified addresses are not assigned to interface " + record.id.value);
    }
  }
  transaction.put(std::move(record));
  return wire::Empty{};
}

}  // namespace terrarium::ec2
