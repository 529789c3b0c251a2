// EC2 as the wire layer sees it: one coroutine per operation, each noun's in its own class.
#pragma once

#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/instance_profiles.h"
#include "terrarium/services/ec2/instances.h"
#include "terrarium/services/ec2/vpcs.h"

namespace terrarium::ec2 {

class Service : public Vpcs, public Instances {
 public:
  // Both outlive the service.
  Service(Core& core, const InstanceProfiles& profiles) : Vpcs(core), Instances(core, profiles) {}
};

}  // namespace terrarium::ec2
