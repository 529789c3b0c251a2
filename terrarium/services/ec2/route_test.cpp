// Route tables by their rules, and what of them the kernel's networks must be.
#include <gtest/gtest.h>

#include <algorithm>

#include "terrarium/services/ec2/network_plan.h"
#include "terrarium/services/ec2/route_rules.h"
#include "terrarium/services/ec2/testing_network.h"

namespace terrarium::ec2 {
namespace {

using Target = host::RouteSpec::Target;

std::string new_table(TestingNetwork& net) {
  return *net.call(create_route_table, {.vpc_id = net.vpc})->route_table->route_table_id;
}

RouteTable shown(TestingNetwork& net, const std::string& id) {
  return describe_route_tables(net.state(), net.scene(), {.route_table_ids = {{id}}})
      ->route_tables->front();
}

Route route_of(TestingNetwork& net, const std::string& table, const std::string& destination) {
  const RouteTable found = shown(net, table);
  const auto one = std::ranges::find(*found.routes, destination, &Route::destination_cidr_block);
  return one == found.routes->end() ? Route{} : *one;
}

host::VpcSpec spec(TestingNetwork& net) {
  return desired_network(net.state(), "us-east-1", *net.state().find<VpcRecord>(VpcId(net.vpc)));
}

std::string main_association(TestingNetwork& net) {
  for (const RouteTableRecord& table : net.state().all<RouteTableRecord>()) {
    if (table.vpc.value == net.vpc && table.is_main()) return table.associations.front().id.value;
  }
  return {};
}

TEST(RouteRules, ATableBeginsWithTheLocalRoute) {
  TestingNetwork net;
  const std::string table = new_table(net);
  const Route local = route_of(net, table, "10.0.0.0/16");
  EXPECT_EQ(local.gateway_id, "local");
  EXPECT_EQ(local.origin, "CreateRouteTable");
  EXPECT_EQ(local.state, "active");
  EXPECT_TRUE(shown(net, table).associations->empty());
}

TEST(RouteRules, AClientTokenMakesOneTable) {
  TestingNetwork net;
  const auto make = [&](const std::string& vpc) {
    return net.call(create_route_table, {.vpc_id = vpc, .client_token = "t"});
  };
  const auto made = make(net.vpc);
  EXPECT_EQ(made->client_token, "t");
  EXPECT_EQ(make(net.vpc)->route_table->route_table_id, made->route_table->route_table_id);
  EXPECT_EQ(code_of(make(net.records.default_vpc().value)), "IdempotentParameterMismatch");
}

TEST(RouteRules, ARouteLeadsToTheInternetGatewayWhileItIsAttached) {
  TestingNetwork net;
  const std::string table = new_table(net);
  const std::string gateway = net.make_gateway();
  const CreateRouteRequest request{
      .destination_cidr_block = "0.0.0.0/0", .gateway_id = gateway, .route_table_id = table};
  EXPECT_EQ(net.call(create_route, request)->return_, true);
  EXPECT_EQ(code_of(net.call(create_route, request)), "RouteAlreadyExists");
  EXPECT_EQ(route_of(net, table, "0.0.0.0/0").state, "active");
  EXPECT_EQ(route_of(net, table, "0.0.0.0/0").origin, "CreateRoute");
  net.call(detach_internet_gateway, {.internet_gateway_id = gateway, .vpc_id = net.vpc}).value();
  EXPECT_EQ(route_of(net, table, "0.0.0.0/0").state, "blackhole");
}

TEST(RouteRules, TargetsMustBeOneAndOfTheVpc) {
  TestingNetwork net;
  const std::string table = new_table(net);
  const std::string free =
      *net.call(create_internet_gateway, {})->internet_gateway->internet_gateway_id;
  const auto code = [&](CreateRouteRequest request) {
    request.destination_cidr_block = "0.0.0.0/0";
    request.route_table_id = table;
    return code_of(net.call(create_route, request));
  };
  EXPECT_EQ(code({}), "InvalidParameterCombination");
  EXPECT_EQ(code({.gateway_id = free}), "InvalidParameterValue");
  EXPECT_EQ(code({.gateway_id = "vgw-01234567"}), "InvalidGatewayID.NotFound");
  EXPECT_EQ(code({.nat_gateway_id = "nat-01234567"}), "NatGatewayNotFound");
  EXPECT_EQ(code({.vpc_peering_connection_id = "pcx-01234567"}), "UnsupportedOperation");
}

TEST(RouteRules, LocalRoutesStay) {
  TestingNetwork net;
  const std::string table = new_table(net);
  const std::string gateway = net.make_gateway();
  EXPECT_EQ(code_of(net.call(delete_route,
                             {.destination_cidr_block = "10.0.0.0/16", .route_table_id = table})),
            "InvalidParameterValue");
  EXPECT_EQ(code_of(net.call(replace_route, {.destination_cidr_block = "10.0.0.0/16",
                                             .gateway_id = gateway,
                                             .route_table_id = table})),
            "InvalidParameterValue");
  EXPECT_EQ(code_of(net.call(create_route, {.destination_cidr_block = "10.0.7.0/24",
                                            .gateway_id = gateway,
                                            .route_table_id = table})),
            "InvalidParameterValue");
}

TEST(RouteRules, ARouteIsReplacedAndDeleted) {
  TestingNetwork net;
  const std::string table = new_table(net);
  const std::string eni = net.make_interface();
  const std::string gateway = net.make_gateway();
  const ReplaceRouteRequest replace{.destination_cidr_block = "192.168.0.1/16",
                                    .network_interface_id = eni,
                                    .route_table_id = table};
  EXPECT_EQ(net.call(replace_route, replace).error().message,
            "There is no route defined for '192.168.0.0/16' in the route table. Use CreateRoute "
            "instead.");
  net.call(create_route, {.destination_cidr_block = "192.168.0.0/16",
                          .gateway_id = gateway,
                          .route_table_id = table})
      .value();
  EXPECT_EQ(code_of(net.call(replace_route, replace)), "");
  EXPECT_EQ(route_of(net, table, "192.168.0.0/16").network_interface_id, eni);
  EXPECT_EQ(route_of(net, table, "192.168.0.0/16").state, "blackhole");  // nothing behind it
  const DeleteRouteRequest gone{.destination_cidr_block = "192.168.0.0/16",
                                .route_table_id = table};
  EXPECT_EQ(code_of(net.call(delete_route, gone)), "");
  EXPECT_EQ(code_of(net.call(delete_route, gone)), "InvalidRoute.NotFound");
}

TEST(RouteRules, ASubnetHasOneTable) {
  TestingNetwork net;
  const std::string table = new_table(net);
  const std::string other = new_table(net);
  const auto made =
      net.call(associate_route_table, {.route_table_id = table, .subnet_id = net.subnet});
  EXPECT_EQ(made->association_state->state, "associated");
  const auto again =
      net.call(associate_route_table, {.route_table_id = table, .subnet_id = net.subnet});
  EXPECT_EQ(again->association_id, made->association_id);
  EXPECT_EQ(
      code_of(net.call(associate_route_table, {.route_table_id = other, .subnet_id = net.subnet})),
      "Resource.AlreadyAssociated");
  EXPECT_EQ(code_of(net.call(delete_route_table, {.route_table_id = table})),
            "DependencyViolation");
  const DisassociateRouteTableRequest gone{.association_id = *made->association_id};
  EXPECT_EQ(code_of(net.call(disassociate_route_table, gone)), "");
  EXPECT_EQ(code_of(net.call(disassociate_route_table, gone)), "InvalidAssociationID.NotFound");
  EXPECT_EQ(code_of(net.call(delete_route_table, {.route_table_id = table})), "");
}

TEST(RouteRules, AnotherTableBecomesTheMainOne) {
  TestingNetwork net;
  const std::string table = new_table(net);
  const std::string before = main_association(net);
  EXPECT_EQ(code_of(net.call(disassociate_route_table, {.association_id = before})),
            "InvalidParameterValue");
  const auto replaced = net.call(replace_route_table_association,
                                 {.association_id = before, .route_table_id = table});
  EXPECT_EQ(replaced->new_association_id, main_association(net));
  EXPECT_EQ(shown(net, table).associations->front().main, true);
  for (const host::SubnetSpec& subnet : spec(net).subnets) EXPECT_EQ(subnet.route_table, table);
}

TEST(RouteRules, ADeletedSubnetTakesItsAssociationAlong) {
  TestingNetwork net;
  const std::string table = new_table(net);
  net.call(associate_route_table, {.route_table_id = table, .subnet_id = net.subnet}).value();
  net.call(delete_subnet, {.subnet_id = net.subnet}).value();
  EXPECT_TRUE(shown(net, table).associations->empty());
}

TEST(RouteRules, FiltersChoose) {
  TestingNetwork net;
  const std::string table = new_table(net);
  const auto made =
      net.call(associate_route_table, {.route_table_id = table, .subnet_id = net.subnet});
  const auto found = [&](std::vector<Filter> filters) {
    return describe_route_tables(net.state(), net.scene(), {.filters = std::move(filters)})
        ->route_tables->size();
  };
  EXPECT_EQ(found({{.name = "association.route-table-association-id",
                    .values = {{*made->association_id}}}}),
            1U);
  EXPECT_EQ(found({{.name = "association.main", .values = {{"true"}}},
                   {.name = "vpc-id", .values = {{net.vpc}}}}),
            1U);
  EXPECT_EQ(found({{.name = "route.gateway-id", .values = {{"local"}}},
                   {.name = "vpc-id", .values = {{net.vpc}}}}),
            2U);
  EXPECT_EQ(found({{.name = "association.subnet-id", .values = {{net.other_subnet}}}}), 0U);
}

TEST(RouteRules, PropagationNeedsAGatewayThatIsNot) {
  TestingNetwork net;
  EXPECT_EQ(code_of(propagate_routes(net.state(), new_table(net), "vgw-01234567")),
            "InvalidGatewayID.NotFound");
}

TEST(NetworkPlan, RoutesOfASubnetsOwnTableLeadToTheNatGateway) {
  TestingNetwork net;
  net.make_gateway();
  const std::string table = new_table(net);
  const std::string nat = *net.call(create_nat_gateway, {.allocation_id = net.make_address(),
                                                         .subnet_id = net.other_subnet})
                               ->nat_gateway->nat_gateway_id;
  net.call(create_route,
           {.destination_cidr_block = "0.0.0.0/0", .nat_gateway_id = nat, .route_table_id = table})
      .value();
  net.call(associate_route_table, {.route_table_id = table, .subnet_id = net.subnet}).value();
  const host::VpcSpec made = spec(net);
  for (const host::SubnetSpec& subnet : made.subnets) {
    EXPECT_EQ(subnet.route_table == table, subnet.id == net.subnet);
  }
  const auto planned = std::ranges::find(made.route_tables, table, &host::RouteTableSpec::id);
  ASSERT_EQ(planned->routes.size(), 2U);
  EXPECT_EQ(planned->routes[1], (host::RouteSpec{"0.0.0.0/0", Target::NatGateway, nat}));
  ASSERT_EQ(made.nat_gateways.size(), 1U);
  EXPECT_TRUE(made.nat_gateways[0].public_address.starts_with("203.0.113."));
  EXPECT_TRUE(made.interfaces.empty());  // its interface is none of a machine
}

TEST(NetworkPlan, ARouteToAStoppedInstanceIsABlackHole) {
  TestingNetwork net;
  const auto target = [&](InstanceStateName state) {
    const RouteRecord route{"0.0.0.0/0", RouteTarget::Instance, net.make_instance(state)};
    return route_spec(net.state(), VpcId(net.vpc), route).target;
  };
  EXPECT_EQ(target(InstanceStateName::Running), Target::Interface);
  EXPECT_EQ(target(InstanceStateName::Stopped), Target::Blackhole);
}

}  // namespace
}  // namespace terrarium::ec2
