#include "terrarium/services/lambda/url_exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <map>

#include "lib/base/encoding.h"

namespace terrarium::lambda {
namespace {

namespace json = boost::json;

constexpr std::string_view kHostMark = ".lambda-url.";

// Media types whose bodies travel as text; every other is base64.
bool is_text(std::string_view content_type) {
  static constexpr std::array<std::string_view, 3> kTextual = {
      "application/json", "application/xml", "application/javascript"};
  const std::string type =
      base::to_lower(base::trim(content_type.substr(0, content_type.find(';'))));
  return type.empty() || type.starts_with("text/") || type.ends_with("+json") ||
         type.ends_with("+xml") || std::ranges::find(kTextual, type) != kTextual.end();
}

void append_joined(json::object& object, std::string_view name, std::string_view value) {
  if (auto* there = object.if_contains(name)) {
    there->as_string().append(",").append(value);
  } else {
    object[name] = value;
  }
}

std::string decoded(std::string_view text) {
  return base::percent_decode(text, true).value_or(std::string(text));
}

json::object query_of(std::string_view query) {
  json::object parameters;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    append_joined(parameters, decoded(pair.substr(0, equals)), decoded(value));
  }
  return parameters;
}

// "12/Mar/2020:19:03:58 +0000"
std::string log_time(base::Timestamp time) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::string iso = base::iso8601(time, 0);
  const auto month = static_cast<std::size_t>((iso[5] - '0') * 10 + (iso[6] - '0'));
  return fmt::format("{}/{}/{}:{} +0000", iso.substr(8, 2), kMonths.at(month - 1), iso.substr(0, 4),
                     iso.substr(11, 8));
}

json::object context_of(const UrlRequest& request) {
  json::object context{{"accountId", request.caller ? request.caller->account : "anonymous"},
                       {"apiId", request.id},
                       {"domainName", request.host},
                       {"domainPrefix", request.id},
                       {"requestId", request.request_id},
                       {"routeKey", "$default"},
                       {"stage", "$default"},
                       {"time", log_time(request.time)},
                       {"timeEpoch", request.time.time_since_epoch().count() / 1000}};
  context["http"] = json::object{{"method", request.method},
                                 {"path", decoded(request.path)},
                                 {"protocol", "HTTP/1.1"},
                                 {"sourceIp", request.source_ip},
                                 {"userAgent", request.header("user-agent")}};
  if (request.caller) {
    context["authorizer"] =
        json::object{{"iam", json::object{{"accessKey", request.caller->access_key_id},
                                          {"accountId", request.caller->account},
                                          {"callerId", request.caller->id},
                                          {"cognitoIdentity", nullptr},
                                          {"principalOrgId", nullptr},
                                          {"userArn", request.caller->arn},
                                          {"userId", request.caller->id}}}};
  }
  return context;
}

bool is_settable(std::string_view name) {
  static constexpr std::array<std::string_view, 4> kOurs = {"content-length", "transfer-encoding",
                                                            "connection", "date"};
  const std::string lower = base::to_lower(name);
  return !name.empty() && std::ranges::find(kOurs, lower) == kOurs.end() &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

// A function's text must not start a header of its own.
std::string one_line(std::string_view value) {
  std::string text(value);
  std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return text;
}

std::string text_of(const json::value& value) {
  return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
}

void add_headers(http::Response& response, const json::object& answer) {
  const auto* headers = answer.if_contains("headers");
  if (headers != nullptr && headers->is_object()) {
    for (const auto& field : headers->as_object()) {
      if (!is_settable(field.key()) || field.value().is_null()) continue;
      response.headers.add(std::string(field.key()), one_line(text_of(field.value())));
    }
  }
  const auto* several = answer.if_contains("multiValueHeaders");
  if (several != nullptr && several->is_object()) {
    for (const auto& field : several->as_object()) {
      if (!is_settable(field.key()) || !field.value().is_array()) continue;
      response.headers.remove(std::string_view(field.key()));
      for (const json::value& value : field.value().as_array()) {
        response.headers.add(std::string(field.key()), one_line(text_of(value)));
      }
    }
  }
  const auto* cookies = answer.if_contains("cookies");
  if (cookies == nullptr || !cookies->is_array()) return;
  for (const json::value& cookie : cookies->as_array()) {
    response.headers.add("Set-Cookie", one_line(text_of(cookie)));
  }
}

bool lists(const std::optional<std::vector<std::string>>& list, std::string_view item) {
  return list && std::ranges::any_of(*list, [item](const std::string& one) {
           return one == "*" || base::equals_ignoring_case(one, item);
         });
}

std::string joined(const std::optional<std::vector<std::string>>& list) {
  return fmt::format("{}", fmt::join(list.value_or(std::vector<std::string>()), ","));
}

}  // namespace

std::string_view UrlRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (base::equals_ignoring_case(key, name)) return value;
  }
  return {};
}

std::optional<std::string> url_id_of_host(std::string_view host) {
  const std::size_t mark = host.find(kHostMark);
  if (mark == std::string_view::npos || mark == 0) return std::nullopt;
  return base::to_lower(host.substr(0, mark));
}

std::string function_url(std::string_view endpoint, std::string_view region, std::string_view id) {
  const std::size_t scheme_end = endpoint.find("://");
  const std::string_view scheme = endpoint.substr(0, scheme_end);
  const std::size_t port = endpoint.rfind(':');
  const bool has_port = port != std::string_view::npos && port > scheme_end &&
                        endpoint.find(']', port) == std::string_view::npos;
  return fmt::format("{}://{}{}{}.localhost{}/", scheme, id, kHostMark, region,
                     has_port ? endpoint.substr(port) : std::string_view());
}

std::string url_event(const UrlRequest& request) {
  json::object headers;
  json::array cookies;
  for (const auto& [name, value] : request.headers) {
    const std::string lower = base::to_lower(name);
    if (lower != "cookie") {
      append_joined(headers, lower, value);
      continue;
    }
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::string_view cookie = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(cookie.size() + 1, rest.size()));
      if (!base::trim(cookie).empty()) cookies.emplace_back(base::trim(cookie));
    }
  }
  headers["x-forwarded-for"] = request.source_ip;
  headers["x-forwarded-port"] = request.port;
  headers["x-forwarded-proto"] = "http";
  json::object event{{"version", "2.0"},
                     {"routeKey", "$default"},
                     {"rawPath", decoded(request.path)},
                     {"rawQueryString", request.query}};
  if (!cookies.empty()) event["cookies"] = std::move(cookies);
  event["headers"] = std::move(headers);
  json::object parameters = query_of(request.query);
  if (!parameters.empty()) event["queryStringParameters"] = std::move(parameters);
  event["requestContext"] = context_of(request);
  const bool as_text = is_text(request.header("content-type"));
  if (!request.body.empty()) {
    event["body"] = as_text ? request.body : base::base64_encode(request.body);
  }
  event["isBase64Encoded"] = !request.body.empty() && !as_text;
  return json::serialize(event);
}

http::Response url_answer(std::string_view payload) {
  http::Response response;
  boost::system::error_code error;
  const json::value value = json::parse({payload.data(), payload.size()}, error);
  const json::object* answer = error ? nullptr : value.if_object();
  const json::value* status = answer == nullptr ? nullptr : answer->if_contains("statusCode");
  if (status == nullptr) {
    response.headers.add("Content-Type", "application/json");
    response.body = payload;
    return response;
  }
  const std::string digits = text_of(*status);
  const bool valid = digits.size() == 3 && digits[0] >= '2' && digits[0] <= '5' &&
                     std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (!valid) return url_failure();
  response.status = std::stoi(digits);
  add_headers(response, *answer);
  if (!response.headers.find("content-type")) {
    response.headers.add("Content-Type", "application/json");
  }
  const json::value* body = answer->if_contains("body");
  if (body == nullptr || body->is_null()) return response;
  response.body = text_of(*body);
  const json::value* encoded = answer->if_contains("isBase64Encoded");
  if (encoded == nullptr || !encoded->is_bool() || !encoded->as_bool()) return response;
  auto bytes = base::base64_decode(response.body);
  if (!bytes) return url_failure();
  response.body = *std::move(bytes);
  return response;
}

http::Response url_refusal(int status, std::string_view type, std::string_view message) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.headers.add("x-amzn-ErrorType", std::string(type));
  response.body = json::serialize(json::object{{"Message", message}});
  return response;
}

http::Response url_failure() {
  http::Response response = url_refusal(502, "BadGatewayException", {});
  response.body = "Internal Server Error";
  return response;
}

bool is_preflight(const UrlRequest& request) {
  return request.method == "OPTIONS" && !request.header("origin").empty() &&
         !request.header("access-control-request-method").empty();
}

http::Response preflight_answer(const CorsRules& cors, const UrlRequest& request) {
  http::Response response;
  const std::string_view method = request.header("access-control-request-method");
  allow_origin(cors, request, response);
  if (response.headers.empty() || !lists(cors.allow_methods, method)) {
    response.headers = {};
    return response;
  }
  response.headers.add("Access-Control-Allow-Methods", joined(cors.allow_methods));
  if (cors.allow_headers) {
    response.headers.add("Access-Control-Allow-Headers", joined(cors.allow_headers));
  }
  if (cors.max_age_s) {
    response.headers.add("Access-Control-Max-Age", std::to_string(*cors.max_age_s));
  }
  return response;
}

void allow_origin(const CorsRules& cors, const UrlRequest& request, http::Response& response) {
  const std::string_view origin = request.header("origin");
  if (origin.empty() || !lists(cors.allow_origins, origin)) return;
  const bool credentials = cors.allow_credentials.value_or(false);
  const bool anybody =
      !credentials && std::ranges::find(*cors.allow_origins, "*") != cors.allow_origins->end();
  response.headers.set("Access-Control-Allow-Origin", anybody ? "*" : one_line(origin));
  if (!anybody) response.headers.set("Vary", "Origin");
  if (credentials) response.headers.set("Access-Control-Allow-Credentials", "true");
  if (cors.expose_headers && !is_preflight(request)) {
    response.headers.set("Access-Control-Expose-Headers", joined(cors.expose_headers));
  }
}

}  // namespace terrarium::lambda
