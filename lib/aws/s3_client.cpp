#include "lib/aws/s3_client.h"

#include <algorithm>

#include "lib/aws/endpoint.h"
#include "lib/aws/s3_error.h"
#include "lib/aws/sigv4.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "lib/runtime/event.h"

namespace aws {
namespace {

using namespace std::chrono_literals;

constexpr int kTriesMax = 3;
constexpr base::Duration kBackoffFirst = 100ms;
constexpr std::size_t kErrorBytesMax = 64 * 1024;
constexpr std::string_view kMetadataPrefix = "x-amz-meta-";

bool is_ok(int status) { return status >= 200 && status < 300; }

// S3 keeps other bytes only in encoded forms, which would come back as something else.
bool is_metadata(const std::pair<const std::string, std::string>& field) {
  const auto is_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
  return !field.first.empty() && std::ranges::all_of(field.first, is_name) &&
         std::ranges::all_of(field.second, is_printable);
}

std::map<std::string, std::string> metadata_of(const http::Headers& headers) {
  std::map<std::string, std::string> metadata;
  for (const auto& [name, value] : headers) {
    std::string lower = base::to_lower(name);
    if (!lower.starts_with(kMetadataPrefix)) continue;
    metadata.emplace(lower.substr(kMetadataPrefix.size()), value);
  }
  return metadata;
}

}  // namespace

struct S3Client::Call {
  std::string method;
  std::string bucket;
  std::string key;
  http::Headers headers;
  std::string body;
  std::string body_sha256;
  std::size_t answer_bytes_max = kErrorBytesMax;
};

struct S3Client::Answer {
  http::Headers headers;
  std::string body;
};

S3Client::S3Client(http::Client& http, CredentialsProvider& credentials, base::Clock& clock,
                   base::Random& random, std::string region)
    : http_(http),
      credentials_(credentials),
      clock_(clock),
      random_(random),
      region_(std::move(region)) {}

runtime::Task<base::Result<S3Client::Answer>> S3Client::send_once(const Call& call,
                                                                  base::Timestamp deadline) {
  http::ClientRequest request;
  request.method = call.method;
  CO_TRY(request.url, object_url(call.bucket, call.key, region_));
  request.headers = call.headers;
  request.body = call.body;
  CO_TRY(const Credentials credentials, co_await credentials_.get());
  sign(request, credentials, region_, "s3", call.body_sha256, clock_.now());
  CO_TRY(http::ClientResponse response, co_await http_.send(std::move(request), deadline));
  const bool ok = is_ok(response.status);
  // An answer to HEAD has no body, whatever its Content-Length says: its reader knows.
  CO_TRY(std::string body,
         co_await http::read_all(*response.body, ok ? call.answer_bytes_max : kErrorBytesMax));
  if (!ok) co_return std::unexpected(s3_error(response.status, body));
  co_return Answer{std::move(response.headers), std::move(body)};
}

runtime::Task<base::Result<S3Client::Answer>> S3Client::send(Call call, base::Timestamp deadline) {
  call.body_sha256 = base::hex_encode(base::digest(base::DigestKind::Sha256, call.body));
  base::Duration backoff_max = kBackoffFirst;
  for (int tries = 1;; ++tries) {
    auto answer = co_await send_once(call, deadline);
    if (answer) co_return answer;
    base::Error& error = answer.error();
    error = base::wrap(std::move(error), call.method + " s3://" + call.bucket + '/' + call.key);
    if (!may_be_sent_again(error) || tries == kTriesMax) co_return answer;
    // Full jitter: clients that failed together do not come back together.
    const base::Duration pause(random_.below(static_cast<std::uint64_t>(backoff_max.count())));
    if (clock_.now() + pause >= deadline) co_return answer;
    co_await runtime::sleep_until(clock_, clock_.now() + pause);
    backoff_max *= 2;
  }
}

runtime::Task<base::Result<void>> S3Client::put_object(std::string bucket, std::string key,
                                                       Object object, base::Timestamp deadline) {
  Call call{.method = "PUT", .bucket = std::move(bucket), .key = std::move(key)};
  if (call.key.empty()) {
    co_return base::fail(base::ErrorKind::InvalidInput, "An object needs a key.");
  }
  if (!object.content_type.empty()) call.headers.add("Content-Type", object.content_type);
  for (const auto& field : object.metadata) {
    if (!is_metadata(field)) {
      co_return base::fail(base::ErrorKind::InvalidInput,
                           "Metadata '" + field.first + "' is not printable ASCII.");
    }
    call.headers.add(std::string(kMetadataPrefix) + field.first, field.second);
  }
  call.headers.add("x-amz-checksum-crc32",
                   base::base64_encode(base::digest(base::DigestKind::Crc32, object.bytes)));
  call.body = std::move(object.bytes);
  CO_TRY(const Answer answer, co_await send(std::move(call), deadline));
  co_return base::Result<void>();
}

runtime::Task<base::Result<Object>> S3Client::get_object(std::string bucket, std::string key,
                                                         std::size_t bytes_max,
                                                         base::Timestamp deadline) {
  if (key.empty()) co_return base::fail(base::ErrorKind::InvalidInput, "An object needs a key.");
  Call call{.method = "GET", .bucket = std::move(bucket), .key = std::move(key)};
  call.answer_bytes_max = bytes_max;
  CO_TRY(Answer answer, co_await send(std::move(call), deadline));
  Object object;
  object.bytes = std::move(answer.body);
  object.content_type = answer.headers.find("Content-Type").value_or("");
  object.metadata = metadata_of(answer.headers);
  co_return object;
}

runtime::Task<base::Result<bool>> S3Client::head_object(std::string bucket, std::string key,
                                                        base::Timestamp deadline) {
  if (key.empty()) co_return base::fail(base::ErrorKind::InvalidInput, "An object needs a key.");
  Call call{.method = "HEAD", .bucket = std::move(bucket), .key = std::move(key)};
  const auto answer = co_await send(std::move(call), deadline);
  if (answer) co_return true;
  if (answer.error().kind == base::ErrorKind::NotFound) co_return false;
  co_return std::unexpected(answer.error());
}

}  // namespace aws
