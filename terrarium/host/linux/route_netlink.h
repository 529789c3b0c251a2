// The netlink requests that make a network, and the dumps that show one: links, addresses, routes,
// rules. Each request is one message; a NetlinkSocket carries many out at once.
//
// What is there already and what is gone already are no failures: every step may be repeated.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "terrarium/host/linux/netlink.h"
#include "terrarium/host/linux/network_plan.h"

namespace terrarium::host::linux_host {

inline constexpr int kLoopbackIndex = 1;

// Two ends of a virtual cable with one MAC address, so that neither asks by ARP. The near one is
// up; the far one is made in the namespace that `far_namespace` is a descriptor of.
NetlinkRequest add_pair(const std::string& near, const std::string& far, int far_namespace,
                        const std::string& mac);
NetlinkRequest remove_link(const std::string& name);
// All of them at once: removing one makes the kernel wait for every processor, removing a hundred
// does so once too.
std::vector<NetlinkRequest> remove_links(const std::vector<std::string>& names);
NetlinkRequest set_link_up(int index);
// Without the route to its range that the kernel would add: everything goes by the gateway.
NetlinkRequest add_address(int link, const std::string& address, int prefix_length);
NetlinkRequest remove_address(int link, const std::string& address, int prefix_length);

struct Link {
  int index = 0;
  std::string mac;
};
using Links = std::map<std::string, Link>;  // by name

// `link` is the index of the route's, ignored where it has none. `source`: which address the
// namespace's own packets bear; empty: the kernel chooses.
NetlinkRequest add_route(const Route& route, int link, const std::string& source = "");
NetlinkRequest remove_route(const Route& route, int link);
NetlinkRequest add_rule(const PolicyRule& rule);
NetlinkRequest remove_rule(const PolicyRule& rule);

// What the socket's namespace has.
base::Result<Links> list_links(NetlinkSocket& socket);
// One that is there.
base::Result<Link> find_link(NetlinkSocket& socket, const std::string& name);
struct OwnAddress {
  std::string address;
  int prefix_length = 32;
};
base::Result<std::vector<OwnAddress>> list_addresses(NetlinkSocket& socket, int link);
// IPv4 routes of all tables but the kernel's own local one.
base::Result<std::set<Route>> list_routes(NetlinkSocket& socket, const Links& links);
// IPv4 rules, without the three that every namespace begins with.
base::Result<std::set<PolicyRule>> list_rules(NetlinkSocket& socket);

}  // namespace terrarium::host::linux_host
