// Digests and checksums as AWS uses them, incremental and at once. Bytes in, bytes out: callers
// choose hex or base64.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace base {

enum class DigestKind : std::uint8_t { Md5, Sha1, Sha256, Crc32, Crc32c, Crc64Nvme };

// Bytes in a digest of this kind.
std::size_t digest_bytes(DigestKind kind);

class Digest {
 public:
  explicit Digest(DigestKind kind);
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  void update(std::string_view bytes);
  // The digest's bytes, checksums in network order. Call once.
  std::string finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string digest(DigestKind kind, std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);

// Takes the same time wherever the two differ: for signatures and secrets.
bool equals_in_constant_time(std::string_view a, std::string_view b);

}  // namespace base
