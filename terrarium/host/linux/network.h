// host::Network on Linux: network namespaces, veth links, policy routing, nftables, dnsmasq. Needs
// root; what is in the host's own namespace stays as it is, but for files in /run/netns and /run.
#pragma once

#include <filesystem>
#include <memory>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "terrarium/host/network.h"
#include "terrarium/host/program.h"

namespace terrarium::host {

struct LinuxNetworkOptions {
  // The region's state folder: it names the region's namespaces (two daemons do not meet), and
  // <state>/network holds what must be known about them.
  std::filesystem::path state;
};

// `clock` and `programs` (which keeps the name servers) outlive it. Denied without root,
// with the reason. Blocks.
base::Result<std::unique_ptr<Network>> open_linux_network(base::Clock& clock,
                                                          ProgramKeeper& programs,
                                                          LinuxNetworkOptions options);

}  // namespace terrarium::host
