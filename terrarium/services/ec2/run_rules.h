// RunInstances. Pure: records in, records and the answer out.
// Source: RunInstances, and "Ensuring idempotency", Amazon EC2 API Reference.
#pragma once

#include <string>

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/instance_profiles.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

// Instances that are not terminated, of one region.
inline constexpr std::size_t kInstancesMax = 500;
inline constexpr std::size_t kClientTokenCharactersMax = 64;

// Who launches, when it is not a user.
struct Launcher {
  std::string requester;  // "autoscaling.amazonaws.com"
  Tags system_tags;       // "aws:autoscaling:groupName"
};

// Pending instances with their network interfaces and volumes. As many as there is room for,
// between MinCount and MaxCount. The same client token again: the same reservation.
base::Result<Reservation> run_instances(Transaction& transaction,
                                        const RunInstancesRequest& request,
                                        const InstanceProfiles& profiles,
                                        const Launcher& launcher = {});

}  // namespace terrarium::ec2
