// The operations of route tables: rules in route_rules.h.
#pragma once

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/vpcs.h"

namespace terrarium::ec2 {

class RouteTables {
 public:
  explicit RouteTables(Core& core) : core_(core) {}

  EC2_OPERATION(create_route_table, CreateRouteTableRequest, CreateRouteTableResult);
  EC2_OPERATION(describe_route_tables, DescribeRouteTablesRequest, DescribeRouteTablesResult);
  EC2_OPERATION(delete_route_table, DeleteRouteTableRequest, wire::Empty);
  EC2_OPERATION(create_route, CreateRouteRequest, CreateRouteResult);
  EC2_OPERATION(replace_route, ReplaceRouteRequest, wire::Empty);
  EC2_OPERATION(delete_route, DeleteRouteRequest, wire::Empty);
  EC2_OPERATION(associate_route_table, AssociateRouteTableRequest, AssociateRouteTableResult);
  EC2_OPERATION(disassociate_route_table, DisassociateRouteTableRequest, wire::Empty);
  EC2_OPERATION(replace_route_table_association, ReplaceRouteTableAssociationRequest,
                ReplaceRouteTableAssociationResult);
  EC2_OPERATION(enable_vgw_route_propagation, EnableVgwRoutePropagationRequest, wire::Empty);
  EC2_OPERATION(disable_vgw_route_propagation, DisableVgwRoutePropagationRequest, wire::Empty);

 private:
  Core& core_;
};

}  // namespace terrarium::ec2
