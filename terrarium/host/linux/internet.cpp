#include "terrarium/host/linux/internet.h"

#include <linux/rtnetlink.h>

#include <optional>

#include "terrarium/host/linux/ipv4.h"
#include "terrarium/host/linux/network_names.h"
#include "terrarium/host/linux/vpc_rules.h"

namespace terrarium::host::linux_host {
namespace {

using base::Result;

Route host_route(const std::string& address, const std::string& link) {
  return {.table = RT_TABLE_MAIN, .destination = address + "/32", .link = link};
}

std::string without_length(const std::string& destination) {
  return destination.substr(0, destination.find('/'));
}

}  // namespace

Result<std::unique_ptr<Internet>> Internet::open(const NetworkNamespaces& namespaces) {
  std::optional<NetlinkSocket> socket;
  std::optional<Nft> nft;
  TRY_VOID(namespaces.ensure(std::string(kInternetId), [&]() -> Result<void> {
    TRY_VOID(set_up_namespace(true));
    // What comes from a link is answered there too: nobody sends as somebody else.
    TRY_VOID(set_sysctl("ipv4/conf/all/rp_filter", "1"));
    TRY_VOID(set_sysctl("ipv4/conf/default/rp_filter", "1"));
    TRY(socket, NetlinkSocket::open());
    TRY(nft, Nft::open());
    return {};
  }));
  std::unique_ptr<Internet> made(new Internet(namespaces, *std::move(socket)));
  const std::vector<NetlinkRequest> requests{
      set_link_up(kLoopbackIndex), add_address(kLoopbackIndex, std::string(kApiAddress), 32),
      add_address(kLoopbackIndex, std::string(kOperatorAddress), 32)};
  TRY_VOID(made->socket_.run(requests));
  TRY_VOID(nft->run(full_text(internet_rules())));
  return made;
}

Result<void> Internet::connect_vpc(const std::string& vpc_id, int router) {
  const std::lock_guard lock(mutex_);
  const std::string link = link_name(kVpcPrefix, vpc_id);
  const std::vector<NetlinkRequest> requests{
      remove_link(link), add_pair(link, std::string(kInternetLink), router, mac_address(vpc_id))};
  return socket_.run(requests);
}

Result<void> Internet::disconnect_vpc(const std::string& vpc_id) {
  const std::lock_guard lock(mutex_);
  const std::vector<NetlinkRequest> requests{remove_link(link_name(kVpcPrefix, vpc_id))};
  return socket_.run(requests);
}

Result<std::set<std::string>> Internet::public_addresses(const std::string& vpc_id) {
  const std::lock_guard lock(mutex_);
  TRY(const Links links, list_links(socket_));
  TRY(const std::set<Route> routes, list_routes(socket_, links));
  const std::string link = link_name(kVpcPrefix, vpc_id);
  std::set<std::string> addresses;
  for (const Route& route : routes) {
    if (route.link == link) addresses.insert(without_length(route.destination));
  }
  return addresses;
}

Result<void> Internet::change_public_addresses(const std::string& vpc_id,
                                               const std::set<std::string>& to_remove,
                                               const std::set<std::string>& to_add) {
  if (to_remove.empty() && to_add.empty()) return {};
  const std::lock_guard lock(mutex_);
  const std::string name = link_name(kVpcPrefix, vpc_id);
  TRY(const Link link, find_link(socket_, name));
  std::vector<NetlinkRequest> requests;
  for (const std::string& address : to_remove) {
    requests.push_back(remove_route(host_route(address, name), link.index));
  }
  for (const std::string& address : to_add) {
    requests.push_back(
        add_route(host_route(address, name), link.index, std::string(kOperatorAddress)));
  }
  return socket_.run(requests);
}

// The link's own, when it is there already, or the lowest that nobody has.
Result<std::string> Internet::free_isolated_address(const std::string& link) {
  TRY(const Links links, list_links(socket_));
  TRY(const std::set<Route> routes, list_routes(socket_, links));
  std::set<std::string> taken;
  for (const Route& route : routes) {
    if (route.link == link) return without_length(route.destination);
    taken.insert(without_length(route.destination));
  }
  TRY(const Ipv4Range range, parse_ipv4_range(std::string(kIsolatedCidr)));
  for (std::uint32_t at = range.first + 1; range.contains(at + 1); ++at) {
    if (!taken.contains(ipv4_text(at))) return ipv4_text(at);
  }
  return base::fail(base::ErrorKind::Throttled, "All isolated namespaces' addresses are taken.");
}

Result<void> Internet::add_isolated(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const std::string link = link_name(kIsolatedPrefix, id);
  TRY(const std::string address, free_isolated_address(link));
  TRY(const int index, attach(namespaces_, socket_,
                              {.id = id,
                               .link = link,
                               .mac = mac_address(id),
                               .address = address,
                               .gateway = std::string(kLinkGateway)}));
  const std::vector<NetlinkRequest> requests{add_route(host_route(address, link), index)};
  return socket_.run(requests);
}

Result<void> Internet::remove_isolated(const std::string& id) {
  const std::lock_guard lock(mutex_);
  return detach(namespaces_, socket_, {{.id = id, .link = link_name(kIsolatedPrefix, id)}});
}

}  // namespace terrarium::host::linux_host
