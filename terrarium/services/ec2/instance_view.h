// How instances are described: every element that clients read. Pure.
// Source: Instance, Amazon EC2 API Reference.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/filter.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

// Whose records these are.
struct Place {
  std::string region;
  std::string account;
};

InstanceState state_view(InstanceStateName state);
InstanceMetadataOptionsResponse metadata_view(const MetadataOptionsRecord& options);
std::vector<GroupIdentifier> group_views(const State& state,
                                         const std::vector<SecurityGroupId>& groups);
// A zone is its region's name and a letter.
std::string region_of(const InstanceRecord& instance);
// Its first; null when it has been terminated.
const NetworkInterfaceRecord* primary_interface(const State& state, const InstanceRecord& instance);
std::vector<InstanceBlockDeviceMapping> device_views(const State& state,
                                                     const InstanceRecord& instance);

Instance view(const State& state, const InstanceRecord& instance, const Place& place);
// Grouped by the request that launched them.
std::vector<Reservation> reservation_views(const State& state,
                                           const std::vector<const InstanceRecord*>& instances,
                                           const Place& place);

std::span<const FilterField<InstanceRecord>> instance_filters();

}  // namespace terrarium::ec2
