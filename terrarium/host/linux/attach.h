// One attachment made real: its namespace, the link to its hub, addresses and the way out.
// Idempotent, so that what an interrupted daemon left half done is finished.
#pragma once

#include "terrarium/host/linux/network_namespace.h"
#include "terrarium/host/linux/network_plan.h"
#include "terrarium/host/linux/route_netlink.h"

namespace terrarium::host::linux_host {

// `hub` is a socket in the hub's namespace; gives the index of the hub's end.
base::Result<int> attach(const NetworkNamespaces& namespaces, NetlinkSocket& hub,
                         const Attachment& wanted);
// The links, then the namespaces. Idempotent.
base::Result<void> detach(const NetworkNamespaces& namespaces, NetlinkSocket& hub,
                          const std::vector<Attachment>& attachments);
// What there is in namespace `id`, with an empty link where its hub does not have it.
base::Result<Attachment> observe_attachment(const NetworkNamespaces& namespaces,
                                            const std::string& id, const Links& hub_links);

// No IPv6, and the kernel's other defaults that a region's namespaces must not have. In the
// thread's namespace, before it has links.
base::Result<void> set_up_namespace(bool forwards);

}  // namespace terrarium::host::linux_host
