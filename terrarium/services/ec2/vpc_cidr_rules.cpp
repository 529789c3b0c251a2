#include "terrarium/services/ec2/vpc_cidr_rules.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/cidr.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/vpc_rules.h"

namespace terrarium::ec2 {
namespace {

// RFC 1918's: a VPC of one takes no range of another.
constexpr std::array<std::string_view, 3> kPrivateRanges{"10.0.0.0/8", "172.16.0.0/12",
                                                         "192.168.0.0/16"};

// Empty: of none.
std::string_view private_range_of(const Cidr& cidr) {
  const auto found = std::ranges::find_if(kPrivateRanges, [&cidr](std::string_view range) {
    return Cidr::parse(range)->contains(cidr);
  });
  return found == kPrivateRanges.end() ? std::string_view() : *found;
}

base::Error wrong_range(const Cidr& cidr, std::string_view why) {
  return base::fail(errors::kInvalidVpcRange, "The CIDR '" + cidr.text() + "' " + std::string(why))
      .error();
}

base::Result<void> check_besides(const State& state, const VpcRecord& vpc, const Cidr& cidr) {
  if (vpc.cidrs.size() >= kVpcCidrsMax) {
    return base::fail(
        errors::kCidrLimitExceeded,
        "This network '" + vpc.id.value +
            "' has met its maximum number of allowed CIDRs: " + std::to_string(kVpcCidrsMax));
  }
  for (const CidrAssociationRecord& own : vpc.cidrs) {
    if (Cidr::parse(own.cidr)->overlaps(cidr)) {
      return std::unexpected(
          wrong_range(cidr, "conflicts with the CIDR '" + own.cidr + "' of the same VPC."));
    }
  }
  const std::string_view home = private_range_of(*Cidr::parse(vpc.cidr()));
  const std::string_view wanted = private_range_of(cidr);
  if (!home.empty() && !wanted.empty() && home != wanted) {
    return std::unexpected(
        wrong_range(cidr,
                    "is restricted. Use a CIDR from the same private address range as the "
                    "current VPC CIDR, or use a publicly-routable CIDR."));
  }
  for (const RouteTableRecord& table : state.all<RouteTableRecord>()) {
    if (table.vpc != vpc.id) continue;
    for (const RouteRecord& route : table.routes) {
      const auto destination = Cidr::parse(route.destination);
      if (destination.has_value() && cidr.contains(*destination)) {
        return std::unexpected(wrong_range(cidr, "is the same as or larger than the destination '" +
                                                     route.destination + "' of a route."));
      }
    }
  }
  return {};
}

std::vector<RouteTableRecord> tables_of(const State& state, const VpcId& vpc) {
  std::vector<RouteTableRecord> tables;
  for (const RouteTableRecord& table : state.all<RouteTableRecord>()) {
    if (table.vpc == vpc) tables.push_back(table);
  }
  return tables;
}

VpcCidrBlockAssociation view(const CidrAssociationRecord& association, std::string state) {
  return {.association_id = association.id.value,
          .cidr_block = association.cidr,
          .cidr_block_state = VpcCidrBlockState{.state = std::move(state)}};
}

bool has_subnet_in(const State& state, const VpcId& vpc, const Cidr& cidr) {
  return std::ranges::any_of(state.all<SubnetRecord>(), [&](const SubnetRecord& subnet) {
    return subnet.vpc == vpc && cidr.contains(*Cidr::parse(subnet.cidr));
  });
}

}  // namespace

base::Result<AssociateVpcCidrBlockResult> associate_vpc_cidr_block(
    Transaction& transaction, const AssociateVpcCidrBlockRequest& request) {
  const State& state = transaction.state();
  TRY_VOID(refuse(
      {{"AmazonProvidedIpv6CidrBlock", request.amazon_provided_ipv6_cidr_block.value_or(false)},
       {"Ipv6CidrBlockNetworkBorderGroup",
        request.ipv6_cidr_block_network_border_group.has_value()},
       {"Ipv6Pool", request.ipv6_pool.has_value()},
       {"Ipv6CidrBlock", request.ipv6_cidr_block.has_value()},
       {"Ipv4IpamPoolId", request.ipv4_ipam_pool_id.has_value()},
       {"Ipv4NetmaskLength", request.ipv4_netmask_length.has_value()},
       {"Ipv6IpamPoolId", request.ipv6_ipam_pool_id.has_value()},
       {"Ipv6NetmaskLength", request.ipv6_netmask_length.has_value()}}));
  TRY(const VpcRecord* const found, require<VpcRecord>(state, request.vpc_id));
  TRY(const Cidr cidr, check_vpc_cidr(request.cidr_block));
  TRY_VOID(check_besides(state, *found, cidr));
  VpcRecord vpc = *found;
  vpc.cidrs.push_back({new_id<VpcCidrAssociationId>(transaction.random()), cidr.text()});
  for (RouteTableRecord& table : tables_of(state, vpc.id)) {
    table.routes.push_back({cidr.text(), RouteTarget::Local, {}, true});
    transaction.put(std::move(table));
  }
  AssociateVpcCidrBlockResult result{
      .cidr_block_association = view(vpc.cidrs.back(), "associating"), .vpc_id = vpc.id.value};
  transaction.put(std::move(vpc));
  return result;
}

base::Result<DisassociateVpcCidrBlockResult> disassociate_vpc_cidr_block(
    Transaction& transaction, const DisassociateVpcCidrBlockRequest& request) {
  const State& state = transaction.state();
  const VpcCidrAssociationId id(request.association_id);
  const auto all = state.all<VpcRecord>();
  const auto found = std::ranges::find_if(all, [&id](const VpcRecord& one) {
    return std::ranges::find(one.cidrs, id, &CidrAssociationRecord::id) != one.cidrs.end();
  });
  if (found == all.end()) {
    return base::fail(errors::kInvalidVpcCidrBlockAssociationIDNotFound,
                      "The vpc CIDR block association ID '" + id.value + "' does not exist");
  }
  VpcRecord vpc = *found;
  if (vpc.cidrs.front().id == id) {
    return base::fail(errors::kOperationNotPermitted,
                      "The vpc CIDR block with association ID " + id.value +
                          " may not be disassociated. It is the primary IPv4 CIDR block of the "
                          "VPC");
  }
  const auto place = std::ranges::find(vpc.cidrs, id, &CidrAssociationRecord::id);
  const CidrAssociationRecord association = *place;
  if (has_subnet_in(state, vpc.id, *Cidr::parse(association.cidr))) {
    return base::fail(errors::kInvalidCidrInUse, "The vpc " + vpc.id.value +
                                                     " currently has a subnet within CIDR block " +
                                                     association.cidr);
  }
  vpc.cidrs.erase(place);
  for (RouteTableRecord& table : tables_of(state, vpc.id)) {
    std::erase_if(table.routes, [&association](const RouteRecord& route) {
      return route.target == RouteTarget::Local && route.destination == association.cidr;
    });
    transaction.put(std::move(table));
  }
  DisassociateVpcCidrBlockResult result{
      .cidr_block_association = view(association, "disassociating"), .vpc_id = vpc.id.value};
  transaction.put(std::move(vpc));
  return result;
}

}  // namespace terrarium::ec2
