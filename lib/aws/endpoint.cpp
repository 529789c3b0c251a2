#include "lib/aws/endpoint.h"

#include <algorithm>

#include "lib/aws/environment.h"
#include "lib/base/encoding.h"

namespace aws {
namespace {

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

// S3's rule: 3 to 63 characters, labels joined by single dots.
bool is_bucket(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('.', at), name.size());
    if (!is_label(name.substr(at, end - at))) return false;
    at = end + 1;
  }
  return true;
}

// "secretsmanager" -> AWS_ENDPOINT_URL_SECRETSMANAGER, else AWS_ENDPOINT_URL.
std::optional<std::string> configured_endpoint(std::string_view service) {
  if (environment_flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) return std::nullopt;
  std::string name = "AWS_ENDPOINT_URL_";
  for (const char c : service) {
    name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c == '-' ? '_' : c;
  }
  if (auto own = environment(name.c_str())) return own;
  return environment("AWS_ENDPOINT_URL");
}

base::Result<http::Url> parse_configured(const std::string& text) {
  TRY(http::Url url, http::Url::parse(text));
  if (url.target.find('?') != std::string::npos) {
    return base::fail(base::ErrorKind::InvalidInput, "An endpoint URL has no query: " + text);
  }
  return url;
}

}  // namespace

std::string default_region() {
  if (auto region = environment("AWS_REGION")) return *region;
  return environment("AWS_DEFAULT_REGION").value_or("us-east-1");
}

base::Result<http::Url> service_endpoint(std::string_view service, std::string_view region) {
  if (!is_label(service) || !is_label(region)) {
    return base::fail(base::ErrorKind::InvalidInput, "No endpoint for service '" +
                                                         std::string(service) + "' in region '" +
                                                         std::string(region) + "'.");
  }
  if (const auto configured = configured_endpoint(service)) return parse_configured(*configured);
  http::Url url;
  url.tls = true;
  url.port = 443;
  url.host = std::string(service) + '.' + std::string(region) + ".amazonaws.com";
  if (region.starts_with("cn-")) url.host += ".cn";
  return url;
}

base::Result<http::Url> object_url(std::string_view bucket, std::string_view key,
                                   std::string_view region) {
  if (!is_bucket(bucket)) {
    return base::fail(base::ErrorKind::InvalidInput,
                      "The specified bucket is not valid: '" + std::string(bucket) + "'");
  }
  TRY(http::Url url, service_endpoint("s3", region));
  // A dot in the bucket's name would not match the endpoint's wildcard certificate.
  const bool in_host = !configured_endpoint("s3") && is_label(bucket);
  if (in_host) {
    url.host = std::string(bucket) + '.' + url.host;
    url.target = '/' + base::percent_encode_path(key);
    return url;
  }
  if (!url.target.ends_with('/')) url.target += '/';
  url.target += bucket;
  if (!key.empty()) url.target += '/' + base::percent_encode_path(key);
  return url;
}

}  // namespace aws
