#include "lib/aws/sigv4.h"

#include <algorithm>
#include <array>

#include "lib/aws/canonical.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"

namespace aws {
namespace {

// What clients and proxies add or change on the way must not be signed.
constexpr std::array<std::string_view, 8> kNeverSigned = {
    "authorization",     "connection", "expect",         "keep-alive", "te",
    "transfer-encoding", "user-agent", "x-amzn-trace-id"};

bool is_s3(std::string_view service) { return service == "s3"; }

Scope scope_of(base::Timestamp now, std::string_view region, std::string_view service) {
  return {base::iso8601_basic(now).substr(0, 8), std::string(region), std::string(service)};
}

struct Target {
  std::string_view path;
  std::string_view query;
};

Target split_target(std::string_view target) {
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {target, {}};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

std::vector<std::string> names_to_sign(const http::HeaderViews& headers) {
  std::vector<std::string> names;
  for (const http::HeaderView& field : headers) {
    std::string name = base::to_lower(field.name);
    if (std::ranges::find(kNeverSigned, name) == kNeverSigned.end()) {
      names.push_back(std::move(name));
    }
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

std::string chunk_text(std::string_view kind, const std::string& time, const std::string& scope,
                       const std::string& previous) {
  std::string text(kind);
  for (const std::string* part : {&time, &scope, &previous}) {
    text += '\n';
    text += *part;
  }
  text += '\n';
  return text;
}

}  // namespace

std::string Scope::text() const {
  std::string text;
  text.reserve(date.size() + region.size() + service.size() + 16);
  text += date;
  text += '/';
  text += region;
  text += '/';
  text += service;
  text += "/aws4_request";
  return text;
}

std::string signing_key(std::string_view secret_access_key, const Scope& scope) {
  std::string key = "AWS4";
  key += secret_access_key;
  key = base::hmac_sha256(key, scope.date);
  key = base::hmac_sha256(key, scope.region);
  key = base::hmac_sha256(key, scope.service);
  return base::hmac_sha256(key, "aws4_request");
}

void sign(http::ClientRequest& request, const Credentials& credentials, std::string_view region,
          std::string_view service, std::string_view payload_hash, base::Timestamp now) {
  http::Headers& headers = request.headers;
  headers.remove("Authorization");
  headers.set("X-Amz-Date", base::iso8601_basic(now));
  if (is_s3(service)) headers.set("X-Amz-Content-Sha256", std::string(payload_hash));
  headers.remove("X-Amz-Security-Token");
  if (!credentials.session_token.empty()) {
    headers.set("X-Amz-Security-Token", credentials.session_token);
  }
  const std::string host = request.url.authority();
  http::HeaderViews views;
  for (const auto& [name, value] : headers) views.add(name, value);
  if (!headers.find("Host")) views.add("host", host);

  const Target target = split_target(request.url.target);
  const std::vector<std::string> names = names_to_sign(views);
  const Scope scope = scope_of(now, region, service);
  const std::string canonical = canonical_request({.method = request.method,
                                                   .path = target.path,
                                                   .query = target.query,
                                                   .headers = &views,
                                                   .signed_headers = names,
                                                   .payload_hash = payload_hash,
                                                   .s3 = is_s3(service)});
  std::string authorization(kAlgorithm);
  authorization += " Credential=" + credentials.access_key_id + '/' + scope.text();
  authorization += ", SignedHeaders=" + joined(names);
  authorization += ", Signature=";
  authorization += hex_hmac(signing_key(credentials.secret_access_key, scope),
                            string_to_sign(now, scope, canonical));
  headers.set("Authorization", std::move(authorization));
}

std::string presign(std::string_view method, const http::Url& url, const Credentials& credentials,
                    std::string_view region, std::string_view service, base::Timestamp now,
                    std::chrono::seconds expires) {
  const Target target = split_target(url.target);
  const Scope scope = scope_of(now, region, service);
  std::string query(target.query);
  if (!query.empty()) query += '&';
  query += "X-Amz-Algorithm=";
  query += kAlgorithm;
  query += "&X-Amz-Credential=";
  query += base::percent_encode(credentials.access_key_id + '/' + scope.text());
  query += "&X-Amz-Date=" + base::iso8601_basic(now);
  query += "&X-Amz-Expires=" + std::to_string(expires.count());
  query += "&X-Amz-SignedHeaders=host";
  if (!credentials.session_token.empty()) {
    query += "&X-Amz-Security-Token=" + base::percent_encode(credentials.session_token);
  }
  query = canonical_query(query);

  const std::string host = url.authority();
  http::HeaderViews headers;
  headers.add("host", host);
  const std::array<std::string, 1> names = {"host"};
  const std::string canonical =
      canonical_request({.method = method,
                         .path = target.path,
                         .query = query,
                         .headers = &headers,
                         .signed_headers = names,
                         .payload_hash = is_s3(service) ? kUnsignedPayload : kEmptySha256,
                         .s3 = is_s3(service)});
  const std::string signature = hex_hmac(signing_key(credentials.secret_access_key, scope),
                                         string_to_sign(now, scope, canonical));
  return std::string(target.path) + '?' + query + "&X-Amz-Signature=" + signature;
}

ChunkSigner::ChunkSigner(std::string signing_key, const Scope& scope, base::Timestamp time,
                         std::string seed_signature)
    : key_(std::move(signing_key)),
      scope_(scope.text()),
      time_(base::iso8601_basic(time)),
      previous_(std::move(seed_signature)) {}

std::string ChunkSigner::next(std::string_view data_sha256_hex) {
  std::string text = chunk_text("AWS4-HMAC-SHA256-PAYLOAD", time_, scope_, previous_);
  text += kEmptySha256;
  text += '\n';
  text += data_sha256_hex;
  previous_ = hex_hmac(key_, text);
  return previous_;
}

std::string ChunkSigner::trailer(std::string_view lines) {
  std::string text = chunk_text("AWS4-HMAC-SHA256-TRAILER", time_, scope_, previous_);
  text += base::hex_encode(base::digest(base::DigestKind::Sha256, lines));
  previous_ = hex_hmac(key_, text);
  return previous_;
}

}  // namespace aws
