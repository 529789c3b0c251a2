#include "terrarium/services/lambda/service.h"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "generated/lambda/errors.h"
#include "lib/base/log.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/runtime_api.h"

namespace terrarium::lambda {
namespace {

constexpr auto kTable = store::Table::Lambda;
constexpr base::Duration kStopTimeout = 10s;

}  // namespace

FleetLimits machine_limits() {
  // What a small function takes, on average. A machine of 8 GiB gets 32.
  constexpr std::uint64_t kEnvironmentBytes = 256 << 20;
  constexpr std::uint64_t kMin = 8;
  constexpr std::uint64_t kMax = 1000;
  const auto memory = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  FleetLimits limits;
  limits.environments_max = std::clamp(memory / kEnvironmentBytes, kMin, kMax);
  limits.eager_environments = std::max(1U, std::thread::hardware_concurrency());
  return limits;
}

Service::Service(Parts parts, Config config)
    : parts_(parts),
      config_(std::move(config)),
      own_frontend_(parts.frontend == nullptr ? http_runtime_frontend(parts.runtime, parts.clock)
                                              : nullptr),
      tasks_(parts.runtime.control()),
      code_(config_.state_directory / "lambda" / "code"),
      fleet_({.environment = {.clock = parts.clock,
                              .random = parts.random,
                              .sandbox = parts.sandbox,
                              .frontend = own_frontend_ ? *own_frontend_ : *parts.frontend,
                              .logs = parts.logs,
                              .tasks = tasks_},
              .iam = parts.iam,
              .code = code_,
              .endpoint_url = config_.endpoint_url,
              .account = config_.account},
             config_.limits),
      events_({.store = parts.store,
               .clock = parts.clock,
               .random = parts.random,
               .fleet = fleet_,
               .tasks = tasks_}),
      code_secret_(parts.random.hex(32)),
      code_store_free_(parts.clock) {}

Result<void> Service::start() {
  TRY_VOID(load_functions());
  TRY_VOID(load_mappings());
  return events_.load();
}

Result<void> Service::load_functions() {
  const std::string prefix(keys::kAllFunctions);
  std::set<std::string> code;
  const auto cursor = parts_.store.scan(kTable, prefix, store::prefix_end(prefix));
  for (; cursor->valid(); cursor->next()) {
    TRY(FunctionRecord record, parse_function(cursor->value()));
    code.insert(record.code_sha256_hex);
    fleet_.set_function(keys::parts(cursor->key()).region,
                        std::make_shared<const FunctionRecord>(std::move(record)));
  }
  TRY_VOID(cursor->status());
  code_.keep_only(code);
  return {};
}

Result<void> Service::load_mappings() {
  const std::string prefix(keys::kAllMappings);
  const auto cursor = parts_.store.scan(kTable, prefix, store::prefix_end(prefix));
  for (; cursor->valid(); cursor->next()) {
    TRY(MappingRecord record, parse_mapping(cursor->value()));
    start_mapping(keys::parts(cursor->key()).region, std::move(record));
  }
  return cursor->status();
}

Task<void> Service::stop() {
  events_.stop();
  for (const auto& [key, poller] : std::exchange(mappings_, {})) co_await poller->stopped();
  co_await fleet_.stop(parts_.clock.now() + kStopTimeout);
  co_await tasks_.stop();
}

Result<FunctionRecord> Service::function(const wire::Context& context,
                                         const FunctionName& name) const {
  const Place place{context.region, context.account};
  const auto not_found = [&] {
    std::string arn = function_arn(place, name.name);
    if (!name.qualifier.empty()) arn += ":" + name.qualifier;
    return base::fail(errors::kResourceNotFoundException, "Function not found: " + arn);
  };
  if (!name.qualifier.empty() && name.qualifier != kLatest) return not_found();
  TRY(const auto text, parts_.store.get(kTable, keys::function(context.region, name.name)));
  if (!text) return not_found();
  return parse_function(*text);
}

Result<FunctionRecord> Service::named(const wire::Context& context, std::string_view name,
                                      const std::optional<std::string>& qualifier) const {
  TRY(const FunctionName parsed,
      parse_function_name(name, qualifier, {context.region, context.account}));
  return function(context, parsed);
}

Task<Result<void>> Service::save(std::string region, FunctionRecord record) {
  store::Batch batch;
  batch.put(kTable, keys::function(region, record.name), to_text(record));
  CO_TRY_VOID(parts_.store.write(std::move(batch)));
  // Before the wait: a change that comes meanwhile must not be overtaken by this one.
  fleet_.set_function(region, std::make_shared<const FunctionRecord>(std::move(record)));
  co_return co_await parts_.store.sync();
}

}  // namespace terrarium::lambda
