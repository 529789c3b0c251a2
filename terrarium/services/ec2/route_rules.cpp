#include "terrarium/services/ec2/route_rules.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/cidr.h"
#include "terrarium/services/ec2/network_plan.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

using Field = FilterField<RouteTableRecord>;

base::Error other_network(const RouteTableRecord& table, std::string_view noun,
                          const std::string& id) {
  return base::fail(errors::kInvalidParameterValue, "route table " + table.id.value + " and " +
                                                        std::string(noun) + " " + id +
                                                        " belong to different networks")
      .error();
}

base::Error unknown_gateway(const std::string& id) {
  return base::fail(errors::kInvalidGatewayIDNotFound, "The gateway ID '" + id + "' does not exist")
      .error();
}

base::Error unknown_route(const RouteTableRecord& table, const std::string& destination) {
  return base::fail(errors::kInvalidRouteNotFound, "no route with destination-cidr-block " +
                                                       destination + " in route table " +
                                                       table.id.value)
      .error();
}

// "active" or "blackhole".
std::string route_state(const State& state, const RouteTableRecord& table,
                        const RouteRecord& route) {
  const auto target = route_spec(state, table.vpc, route).target;
  return target == host::RouteSpec::Target::Blackhole ? "blackhole" : "active";
}

std::string origin(const RouteRecord& route) {
  return route.created_with_table ? "CreateRouteTable" : "CreateRoute";
}

Route route_view(const State& state, const RouteTableRecord& table, const RouteRecord& route,
                 const Scene& scene) {
  Route out{.destination_cidr_block = route.destination,
            .origin = origin(route),
            .state = route_state(state, table, route)};
  switch (route.target) {
    case RouteTarget::Local: out.gateway_id = "local"; break;
    case RouteTarget::InternetGateway: out.gateway_id = route.target_id; break;
    case RouteTarget::NatGateway: out.nat_gateway_id = route.target_id; break;
    case RouteTarget::NetworkInterface: {
      out.network_interface_id = route.target_id;
      const auto* const found =
          state.find<NetworkInterfaceRecord>(NetworkInterfaceId(route.target_id));
      if (found != nullptr && found->attachment.has_value() &&
          found->attachment->instance.has_value()) {
        out.instance_id = found->attachment->instance->value;
        out.instance_owner_id = scene.account;
      }
      break;
    }
    case RouteTarget::Instance: {
      out.instance_id = route.target_id;
      out.instance_owner_id = scene.account;
      const auto* const found = state.find<InstanceRecord>(InstanceId(route.target_id));
      if (found != nullptr && !found->network_interfaces.empty()) {
        out.network_interface_id = found->network_interfaces.front().value;
      }
      break;
    }
  }
  return out;
}

RouteTable view(const State& state, const RouteTableRecord& table, const Scene& scene) {
  RouteTable out{.associations = std::vector<RouteTableAssociation>{},
                 .propagating_vgws = std::vector<PropagatingVgw>{},
                 .route_table_id = table.id.value,
                 .routes = std::vector<Route>{},
                 .tags = tag_list(table.tags),
                 .vpc_id = table.vpc.value,
                 .owner_id = scene.account};
  for (const RouteTableAssociationRecord& one : table.associations) {
    RouteTableAssociation shown{
        .main = !one.subnet.has_value(),
        .route_table_association_id = one.id.value,
        .route_table_id = table.id.value,
        .association_state = RouteTableAssociationState{.state = "associated"}};
    if (one.subnet.has_value()) shown.subnet_id = one.subnet->value;
    out.associations->push_back(std::move(shown));
  }
  for (const RouteRecord& route : table.routes) {
    out.routes->push_back(route_view(state, table, route, scene));
  }
  return out;
}

// One value for each route, of those that have one.
template <class Value>
FilterValues of_routes(const RouteTableRecord& table, Value value) {
  FilterValues values;
  for (const RouteRecord& route : table.routes) {
    std::string text = value(route);
    if (!text.empty()) values.push_back(std::move(text));
  }
  return values;
}

template <RouteTarget target>
FilterValues targets(const State&, const RouteTableRecord& table) {
  return of_routes(table, [](const RouteRecord& route) {
    return route.target == target ? route.target_id : std::string();
  });
}

template <class Value>
FilterValues of_associations(const RouteTableRecord& table, Value value) {
  FilterValues values;
  for (const RouteTableAssociationRecord& one : table.associations) values.push_back(value(one));
  return values;
}

FilterValues none(const State&, const RouteTableRecord&) { return {}; }

constexpr std::array kFilters{
    Field{"association.gateway-id", none},
    Field{"association.main",
          [](const State&, const RouteTableRecord& table) {
            return of_associations(
                table, [](const auto& one) { return filter_text(!one.subnet.has_value()); });
          }},
    Field{"association.route-table-association-id",
          [](const State&, const RouteTableRecord& table) {
            return of_associations(table, [](const auto& one) { return one.id.value; });
          }},
    Field{"association.route-table-id",
          [](const State&, const RouteTableRecord& table) {
            return of_associations(table, [&](const auto&) { return table.id.value; });
          }},
    Field{"association.subnet-id",
          [](const State&, const RouteTableRecord& table) {
            return of_associations(table, [](const auto& one) {
              return one.subnet.has_value() ? one.subnet->value : std::string();
            });
          }},
    Field{"route-table-id",
          [](const State&, const RouteTableRecord& table) { return FilterValues{table.id.value}; }},
    Field{"route.destination-cidr-block",
          [](const State&, const RouteTableRecord& table) {
            return of_routes(table, [](const RouteRecord& route) { return route.destination; });
          }},
    Field{"route.destination-ipv6-cidr-block", none},
    Field{"route.destination-prefix-list-id", none},
    Field{"route.egress-only-internet-gateway-id", none},
    Field{"route.gateway-id",
          [](const State&, const RouteTableRecord& table) {
            return of_routes(table, [](const RouteRecord& route) {
              if (route.target == RouteTarget::Local) return std::string("local");
              return route.target == RouteTarget::InternetGateway ? route.target_id : "";
            });
          }},
    Field{"route.instance-id", targets<RouteTarget::Instance>},
    Field{"route.nat-gateway-id", targets<RouteTarget::NatGateway>},
    Field{"route.network-interface-id", targets<RouteTarget::NetworkInterface>},
    Field{"route.origin",
          [](const State&, const RouteTableRecord& table) { return of_routes(table, origin); }},
    Field{"route.state",
          [](const State& state, const RouteTableRecord& table) {
            return of_routes(
                table, [&](const RouteRecord& route) { return route_state(state, table, route); });
          }},
    Field{"route.transit-gateway-id", none},
    Field{"route.vpc-peering-connection-id", none},
    Field{"vpc-id", [](const State&,
                       const RouteTableRecord& table) { return FilterValues{table.vpc.value}; }},
};

template <class Request>
base::Result<std::string> destination_of(const Request& request) {
  TRY_VOID(refuse({{"DestinationIpv6CidrBlock", request.destination_ipv6_cidr_block.has_value()},
                   {"DestinationPrefixListId", request.destination_prefix_list_id.has_value()}}));
  if (!request.destination_cidr_block.has_value()) {
    return std::unexpected(missing("destinationCidrBlock"));
  }
  const auto range = Cidr::parse(*request.destination_cidr_block);
  if (!range.has_value()) {
    return std::unexpected(invalid_value(*request.destination_cidr_block, "destinationCidrBlock",
                                         "This is not a valid CIDR block."));
  }
  return range->text();
}

base::Result<void> check_internet_gateway(const State& state, const RouteTableRecord& table,
                                          const std::string& id) {
  if (!id.starts_with(id_prefix(InternetGatewayId()))) return std::unexpected(unknown_gateway(id));
  const auto* const gateway = state.find<InternetGatewayRecord>(InternetGatewayId(id));
  if (gateway == nullptr) return std::unexpected(unknown_gateway(id));
  if (gateway->vpc != table.vpc) {
    return std::unexpected(other_network(table, "network gateway", id));
  }
  return {};
}

base::Result<void> check_nat_gateway(const State& state, const RouteTableRecord& table,
                                     const std::string& id) {
  TRY(const auto* const gateway, require<NatGatewayRecord>(state, id));
  if (!is_live(*gateway)) return std::unexpected(unknown_id(noun_of<NatGatewayRecord>(), id));
  if (gateway->vpc != table.vpc) return std::unexpected(other_network(table, "nat gateway", id));
  return {};
}

base::Result<void> check_interface(const State& state, const RouteTableRecord& table,
                                   const std::string& id) {
  TRY(const auto* const found, require<NetworkInterfaceRecord>(state, id));
  if (found->vpc != table.vpc) return std::unexpected(other_network(table, "interface", id));
  return {};
}

base::Result<void> check_instance(const State& state, const RouteTableRecord& table,
                                  const std::string& id) {
  TRY(const auto* const instance, require<InstanceRecord>(state, id));
  if (instance->network_interfaces.size() != 1) {
    return base::fail(errors::kInvalidParameterValue,
                      "Instance " + id + " must have exactly one network interface.");
  }
  if (instance->vpc != table.vpc) return std::unexpected(other_network(table, "instance", id));
  return {};
}

// What a request routes to, checked.
template <class Request>
base::Result<RouteRecord> wanted_route(const State& state, const RouteTableRecord& table,
                                       const Request& request) {
  TRY_VOID(
      refuse({{"VpcEndpointId", request.vpc_endpoint_id.has_value()},
              {"EgressOnlyInternetGatewayId", request.egress_only_internet_gateway_id.has_value()},
              {"TransitGatewayId", request.transit_gateway_id.has_value()},
              {"LocalGatewayId", request.local_gateway_id.has_value()},
              {"CarrierGatewayId", request.carrier_gateway_id.has_value()},
              {"VpcPeeringConnectionId", request.vpc_peering_connection_id.has_value()},
              {"CoreNetworkArn", request.core_network_arn.has_value()}}));
  RouteRecord route;
  TRY(route.destination, destination_of(request));
  struct Choice {
    const std::optional<std::string>& id;
    RouteTarget target;
    base::Result<void> (*check)(const State&, const RouteTableRecord&, const std::string&);
  };
  const std::array choices{
      Choice{request.gateway_id, RouteTarget::InternetGateway, check_internet_gateway},
      Choice{request.nat_gateway_id, RouteTarget::NatGateway, check_nat_gateway},
      Choice{request.network_interface_id, RouteTarget::NetworkInterface, check_interface},
      Choice{request.instance_id, RouteTarget::Instance, check_instance}};
  const auto given =
      std::ranges::count_if(choices, [](const Choice& one) { return one.id.has_value(); });
  if (given != 1) {
    return base::fail(errors::kInvalidParameterCombination,
                      "The request must contain exactly one of gatewayId, natGatewayId, "
                      "networkInterfaceId or instanceId");
  }
  for (const Choice& one : choices) {
    if (!one.id.has_value()) continue;
    TRY_VOID(one.check(state, table, *one.id));
    route.target = one.target;
    route.target_id = *one.id;
  }
  return route;
}

// Within the VPC only an interface may stand between.
base::Result<void> check_inside_vpc(const RouteTableRecord& table, const RouteRecord& route) {
  if (route.target == RouteTarget::NetworkInterface || route.target == RouteTarget::Instance) {
    return {};
  }
  const Cidr destination = *Cidr::parse(route.destination);
  for (const RouteRecord& local : table.routes) {
    if (local.target != RouteTarget::Local) continue;
    if (Cidr::parse(local.destination)->contains(destination)) {
      return base::fail(errors::kInvalidParameterValue,
                        "The destination CIDR block " + route.destination +
                            " is equal to or more specific than one of this VPC's CIDR blocks. "
                            "This route can target only an interface or an instance.");
    }
  }
  return {};
}

// Where an association is.
struct Found {
  RouteTableRecord table;
  RouteTableAssociationRecord association;
};
base::Result<Found> find_association(const State& state, const std::string& id) {
  for (const RouteTableRecord& table : state.all<RouteTableRecord>()) {
    for (const RouteTableAssociationRecord& one : table.associations) {
      if (one.id.value == id) return Found{table, one};
    }
  }
  return base::fail(errors::kInvalidAssociationIDNotFound,
                    "The association ID '" + id + "' does not exist");
}

void erase_association(RouteTableRecord& table, const RouteTableAssociationId& id) {
  std::erase_if(table.associations,
                [&](const RouteTableAssociationRecord& one) { return one.id == id; });
}

RouteTableAssociationState associated() { return {.state = "associated"}; }

}  // namespace

base::Result<CreateRouteTableResult> create_route_table(Transaction& transaction,
                                                        const CreateRouteTableRequest& request) {
  TRY(const VpcRecord* const vpc, require<VpcRecord>(transaction.state(), request.vpc_id));
  const std::string token = request.client_token.value_or("");
  TRY(const auto* const before,
      made_with_token<RouteTableRecord>(transaction.state(), token, request.vpc_id));
  if (before != nullptr) {
    return CreateRouteTableResult{
        .route_table = view(transaction.state(), *before, transaction.scene()),
        .client_token = request.client_token};
  }
  RouteTableRecord table{
      .id = new_id<RouteTableId>(transaction.random()), .vpc = vpc->id, .client_token = token};
  TRY(table.tags, tags_for(request.tag_specifications, "route-table"));
  for (const CidrAssociationRecord& range : vpc->cidrs) {
    table.routes.push_back({range.cidr, RouteTarget::Local, {}, true});
  }
  transaction.put(table);
  return CreateRouteTableResult{
      .route_table = view(transaction.state(), table, transaction.scene()),
      .client_token = request.client_token};
}

base::Result<DescribeRouteTablesResult> describe_route_tables(
    const State& state, const Scene& scene, const DescribeRouteTablesRequest& request) {
  const std::array shared{SharedValue{"owner-id", scene.account}};
  TRY(const auto page,
      select_shared<RouteTableRecord>(state, shared, request.route_table_ids, request.filters,
                                      kFilters, {request.max_results, request.next_token}));
  DescribeRouteTablesResult result{.route_tables = std::vector<RouteTable>{},
                                   .next_token = page.next_token};
  for (const RouteTableRecord* table : page.records) {
    result.route_tables->push_back(view(state, *table, scene));
  }
  return result;
}

base::Result<wire::Empty> delete_route_table(Transaction& transaction,
                                             const DeleteRouteTableRequest& request) {
  TRY(const auto* const table,
      require<RouteTableRecord>(transaction.state(), request.route_table_id));
  if (!table->associations.empty()) {
    return std::unexpected(has_dependencies("routeTable", request.route_table_id));
  }
  transaction.erase<RouteTableRecord>(table->id);
  return wire::Empty{};
}

base::Result<CreateRouteResult> create_route(Transaction& transaction,
                                             const CreateRouteRequest& request) {
  TRY(const auto* const found,
      require<RouteTableRecord>(transaction.state(), request.route_table_id));
  TRY(RouteRecord route, wanted_route(transaction.state(), *found, request));
  RouteTableRecord table = *found;
  if (std::ranges::find(table.routes, route.destination, &RouteRecord::destination) !=
      table.routes.end()) {
    return base::fail(errors::kRouteAlreadyExists,
                      "The route identified by " + route.destination + " already exists.");
  }
  TRY_VOID(check_inside_vpc(table, route));
  if (table.routes.size() >= kRoutesPerTableMax) {
    return base::fail(errors::kRouteLimitExceeded,
                      "The maximum number of routes has been reached.");
  }
  table.routes.push_back(std::move(route));
  transaction.put(std::move(table));
  return CreateRouteResult{.return_ = true};
}

base::Result<wire::Empty> replace_route(Transaction& transaction,
                                        const ReplaceRouteRequest& request) {
  TRY_VOID(refuse({{"LocalTarget", request.local_target.value_or(false)}}));
  TRY(const auto* const found,
      require<RouteTableRecord>(transaction.state(), request.route_table_id));
  TRY(RouteRecord route, wanted_route(transaction.state(), *found, request));
  RouteTableRecord table = *found;
  const auto old = std::ranges::find(table.routes, route.destination, &RouteRecord::destination);
  if (old == table.routes.end()) {
    return base::fail(errors::kInvalidParameterValue,
                      "There is no route defined for '" + route.destination +
                          "' in the route table. Use CreateRoute instead.");
  }
  if (old->target == RouteTarget::Local) {
    return base::fail(
        errors::kInvalidParameterValue,
        "cannot replace local route " + route.destination + " in route table " + table.id.value);
  }
  TRY_VOID(check_inside_vpc(table, route));
  *old = std::move(route);
  transaction.put(std::move(table));
  return wire::Empty{};
}

base::Result<wire::Empty> delete_route(Transaction& transaction,
                                       const DeleteRouteRequest& request) {
  TRY(const auto* const found,
      require<RouteTableRecord>(transaction.state(), request.route_table_id));
  TRY(const std::string destination, destination_of(request));
  RouteTableRecord table = *found;
  const auto old = std::ranges::find(table.routes, destination, &RouteRecord::destination);
  if (old == table.routes.end()) return std::unexpected(unknown_route(table, destination));
  if (old->target == RouteTarget::Local) {
    return base::fail(errors::kInvalidParameterValue, "cannot remove local route " + destination +
                                                          " in route table " + table.id.value);
  }
  table.routes.erase(old);
  transaction.put(std::move(table));
  return wire::Empty{};
}

base::Result<AssociateRouteTableResult> associate_route_table(
    Transaction& transaction, const AssociateRouteTableRequest& request) {
  TRY_VOID(refuse({{"GatewayId", request.gateway_id.has_value()}}));
  if (!request.subnet_id.has_value()) return std::unexpected(missing("subnetId"));
  const State& state = transaction.state();
  TRY(const auto* const found, require<RouteTableRecord>(state, request.route_table_id));
  TRY(const SubnetRecord* const subnet, require<SubnetRecord>(state, *request.subnet_id));
  if (subnet->vpc != found->vpc) {
    return std::unexpected(other_network(*found, "subnet", *request.subnet_id));
  }
  for (const RouteTableRecord& other : state.all<RouteTableRecord>()) {
    for (const RouteTableAssociationRecord& one : other.associations) {
      if (one.subnet != subnet->id) continue;
      if (other.id == found->id) return AssociateRouteTableResult{one.id.value, associated()};
      return base::fail(errors::kResourceAlreadyAssociated,
                        "the specified association for route table " + found->id.value +
                            " conflicts with an existing association");
    }
  }
  RouteTableRecord table = *found;
  const auto id = new_id<RouteTableAssociationId>(transaction.random());
  table.associations.push_back({id, subnet->id});
  transaction.put(std::move(table));
  return AssociateRouteTableResult{id.value, associated()};
}

base::Result<wire::Empty> disassociate_route_table(Transaction& transaction,
                                                   const DisassociateRouteTableRequest& request) {
  TRY(Found found, find_association(transaction.state(), request.association_id));
  if (!found.association.subnet.has_value()) {
    return base::fail(
        errors::kInvalidParameterValue,
        "cannot disassociate the main route table association " + request.association_id);
  }
  erase_association(found.table, found.association.id);
  transaction.put(std::move(found.table));
  return wire::Empty{};
}

base::Result<ReplaceRouteTableAssociationResult> replace_route_table_association(
    Transaction& transaction, const ReplaceRouteTableAssociationRequest& request) {
  const State& state = transaction.state();
  TRY(Found old, find_association(state, request.association_id));
  TRY(const auto* const found, require<RouteTableRecord>(state, request.route_table_id));
  if (found->id == old.table.id) {
    return ReplaceRouteTableAssociationResult{old.association.id.value, associated()};
  }
  if (found->vpc != old.table.vpc) {
    return std::unexpected(other_network(*found, "association", request.association_id));
  }
  RouteTableRecord table = *found;
  const auto id = new_id<RouteTableAssociationId>(transaction.random());
  table.associations.push_back({id, old.association.subnet});
  erase_association(old.table, old.association.id);
  transaction.put(std::move(old.table));
  transaction.put(std::move(table));
  return ReplaceRouteTableAssociationResult{id.value, associated()};
}

base::Result<wire::Empty> propagate_routes(const State& state, const std::string& route_table,
                                           const std::string& gateway) {
  TRY_VOID(require<RouteTableRecord>(state, route_table));
  return std::unexpected(unknown_gateway(gateway));
}

}  // namespace terrarium::ec2
