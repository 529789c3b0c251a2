#include "terrarium/services/ec2/route_tables.h"

#include "terrarium/services/ec2/route_rules.h"

namespace terrarium::ec2 {

using base::Result;
using runtime::Task;

Task<Result<CreateRouteTableResult>> RouteTables::create_route_table(
    const wire::Context& context, CreateRouteTableRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_route_table(transaction, request);
                      });
}

Task<Result<DescribeRouteTablesResult>> RouteTables::describe_route_tables(
    const wire::Context& context, DescribeRouteTablesRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_route_tables(*state, core_.scene_of(context), request);
}

Task<Result<wire::Empty>> RouteTables::delete_route_table(const wire::Context& context,
                                                          DeleteRouteTableRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::delete_route_table(transaction, request);
                      });
}

Task<Result<CreateRouteResult>> RouteTables::create_route(const wire::Context& context,
                                                          CreateRouteRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_route(transaction, request);
                      });
}

Task<Result<wire::Empty>> RouteTables::replace_route(const wire::Context& context,
                                                     ReplaceRouteRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::replace_route(transaction, request);
                      });
}

Task<Result<wire::Empty>> RouteTables::delete_route(const wire::Context& context,
                                                    DeleteRouteRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::delete_route(transaction, request);
                      });
}

Task<Result<AssociateRouteTableResult>> RouteTables::associate_route_table(
    const wire::Context& context, AssociateRouteTableRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::associate_route_table(transaction, request);
                      });
}

Task<Result<wire::Empty>> RouteTables::disassociate_route_table(
    const wire::Context& context, DisassociateRouteTableRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::disassociate_route_table(transaction, request);
                      });
}

Task<Result<ReplaceRouteTableAssociationResult>> RouteTables::replace_route_table_association(
    const wire::Context& context, ReplaceRouteTableAssociationRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::replace_route_table_association(transaction, request);
                      });
}

Task<Result<wire::Empty>> RouteTables::enable_vgw_route_propagation(
    const wire::Context& context, EnableVgwRoutePropagationRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return propagate_routes(*state, request.route_table_id, request.gateway_id);
}

Task<Result<wire::Empty>> RouteTables::disable_vgw_route_propagation(
    const wire::Context& context, DisableVgwRoutePropagationRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return propagate_routes(*state, request.route_table_id, request.gateway_id);
}

}  // namespace terrarium::ec2
