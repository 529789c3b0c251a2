// What surrounds a VPC on AWS and hardly exists here: of peering, endpoints, VPN and egress-only
// gateways and prefix lists there are none, and asking for one by its id is NotFound. Filters have
// nothing to choose from. ClassicLink is off everywhere, as on AWS today.
//
// DHCP options are kept and shown; every instance gets the VPC's resolver whatever they say.
#pragma once

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/vpcs.h"

namespace terrarium::ec2 {

base::Result<DescribeVpcClassicLinkResult> describe_vpc_classic_link(
    const State& state, const DescribeVpcClassicLinkRequest& request);
base::Result<DescribeVpcClassicLinkDnsSupportResult> describe_vpc_classic_link_dns_support(
    const State& state, const DescribeVpcClassicLinkDnsSupportRequest& request);
base::Result<DescribeDhcpOptionsResult> describe_dhcp_options(
    const State& state, const Scene& scene, const DescribeDhcpOptionsRequest& request);
// The id, or "default".
base::Result<wire::Empty> associate_dhcp_options(Transaction& transaction,
                                                 const AssociateDhcpOptionsRequest& request);

class AbsentNetworking {
 public:
  explicit AbsentNetworking(Core& core) : core_(core) {}

  EC2_OPERATION(describe_vpc_classic_link, DescribeVpcClassicLinkRequest,
                DescribeVpcClassicLinkResult);
  EC2_OPERATION(describe_vpc_classic_link_dns_support, DescribeVpcClassicLinkDnsSupportRequest,
                DescribeVpcClassicLinkDnsSupportResult);
  EC2_OPERATION(describe_vpc_peering_connections, DescribeVpcPeeringConnectionsRequest,
                DescribeVpcPeeringConnectionsResult);
  EC2_OPERATION(describe_egress_only_internet_gateways, DescribeEgressOnlyInternetGatewaysRequest,
                DescribeEgressOnlyInternetGatewaysResult);
  EC2_OPERATION(describe_vpn_gateways, DescribeVpnGatewaysRequest, DescribeVpnGatewaysResult);
  EC2_OPERATION(describe_vpc_endpoints, DescribeVpcEndpointsRequest, DescribeVpcEndpointsResult);
  EC2_OPERATION(describe_prefix_lists, DescribePrefixListsRequest, DescribePrefixListsResult);
  EC2_OPERATION(describe_managed_prefix_lists, DescribeManagedPrefixListsRequest,
                DescribeManagedPrefixListsResult);
  EC2_OPERATION(describe_dhcp_options, DescribeDhcpOptionsRequest, DescribeDhcpOptionsResult);
  EC2_OPERATION(associate_dhcp_options, AssociateDhcpOptionsRequest, wire::Empty);

 private:
  Core& core_;
};

}  // namespace terrarium::ec2
