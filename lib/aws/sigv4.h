// Signature Version 4, signing and verifying: one canonicalisation for both.
// Source: AWS "Signature Version 4 signing process" and, for S3's chunked bodies, "Signature
// calculations for the Authorization header: transferring payload in multiple chunks".
//
// Pure: no clock, no I/O. Time comes in; the caller looks secrets up.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/aws/credentials.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/http/client.h"
#include "lib/http/headers.h"

namespace aws {

struct Scope {
  std::string date;     // "20230429"
  std::string region;   // "us-east-1"
  std::string service;  // "s3"
  // "20230429/us-east-1/s3/aws4_request"
  std::string text() const;
};

// The HMAC chain's end: good for one day, region and service; costs four HMACs, so cache it.
std::string signing_key(std::string_view secret_access_key, const Scope& scope);

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kStreamingSigned = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
inline constexpr std::string_view kStreamingSignedTrailer =
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
inline constexpr std::string_view kStreamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

// Adds X-Amz-Date, X-Amz-Content-Sha256 (S3), X-Amz-Security-Token and Authorization to `request`,
// signing every header present. `payload_hash`: hex SHA-256 of the body or one of the constants.
void sign(http::ClientRequest& request, const Credentials& credentials, std::string_view region,
          std::string_view service, std::string_view payload_hash, base::Timestamp now);

// The same as a presigned target (path and query) valid for `expires`; only Host is signed.
std::string presign(std::string_view method, const http::Url& url, const Credentials& credentials,
                    std::string_view region, std::string_view service, base::Timestamp now,
                    std::chrono::seconds expires);

// What a request says about its own authentication, before any secret is known.
struct Authentication {
  std::string access_key_id;
  std::string session_token;
  Scope scope;
  std::string signature;                        // 64 hex digits
  std::vector<std::string> signed_headers;      // lower case, sorted as sent
  base::Timestamp time;                         // X-Amz-Date (or Date)
  std::optional<std::chrono::seconds> expires;  // presigned only
  bool presigned = false;
  bool s3 = false;           // canonicalised by S3's rules
  std::string payload_hash;  // as it enters the canonical request; empty: the body's real hash
};

// A request to verify, as it came. `path` and `query` are raw.
struct ReceivedRequest {
  std::string_view method;
  std::string_view path;
  std::string_view query;
  const http::HeaderViews* headers = nullptr;
};

enum class AuthenticationFailure : std::uint8_t {
  Incomplete,       // a part is missing, malformed or there twice
  Expired,          // presigned and past its time, or not yet in it
  Skewed,           // X-Amz-Date more than 15 minutes from now
  WrongSignature,   // the signature, the scope's date, or the body's hash
  UnsignedHeaders,  // x-amz-* headers that the signature does not cover
};

struct AuthenticationError {
  AuthenticationFailure failure = AuthenticationFailure::Incomplete;
  const base::ErrorRow* row = nullptr;  // what AWS answers, S3 or the other services; never null
  std::string message;
  std::string headers_not_signed;  // UnsignedHeaders: "x-amz-acl, x-amz-tagging"
  std::string canonical_request;   // WrongSignature: what AWS shows its clients
  std::string string_to_sign;
  // What S3 adds of the times that did not fit: {"ServerTime", "2013-05-24T00:00:00Z"}.
  std::vector<std::pair<std::string, std::string>> times;
};

// Nothing when the request carries no authentication at all (anonymous). Every part is checked for
// its form; every x-amz-* header is signed, as is Host.
std::expected<std::optional<Authentication>, AuthenticationError> parse_authentication(
    const ReceivedRequest& request, bool is_s3);

// Checks time, signature, and that a declared hash is the body's. `payload_hash_of_body` is the hex
// SHA-256 of the body that came: never empty for services other than S3, whatever the request
// declares; for S3 empty when the body streams and whoever reads it checks the declared hash.
std::expected<void, AuthenticationError> verify(const ReceivedRequest& request,
                                                const Authentication& authentication,
                                                std::string_view signing_key,
                                                std::string_view payload_hash_of_body,
                                                base::Timestamp now);

// Chained signatures of a chunked body: each chunk's string to sign holds the one before.
class ChunkSigner {
 public:
  ChunkSigner(std::string signing_key, const Scope& scope, base::Timestamp time,
              std::string seed_signature);
  // The signature of the next chunk's data (empty: the last).
  std::string next(std::string_view data_sha256_hex);
  // The signature of the trailer: "name:value\n" lines.
  std::string trailer(std::string_view lines);

 private:
  std::string key_;
  std::string scope_;
  std::string time_;
  std::string previous_;
};

}  // namespace aws
