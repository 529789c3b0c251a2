#include "terrarium/services/ec2/gateways.h"

#include "terrarium/services/ec2/gateway_rules.h"

namespace terrarium::ec2 {

using base::Result;
using runtime::Task;

Task<Result<CreateInternetGatewayResult>> Gateways::create_internet_gateway(
    const wire::Context& context, CreateInternetGatewayRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_internet_gateway(transaction, request);
                      });
}

Task<Result<wire::Empty>> Gateways::attach_internet_gateway(const wire::Context& context,
                                                            AttachInternetGatewayRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::attach_internet_gateway(transaction, request);
                      });
}

Task<Result<DescribeInternetGatewaysResult>> Gateways::describe_internet_gateways(
    const wire::Context& context, DescribeInternetGatewaysRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_internet_gateways(*state, core_.scene_of(context), request);
}

Task<Result<wire::Empty>> Gateways::detach_internet_gateway(const wire::Context& context,
                                                            DetachInternetGatewayRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::detach_internet_gateway(transaction, request);
                      });
}

Task<Result<wire::Empty>> Gateways::delete_internet_gateway(const wire::Context& context,
                                                            DeleteInternetGatewayRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::delete_internet_gateway(transaction, request);
                      });
}

Task<Result<CreateNatGatewayResult>> Gateways::create_nat_gateway(const wire::Context& context,
                                                                  CreateNatGatewayRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_nat_gateway(transaction, request);
                      });
}

Task<Result<DescribeNatGatewaysResult>> Gateways::describe_nat_gateways(
    const wire::Context& context, DescribeNatGatewaysRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  const IsApplied is_applied = [&](const VpcId& vpc) {
    return core_.networks().is_applied(context.region, vpc);
  };
  // Written only when there is something to write: waiters ask often.
  if (nat_gateways_move(*state, context.now, is_applied)) {
    CO_TRY_VOID(co_await core_.change(context, Effect::Recorded, [&](Transaction& transaction) {
      return settle_nat_gateways(transaction, is_applied);
    }));
  }
  co_return ec2::describe_nat_gateways(*state, request);
}

Task<Result<DeleteNatGatewayResult>> Gateways::delete_nat_gateway(const wire::Context& context,
                                                                  DeleteNatGatewayRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::delete_nat_gateway(transaction, request);
                      });
}

}  // namespace terrarium::ec2
