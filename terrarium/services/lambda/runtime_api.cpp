#include "terrarium/services/lambda/runtime_api.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "lib/base/log.h"
#include "lib/http/server.h"
#include "terrarium/services/lambda/limits.h"

namespace terrarium::lambda {
namespace {

constexpr std::string_view kPrefix = "/2018-06-01/runtime/";
constexpr std::string_view kErrorTypeHeader = "Lambda-Runtime-Function-Error-Type";
constexpr std::string_view kModeHeader = "Lambda-Runtime-Function-Response-Mode";
constexpr std::size_t kConnectionsMax = 64;
constexpr base::Duration kDrainTimeout = 200ms;

http::Response answer(int status, boost::json::object body) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = boost::json::serialize(body) + "\n";
  return response;
}

http::Response refusal(int status, std::string_view type, std::string_view message) {
  return answer(status, {{"errorMessage", message}, {"errorType", type}});
}

http::Response accepted() { return answer(202, {{"status", "OK"}}); }

http::Response refusal_of(const base::Error& error) {
  if (error.kind == base::ErrorKind::InvalidInput) {
    return refusal(400, "InvalidRequestID", "Invalid request ID");
  }
  if (error.kind == base::ErrorKind::Conflict) {
    return refusal(403, "InvalidStateTransition", error.message);
  }
  return refusal(410, "Gone", error.message);
}

http::Response answer_of(const base::Result<void>& done) {
  return done ? accepted() : refusal_of(done.error());
}

http::Response event_of(Invocation invocation) {
  http::Response response;
  const auto deadline =
      std::chrono::duration_cast<std::chrono::milliseconds>(invocation.deadline.time_since_epoch());
  response.headers.add("Content-Type", "application/json");
  response.headers.add("Lambda-Runtime-Aws-Request-Id", std::move(invocation.request_id));
  response.headers.add("Lambda-Runtime-Deadline-Ms", std::to_string(deadline.count()));
  response.headers.add("Lambda-Runtime-Invoked-Function-Arn", std::move(invocation.function_arn));
  response.headers.add("Lambda-Runtime-Trace-Id", std::move(invocation.trace_id));
  if (!invocation.client_context.empty()) {
    response.headers.add("Lambda-Runtime-Client-Context", std::move(invocation.client_context));
  }
  response.body = *invocation.payload;
  return response;
}

// Coroutines, so that they run where the session lives.
runtime::Task<base::Result<void>> respond(RuntimeSession& session, std::string request_id,
                                          std::string payload) {
  co_return session.respond(request_id, std::move(payload));
}
runtime::Task<base::Result<void>> fail(RuntimeSession& session, std::string request_id,
                                       std::string type, std::string payload) {
  co_return session.fail(request_id, std::move(type), std::move(payload));
}
runtime::Task<base::Result<void>> fail_init(RuntimeSession& session, std::string type,
                                            std::string payload) {
  co_return session.fail_init(std::move(type), std::move(payload));
}

class HttpEndpoint final : public RuntimeEndpoint {
 public:
  HttpEndpoint(runtime::Runtime& runtime, base::Clock& clock, RuntimeSession& session)
      : control_(runtime.control()), clock_(clock), session_(session) {}

  base::Result<void> open(runtime::Runtime& runtime, int listening_fd) {
    http::ServerOptions options;
    options.limits.connections_max = kConnectionsMax;
    // An answer past the limit is read to its end, or its sender would not see ours.
    options.limits.drain_bytes_max = 16 * kResponseBytesMax;
    // A function computes as long as it may between two calls.
    options.limits.idle_timeout = 24h;
    options.limits.body_timeout = 15min;
    TRY(server_, http::Server::open(runtime, clock_, std::move(options),
                                    [this](http::Request& request) { return handle(request); }));
    TRY(port_, server_->listen(
                   {.address = "127.0.0.1", .port = 0, .tls = {}, .inherited_fd = listening_fd}));
    return {};
  }
  std::string address() const override { return fmt::format("127.0.0.1:{}", port_); }
  runtime::Task<void> close() override { co_await server_->drain(clock_.now() + kDrainTimeout); }

 private:
  runtime::Task<http::Response> handle(http::Request& request);
  runtime::Task<http::Response> take_response(http::Request& request, std::string request_id);
  runtime::Task<http::Response> take_error(http::Request& request, std::string request_id);
  runtime::Task<http::Response> next();

  runtime::Executor control_;
  base::Clock& clock_;
  RuntimeSession& session_;
  std::unique_ptr<http::Server> server_;
  std::uint16_t port_ = 0;
};

runtime::Task<http::Response> HttpEndpoint::next() {
  auto invocation = co_await runtime::run_on(control_, session_.next());
  if (!invocation) co_return refusal_of(invocation.error());
  co_return event_of(*std::move(invocation));
}

runtime::Task<http::Response> HttpEndpoint::take_response(http::Request& request,
                                                          std::string request_id) {
  const std::string mode(request.headers.find(kModeHeader).value_or(""));
  if (mode == "streaming") {
    co_return refusal(400, "InvalidParameter", "Response streaming is not supported");
  }
  auto body = co_await http::read_all(*request.body, kResponseBytesMax);
  if (body) {
    co_return answer_of(co_await runtime::run_on(
        control_, respond(session_, std::move(request_id), *std::move(body))));
  }
  if (body.error().kind != base::ErrorKind::TooLarge) {
    co_return refusal(400, "InvalidRequest", "The response was cut short");
  }
  const std::string type = "Function.ResponseSizeTooLarge";
  const std::string text = fmt::format(
      "Response payload size exceeded maximum allowed payload size ({} bytes).", kResponseBytesMax);
  const auto told =
      co_await runtime::run_on(control_, fail(session_, std::move(request_id), type,
                                              boost::json::serialize(boost::json::object{
                                                  {"errorType", type}, {"errorMessage", text}})));
  if (!told) co_return refusal_of(told.error());
  co_return refusal(
      413, "RequestEntityTooLarge",
      fmt::format("Exceeded maximum allowed payload size ({} bytes).", kResponseBytesMax));
}

// An empty id: initialisation.
runtime::Task<http::Response> HttpEndpoint::take_error(http::Request& request,
                                                       std::string request_id) {
  std::string type(request.headers.find(kErrorTypeHeader).value_or("Runtime.UnknownReason"));
  auto body = co_await http::read_all(*request.body, kErrorBodyBytesMax);
  if (!body && body.error().kind == base::ErrorKind::TooLarge) {
    body = boost::json::serialize(boost::json::object{
        {"errorType", type}, {"errorMessage", "The error that the runtime reported is too large"}});
  }
  if (!body) co_return refusal(400, "InvalidRequest", "The error was cut short");
  if (request_id.empty()) {
    co_return answer_of(
        co_await runtime::run_on(control_, fail_init(session_, std::move(type), *std::move(body))));
  }
  co_return answer_of(co_await runtime::run_on(
      control_, fail(session_, std::move(request_id), std::move(type), *std::move(body))));
}

runtime::Task<http::Response> HttpEndpoint::handle(http::Request& request) {
  constexpr std::string_view kInvocation = "invocation/";
  std::string_view path = request.path;
  if (!path.starts_with(kPrefix)) co_return refusal(404, "NotFound", "page not found");
  path.remove_prefix(kPrefix.size());
  if (path == "invocation/next" || path == "init/error") {
    const bool is_next = path == "invocation/next";
    if (request.method != (is_next ? "GET" : "POST")) {
      co_return refusal(405, "MethodNotAllowed", "method not allowed");
    }
    if (is_next) co_return co_await next();
    co_return co_await take_error(request, {});
  }
  if (!path.starts_with(kInvocation)) co_return refusal(404, "NotFound", "page not found");
  path.remove_prefix(kInvocation.size());
  const std::size_t slash = path.find('/');
  if (slash == 0 || slash == std::string_view::npos) {
    co_return refusal(404, "NotFound", "page not found");
  }
  std::string request_id(path.substr(0, slash));
  const std::string_view what = path.substr(slash + 1);
  if (what != "response" && what != "error") co_return refusal(404, "NotFound", "page not found");
  if (request.method != "POST") co_return refusal(405, "MethodNotAllowed", "method not allowed");
  if (what == "response") co_return co_await take_response(request, std::move(request_id));
  co_return co_await take_error(request, std::move(request_id));
}

class HttpFrontend final : public RuntimeFrontend {
 public:
  HttpFrontend(runtime::Runtime& runtime, base::Clock& clock) : runtime_(runtime), clock_(clock) {}
  base::Result<std::unique_ptr<RuntimeEndpoint>> open(RuntimeSession& session,
                                                      int listening_fd) override {
    auto endpoint = std::make_unique<HttpEndpoint>(runtime_, clock_, session);
    TRY_VOID(endpoint->open(runtime_, listening_fd));
    return std::unique_ptr<RuntimeEndpoint>(std::move(endpoint));
  }

 private:
  runtime::Runtime& runtime_;
  base::Clock& clock_;
};

}  // namespace

std::unique_ptr<RuntimeFrontend> http_runtime_frontend(runtime::Runtime& runtime,
                                                       base::Clock& clock) {
  return std::make_unique<HttpFrontend>(runtime, clock);
}

}  // namespace terrarium::lambda
