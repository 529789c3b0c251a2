// One VPC in the kernel: its router's namespace, sockets into it, and what is known to be there.
// What an earlier daemon left is read from the kernel once; from then on the last state that was
// applied is the base of every change.
//
// Blocks. One thread at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "terrarium/host/linux/attach.h"
#include "terrarium/host/linux/internet.h"
#include "terrarium/host/linux/network_plan.h"
#include "terrarium/host/linux/nft.h"
#include "terrarium/host/linux/nft_ruleset.h"

namespace terrarium::host::linux_host {

class VpcRouter {
 public:
  // Makes the router, or finds it. `attachments` is a folder of its own: it holds an empty file for
  // every namespace that was begun, so that none is forgotten half made.
  static base::Result<std::unique_ptr<VpcRouter>> open(const NetworkNamespaces& namespaces,
                                                       Internet& internet, std::string vpc_id,
                                                       std::filesystem::path attachments);

  // A failure leaves a part done; the next call looks at the kernel again and finishes.
  base::Result<void> apply(const RouterState& wanted, const NftRuleset& rules);
  // Everything of the VPC, programs in its router and NAT gateways included. Idempotent; the router
  // is of no use afterwards.
  base::Result<void> remove();

 private:
  VpcRouter(const NetworkNamespaces& namespaces, Internet& internet, std::string vpc_id,
            std::filesystem::path attachments, NetlinkSocket socket, Nft nft);
  base::Result<RouterState> observe();
  base::Result<void> apply_changes(const RouterChanges& changes, const NftRuleset& rules);
  base::Result<void> apply_rules(const NftRuleset& rules);
  base::Result<void> attach_one(const Attachment& attachment);
  base::Result<void> detach_all(const std::vector<Attachment>& attachments);
  base::Result<void> remove_routes(const RouterChanges& changes);
  base::Result<void> add_routes(const RouterChanges& changes);

  const NetworkNamespaces& namespaces_;
  Internet& internet_;
  std::string vpc_id_;
  std::filesystem::path attachments_;
  NetlinkSocket socket_;
  Nft nft_;
  Links links_;
  std::optional<RouterState> state_;  // none: not known, look
  std::optional<NftRuleset> rules_;   // the same: replace the whole
};

}  // namespace terrarium::host::linux_host
