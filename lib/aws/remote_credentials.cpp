#include "lib/aws/remote_credentials.h"

#include <boost/json.hpp>
#include <fstream>

#include "lib/aws/environment.h"
#include "lib/base/encoding.h"

namespace aws {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kTimeout = 2s;
constexpr std::size_t kAnswerBytesMax = 64 * 1024;
constexpr std::string_view kRolePath = "/latest/meta-data/iam/security-credentials/";

// Keys sent in the clear may only go to this machine or to the addresses that ECS and EKS reserve.
bool is_trusted_host(const http::Url& url) {
  return url.tls || url.host == "localhost" || url.host.starts_with("127.") || url.host == "::1" ||
         url.host == "169.254.170.2" || url.host == "169.254.170.23" || url.host == "fd00:ec2::23";
}

base::Result<std::optional<http::Url>> container_url() {
  std::string text;
  if (const auto relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    text = "http://169.254.170.2" + *relative;
  } else if (const auto full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
    text = *full;
  } else {
    return std::nullopt;
  }
  TRY(http::Url url, http::Url::parse(text));
  if (!is_trusted_host(url)) {
    return base::fail(base::ErrorKind::InvalidInput,
                      "AWS_CONTAINER_CREDENTIALS_FULL_URI must use https or name a local host.");
  }
  return url;
}

base::Result<std::string> container_token() {
  std::string token;
  if (const auto path = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    std::ifstream file(*path, std::ios::binary);
    token.resize(kAnswerBytesMax);
    file.read(token.data(), static_cast<std::streamsize>(token.size()));
    token.resize(static_cast<std::size_t>(file.gcount()));
    if (file.bad() || !file.is_open()) {
      return base::fail(base::ErrorKind::Internal, "Could not read " + *path + ".");
    }
  } else {
    token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  }
  return std::string(base::trim(token));
}

std::string member(const boost::json::object& object, std::string_view name) {
  const auto* const found = object.if_contains(name);
  const auto* const text = found == nullptr ? nullptr : found->if_string();
  return text == nullptr ? std::string() : std::string(*text);
}

}  // namespace

base::Result<Credentials> parse_credentials_document(std::string_view json) {
  const auto wrong = [](std::string what) {
    return base::fail(base::ErrorKind::Unavailable,
                      "The credentials endpoint's answer " + std::move(what));
  };
  boost::json::error_code error;
  const boost::json::value document =
      boost::json::parse(boost::json::string_view(json.data(), json.size()), error);
  const auto* const object = error ? nullptr : document.if_object();
  if (object == nullptr) return wrong("is not a JSON object.");
  if (const std::string code = member(*object, "Code"); !code.empty() && code != "Success") {
    return wrong("has the code " + code + ".");
  }
  Credentials keys{member(*object, "AccessKeyId"), member(*object, "SecretAccessKey"),
                   member(*object, "Token"), std::nullopt};
  if (keys.access_key_id.empty() || keys.secret_access_key.empty()) return wrong("holds no keys.");
  if (const std::string expiration = member(*object, "Expiration"); !expiration.empty()) {
    TRY(keys.expiration, base::parse_iso8601(expiration));
  }
  return keys;
}

runtime::Task<base::Result<std::optional<Credentials>>> credentials_from_container(
    http::Client& client, base::Clock& clock) {
  CO_TRY(std::optional<http::Url> url, container_url());
  if (!url) co_return std::nullopt;
  http::ClientRequest request;
  request.url = std::move(*url);
  CO_TRY(std::string token, container_token());
  if (!token.empty()) request.headers.add("Authorization", std::move(token));
  CO_TRY(http::ClientResponse response,
         co_await client.send(std::move(request), clock.now() + kTimeout));
  CO_TRY(const std::string body, co_await http::read_all(*response.body, kAnswerBytesMax));
  if (response.status != 200) {
    co_return base::fail(
        base::ErrorKind::Unavailable,
        "The container credentials endpoint answered " + std::to_string(response.status));
  }
  CO_TRY(Credentials keys, parse_credentials_document(body));
  co_return std::optional<Credentials>(std::move(keys));
}

runtime::Task<base::Result<Credentials>> credentials_from_instance(InstanceMetadata& metadata) {
  const std::string path(kRolePath);
  CO_TRY(const std::string roles, co_await metadata.get(path));
  const std::string role(base::trim(std::string_view(roles).substr(0, roles.find('\n'))));
  if (role.empty()) {
    co_return base::fail(base::ErrorKind::NotFound, "The instance has no role.");
  }
  CO_TRY(const std::string document, co_await metadata.get(path + base::percent_encode(role)));
  co_return parse_credentials_document(document);
}

}  // namespace aws
