// The operations of network interfaces: rules in interface_rules.h.
#pragma once

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/vpcs.h"

namespace terrarium::ec2 {

class NetworkInterfaces {
 public:
  explicit NetworkInterfaces(Core& core) : core_(core) {}

  EC2_OPERATION(create_network_interface, CreateNetworkInterfaceRequest,
                CreateNetworkInterfaceResult);
  EC2_OPERATION(describe_network_interfaces, DescribeNetworkInterfacesRequest,
                DescribeNetworkInterfacesResult);
  EC2_OPERATION(describe_network_interface_attribute, DescribeNetworkInterfaceAttributeRequest,
                DescribeNetworkInterfaceAttributeResult);
  EC2_OPERATION(modify_network_interface_attribute, ModifyNetworkInterfaceAttributeRequest,
                wire::Empty);
  EC2_OPERATION(attach_network_interface, AttachNetworkInterfaceRequest,
                AttachNetworkInterfaceResult);
  EC2_OPERATION(detach_network_interface, DetachNetworkInterfaceRequest, wire::Empty);
  EC2_OPERATION(delete_network_interface, DeleteNetworkInterfaceRequest, wire::Empty);
  EC2_OPERATION(assign_private_ip_addresses, AssignPrivateIpAddressesRequest,
                AssignPrivateIpAddressesResult);
  EC2_OPERATION(unassign_private_ip_addresses, UnassignPrivateIpAddressesRequest, wire::Empty);

 private:
  Core& core_;
};

}  // namespace terrarium::ec2
