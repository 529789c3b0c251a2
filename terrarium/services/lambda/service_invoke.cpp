// Invoke: now, later, or not at all (DryRun).
#include <boost/json.hpp>

#include "generated/lambda/errors.h"
#include "lib/base/encoding.h"
#include "lib/base/log.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/service.h"

namespace terrarium::lambda {
namespace {

// How long a caller waits for room on this machine; AWS's own limits are answered at once.
constexpr base::Duration kRoomTimeout = 60s;
constexpr std::string_view kEmptyEvent = "{}";

std::unexpected<base::Error> too_large(std::size_t bytes, std::size_t max) {
  return base::fail(errors::kRequestTooLargeException,
                    std::to_string(bytes) +
                        " byte payload is too large for the RequestResponse "
                        "invocation type (limit " +
                        std::to_string(max) + " bytes)");
}

Result<void> check_payload(const std::string& payload, bool is_event) {
  const std::size_t max = is_event ? kEventBytesMax : kPayloadBytesMax;
  if (payload.size() > max) {
    if (!is_event) return too_large(payload.size(), max);
    return base::fail(errors::kRequestTooLargeException,
                      std::to_string(payload.size()) +
                          " byte payload is too large for the Event invocation type (limit " +
                          std::to_string(max) + " bytes)");
  }
  boost::system::error_code error;
  boost::json::parse({payload.data(), payload.size()}, error);
  if (!error) return {};
  return base::fail(errors::kInvalidRequestContentException,
                    "Could not parse request body into json: " + error.message());
}

Result<std::string> client_context(const std::optional<std::string>& given) {
  if (!given || given->empty()) return std::string();
  const auto decoded = base::base64_decode(*given);
  boost::system::error_code error;
  if (decoded) boost::json::parse({decoded->data(), decoded->size()}, error);
  if (!decoded || error || given->size() > kClientContextBytesMax) {
    return base::fail(errors::kInvalidRequestContentException,
                      "Client context must be a valid Base64-encoded JSON object.");
  }
  return boost::json::serialize(boost::json::parse(*decoded));
}

}  // namespace

// An invocation whose caller waits. It goes on when the caller does not.
struct Service::Call {
  explicit Call(base::Clock& clock) : done(clock) {}
  InvokeRequest request;
  std::optional<Result<Outcome>> outcome;
  runtime::Event done;
};

Task<Result<InvocationResponse>> Service::invoke(const wire::Context& context,
                                                 InvocationRequest request) {
  CO_TRY(const FunctionRecord record, named(context, request.function_name, request.qualifier));
  const std::string type = request.invocation_type.value_or("RequestResponse");
  if (!request.payload || request.payload->empty()) request.payload = kEmptyEvent;
  CO_TRY_VOID(check_payload(*request.payload, type == "Event"));
  CO_TRY(request.client_context, client_context(request.client_context));
  const auto pool = fleet_.find(context.region, record.name);
  if (!pool) co_return base::fail(errors::kServiceException, "The function is not loaded");
  if (type == "DryRun") {
    InvocationResponse response;
    response.status_code = 204;
    co_return response;
  }
  if (type == "Event") co_return co_await accept_event(context, pool, std::move(request));
  if (type == "RequestResponse") co_return co_await run_now(context, pool, std::move(request));
  co_return base::fail(errors::kInvalidParameterValueException,
                       "InvocationType " + type + " is not supported");
}

Task<Result<InvocationResponse>> Service::accept_event(const wire::Context& context,
                                                       std::shared_ptr<FunctionPool> pool,
                                                       InvocationRequest request) {
  const base::Timestamp now = parts_.clock.now();
  QueuedEvent event{.request_id = context.request_id,
                    .accepted = now,
                    .due = now,
                    .client_context = *std::move(request.client_context),
                    .payload = *std::move(request.payload)};
  CO_TRY_VOID(co_await events_.accept(context.region, pool->function().name, std::move(event)));
  InvocationResponse response;
  response.status_code = 202;
  co_return response;
}

Task<Result<InvocationResponse>> Service::run_now(const wire::Context& context,
                                                  std::shared_ptr<FunctionPool> pool,
                                                  InvocationRequest request) {
  const auto call = std::make_shared<Call>(parts_.clock);
  call->request = {.request_id = context.request_id,
                   .client_context = *std::move(request.client_context),
                   .payload = std::make_shared<const std::string>(*std::move(request.payload))};
  tasks_.spawn("invoke", run_call(call, pool));
  while (!call->outcome) {
    // Not woken: the caller has gone, or everything stops.
    const bool woken = co_await call->done.wait_until(kNever);
    if (!woken && !call->outcome) {
      co_return base::fail(base::ErrorKind::Cancelled, "The caller has gone");
    }
  }
  if (!*call->outcome) co_return std::unexpected(std::move(*call->outcome).error());
  Outcome& outcome = **call->outcome;
  InvocationResponse response;
  response.status_code = 200;
  response.executed_version = kLatest;
  if (!outcome.function_error.empty()) response.function_error = outcome.function_error;
  if (request.log_type == "Tail") response.log_result = base::base64_encode(outcome.log_tail);
  response.payload = std::move(outcome.payload);
  co_return response;
}

Task<void> Service::run_call(std::shared_ptr<Call> call, std::shared_ptr<FunctionPool> pool) {
  auto environment =
      co_await pool->acquire(FunctionPool::Wait::No, parts_.clock.now() + kRoomTimeout);
  if (environment) {
    call->outcome = co_await run_in(*std::move(environment), pool, std::move(call->request),
                                    parts_.clock, parts_.random);
  } else {
    call->outcome = std::unexpected(std::move(environment).error());
  }
  call->done.notify_all();
}

}  // namespace terrarium::lambda
