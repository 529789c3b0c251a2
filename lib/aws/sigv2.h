// Signature Version 2, verified only, and only where it still lives: S3's presigned URLs, which
// boto3 makes for us-east-1 unless told otherwise
// ("?AWSAccessKeyId=...&Signature=...&Expires=..."). Source: S3's "Signing and authenticating REST
// requests", query string authentication.
//
// Pure. Such a URL names no region: the caller assumes its own.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "lib/aws/sigv4.h"
#include "lib/base/clock.h"

namespace aws {

struct PresignedV2 {
  std::string access_key_id;
  std::string session_token;
  std::string signature;    // 20 bytes
  base::Timestamp expires;  //
};

// Nothing when the query has no AWSAccessKeyId. Call it before parse_authentication, which refuses
// requests of this version.
std::expected<std::optional<PresignedV2>, AuthenticationError> parse_presigned_v2(
    const ReceivedRequest& request);

// Checks time and signature. `bucket_in_host`: the bucket of a virtual-host request, else empty.
std::expected<void, AuthenticationError> verify_presigned_v2(const ReceivedRequest& request,
                                                             const PresignedV2& claim,
                                                             std::string_view secret_access_key,
                                                             std::string_view bucket_in_host,
                                                             base::Timestamp now);

// The signature of a browser form's policy, which is signed as it is sent: in base64.
std::string sign_form_v2(std::string_view secret_access_key, std::string_view policy);

}  // namespace aws
