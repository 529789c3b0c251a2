// Checksums of bodies as S3 names, combines and compares them. Pure.
// Source: Amazon S3 User Guide, "Checking object integrity": full-object checksums exist for the
// CRCs, whose value over a whole follows from those of its parts; composite ones for all but
// CRC64NVME.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/digest.h"
#include "terrarium/services/s3/records.h"

namespace terrarium::s3 {

inline constexpr base::DigestKind kDefaultChecksum = base::DigestKind::Crc64Nvme;

// "CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME".
std::string_view checksum_name(base::DigestKind kind);
std::optional<base::DigestKind> checksum_kind(std::string_view name);
// "x-amz-checksum-crc32".
std::string checksum_header(base::DigestKind kind);
bool is_crc(base::DigestKind kind);
// Whether `text` is base64 of as many bytes as the checksum has.
bool is_checksum(base::DigestKind kind, std::string_view text);

struct PartDigest {
  std::string value;  // bytes, not base64
  std::uint64_t bytes = 0;
};

// The CRC of the parts one after another.
std::string combined_crc(base::DigestKind kind, std::span<const PartDigest> parts);
// "base64-N": the checksum of the parts' checksums.
std::string composite_checksum(base::DigestKind kind, std::span<const PartDigest> parts);
// "hex-N": the same with MD5, given in hex.
std::string multipart_etag(std::span<const std::string> etags);

// What is computed while a body passes: its MD5 and any checksums. Two threads may work on the two
// halves at once.
class BodyDigests {
 public:
  explicit BodyDigests(std::span<const base::DigestKind> checksums);
  void update(std::string_view bytes) {
    update_md5(bytes);
    update_checksums(bytes);
  }
  void update_md5(std::string_view bytes) { md5_.update(bytes); }
  void update_checksums(std::string_view bytes);
  // Call once, before the two below.
  void finish();
  const std::string& md5() const { return md5_bytes_; }
  // MD5, or one of the kinds asked for; bytes.
  const std::string& digest(base::DigestKind kind) const;

 private:
  base::Digest md5_;
  std::vector<std::pair<base::DigestKind, base::Digest>> running_;
  std::string md5_bytes_;
  std::vector<std::pair<base::DigestKind, std::string>> values_;
};

}  // namespace terrarium::s3
