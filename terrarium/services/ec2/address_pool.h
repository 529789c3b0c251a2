// Which addresses are free: private ones in a subnet, public ones of the region's own range.
// Pure. Source: "Subnet CIDR blocks", Amazon VPC User Guide.
#pragma once

#include <cstdint>
#include <string>

#include "lib/base/random.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

// AWS keeps the first four addresses of a subnet and the last one.
inline constexpr std::uint32_t kReservedFirstAddresses = 4;

// How many addresses of the subnet are nobody's.
std::uint32_t free_addresses(const State& state, const SubnetRecord& subnet);
// InsufficientFreeAddressesInSubnet when there is none.
base::Result<std::string> free_private_address(const Transaction& transaction,
                                               const SubnetRecord& subnet);
// Whether an address that a request names can be had: within the subnet, not kept by AWS
// (InvalidParameterValue), nobody's (InvalidIPAddress.InUse).
base::Result<void> check_private_address(const State& state, const SubnetRecord& subnet,
                                         const std::string& address);

// From host::kPublicCidr, neither lent to an interface nor an elastic address, in any region: the
// internet is one. InsufficientAddressCapacity when there is none.
base::Result<std::string> free_public_address(const Transaction& transaction);

std::string new_mac_address(base::Random& random);

}  // namespace terrarium::ec2
