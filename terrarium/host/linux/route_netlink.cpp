#include "terrarium/host/linux/route_netlink.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "terrarium/host/linux/network_names.h"

namespace terrarium::host::linux_host {
namespace {

using base::Result;

constexpr std::uint16_t kCreate = NLM_F_ACK | NLM_F_CREATE;
// Of links that are about to be removed; the others are in group 0.
constexpr std::uint32_t kLeavingGroup = 7;
// Rules below this one are the kernel's own: local, main, default.
constexpr std::uint32_t kKernelRules = 32766;

std::string mac_bytes(const std::string& text) {
  std::string bytes(6, '\0');
  for (std::size_t i = 0; i < 6 && i * 3 + 2 <= text.size(); ++i) {
    std::uint8_t value = 0;
    std::from_chars(text.data() + i * 3, text.data() + i * 3 + 2, value, 16);
    bytes[i] = static_cast<char>(value);
  }
  return bytes;
}

struct Destination {
  std::string address;
  std::uint8_t length = 32;
};

// The plan writes every destination with its length.
Destination split(const std::string& cidr) {
  const std::size_t slash = cidr.find('/');
  Destination found{.address = cidr.substr(0, slash)};
  std::from_chars(cidr.data() + slash + 1, cidr.data() + cidr.size(), found.length);
  return found;
}

ifinfomsg link_with(unsigned flags) {
  ifinfomsg head{};
  head.ifi_family = AF_UNSPEC;
  head.ifi_flags = flags;
  head.ifi_change = flags;
  return head;
}

std::string dotted(std::string_view bytes) {
  std::array<char, INET_ADDRSTRLEN> text{};
  if (bytes.size() < 4) return "";
  return ::inet_ntop(AF_INET, bytes.data(), text.data(), text.size());
}

std::uint32_t number(std::string_view bytes) {
  std::uint32_t value = 0;
  if (bytes.size() >= sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::string zero_ended(std::string_view bytes) {
  return std::string(bytes.substr(0, bytes.find('\0')));
}

template <class Header>
bool read_header(std::string_view& payload, Header& header) {
  constexpr std::size_t kAligned = NLMSG_ALIGN(sizeof(Header));
  if (payload.size() < sizeof header) return false;
  std::memcpy(&header, payload.data(), sizeof header);
  payload.remove_prefix(std::min(kAligned, payload.size()));
  return true;
}

NetlinkMessage link_request(std::uint16_t flags) {
  NetlinkMessage message(RTM_GETLINK, flags);
  message.header(ifinfomsg{.ifi_family = AF_UNSPEC});
  message.attribute(IFLA_EXT_MASK, std::uint32_t{RTEXT_FILTER_SKIP_STATS});
  return message;
}

std::string mac_text(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += fmt::format("{}{:02x}", text.empty() ? "" : ":", static_cast<unsigned char>(byte));
  }
  return text;
}

Result<Links> read_links(NetlinkSocket& socket, const NetlinkMessage& request) {
  Links links;
  TRY_VOID(socket.dump(request, [&](std::string_view payload) {
    ifinfomsg head{};
    if (!read_header(payload, head)) return;
    std::string name;
    Link link{.index = head.ifi_index};
    for_each_attribute(payload, [&](std::uint16_t type, std::string_view bytes) {
      if (type == IFLA_IFNAME) name = zero_ended(bytes);
      if (type == IFLA_ADDRESS) link.mac = mac_text(bytes);
    });
    links[name] = std::move(link);
  }));
  return links;
}

NetlinkMessage route_message(std::uint16_t type, std::uint16_t flags, const Route& route) {
  const Destination destination = split(route.destination);
  NetlinkMessage message(type, flags);
  rtmsg head{};
  head.rtm_family = AF_INET;
  head.rtm_dst_len = destination.length;
  head.rtm_table = RT_TABLE_UNSPEC;
  head.rtm_protocol = RTPROT_STATIC;
  head.rtm_type = route.link.empty() ? RTN_BLACKHOLE : RTN_UNICAST;
  head.rtm_scope = route.link.empty() || !route.via.empty() ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  if (!route.via.empty()) head.rtm_flags = RTNH_F_ONLINK;
  message.header(head);
  message.attribute(RTA_TABLE, route.table);
  message.address(RTA_DST, destination.address);
  return message;
}

NetlinkMessage rule_message(std::uint16_t type, std::uint16_t flags, const PolicyRule& rule) {
  NetlinkMessage message(type, flags);
  fib_rule_hdr head{};
  head.family = AF_INET;
  head.action = FR_ACT_TO_TBL;
  const Destination from = split(rule.from);
  if (!rule.from.empty()) head.src_len = from.length;
  message.header(head);
  message.attribute(FRA_PRIORITY, rule.preference);
  message.attribute(FRA_TABLE, rule.table);
  if (!rule.from.empty()) message.address(FRA_SRC, from.address);
  if (!rule.link.empty()) message.text(FRA_IIFNAME, rule.link);
  return message;
}

std::string text_of(const Route& route) {
  return fmt::format("{} in table {}", route.destination, route.table);
}

}  // namespace

NetlinkRequest add_pair(const std::string& near, const std::string& far, int far_namespace,
                        const std::string& mac) {
  NetlinkMessage message(RTM_NEWLINK, kCreate | NLM_F_EXCL);
  message.header(link_with(IFF_UP | IFF_NOARP));
  message.text(IFLA_IFNAME, near);
  message.attribute(IFLA_ADDRESS, mac_bytes(mac));
  const std::size_t info = message.begin(IFLA_LINKINFO);
  message.text(IFLA_INFO_KIND, "veth");
  const std::size_t data = message.begin(IFLA_INFO_DATA);
  const std::size_t peer = message.begin(VETH_INFO_PEER);
  // It cannot be up before its other end is there.
  message.header(link_with(IFF_NOARP));
  message.text(IFLA_IFNAME, far);
  message.attribute(IFLA_ADDRESS, mac_bytes(mac));
  message.attribute(IFLA_NET_NS_FD, static_cast<std::uint32_t>(far_namespace));
  message.end(peer);
  message.end(data);
  message.end(info);
  return {std::move(message), "cannot add link " + near, {}};
}

NetlinkRequest remove_link(const std::string& name) {
  NetlinkMessage message(RTM_DELLINK, NLM_F_ACK);
  message.header(ifinfomsg{.ifi_family = AF_UNSPEC});
  message.text(IFLA_IFNAME, name);
  return {std::move(message), "cannot remove link " + name, {ENODEV}};
}

std::vector<NetlinkRequest> remove_links(const std::vector<std::string>& names) {
  std::vector<NetlinkRequest> requests;
  for (const std::string& name : names) {
    NetlinkMessage message(RTM_NEWLINK, NLM_F_ACK);
    message.header(ifinfomsg{.ifi_family = AF_UNSPEC});
    message.text(IFLA_IFNAME, name);
    message.attribute(IFLA_GROUP, kLeavingGroup);
    requests.push_back({std::move(message), "cannot mark link " + name, {ENODEV}});
  }
  NetlinkMessage message(RTM_DELLINK, NLM_F_ACK);
  message.header(ifinfomsg{.ifi_family = AF_UNSPEC});
  message.attribute(IFLA_GROUP, kLeavingGroup);
  requests.push_back({std::move(message), "cannot remove links", {ENODEV, EINVAL}});
  return requests;
}

NetlinkRequest set_link_up(int index) {
  NetlinkMessage message(RTM_NEWLINK, NLM_F_ACK);
  ifinfomsg head = link_with(IFF_UP);
  head.ifi_index = index;
  message.header(head);
  return {std::move(message), "cannot set a link up", {}};
}

NetlinkRequest add_address(int link, const std::string& address, int prefix_length) {
  NetlinkMessage message(RTM_NEWADDR, kCreate | NLM_F_EXCL);
  ifaddrmsg head{};
  head.ifa_family = AF_INET;
  head.ifa_prefixlen = static_cast<std::uint8_t>(prefix_length);
  head.ifa_index = static_cast<std::uint32_t>(link);
  message.header(head);
  message.address(IFA_LOCAL, address);
  message.address(IFA_ADDRESS, address);
  message.attribute(IFA_FLAGS, std::uint32_t{IFA_F_NOPREFIXROUTE});
  return {std::move(message), "cannot add address " + address, {EEXIST}};
}

NetlinkRequest remove_address(int link, const std::string& address, int prefix_length) {
  NetlinkMessage message(RTM_DELADDR, NLM_F_ACK);
  ifaddrmsg head{};
  head.ifa_family = AF_INET;
  head.ifa_prefixlen = static_cast<std::uint8_t>(prefix_length);
  head.ifa_index = static_cast<std::uint32_t>(link);
  message.header(head);
  message.address(IFA_LOCAL, address);
  return {std::move(message), "cannot remove address " + address, {EADDRNOTAVAIL}};
}

NetlinkRequest add_route(const Route& route, int link, const std::string& source) {
  NetlinkMessage message = route_message(RTM_NEWROUTE, kCreate | NLM_F_REPLACE, route);
  if (!route.link.empty()) message.attribute(RTA_OIF, static_cast<std::uint32_t>(link));
  if (!route.via.empty()) message.address(RTA_GATEWAY, route.via);
  if (!source.empty()) message.address(RTA_PREFSRC, source);
  return {std::move(message), "cannot add the route to " + text_of(route), {}};
}

NetlinkRequest remove_route(const Route& route, int link) {
  NetlinkMessage message(RTM_DELROUTE, NLM_F_ACK);
  const Destination destination = split(route.destination);
  rtmsg head{};
  head.rtm_family = AF_INET;
  head.rtm_dst_len = destination.length;
  head.rtm_scope = RT_SCOPE_NOWHERE;
  message.header(head);
  message.attribute(RTA_TABLE, route.table);
  message.address(RTA_DST, destination.address);
  if (!route.link.empty()) message.attribute(RTA_OIF, static_cast<std::uint32_t>(link));
  return {std::move(message), "cannot remove the route to " + text_of(route), {ESRCH}};
}

NetlinkRequest add_rule(const PolicyRule& rule) {
  return {
      rule_message(RTM_NEWRULE, kCreate | NLM_F_EXCL, rule), "cannot add a routing rule", {EEXIST}};
}

NetlinkRequest remove_rule(const PolicyRule& rule) {
  return {rule_message(RTM_DELRULE, NLM_F_ACK, rule), "cannot remove a routing rule", {ENOENT}};
}

Result<Links> list_links(NetlinkSocket& socket) {
  return read_links(socket, link_request(NLM_F_DUMP));
}

Result<Link> find_link(NetlinkSocket& socket, const std::string& name) {
  NetlinkMessage message = link_request(NLM_F_ACK);
  message.text(IFLA_IFNAME, name);
  TRY(const Links links, read_links(socket, message));
  const auto found = links.find(name);
  if (found == links.end()) return base::fail(base::ErrorKind::NotFound, "no link " + name);
  return found->second;
}

Result<std::vector<OwnAddress>> list_addresses(NetlinkSocket& socket, int link) {
  NetlinkMessage message(RTM_GETADDR, NLM_F_DUMP);
  ifaddrmsg request{};
  request.ifa_family = AF_INET;
  message.header(request);
  std::vector<OwnAddress> addresses;
  TRY_VOID(socket.dump(message, [&](std::string_view payload) {
    ifaddrmsg head{};
    if (!read_header(payload, head) || static_cast<int>(head.ifa_index) != link) return;
    for_each_attribute(payload, [&](std::uint16_t type, std::string_view bytes) {
      if (type == IFA_LOCAL) addresses.push_back({dotted(bytes), head.ifa_prefixlen});
    });
  }));
  return addresses;
}

Result<std::set<Route>> list_routes(NetlinkSocket& socket, const Links& links) {
  std::map<int, std::string> names;
  for (const auto& [name, link] : links) names[link.index] = name;
  NetlinkMessage message(RTM_GETROUTE, NLM_F_DUMP);
  message.header(rtmsg{.rtm_family = AF_INET});
  std::set<Route> routes;
  TRY_VOID(socket.dump(message, [&](std::string_view payload) {
    rtmsg head{};
    if (!read_header(payload, head)) return;
    Route route{.table = head.rtm_table, .destination = "0.0.0.0"};
    for_each_attribute(payload, [&](std::uint16_t type, std::string_view bytes) {
      if (type == RTA_TABLE) route.table = number(bytes);
      if (type == RTA_DST) route.destination = dotted(bytes);
      if (type == RTA_OIF) route.link = names[static_cast<int>(number(bytes))];
      if (type == RTA_GATEWAY) route.via = dotted(bytes);
    });
    route.destination += "/" + std::to_string(head.rtm_dst_len);
    if (route.table != RT_TABLE_LOCAL) routes.insert(std::move(route));
  }));
  return routes;
}

Result<std::set<PolicyRule>> list_rules(NetlinkSocket& socket) {
  NetlinkMessage message(RTM_GETRULE, NLM_F_DUMP);
  fib_rule_hdr request{};
  request.family = AF_INET;
  message.header(request);
  std::set<PolicyRule> rules;
  TRY_VOID(socket.dump(message, [&](std::string_view payload) {
    fib_rule_hdr head{};
    if (!read_header(payload, head)) return;
    PolicyRule rule{.table = head.table};
    for_each_attribute(payload, [&](std::uint16_t type, std::string_view bytes) {
      if (type == FRA_PRIORITY) rule.preference = number(bytes);
      if (type == FRA_TABLE) rule.table = number(bytes);
      if (type == FRA_SRC) rule.from = dotted(bytes) + "/" + std::to_string(head.src_len);
      if (type == FRA_IIFNAME) rule.link = zero_ended(bytes);
    });
    if (rule.preference != 0 && rule.preference < kKernelRules) rules.insert(std::move(rule));
  }));
  return rules;
}

}  // namespace terrarium::host::linux_host
