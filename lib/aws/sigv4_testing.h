// What the tests of signing and verifying share: keys and times of AWS's examples, requests to
// sign, received requests that own their text.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "lib/aws/sigv4.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"

namespace aws::testing {

inline const Credentials kSuiteKey{
    "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", {}, {}};
inline const Credentials kS3Key{
    "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", {}, {}};

inline base::Timestamp at(std::string_view basic) {
  return base::parse_iso8601_basic(basic).value();
}
inline const base::Timestamp kSuiteTime = at("20150830T123600Z");
inline const base::Timestamp kS3Time = at("20130524T000000Z");

inline std::string sha256(std::string_view text) {
  return base::hex_encode(base::digest(base::DigestKind::Sha256, text));
}

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Case {
  std::string method = "GET";
  std::string host = "example.amazonaws.com";
  std::string target = "/";
  Fields headers;
  std::string body;
  std::string service = "service";
};

inline http::ClientRequest request_of(const Case& example) {
  http::ClientRequest request;
  request.method = example.method;
  const std::size_t colon = example.host.find(':');
  request.url.host = example.host.substr(0, colon);
  request.url.port = colon == std::string::npos
                         ? 80
                         : static_cast<std::uint16_t>(std::stoi(example.host.substr(colon + 1)));
  request.url.target = example.target;
  request.headers.add("Host", example.host);
  for (const auto& [name, value] : example.headers) request.headers.add(name, value);
  request.body = example.body;
  return request;
}

inline std::string sign_case(const Case& example, const Credentials& key, base::Timestamp now,
                             http::ClientRequest* signed_request = nullptr) {
  http::ClientRequest request = request_of(example);
  sign(request, key, "us-east-1", example.service, sha256(example.body), now);
  const std::string authorization(request.headers.find("Authorization").value());
  if (signed_request != nullptr) *signed_request = std::move(request);
  return authorization.substr(authorization.size() - 64);
}

// A received request that owns its text.
class Received {
 public:
  explicit Received(const http::ClientRequest& request)
      : method_(request.method), target_(request.url.target), headers_(request.headers) {}
  Received(std::string method, std::string target, http::Headers headers)
      : method_(std::move(method)), target_(std::move(target)), headers_(std::move(headers)) {}

  const ReceivedRequest& view() {
    views_.clear();
    for (const auto& [name, value] : headers_) views_.add(name, value);
    const std::string_view target = target_;
    const std::size_t mark = std::min(target.find('?'), target.size());
    view_ = {method_, target.substr(0, mark), target.substr(std::min(mark + 1, target.size())),
             &views_};
    return view_;
  }
  http::Headers& headers() { return headers_; }
  std::string& target() { return target_; }
  std::string& method() { return method_; }

 private:
  std::string method_;
  std::string target_;
  http::Headers headers_;
  http::HeaderViews views_;
  ReceivedRequest view_;
};

// "" when the request is good, else the AWS code and message.
inline std::string check(Received& received, const Credentials& key, base::Timestamp now,
                         std::string_view body, bool is_s3) {
  const auto parsed = parse_authentication(received.view(), is_s3);
  const auto text = [](const AuthenticationError& error) {
    return std::string(error.row->code) + ": " + error.message;
  };
  if (!parsed) return text(parsed.error());
  if (!parsed->has_value()) return "anonymous";
  const auto verified =
      verify(received.view(), **parsed, signing_key(key.secret_access_key, (*parsed)->scope),
             sha256(body), now);
  return verified ? "" : text(verified.error());
}

}  // namespace aws::testing
