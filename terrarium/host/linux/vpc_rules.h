// The packet filter of a VPC's router: anti-spoofing, network ACLs, security groups, translation of
// public addresses. Pure: from a spec to one nftables table.
//
// A packet's way: prerouting (who may send as whom; public to private; addresses that nobody has),
// then forward (subnets' ACLs, stateless; then what is established; then the sender's groups and
// the receiver's, two gates), then postrouting (private to public). A gate is found by the link in
// one look-up, however many there are.
#pragma once

#include "lib/base/result.h"
#include "terrarium/host/linux/nft_ruleset.h"
#include "terrarium/host/network.h"

namespace terrarium::host::linux_host {

// Connections that one interface may have open; the kernel's table is shared by all.
inline constexpr int kConnectionsMax = 20'000;

// The spec has passed desired_state().
base::Result<NftRuleset> vpc_rules(const VpcSpec& spec);
// Inside a NAT gateway's namespace: out, never in.
NftRuleset nat_rules(const std::string& address);
// Between the VPCs.
NftRuleset internet_rules();

}  // namespace terrarium::host::linux_host
