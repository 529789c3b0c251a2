// Provisioned concurrency: environments of a published version that are started before anybody
// invokes it, and kept.
#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/function_rules.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/page.h"
#include "terrarium/services/lambda/service.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {
namespace {

Place place_of(const wire::Context& context) { return {context.region, context.account}; }

std::unexpected<base::Error> no_config() {
  return base::fail(errors::kProvisionedConcurrencyConfigNotFoundException,
                    "No Provisioned Concurrency Config found for this function");
}

std::optional<std::int32_t> requested(const Resolved& target) {
  return target.alias ? target.alias->provisioned_concurrency
                      : target.version->provisioned_concurrency;
}

base::Timestamp modified(const Resolved& target) {
  return target.alias ? target.alias->provisioned_modified : target.version->provisioned_modified;
}

// What every answer has.
template <class Shape>
void fill(Shape& shape, std::int32_t wanted, std::size_t started, base::Timestamp when) {
  const auto ready = std::min(wanted, static_cast<std::int32_t>(started));
  shape.requested_provisioned_concurrent_executions = wanted;
  shape.allocated_provisioned_concurrent_executions = ready;
  shape.available_provisioned_concurrent_executions = ready;
  shape.status = ready == wanted ? "READY" : "IN_PROGRESS";
  shape.last_modified = last_modified_text(when);
}

}  // namespace

Result<Resolved> Service::provisionable(const wire::Context& context, const std::string& function,
                                        const std::string& qualifier,
                                        std::string_view latest_refusal) const {
  const Place place = place_of(context);
  TRY(const FunctionName name, parse_function_name(function, qualifier, place));
  if (name.qualifier == kLatest) return invalid(std::string(latest_refusal));
  const Catalog::Function* found = catalog_.find(place.region, name.name);
  const bool is_number = version_number(name.qualifier).has_value();
  if (!is_number && (found == nullptr || !found->aliases.contains(name.qualifier))) {
    return base::fail(errors::kResourceNotFoundException,
                      "Cannot find alias arn: " + qualified_arn(place, name.name, name.qualifier));
  }
  TRY(Resolved target, catalog_.resolve(place, name));
  if (target.version->version == kLatest) return invalid(std::string(latest_refusal));
  return target;
}

std::int32_t Service::provisioned_sum(const std::string& region, const std::string& name) const {
  const Catalog::Function* function = catalog_.find(region, name);
  std::int32_t sum = 0;
  if (function == nullptr) return sum;
  for (const auto& [number, version] : function->versions) {
    sum += version->provisioned_concurrency.value_or(0);
  }
  for (const auto& [alias, record] : function->aliases) {
    sum += record->provisioned_concurrency.value_or(0);
  }
  return sum;
}

void Service::provision(const std::string& region, const std::string& name) {
  const Catalog::Function* function = catalog_.find(region, name);
  if (function == nullptr) return;
  for (const auto& [number, version] : function->versions) {
    std::int32_t wanted = version->provisioned_concurrency.value_or(0);
    for (const auto& [alias, record] : function->aliases) {
      if (record->version == version->version)
        wanted += record->provisioned_concurrency.value_or(0);
    }
    const auto pool = fleet_.find(region, name, version->version);
    if (pool) pool->provision(static_cast<std::size_t>(wanted));
  }
}

Result<void> Service::check_provisioned(const Resolved& target, const std::string& region,
                                        std::int32_t wanted) const {
  const Catalog::Function& function = *catalog_.find(region, target.latest->name);
  if (target.alias && target.version->provisioned_concurrency) {
    return base::fail(errors::kResourceConflictException,
                      "Alias can't be used for Provisioned Concurrency configuration on an already "
                      "Provisioned version");
  }
  for (const auto& [name, alias] : function.aliases) {
    if (!target.alias && alias->version == target.version->version &&
        alias->provisioned_concurrency) {
      return base::fail(errors::kResourceConflictException,
                        "Version is pointed by a Provisioned Concurrency alias");
    }
  }
  const std::int32_t others =
      provisioned_sum(region, target.latest->name) - requested(target).value_or(0);
  const auto& reserved = target.latest->reserved_concurrency;
  if (reserved && others + wanted > *reserved) {
    return invalid(
        "Specified ConcurrentExecutions for function is greater than function's reserved "
        "concurrency");
  }
  if (!reserved && others + wanted > kAccountConcurrency - kUnreservedConcurrencyMin -
                                         fleet_.reserved_sum(region, {})) {
    return invalid(
        "Specified ConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [" +
        std::to_string(kUnreservedConcurrencyMin) + "].");
  }
  if (static_cast<std::size_t>(others + wanted) >= config_.limits.environments_max) {
    return invalid("This machine holds " + std::to_string(config_.limits.environments_max) +
                   " execution environments: fewer can be provisioned");
  }
  return {};
}

Task<Result<void>> Service::set_provisioned(std::string region, Resolved target,
                                            std::optional<std::int32_t> wanted) {
  const std::string name = target.latest->name;
  Result<void> saved;
  if (target.alias) {
    AliasRecord record = *target.alias;
    record.provisioned_concurrency = wanted;
    record.provisioned_modified = parts_.clock.now();
    saved = co_await save(region, std::move(record));
  } else {
    FunctionRecord record = *target.version;
    record.provisioned_concurrency = wanted;
    record.provisioned_modified = parts_.clock.now();
    saved = co_await save(region, std::move(record));
  }
  if (saved) provision(region, name);
  co_return saved;
}

Task<Result<PutProvisionedConcurrencyConfigResponse>> Service::put_provisioned_concurrency_config(
    const wire::Context& context, PutProvisionedConcurrencyConfigRequest request) {
  CO_TRY(const Resolved target,
         provisionable(context, request.function_name, request.qualifier,
                       "Provisioned Concurrency Configs cannot be applied to unpublished function "
                       "versions."));
  const std::int32_t wanted = request.provisioned_concurrent_executions;
  CO_TRY_VOID(check_provisioned(target, context.region, wanted));
  CO_TRY_VOID(co_await set_provisioned(context.region, target, wanted));
  PutProvisionedConcurrencyConfigResponse response;
  fill(response, wanted, 0, parts_.clock.now());
  co_return response;
}

Task<Result<GetProvisionedConcurrencyConfigResponse>> Service::get_provisioned_concurrency_config(
    const wire::Context& context, GetProvisionedConcurrencyConfigRequest request) {
  CO_TRY(const Resolved target,
         provisionable(context, request.function_name, request.qualifier,
                       "The function resource provided must be an alias or a published version."));
  if (!requested(target)) co_return no_config();
  const auto pool = fleet_.find(context.region, target.version->name, target.version->version);
  GetProvisionedConcurrencyConfigResponse response;
  fill(response, *requested(target), pool ? pool->started() : 0, modified(target));
  co_return response;
}

Task<Result<wire::Empty>> Service::delete_provisioned_concurrency_config(
    const wire::Context& context, DeleteProvisionedConcurrencyConfigRequest request) {
  CO_TRY(const Resolved target,
         provisionable(context, request.function_name, request.qualifier,
                       "The function resource provided must be an alias or a published version."));
  if (!requested(target)) co_return wire::Empty{};
  CO_TRY_VOID(co_await set_provisioned(context.region, target, std::nullopt));
  co_return wire::Empty{};
}

Task<Result<ListProvisionedConcurrencyConfigsResponse>>
Service::list_provisioned_concurrency_configs(const wire::Context& context,
                                              ListProvisionedConcurrencyConfigsRequest request) {
  CO_TRY(const FunctionPtr latest, whole(context, request.function_name));
  CO_TRY(const Page page, page_of(request.marker, request.max_items));
  const Place place = place_of(context);
  const Catalog::Function& function = *catalog_.find(context.region, latest->name);
  std::vector<ProvisionedConcurrencyConfigListItem> items;
  const auto add = [&](const std::string& qualifier, const std::string& version,
                       const auto& record) {
    if (!record.provisioned_concurrency) return;
    const auto pool = fleet_.find(context.region, latest->name, version);
    auto& item = items.emplace_back();
    item.function_arn = qualified_arn(place, latest->name, qualifier);
    fill(item, *record.provisioned_concurrency, pool ? pool->started() : 0,
         record.provisioned_modified);
  };
  for (const auto& [name, alias] : function.aliases) add(name, alias->version, *alias);
  for (const auto& [number, version] : function.versions) {
    add(version->version, version->version, *version);
  }
  const auto arn = [](const auto& item) { return *item.function_arn; };
  std::ranges::sort(items, {}, arn);
  ListProvisionedConcurrencyConfigsResponse response;
  response.next_marker = cut(items, page, arn);
  response.provisioned_concurrency_configs = std::move(items);
  co_return response;
}

}  // namespace terrarium::lambda
