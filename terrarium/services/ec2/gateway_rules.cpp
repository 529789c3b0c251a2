#include "terrarium/services/ec2/gateway_rules.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/address_pool.h"
#include "terrarium/services/ec2/network_plan.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

constexpr std::size_t kClientTokenCharactersMax = 64;

InternetGateway view(const InternetGatewayRecord& gateway, const Scene& scene) {
  InternetGateway out{.attachments = std::vector<InternetGatewayAttachment>{},
                      .internet_gateway_id = gateway.id.value,
                      .owner_id = scene.account,
                      .tags = tag_list(gateway.tags)};
  if (gateway.vpc.has_value()) {
    // Not "attached": of internet gateways AWS says "available".
    out.attachments->push_back({.state = "available", .vpc_id = gateway.vpc->value});
  }
  return out;
}

constexpr std::array kInternetGatewayFilters{
    FilterField<InternetGatewayRecord>{"attachment.state",
                                       [](const State&, const InternetGatewayRecord& gateway) {
                                         return gateway.vpc.has_value() ? FilterValues{"available"}
                                                                        : FilterValues{};
                                       }},
    FilterField<InternetGatewayRecord>{"attachment.vpc-id",
                                       [](const State&, const InternetGatewayRecord& gateway) {
                                         return gateway.vpc.has_value()
                                                    ? FilterValues{gateway.vpc->value}
                                                    : FilterValues{};
                                       }},
    FilterField<InternetGatewayRecord>{"internet-gateway-id",
                                       [](const State&, const InternetGatewayRecord& gateway) {
                                         return FilterValues{gateway.id.value};
                                       }},
};

std::string_view state_text(NatGatewayState state) {
  switch (state) {
    case NatGatewayState::Pending: return "pending";
    case NatGatewayState::Available: return "available";
    case NatGatewayState::Deleting: return "deleting";
    case NatGatewayState::Deleted: return "deleted";
    case NatGatewayState::Failed: return "failed";
  }
  return "failed";
}

NatGateway view(const NatGatewayRecord& gateway) {
  NatGatewayAddress address{.network_interface_id = gateway.network_interface.value,
                            .private_ip = gateway.address,
                            .is_primary = true,
                            .status = "succeeded"};
  if (gateway.allocation.has_value()) address.allocation_id = gateway.allocation->value;
  if (gateway.association.has_value()) address.association_id = gateway.association->value;
  if (gateway.is_public) address.public_ip = gateway.public_address;
  NatGateway out{.create_time = gateway.created,
                 .delete_time = gateway.deleted,
                 .nat_gateway_addresses = std::vector{std::move(address)},
                 .nat_gateway_id = gateway.id.value,
                 .state = std::string(state_text(gateway.state)),
                 .subnet_id = gateway.subnet.value,
                 .vpc_id = gateway.vpc.value,
                 .tags = tag_list(gateway.tags),
                 .connectivity_type = gateway.is_public ? "public" : "private",
                 .availability_mode = "zonal"};
  return out;
}

constexpr std::array kNatGatewayFilters{
    FilterField<NatGatewayRecord>{"nat-gateway-id",
                                  [](const State&, const NatGatewayRecord& gateway) {
                                    return FilterValues{gateway.id.value};
                                  }},
    FilterField<NatGatewayRecord>{"state",
                                  [](const State&, const NatGatewayRecord& gateway) {
                                    return FilterValues{std::string(state_text(gateway.state))};
                                  }},
    FilterField<NatGatewayRecord>{"subnet-id",
                                  [](const State&, const NatGatewayRecord& gateway) {
                                    return FilterValues{gateway.subnet.value};
                                  }},
    FilterField<NatGatewayRecord>{"vpc-id",
                                  [](const State&, const NatGatewayRecord& gateway) {
                                    return FilterValues{gateway.vpc.value};
                                  }},
};

base::Error not_attached(const std::string& gateway, const std::string& vpc) {
  return base::fail(errors::kGatewayNotAttached,
                    "resource " + gateway + " is not attached to network " + vpc)
      .error();
}

base::Result<bool> wants_public(const CreateNatGatewayRequest& request) {
  const std::string type = request.connectivity_type.value_or("public");
  if (type != "public" && type != "private") {
    return std::unexpected(
        invalid_value(type, "connectivityType", "Valid values are public and private."));
  }
  if (type == "public" && !request.allocation_id.has_value()) {
    return std::unexpected(missing("AllocationId"));
  }
  if (type == "private" && request.allocation_id.has_value()) {
    return base::fail(errors::kInvalidParameterCombination,
                      "AllocationId is not allowed with the connectivity type private.");
  }
  return type == "public";
}

base::Result<const AddressRecord*> choose_address(const State& state, const VpcId& vpc,
                                                  const std::string& allocation) {
  TRY(const AddressRecord* const address, require<AddressRecord>(state, allocation));
  TRY_VOID(check_internet_access(state, vpc));
  if (address->association.has_value()) {
    return base::fail(errors::kResourceAlreadyAssociated,
                      "Elastic IP address [" + allocation + "] is already associated");
  }
  return address;
}

NetworkInterfaceRecord make_interface(Transaction& transaction, const NatGatewayRecord& gateway) {
  return {.id = gateway.network_interface,
          .vpc = gateway.vpc,
          .subnet = gateway.subnet,
          .mac = new_mac_address(transaction.random()),
          .address = gateway.address,
          .description = "Interface for NAT Gateway " + gateway.id.value,
          .type = "nat_gateway",
          .requester = "amazon-nat",
          .source_dest_check = false,
          .attachment =
              NetworkInterfaceAttachmentRecord{.id = new_id<AttachmentId>(transaction.random()),
                                               .instance_owner = "amazon-aws",
                                               .device_index = 1,
                                               .delete_on_termination = false,
                                               .time = transaction.now()}};
}

// Nothing when the token is new.
base::Result<const NatGatewayRecord*> made_before(const State& state,
                                                  const CreateNatGatewayRequest& request,
                                                  bool is_public) {
  const std::string token = request.client_token.value_or("");
  if (token.size() > kClientTokenCharactersMax) {
    return std::unexpected(
        invalid_value(token, "clientToken", "The length must not be over 64 characters."));
  }
  if (token.empty()) return nullptr;
  for (const NatGatewayRecord& gateway : state.all<NatGatewayRecord>()) {
    if (gateway.client_token != token) continue;
    const std::string allocation =
        gateway.allocation.has_value() ? gateway.allocation->value : std::string();
    if (gateway.subnet.value != request.subnet_id || gateway.is_public != is_public ||
        allocation != request.allocation_id.value_or("") ||
        request.private_ip_address.value_or(gateway.address) != gateway.address) {
      return base::fail(
          errors::kIdempotentParameterMismatch,
          "The client token '" + token + "' was used before, with other parameters than now.");
    }
    return &gateway;
  }
  return nullptr;
}

bool settled(const State& state, const NatGatewayRecord& gateway, const IsApplied& is_applied) {
  // A VPC that needs no network any more has none.
  return is_applied(gateway.vpc) || (!is_live(gateway) && !needs_network(state, gateway.vpc));
}

bool becomes_settled(const State& state, const NatGatewayRecord& gateway,
                     const IsApplied& is_applied) {
  const bool waits =
      gateway.state == NatGatewayState::Pending || gateway.state == NatGatewayState::Deleting;
  return waits && settled(state, gateway, is_applied);
}

bool is_forgotten(const NatGatewayRecord& gateway, base::Timestamp now) {
  return gateway.deleted.has_value() && now - *gateway.deleted > kDeletedNatGatewayKept;
}

}  // namespace

base::Result<void> check_internet_access(const State& state, const VpcId& vpc) {
  if (std::ranges::any_of(state.all<InternetGatewayRecord>(),
                          [&](const auto& gateway) { return gateway.vpc == vpc; })) {
    return {};
  }
  return base::fail(errors::kGatewayNotAttached,
                    "Network " + vpc.value + " is not attached to any internet gateway");
}

base::Result<CreateInternetGatewayResult> create_internet_gateway(
    Transaction& transaction, const CreateInternetGatewayRequest& request) {
  InternetGatewayRecord gateway{.id = new_id<InternetGatewayId>(transaction.random())};
  TRY(gateway.tags, tags_for(request.tag_specifications, "internet-gateway"));
  transaction.put(gateway);
  return CreateInternetGatewayResult{.internet_gateway = view(gateway, transaction.scene())};
}

base::Result<wire::Empty> attach_internet_gateway(Transaction& transaction,
                                                  const AttachInternetGatewayRequest& request) {
  const State& state = transaction.state();
  TRY(const auto* const found, require<InternetGatewayRecord>(state, request.internet_gateway_id));
  TRY(const VpcRecord* const vpc, require<VpcRecord>(state, request.vpc_id));
  if (found->vpc.has_value()) {
    return base::fail(
        errors::kResourceAlreadyAssociated,
        "resource " + found->id.value + " is already attached to network " + found->vpc->value);
  }
  if (check_internet_access(state, vpc->id).has_value()) {
    return base::fail(errors::kInvalidParameterValue,
                      "Network " + vpc->id.value + " already has an internet gateway attached");
  }
  InternetGatewayRecord gateway = *found;
  gateway.vpc = vpc->id;
  transaction.put(std::move(gateway));
  return wire::Empty{};
}

base::Result<DescribeInternetGatewaysResult> describe_internet_gateways(
    const State& state, const Scene& scene, const DescribeInternetGatewaysRequest& request) {
  const std::array shared{SharedValue{"owner-id", scene.account}};
  TRY(const auto page, select_shared<InternetGatewayRecord>(
                           state, shared, request.internet_gateway_ids, request.filters,
                           kInternetGatewayFilters, {request.max_results, request.next_token}));
  DescribeInternetGatewaysResult result{.internet_gateways = std::vector<InternetGateway>{},
                                        .next_token = page.next_token};
  for (const InternetGatewayRecord* gateway : page.records) {
    result.internet_gateways->push_back(view(*gateway, scene));
  }
  return result;
}

base::Result<wire::Empty> detach_internet_gateway(Transaction& transaction,
                                                  const DetachInternetGatewayRequest& request) {
  const State& state = transaction.state();
  TRY(const auto* const found, require<InternetGatewayRecord>(state, request.internet_gateway_id));
  TRY(const VpcRecord* const vpc, require<VpcRecord>(state, request.vpc_id));
  if (found->vpc != vpc->id) {
    return std::unexpected(not_attached(request.internet_gateway_id, request.vpc_id));
  }
  for (const auto& one : state.all<NetworkInterfaceRecord>()) {
    if (one.vpc == vpc->id && !public_address_of(state, one).empty()) {
      return base::fail(errors::kDependencyViolation,
                        "Network " + vpc->id.value +
                            " has some mapped public address(es). Please unmap those public "
                            "address(es) before detaching the gateway.");
    }
  }
  InternetGatewayRecord gateway = *found;
  gateway.vpc.reset();
  transaction.put(std::move(gateway));
  return wire::Empty{};
}

base::Result<wire::Empty> delete_internet_gateway(Transaction& transaction,
                                                  const DeleteInternetGatewayRequest& request) {
  TRY(const auto* const gateway,
      require<InternetGatewayRecord>(transaction.state(), request.internet_gateway_id));
  if (gateway->vpc.has_value()) {
    return std::unexpected(has_dependencies("internetGateway", request.internet_gateway_id));
  }
  transaction.erase<InternetGatewayRecord>(gateway->id);
  return wire::Empty{};
}

base::Result<CreateNatGatewayResult> create_nat_gateway(Transaction& transaction,
                                                        const CreateNatGatewayRequest& request) {
  const State& state = transaction.state();
  TRY_VOID(refuse({{"AvailabilityMode", request.availability_mode.value_or("zonal") != "zonal"}}));
  TRY(const bool is_public, wants_public(request));
  TRY(const NatGatewayRecord* const before, made_before(state, request, is_public));
  if (before != nullptr) {
    return CreateNatGatewayResult{.client_token = request.client_token,
                                  .nat_gateway = view(*before)};
  }
  TRY(const SubnetRecord* const subnet, require<SubnetRecord>(state, request.subnet_id));
  NatGatewayRecord gateway{.id = new_id<NatGatewayId>(transaction.random()),
                           .vpc = subnet->vpc,
                           .subnet = subnet->id,
                           .is_public = is_public,
                           .network_interface = new_id<NetworkInterfaceId>(transaction.random()),
                           .created = transaction.now(),
                           .client_token = request.client_token.value_or("")};
  TRY(gateway.tags, tags_for(request.tag_specifications, "natgateway"));
  if (request.private_ip_address.has_value()) {
    TRY_VOID(check_private_address(state, *subnet, *request.private_ip_address));
    gateway.address = *request.private_ip_address;
  } else {
    TRY(gateway.address, free_private_address(transaction, *subnet));
  }
  if (is_public) {
    TRY(const AddressRecord* const chosen,
        choose_address(state, subnet->vpc, *request.allocation_id));
    AddressRecord address = *chosen;
    address.association = new_id<AddressAssociationId>(transaction.random());
    address.network_interface = gateway.network_interface;
    address.private_address = gateway.address;
    gateway.allocation = address.id;
    gateway.association = address.association;
    gateway.public_address = address.public_address;
    transaction.put(std::move(address));
  }
  transaction.put(make_interface(transaction, gateway));
  transaction.put(gateway);
  return CreateNatGatewayResult{.client_token = request.client_token, .nat_gateway = view(gateway)};
}

base::Result<DescribeNatGatewaysResult> describe_nat_gateways(
    const State& state, const DescribeNatGatewaysRequest& request) {
  TRY(const auto page,
      select<NatGatewayRecord>(state, request.nat_gateway_ids, request.filter, kNatGatewayFilters,
                               {request.max_results, request.next_token}));
  DescribeNatGatewaysResult result{.nat_gateways = std::vector<NatGateway>{},
                                   .next_token = page.next_token};
  for (const NatGatewayRecord* gateway : page.records) {
    result.nat_gateways->push_back(view(*gateway));
  }
  return result;
}

base::Result<DeleteNatGatewayResult> delete_nat_gateway(Transaction& transaction,
                                                        const DeleteNatGatewayRequest& request) {
  TRY(const auto* const found,
      require<NatGatewayRecord>(transaction.state(), request.nat_gateway_id));
  if (!is_live(*found)) return DeleteNatGatewayResult{.nat_gateway_id = request.nat_gateway_id};
  NatGatewayRecord gateway = *found;
  gateway.state = NatGatewayState::Deleting;
  gateway.deleted = transaction.now();
  if (gateway.allocation.has_value()) {
    if (const auto* const held = transaction.find<AddressRecord>(*gateway.allocation)) {
      AddressRecord address = *held;
      address.association.reset();
      address.network_interface.reset();
      address.private_address.clear();
      transaction.put(std::move(address));
    }
  }
  transaction.erase<NetworkInterfaceRecord>(gateway.network_interface);
  transaction.put(std::move(gateway));
  return DeleteNatGatewayResult{.nat_gateway_id = request.nat_gateway_id};
}

bool nat_gateways_move(const State& state, base::Timestamp now, const IsApplied& is_applied) {
  return std::ranges::any_of(state.all<NatGatewayRecord>(), [&](const NatGatewayRecord& gateway) {
    return becomes_settled(state, gateway, is_applied) || is_forgotten(gateway, now);
  });
}

base::Result<wire::Empty> settle_nat_gateways(Transaction& transaction,
                                              const IsApplied& is_applied) {
  std::vector<NatGatewayRecord> changed;
  std::vector<NatGatewayId> forgotten;
  for (const NatGatewayRecord& gateway : transaction.state().all<NatGatewayRecord>()) {
    if (becomes_settled(transaction.state(), gateway, is_applied)) {
      changed.push_back(gateway);
      changed.back().state =
          is_live(gateway) ? NatGatewayState::Available : NatGatewayState::Deleted;
    } else if (is_forgotten(gateway, transaction.now())) {
      forgotten.push_back(gateway.id);
    }
  }
  for (NatGatewayRecord& gateway : changed) transaction.put(std::move(gateway));
  for (const NatGatewayId& id : forgotten) transaction.erase<NatGatewayRecord>(id);
  return wire::Empty{};
}

}  // namespace terrarium::ec2
