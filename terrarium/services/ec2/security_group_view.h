// Security groups and their rules as Describe operations show them. Pure.
#pragma once

#include <string>

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

SecurityGroup view(const SecurityGroupRecord& group, const Scene& scene);
std::string security_group_arn(const Scene& scene, const SecurityGroupId& id);
SecurityGroupRule view(const SecurityGroupRecord& group, const SecurityGroupRuleRecord& rule,
                       const Scene& scene);
// AWS's refusal of a rule's id that no rule has.
base::Error unknown_rule(const std::string& id);

}  // namespace terrarium::ec2
