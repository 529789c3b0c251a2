#include "lib/base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/base/check.h"
#include "lib/base/crc.h"

namespace base {
namespace {

// Fetched once: looking an algorithm up costs as much as digesting a kilobyte.
const EVP_MD* fetch(const char* name) {
  const EVP_MD* const fetched = EVP_MD_fetch(nullptr, name, nullptr);
  CHECK(fetched != nullptr, "OpenSSL has the digest");
  return fetched;
}

const EVP_MD* openssl_digest(DigestKind kind) {
  static const EVP_MD* const md5 = fetch("MD5");
  static const EVP_MD* const sha1 = fetch("SHA1");
  static const EVP_MD* const sha256 = fetch("SHA256");
  switch (kind) {
    case DigestKind::Md5: return md5;
    case DigestKind::Sha1: return sha1;
    case DigestKind::Sha256: return sha256;
    default: return nullptr;
  }
}

// Checksums are told in network order.
template <class Word>
std::string to_bytes(Word crc) {
  std::string bytes(sizeof(Word), '\0');
  for (std::size_t i = 0; i < sizeof(Word); ++i) {
    bytes[i] = static_cast<char>(crc >> (8 * (sizeof(Word) - 1 - i)) & 255);
  }
  return bytes;
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
  std::uint64_t& crc = impl_->crc;
  switch (impl_->kind) {
    case DigestKind::Crc32: crc = crc::update_crc32(static_cast<std::uint32_t>(crc), bytes); return;
    case DigestKind::Crc32c:
      crc = crc::update_crc32c(static_cast<std::uint32_t>(crc), bytes);
      return;
    case DigestKind::Crc64Nvme: crc = crc::update_crc64nvme(crc, bytes); return;
    default:
      CHECK(EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()) == 1,
            "a digest takes any bytes");
  }
}

std::string Digest::finish() {
  if (impl_->kind == DigestKind::Crc64Nvme) return to_bytes(impl_->crc);
  if (impl_->context == nullptr) return to_bytes(static_cast<std::uint32_t>(impl_->crc));
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
  const auto* const made =
      HMAC(openssl_digest(DigestKind::Sha256), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
           reinterpret_cast<unsigned char*>(result.data()), &size);
  CHECK(made != nullptr && size == 32, "HMAC-SHA256 takes any key and bytes");
  return result;
}

bool equals_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace base
