#include "terrarium/services/ec2/vpcs.h"

#include "terrarium/services/ec2/vpc_cidr_rules.h"
#include "terrarium/services/ec2/vpc_rules.h"

namespace terrarium::ec2 {

using base::Result;
using runtime::Task;

Task<Result<CreateVpcResult>> Vpcs::create_vpc(const wire::Context& context,
                                               CreateVpcRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_vpc(transaction, request);
                      });
}

Task<Result<wire::Empty>> Vpcs::delete_vpc(const wire::Context& context, DeleteVpcRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::delete_vpc(transaction, request);
                      });
}

Task<Result<DescribeVpcsResult>> Vpcs::describe_vpcs(const wire::Context& context,
                                                     DescribeVpcsRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_vpcs(*state, core_.config().account, request);
}

Task<Result<DescribeVpcAttributeResult>> Vpcs::describe_vpc_attribute(
    const wire::Context& context, DescribeVpcAttributeRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_vpc_attribute(*state, request);
}

Task<Result<AssociateVpcCidrBlockResult>> Vpcs::associate_vpc_cidr_block(
    const wire::Context& context, AssociateVpcCidrBlockRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::associate_vpc_cidr_block(transaction, request);
                      });
}

Task<Result<DisassociateVpcCidrBlockResult>> Vpcs::disassociate_vpc_cidr_block(
    const wire::Context& context, DisassociateVpcCidrBlockRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::disassociate_vpc_cidr_block(transaction, request);
                      });
}

Task<Result<wire::Empty>> Vpcs::modify_vpc_attribute(const wire::Context& context,
                                                     ModifyVpcAttributeRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::modify_vpc_attribute(transaction, request);
                      });
}

}  // namespace terrarium::ec2
