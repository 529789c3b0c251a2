// What IAM's policies are asked about EC2's resources: their ARNs, and the condition keys that EC2
// knows of them. Pure.
// Source: "Actions, resources, and condition keys for Amazon EC2", Service Authorization Reference.
#pragma once

#include <string>
#include <string_view>

#include "terrarium/services/ec2/state.h"
#include "terrarium/wire/authorisation.h"

namespace terrarium::ec2 {

// `name` is an id, or a name of those kinds that have names: "security-group", "launch-template",
// "key-pair". Of kind "resource" the id tells the kind. An empty name means any of the kind.
std::string resource_arn(const State& state, const wire::Context& context, std::string_view kind,
                         std::string_view name);

// ec2:Region, ec2:ResourceTag and aws:ResourceTag, ec2:InstanceType, ec2:AvailabilityZone, ec2:Vpc.
void add_conditions(const State& state, const wire::Context& context,
                    const wire::MemberText& member, wire::PolicyRequest& asked);

}  // namespace terrarium::ec2
