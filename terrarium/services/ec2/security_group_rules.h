// The rules of security groups. Pure: records in, records and answers out.
// Source: "Security groups", Amazon VPC User Guide; quotas: "Amazon VPC quotas".
#pragma once

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

inline constexpr std::size_t kSecurityGroupsMax = 2500;       // of a region
inline constexpr std::size_t kRulesPerSecurityGroupMax = 60;  // in one direction, of one IP version

base::Result<CreateSecurityGroupResult> create_security_group(
    Transaction& transaction, const CreateSecurityGroupRequest& request);
// DependencyViolation while an interface or a rule of another group needs it.
base::Result<DeleteSecurityGroupResult> delete_security_group(
    Transaction& transaction, const DeleteSecurityGroupRequest& request);
base::Result<DescribeSecurityGroupsResult> describe_security_groups(
    const State& state, const Scene& scene, const DescribeSecurityGroupsRequest& request);
base::Result<DescribeSecurityGroupRulesResult> describe_security_group_rules(
    const State& state, const Scene& scene, const DescribeSecurityGroupRulesRequest& request);

base::Result<AuthorizeSecurityGroupIngressResult> authorize_ingress(
    Transaction& transaction, const AuthorizeSecurityGroupIngressRequest& request);
base::Result<AuthorizeSecurityGroupEgressResult> authorize_egress(
    Transaction& transaction, const AuthorizeSecurityGroupEgressRequest& request);
base::Result<RevokeSecurityGroupIngressResult> revoke_ingress(
    Transaction& transaction, const RevokeSecurityGroupIngressRequest& request);
base::Result<RevokeSecurityGroupEgressResult> revoke_egress(
    Transaction& transaction, const RevokeSecurityGroupEgressRequest& request);
base::Result<ModifySecurityGroupRulesResult> modify_security_group_rules(
    Transaction& transaction, const ModifySecurityGroupRulesRequest& request);
base::Result<UpdateSecurityGroupRuleDescriptionsIngressResult> update_ingress_descriptions(
    Transaction& transaction, const UpdateSecurityGroupRuleDescriptionsIngressRequest& request);
base::Result<UpdateSecurityGroupRuleDescriptionsEgressResult> update_egress_descriptions(
    Transaction& transaction, const UpdateSecurityGroupRuleDescriptionsEgressRequest& request);

}  // namespace terrarium::ec2
