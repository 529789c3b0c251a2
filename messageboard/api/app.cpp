#include "messageboard/api/app.h"

#include <fmt/core.h>

#include "messageboard/api/handlers.h"
#include "messageboard/api/openapi.h"
#include "messageboard/api/query.h"

namespace messageboard {
namespace {

using runtime::Task;

constexpr std::string_view kDocumentPath = "/openapi.json";
constexpr std::string_view kPageMethods = "HEAD, GET";  // as Starlette lists them

Task<http::Response> answer(http::Response response) { co_return response; }

Task<http::Response> healthy() { co_return json_response(200, to_json(HealthCheckResponse{})); }

// Browsers name text/html; programs that test for health do not.
bool wants_page(const http::Request& request) {
  const auto accept = request.headers.find("accept");
  return accept && accepts(*accept, "text/html");
}

bool matches(const Route& route, std::string_view path, std::string& parameter) {
  if (!route.has_parameter) return path == route.path;
  if (!path.starts_with(route.before) || path.size() == route.before.size()) return false;
  const std::string_view rest = path.substr(route.before.size());
  if (rest.find('/') != rest.npos) return false;
  parameter = rest;
  return true;
}

}  // namespace

std::vector<Route> documented_routes() {
  return {
      route<health_check>("GET", "/"),
      route<create_message>("POST", "/message/"),
      route<read_messages>("GET", "/messages/"),
      route<read_message>("GET", "/messages/{message_id}"),
      route<read_message>("GET", "/message/{message_id}"),
      route<test_load_balancer>("GET", "/load-balancer-test/"),
      route<upload_and_create_image>("POST", "/image/"),
      route<read_images>("GET", "/images/"),
      route<read_image>("GET", "/image/{image_id}"),
  };
}

std::string openapi() {
  std::vector<OperationDescription> operations;
  for (const Route& each : documented_routes()) operations.push_back(each.describe(each));
  return openapi_document(operations);
}

App::App(const Workers& workers, std::string_view picture_origin)
    : workers_(workers),
      routes_(documented_routes()),
      files_(picture_origin),
      document_(openapi()) {
  routes_.push_back(route<recent_messages>("GET", "/board/messages"));
  routes_.push_back(route<recent_images>("GET", "/board/images"));
}

App::Match App::match(std::string_view method, std::string_view path) const {
  Match found;
  for (const Route& each : routes_) {
    std::string parameter;
    if (!matches(each, path, parameter)) continue;
    if (each.method == method) {
      found.full = &each;
      found.parameter = std::move(parameter);
      return found;
    }
    if (found.allowed.empty()) found.allowed = each.method;
  }
  const StaticFile* const file = files_.find(path);
  if (file != nullptr || path == kDocumentPath) {
    if (method == "GET" || method == "HEAD") {
      found.file = file;
      found.document = file == nullptr;
    } else {
      found.allowed = kPageMethods;
    }
  }
  return found;
}

http::Response App::refuse_or_redirect(const http::Request& request, const std::string& path,
                                       const Match& found) const {
  if (!found.allowed.empty()) {
    http::Response response = refusal_response({405, "Method Not Allowed"});
    response.headers.add("allow", std::string(found.allowed));
    return response;
  }
  std::string other = path;
  if (other.ends_with('/')) {
    other.erase(other.find_last_not_of('/') + 1);
  } else {
    other += '/';
  }
  if (path == "/" || !match(request.method, other).any()) {
    return refusal_response({404, "Not Found"});
  }
  const std::string_view scheme = request.peer != nullptr && request.peer->tls ? "https" : "http";
  const std::string_view host = request.headers.find("host").value_or("");
  std::string location = host.empty() ? other : fmt::format("{}://{}{}", scheme, host, other);
  if (!request.query.empty()) location += fmt::format("?{}", request.query);
  return redirect_response(quote_url(location));
}

Task<http::Response> App::handle(http::Request& request) const {
  // The load balancer's question, and the measure of all speed: nothing is looked up for it.
  if (request.path == "/" && request.method == "GET") {
    if (!wants_page(request)) return healthy();
    http::Response response = redirect_response("/board/");
    response.headers.add("vary", "accept");
    return answer(std::move(response));
  }
  const bool plain = request.path.find('%') == std::string_view::npos;
  const std::string path = plain ? std::string(request.path) : unquote(request.path, false);
  Match found = match(request.method, path);
  if (found.full != nullptr) {
    return found.full->call(workers_, request, std::move(found.parameter));
  }
  if (found.file != nullptr) return answer(serve(*found.file, request));
  if (found.document) return answer(json_response(200, document_));
  return answer(refuse_or_redirect(request, path, found));
}

}  // namespace messageboard
