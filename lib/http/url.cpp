#include <algorithm>
#include <charconv>

#include "lib/base/encoding.h"
#include "lib/http/client.h"
#include "lib/http/scanner.h"

namespace http {
namespace {

constexpr std::uint16_t kPort = 80;
constexpr std::uint16_t kTlsPort = 443;
constexpr std::size_t kHostBytesMax = 253;

std::unexpected<base::Error> refuse(std::string_view text, std::string_view why) {
  return base::fail(base::ErrorKind::InvalidInput,
                    "The URL \"" + std::string(text) + "\" " + std::string(why) + ".");
}

bool is_name(std::string_view host) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  return !host.empty() && host.size() <= kHostBytesMax && std::ranges::all_of(host, fits);
}

bool is_ipv6(std::string_view host) {
  return !host.empty() && host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string::npos;
}

// "name", "name:1", "[::1]", "[::1]:1"
bool split_authority(std::string_view authority, Url& url) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return false;
    url.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (!is_ipv6(url.host)) return false;
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    port = authority.substr(colon);
    if (!is_name(url.host)) return false;
  }
  url.port = url.tls ? kTlsPort : kPort;
  if (port.empty()) return true;
  const char* const end = port.data() + port.size();
  const auto [stopped, error] = std::from_chars(port.data() + 1, end, url.port);
  return port.front() == ':' && error == std::errc{} && stopped == end && url.port != 0;
}

}  // namespace

base::Result<Url> Url::parse(std::string_view text) {
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return refuse(text, "has no scheme");
  const std::string scheme = base::to_lower(text.substr(0, colon));
  if (scheme != "http" && scheme != "https") return refuse(text, "is neither http nor https");
  url.tls = scheme == "https";
  const std::string_view rest = text.substr(colon + 3);
  const std::size_t split = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string_view authority = rest.substr(0, split);
  const std::string_view target = rest.substr(split);
  if (authority.find('@') != std::string_view::npos) return refuse(text, "holds user information");
  if (target.find('#') != std::string_view::npos) return refuse(text, "has a fragment");
  if (!split_authority(authority, url)) return refuse(text, "names no host and port");
  url.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
  if (!is_target(url.target)) return refuse(text, "holds characters that must be escaped");
  return url;
}

std::string Url::authority() const {
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (tls ? kTlsPort : kPort)) text += ":" + std::to_string(port);
  return text;
}

}  // namespace http
