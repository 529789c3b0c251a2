#include "terrarium/services/ec2/ssh_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <array>
#include <memory>
#include <optional>

#include "generated/ec2/errors.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"

namespace terrarium::ec2 {
namespace {

constexpr std::string_view kRsa = "ssh-rsa";
constexpr std::string_view kEd25519 = "ssh-ed25519";
constexpr std::size_t kEd25519Bytes = 32;
constexpr unsigned kMadeRsaBits = 2048;
constexpr std::size_t kLineBytesMax = 16 * 1024;
constexpr std::size_t kPemColumns = 70;
constexpr std::size_t kPrivateBlock = 8;

template <auto Free>
struct Freed {
  void operator()(auto* object) const { Free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using ParamBuild = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using Bytes = std::unique_ptr<BIO, Freed<BIO_free_all>>;

base::Error bad_key() {
  return base::fail(errors::kInvalidKeyFormat, "Key is not in valid OpenSSH public key format")
      .error();
}

std::unexpected<base::Error> broken(const std::string& doing) {
  return base::fail(base::ErrorKind::Internal, "OpenSSL can't " + doing);
}

std::string bytes_of(const Bytes& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

// ---------------------------------------------------------------------------- RFC 4251's types

std::string uint32_text(std::uint32_t value) {
  std::string out;
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>(value >> shift));
  return out;
}

std::string ssh_string(std::string_view bytes) {
  return uint32_text(static_cast<std::uint32_t>(bytes.size())) + std::string(bytes);
}

// Takes a string from the front of `rest`.
std::optional<std::string_view> take_string(std::string_view& rest) {
  if (rest.size() < 4) return std::nullopt;
  std::uint32_t size = 0;
  for (const char byte : rest.substr(0, 4)) size = size << 8 | static_cast<std::uint8_t>(byte);
  if (size > rest.size() - 4) return std::nullopt;
  const std::string_view bytes = rest.substr(4, size);
  rest.remove_prefix(4 + std::size_t{size});
  return bytes;
}

// An mpint is signed: a first bit that is set would make it negative.
std::string mpint(const BIGNUM* number) {
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  if (!bytes.empty() && (bytes.front() & 0x80) != 0) bytes.insert(bytes.begin(), '\0');
  return ssh_string(bytes);
}

Number number_of(std::string_view bytes) {
  return Number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                          static_cast<int>(bytes.size()), nullptr));
}

// ------------------------------------------------------------------------------- fingerprints

std::string colons(std::string_view digest) {
  const std::string hex = base::hex_encode(digest);
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    if (i > 0) out += ':';
    out += hex.substr(i, 2);
  }
  return out;
}

std::string ed25519_fingerprint(std::string_view blob) {
  return base::base64_encode(base::digest(base::DigestKind::Sha256, blob));
}

base::Result<std::string> private_fingerprint(const Key& key) {
  const Bytes der(BIO_new(BIO_s_mem()));
  if (der == nullptr ||
      i2d_PKCS8PrivateKey_bio(der.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return broken("encode a private key");
  }
  return colons(base::digest(base::DigestKind::Sha1, bytes_of(der)));
}

base::Result<std::string> public_fingerprint(const Key& key) {
  const Bytes der(BIO_new(BIO_s_mem()));
  if (der == nullptr || i2d_PUBKEY_bio(der.get(), key.get()) != 1) {
    return broken("encode a public key");
  }
  return colons(base::digest(base::DigestKind::Md5, bytes_of(der)));
}

// ------------------------------------------------------------------------------- keys that are
// made

base::Result<MadeSshKey> make_rsa() {
  const Key key(EVP_RSA_gen(kMadeRsaBits));
  BIGNUM* modulus = nullptr;
  BIGNUM* exponent = nullptr;
  if (key == nullptr || EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_N, &modulus) != 1 ||
      EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) {
    BN_free(modulus);
    return broken("make an RSA key");
  }
  const Number n(modulus);
  const Number e(exponent);
  const Bytes pem(BIO_new(BIO_s_mem()));
  if (pem == nullptr || PEM_write_bio_PrivateKey_traditional(pem.get(), key.get(), nullptr, nullptr,
                                                             0, nullptr, nullptr) != 1) {
    return broken("encode a private key");
  }
  TRY(std::string fingerprint, private_fingerprint(key));
  const std::string blob = ssh_string(kRsa) + mpint(e.get()) + mpint(n.get());
  return MadeSshKey{bytes_of(pem), std::string(kRsa) + " " + base::base64_encode(blob),
                    std::move(fingerprint)};
}

std::string openssh_pem(const std::string& bytes) {
  const std::string text = base::base64_encode(bytes);
  std::string out = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
  for (std::size_t at = 0; at < text.size(); at += kPemColumns) {
    out += text.substr(at, kPemColumns) + "\n";
  }
  return out + "-----END OPENSSH PRIVATE KEY-----\n";
}

base::Result<MadeSshKey> make_ed25519(std::string_view comment) {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  std::array<unsigned char, kEd25519Bytes> seed{};
  std::array<unsigned char, kEd25519Bytes> point{};
  std::array<unsigned char, 4> check{};
  std::size_t seed_size = seed.size();
  std::size_t point_size = point.size();
  if (key == nullptr || EVP_PKEY_get_raw_private_key(key.get(), seed.data(), &seed_size) != 1 ||
      EVP_PKEY_get_raw_public_key(key.get(), point.data(), &point_size) != 1 ||
      RAND_bytes(check.data(), static_cast<int>(check.size())) != 1) {
    return broken("make an Ed25519 key");
  }
  const std::string secret(seed.begin(), seed.end());
  const std::string open(point.begin(), point.end());
  const std::string twice(check.begin(), check.end());
  const std::string blob = ssh_string(kEd25519) + ssh_string(open);
  std::string hidden = twice + twice + blob + ssh_string(secret + open) + ssh_string(comment);
  for (char pad = 1; hidden.size() % kPrivateBlock != 0; ++pad) hidden.push_back(pad);
  const std::string bytes = std::string("openssh-key-v1") + '\0' + ssh_string("none") +
                            ssh_string("none") + ssh_string("") + uint32_text(1) +
                            ssh_string(blob) + ssh_string(hidden);
  return MadeSshKey{openssh_pem(bytes), std::string(kEd25519) + " " + base::base64_encode(blob),
                    ed25519_fingerprint(blob)};
}

// ------------------------------------------------------------------------------ keys that are
// taken

base::Result<std::string> rsa_fingerprint(std::string_view exponent, std::string_view modulus) {
  const Number e = number_of(exponent);
  const Number n = number_of(modulus);
  const int bits = n == nullptr ? 0 : BN_num_bits(n.get());
  if (e == nullptr || BN_num_bits(e.get()) < 2 || (bits != 1024 && bits != 2048 && bits != 4096)) {
    return std::unexpected(bad_key());
  }
  const ParamBuild build(OSSL_PARAM_BLD_new());
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  if (build == nullptr || context == nullptr ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return broken("read a public key");
  }
  const Params params(OSSL_PARAM_BLD_to_param(build.get()));
  EVP_PKEY* made = nullptr;
  if (params == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return std::unexpected(bad_key());
  }
  return public_fingerprint(Key(made));
}

}  // namespace

base::Result<MadeSshKey> make_ssh_key(SshKeyKind kind, std::string_view comment) {
  return kind == SshKeyKind::Rsa ? make_rsa() : make_ed25519(comment);
}

base::Result<TakenSshKey> take_ssh_key(std::string_view line) {
  if (line.size() > kLineBytesMax) return std::unexpected(bad_key());
  line = base::trim(line);
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::unexpected(bad_key());
  const std::string_view name = line.substr(0, space);
  std::string_view text = base::trim(line.substr(space));
  text = text.substr(0, text.find_first_of(" \t\r\n"));
  const auto blob = base::base64_decode(text);
  if (!blob.has_value()) return std::unexpected(bad_key());
  std::string_view rest = *blob;
  if (take_string(rest) != name) return std::unexpected(bad_key());
  TakenSshKey key{.public_key = std::string(name) + " " + std::string(text)};
  if (name == kRsa) {
    const auto exponent = take_string(rest);
    const auto modulus = take_string(rest);
    if (!exponent.has_value() || !modulus.has_value() || !rest.empty()) {
      return std::unexpected(bad_key());
    }
    TRY(key.fingerprint, rsa_fingerprint(*exponent, *modulus));
    return key;
  }
  const auto point = take_string(rest);
  if (name != kEd25519 || !point.has_value() || point->size() != kEd25519Bytes || !rest.empty()) {
    return std::unexpected(bad_key());
  }
  key.kind = SshKeyKind::Ed25519;
  key.fingerprint = ed25519_fingerprint(*blob);
  return key;
}

}  // namespace terrarium::ec2
