#include "terrarium/services/lambda/invocation.h"

#include <fmt/format.h>

namespace terrarium::lambda {
namespace {

// X-Ray's header; nothing is sampled.
std::string trace_id(base::Timestamp now, base::Random& random) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  return fmt::format("Root=1-{:08x}-{};Parent={};Sampled=0", seconds, random.hex(12),
                     random.hex(8));
}

}  // namespace

runtime::Task<Outcome> run_in(EnvironmentPtr environment, std::shared_ptr<FunctionPool> pool,
                              InvokeRequest request, base::Clock& clock, base::Random& random) {
  const FunctionRecord& function = environment->function();
  Invocation invocation{
      .request_id = std::move(request.request_id),
      .function_arn = request.function_arn.empty() ? function_arn(pool->place(), function.name)
                                                   : std::move(request.function_arn),
      .trace_id = trace_id(clock.now(), random),
      .client_context = std::move(request.client_context),
      .deadline = environment->begins(clock.now()) + std::chrono::seconds(function.timeout_s),
      .payload = std::move(request.payload)};
  Outcome outcome = co_await environment->invoke(std::move(invocation));
  pool->count(outcome);
  pool->release();
  co_return outcome;
}

}  // namespace terrarium::lambda
