// Function URLs on the wire: an HTTP request as the event that a function gets (payload
// format 2.0), what it returns as an HTTP answer, and cross-origin rules in between. Pure. Source:
// AWS "Invoking Lambda function URLs".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/http/server.h"
#include "terrarium/services/lambda/function_record.h"
#include "terrarium/wire/service.h"

namespace terrarium::lambda {

struct UrlRequest {
  std::string id;  // of the URL
  std::string host;
  std::string method;
  std::string path;   // not decoded
  std::string query;  // not decoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string source_ip;
  std::string port;
  std::optional<wire::Principal> caller;  // authenticated
  std::string request_id;
  base::Timestamp time;

  // The first of that name, ignoring case; empty without one.
  std::string_view header(std::string_view name) const;
};

// "<id>.lambda-url.<region>.<domain>[:port]" -> id.
std::optional<std::string> url_id_of_host(std::string_view host);
// "http://ID.lambda-url.REGION.localhost:PORT/", at the port of `endpoint`.
std::string function_url(std::string_view endpoint, std::string_view region, std::string_view id);

std::string url_event(const UrlRequest& request);
// What a function that did not fail returned.
http::Response url_answer(std::string_view payload);
// {"Message":...} with AWS's error type.
http::Response url_refusal(int status, std::string_view type, std::string_view message);
// What a function that failed, or answered what is no answer, gives: not in JSON.
http::Response url_failure();

bool is_preflight(const UrlRequest& request);
http::Response preflight_answer(const CorsRules& cors, const UrlRequest& request);
// A browser may show the answer to pages of the request's origin.
void allow_origin(const CorsRules& cors, const UrlRequest& request, http::Response& response);

}  // namespace terrarium::lambda
