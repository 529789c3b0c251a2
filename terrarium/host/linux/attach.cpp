#include "terrarium/host/linux/attach.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <optional>

#include "lib/http/owned_fd.h"
#include "terrarium/host/linux/network_names.h"

namespace terrarium::host::linux_host {
namespace {

using base::Result;

// What a thread takes out of a namespace to work in it from outside.
struct Inside {
  std::optional<NetlinkSocket> socket;
  http::OwnedFd descriptor;
};

Result<Inside> open_inside(const NetworkNamespaces& namespaces, const Attachment& wanted) {
  Inside inside;
  TRY_VOID(namespaces.ensure(wanted.id, [&]() -> Result<void> {
    TRY_VOID(set_up_namespace(wanted.forwards));
    TRY(inside.socket, NetlinkSocket::open());
    inside.descriptor = http::OwnedFd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (inside.descriptor.get() < 0) return base::fail_errno("cannot open a namespace", errno);
    return {};
  }));
  return inside;
}

Result<void> set_addresses(NetlinkSocket& socket, int link, const Attachment& wanted) {
  std::vector<NetlinkRequest> requests;
  TRY(const std::vector<OwnAddress> found, list_addresses(socket, link));
  for (const OwnAddress& own : found) {
    const bool primary = own.address == wanted.address && own.prefix_length == wanted.prefix_length;
    const bool secondary =
        own.prefix_length == 32 && wanted.secondary_addresses.contains(own.address);
    if (!primary && !secondary) {
      requests.push_back(remove_address(link, own.address, own.prefix_length));
    }
  }
  requests.push_back(add_address(link, wanted.address, wanted.prefix_length));
  for (const std::string& address : wanted.secondary_addresses) {
    requests.push_back(add_address(link, address, 32));
  }
  requests.push_back(set_link_up(kLoopbackIndex));
  requests.push_back(set_link_up(link));
  requests.push_back(add_route({.table = RT_TABLE_MAIN,
                                .destination = "0.0.0.0/0",
                                .link = std::string(kInnerLink),
                                .via = wanted.gateway},
                               link, wanted.address));
  return socket.run(requests);
}

}  // namespace

Result<void> set_up_namespace(bool forwards) {
  TRY_VOID(set_sysctl("ipv6/conf/all/disable_ipv6", "1"));
  TRY_VOID(set_sysctl("ipv6/conf/default/disable_ipv6", "1"));
  // Programs that are root only in their own user namespace serve port 80 and ping.
  TRY_VOID(set_sysctl("ipv4/ip_unprivileged_port_start", "0"));
  TRY_VOID(set_sysctl("ipv4/ping_group_range", "0 2147483647"));
  // Both, because the kernel takes the larger of the two.
  for (const std::string scope : {"all", "default"}) {
    TRY_VOID(set_sysctl("ipv4/conf/" + scope + "/rp_filter", "0"));
    TRY_VOID(set_sysctl("ipv4/conf/" + scope + "/send_redirects", "0"));
    TRY_VOID(set_sysctl("ipv4/conf/" + scope + "/accept_redirects", "0"));
  }
  return set_sysctl("ipv4/ip_forward", forwards ? "1" : "0");
}

Result<int> attach(const NetworkNamespaces& namespaces, NetlinkSocket& hub,
                   const Attachment& wanted) {
  TRY(Inside inside, open_inside(namespaces, wanted));
  const std::string inner(kInnerLink);
  TRY(const Links before, list_links(*inside.socket));
  const auto there = before.find(inner);
  if (there == before.end() || there->second.mac != wanted.mac) {
    const std::vector<NetlinkRequest> requests{
        remove_link(wanted.link),
        add_pair(wanted.link, inner, inside.descriptor.get(), wanted.mac)};
    TRY_VOID(hub.run(requests));
  }
  TRY(const Link near, find_link(hub, wanted.link));
  TRY(const Link far, find_link(*inside.socket, inner));
  TRY_VOID(set_addresses(*inside.socket, far.index, wanted));
  return near.index;
}

Result<void> detach(const NetworkNamespaces& namespaces, NetlinkSocket& hub,
                    const std::vector<Attachment>& attachments) {
  std::vector<std::string> links;
  for (const Attachment& attachment : attachments) {
    if (!attachment.link.empty()) links.push_back(attachment.link);
  }
  if (!links.empty()) TRY_VOID(hub.run(remove_links(links)));
  for (const Attachment& attachment : attachments) TRY_VOID(namespaces.remove(attachment.id));
  return {};
}

Result<Attachment> observe_attachment(const NetworkNamespaces& namespaces, const std::string& id,
                                      const Links& hub_links) {
  Attachment found{.id = id};
  TRY_VOID(namespaces.enter(id, [&]() -> Result<void> {
    TRY(NetlinkSocket socket, NetlinkSocket::open());
    TRY(const Links links, list_links(socket));
    std::ifstream("/proc/sys/net/ipv4/ip_forward") >> found.forwards;
    const std::string link = link_name(found.forwards ? kNatPrefix : kInterfacePrefix, id);
    const auto inner = links.find(std::string(kInnerLink));
    if (inner == links.end() || !hub_links.contains(link)) return {};
    found.link = link;
    found.mac = inner->second.mac;
    TRY(const std::vector<OwnAddress> addresses, list_addresses(socket, inner->second.index));
    for (const OwnAddress& own : addresses) {
      if (own.prefix_length == 32) {
        found.secondary_addresses.insert(own.address);
      } else {
        found.address = own.address;
        found.prefix_length = own.prefix_length;
      }
    }
    TRY(const std::set<Route> routes, list_routes(socket, links));
    if (routes.size() == 1) found.gateway = routes.begin()->via;
    return {};
  }));
  return found;
}

}  // namespace terrarium::host::linux_host
