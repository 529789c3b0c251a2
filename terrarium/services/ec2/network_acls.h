// The operations of network ACLs: rules in network_acl_rules.h.
#pragma once

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/vpcs.h"

namespace terrarium::ec2 {

class NetworkAcls {
 public:
  explicit NetworkAcls(Core& core) : core_(core) {}

  EC2_OPERATION(create_network_acl, CreateNetworkAclRequest, CreateNetworkAclResult);
  EC2_OPERATION(describe_network_acls, DescribeNetworkAclsRequest, DescribeNetworkAclsResult);
  EC2_OPERATION(delete_network_acl, DeleteNetworkAclRequest, wire::Empty);
  EC2_OPERATION(create_network_acl_entry, CreateNetworkAclEntryRequest, wire::Empty);
  EC2_OPERATION(replace_network_acl_entry, ReplaceNetworkAclEntryRequest, wire::Empty);
  EC2_OPERATION(delete_network_acl_entry, DeleteNetworkAclEntryRequest, wire::Empty);
  EC2_OPERATION(replace_network_acl_association, ReplaceNetworkAclAssociationRequest,
                ReplaceNetworkAclAssociationResult);

 private:
  Core& core_;
};

}  // namespace terrarium::ec2
