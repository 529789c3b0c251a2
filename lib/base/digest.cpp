#include "lib/base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "lib/base/check.h"

namespace base {
namespace {

// One byte at a time through eight tables ("slicing by 8"): about 1.5 GB/s without special
// instructions, which keeps checksums out of the way of MD5 and SHA-256.
template <class Word>
class Crc {
 public:
  using Tables = std::array<std::array<Word, 256>, 8>;

  // `polynomial` reflected.
  static constexpr Tables make_tables(Word polynomial) {
    Tables tables{};
    for (unsigned byte = 0; byte < 256; ++byte) {
      Word value = byte;
      for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? polynomial : Word{0});
      tables[0][byte] = value;
    }
    for (std::size_t table = 1; table < 8; ++table) {
      for (std::size_t byte = 0; byte < 256; ++byte) {
        const Word before = tables[table - 1][byte];
        tables[table][byte] = before >> 8 ^ tables[0][before & 255];
      }
    }
    return tables;
  }

  static Word update(const Tables& tables, Word crc, std::string_view bytes) {
    crc = ~crc;
    std::size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) {
      Word next = 0;
      for (std::size_t i = 0; i < 8; ++i) {
        const auto byte = static_cast<unsigned char>(bytes[at + i]);
        const Word from_crc = i < sizeof(Word) ? crc >> (8 * i) & 255 : 0;
        next ^= tables[7 - i][byte ^ from_crc];
      }
      crc = next;
    }
    for (; at < bytes.size(); ++at) {
      crc = crc >> 8 ^ tables[0][(crc ^ static_cast<unsigned char>(bytes[at])) & 255];
    }
    return ~crc;
  }

  static std::string to_bytes(Word crc) {
    std::string bytes(sizeof(Word), '\0');
    for (std::size_t i = 0; i < sizeof(Word); ++i) {
      bytes[i] = static_cast<char>(crc >> (8 * (sizeof(Word) - 1 - i)) & 255);
    }
    return bytes;
  }
};

constexpr auto kCrc32Tables = Crc<std::uint32_t>::make_tables(0xEDB88320U);
constexpr auto kCrc32cTables = Crc<std::uint32_t>::make_tables(0x82F63B78U);
const auto kCrc64NvmeTables = Crc<std::uint64_t>::make_tables(0x9A6C9329AC4BC9B5ULL);

const EVP_MD* openssl_digest(DigestKind kind) {
  switch (kind) {
    case DigestKind::Md5: return EVP_md5();
    case DigestKind::Sha1: return EVP_sha1();
    case DigestKind::Sha256: return EVP_sha256();
    default: return nullptr;
  }
}

struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

std::size_t digest_bytes(DigestKind kind) {
  switch (kind) {
    case DigestKind::Md5: return 16;
    case DigestKind::Sha1: return 20;
    case DigestKind::Sha256: return 32;
    case DigestKind::Crc32:
    case DigestKind::Crc32c: return 4;
    case DigestKind::Crc64Nvme: return 8;
  }
  return 0;
}

struct Digest::Impl {
  DigestKind kind;
  std::unique_ptr<EVP_MD_CTX, ContextDeleter> context;
  std::uint64_t crc = 0;
};

Digest::Digest(DigestKind kind) : impl_(std::make_unique<Impl>(Impl{kind, nullptr, 0})) {
  const EVP_MD* const algorithm = openssl_digest(kind);
  if (algorithm == nullptr) return;
  impl_->context.reset(EVP_MD_CTX_new());
  CHECK(EVP_DigestInit_ex(impl_->context.get(), algorithm, nullptr) == 1, "OpenSSL has the digest");
}

Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::update(std::string_view bytes) {
  switch (impl_->kind) {
    case DigestKind::Crc32:
      impl_->crc =
          Crc<std::uint32_t>::update(kCrc32Tables, static_cast<std::uint32_t>(impl_->crc), bytes);
      return;
    case DigestKind::Crc32c:
      impl_->crc =
          Crc<std::uint32_t>::update(kCrc32cTables, static_cast<std::uint32_t>(impl_->crc), bytes);
      return;
    case DigestKind::Crc64Nvme:
      impl_->crc = Crc<std::uint64_t>::update(kCrc64NvmeTables, impl_->crc, bytes);
      return;
    default:
      CHECK(EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()) == 1,
            "a digest takes any bytes");
  }
}

std::string Digest::finish() {
  if (impl_->kind == DigestKind::Crc64Nvme) return Crc<std::uint64_t>::to_bytes(impl_->crc);
  if (impl_->context == nullptr) {
    return Crc<std::uint32_t>::to_bytes(static_cast<std::uint32_t>(impl_->crc));
  }
  std::string bytes(digest_bytes(impl_->kind), '\0');
  CHECK(EVP_DigestFinal_ex(impl_->context.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                           nullptr) == 1,
        "a digest finishes once");
  return bytes;
}

std::string digest(DigestKind kind, std::string_view bytes) {
  Digest running(kind);
  running.update(bytes);
  return running.finish();
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::string result(32, '\0');
  unsigned int size = 0;
  const auto* const made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                                reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                                reinterpret_cast<unsigned char*>(result.data()), &size);
  CHECK(made != nullptr && size == 32, "HMAC-SHA256 takes any key and bytes");
  return result;
}

bool equals_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace base
