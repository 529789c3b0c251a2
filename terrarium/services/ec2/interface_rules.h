// The rules of network interfaces. Pure. Source: "Elastic network interfaces", Amazon EC2 User
// Guide. An interface is attached when its instance is launched, as device 0, and until that ends.
// Those of services (a load balancer's, a NAT gateway's) are shown and nobody else's to change.
#pragma once

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

inline constexpr std::size_t kSecondaryAddressesMax = 49;

base::Result<CreateNetworkInterfaceResult> create_network_interface(
    Transaction& transaction, const CreateNetworkInterfaceRequest& request);
base::Result<DescribeNetworkInterfacesResult> describe_network_interfaces(
    const State& state, const Scene& scene, const DescribeNetworkInterfacesRequest& request);
base::Result<DescribeNetworkInterfaceAttributeResult> describe_network_interface_attribute(
    const State& state, const DescribeNetworkInterfaceAttributeRequest& request);
base::Result<wire::Empty> modify_network_interface_attribute(
    Transaction& transaction, const ModifyNetworkInterfaceAttributeRequest& request);
// UnsupportedOperation: see above.
base::Result<AttachNetworkInterfaceResult> attach_network_interface(
    const State& state, const AttachNetworkInterfaceRequest& request);
// OperationNotPermitted: device 0 stays, as on AWS, and no other exists.
base::Result<wire::Empty> detach_network_interface(const State& state,
                                                   const DetachNetworkInterfaceRequest& request);
base::Result<wire::Empty> delete_network_interface(Transaction& transaction,
                                                   const DeleteNetworkInterfaceRequest& request);
base::Result<AssignPrivateIpAddressesResult> assign_private_ip_addresses(
    Transaction& transaction, const AssignPrivateIpAddressesRequest& request);
base::Result<wire::Empty> unassign_private_ip_addresses(
    Transaction& transaction, const UnassignPrivateIpAddressesRequest& request);

}  // namespace terrarium::ec2
