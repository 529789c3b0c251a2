#include "terrarium/services/s3/checksum.h"

#include <algorithm>
#include <limits>

#include "lib/base/check.h"
#include "lib/base/encoding.h"

namespace terrarium::s3 {
namespace {

using base::DigestKind;

struct Named {
  DigestKind kind;
  std::string_view name;
};

constexpr std::array kNames{
    Named{DigestKind::Crc32, "CRC32"},         Named{DigestKind::Crc32c, "CRC32C"},
    Named{DigestKind::Sha1, "SHA1"},           Named{DigestKind::Sha256, "SHA256"},
    Named{DigestKind::Crc64Nvme, "CRC64NVME"},
};

// A CRC is a polynomial over GF(2) modulo the generator, its highest power in the lowest bit. The
// CRC of A followed by n bits is A's times x^n: the way zlib's crc32_combine goes.
template <class Word>
Word multiply(Word a, Word b, Word generator) {
  Word product = 0;
  for (Word bit = Word{1} << (std::numeric_limits<Word>::digits - 1); bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b & 1) != 0 ? static_cast<Word>(b >> 1 ^ generator) : static_cast<Word>(b >> 1);
  }
  return product;
}

template <class Word>
Word power_of_x(std::uint64_t bits, Word generator) {
  constexpr int top = std::numeric_limits<Word>::digits - 1;
  Word result = Word{1} << top;
  Word square = Word{1} << (top - 1);
  for (; bits != 0; bits >>= 1) {
    if ((bits & 1) != 0) result = multiply(square, result, generator);
    square = multiply(square, square, generator);
  }
  return result;
}

template <class Word>
Word to_word(std::string_view bytes) {
  CHECK(bytes.size() == sizeof(Word), "a stored checksum has its kind's size");
  std::uint64_t word = 0;
  for (const char byte : bytes) word = word << 8 | static_cast<unsigned char>(byte);
  return static_cast<Word>(word);
}

template <class Word>
std::string combine(std::span<const PartDigest> parts, Word generator) {
  Word crc = 0;
  // Parts of an upload mostly have one size: its power is worked out once.
  std::uint64_t power_bytes = 0;
  Word power = power_of_x<Word>(0, generator);
  for (const PartDigest& part : parts) {
    if (part.bytes != power_bytes) {
      power_bytes = part.bytes;
      power = power_of_x<Word>(8 * part.bytes, generator);
    }
    crc = static_cast<Word>(multiply(power, crc, generator) ^ to_word<Word>(part.value));
  }
  std::string bytes(sizeof(Word), '\0');
  for (std::size_t i = 0; i < sizeof(Word); ++i) {
    bytes[i] = static_cast<char>(crc >> (8 * (sizeof(Word) - 1 - i)) & 255);
  }
  return bytes;
}

}  // namespace

std::string_view checksum_name(DigestKind kind) {
  for (const Named& named : kNames) {
    if (named.kind == kind) return named.name;
  }
  return {};
}

std::optional<DigestKind> checksum_kind(std::string_view name) {
  for (const Named& named : kNames) {
    if (named.name == name) return named.kind;
  }
  return std::nullopt;
}

std::string checksum_header(DigestKind kind) {
  return "x-amz-checksum-" + base::to_lower(checksum_name(kind));
}

bool is_crc(DigestKind kind) {
  return kind == DigestKind::Crc32 || kind == DigestKind::Crc32c || kind == DigestKind::Crc64Nvme;
}

bool is_checksum(DigestKind kind, std::string_view text) {
  const auto bytes = base::base64_decode(text);
  return bytes.has_value() && bytes->size() == base::digest_bytes(kind);
}

std::string combined_crc(DigestKind kind, std::span<const PartDigest> parts) {
  switch (kind) {
    case DigestKind::Crc32: return combine<std::uint32_t>(parts, 0xEDB88320U);
    case DigestKind::Crc32c: return combine<std::uint32_t>(parts, 0x82F63B78U);
    case DigestKind::Crc64Nvme: return combine<std::uint64_t>(parts, 0x9A6C9329AC4BC9B5ULL);
    default: CHECK(false, "only CRCs combine");
  }
}

std::string composite_checksum(DigestKind kind, std::span<const PartDigest> parts) {
  base::Digest digest(kind);
  for (const PartDigest& part : parts) digest.update(part.value);
  return base::base64_encode(digest.finish()) + "-" + std::to_string(parts.size());
}

std::string multipart_etag(std::span<const std::string> etags) {
  base::Digest digest(DigestKind::Md5);
  for (const std::string& etag : etags) {
    const auto bytes = base::hex_decode(etag);
    CHECK(bytes.has_value(), "a part's etag is its MD5");
    digest.update(*bytes);
  }
  return base::hex_encode(digest.finish()) + "-" + std::to_string(etags.size());
}

BodyDigests::BodyDigests(std::span<const DigestKind> checksums) : md5_(DigestKind::Md5) {
  for (const DigestKind kind : checksums) {
    const bool there =
        std::ranges::find(running_, kind, &decltype(running_)::value_type::first) != running_.end();
    if (kind != DigestKind::Md5 && !there) running_.emplace_back(kind, base::Digest(kind));
  }
}

void BodyDigests::update_checksums(std::string_view bytes) {
  for (auto& [kind, digest] : running_) digest.update(bytes);
}

void BodyDigests::finish() {
  md5_bytes_ = md5_.finish();
  for (auto& [kind, digest] : running_) values_.emplace_back(kind, digest.finish());
}

const std::string& BodyDigests::digest(DigestKind kind) const {
  if (kind == DigestKind::Md5) return md5_bytes_;
  const auto value = std::ranges::find(values_, kind, &decltype(values_)::value_type::first);
  CHECK(value != values_.end(), "only what was asked for is computed");
  return value->second;
}

}  // namespace terrarium::s3
