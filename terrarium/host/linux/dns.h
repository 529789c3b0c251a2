// The names that a VPC (or the internet side) can ask for, as dnsmasq reads them: its configuration
// never changes, the names are one file that is replaced. Pure but for write_dns_files().
//
// AWS's own names lead to the region's APIs; nothing is forwarded: other names do not exist.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/host/network.h"
#include "terrarium/host/program.h"

namespace terrarium::host::linux_host {

// Hosts-file lines: they answer for the name and, backwards, for the address.
base::Result<std::string> dns_hosts_text(const std::vector<DnsNameSpec>& names);
std::string dns_configuration_text(const std::filesystem::path& hosts_folder,
                                   const std::vector<std::string>& listen);
std::string dns_program_name(const std::string& id);
// Runs inside the namespace, as a user of its own without any right.
ProgramSpec dns_program(const std::string& id, const std::filesystem::path& network_namespace,
                        const std::filesystem::path& configuration);

// `folder`/dnsmasq.conf and `folder`/hosts/names, each replaced at once; dnsmasq sees the new names
// by itself. Gives the configuration's path. Blocks.
base::Result<std::filesystem::path> write_dns_files(const std::filesystem::path& folder,
                                                    const std::vector<std::string>& listen,
                                                    const std::string& hosts_text);

}  // namespace terrarium::host::linux_host
