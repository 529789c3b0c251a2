#include "terrarium/services/s3/requests.h"

#include <algorithm>

#include "generated/s3/errors.h"

namespace terrarium::s3 {
namespace {

std::unexpected<base::Error> bad_digest(std::string message) {
  return base::fail(errors::kBadDigest, std::move(message));
}

base::Result<void> verify_md5(const std::string& declared, const std::string& computed) {
  const auto bytes = base::base64_decode(declared);
  if (!bytes.has_value() || bytes->size() != base::digest_bytes(base::DigestKind::Md5)) {
    return with_field(
        base::fail(errors::kInvalidDigest, "The Content-MD5 you specified was invalid."),
        "Content-MD5", declared);
  }
  if (*bytes == computed) return {};
  return with_field(
      with_field(bad_digest("The Content-MD5 you specified did not match what we received."),
                 "ExpectedDigest", declared),
      "CalculatedDigest", base::base64_encode(computed));
}

// The kind that x-amz-trailer announces, when it announces a checksum.
std::optional<base::DigestKind> announced(const wire::Context& context) {
  if (context.request == nullptr) return std::nullopt;
  const auto trailer = context.request->headers.find("x-amz-trailer");
  if (!trailer) return std::nullopt;
  for (const auto kind : {base::DigestKind::Crc32, base::DigestKind::Crc32c, base::DigestKind::Sha1,
                          base::DigestKind::Sha256, base::DigestKind::Crc64Nvme}) {
    if (base::equals_ignoring_case(base::trim(*trailer), checksum_header(kind))) return kind;
  }
  return std::nullopt;
}

}  // namespace

base::Result<std::size_t> page_limit(const std::optional<std::int32_t>& given,
                                     std::string_view name) {
  if (given && *given < 0) {
    // Of its parameters AWS calls this one by another name, here only.
    const std::string shown(name == "max-keys" ? "maxKeys" : name);
    return invalid_argument("Argument " + shown + " must be an integer between 0 and 2147483647",
                            shown, std::to_string(*given));
  }
  return static_cast<std::size_t>(std::min(given.value_or(kListMax), kListMax));
}

base::Result<bool> wants_url_encoding(const std::optional<std::string>& encoding_type) {
  if (!encoding_type) return false;
  if (base::to_lower(*encoding_type) == "url") return true;
  return invalid_argument("Invalid Encoding Method specified in Request", "encoding-type",
                          *encoding_type);
}

base::Result<void> check_redirect_location(std::string_view location) {
  if (location.empty() || location.starts_with('/') || location.starts_with("http://") ||
      location.starts_with("https://")) {
    return {};
  }
  return base::fail(errors::kInvalidRedirectLocation,
                    "The website redirect location must have a prefix of 'http://' or 'https://' "
                    "or '/'.");
}

base::Result<void> check_encryption(const std::optional<std::string>& algorithm) {
  if (!algorithm || *algorithm == kEncryption) return {};
  if (algorithm->starts_with("aws:kms")) {
    return not_supported("Server-side encryption with KMS keys");
  }
  return invalid_argument("The encryption method specified is not supported",
                          "x-amz-server-side-encryption", *algorithm);
}

base::Result<std::optional<DeclaredChecksum>> declared_checksum(
    const wire::Context& context, const ChecksumHeaders& headers,
    const std::optional<std::string>& algorithm) {
  std::optional<DeclaredChecksum> declared;
  for (const auto& [kind, value] : headers) {
    if (!*value) continue;
    if (declared) {
      return base::fail(errors::kInvalidRequest,
                        "Expecting a single x-amz-checksum- header. Multiple checksum Types are "
                        "not allowed.");
    }
    if (!is_checksum(kind, **value)) {
      return base::fail(errors::kInvalidRequest,
                        "Value for " + checksum_header(kind) + " header is invalid.");
    }
    declared = DeclaredChecksum{kind, **value};
  }
  if (const auto trailing = announced(context); trailing && !declared) {
    declared = DeclaredChecksum{*trailing, {}};
  }
  if (!algorithm) return declared;
  const auto named = checksum_kind(*algorithm);
  if (!named) {
    return base::fail(errors::kInvalidRequest,
                      "Value for x-amz-sdk-checksum-algorithm header is invalid.");
  }
  if (!declared) {
    return base::fail(errors::kInvalidRequest,
                      "x-amz-sdk-checksum-algorithm specified, but no corresponding "
                      "x-amz-checksum-* or x-amz-trailer headers were found.");
  }
  if (declared->kind != *named) {
    return base::fail(errors::kInvalidRequest,
                      "Value for x-amz-sdk-checksum-algorithm header is invalid.");
  }
  return declared;
}

base::Result<void> verify_digests(const BodyDigests& digests, const BodyDemands& demands,
                                  const http::Headers* trailers) {
  if (demands.content_md5) TRY_VOID(verify_md5(*demands.content_md5, digests.md5()));
  if (!demands.declared) return {};
  std::string expected = demands.declared->value;
  if (expected.empty() && trailers != nullptr) {
    expected = trailers->find(checksum_header(demands.declared->kind)).value_or("");
  }
  if (expected.empty()) {
    return base::fail(errors::kInvalidRequest,
                      "The trailing checksum that was announced is missing.");
  }
  if (expected == base::base64_encode(digests.digest(demands.declared->kind))) return {};
  return bad_digest("The " + std::string(checksum_name(demands.declared->kind)) +
                    " you specified did not match the calculated checksum.");
}

}  // namespace terrarium::s3
