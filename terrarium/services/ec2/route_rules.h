// The rules of route tables. Pure. Source: "Configure route tables", Amazon VPC User Guide.
// Every VPC has one main table, with the association that names no subnet; a subnet without an
// association of its own follows it.
#pragma once

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

// AWS's default quota.
inline constexpr std::size_t kRoutesPerTableMax = 50;

base::Result<CreateRouteTableResult> create_route_table(Transaction& transaction,
                                                        const CreateRouteTableRequest& request);
base::Result<DescribeRouteTablesResult> describe_route_tables(
    const State& state, const Scene& scene, const DescribeRouteTablesRequest& request);
base::Result<wire::Empty> delete_route_table(Transaction& transaction,
                                             const DeleteRouteTableRequest& request);

// Targets: an attached internet gateway, a NAT gateway, a network interface, an instance with one
// interface. Local routes stay as they are.
base::Result<CreateRouteResult> create_route(Transaction& transaction,
                                             const CreateRouteRequest& request);
base::Result<wire::Empty> replace_route(Transaction& transaction,
                                        const ReplaceRouteRequest& request);
base::Result<wire::Empty> delete_route(Transaction& transaction, const DeleteRouteRequest& request);

base::Result<AssociateRouteTableResult> associate_route_table(
    Transaction& transaction, const AssociateRouteTableRequest& request);
base::Result<wire::Empty> disassociate_route_table(Transaction& transaction,
                                                   const DisassociateRouteTableRequest& request);
// Of the main association: makes another table the VPC's main one.
base::Result<ReplaceRouteTableAssociationResult> replace_route_table_association(
    Transaction& transaction, const ReplaceRouteTableAssociationRequest& request);

// There are no virtual private gateways: InvalidGatewayID.NotFound.
base::Result<wire::Empty> propagate_routes(const State& state, const std::string& route_table,
                                           const std::string& gateway);

}  // namespace terrarium::ec2
