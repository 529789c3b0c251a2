#include "terrarium/services/ec2/network_acls.h"

#include "terrarium/services/ec2/network_acl_rules.h"

namespace terrarium::ec2 {

using base::Result;
using runtime::Task;

Task<Result<CreateNetworkAclResult>> NetworkAcls::create_network_acl(
    const wire::Context& context, CreateNetworkAclRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_network_acl(transaction, request);
                      });
}

Task<Result<DescribeNetworkAclsResult>> NetworkAcls::describe_network_acls(
    const wire::Context& context, DescribeNetworkAclsRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_network_acls(*state, core_.scene_of(context), request);
}

Task<Result<wire::Empty>> NetworkAcls::delete_network_acl(const wire::Context& context,
                                                          DeleteNetworkAclRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::delete_network_acl(transaction, request);
                      });
}

Task<Result<wire::Empty>> NetworkAcls::create_network_acl_entry(
    const wire::Context& context, CreateNetworkAclEntryRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_network_acl_entry(transaction, request);
                      });
}

Task<Result<wire::Empty>> NetworkAcls::replace_network_acl_entry(
    const wire::Context& context, ReplaceNetworkAclEntryRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::replace_network_acl_entry(transaction, request);
                      });
}

Task<Result<wire::Empty>> NetworkAcls::delete_network_acl_entry(
    const wire::Context& context, DeleteNetworkAclEntryRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::delete_network_acl_entry(transaction, request);
                      });
}

Task<Result<ReplaceNetworkAclAssociationResult>> NetworkAcls::replace_network_acl_association(
    const wire::Context& context, ReplaceNetworkAclAssociationRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::replace_network_acl_association(transaction, request);
                      });
}

}  // namespace terrarium::ec2
