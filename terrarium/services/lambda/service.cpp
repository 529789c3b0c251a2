#include "terrarium/services/lambda/service.h"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "generated/lambda/errors.h"
#include "lib/base/log.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/machine_load.h"
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
  limits.is_machine_busy = [load = std::make_shared<MachineLoad>()] { return load->is_busy(); };
  return limits;
}

Service::Service(Parts parts, Config config)
    : EventOperations(mappings_, invoke_configs_),
      Layers(parts.store, parts.clock, parts.random, keeper_),
      CodeSigning(catalog_),
      parts_(parts),
      config_(std::move(config)),
      own_frontend_(parts.frontend == nullptr ? http_runtime_frontend(parts.runtime, parts.clock)
                                              : nullptr),
      tasks_(parts.runtime.control()),
      keeper_({.clock = parts.clock,
               .random = parts.random,
               .runtime = parts.runtime,
               .s3 = parts.s3,
               .tasks = tasks_},
              config_.state_directory / "lambda" / "code"),
      runtimes_(config_.state_directory / "lambda" / "runtimes"),
      networks_(parts.network),
      fleet_({.environment = {.clock = parts.clock,
                              .random = parts.random,
                              .sandbox = parts.sandbox,
                              .frontend = own_frontend_ ? *own_frontend_ : *parts.frontend,
                              .networks = networks_,
                              .logs = parts.logs,
                              .tasks = tasks_},
              .iam = parts.iam,
              .code = keeper_.files(),
              .runtimes = runtimes_,
              .catalog = catalog_,
              .endpoint_url = config_.endpoint_url,
              .account = config_.account},
             config_.limits),
      invoke_configs_(
          {.store = parts.store, .clock = parts.clock, .catalog = catalog_, .queues = parts.sqs}),
      events_({.store = parts.store,
               .clock = parts.clock,
               .random = parts.random,
               .fleet = fleet_,
               .catalog = catalog_,
               .configs = invoke_configs_,
               .queues = parts.sqs,
               .tasks = tasks_,
               .limits = config_.limits,
               .account = config_.account}),
      mappings_({.store = parts.store,
                 .catalog = catalog_,
                 .roles = parts.roles,
                 .poller = {.clock = parts.clock,
                            .random = parts.random,
                            .executor = parts.runtime.control(),
                            .fleet = fleet_,
                            .queues = parts.sqs,
                            .tasks = tasks_,
                            .limits = config_.limits}}) {
  keeper_.is_used = [this](const std::string& sha256_hex) { return is_code_used(sha256_hex); };
  keeper_.wait_unused = [this](std::string sha256_hex) {
    return fleet_.wait_unused(std::move(sha256_hex));
  };
  if (parts_.keys != nullptr) authenticator_.emplace(*parts_.keys, parts_.authoriser);
}

Result<void> Service::start() {
  TRY_VOID(runtimes_.install());
  TRY_VOID(load_layers());
  TRY_VOID(load_functions());
  TRY_VOID(invoke_configs_.load());
  TRY_VOID(mappings_.load());
  return events_.load();
}

Result<void> Service::load_functions() {
  const auto load = [this](std::string_view prefix, auto parse, auto take) -> Result<void> {
    const auto cursor = parts_.store.scan(kTable, prefix, store::prefix_end(prefix));
    for (; cursor->valid(); cursor->next()) {
      TRY(auto record, parse(cursor->value()));
      take(keys::parts(cursor->key()).region,
           std::make_shared<const decltype(record)>(std::move(record)));
    }
    return cursor->status();
  };
  std::set<std::string> code;
  collect_layer_code(code);
  const auto take_function = [this, &code](const std::string& region, FunctionPtr record) {
    code.insert(record->code_sha256_hex);
    code.insert(record->opt_sha256_hex);
    for (const LayerUse& layer : record->layers) code.insert(layer.code_sha256_hex);
    if (record->url) urls_[record->url->id] = {region, {record->name, ""}};
    catalog_.put(region, record);
    fleet_.set_function(region, std::move(record));
  };
  const auto take_alias = [this](const std::string& region, AliasPtr record) {
    if (record->url) urls_[record->url->id] = {region, {record->function_name, record->name}};
    catalog_.put(region, std::move(record));
  };
  TRY_VOID(load(keys::kAllFunctions, parse_function, take_function));
  TRY_VOID(load(keys::kAllVersions, parse_function, take_function));
  TRY_VOID(load(keys::kAllAliases, parse_alias, take_alias));
  keeper_.files().keep_only(code);
  for (const auto& [region, functions] : catalog_.regions()) {
    for (const auto& [name, function] : functions) provision(region, name);
  }
  return {};
}

bool Service::is_code_used(const std::string& sha256_hex) const {
  if (is_layer_code(sha256_hex)) return true;
  const auto has = [&sha256_hex](const FunctionPtr& record) {
    return record->code_sha256_hex == sha256_hex || record->opt_sha256_hex == sha256_hex ||
           std::ranges::any_of(record->layers, [&sha256_hex](const LayerUse& layer) {
             return layer.code_sha256_hex == sha256_hex;
           });
  };
  for (const auto& [region, functions] : catalog_.regions()) {
    for (const auto& [name, function] : functions) {
      if (has(function.latest)) return true;
      for (const auto& [number, version] : function.versions) {
        if (has(version)) return true;
      }
    }
  }
  return false;
}

Task<void> Service::stop() {
  events_.stop();
  co_await mappings_.stop();
  co_await fleet_.stop(parts_.clock.now() + kStopTimeout);
  co_await tasks_.stop();
  co_await networks_.remove_all();
}

Result<Resolved> Service::resolve(const wire::Context& context, std::string_view name,
                                  const std::optional<std::string>& qualifier) const {
  return catalog_.resolve({context.region, context.account}, name, qualifier);
}

Task<Result<void>> Service::save(std::string region, std::vector<FunctionRecord> records) {
  store::Batch batch;
  for (const FunctionRecord& record : records) {
    const auto number = version_number(record.version);
    batch.put(
        kTable,
        number ? keys::version(region, record.name, *number) : keys::function(region, record.name),
        to_text(record));
  }
  CO_TRY_VOID(parts_.store.write(std::move(batch)));
  // Before the wait: a change that comes meanwhile must not be overtaken by this one.
  for (FunctionRecord& record : records) {
    const auto kept = std::make_shared<const FunctionRecord>(std::move(record));
    catalog_.put(region, kept);
    fleet_.set_function(region, kept);
  }
  co_return co_await parts_.store.sync();
}

Task<Result<void>> Service::save(std::string region, FunctionRecord record) {
  std::vector<FunctionRecord> records;
  records.push_back(std::move(record));
  co_return co_await save(std::move(region), std::move(records));
}

Task<Result<void>> Service::save(std::string region, AliasRecord record) {
  store::Batch batch;
  batch.put(kTable, keys::alias(region, record.function_name, record.name), to_text(record));
  CO_TRY_VOID(parts_.store.write(std::move(batch)));
  const std::string name = record.function_name;
  catalog_.put(region, std::make_shared<const AliasRecord>(std::move(record)));
  provision(region, name);
  co_return co_await parts_.store.sync();
}

}  // namespace terrarium::lambda
