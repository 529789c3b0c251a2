// Regions, availability zones and what an account may have: answers that no record changes.
// Source: DescribeRegions, DescribeAvailabilityZones, DescribeAccountAttributes, Amazon EC2 API
// Reference.
#pragma once

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

base::Result<DescribeRegionsResult> describe_regions(const State& state,
                                                     const DescribeRegionsRequest& request);
base::Result<DescribeAvailabilityZonesResult> describe_availability_zones(
    const State& state, const std::string& region, const DescribeAvailabilityZonesRequest& request);
base::Result<DescribeAccountAttributesResult> describe_account_attributes(
    const State& state, const DescribeAccountAttributesRequest& request);

}  // namespace terrarium::ec2
