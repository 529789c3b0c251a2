#include "messageboard/anonymise_image/lambda_runtime.h"

#include <fmt/core.h>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <optional>
#include <utility>

namespace anonymise_image {
namespace {

using base::ErrorKind;
using runtime::Task;

constexpr std::string_view kVersion = "/2018-06-01/runtime";
// A frozen environment may sleep for days before its next invocation.
constexpr base::Duration kWaitMax = std::chrono::hours(24 * 365);
constexpr base::Duration kAnswerMax = std::chrono::seconds(30);
constexpr std::size_t kPayloadBytesMax = 7 * 1024 * 1024;  // Lambda's own limit is 6 MB

std::optional<base::Timestamp> parse_milliseconds(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return base::Timestamp(std::chrono::milliseconds(value));
}

std::string error_document(const base::Error& error) {
  return boost::json::serialize(boost::json::object{
      {"errorMessage", error.message.empty() ? "internal error" : error.message},
      {"errorType", base::to_string(error.kind)},
      {"stackTrace", boost::json::array{}}});
}

}  // namespace

LambdaRuntime::LambdaRuntime(http::Client& client, base::Clock& clock, std::string authority)
    : client_(client), clock_(clock), authority_(std::move(authority)) {}

base::Result<http::Url> LambdaRuntime::url(std::string_view path) const {
  return http::Url::parse(fmt::format("http://{}{}{}", authority_, kVersion, path));
}

Task<base::Result<Invocation>> LambdaRuntime::next() {
  http::ClientRequest request;
  CO_TRY(request.url, url("/invocation/next"));
  const base::Timestamp patience = clock_.now() + kWaitMax;
  CO_TRY(auto response, co_await client_.send(std::move(request), patience));
  CO_TRY(auto payload, co_await http::read_all(*response.body, kPayloadBytesMax));
  if (response.status != 200) {
    co_return base::fail(ErrorKind::Unavailable,
                         fmt::format("the Runtime API answered {}", response.status));
  }
  const auto id = response.headers.find("Lambda-Runtime-Aws-Request-Id");
  const auto deadline =
      parse_milliseconds(response.headers.find("Lambda-Runtime-Deadline-Ms").value_or(""));
  if (!id || !deadline) {
    co_return base::fail(ErrorKind::Unavailable,
                         "the Runtime API's invocation has no request id or no deadline");
  }
  co_return Invocation{std::string(*id), std::move(payload), *deadline};
}

Task<base::Result<void>> LambdaRuntime::respond(std::string request_id, std::string payload) {
  co_return co_await post(fmt::format("/invocation/{}/response", request_id), std::move(payload),
                          "");
}

Task<base::Result<void>> LambdaRuntime::fail(std::string request_id, base::Error error) {
  co_return co_await post(fmt::format("/invocation/{}/error", request_id), error_document(error),
                          std::string(base::to_string(error.kind)));
}

Task<base::Result<void>> LambdaRuntime::fail_init(base::Error error) {
  co_return co_await post("/init/error", error_document(error),
                          std::string(base::to_string(error.kind)));
}

Task<base::Result<void>> LambdaRuntime::post(std::string path, std::string body,
                                             std::string error_type) {
  http::ClientRequest request;
  request.method = "POST";
  CO_TRY(request.url, url(path));
  request.headers.add("Content-Type", "application/json");
  if (!error_type.empty()) {
    request.headers.add("Lambda-Runtime-Function-Error-Type", std::move(error_type));
  }
  request.body = std::move(body);
  const base::Timestamp deadline = clock_.now() + kAnswerMax;
  CO_TRY(auto response, co_await client_.send(std::move(request), deadline));
  CO_TRY_VOID(co_await http::read_all(*response.body, kPayloadBytesMax));
  if (response.status < 200 || response.status > 299) {
    co_return base::fail(ErrorKind::Unavailable,
                         fmt::format("the Runtime API answered {} to {}", response.status, path));
  }
  co_return base::Result<void>();
}

}  // namespace anonymise_image
