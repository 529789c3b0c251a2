#include "terrarium/services/ec2/security_groups.h"

#include "terrarium/services/ec2/security_group_rules.h"

namespace terrarium::ec2 {

using base::Result;
using runtime::Task;

Task<Result<CreateSecurityGroupResult>> SecurityGroups::create_security_group(
    const wire::Context& context, CreateSecurityGroupRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_security_group(transaction, request);
                      });
}

Task<Result<DeleteSecurityGroupResult>> SecurityGroups::delete_security_group(
    const wire::Context& context, DeleteSecurityGroupRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::delete_security_group(transaction, request);
                      });
}

Task<Result<DescribeSecurityGroupsResult>> SecurityGroups::describe_security_groups(
    const wire::Context& context, DescribeSecurityGroupsRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_security_groups(*state, core_.scene_of(context), request);
}

Task<Result<DescribeSecurityGroupRulesResult>> SecurityGroups::describe_security_group_rules(
    const wire::Context& context, DescribeSecurityGroupRulesRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_security_group_rules(*state, core_.scene_of(context), request);
}

Task<Result<AuthorizeSecurityGroupIngressResult>> SecurityGroups::authorize_security_group_ingress(
    const wire::Context& context, AuthorizeSecurityGroupIngressRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::authorize_ingress(transaction, request);
                      });
}

Task<Result<AuthorizeSecurityGroupEgressResult>> SecurityGroups::authorize_security_group_egress(
    const wire::Context& context, AuthorizeSecurityGroupEgressRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::authorize_egress(transaction, request);
                      });
}

Task<Result<RevokeSecurityGroupIngressResult>> SecurityGroups::revoke_security_group_ingress(
    const wire::Context& context, RevokeSecurityGroupIngressRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::revoke_ingress(transaction, request);
                      });
}

Task<Result<RevokeSecurityGroupEgressResult>> SecurityGroups::revoke_security_group_egress(
    const wire::Context& context, RevokeSecurityGroupEgressRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::revoke_egress(transaction, request);
                      });
}

Task<Result<ModifySecurityGroupRulesResult>> SecurityGroups::modify_security_group_rules(
    const wire::Context& context, ModifySecurityGroupRulesRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::modify_security_group_rules(transaction, request);
                      });
}

Task<Result<UpdateSecurityGroupRuleDescriptionsIngressResult>>
SecurityGroups::update_security_group_rule_descriptions_ingress(
    const wire::Context& context, UpdateSecurityGroupRuleDescriptionsIngressRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::update_ingress_descriptions(transaction, request);
                      });
}

Task<Result<UpdateSecurityGroupRuleDescriptionsEgressResult>>
SecurityGroups::update_security_group_rule_descriptions_egress(
    const wire::Context& context, UpdateSecurityGroupRuleDescriptionsEgressRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::update_egress_descriptions(transaction, request);
                      });
}

}  // namespace terrarium::ec2
