// EC2 as the wire layer sees it: one coroutine per operation, each noun's in its own class.
#pragma once

#include "terrarium/services/ec2/absent_networking.h"
#include "terrarium/services/ec2/addresses.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/gateways.h"
#include "terrarium/services/ec2/images.h"
#include "terrarium/services/ec2/instance_profiles.h"
#include "terrarium/services/ec2/instances.h"
#include "terrarium/services/ec2/key_pairs.h"
#include "terrarium/services/ec2/launch_templates.h"
#include "terrarium/services/ec2/network_acls.h"
#include "terrarium/services/ec2/network_interfaces.h"
#include "terrarium/services/ec2/route_tables.h"
#include "terrarium/services/ec2/security_groups.h"
#include "terrarium/services/ec2/subnets.h"
#include "terrarium/services/ec2/tag_operations.h"
#include "terrarium/services/ec2/vpcs.h"
#include "terrarium/services/ec2/zones.h"

namespace terrarium::ec2 {

class Service : public Vpcs,
                public Subnets,
                public RouteTables,
                public Gateways,
                public NetworkAcls,
                public Addresses,
                public NetworkInterfaces,
                public AbsentNetworking,
                public SecurityGroups,
                public KeyPairs,
                public TagOperations,
                public Zones,
                public LaunchTemplates,
                public Images,
                public Instances {
 public:
  // Both outlive the service.
  Service(Core& core, const InstanceProfiles& profiles)
      : Vpcs(core),
        Subnets(core),
        RouteTables(core),
        Gateways(core),
        NetworkAcls(core),
        Addresses(core),
        NetworkInterfaces(core),
        AbsentNetworking(core),
        SecurityGroups(core),
        KeyPairs(core),
        TagOperations(core),
        Zones(core),
        LaunchTemplates(core),
        Images(core),
        Instances(core, profiles) {}
};

}  // namespace terrarium::ec2
