#include "lib/aws/canonical.h"
#include "lib/aws/sigv4_errors.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"

namespace aws {
namespace {

using signature_errors::refuse;
using enum AuthenticationFailure;

constexpr std::chrono::minutes kSkewMax{15};

std::expected<void, AuthenticationError> check_skew(const Authentication& authentication,
                                                    base::Timestamp now) {
  const base::Timestamp time = authentication.time;
  const bool early = time > now + kSkewMax;
  if (!early && time >= now - kSkewMax) return {};
  if (authentication.s3) {
    auto refusal =
        refuse(Skewed, signature_errors::kRequestTimeTooSkewed,
               "The difference between the request time and the current time is too large.");
    refusal.error().times = {{"RequestTime", base::iso8601_basic(time)},
                             {"ServerTime", base::iso8601(now, 0)},
                             {"MaxAllowedSkewMilliseconds", "900000"}};
    return refusal;
  }
  const std::string limit = base::iso8601_basic(early ? now + kSkewMax : now - kSkewMax);
  std::string message = early ? "Signature not yet current: " : "Signature expired: ";
  message += base::iso8601_basic(time);
  message += early ? " is still later than " : " is now earlier than ";
  message += limit + " (" + base::iso8601_basic(now) + (early ? " + 15 min.)" : " - 15 min.)");
  return refuse(Skewed, signature_errors::kSignatureDoesNotMatch, std::move(message));
}

std::expected<void, AuthenticationError> check_time(const Authentication& authentication,
                                                    base::Timestamp now) {
  if (!authentication.expires) return check_skew(authentication, now);
  const base::ErrorRow& row = authentication.s3 ? signature_errors::kAccessDenied
                                                : signature_errors::kSignatureDoesNotMatch;
  if (authentication.time > now + kSkewMax) {
    return refuse(Expired, row, "Request is not yet valid");
  }
  if (now >= authentication.time + *authentication.expires) {
    auto refusal = refuse(Expired, row, "Request has expired");
    const base::Timestamp end = authentication.time + *authentication.expires;
    refusal.error().times = {{"X-Amz-Expires", std::to_string(authentication.expires->count())},
                             {"Expires", base::iso8601(end, 0)},
                             {"ServerTime", base::iso8601(now, 0)}};
    return refusal;
  }
  return {};
}

// The hash that enters the canonical request, once it is known to be the body's.
std::expected<std::string_view, AuthenticationError> payload_hash(
    const Authentication& authentication, std::string_view of_body) {
  const std::string_view declared = authentication.payload_hash;
  if (declared.empty()) return of_body;
  const bool is_hash =
      declared.size() == kEmptySha256.size() && declared.find('-') == declared.npos;
  if (authentication.s3 && (of_body.empty() || !is_hash)) return declared;
  if (declared == of_body) return declared;
  return refuse(WrongSignature,
                authentication.s3 ? signature_errors::kContentSha256Mismatch
                                  : signature_errors::kSignatureDoesNotMatch,
                "The provided 'x-amz-content-sha256' header does not match what was computed.");
}

}  // namespace

std::expected<void, AuthenticationError> verify(const ReceivedRequest& request,
                                                const Authentication& authentication,
                                                std::string_view signing_key,
                                                std::string_view payload_hash_of_body,
                                                base::Timestamp now) {
  TRY_VOID(check_time(authentication, now));
  TRY(const std::string_view hash, payload_hash(authentication, payload_hash_of_body));
  std::string canonical = canonical_request({.method = request.method,
                                             .path = request.path,
                                             .query = request.query,
                                             .headers = request.headers,
                                             .signed_headers = authentication.signed_headers,
                                             .payload_hash = hash,
                                             .s3 = authentication.s3});
  std::string text = string_to_sign(authentication.time, authentication.scope, canonical);
  if (base::equals_in_constant_time(hex_hmac(signing_key, text), authentication.signature)) {
    return {};
  }
  auto refusal = refuse(
      WrongSignature, signature_errors::kSignatureDoesNotMatch,
      authentication.s3
          ? "The request signature we calculated does not match the signature you provided. Check "
            "your key and signing method."
          : "The request signature we calculated does not match the signature you provided. Check "
            "your AWS Secret Access Key and signing method. Consult the service documentation for "
            "details.");
  refusal.error().canonical_request = std::move(canonical);
  refusal.error().string_to_sign = std::move(text);
  return refusal;
}

}  // namespace aws
