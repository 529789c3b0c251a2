// What a RunInstances request asks for once the launch template that it names lies under its own
// fields. Pure. Source: "Launch instances from a launch template", Amazon EC2 User Guide.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

struct LaunchTemplateUse {
  LaunchTemplateId id;
  std::int64_t version = 0;
};

struct LaunchRequest {
  RunInstancesRequest request;
  std::optional<LaunchTemplateUse> launch_template;
};

// By id or name (one of them); by number, "$Latest", "$Default", or the default version when none
// is named. AWS's errors of templates otherwise.
base::Result<LaunchTemplateUse> find_launch_template(const State& state,
                                                     const LaunchTemplateSpecification& wanted);

// A field of the request replaces the template's; tags of both are given, the request's first.
base::Result<LaunchRequest> with_launch_template(const State& state, RunInstancesRequest request);

// Tells requests under one client token apart.
std::string digest_of(const RunInstancesRequest& request);

}  // namespace terrarium::ec2
