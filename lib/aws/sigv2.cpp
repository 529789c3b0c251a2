#include "lib/aws/sigv2.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <vector>

#include "lib/aws/sigv4_errors.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"

namespace aws {
namespace {

using signature_errors::refuse;
using Refusal = std::unexpected<AuthenticationError>;
template <class T>
using Checked = std::expected<T, AuthenticationError>;
using enum AuthenticationFailure;

// Parameters that are part of the resource, sorted. All others are not signed.
constexpr std::array<std::string_view, 35> kSigned = {"accelerate",
                                                      "acl",
                                                      "analytics",
                                                      "cors",
                                                      "defaultObjectAcl",
                                                      "delete",
                                                      "inventory",
                                                      "lifecycle",
                                                      "location",
                                                      "logging",
                                                      "metrics",
                                                      "notification",
                                                      "object-lock",
                                                      "partNumber",
                                                      "policy",
                                                      "replication",
                                                      "requestPayment",
                                                      "response-cache-control",
                                                      "response-content-disposition",
                                                      "response-content-encoding",
                                                      "response-content-language",
                                                      "response-content-type",
                                                      "response-expires",
                                                      "restore",
                                                      "select",
                                                      "select-type",
                                                      "storageClass",
                                                      "tagging",
                                                      "torrent",
                                                      "uploadId",
                                                      "uploads",
                                                      "versionId",
                                                      "versioning",
                                                      "versions",
                                                      "website"};

// Younger than this version of the signature: some clients sign them, botocore never learnt of
// them.
constexpr std::array<std::string_view, 3> kSignedBySome = {"legal-hold", "publicAccessBlock",
                                                           "retention"};

struct Parameter {
  std::string name;
  std::optional<std::string> value;
  auto operator<=>(const Parameter&) const = default;
};

// Decoded; nothing when an escape is broken.
std::optional<std::vector<Parameter>> parse_query(std::string_view query) {
  std::vector<Parameter> parameters;
  for (std::size_t at = 0; at < query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string_view pair = query.substr(at, end - at);
    at = end + 1;
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = base::percent_decode(pair.substr(0, equals), true);
    if (!name) return std::nullopt;
    Parameter parameter{std::move(*name), std::nullopt};
    if (equals < pair.size()) {
      auto value = base::percent_decode(pair.substr(equals + 1), true);
      if (!value) return std::nullopt;
      parameter.value = std::move(*value);
    }
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

Refusal malformed(std::string message) {
  return refuse(Incomplete, signature_errors::kAccessDenied, std::move(message));
}

Refusal mismatch(std::string string_to_sign) {
  auto refusal = refuse(WrongSignature, signature_errors::kSignatureDoesNotMatch,
                        "The request signature we calculated does not match the signature you "
                        "provided. Check your key and signing method.");
  refusal.error().string_to_sign = std::move(string_to_sign);
  return refusal;
}

std::string hmac_sha1(std::string_view key, std::string_view text) {
  constexpr std::size_t kBlockBytes = 64;
  std::string block(key);
  if (block.size() > kBlockBytes) block = base::digest(base::DigestKind::Sha1, block);
  block.resize(kBlockBytes, '\0');
  std::string inner = block;
  std::string outer = block;
  for (char& c : inner) c = static_cast<char>(c ^ 0x36);
  for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
  inner += text;
  outer += base::digest(base::DigestKind::Sha1, inner);
  return base::digest(base::DigestKind::Sha1, outer);
}

// Headers that are signed, wherever they were given: as headers or, by presigners, as parameters.
// Nothing when both places disagree: the signature would cover one and the service obey the other.
std::optional<std::map<std::string, std::string>> signed_headers(
    const ReceivedRequest& request, const std::vector<Parameter>& parameters) {
  const auto counts = [](std::string_view name) {
    return name.starts_with("x-amz-") || name == "content-type" || name == "content-md5";
  };
  std::map<std::string, std::string> fields;
  for (const http::HeaderView& field : *request.headers) {
    std::string name = base::to_lower(field.name);
    if (!counts(name)) continue;
    const auto [place, added] = fields.emplace(std::move(name), base::trim(field.value));
    if (!added) place->second += ',' + std::string(base::trim(field.value));
  }
  std::set<std::string> seen;
  for (const Parameter& parameter : parameters) {
    std::string name = base::to_lower(parameter.name);
    if (!counts(name)) continue;
    if (!seen.insert(name).second) return std::nullopt;
    const std::string value(base::trim(parameter.value.value_or("")));
    const auto [place, added] = fields.emplace(std::move(name), value);
    if (!added && place->second != value) return std::nullopt;
  }
  return fields;
}

std::string resource_path(const ReceivedRequest& request, std::string_view bucket_in_host) {
  std::string path;
  if (!bucket_in_host.empty()) path += '/' + std::string(bucket_in_host);
  path += request.path.empty() ? "/" : request.path;
  return path;
}

std::string signed_query(std::vector<Parameter> parameters, bool with_young) {
  std::erase_if(parameters, [with_young](const Parameter& parameter) {
    const std::string_view name = parameter.name;
    return !std::ranges::binary_search(kSigned, name) &&
           !(with_young && std::ranges::binary_search(kSignedBySome, name));
  });
  std::ranges::sort(parameters);
  std::string text;
  char separator = '?';
  for (const Parameter& parameter : parameters) {
    text += separator + parameter.name;
    if (parameter.value) text += '=' + *parameter.value;
    separator = '&';
  }
  return text;
}

Checked<base::Timestamp> parse_expires(const std::string& text) {
  std::int64_t seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, seconds);
  constexpr std::int64_t kSecondsMax = 253'402'300'800;  // the year 10000
  if (error != std::errc() || stopped != end || seconds < 0 || seconds >= kSecondsMax) {
    return malformed("Invalid date (should be seconds since epoch): " + text.substr(0, 64));
  }
  return base::Timestamp(std::chrono::seconds(seconds));
}

}  // namespace

std::expected<std::optional<PresignedV2>, AuthenticationError> parse_presigned_v2(
    const ReceivedRequest& request) {
  // Nearly every request ends here.
  if (request.query.find("AWSAccessKeyId=") == std::string_view::npos) return std::nullopt;
  const auto parameters = parse_query(request.query);
  if (!parameters) return malformed("A query parameter has a broken escape.");
  PresignedV2 claim;
  std::map<std::string_view, std::string> parts;
  for (const Parameter& parameter : *parameters) {
    const std::string& name = parameter.name;
    if (name != "AWSAccessKeyId" && name != "Signature" && name != "Expires" &&
        name != "X-Amz-Algorithm" && name != "x-amz-security-token") {
      continue;
    }
    if (!parts.emplace(name, parameter.value.value_or("")).second) {
      return malformed("The query parameter " + name + " is there twice.");
    }
  }
  if (!parts.contains("AWSAccessKeyId")) return std::nullopt;
  if (parts.contains("X-Amz-Algorithm") || request.headers->find("authorization")) {
    return refuse(Incomplete, signature_errors::kInvalidArgument,
                  "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                  "Signature query string parameter or the Authorization header should be "
                  "specified");
  }
  claim.access_key_id = parts["AWSAccessKeyId"];
  const auto signature = base::base64_decode(parts["Signature"]);
  if (claim.access_key_id.empty() || claim.access_key_id.size() > 128 || !signature ||
      signature->size() != base::digest_bytes(base::DigestKind::Sha1)) {
    return malformed(
        "Query-string authentication requires the Signature, Expires and "
        "AWSAccessKeyId parameters");
  }
  claim.signature = *signature;
  TRY(claim.expires, parse_expires(parts["Expires"]));
  claim.session_token =
      request.headers->find("x-amz-security-token").value_or(parts["x-amz-security-token"]);
  return claim;
}

std::expected<void, AuthenticationError> verify_presigned_v2(const ReceivedRequest& request,
                                                             const PresignedV2& claim,
                                                             std::string_view secret_access_key,
                                                             std::string_view bucket_in_host,
                                                             base::Timestamp now) {
  if (now >= claim.expires) {
    auto refusal = refuse(Expired, signature_errors::kAccessDenied, "Request has expired");
    refusal.error().times = {{"Expires", base::iso8601(claim.expires, 0)},
                             {"ServerTime", base::iso8601(now, 0)}};
    return refusal;
  }
  auto parameters = parse_query(request.query);
  if (!parameters) return malformed("A query parameter has a broken escape.");
  auto fields = signed_headers(request, *parameters);
  if (!fields) return mismatch({});
  const auto take = [&fields](const char* name) {
    auto node = fields->extract(name);
    return node ? std::move(node.mapped()) : std::string();
  };
  std::string text(request.method);
  text += '\n' + take("content-md5");
  text += '\n' + take("content-type");
  text += '\n' + std::to_string(claim.expires.time_since_epoch() / std::chrono::seconds(1)) + '\n';
  for (const auto& [name, value] : *fields) text += name + ':' + value + '\n';
  const std::string path = resource_path(request, bucket_in_host);
  const std::string query = signed_query(*parameters, true);
  const std::string old_query = signed_query(std::move(*parameters), false);
  const auto is_made_of = [&](const std::string& resource) {
    const std::string expected = hmac_sha1(secret_access_key, text + resource);
    return base::equals_in_constant_time(expected, claim.signature);
  };
  const auto is_signed = [&](const std::string& resource) {
    return is_made_of(resource + query) || (old_query != query && is_made_of(resource + old_query));
  };
  if (is_signed(path)) return {};
  // A bucket in the path is signed as "/bucket/", also where the URL ends with its name.
  const bool is_bucket = path.size() > 1 && path.find('/', 1) == std::string::npos;
  if (is_bucket && is_signed(path + '/')) return {};
  return mismatch(text + path + query);
}

std::string sign_form_v2(std::string_view secret_access_key, std::string_view policy) {
  return base::base64_encode(hmac_sha1(secret_access_key, policy));
}

}  // namespace aws
