#include "messageboard/api/answer.h"

#include "lib/base/log.h"
#include "messageboard/api/json_writer.h"

namespace messageboard {

std::unexpected<Refusal> refuse(int status, std::string detail) {
  return std::unexpected(Refusal{status, std::move(detail)});
}

std::unexpected<Refusal> refuse(const base::Error& error) {
  using base::ErrorKind;
  switch (error.kind) {
    case ErrorKind::Unavailable:
    case ErrorKind::Throttled:
    case ErrorKind::Timeout: return refuse(503, error.message);
    default: break;
  }
  base::log::error("board", "{}", base::describe(error));
  return refuse(500, "Internal Server Error");
}

http::Response json_response(int status, std::string body) {
  http::Response response{.status = status, .headers = {}, .body = std::move(body), .stream = {}};
  response.headers.add("content-type", "application/json");
  return response;
}

http::Response refusal_response(const Refusal& refusal) {
  std::string body = R"({"detail":)";
  append_json(body, std::string_view(refusal.detail));
  body += '}';
  http::Response response = json_response(refusal.status, std::move(body));
  if (refusal.status == 503) response.headers.add("retry-after", "1");
  return response;
}

http::Response problems_response(const Problems& problems) {
  return json_response(422, problems_body(problems));
}

http::Response redirect_response(std::string location) {
  http::Response response{.status = 307, .headers = {}, .body = {}, .stream = {}};
  response.headers.add("location", std::move(location));
  return response;
}

}  // namespace messageboard
