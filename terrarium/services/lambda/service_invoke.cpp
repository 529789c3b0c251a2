// Invoke: now, later, or not at all (DryRun).
#include <boost/json.hpp>

#include "generated/lambda/errors.h"
#include "lib/base/encoding.h"
#include "lib/base/log.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/policy_statement.h"
#include "terrarium/services/lambda/resources.h"
#include "terrarium/services/lambda/service.h"
#include "terrarium/services/lambda/violation.h"
#include "terrarium/wire/permissions.h"

namespace terrarium::lambda {
namespace {

// How long a caller waits for room on this machine; AWS's own limits are answered at once.
constexpr base::Duration kRoomTimeout = 60s;
constexpr std::string_view kEmptyEvent = "{}";

std::unexpected<base::Error> too_large(std::size_t bytes, std::string_view type, std::size_t max) {
  return base::fail(errors::kRequestTooLargeException,
                    std::to_string(bytes) + " byte payload is too large for the " +
                        std::string(type) + " invocation type (limit " + std::to_string(max) +
                        " bytes)");
}

Result<void> check_payload(const std::string& payload, bool is_event) {
  const std::size_t max = is_event ? kEventBytesMax : kPayloadBytesMax;
  if (payload.size() > max) {
    return too_large(payload.size(), is_event ? "Event" : "RequestResponse", max);
  }
  boost::system::error_code error;
  boost::json::parse({payload.data(), payload.size()}, error);
  if (!error) return {};
  return base::fail(errors::kInvalidRequestContentException,
                    "Could not parse request body into json: Could not parse payload into json: " +
                        error.message());
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

// By the caller's own policies, or the function's, which may not be there.
Result<void> check_may_invoke(const wire::Context& context, std::string arn,
                              const std::vector<PolicyStatement>& statements) {
  TRY(const wire::PermissionsPtr own, wire::permissions_of(context));
  if (!own) return {};
  TRY(const std::optional<wire::Policy> policy, parsed_policy(statements));
  return wire::authorise(*own,
                         wire::policy_request(context, "lambda:InvokeFunction", std::move(arn)),
                         policy ? &*policy : nullptr);
}

}  // namespace

// An invocation whose caller waits. It goes on when the caller does not: AWS lets the function run
// to its end for a client that has left, so nobody looks whether it is still there.
struct Service::Call {
  explicit Call(base::Clock& clock) : done(clock) {}
  InvokeRequest request;
  std::optional<Result<Outcome>> outcome;
  runtime::Event done;
};

Task<Result<InvocationResponse>> Service::invoke(const wire::Context& context,
                                                 InvocationRequest request) {
  auto found = resolve(context, request.function_name, request.qualifier);
  CO_TRY_VOID(check_may_invoke(
      context, found ? found->arn : resource_arn(context, "function", request.function_name),
      found ? policy_of(*found) : std::vector<PolicyStatement>()));
  CO_TRY(const Resolved target, std::move(found));
  const std::string type = request.invocation_type.value_or("RequestResponse");
  if (!request.payload || request.payload->empty()) request.payload = kEmptyEvent;
  CO_TRY_VOID(check_payload(*request.payload, type == "Event"));
  CO_TRY(std::string client, client_context(request.client_context));
  InvocationResponse response;
  if (type == "DryRun") {
    response.status_code = 204;
    co_return response;
  }
  if (type == "Event") {
    CO_TRY_VOID(co_await accept(context, target, std::move(client), *std::move(request.payload)));
    response.status_code = 202;
    co_return response;
  }
  if (type != "RequestResponse") co_return unsupported("InvocationType " + type);
  const Route route = fleet_.route(context.region, target);
  if (!route.pool) co_return base::fail(errors::kServiceException, "The function is not loaded");
  CO_TRY(Outcome outcome,
         co_await run_now(
             route, {.request_id = context.request_id,
                     .client_context = std::move(client),
                     .function_arn = route.invoked_arn,
                     .payload = std::make_shared<const std::string>(*std::move(request.payload))}));
  response.status_code = 200;
  response.executed_version = route.pool->function().version;
  if (!outcome.function_error.empty()) response.function_error = outcome.function_error;
  if (request.log_type == "Tail") response.log_result = base::base64_encode(outcome.log_tail);
  response.payload = std::move(outcome.payload);
  co_return response;
}

Task<Result<void>> Service::accept(const wire::Context& context, Resolved target,
                                   std::string client, std::string payload) {
  const base::Timestamp now = parts_.clock.now();
  QueuedEvent event{.request_id = context.request_id,
                    .qualifier = target.qualifier,
                    .accepted = now,
                    .due = now,
                    .client_context = std::move(client),
                    .payload = std::move(payload)};
  co_return co_await events_.accept(context.region, target.latest->name, std::move(event));
}

Task<Result<InvokeAsyncResponse>> Service::invoke_async(const wire::Context& context,
                                                        InvokeAsyncRequest request) {
  auto found = resolve(context, request.function_name);
  CO_TRY_VOID(check_may_invoke(
      context, found ? found->arn : resource_arn(context, "function", request.function_name),
      found ? policy_of(*found) : std::vector<PolicyStatement>()));
  CO_TRY(const Resolved target, std::move(found));
  std::string payload = std::move(request.invoke_args);
  if (payload.empty()) payload = kEmptyEvent;
  CO_TRY_VOID(check_payload(payload, true));
  CO_TRY_VOID(co_await accept(context, target, {}, std::move(payload)));
  InvokeAsyncResponse response;
  response.status = 202;
  co_return response;
}

Task<Result<wire::Empty>> Service::invoke_with_response_stream(const wire::Context&,
                                                               InvokeWithResponseStreamRequest) {
  co_return unsupported("InvokeWithResponseStream");
}

Task<Result<Outcome>> Service::run_now(Route route, InvokeRequest request) {
  const auto call = std::make_shared<Call>(parts_.clock);
  call->request = std::move(request);
  tasks_.spawn("invoke", run_call(call, route.pool));
  while (!call->outcome) {
    // Not woken: the caller has gone, or everything stops.
    const bool woken = co_await call->done.wait_until(kNever);
    if (!woken && !call->outcome) {
      co_return base::fail(base::ErrorKind::Cancelled, "The caller has gone");
    }
  }
  co_return std::move(*call->outcome);
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
