// What the kernel must have for a VPC, apart from its packet filter (vpc_rules.h), and what leads
// there. Pure: a spec becomes a set of kernel objects; two such sets become changes, the same way
// whether the first is what this daemon made or what it found in the kernel.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/host/network.h"

namespace terrarium::host::linux_host {

// Host routes of the VPC's own addresses: asked before any route table, as AWS's local route.
inline constexpr std::uint32_t kLocalTable = 100;

// A namespace on a link of its own to a hub (the VPC's router, or the internet).
struct Attachment {
  std::string id;    // of its namespace
  std::string link;  // the hub's end
  std::string mac;   // of both ends: neither asks by ARP
  std::string address;
  int prefix_length = 32;
  std::string gateway;
  std::set<std::string> secondary_addresses;
  bool forwards = false;  // a NAT gateway's: routes, and translates
  friend bool operator==(const Attachment&, const Attachment&) = default;
};

struct Route {
  std::uint32_t table = 0;
  std::string destination;  // always with a length: "10.0.1.5/32"
  std::string link;         // empty: what goes there is dropped
  std::string via;          // empty: it is on the link
  friend auto operator<=>(const Route&, const Route&) = default;
};

struct PolicyRule {
  std::uint32_t preference = 0;
  std::string from;  // empty: any
  std::string link;  // that it came in by; empty: any
  std::uint32_t table = 0;
  friend auto operator<=>(const PolicyRule&, const PolicyRule&) = default;
};

struct RouterState {
  std::map<std::string, Attachment> attachments;
  std::set<std::string> own_addresses;  // that the router answers to
  std::set<Route> routes;
  std::set<PolicyRule> rules;
  // Routed to this VPC on the internet side.
  std::set<std::string> public_addresses;
  friend bool operator==(const RouterState&, const RouterState&) = default;
};

// Refuses a spec that contradicts itself: unknown ids, addresses used twice or outside their
// subnet, routes that AWS allows and this router cannot have.
base::Result<RouterState> desired_state(const VpcSpec& spec);

struct RouterChanges {
  std::set<std::string> public_to_remove;
  std::vector<PolicyRule> rules_to_remove;
  std::vector<Route> routes_to_remove;
  std::vector<Attachment> to_detach;  // with its namespace
  std::vector<Attachment> to_attach;  // new, or to be corrected in place
  std::set<std::string> own_to_remove;
  std::set<std::string> own_to_add;
  std::vector<Route> routes_to_add;
  std::vector<PolicyRule> rules_to_add;
  std::set<std::string> public_to_add;

  bool empty() const;
};

// In the order in which they are to be done.
RouterChanges changes_between(const RouterState& from, const RouterState& to);

}  // namespace terrarium::host::linux_host
