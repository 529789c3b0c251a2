// The rules of elastic addresses. Pure. Source: "Elastic IP addresses", Amazon EC2 User Guide.
// An interface has one public address at most: a lent one goes away when an elastic one comes.
#pragma once

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

// AWS's default quota of a region.
inline constexpr std::size_t kAddressesMax = 5;

base::Result<AllocateAddressResult> allocate_address(Transaction& transaction,
                                                     const AllocateAddressRequest& request);
base::Result<DescribeAddressesResult> describe_addresses(const State& state, const Scene& scene,
                                                         const DescribeAddressesRequest& request);
// No address has a name of its own (PTR) here.
base::Result<DescribeAddressesAttributeResult> describe_addresses_attribute(
    const State& state, const DescribeAddressesAttributeRequest& request);
// An address or an interface that is associated already changes over, unless AllowReassociation is
// false. A NAT gateway keeps its address.
base::Result<AssociateAddressResult> associate_address(Transaction& transaction,
                                                       const AssociateAddressRequest& request);
base::Result<wire::Empty> disassociate_address(Transaction& transaction,
                                               const DisassociateAddressRequest& request);
base::Result<wire::Empty> release_address(Transaction& transaction,
                                          const ReleaseAddressRequest& request);

}  // namespace terrarium::ec2
