#include "terrarium/wire/authenticate.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/s3_address.h"

namespace terrarium::wire {
namespace {

constexpr std::string_view kFirstRegion = "us-east-1";

// What AWS calls one refusal in each protocol family, and says of it.
struct AuthenticationRows {
  base::ErrorRow unknown_key;
  base::ErrorRow wrong_token;
  base::ErrorRow expired_token;
  base::ErrorRow missing;
  base::ErrorRow incomplete;
  base::ErrorRow mismatch;
  std::string_view unknown_key_text = "The security token included in the request is invalid.";
  std::string_view wrong_token_text = "The security token included in the request is invalid.";
  std::string_view expired_token_text = "The security token included in the request is expired";
};

constexpr std::string_view kEc2Refusal =
    "AWS was not able to validate the provided access credentials";

constexpr AuthenticationRows kS3Rows = {
    {"InvalidAccessKeyId", 403, {}},
    {"InvalidToken", 400, {}},
    {"ExpiredToken", 400, {}},
    {"AccessDenied", 403, {}},
    {"AuthorizationHeaderMalformed", 400, {}},
    {"SignatureDoesNotMatch", 403, {}},
    "The AWS Access Key Id you provided does not exist in our records.",
    "The provided token is malformed or otherwise invalid.",
    "The provided token has expired."};
constexpr AuthenticationRows kQueryRows = {
    {"InvalidClientTokenId", 403, {}}, {"InvalidClientTokenId", 403, {}},
    {"ExpiredToken", 403, {}},         {"MissingAuthenticationToken", 403, {}},
    {"IncompleteSignature", 400, {}},  {"SignatureDoesNotMatch", 403, {}}};
constexpr AuthenticationRows kEc2Rows = {{"AuthFailure", 401, {}},
                                         {"AuthFailure", 401, {}},
                                         {"RequestExpired", 400, {}},
                                         {"MissingAuthenticationToken", 403, {}},
                                         {"IncompleteSignature", 400, {}},
                                         {"AuthFailure", 401, {}},
                                         kEc2Refusal,
                                         kEc2Refusal,
                                         "Request has expired."};
constexpr AuthenticationRows kJsonRows = {
    {"UnrecognizedClientException", 400, "InvalidClientTokenId"},
    {"UnrecognizedClientException", 400, "InvalidClientTokenId"},
    {"ExpiredTokenException", 400, "ExpiredToken"},
    {"MissingAuthenticationTokenException", 400, "MissingAuthenticationToken"},
    {"IncompleteSignatureException", 400, "IncompleteSignature"},
    {"InvalidSignatureException", 400, "SignatureDoesNotMatch"}};
constexpr AuthenticationRows kRestJsonRows = {
    {"UnrecognizedClientException", 403, {}},  {"UnrecognizedClientException", 403, {}},
    {"ExpiredTokenException", 403, {}},        {"MissingAuthenticationTokenException", 403, {}},
    {"IncompleteSignatureException", 403, {}}, {"InvalidSignatureException", 403, {}}};

const AuthenticationRows& rows_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::RestXml: return kS3Rows;
    case Protocol::Query: return kQueryRows;
    case Protocol::Ec2: return kEc2Rows;
    case Protocol::Json10:
    case Protocol::Json11: return kJsonRows;
    case Protocol::RestJson: break;
  }
  return kRestJsonRows;
}

std::string hex_bytes(std::string_view text) {
  std::string result;
  const std::string hex = base::hex_encode(text);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    if (i > 0) result += ' ';
    result += hex.substr(i, 2);
  }
  return result;
}

// lib/aws names the failure as S3 or as query services do; JSON services have names of their own.
base::Error refusal(aws::AuthenticationError error, Protocol protocol,
                    std::string_view access_key_id, std::string_view signature) {
  const AuthenticationRows& rows = rows_of(protocol);
  const base::ErrorRow* row = error.row;
  if (protocol != Protocol::RestXml) {
    row =
        error.failure == aws::AuthenticationFailure::Incomplete ? &rows.incomplete : &rows.mismatch;
  }
  base::Error result = base::fail(*row, std::move(error.message)).error();
  if (row == &kEc2Rows.mismatch) {
    // EC2 does not tell what about a signature is wrong.
    result.detail = std::exchange(result.message, std::string(kEc2Refusal));
  }
  if (protocol != Protocol::RestXml) return result;
  if (!error.headers_not_signed.empty()) {
    result.fields.emplace_back("HeadersNotSigned", std::move(error.headers_not_signed));
  }
  if (!error.string_to_sign.empty()) {
    result.fields.emplace_back("AWSAccessKeyId", access_key_id);
    result.fields.emplace_back("StringToSign", error.string_to_sign);
    result.fields.emplace_back("SignatureProvided", signature);
    result.fields.emplace_back("StringToSignBytes", hex_bytes(error.string_to_sign));
  }
  for (auto& field : error.times) result.fields.push_back(std::move(field));
  if (!error.canonical_request.empty()) {
    result.fields.emplace_back("CanonicalRequest", error.canonical_request);
    result.fields.emplace_back("CanonicalRequestBytes", hex_bytes(error.canonical_request));
  }
  return result;
}

base::Result<void> check_scope(const aws::Scope& scope, Protocol protocol,
                               std::string_view signing_name) {
  const bool service_right = scope.service == signing_name;
  if (service_right && is_region_name(scope.region)) return {};
  const AuthenticationRows& rows = rows_of(protocol);
  if (protocol == Protocol::RestXml && !service_right) {
    return base::fail(rows.incomplete,
                      fmt::format("The authorization header is malformed; incorrect service "
                                  "\"{}\". This endpoint belongs to \"s3\".",
                                  scope.service));
  }
  if (protocol == Protocol::RestXml) {
    // Clients that know no regions ("US") learn one and sign again.
    auto failure = base::fail(
        rows.incomplete, fmt::format("The authorization header is malformed; the region '{}' is "
                                     "wrong; expecting '{}'",
                                     scope.region, kFirstRegion));
    failure.error().fields = {{"Region", std::string(kFirstRegion)}};
    return failure;
  }
  return base::fail(
      rows.mismatch,
      service_right
          ? std::string("Credential should be scoped to a valid region. ")
          : fmt::format("Credential should be scoped to correct service: '{}'. ", signing_name));
}

}  // namespace

std::string SigningKeys::get(std::string_view secret_access_key, const aws::Scope& scope) {
  // The date comes first, so that the keys of past days are the first in order.
  const std::string name = fmt::format("{}/{}", scope.text(), secret_access_key);
  {
    const std::lock_guard lock(mutex_);
    const auto found = keys_.find(name);
    if (found != keys_.end()) return found->second;
  }
  std::string key = aws::signing_key(secret_access_key, scope);
  const std::lock_guard lock(mutex_);
  if (keys_.size() >= kMax) keys_.erase(keys_.begin());
  keys_.emplace(name, key);
  return key;
}

std::size_t SigningKeys::size() const {
  const std::lock_guard lock(mutex_);
  return keys_.size();
}

base::Result<Key> Authenticator::find_key(const std::string& access_key_id,
                                          const std::string& session_token, Protocol protocol,
                                          base::Timestamp now) const {
  const AuthenticationRows& rows = rows_of(protocol);
  TRY(std::optional<Key> key, keys_.find(access_key_id));
  if (!key) {
    auto failure = base::fail(rows.unknown_key, std::string(rows.unknown_key_text));
    if (protocol == Protocol::RestXml) failure.error().fields = {{"AWSAccessKeyId", access_key_id}};
    return failure;
  }
  if (!base::equals_in_constant_time(key->session_token, session_token)) {
    return base::fail(rows.wrong_token, std::string(rows.wrong_token_text));
  }
  if (key->expiration && *key->expiration <= now) {
    return base::fail(rows.expired_token, std::string(rows.expired_token_text));
  }
  return *std::move(key);
}

base::Result<PermissionsPtr> Authenticator::permissions_of(const Principal& principal) const {
  const bool narrowed =
      principal.kind == PrincipalKind::User || principal.kind == PrincipalKind::AssumedRole;
  if (authoriser_ == nullptr || !narrowed) return PermissionsPtr();
  return authoriser_->permissions_of(principal);
}

base::Result<Identity> Authenticator::check_presigned_v2(const http::Request& request,
                                                         const aws::PresignedV2& claim,
                                                         base::Timestamp now) const {
  const aws::ReceivedRequest received{request.method, request.path, request.query,
                                      &request.headers};
  constexpr Protocol kProtocol = Protocol::RestXml;
  TRY(Key key, find_key(claim.access_key_id, claim.session_token, kProtocol, now));
  const std::string bucket = bucket_of_host(request.headers.find("host").value_or("")).value_or("");
  auto verified = aws::verify_presigned_v2(received, claim, key.secret, bucket, now);
  if (!verified) {
    return std::unexpected(refusal(std::move(verified).error(), kProtocol, claim.access_key_id,
                                   base::base64_encode(claim.signature)));
  }
  Identity identity;
  identity.principal = std::move(key.principal);
  return identity;
}

base::Result<Identity> Authenticator::check_form(const FormClaim& claim, base::Timestamp now) {
  constexpr Protocol kProtocol = Protocol::RestXml;
  TRY(Key key, find_key(claim.access_key_id, claim.session_token, kProtocol, now));
  const std::string expected = claim.scope
                                   ? base::hex_encode(base::hmac_sha256(
                                         signing_keys_.get(key.secret, *claim.scope), claim.policy))
                                   : aws::sign_form_v2(key.secret, claim.policy);
  if (!base::equals_in_constant_time(expected, claim.signature)) {
    aws::AuthenticationError error;
    error.failure = aws::AuthenticationFailure::WrongSignature;
    error.row = &rows_of(kProtocol).mismatch;
    error.message =
        "The request signature we calculated does not match the signature you provided. Check "
        "your key and signing method.";
    error.string_to_sign = claim.policy;
    return std::unexpected(
        refusal(std::move(error), kProtocol, claim.access_key_id, claim.signature));
  }
  Identity identity;
  identity.principal = std::move(key.principal);
  return identity;
}

base::Result<void> Authenticator::check_key(const http::Request& request, Protocol protocol,
                                            base::Timestamp now) const {
  const aws::ReceivedRequest received{request.method, request.path, request.query,
                                      &request.headers};
  auto parsed = aws::parse_authentication(received, false);
  if (!parsed) return std::unexpected(refusal(std::move(parsed).error(), protocol, {}, {}));
  if (!*parsed) {
    return base::fail(rows_of(protocol).missing, "Request is missing Authentication Token");
  }
  TRY(const Key key, find_key((*parsed)->access_key_id, (*parsed)->session_token, protocol, now));
  return {};
}

base::Result<Identity> Authenticator::check(const http::Request& request, Protocol protocol,
                                            std::string_view signing_name,
                                            std::string_view payload_hash_of_body,
                                            base::Timestamp now) {
  const bool s3 = protocol == Protocol::RestXml;
  const aws::ReceivedRequest received{request.method, request.path, request.query,
                                      &request.headers};
  if (s3) {
    auto claim = aws::parse_presigned_v2(received);
    if (!claim) return std::unexpected(refusal(std::move(claim).error(), protocol, {}, {}));
    if (*claim) return check_presigned_v2(request, **claim, now);
  }
  auto parsed = aws::parse_authentication(received, s3);
  if (!parsed) return std::unexpected(refusal(std::move(parsed).error(), protocol, {}, {}));
  Identity identity;
  if (!*parsed) {
    if (s3) return identity;
    return base::fail(rows_of(protocol).missing, "Request is missing Authentication Token");
  }
  const aws::Authentication& made = **parsed;
  TRY(Key key, find_key(made.access_key_id, made.session_token, protocol, now));
  identity.signing_key = signing_keys_.get(key.secret, made.scope);
  auto verified = aws::verify(received, made, identity.signing_key, payload_hash_of_body, now);
  if (!verified) {
    return std::unexpected(
        refusal(std::move(verified).error(), protocol, made.access_key_id, made.signature));
  }
  // After the signature: only who knows the secret learns what else is wrong.
  TRY_VOID(check_scope(made.scope, protocol, signing_name));
  keys_.used(made.access_key_id, signing_name, made.scope.region, now);
  identity.principal = std::move(key.principal);
  identity.authentication = *std::move(parsed);
  return identity;
}

std::string_view service_of_credential(const http::Request& request) {
  static constexpr std::string_view kHeaderMark = "Credential=";
  static constexpr std::string_view kQueryMark = "X-Amz-Credential=";
  std::string_view text = request.headers.find("authorization").value_or("");
  std::size_t at = text.find(kHeaderMark);
  std::string_view separator = "/";
  if (at != text.npos) {
    text = text.substr(at + kHeaderMark.size());
    text = text.substr(0, text.find(','));
  } else {
    text = request.query;
    at = text.find(kQueryMark);
    if (at == text.npos) return {};
    text = text.substr(at + kQueryMark.size());
    text = text.substr(0, text.find('&'));
    if (text.find('/') == text.npos) separator = text.contains("%2F") ? "%2F" : "%2f";
  }
  // keyid/date/region/service/aws4_request
  for (int part = 0; part < 3; ++part) {
    at = text.find(separator);
    if (at == text.npos) return {};
    text = text.substr(at + separator.size());
  }
  return text.substr(0, text.find(separator));
}

bool is_region_name(std::string_view name) {
  if (name.size() < 9 || name.size() > 32 || std::ranges::count(name, '-') < 2) return false;
  if (name.back() < '0' || name.back() > '9' || name[2] != '-') return false;
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

}  // namespace terrarium::wire
