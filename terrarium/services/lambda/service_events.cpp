// What invokes functions by itself: event source mappings, asynchronous invocation, other services;
// and what there is to see of it.
#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/policy_statement.h"
#include "terrarium/services/lambda/service.h"

namespace terrarium::lambda {
namespace {

namespace json = boost::json;

constexpr std::string_view kAction = "lambda:InvokeFunction";
constexpr std::string_view kArnStart = "arn:aws:lambda:";

double milliseconds(base::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

Result<FunctionName> Service::allowed(const InvokingService& from, const std::string& function_arn,
                                      std::string& region) const {
  const std::size_t end = function_arn.find(':', kArnStart.size());
  if (!function_arn.starts_with(kArnStart) || end == function_arn.npos) {
    return base::fail(errors::kResourceNotFoundException, "Function not found: " + function_arn);
  }
  region = function_arn.substr(kArnStart.size(), end - kArnStart.size());
  const Place place{region, config_.account};
  TRY(FunctionName name, parse_function_name(function_arn, place));
  TRY(const Resolved resolved, catalog_.resolve(place, name));
  const auto request =
      wire::policy_request_of_service(from.principal, from.source_arn, from.source_account,
                                      parts_.clock.now(), std::string(kAction), function_arn);
  if (decide(policy_of(resolved), request) == wire::Decision::Allow) return name;
  return base::fail(
      errors::kAccessDeniedException,
      "User: " + from.principal + " is not authorized to perform: " + std::string(kAction) +
          " on resource: " + function_arn + " because no resource-based policy allows the " +
          std::string(kAction) + " action");
}

Task<Result<void>> Service::invoke_later_here(InvokingService from, std::string function_arn,
                                              std::string payload) {
  std::string region;
  CO_TRY(FunctionName name, allowed(from, function_arn, region));
  if (payload.size() > kEventBytesMax) {
    co_return base::fail(errors::kRequestTooLargeException,
                         std::to_string(payload.size()) +
                             " byte payload is too large for the "
                             "Event invocation type (limit " +
                             std::to_string(kEventBytesMax) + " bytes)");
  }
  const base::Timestamp now = parts_.clock.now();
  co_return co_await events_.accept(region, name.name,
                                    {.request_id = parts_.random.uuid(),
                                     .qualifier = std::move(name.qualifier),
                                     .accepted = now,
                                     .due = now,
                                     .client_context = {},
                                     .payload = std::move(payload)});
}

Task<Result<void>> Service::check_here(InvokingService from, std::string function_arn) {
  std::string region;
  CO_TRY_VOID(allowed(from, function_arn, region));
  co_return Result<void>();
}

Task<Result<void>> Service::invoke_later(InvokingService from, std::string function_arn,
                                         std::string payload) {
  co_return co_await runtime::run_on(
      parts_.runtime.control(),
      invoke_later_here(std::move(from), std::move(function_arn), std::move(payload)));
}

Task<Result<void>> Service::check_can_invoke(InvokingService from, std::string function_arn) {
  co_return co_await runtime::run_on(parts_.runtime.control(),
                                     check_here(std::move(from), std::move(function_arn)));
}

boost::json::array Service::status() const {
  json::array rows;
  for (const auto& [region, functions] : catalog_.regions()) {
    for (const auto& [name, function] : functions) {
      InvocationCounts all;
      std::size_t running = 0;
      std::size_t environments = 0;
      const auto add = [&](std::string_view version) {
        const auto pool = fleet_.find(region, name, version);
        if (!pool) return;
        all += pool->counts();
        running += pool->in_use();
        environments += pool->environments();
      };
      add(kLatest);
      for (const auto& [number, record] : function.versions) add(record->version);
      rows.push_back(json::object{{"function", name},
                                  {"region", region},
                                  {"invocations since start", all.invocations},
                                  {"errors", all.errors},
                                  {"throttles", all.throttles},
                                  {"running", running},
                                  {"environments", environments},
                                  {"events waiting", events_.waiting(region, name)},
                                  {"last ms", milliseconds(all.last_duration)}});
    }
  }
  return rows;
}

boost::json::array Service::mapping_status() const {
  json::array rows;
  for (const Mappings::Status& mapping : mappings_.status()) {
    rows.push_back(json::object{{"function", mapping.record.function_name},
                                {"region", mapping.region},
                                {"mapping", mapping.record.uuid},
                                {"source", mapping.record.queue_arn},
                                {"state", to_string(mapping.state)},
                                {"batches", mapping.batches},
                                {"last result", mapping.last_result}});
  }
  return rows;
}

}  // namespace terrarium::lambda
