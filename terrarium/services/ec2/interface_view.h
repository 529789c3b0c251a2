// Network interfaces as answers show them, and the filters of DescribeNetworkInterfaces. Pure.
#pragma once

#include <span>

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/filter.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

NetworkInterface view(const State& state, const NetworkInterfaceRecord& record, const Scene& scene);
// Nothing when the interface is not attached.
std::optional<NetworkInterfaceAttachment> attachment_view(const NetworkInterfaceRecord& record);
std::vector<GroupIdentifier> groups_view(const State& state, const NetworkInterfaceRecord& record);

std::span<const FilterField<NetworkInterfaceRecord>> network_interface_filters();

}  // namespace terrarium::ec2
