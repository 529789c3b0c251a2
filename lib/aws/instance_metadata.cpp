#include "lib/aws/instance_metadata.h"

#include "lib/aws/environment.h"
#include "lib/base/encoding.h"

namespace aws {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kTimeout = 1s;
constexpr std::chrono::seconds kTokenLife = 6h;
// A token is renewed while it still works.
constexpr base::Duration kTokenMargin = 2min;
constexpr std::size_t kAnswerBytesMax = 64 * 1024;

std::unexpected<base::Error> no_service(std::string detail) {
  auto failure = base::fail(base::ErrorKind::NotFound, "There is no instance metadata service.");
  failure.error().detail = std::move(detail);
  return failure;
}

base::Result<http::Url> url_of(std::string_view path) {
  if (environment_flag("AWS_EC2_METADATA_DISABLED")) {
    return no_service("AWS_EC2_METADATA_DISABLED is set");
  }
  const bool ipv6 = base::equals_ignoring_case(
      environment("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").value_or(""), "IPv6");
  const std::string base =
      environment("AWS_EC2_METADATA_SERVICE_ENDPOINT")
          .value_or(ipv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254");
  TRY(http::Url url, http::Url::parse(base));
  while (url.target.ends_with('/')) url.target.pop_back();
  url.target += path;
  return url;
}

}  // namespace

runtime::Task<base::Result<InstanceMetadata::Answer>> InstanceMetadata::ask(
    http::ClientRequest request) {
  CO_TRY(http::ClientResponse response,
         co_await client_.send(std::move(request), clock_.now() + kTimeout));
  Answer answer;
  answer.status = response.status;
  CO_TRY(answer.body, co_await http::read_all(*response.body, kAnswerBytesMax));
  co_return answer;
}

runtime::Task<base::Result<void>> InstanceMetadata::renew_token() {
  http::ClientRequest request;
  request.method = "PUT";
  CO_TRY(request.url, url_of("/latest/api/token"));
  request.headers.add("X-aws-ec2-metadata-token-ttl-seconds", std::to_string(kTokenLife.count()));
  const base::Timestamp now = clock_.now();
  const auto answer = co_await ask(std::move(request));
  token_.clear();
  if (answer && answer->status == 200 && !answer->body.empty()) {
    token_ = answer->body;
    token_until_ = now + kTokenLife - kTokenMargin;
    co_return base::Result<void>();
  }
  if (environment_flag("AWS_EC2_METADATA_V1_DISABLED")) {
    co_return no_service("no token, and version 1 is disabled");
  }
  // Nobody there at all, or a proxy that swallows tokens: only then is version 1 worth a try.
  if (!answer && answer.error().kind == base::ErrorKind::Unavailable) {
    co_return no_service(base::describe(answer.error()));
  }
  co_return base::Result<void>();
}

runtime::Task<base::Result<std::string>> InstanceMetadata::get(std::string path) {
  for (int attempt = 0;; ++attempt) {
    if (token_.empty() || clock_.now() >= token_until_) {
      CO_TRY_VOID(co_await renew_token());
    }
    http::ClientRequest request;
    CO_TRY(request.url, url_of(path));
    if (!token_.empty()) request.headers.add("X-aws-ec2-metadata-token", token_);
    auto answer = co_await ask(std::move(request));
    if (!answer) co_return no_service(base::describe(answer.error()));
    if (answer->status == 200) co_return std::move(answer->body);
    if (answer->status == 404) {
      co_return base::fail(base::ErrorKind::NotFound, "The instance has no metadata at " + path);
    }
    // The token was lost with the service that gave it.
    if (answer->status == 401 && attempt == 0) {
      token_.clear();
      continue;
    }
    co_return base::fail(
        base::ErrorKind::Unavailable,
        "The instance metadata service answered " + std::to_string(answer->status) + " to " + path);
  }
}

runtime::Task<base::Result<std::string>> InstanceMetadata::instance_id() {
  return get("/latest/meta-data/instance-id");
}

runtime::Task<base::Result<std::string>> InstanceMetadata::availability_zone() {
  return get("/latest/meta-data/placement/availability-zone");
}

}  // namespace aws
