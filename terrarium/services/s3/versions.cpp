#include "terrarium/services/s3/versions.h"

#include <array>

#include "lib/base/check.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/names.h"

namespace terrarium::s3 {
namespace {

// 64 characters that need no escaping in a URL.
constexpr std::string_view kAlphabet =
    "._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kBytes = kVersionIdCharacters / 4 * 3;
// Sequences are times in microseconds, give or take: far beyond the year 2100.
constexpr std::uint64_t kSequenceMax = std::uint64_t{1} << 52;

// Spreads every bit of the nonce over 64: the mixing step of splitmix64.
std::uint64_t mask_of(std::string_view nonce) {
  std::uint64_t word = decode_sequence(nonce.substr(0, 8)) ^ decode_sequence(nonce.substr(8));
  word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9ULL;
  word = (word ^ word >> 27) * 0x94D049BB133111EBULL;
  return word ^ word >> 31;
}

std::string to_characters(std::string_view bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::uint64_t three = decode_sequence(bytes.substr(at, 3));
    for (int shift = 18; shift >= 0; shift -= 6) text.push_back(kAlphabet[three >> shift & 63]);
  }
  return text;
}

std::optional<std::string> to_bytes(std::string_view text) {
  if (text.size() != kVersionIdCharacters) return std::nullopt;
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); at += 4) {
    std::size_t three = 0;
    for (const char character : text.substr(at, 4)) {
      const std::size_t digit = kAlphabet.find(character);
      if (digit == std::string_view::npos) return std::nullopt;
      three = three << 6 | digit;
    }
    for (int shift = 16; shift >= 0; shift -= 8) {
      bytes.push_back(static_cast<char>(three >> shift & 255));
    }
  }
  return bytes;
}

}  // namespace

std::string version_id_of(const ObjectRecord& record) {
  if (record.version_nonce.empty()) return std::string(kNullVersion);
  CHECK(record.version_nonce.size() == kVersionNonceBytes, "a version's nonce has its size");
  const std::uint64_t hidden = record.sequence ^ mask_of(record.version_nonce);
  return to_characters(record.version_nonce + encode_sequence(hidden));
}

std::optional<std::string> shown_version_id(const BucketRecord& bucket,
                                            const ObjectRecord& record) {
  if (bucket.versioning == Versioning::Never) return std::nullopt;
  return version_id_of(record);
}

base::Result<VersionName> parse_version_id(std::string_view text) {
  if (text == kNullVersion) return VersionName{};
  if (text.empty()) {
    return invalid_argument("Version id cannot be the empty string", "versionId", "");
  }
  const auto bytes = to_bytes(text);
  if (!bytes) {
    return invalid_argument("Invalid version id specified", "versionId", std::string(text));
  }
  static_assert(kBytes == kVersionNonceBytes + sizeof(std::uint64_t));
  VersionName name;
  name.nonce = bytes->substr(0, kVersionNonceBytes);
  name.sequence =
      decode_sequence(std::string_view(*bytes).substr(kVersionNonceBytes)) ^ mask_of(name.nonce);
  // What was made up nearly always gives a time that is far off.
  if (name.sequence > kSequenceMax) {
    return invalid_argument("Invalid version id specified", "versionId", std::string(text));
  }
  return name;
}

bool names(const VersionName& name, const ObjectRecord& record) {
  if (name.is_null()) return record.version_nonce.empty();
  return record.sequence == name.sequence && record.version_nonce == name.nonce;
}

}  // namespace terrarium::s3
