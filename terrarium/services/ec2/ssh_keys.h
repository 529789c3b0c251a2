// Keys for SSH as EC2 makes and takes them. Source: "Amazon EC2 key pairs and Amazon EC2
// instances", Amazon EC2 User Guide; PROTOCOL.key of OpenSSH; RFC 4253, section 6.6; RFC 8709.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace terrarium::ec2 {

enum class SshKeyKind : std::uint8_t { Rsa, Ed25519 };

struct MadeSshKey {
  std::string private_key;  // RSA: PKCS#1 in PEM; Ed25519: OpenSSH's form
  std::string public_key;   // "ssh-rsa AAAA..." without a comment
  std::string fingerprint;
};
// With OpenSSL's own randomness. `comment` is written into the private key, where its form has one.
base::Result<MadeSshKey> make_ssh_key(SshKeyKind kind, std::string_view comment);

struct TakenSshKey {
  SshKeyKind kind = SshKeyKind::Rsa;
  std::string public_key;  // without a comment
  std::string fingerprint;
};
// A line as in ~/.ssh/id_rsa.pub: RSA of 1024, 2048 or 4096 bits, or Ed25519.
base::Result<TakenSshKey> take_ssh_key(std::string_view line);

}  // namespace terrarium::ec2
