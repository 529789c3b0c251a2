#include <algorithm>
#include <array>

#include "lib/aws/canonical.h"
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

constexpr std::size_t kAccessKeyIdBytesMax = 128;
constexpr std::size_t kScopePartBytesMax = 64;
constexpr std::size_t kSignedHeadersMax = 256;
constexpr std::int64_t kExpiresSecondsMax = 604'800;

bool is_hex_sha256(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_scope_part(std::string_view text) {
  return !text.empty() && text.size() <= kScopePartBytesMax &&
         std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-' || c == '_';
         });
}

bool is_access_key_id(std::string_view text) {
  return !text.empty() && text.size() <= kAccessKeyIdBytesMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '/'; });
}

bool is_header_name(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || kMarks.contains(c);
  });
}

// A part is missing or malformed: what AWS calls that depends on the service and on where it is.
Refusal incomplete(const Authentication& made, std::string message) {
  if (!made.s3) return refuse(Incomplete, signature_errors::kIncompleteSignature, message);
  if (made.presigned) {
    return refuse(Incomplete, signature_errors::kAuthorizationQueryParametersError, message);
  }
  return refuse(Incomplete, signature_errors::kAuthorizationHeaderMalformed,
                "The authorization header is malformed; " + message);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

Checked<void> read_credential(std::string_view text, Authentication& made) {
  const std::vector<std::string_view> parts = split(text, '/');
  if (parts.size() != 5 || !is_access_key_id(parts[0]) || parts[1].size() != 8 ||
      !is_scope_part(parts[1]) || !is_scope_part(parts[2]) || !is_scope_part(parts[3])) {
    if (made.s3) {
      const std::string_view where =
          made.presigned ? "Error parsing the X-Amz-Credential parameter; " : "";
      return incomplete(made, std::string(where) +
                                  "the Credential is mal-formed; expecting "
                                  "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
    }
    return incomplete(made,
                      "Credential must have exactly 5 slash-delimited elements, e.g. "
                      "keyid/date/region/service/term, got '" +
                          std::string(text.substr(0, 256)) + "'");
  }
  if (parts[4] != "aws4_request") {
    return incomplete(made,
                      "Credential should be scoped with a valid terminator: 'aws4_request', "
                      "not '" +
                          std::string(parts[4].substr(0, 64)) + "'.");
  }
  made.access_key_id = parts[0];
  made.scope = {std::string(parts[1]), std::string(parts[2]), std::string(parts[3])};
  return {};
}

Checked<void> read_signed_headers(std::string_view text, Authentication& made) {
  const std::vector<std::string_view> names = split(text, ';');
  const bool well_formed =
      names.size() <= kSignedHeadersMax && std::ranges::all_of(names, is_header_name);
  if (!well_formed)
    return incomplete(made, "SignedHeaders must be lower-case names joined by ';'.");
  for (const std::string_view name : names) {
    if (std::ranges::find(made.signed_headers, name) != made.signed_headers.end()) {
      return incomplete(made, "SignedHeaders names a header twice.");
    }
    made.signed_headers.emplace_back(name);
  }
  return {};
}

Checked<void> read_signature(std::string_view text, Authentication& made) {
  if (!is_hex_sha256(text)) {
    return incomplete(made, "the Signature is mal-formed; expecting 64 lower-case hex digits.");
  }
  made.signature = text;
  return {};
}

Checked<std::optional<std::string_view>> single_header(const ReceivedRequest& request,
                                                       const Authentication& made,
                                                       std::string_view name) {
  if (request.headers->count(name) > 1) {
    return incomplete(made, "the header '" + std::string(name) + "' is there twice.");
  }
  return request.headers->find(name);
}

Checked<void> check_date_of_scope(const Authentication& made) {
  const std::string time = base::iso8601_basic(made.time);
  if (time.starts_with(made.scope.date)) return {};
  if (made.s3) {
    return incomplete(made, "Invalid credential date \"" + made.scope.date +
                                "\". This date is not the same as X-Amz-Date: \"" +
                                time.substr(0, 8) + "\".");
  }
  return refuse(WrongSignature, signature_errors::kSignatureDoesNotMatch,
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                "from HTTP: '" +
                    made.scope.date + "' != '" + time.substr(0, 8) + "', from '" + time + "'.");
}

// X-Amz-Date, or Date in either form.
Checked<void> read_date_header(const ReceivedRequest& request, Authentication& made) {
  TRY(std::optional<std::string_view> text, single_header(request, made, "x-amz-date"));
  const bool own = text.has_value();
  if (!own) {
    TRY(text, single_header(request, made, "date"));
  }
  if (text) {
    base::Result<base::Timestamp> time = base::parse_iso8601_basic(*text);
    if (!time && !own) time = base::parse_http_date(*text);
    if (time) {
      made.time = *time;
      return check_date_of_scope(made);
    }
  }
  if (made.s3) {
    return refuse(Incomplete, signature_errors::kAccessDenied,
                  "AWS authentication requires a valid Date or x-amz-date header");
  }
  return incomplete(made, "Date must be in ISO-8601 'basic format'. Got '" +
                              std::string(text.value_or("").substr(0, 64)) +
                              "'. See http://en.wikipedia.org/wiki/ISO_8601");
}

struct HeaderParts {
  std::optional<std::string_view> credential;
  std::optional<std::string_view> signed_headers;
  std::optional<std::string_view> signature;
};

// "Credential=..., SignedHeaders=..., Signature=...", each once, in any order.
Checked<HeaderParts> split_authorization(std::string_view text, const Authentication& made) {
  HeaderParts parts;
  for (const std::string_view raw : split(text, ',')) {
    const std::string_view part = base::trim(raw);
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string_view name = part.substr(0, equals);
    std::optional<std::string_view>* const place = name == "Credential"      ? &parts.credential
                                                   : name == "SignedHeaders" ? &parts.signed_headers
                                                   : name == "Signature"     ? &parts.signature
                                                                             : nullptr;
    if (place == nullptr || equals == part.size() || place->has_value()) {
      return incomplete(made, "the authorization component \"" + std::string(name.substr(0, 64)) +
                                  "\" is malformed.");
    }
    *place = part.substr(equals + 1);
  }
  return parts;
}

// All that is missing, as AWS lists it.
Checked<void> check_parts(const ReceivedRequest& request, const HeaderParts& parts,
                          std::string_view authorization, const Authentication& made) {
  const auto present = [](const std::optional<std::string_view>& part) {
    return part.has_value() && !part->empty();
  };
  const bool dated = request.headers->find("x-amz-date") || request.headers->find("date");
  std::string missing;
  const auto require = [&missing](bool there, std::string_view name) {
    if (there) return;
    missing += "Authorization header requires '" + std::string(name) + "' parameter. ";
  };
  require(present(parts.credential), "Credential");
  require(present(parts.signature), "Signature");
  require(present(parts.signed_headers), "SignedHeaders");
  if (!dated && !made.s3) {
    missing +=
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' "
        "header. ";
  }
  if (missing.empty()) return {};
  if (made.s3) missing.pop_back();
  if (!made.s3) {
    missing += "(Hashed with SHA-256 and encoded with Base64) Authorization=" +
               base::base64_encode(base::digest(base::DigestKind::Sha256, authorization));
  }
  return incomplete(made, missing);
}

Refusal unsupported_algorithm(std::string_view algorithm, const Authentication& made) {
  if (!made.s3) {
    return incomplete(
        made, "Unsupported AWS 'algorithm': '" + std::string(algorithm.substr(0, 64)) + "'.");
  }
  if (algorithm.starts_with("AWS")) {
    return refuse(Incomplete, signature_errors::kInvalidRequest,
                  "The authorization mechanism you have provided is not supported. Please use "
                  "AWS4-HMAC-SHA256.");
  }
  return refuse(Incomplete, signature_errors::kInvalidArgument, "Unsupported Authorization Type");
}

Checked<void> check_s3_hash(std::string_view text) {
  if (text == kUnsignedPayload || text == kStreamingSigned || text == kStreamingSignedTrailer ||
      text == kStreamingUnsignedTrailer || is_hex_sha256(text)) {
    return {};
  }
  return refuse(Incomplete, signature_errors::kInvalidArgument,
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                "STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.");
}

Checked<void> read_payload_hash(const ReceivedRequest& request,
                                const std::optional<std::string>& in_query, Authentication& made) {
  TRY(const std::optional<std::string_view> header,
      single_header(request, made, "x-amz-content-sha256"));
  if (header) {
    made.payload_hash = *header;
  } else if (in_query) {
    made.payload_hash = *in_query;
  } else if (made.s3 && made.presigned) {
    made.payload_hash = kUnsignedPayload;
  } else if (made.s3) {
    return refuse(Incomplete, signature_errors::kInvalidRequest,
                  "Missing required header for this request: x-amz-content-sha256");
  } else {
    return {};
  }
  if (made.s3) return check_s3_hash(made.payload_hash);
  if (is_hex_sha256(made.payload_hash)) return {};
  return incomplete(made, "x-amz-content-sha256 must be a valid sha256 value.");
}

Checked<void> check_covered(const ReceivedRequest& request, const Authentication& made) {
  const auto is_signed = [&made](std::string_view name) {
    return std::ranges::any_of(made.signed_headers, [name](const std::string& other) {
      return base::equals_ignoring_case(name, other);
    });
  };
  if (!is_signed("host")) {
    if (made.s3) {
      return refuse(UnsignedHeaders, signature_errors::kAccessDenied,
                    "There were headers present in the request which were not signed", "host");
    }
    return refuse(UnsignedHeaders, signature_errors::kSignatureDoesNotMatch,
                  "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
                  "host");
  }
  std::string unsigned_names;
  for (const http::HeaderView& field : *request.headers) {
    if (field.name.size() < 6 || !base::equals_ignoring_case(field.name.substr(0, 6), "x-amz-") ||
        is_signed(field.name)) {
      continue;
    }
    // Other services let clients add the token after they have signed.
    if (!made.s3 && base::equals_ignoring_case(field.name, "x-amz-security-token")) continue;
    if (!unsigned_names.empty()) unsigned_names += ", ";
    unsigned_names += base::to_lower(field.name);
  }
  if (unsigned_names.empty()) return {};
  if (made.s3) {
    return refuse(UnsignedHeaders, signature_errors::kAccessDenied,
                  "There were headers present in the request which were not signed",
                  unsigned_names);
  }
  return refuse(UnsignedHeaders, signature_errors::kSignatureDoesNotMatch,
                "'" + unsigned_names + "' must be a 'SignedHeader' in the AWS Authorization.",
                unsigned_names);
}

Checked<void> parse_header(const ReceivedRequest& request, std::string_view authorization,
                           Authentication& made) {
  const std::size_t space = std::min(authorization.find(' '), authorization.size());
  const std::string_view algorithm = authorization.substr(0, space);
  if (made.s3 && algorithm == "AWS" && !authorization.contains(':')) {
    return refuse(Incomplete, signature_errors::kInvalidArgument,
                  "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature");
  }
  if (algorithm != kAlgorithm) return unsupported_algorithm(algorithm, made);
  TRY(const HeaderParts parts, split_authorization(authorization.substr(space), made));
  TRY_VOID(check_parts(request, parts, authorization, made));
  TRY_VOID(read_credential(*parts.credential, made));
  TRY_VOID(read_signed_headers(*parts.signed_headers, made));
  TRY_VOID(read_signature(*parts.signature, made));
  TRY_VOID(read_date_header(request, made));
  TRY(const std::optional<std::string_view> token,
      single_header(request, made, "x-amz-security-token"));
  made.session_token = token.value_or("");
  return read_payload_hash(request, std::nullopt, made);
}

enum Parameter : std::uint8_t {
  kAlgorithmParameter,
  kCredentialParameter,
  kDateParameter,
  kSignedHeadersParameter,
  kSignatureParameter,
  kExpiresParameter,
  kTokenParameter,
  kHashParameter,
  kOldKeyParameter,  // Signature Version 2
  kParameters,
};
constexpr std::array<std::string_view, kParameters> kParameterNames = {
    "X-Amz-Algorithm",      "X-Amz-Credential",     "X-Amz-Date",
    "X-Amz-SignedHeaders",  "X-Amz-Signature",      "X-Amz-Expires",
    "X-Amz-Security-Token", "X-Amz-Content-Sha256", "AWSAccessKeyId"};

struct QueryParts {
  std::array<std::optional<std::string>, kParameters> values;
  bool twice = false;
  bool broken = false;  // an escape that cannot be decoded

  bool any() const {
    return values[kAlgorithmParameter] || values[kCredentialParameter] ||
           values[kSignatureParameter] || values[kOldKeyParameter];
  }
};

QueryParts find_parts(std::string_view query) {
  QueryParts parts;
  for (std::size_t at = 0; at < query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string_view pair = query.substr(at, end - at);
    at = end + 1;
    // Of all parameters only these can spell one of the names.
    if (pair.empty() || (pair[0] != 'X' && pair[0] != 'A' && pair[0] != '%')) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = base::percent_decode(pair.substr(0, equals), true);
    if (!name) continue;
    const auto known = std::ranges::find(kParameterNames, *name);
    if (known == kParameterNames.end()) continue;
    auto& place = parts.values[static_cast<std::size_t>(known - kParameterNames.begin())];
    auto value = base::percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    parts.twice = parts.twice || place.has_value();
    parts.broken = parts.broken || !value;
    place = value ? std::move(*value) : std::string();
  }
  return parts;
}

Checked<void> read_expires(const std::optional<std::string>& text, Authentication& made) {
  if (!text) return {};
  std::string_view digits = *text;
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  const bool number = !digits.empty() && digits.size() <= 18 &&
                      std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (!number) return incomplete(made, "X-Amz-Expires should be a number");
  const std::int64_t seconds = std::stoll(std::string(digits));
  if (negative) return incomplete(made, "X-Amz-Expires must be non-negative");
  if (seconds == 0) return incomplete(made, "X-Amz-Expires must be at least one second");
  if (seconds > kExpiresSecondsMax) {
    return incomplete(made,
                      "X-Amz-Expires must be less than a week (in seconds); that is, the given "
                      "X-Amz-Expires must be less than 604800 seconds");
  }
  made.expires = std::chrono::seconds(seconds);
  return {};
}

Checked<void> check_query_parts(const QueryParts& parts, const Authentication& made) {
  const auto there = [&parts](Parameter parameter) {
    return parts.values[parameter].has_value() && !parts.values[parameter]->empty();
  };
  if (parts.values[kOldKeyParameter]) return unsupported_algorithm("AWS", made);
  if (parts.twice) return incomplete(made, "An X-Amz-* query parameter is there twice.");
  if (parts.broken) return incomplete(made, "An X-Amz-* query parameter has a broken escape.");
  const bool complete = there(kAlgorithmParameter) && there(kCredentialParameter) &&
                        there(kSignatureParameter) && there(kDateParameter) &&
                        there(kSignedHeadersParameter) && (!made.s3 || there(kExpiresParameter));
  if (!complete && made.s3) {
    return incomplete(made,
                      "Query-string authentication version 4 requires the X-Amz-Algorithm, "
                      "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
                      "X-Amz-Expires parameters.");
  }
  std::string missing;
  for (const Parameter parameter : {kAlgorithmParameter, kCredentialParameter, kSignatureParameter,
                                    kSignedHeadersParameter, kDateParameter}) {
    if (there(parameter)) continue;
    missing += "AWS query-string parameters must include '" +
               std::string(kParameterNames[parameter]) + "'. ";
  }
  if (!missing.empty())
    return incomplete(made, missing + "Re-examine the query-string parameters.");
  return {};
}

Checked<void> parse_query(const ReceivedRequest& request, const QueryParts& parts,
                          Authentication& made) {
  TRY_VOID(check_query_parts(parts, made));
  if (*parts.values[kAlgorithmParameter] != kAlgorithm) {
    if (!made.s3) return unsupported_algorithm(*parts.values[kAlgorithmParameter], made);
    return incomplete(made, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  }
  TRY_VOID(read_credential(*parts.values[kCredentialParameter], made));
  TRY_VOID(read_signed_headers(*parts.values[kSignedHeadersParameter], made));
  TRY_VOID(read_signature(*parts.values[kSignatureParameter], made));
  TRY_VOID(read_expires(parts.values[kExpiresParameter], made));
  const auto time = base::parse_iso8601_basic(*parts.values[kDateParameter]);
  if (!time) {
    return incomplete(made,
                      "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  made.time = *time;
  TRY_VOID(check_date_of_scope(made));
  made.session_token = parts.values[kTokenParameter].value_or("");
  return read_payload_hash(request, parts.values[kHashParameter], made);
}

}  // namespace

std::expected<std::optional<Authentication>, AuthenticationError> parse_authentication(
    const ReceivedRequest& request, bool is_s3) {
  const QueryParts parts = find_parts(request.query);
  auto authorization = request.headers->find("authorization");
  // S3 takes an empty one as none.
  if (is_s3 && authorization && base::trim(*authorization).empty()) authorization.reset();
  if (!authorization && !parts.any()) return std::nullopt;
  Authentication made;
  made.s3 = is_s3;
  made.presigned = !authorization;
  if (authorization && parts.any()) {
    if (!is_s3) return incomplete(made, "Only one of header and query-string authentication.");
    return refuse(Incomplete, signature_errors::kInvalidArgument,
                  "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                  "Signature query string parameter or the Authorization header should be "
                  "specified");
  }
  TRY_VOID(single_header(request, made, "authorization"));
  if (authorization) {
    TRY_VOID(parse_header(request, base::trim(*authorization), made));
  } else {
    TRY_VOID(parse_query(request, parts, made));
  }
  TRY_VOID(check_covered(request, made));
  return made;
}

}  // namespace aws
