// The operations of security groups: rules in security_group_rules.h.
#pragma once

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/vpcs.h"

namespace terrarium::ec2 {

class SecurityGroups {
 public:
  explicit SecurityGroups(Core& core) : core_(core) {}

  EC2_OPERATION(create_security_group, CreateSecurityGroupRequest, CreateSecurityGroupResult);
  EC2_OPERATION(delete_security_group, DeleteSecurityGroupRequest, DeleteSecurityGroupResult);
  EC2_OPERATION(describe_security_groups, DescribeSecurityGroupsRequest,
                DescribeSecurityGroupsResult);
  EC2_OPERATION(describe_security_group_rules, DescribeSecurityGroupRulesRequest,
                DescribeSecurityGroupRulesResult);
  EC2_OPERATION(authorize_security_group_ingress, AuthorizeSecurityGroupIngressRequest,
                AuthorizeSecurityGroupIngressResult);
  EC2_OPERATION(authorize_security_group_egress, AuthorizeSecurityGroupEgressRequest,
                AuthorizeSecurityGroupEgressResult);
  EC2_OPERATION(revoke_security_group_ingress, RevokeSecurityGroupIngressRequest,
                RevokeSecurityGroupIngressResult);
  EC2_OPERATION(revoke_security_group_egress, RevokeSecurityGroupEgressRequest,
                RevokeSecurityGroupEgressResult);
  EC2_OPERATION(modify_security_group_rules, ModifySecurityGroupRulesRequest,
                ModifySecurityGroupRulesResult);
  EC2_OPERATION(update_security_group_rule_descriptions_ingress,
                UpdateSecurityGroupRuleDescriptionsIngressRequest,
                UpdateSecurityGroupRuleDescriptionsIngressResult);
  EC2_OPERATION(update_security_group_rule_descriptions_egress,
                UpdateSecurityGroupRuleDescriptionsEgressRequest,
                UpdateSecurityGroupRuleDescriptionsEgressResult);

 private:
  Core& core_;
};

}  // namespace terrarium::ec2
