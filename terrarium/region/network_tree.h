// What the VPCs of a region hold, for `terrarium status`.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <string>

#include "terrarium/services/ec2/state.h"

namespace terrarium::region {

// Each VPC with its "subnets" by zone, each subnet with its "members": instances that are not
// terminated, then the network interfaces of gateways, databases and balancers. A default VPC is
// left out until something uses it. `states` by AWS region.
boost::json::array network_tree(const std::map<std::string, ec2::State, std::less<>>& states);

}  // namespace terrarium::region
