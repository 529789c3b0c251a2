#include "terrarium/host/linux/host_key.h"

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "lib/base/encoding.h"

namespace terrarium::host::linux_host {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kLineCharacters = 70;
constexpr std::string_view kAlgorithm = "ssh-ed25519";

std::string number(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string text(std::string_view bytes) {
  return number(static_cast<std::uint32_t>(bytes.size())) + std::string(bytes);
}

std::string armour(const std::string& bytes) {
  const std::string encoded = base::base64_encode(bytes);
  std::string lines = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
  for (std::size_t at = 0; at < encoded.size(); at += kLineCharacters) {
    lines += encoded.substr(at, kLineCharacters) + "\n";
  }
  return lines + "-----END OPENSSH PRIVATE KEY-----\n";
}

}  // namespace

// The format: PROTOCOL.key of OpenSSH.
base::Result<HostKey> make_host_key(base::Random& random, const std::string& comment) {
  std::array<std::byte, kKeyBytes> seed{};
  random.fill(seed);
  const auto* const seed_bytes = reinterpret_cast<const unsigned char*>(seed.data());
  const std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> key(
      ::EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed_bytes, kKeyBytes),
      &::EVP_PKEY_free);
  std::string public_bytes(kKeyBytes, '\0');
  std::size_t length = kKeyBytes;
  if (!key || ::EVP_PKEY_get_raw_public_key(
                  key.get(), reinterpret_cast<unsigned char*>(public_bytes.data()), &length) != 1) {
    return base::fail(base::ErrorKind::Internal, "an SSH host key could not be made");
  }
  const std::string public_blob = text(kAlgorithm) + text(public_bytes);
  const std::string secret(reinterpret_cast<const char*>(seed.data()), seed.size());
  // Unencrypted, both checks the same; padded to the cipher "none"'s block of 8.
  const std::string check = number(static_cast<std::uint32_t>(random.next()));
  std::string secret_blob = check + check + text(kAlgorithm) + text(public_bytes) +
                            text(secret + public_bytes) + text(comment);
  for (char pad = 1; secret_blob.size() % 8 != 0; ++pad) secret_blob += pad;
  using namespace std::string_literals;
  const std::string file = "openssh-key-v1\0"s + text("none") + text("none") + text("") +
                           number(1) + text(public_blob) + text(secret_blob);
  return HostKey{armour(file), std::string(kAlgorithm) + " " + base::base64_encode(public_blob) +
                                   " " + comment + "\n"};
}

}  // namespace terrarium::host::linux_host
