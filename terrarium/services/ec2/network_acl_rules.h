// The rules of network access control lists. Pure.
// Source: "Control subnet traffic with network access control lists", Amazon VPC User Guide.
// Every list ends with rule 32767, which denies the rest: shown, never stored, never changed.
#pragma once

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

inline constexpr int kAclFinalRule = 32767;
// AWS's default quota, of each direction.
inline constexpr int kAclEntriesMax = 20;

// The list of a VPC that new subnets get.
NetworkAclId default_network_acl(const State& state, const VpcId& vpc);

base::Result<CreateNetworkAclResult> create_network_acl(Transaction& transaction,
                                                        const CreateNetworkAclRequest& request);
base::Result<DescribeNetworkAclsResult> describe_network_acls(
    const State& state, const Scene& scene, const DescribeNetworkAclsRequest& request);
base::Result<wire::Empty> delete_network_acl(Transaction& transaction,
                                             const DeleteNetworkAclRequest& request);
base::Result<wire::Empty> create_network_acl_entry(Transaction& transaction,
                                                   const CreateNetworkAclEntryRequest& request);
base::Result<wire::Empty> replace_network_acl_entry(Transaction& transaction,
                                                    const ReplaceNetworkAclEntryRequest& request);
base::Result<wire::Empty> delete_network_acl_entry(Transaction& transaction,
                                                   const DeleteNetworkAclEntryRequest& request);
base::Result<ReplaceNetworkAclAssociationResult> replace_network_acl_association(
    Transaction& transaction, const ReplaceNetworkAclAssociationRequest& request);

}  // namespace terrarium::ec2
