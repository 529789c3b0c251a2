// What many requests have in common, read from the generated types: headers to keep, checksums to
// compare, and everything that AWS has and this region has not, refused by name. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "generated/s3/errors.h"
#include "lib/base/encoding.h"
#include "lib/base/result.h"
#include "terrarium/services/s3/checksum.h"
#include "terrarium/services/s3/conditions.h"
#include "terrarium/services/s3/names.h"
#include "terrarium/services/s3/records.h"
#include "terrarium/wire/service.h"

namespace terrarium::s3 {

// Bodies are readable by whoever owns the state folder; the header says what AWS says by default.
inline constexpr std::string_view kEncryption = "AES256";
inline constexpr std::string_view kOwnerEnforced = "BucketOwnerEnforced";

// A checksum that a request says its body has.
struct DeclaredChecksum {
  base::DigestKind kind = kDefaultChecksum;
  std::string value;  // base64; empty: it comes in the trailer
};

// What a body must be to be taken.
struct BodyDemands {
  std::optional<std::string> content_md5;
  std::optional<DeclaredChecksum> declared;
  base::DigestKind checksum = kDefaultChecksum;  // the one that is kept
  bool may_be_inline = true;
};

// max-keys and its kin: 1,000 unless less is asked for.
base::Result<std::size_t> page_limit(const std::optional<std::int32_t>& given,
                                     std::string_view name);
// encoding-type of a listing.
base::Result<bool> wants_url_encoding(const std::optional<std::string>& encoding_type);

// Empty: none.
base::Result<void> check_redirect_location(std::string_view location);
base::Result<void> check_encryption(const std::optional<std::string>& algorithm);
// The checksums given in headers, by kind, and x-amz-sdk-checksum-algorithm.
using ChecksumHeaders = std::vector<std::pair<base::DigestKind, const std::optional<std::string>*>>;
base::Result<std::optional<DeclaredChecksum>> declared_checksum(
    const wire::Context& context, const ChecksumHeaders& headers,
    const std::optional<std::string>& algorithm);

// Compares what was computed with what was declared: BadDigest, InvalidDigest.
base::Result<void> verify_digests(const BodyDigests& digests, const BodyDemands& demands,
                                  const http::Headers* trailers);

template <class Message>
ChecksumHeaders checksum_headers(const Message& message) {
  using base::DigestKind;
  return {{DigestKind::Crc32, &message.checksum_crc32},
          {DigestKind::Crc32c, &message.checksum_crc32c},
          {DigestKind::Sha1, &message.checksum_sha1},
          {DigestKind::Sha256, &message.checksum_sha256},
          {DigestKind::Crc64Nvme, &message.checksum_crc64nvme}};
}

template <class Message>
void set_checksum(Message& message, base::DigestKind kind, const std::string& value) {
  using base::DigestKind;
  switch (kind) {
    case DigestKind::Crc32: message.checksum_crc32 = value; break;
    case DigestKind::Crc32c: message.checksum_crc32c = value; break;
    case DigestKind::Sha1: message.checksum_sha1 = value; break;
    case DigestKind::Sha256: message.checksum_sha256 = value; break;
    case DigestKind::Crc64Nvme: message.checksum_crc64nvme = value; break;
    case DigestKind::Md5: break;
  }
}

inline std::string checksum_type(bool composite) { return composite ? "COMPOSITE" : "FULL_OBJECT"; }

template <class Message>
void set_checksum(Message& message, const ObjectChecksum& checksum) {
  set_checksum(message, checksum.kind, checksum.value);
  message.checksum_type = checksum_type(checksum.composite);
}

// The headers of an object that PutObject, CopyObject and CreateMultipartUpload carry alike.
template <class Request>
base::Result<ObjectHeaders> object_headers(const Request& request) {
  ObjectHeaders headers;
  headers.content_type = request.content_type.value_or("binary/octet-stream");
  headers.cache_control = request.cache_control.value_or("");
  headers.content_disposition = request.content_disposition.value_or("");
  headers.content_encoding = without_aws_chunked(request.content_encoding.value_or(""));
  headers.content_language = request.content_language.value_or("");
  headers.expires = request.expires.value_or("");
  headers.website_redirect_location = request.website_redirect_location.value_or("");
  TRY_VOID(check_redirect_location(headers.website_redirect_location));
  headers.storage_class = request.storage_class.value_or("");
  if (headers.storage_class == "STANDARD") headers.storage_class.clear();
  TRY_VOID(check_storage_class(headers.storage_class));
  if (request.metadata) {
    for (const auto& [name, value] : *request.metadata) {
      headers.metadata.emplace(base::to_lower(name), value);
    }
  }
  TRY_VOID(check_metadata(headers.metadata));
  return headers;
}

// Parameters that AWS has and this region has not. Nothing that changes what a request means is
// passed over in silence.
template <class Request>
base::Result<void> refuse_unsupported(const Request& request) {
  if constexpr (requires { request.server_side_encryption; }) {
    TRY_VOID(check_encryption(request.server_side_encryption));
    if (request.sse_kms_key_id || request.bucket_key_enabled.value_or(false)) {
      return not_supported("Server-side encryption with KMS keys");
    }
  }
  if constexpr (requires { request.sse_kms_encryption_context; }) {
    if (request.sse_kms_encryption_context) {
      return not_supported("Server-side encryption with KMS keys");
    }
  }
  if constexpr (requires { request.sse_customer_key; }) {
    if (request.sse_customer_algorithm || request.sse_customer_key ||
        request.sse_customer_key_md5) {
      return not_supported("Server-side encryption with customer-provided keys");
    }
  }
  if constexpr (requires { request.copy_source_sse_customer_key; }) {
    if (request.copy_source_sse_customer_algorithm || request.copy_source_sse_customer_key ||
        request.copy_source_sse_customer_key_md5) {
      return not_supported("Server-side encryption with customer-provided keys");
    }
  }
  if constexpr (requires { request.object_lock_mode; }) {
    if (request.object_lock_mode || request.object_lock_retain_until_date ||
        request.object_lock_legal_hold_status) {
      return base::fail(errors::kInvalidRequest, "Bucket is missing Object Lock Configuration");
    }
  }
  if constexpr (requires { request.bypass_governance_retention; }) {
    if (request.bypass_governance_retention) {
      return with_field(base::fail(errors::kInvalidArgument,
                                   "x-amz-bypass-governance-retention is only applicable to Object "
                                   "Lock enabled buckets."),
                        "ArgumentName", "x-amz-bypass-governance-retention");
    }
  }
  if constexpr (requires { request.mfa; }) {
    if (request.mfa) return not_supported("MFA delete");
  }
  return {};
}

}  // namespace terrarium::s3
