// Requests as they come from outside: nothing may crash the parser, and whatever our signer signs
// our verifier must accept. Input: "METHOD target\n", then "name:value\n" for each header.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/aws/sigv2.h"
#include "lib/aws/sigv4.h"
#include "lib/base/check.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"

namespace {

const aws::Credentials kKey{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", {}, {}};
const base::Timestamp kNow = base::parse_iso8601_basic("20150830T123600Z").value();

std::string_view take_until(std::string_view& rest, char end) {
  const std::size_t at = std::min(rest.find(end), rest.size());
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return taken;
}

bool is_token(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

// What a server makes of a request: views into it.
struct Received {
  http::HeaderViews headers;
  aws::ReceivedRequest request;

  explicit Received(const http::ClientRequest& from) {
    for (const auto& [name, value] : from.headers) headers.add(name, value);
    std::string_view target = from.url.target;
    request.method = from.method;
    request.path = take_until(target, '?');
    request.query = target;
    request.headers = &headers;
  }
};

void parse_and_verify(const http::ClientRequest& from, bool is_s3) {
  const Received received(from);
  const auto parsed = aws::parse_authentication(received.request, is_s3);
  if (!parsed) {
    CHECK(parsed.error().row != nullptr, "every refusal has AWS's name");
    return;
  }
  if (!parsed->has_value()) return;
  const aws::Authentication& claim = **parsed;
  CHECK(claim.signature.size() == 64 && !claim.access_key_id.empty(), "parsed whole");
  const auto verified = aws::verify(received.request, claim, std::string(32, 'k'),
                                    base::hex_encode(std::string(32, 'h')), kNow);
  CHECK(!verified, "nobody has this key");
}

void verify_version_2(const http::ClientRequest& from) {
  const Received received(from);
  const auto claim = aws::parse_presigned_v2(received.request);
  if (!claim || !claim->has_value()) return;
  CHECK(!aws::verify_presigned_v2(received.request, **claim, "other", "", kNow),
        "nobody has this key");
}

void sign_and_verify(http::ClientRequest from, bool is_s3) {
  from.headers.remove("x-amz-content-sha256");
  if (const auto parsed = aws::parse_authentication(Received(from).request, is_s3);
      !parsed || parsed->has_value()) {
    return;  // brings query parameters of its own
  }
  const std::string hash = base::hex_encode(base::digest(base::DigestKind::Sha256, from.body));
  aws::sign(from, kKey, "us-east-1", is_s3 ? "s3" : "sqs", hash, kNow);
  const Received received(from);
  const auto parsed = aws::parse_authentication(received.request, is_s3);
  CHECK(parsed.has_value() && parsed->has_value(), "we sign what we can parse");
  const std::string key = aws::signing_key(kKey.secret_access_key, (*parsed)->scope);
  CHECK(aws::verify(received.request, **parsed, key, hash, kNow).has_value(),
        "signer and verifier agree");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  http::ClientRequest request;
  request.url.host = "example.amazonaws.com";
  request.url.port = 80;
  request.method = take_until(rest, ' ');
  request.url.target = take_until(rest, '\n');
  bool tokens = true;
  while (!rest.empty() && request.headers.size() < 200) {
    std::string_view line = take_until(rest, '\n');
    const std::string_view name = take_until(line, ':');
    tokens = tokens && is_token(name);
    request.headers.add(std::string(name), std::string(line));
  }
  verify_version_2(request);
  for (const bool is_s3 : {false, true}) {
    parse_and_verify(request, is_s3);
    if (!tokens) continue;
    if (!request.headers.find("host")) request.headers.add("Host", request.url.authority());
    sign_and_verify(request, is_s3);
  }
  return 0;
}
