#include "messageboard/api/config.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "lib/http/client.h"

namespace messageboard {
namespace {

constexpr std::size_t kThreadsMax = 64;

template <class Number>
std::optional<Number> parse_number(std::string_view text, Number low, Number high) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || value < low || value > high) return std::nullopt;
  return value;
}

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

// "host", "host:port", "[::1]:port".
std::optional<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return std::nullopt;
    host = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
    port = rest.empty() ? rest : rest.substr(1);
    if (!rest.empty() && port.empty()) return std::nullopt;
  } else if (const std::size_t colon = text.find(':'); colon != text.npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.empty()) return std::nullopt;
  }
  if (host.empty() || host.find_first_of(" /@") != host.npos) return std::nullopt;
  HostPort parsed{std::string(host), default_port};
  if (!port.empty()) {
    const auto number = parse_number<std::uint16_t>(port, 1, UINT16_MAX);
    if (!number) return std::nullopt;
    parsed.port = *number;
  }
  return parsed;
}

using Wrong = std::vector<std::string>;

void read_option(Config& config, std::string_view name, std::string_view value, Wrong& wrong) {
  const auto bad = [&] { wrong.push_back(fmt::format("{} {}: not valid", name, value)); };
  if (name == "--port") {
    const auto port = parse_number<std::uint16_t>(value, 0, UINT16_MAX);
    port ? void(config.port = *port) : bad();
  } else if (name == "--address") {
    config.address = value;
  } else if (name == "--listen") {
    const auto listen = parse_host_port(value, config.port);
    if (!listen) return bad();
    config.address = listen->host;
    config.port = listen->port;
  } else if (name == "--threads") {
    const auto threads = parse_number<std::size_t>(value, 1, kThreadsMax);
    threads ? void(config.threads = *threads) : bad();
  } else {
    wrong.push_back(fmt::format("{}: no such option", name));
  }
}

void read_options(Config& config, std::span<const std::string_view> arguments, Wrong& wrong) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    const std::size_t equals = name.find('=');
    if (equals != name.npos) {
      read_option(config, name.substr(0, equals), name.substr(equals + 1), wrong);
    } else if (i + 1 < arguments.size()) {
      read_option(config, name, arguments[++i], wrong);
    } else {
      wrong.push_back(fmt::format("{}: no such option, or its value is missing", name));
    }
  }
}

}  // namespace

std::expected<Config, std::string> read_config(std::span<const std::string_view> arguments,
                                               const Environment& environment,
                                               std::size_t processors) {
  Config config;
  Wrong wrong;
  config.threads = std::clamp<std::size_t>(processors, 1, kThreadsMax);
  read_options(config, arguments, wrong);
  const auto required = [&](std::string_view name) {
    auto value = environment(name);
    if (!value || value->empty()) {
      wrong.push_back(fmt::format("environment variable {} is not set", name));
      return std::string();
    }
    return *std::move(value);
  };
  const std::string url = required("DB_URL");
  if (const auto address = parse_host_port(url, config.database.port)) {
    config.database.host = address->host;
    config.database.port = address->port;
  } else if (!url.empty()) {
    wrong.push_back(fmt::format("DB_URL must be HOST:PORT, not {}", url));
  }
  config.database.user = required("DB_USER");
  config.database.password = required("DB_PASSWORD");
  config.database.name = required("DB_NAME");
  config.raw_bucket = required("AWS_RAW_BUCKET_NAME");
  config.processed_bucket = required("AWS_PROCESSED_BUCKET_NAME");
  config.picture_url = environment("PICTURE_URL").value_or("");
  if (!config.picture_url.empty() && !http::Url::parse(config.picture_url).has_value()) {
    wrong.push_back(fmt::format("PICTURE_URL must be a URL, not {}", config.picture_url));
  }
  if (wrong.empty()) return config;
  std::string text;
  for (const std::string& each : wrong) text += fmt::format("error: {}\n", each);
  return std::unexpected(std::move(text));
}

std::string_view usage() {
  return R"(messageboard-api: the web API of MessageBoard

usage: messageboard-api [--listen ADDRESS:PORT] [--threads N]
  --listen ADDRESS:PORT  default 127.0.0.1:8080; --address and --port set one of the two
  --threads N            server threads; default: one a processor

environment (all but PICTURE_URL required):
  DB_URL                     host:port of the PostgreSQL server
  DB_NAME DB_USER DB_PASSWORD
  AWS_RAW_BUCKET_NAME        bucket of pictures as uploaded (private)
  AWS_PROCESSED_BUCKET_NAME  bucket of anonymised pictures (publicly readable)
  PICTURE_URL                where browsers find the buckets, path style: http://127.0.0.1:4566
AWS_REGION, AWS_ENDPOINT_URL and credentials are read as the AWS SDKs do.
)";
}

}  // namespace messageboard
