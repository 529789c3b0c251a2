// What the kernel's networks must be, from the records. Pure.
#pragma once

#include <string>

#include "terrarium/host/network.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

// Whether the VPC needs a network at all: one that holds no interface costs nothing.
bool needs_network(const State& state, const VpcId& vpc);

host::VpcSpec desired_network(const State& state, const std::string& region, const VpcRecord& vpc);

// A target that is gone, or that nothing runs behind, is a black hole, as AWS shows it.
host::RouteSpec route_spec(const State& state, const VpcId& vpc, const RouteRecord& route);

// A NAT gateway that is there, or about to be.
bool is_live(const NatGatewayRecord& gateway);

// The address by which the internet side reaches an interface; empty when there is none.
std::string public_address_of(const State& state, const NetworkInterfaceRecord& network_interface);

// Whether something runs behind the interface, or is about to.
bool in_use(const State& state, const NetworkInterfaceRecord& network_interface);

}  // namespace terrarium::ec2
