#include "terrarium/services/ec2/subnets.h"

#include "terrarium/services/ec2/subnet_rules.h"

namespace terrarium::ec2 {

using base::Result;
using runtime::Task;

Task<Result<CreateSubnetResult>> Subnets::create_subnet(const wire::Context& context,
                                                        CreateSubnetRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_subnet(transaction, request);
                      });
}

Task<Result<DescribeSubnetsResult>> Subnets::describe_subnets(const wire::Context& context,
                                                              DescribeSubnetsRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_subnets(*state, core_.scene_of(context), request);
}

Task<Result<wire::Empty>> Subnets::modify_subnet_attribute(const wire::Context& context,
                                                           ModifySubnetAttributeRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::modify_subnet_attribute(transaction, request);
                      });
}

Task<Result<wire::Empty>> Subnets::delete_subnet(const wire::Context& context,
                                                 DeleteSubnetRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::delete_subnet(transaction, request);
                      });
}

Task<Result<CreateDefaultVpcResult>> Subnets::create_default_vpc(const wire::Context& context,
                                                                 CreateDefaultVpcRequest) {
  return core_.change(context, Effect::Recorded, [](Transaction& transaction) {
    return ec2::create_default_vpc(transaction);
  });
}

Task<Result<CreateDefaultSubnetResult>> Subnets::create_default_subnet(
    const wire::Context& context, CreateDefaultSubnetRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_default_subnet(transaction, request);
                      });
}

}  // namespace terrarium::ec2
