// The namespace between the VPCs: where the APIs have their public face, public addresses are
// routed to their VPC, and isolated namespaces hang. Nothing leads from here to the host's network.
//
// Blocks; any thread: calls take turns.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "terrarium/host/linux/attach.h"
#include "terrarium/host/linux/nft.h"

namespace terrarium::host::linux_host {

class Internet {
 public:
  // Makes it, or finds it.
  static base::Result<std::unique_ptr<Internet>> open(const NetworkNamespaces& namespaces);

  // The link to a VPC's router, whose other end is in the namespace `router`.
  base::Result<void> connect_vpc(const std::string& vpc_id, int router);
  base::Result<void> disconnect_vpc(const std::string& vpc_id);
  base::Result<std::set<std::string>> public_addresses(const std::string& vpc_id);
  base::Result<void> change_public_addresses(const std::string& vpc_id,
                                             const std::set<std::string>& to_remove,
                                             const std::set<std::string>& to_add);

  base::Result<void> add_isolated(const std::string& id);
  base::Result<void> remove_isolated(const std::string& id);

 private:
  Internet(const NetworkNamespaces& namespaces, NetlinkSocket socket)
      : namespaces_(namespaces), socket_(std::move(socket)) {}
  base::Result<std::string> free_isolated_address(const std::string& link);

  const NetworkNamespaces& namespaces_;
  std::mutex mutex_;
  NetlinkSocket socket_;
};

}  // namespace terrarium::host::linux_host
