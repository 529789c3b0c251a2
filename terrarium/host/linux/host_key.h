// An SSH server's key, made here rather than by a process in the machine while it boots. Pure.
#pragma once

#include <string>

#include "lib/base/random.h"
#include "lib/base/result.h"

namespace terrarium::host::linux_host {

struct HostKey {
  std::string private_key;  // OpenSSH's file format
  std::string public_key;   // "ssh-ed25519 AAAA... comment\n"
};

base::Result<HostKey> make_host_key(base::Random& random, const std::string& comment);

}  // namespace terrarium::host::linux_host
