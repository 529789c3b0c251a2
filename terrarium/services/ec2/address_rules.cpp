#include "terrarium/services/ec2/address_rules.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/address_pool.h"
#include "terrarium/services/ec2/gateway_rules.h"
#include "terrarium/services/ec2/network_plan.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

using Field = FilterField<AddressRecord>;

constexpr std::string_view kPublicPool = "amazon";

const NetworkInterfaceRecord* interface_of(const State& state, const AddressRecord& address) {
  return address.network_interface.has_value()
             ? state.find<NetworkInterfaceRecord>(*address.network_interface)
             : nullptr;
}

std::string instance_of(const State& state, const AddressRecord& address) {
  const NetworkInterfaceRecord* const found = interface_of(state, address);
  if (found == nullptr || !found->attachment.has_value()) return {};
  return found->attachment->instance.value_or(InstanceId()).value;
}

Address view(const State& state, const AddressRecord& address, const Scene& scene) {
  Address out{.public_ip = address.public_address,
              .allocation_id = address.id.value,
              .domain = "vpc",
              .tags = tag_list(address.tags),
              .public_ipv4_pool = std::string(kPublicPool),
              .network_border_group = scene.region};
  if (!address.association.has_value()) return out;
  out.association_id = address.association->value;
  out.private_ip_address = address.private_address;
  if (address.network_interface.has_value()) {
    out.network_interface_id = address.network_interface->value;
    out.network_interface_owner_id = scene.account;
  }
  const std::string instance = instance_of(state, address);
  if (!instance.empty()) out.instance_id = instance;
  return out;
}

FilterValues unless_empty(const std::string& text) {
  return text.empty() ? FilterValues{} : FilterValues{text};
}

constexpr std::array kFilters{
    Field{"allocation-id",
          [](const State&, const AddressRecord& one) { return FilterValues{one.id.value}; }},
    Field{"association-id",
          [](const State&, const AddressRecord& one) {
            return unless_empty(one.association.value_or(AddressAssociationId()).value);
          }},
    Field{"domain", [](const State&, const AddressRecord&) { return FilterValues{"vpc"}; }},
    Field{"instance-id",
          [](const State& state, const AddressRecord& one) {
            return unless_empty(instance_of(state, one));
          }},
    Field{"network-interface-id",
          [](const State&, const AddressRecord& one) {
            return unless_empty(one.network_interface.value_or(NetworkInterfaceId()).value);
          }},
    Field{"private-ip-address",
          [](const State&, const AddressRecord& one) { return unless_empty(one.private_address); }},
    Field{"public-ip",
          [](const State&, const AddressRecord& one) { return FilterValues{one.public_address}; }},
};

base::Result<const AddressRecord*> find_public(const State& state, const std::string& address) {
  for (const AddressRecord& one : state.all<AddressRecord>()) {
    if (one.public_address == address) return &one;
  }
  return base::fail(errors::kInvalidAddressNotFound, "Address '" + address + "' not found.");
}

// A request names an address by one of the two.
base::Result<const AddressRecord*> named(const State& state,
                                         const std::optional<std::string>& allocation,
                                         const std::optional<std::string>& address) {
  if (allocation.has_value() && address.has_value()) {
    return base::fail(errors::kInvalidParameterCombination,
                      "You may specify public IP or allocation id, but not both in the same call");
  }
  if (allocation.has_value()) return require<AddressRecord>(state, *allocation);
  if (address.has_value()) return find_public(state, *address);
  return std::unexpected(missing("AllocationId"));
}

// The interface that an address is to be associated with.
base::Result<NetworkInterfaceId> choose_interface(const State& state,
                                                  const AssociateAddressRequest& request) {
  if (request.instance_id.has_value() && request.network_interface_id.has_value()) {
    return base::fail(errors::kInvalidParameterCombination,
                      "You may specify an instance ID or a network interface ID, but not both.");
  }
  if (request.network_interface_id.has_value()) {
    TRY(const auto* const found,
        require<NetworkInterfaceRecord>(state, *request.network_interface_id));
    return found->id;
  }
  if (!request.instance_id.has_value()) return std::unexpected(missing("InstanceId"));
  TRY(const InstanceRecord* const instance, require<InstanceRecord>(state, *request.instance_id));
  if (instance->network_interfaces.size() > 1) {
    return base::fail(errors::kInvalidParameterCombination,
                      "There are multiple interfaces attached to instance '" +
                          *request.instance_id +
                          "'. Please specify an interface ID for the operation instead.");
  }
  const bool ends = instance->state == InstanceStateName::ShuttingDown ||
                    instance->state == InstanceStateName::Terminated;
  if (ends || instance->network_interfaces.empty()) {
    return base::fail(
        errors::kIncorrectInstanceState,
        "The instance '" + *request.instance_id + "' is not in a valid state for this operation.");
  }
  return instance->network_interfaces.front();
}

base::Error already(const std::string& id, const AddressRecord& address) {
  return base::fail(errors::kResourceAlreadyAssociated,
                    "resource " + id + " is already associated with associate-id " +
                        address.association->value)
      .error();
}

// A NAT gateway's address stays with it.
base::Result<void> check_movable(const State& state, const AddressRecord& address) {
  const NetworkInterfaceRecord* const found = interface_of(state, address);
  if (found == nullptr || found->type != "nat_gateway") return {};
  return base::fail(errors::kOperationNotPermitted,
                    "The address " + address.public_address + " is in use by a NAT gateway.");
}

void clear(Transaction& transaction, AddressRecord address) {
  address.association.reset();
  address.network_interface.reset();
  address.private_address.clear();
  transaction.put(std::move(address));
}

// As on AWS, a running instance that was launched with a lent address gets one again when its
// elastic one goes; none when there is none left.
void lend_again(Transaction& transaction, const NetworkInterfaceId& id) {
  const auto* const found = transaction.find<NetworkInterfaceRecord>(id);
  if (found == nullptr || !in_use(transaction.state(), *found)) return;
  const InstanceRecord* const instance =
      transaction.find<InstanceRecord>(found->attachment->instance.value_or(InstanceId()));
  if (instance == nullptr || !instance->lends_public_address) return;
  auto address = free_public_address(transaction);
  if (!address.has_value()) return;
  NetworkInterfaceRecord lent = *found;
  lent.lent_public_address = *std::move(address);
  transaction.put(std::move(lent));
}

void disassociate(Transaction& transaction, const AddressRecord& address) {
  const std::optional<NetworkInterfaceId> id = address.network_interface;
  clear(transaction, address);
  if (id.has_value()) lend_again(transaction, *id);
}

// What the interface has besides goes: another elastic address, or a lent one.
base::Result<void> clear_interface(Transaction& transaction, const NetworkInterfaceRecord& found,
                                   const AddressRecord& address, bool reassociate) {
  std::optional<AddressRecord> other;
  for (const AddressRecord& one : transaction.state().all<AddressRecord>()) {
    if (one.network_interface == found.id && one.id != address.id) other = one;
  }
  if (other.has_value()) {
    if (!reassociate) return std::unexpected(already(found.id.value, *other));
    clear(transaction, *std::move(other));
  }
  if (found.lent_public_address.empty()) return {};
  NetworkInterfaceRecord changed = found;
  changed.lent_public_address.clear();
  transaction.put(std::move(changed));
  return {};
}

base::Result<void> check_border_group(const Scene& scene, const std::optional<std::string>& group) {
  if (!group.has_value() || *group == scene.region) return {};
  return std::unexpected(
      invalid_value(*group, "networkBorderGroup", "The region has one group, its own."));
}

}  // namespace

base::Result<AllocateAddressResult> allocate_address(Transaction& transaction,
                                                     const AllocateAddressRequest& request) {
  TRY_VOID(refuse({{"Address", request.address.has_value()},
                   {"PublicIpv4Pool", request.public_ipv4_pool.value_or("amazon") != kPublicPool},
                   {"CustomerOwnedIpv4Pool", request.customer_owned_ipv4_pool.has_value()}}));
  const Scene& scene = transaction.scene();
  TRY_VOID(check_border_group(scene, request.network_border_group));
  if (request.domain.value_or("vpc") != "vpc") {
    return std::unexpected(
        invalid_value(*request.domain, "domain", "Addresses are for use with VPCs."));
  }
  AddressRecord address{.id = new_id<AllocationId>(transaction.random())};
  TRY(address.tags, tags_for(request.tag_specifications, "elastic-ip"));
  if (transaction.state().count<AddressRecord>() >= kAddressesMax) {
    return base::fail(errors::kAddressLimitExceeded,
                      "The maximum number of addresses has been reached.");
  }
  TRY(address.public_address, free_public_address(transaction));
  transaction.put(address);
  return AllocateAddressResult{.public_ip = address.public_address,
                               .allocation_id = address.id.value,
                               .public_ipv4_pool = std::string(kPublicPool),
                               .network_border_group = scene.region,
                               .domain = "vpc"};
}

base::Result<DescribeAddressesResult> describe_addresses(const State& state, const Scene& scene,
                                                         const DescribeAddressesRequest& request) {
  std::vector<std::string> ids = request.allocation_ids.value_or(std::vector<std::string>{});
  for (const std::string& address : request.public_ips.value_or(std::vector<std::string>{})) {
    TRY(const AddressRecord* const found, find_public(state, address));
    ids.push_back(found->id.value);
  }
  const std::array shared{SharedValue{"network-border-group", scene.region},
                          SharedValue{"network-interface-owner-id", scene.account}};
  TRY(const auto page, select_shared<AddressRecord>(state, shared, std::optional(std::move(ids)),
                                                    request.filters, kFilters));
  DescribeAddressesResult result{.addresses = std::vector<Address>{}};
  for (const AddressRecord* address : page.records) {
    result.addresses->push_back(view(state, *address, scene));
  }
  return result;
}

base::Result<DescribeAddressesAttributeResult> describe_addresses_attribute(
    const State& state, const DescribeAddressesAttributeRequest& request) {
  const std::string attribute = request.attribute.value_or("domain-name");
  if (attribute != "domain-name") {
    return std::unexpected(invalid_value(attribute, "attribute", "Unknown attribute."));
  }
  TRY(const auto page, select<AddressRecord>(state, request.allocation_ids, {}, kFilters,
                                             {request.max_results, request.next_token}));
  DescribeAddressesAttributeResult result{.addresses = std::vector<AddressAttribute>{},
                                          .next_token = page.next_token};
  for (const AddressRecord* address : page.records) {
    result.addresses->push_back(
        {.public_ip = address->public_address, .allocation_id = address->id.value});
  }
  return result;
}

base::Result<AssociateAddressResult> associate_address(Transaction& transaction,
                                                       const AssociateAddressRequest& request) {
  const State& state = transaction.state();
  const bool reassociate = request.allow_reassociation.value_or(true);
  TRY(const AddressRecord* const found, named(state, request.allocation_id, request.public_ip));
  TRY(const NetworkInterfaceId id, choose_interface(state, request));
  const NetworkInterfaceRecord target = *state.find<NetworkInterfaceRecord>(id);
  if (target.type != "interface" || !target.requester.empty()) {
    return base::fail(errors::kOperationNotPermitted,
                      "You are not allowed to manage the interface " + id.value + ".");
  }
  if (request.private_ip_address.value_or(target.address) != target.address) {
    return std::unexpected(invalid_value(*request.private_ip_address, "privateIpAddress",
                                         "Only an interface's primary address is supported here."));
  }
  TRY_VOID(check_internet_access(state, target.vpc));
  AddressRecord address = *found;
  if (address.network_interface == id) {
    return AssociateAddressResult{.association_id = address.association->value};
  }
  TRY_VOID(check_movable(state, address));
  if (address.association.has_value() && !reassociate) {
    return std::unexpected(already(address.id.value, address));
  }
  TRY_VOID(clear_interface(transaction, target, address, reassociate));
  const std::optional<NetworkInterfaceId> before = address.network_interface;
  address.association = new_id<AddressAssociationId>(transaction.random());
  address.network_interface = id;
  address.private_address = target.address;
  AssociateAddressResult result{.association_id = address.association->value};
  transaction.put(std::move(address));
  if (before.has_value()) lend_again(transaction, *before);
  return result;
}

base::Result<wire::Empty> disassociate_address(Transaction& transaction,
                                               const DisassociateAddressRequest& request) {
  const AddressRecord* found = nullptr;
  if (request.association_id.has_value()) {
    for (const AddressRecord& one : transaction.state().all<AddressRecord>()) {
      if (one.association == AddressAssociationId(*request.association_id)) found = &one;
    }
    if (found == nullptr) {
      return base::fail(errors::kInvalidAssociationIDNotFound,
                        "The association ID '" + *request.association_id + "' does not exist");
    }
  } else if (request.public_ip.has_value()) {
    TRY(found, find_public(transaction.state(), *request.public_ip));
  } else {
    return std::unexpected(missing("AssociationId"));
  }
  TRY_VOID(check_movable(transaction.state(), *found));
  disassociate(transaction, *found);
  return wire::Empty{};
}

base::Result<wire::Empty> release_address(Transaction& transaction,
                                          const ReleaseAddressRequest& request) {
  TRY_VOID(check_border_group(transaction.scene(), request.network_border_group));
  TRY(const AddressRecord* const found,
      named(transaction.state(), request.allocation_id, request.public_ip));
  if (found->association.has_value()) {
    return base::fail(errors::kInvalidIPAddressInUse,
                      "Address " + found->public_address + " is in use.");
  }
  transaction.erase<AddressRecord>(found->id);
  return wire::Empty{};
}

}  // namespace terrarium::ec2
