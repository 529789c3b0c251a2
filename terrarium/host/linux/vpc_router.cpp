#include "terrarium/host/linux/vpc_router.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "lib/http/owned_fd.h"
#include "terrarium/host/linux/network_names.h"
#include "terrarium/host/linux/vpc_rules.h"

namespace terrarium::host::linux_host {
namespace {

namespace fs = std::filesystem;
using base::Result;

// TCP connections that have ended leave the kernel's table soon: it is shared by all VPCs.
Result<void> set_connection_timeouts() {
  TRY_VOID(set_sysctl("netfilter/nf_conntrack_tcp_timeout_time_wait", "10"));
  TRY_VOID(set_sysctl("netfilter/nf_conntrack_tcp_timeout_close_wait", "30"));
  return set_sysctl("netfilter/nf_conntrack_tcp_timeout_syn_sent", "20");
}

}  // namespace

VpcRouter::VpcRouter(const NetworkNamespaces& namespaces, Internet& internet, std::string vpc_id,
                     fs::path attachments, NetlinkSocket socket, Nft nft)
    : namespaces_(namespaces),
      internet_(internet),
      vpc_id_(std::move(vpc_id)),
      attachments_(std::move(attachments)),
      socket_(std::move(socket)),
      nft_(std::move(nft)) {}

Result<std::unique_ptr<VpcRouter>> VpcRouter::open(const NetworkNamespaces& namespaces,
                                                   Internet& internet, std::string vpc_id,
                                                   fs::path attachments) {
  std::error_code failure;
  fs::create_directories(attachments, failure);
  if (failure) return base::fail_errno("cannot make " + attachments.string(), failure.value());
  std::optional<NetlinkSocket> socket;
  std::optional<Nft> nft;
  http::OwnedFd router;
  TRY_VOID(namespaces.ensure(vpc_id, [&]() -> Result<void> {
    TRY_VOID(set_up_namespace(true));
    TRY(socket, NetlinkSocket::open());
    TRY(nft, Nft::open());
    router = http::OwnedFd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (router.get() < 0) return base::fail_errno("cannot open a router's namespace", errno);
    return {};
  }));
  TRY(const Links links, list_links(*socket));
  if (!links.contains(std::string(kInternetLink))) {
    TRY_VOID(internet.connect_vpc(vpc_id, router.get()));
  }
  TRY(const Link outward, find_link(*socket, std::string(kInternetLink)));
  const std::vector<NetlinkRequest> requests{set_link_up(kLoopbackIndex),
                                             set_link_up(outward.index)};
  TRY_VOID(socket->run(requests));
  return std::unique_ptr<VpcRouter>(new VpcRouter(namespaces, internet, std::move(vpc_id),
                                                  std::move(attachments), *std::move(socket),
                                                  *std::move(nft)));
}

Result<RouterState> VpcRouter::observe() {
  RouterState found;
  TRY(links_, list_links(socket_));
  TRY(found.routes, list_routes(socket_, links_));
  TRY(found.rules, list_rules(socket_));
  TRY(const std::vector<OwnAddress> own, list_addresses(socket_, kLoopbackIndex));
  for (const OwnAddress& each : own) {
    if (!each.address.starts_with("127.")) found.own_addresses.insert(each.address);
  }
  TRY(found.public_addresses, internet_.public_addresses(vpc_id_));
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(attachments_, failure)) {
    const std::string id = entry.path().filename();
    if (!namespaces_.exists(id)) {
      found.attachments[id] = {.id = id};
      continue;
    }
    TRY(found.attachments[id], observe_attachment(namespaces_, id, links_));
  }
  if (failure) return base::fail_errno("cannot read " + attachments_.string(), failure.value());
  return found;
}

Result<void> VpcRouter::apply(const RouterState& wanted, const NftRuleset& rules) {
  if (!state_) {
    TRY(state_, observe());
  }
  const RouterChanges changes = changes_between(*state_, wanted);
  state_.reset();
  TRY_VOID(apply_changes(changes, rules));
  state_ = wanted;
  return {};
}

// What is to go first, then what is new: a new interface may have an old one's address. The filter
// changes in between: a new link is closed until its rules are there.
Result<void> VpcRouter::apply_changes(const RouterChanges& changes, const NftRuleset& rules) {
  TRY_VOID(internet_.change_public_addresses(vpc_id_, changes.public_to_remove, {}));
  TRY_VOID(remove_routes(changes));
  TRY_VOID(detach_all(changes.to_detach));
  for (const Attachment& attachment : changes.to_attach) TRY_VOID(attach_one(attachment));
  TRY_VOID(apply_rules(rules));
  TRY_VOID(add_routes(changes));
  return internet_.change_public_addresses(vpc_id_, {}, changes.public_to_add);
}

Result<void> VpcRouter::apply_rules(const NftRuleset& rules) {
  const bool whole = !rules_.has_value();
  const std::string text = whole ? full_text(rules) : change_text(*rules_, rules);
  rules_.reset();
  TRY_VOID(nft_.run(text));
  rules_ = rules;
  return whole ? namespaces_.enter(vpc_id_, set_connection_timeouts) : Result<void>();
}

Result<void> VpcRouter::attach_one(const Attachment& attachment) {
  std::ofstream marker(attachments_ / attachment.id);
  if (!marker) return base::fail_errno("cannot write to " + attachments_.string(), errno);
  TRY(links_[attachment.link].index, attach(namespaces_, socket_, attachment));
  if (!attachment.forwards) return {};
  return namespaces_.enter(attachment.id, [&]() -> Result<void> {
    TRY(Nft nft, Nft::open());
    return nft.run(full_text(nat_rules(attachment.address)));
  });
}

Result<void> VpcRouter::detach_all(const std::vector<Attachment>& attachments) {
  if (attachments.empty()) return {};
  TRY_VOID(detach(namespaces_, socket_, attachments));
  std::error_code failure;
  for (const Attachment& attachment : attachments) {
    links_.erase(attachment.link);
    fs::remove(attachments_ / attachment.id, failure);
    if (failure) return base::fail_errno("cannot remove a file", failure.value());
  }
  return {};
}

Result<void> VpcRouter::remove_routes(const RouterChanges& changes) {
  std::vector<NetlinkRequest> requests;
  for (const PolicyRule& rule : changes.rules_to_remove) requests.push_back(remove_rule(rule));
  for (const Route& route : changes.routes_to_remove) {
    requests.push_back(remove_route(route, links_[route.link].index));
  }
  for (const std::string& address : changes.own_to_remove) {
    requests.push_back(remove_address(kLoopbackIndex, address, 32));
  }
  return socket_.run(requests);
}

Result<void> VpcRouter::add_routes(const RouterChanges& changes) {
  if (!links_.contains(std::string(kInternetLink))) {
    TRY(links_[std::string(kInternetLink)], find_link(socket_, std::string(kInternetLink)));
  }
  std::vector<NetlinkRequest> requests;
  for (const std::string& address : changes.own_to_add) {
    requests.push_back(add_address(kLoopbackIndex, address, 32));
  }
  for (const Route& route : changes.routes_to_add) {
    requests.push_back(add_route(route, links_[route.link].index));
  }
  for (const PolicyRule& rule : changes.rules_to_add) requests.push_back(add_rule(rule));
  return socket_.run(requests);
}

Result<void> VpcRouter::remove() {
  TRY_VOID(internet_.disconnect_vpc(vpc_id_));
  TRY(const RouterState found, observe());
  namespaces_.kill_inside(vpc_id_);
  std::vector<Attachment> all;
  for (const auto& [id, attachment] : found.attachments) all.push_back(attachment);
  TRY_VOID(detach_all(all));
  TRY_VOID(namespaces_.remove(vpc_id_));
  std::error_code failure;
  fs::remove_all(attachments_, failure);
  if (failure) return base::fail_errno("cannot remove " + attachments_.string(), failure.value());
  return {};
}

}  // namespace terrarium::host::linux_host
