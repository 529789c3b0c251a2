#include "terrarium/region/certificates.h"

#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "lib/base/check.h"

namespace terrarium::region {
namespace {

using base::Result;
using std::filesystem::path;

constexpr std::chrono::days kAuthorityLife{3652};
constexpr std::chrono::days kFaceLife{825};
constexpr std::chrono::days kRenewedBefore{365};
// Clients whose clock is behind trust a new certificate too.
constexpr std::chrono::days kClockSkew{1};
constexpr long kVersion3 = 2;

template <auto Free>
struct Freed {
  void operator()(auto* object) const { Free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Bytes = std::unique_ptr<BIO, Freed<BIO_free_all>>;

struct Signed {
  Key key;
  Certificate certificate;
};

std::unexpected<base::Error> failed(const std::string& doing) {
  char text[256] = "no reason given";
  if (const unsigned long code = ERR_peek_last_error(); code != 0) {
    ERR_error_string_n(code, text, sizeof text);
  }
  ERR_clear_error();
  auto failure = base::fail(base::ErrorKind::Internal, doing);
  failure.error().detail = text;
  return failure;
}

// Files: whole or not at all, and on disk before anybody trusts them.
Result<void> write_file(const path& file, const std::string& bytes, mode_t mode) {
  const std::string temporary = file.string() + ".new";
  ::unlink(temporary.c_str());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return base::fail_errno("cannot make " + temporary, errno);
  const bool whole =
      ::fchmod(fd, mode) == 0 &&
      ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
      ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (!whole) return base::fail_errno("cannot write " + temporary, error);
  if (::rename(temporary.c_str(), file.c_str()) != 0) {
    return base::fail_errno("cannot rename " + temporary, errno);
  }
  const int folder = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return base::fail_errno("cannot open " + file.parent_path().string(), errno);
  const bool synced = ::fsync(folder) == 0;
  const int sync_error = errno;
  ::close(folder);
  if (!synced) return base::fail_errno("cannot sync " + file.parent_path().string(), sync_error);
  return {};
}

std::string taken(const Bytes& bytes) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bytes.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(const Certificate& certificate) {
  const Bytes bytes(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_X509(bytes.get(), certificate.get()) == 1, "memory takes a certificate");
  return taken(bytes);
}

std::string pem_of(const Key& key) {
  const Bytes bytes(BIO_new(BIO_s_mem()));
  CHECK(
      PEM_write_bio_PrivateKey(bytes.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
      "memory takes a key");
  return taken(bytes);
}

// Null: there is no such file, or nothing of that kind in it.
Certificate read_certificate(const path& file) {
  const Bytes bytes(BIO_new_file(file.c_str(), "r"));
  Certificate found(bytes ? PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr) : nullptr);
  ERR_clear_error();
  return found;
}

Key read_key(const path& file) {
  const Bytes bytes(BIO_new_file(file.c_str(), "r"));
  Key found(bytes ? PEM_read_bio_PrivateKey(bytes.get(), nullptr, nullptr, nullptr) : nullptr);
  ERR_clear_error();
  return found;
}

bool belongs(const Certificate& certificate, const Key& key) {
  const bool good = certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return good;
}

std::time_t seconds(base::Timestamp time) {
  return std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::seconds>(time));
}

bool is_due(const Certificate& certificate, base::Timestamp now) {
  std::time_t later = seconds(now + kRenewedBefore);
  return X509_cmp_time(X509_get0_notAfter(certificate.get()), &later) <= 0;
}

struct Extension {
  int kind;
  std::string text;
};

// `issuer`: null for the authority, which signs itself.
Result<Signed> make(const std::string& name, const std::vector<Extension>& extensions,
                    base::Timestamp until, const Signed* issuer, base::Timestamp now,
                    base::Random& random) {
  Signed made{Key(EVP_EC_gen("P-256")), Certificate(X509_new())};
  if (!made.key || !made.certificate) return failed("cannot make a key");
  X509* const certificate = made.certificate.get();
  const Signed& signer = issuer == nullptr ? made : *issuer;
  std::array<unsigned char, 16> serial{};
  random.fill(std::as_writable_bytes(std::span(serial)));
  serial.front() = (serial.front() & 0x3FU) | 0x40U;  // positive, and always as long
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(
      BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  X509_NAME* const subject = X509_get_subject_name(certificate);
  const auto* const text = reinterpret_cast<const unsigned char*>(name.c_str());
  const bool filled =
      X509_set_version(certificate, kVersion3) == 1 && number &&
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr &&
      ASN1_TIME_set(X509_getm_notBefore(certificate), seconds(now - kClockSkew)) != nullptr &&
      ASN1_TIME_set(X509_getm_notAfter(certificate), seconds(until)) != nullptr &&
      X509_set_pubkey(certificate, made.key.get()) == 1 &&
      X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>("Terrarium"), -1, -1,
                                 0) == 1 &&
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1 &&
      X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate.get())) == 1;
  if (!filled) return failed("cannot make a certificate");
  X509V3_CTX context;
  X509V3_set_ctx(&context, signer.certificate.get(), certificate, nullptr, nullptr, 0);
  for (const auto& [kind, value] : extensions) {
    const std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> extension(
        X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) {
      return failed("cannot make a certificate with " + value);
    }
  }
  if (X509_sign(certificate, signer.key.get(), EVP_sha256()) == 0) {
    return failed("cannot sign a certificate");
  }
  return made;
}

Result<Signed> open_authority(const path& folder, base::Timestamp now, base::Random& random) {
  const path certificate_file = folder / "ca.pem";
  const path key_file = folder / "ca.key";
  Signed found{read_key(key_file), read_certificate(certificate_file)};
  if (found.certificate && !is_due(found.certificate, now)) {
    if (belongs(found.certificate, found.key)) return found;
    return base::fail(base::ErrorKind::Conflict,
                      key_file.string() + " is not the key of " + certificate_file.string() +
                          ". Put it back, or remove both: a new authority is made then, which "
                          "instances that run already do not trust.");
  }
  TRY(Signed made, make("Terrarium region authority",
                        {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                         {NID_key_usage, "critical,keyCertSign,cRLSign"},
                         {NID_subject_key_identifier, "hash"},
                         {NID_name_constraints, "critical,permitted;DNS:amazonaws.com"}},
                        now + kAuthorityLife, nullptr, now, random));
  // In this order a crash between the two leaves a key that nobody has used.
  std::error_code ignored;
  std::filesystem::remove(certificate_file, ignored);
  TRY_VOID(write_file(key_file, pem_of(made.key), 0600));
  TRY_VOID(write_file(certificate_file, pem_of(made.certificate), 0644));
  return made;
}

bool has_names(const Certificate& certificate, std::span<const std::string> names) {
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> found(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> present;
  for (int i = 0; i < sk_GENERAL_NAME_num(found.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(found.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* const text = ASN1_STRING_get0_data(name->d.dNSName);
    present.emplace_back(reinterpret_cast<const char*>(text),
                         static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  return std::ranges::all_of(names, [&present](const std::string& name) {
    return std::ranges::find(present, name) != present.end();
  });
}

bool signed_by(const Certificate& certificate, const Certificate& authority) {
  const bool good = X509_verify(certificate.get(), X509_get0_pubkey(authority.get())) == 1;
  ERR_clear_error();
  return good;
}

Result<void> open_face(const path& file, const Signed& authority,
                       std::span<const std::string> names, base::Timestamp now,
                       base::Random& random) {
  const Signed found{read_key(file), read_certificate(file)};
  if (belongs(found.certificate, found.key) && !is_due(found.certificate, now) &&
      signed_by(found.certificate, authority.certificate) && has_names(found.certificate, names)) {
    return {};
  }
  std::string alternatives;
  for (const std::string& name : names) {
    alternatives += (alternatives.empty() ? "DNS:" : ",DNS:") + name;
  }
  TRY(const Signed made, make("amazonaws.com",
                              {{NID_basic_constraints, "critical,CA:FALSE"},
                               {NID_key_usage, "critical,digitalSignature"},
                               {NID_ext_key_usage, "serverAuth"},
                               {NID_subject_key_identifier, "hash"},
                               {NID_authority_key_identifier, "keyid:always"},
                               {NID_subject_alt_name, alternatives}},
                              now + kFaceLife, &authority, now, random));
  return write_file(file, pem_of(made.key) + pem_of(made.certificate), 0600);
}

bool is_region(std::string_view name) {
  return !name.empty() && name.size() <= 32 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

std::vector<std::string> endpoint_names(std::span<const std::string> regions) {
  // The legacy names of SQS and S3 are what clients of Debian 12 still use.
  std::vector<std::string> names = {"*.amazonaws.com", "*.s3.amazonaws.com",
                                    "*.queue.amazonaws.com"};
  for (const std::string& region : regions) {
    names.push_back("*." + region + ".amazonaws.com");
    names.push_back("*.s3." + region + ".amazonaws.com");
    names.push_back("*.s3-" + region + ".amazonaws.com");
  }
  return names;
}

Result<Certificates> open_certificates(const path& folder, std::span<const std::string> regions,
                                       base::Timestamp now, base::Random& random) {
  for (const std::string& region : regions) {
    if (is_region(region)) continue;
    return base::fail(base::ErrorKind::InvalidInput, "'" + region + "' is not a region's name.");
  }
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) return base::fail_errno("cannot make " + folder.string(), failure.value());
  TRY(const Signed authority, open_authority(folder, now, random));
  const path face = folder / "server.pem";
  TRY_VOID(open_face(face, authority, endpoint_names(regions), now, random));
  return Certificates{folder / "ca.pem", {face.string(), face.string()}};
}

}  // namespace terrarium::region
