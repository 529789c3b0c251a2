// Published versions and aliases.
#include <fmt/format.h>

#include "generated/lambda/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/lambda/function_view.h"
#include "terrarium/services/lambda/page.h"
#include "terrarium/services/lambda/service.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {
namespace {

constexpr auto kTable = store::Table::Lambda;

Place place_of(const wire::Context& context) { return {context.region, context.account}; }

std::string code_sha256(const FunctionRecord& record) {
  return base::base64_encode(base::hex_decode(record.code_sha256_hex).value_or(std::string()));
}

std::unexpected<base::Error> no_alias(const Place& place, const std::string& function,
                                      const std::string& alias) {
  return base::fail(errors::kResourceNotFoundException,
                    "Cannot find alias arn: " + qualified_arn(place, function, alias));
}

Result<void> check_alias_name(const std::string& name) {
  const bool is_number = std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
  if (is_word(name) && !is_number) return {};
  return pattern_violation(name, "name", "(?!^[0-9]+$)([a-zA-Z0-9-_]+)");
}

std::string weights_text(const std::map<std::string, double>& weights) {
  std::string text;
  for (const auto& [version, weight] : weights) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{}={:#.16g}", version, weight);
    while (text.ends_with('0') && !text.ends_with(".0")) text.pop_back();
  }
  return "{" + text + "}";
}

Result<void> check_weights(const std::map<std::string, double>& weights) {
  constexpr std::string_view kMember = "routingConfig.additionalVersionWeights";
  for (const auto& [version, weight] : weights) {
    if (!version_number(version)) {
      return violation(weights_text(weights), kMember,
                       "Map keys must satisfy constraint: [Member must have length less than or "
                       "equal to 1024, Member must have length greater than or equal to 1, Member "
                       "must satisfy regular expression pattern: [0-9]+, Member must not be null]");
    }
    if (!(weight >= 0.0 && weight <= 1.0)) {
      return violation(weights_text(weights), kMember,
                       "Map value must satisfy constraint: [Member must have value less than or "
                       "equal to 1.0, Member must have value greater than or equal to 0.0, Member "
                       "must not be null]");
    }
  }
  if (weights.size() <= 1) return {};
  return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1");
}

// Applies a request's routing; what it names must be there.
Result<void> set_routing(AliasRecord& record,
                         const std::optional<AliasRoutingConfiguration>& routing) {
  if (!routing) return {};
  const auto weights =
      routing->additional_version_weights.value_or(std::map<std::string, double>());
  TRY_VOID(check_weights(weights));
  record.other_version = weights.empty() ? "" : weights.begin()->first;
  record.other_weight = weights.empty() ? 0 : weights.begin()->second;
  return {};
}

Result<void> check_targets(const AliasRecord& record, const Catalog& catalog, const Place& place) {
  const bool is_split = !record.other_version.empty();
  if (is_split && record.version == kLatest) {
    return invalid("$LATEST is not supported for an alias pointing to more than 1 version");
  }
  TRY_VOID(catalog.resolve(place, FunctionName{record.function_name, record.version}));
  if (!is_split) return {};
  if (record.other_version == record.version) {
    return invalid(fmt::format(
        "Invalid function version {}. Function version {} is already included in routing "
        "configuration.",
        record.version, record.version));
  }
  TRY_VOID(catalog.resolve(place, FunctionName{record.function_name, record.other_version}));
  return {};
}

}  // namespace

FunctionRecord Service::publish(FunctionRecord& latest,
                                const std::optional<std::string>& description) {
  latest.published_build_id = latest.build_id;
  FunctionRecord version = latest;
  version.version = std::to_string(++latest.versions_made);
  version.revision_id = parts_.random.uuid();
  if (description) version.description = *description;
  version.policy.clear();
  version.tags.clear();
  version.reserved_concurrency.reset();
  version.url.reset();
  return version;
}

Task<Result<FunctionConfiguration>> Service::publish_version(const wire::Context& context,
                                                             PublishVersionRequest request) {
  const Place place = place_of(context);
  CO_TRY(const FunctionPtr found, whole(context, request.function_name));
  CO_TRY_VOID(check_revision(request.revision_id, found->revision_id));
  CO_TRY_VOID(check_not_updating(place, found->name));
  FunctionRecord latest = *found;
  if (request.code_sha256 && *request.code_sha256 != code_sha256(latest)) {
    co_return invalid(fmt::format(
        "CodeSHA256 ({}) is different from current CodeSHA256 in $LATEST ({}). Please try again "
        "with the CodeSHA256 in $LATEST.",
        *request.code_sha256, code_sha256(latest)));
  }
  const auto& versions = catalog_.find(place.region, latest.name)->versions;
  const auto last = versions.find(latest.versions_made);
  if (last != versions.end() && latest.published_build_id == latest.build_id) {
    const FunctionRecord& same = *last->second;
    co_return describe(same, place, qualified_arn(place, same.name, same.version), View::Settled);
  }
  FunctionRecord version = publish(latest, request.description);
  latest.revision_id = parts_.random.uuid();
  FunctionConfiguration shown =
      describe(version, place, qualified_arn(place, version.name, version.version), View::Settled);
  std::vector<FunctionRecord> records;
  records.push_back(std::move(version));
  records.push_back(std::move(latest));
  CO_TRY_VOID(co_await save(context.region, std::move(records)));
  co_return shown;
}

Task<Result<ListVersionsByFunctionResponse>> Service::list_versions_by_function(
    const wire::Context& context, ListVersionsByFunctionRequest request) {
  CO_TRY(const FunctionPtr latest, whole(context, request.function_name));
  CO_TRY(const Page page, page_of(request.marker, request.max_items));
  const Place place = place_of(context);
  const auto show = [&place](const FunctionRecord& record) {
    return describe(record, place, qualified_arn(place, record.name, record.version), View::Listed);
  };
  std::vector<FunctionConfiguration> versions;
  versions.push_back(show(*latest));
  for (const auto& [number, version] : catalog_.find(context.region, latest->name)->versions) {
    versions.push_back(show(*version));
  }
  ListVersionsByFunctionResponse response;
  response.next_marker = cut(versions, page, [](const FunctionConfiguration& shown) {
    return fmt::format("{:020}", version_number(*shown.version).value_or(0));
  });
  response.versions = std::move(versions);
  co_return response;
}

Task<Result<AliasConfiguration>> Service::create_alias(const wire::Context& context,
                                                       CreateAliasRequest request) {
  const Place place = place_of(context);
  CO_TRY_VOID(check_alias_name(request.name));
  CO_TRY(const FunctionName name, parse_function_name(request.function_name, place));
  AliasRecord record;
  record.function_name = name.name;
  record.name = request.name;
  record.version = request.function_version;
  record.description = request.description.value_or("");
  CO_TRY_VOID(set_routing(record, request.routing_config));
  CO_TRY_VOID(check_targets(record, catalog_, place));
  if (catalog_.find(context.region, name.name)->aliases.contains(record.name)) {
    co_return base::fail(errors::kResourceConflictException,
                         "Alias already exists: " + qualified_arn(place, name.name, record.name));
  }
  record.revision_id = parts_.random.uuid();
  AliasConfiguration shown = describe(record, place);
  CO_TRY_VOID(co_await save(context.region, std::move(record)));
  co_return shown;
}

Result<AliasPtr> Service::alias(const wire::Context& context, const std::string& function,
                                const std::string& alias_name) const {
  const Place place = place_of(context);
  TRY(const FunctionName name, parse_function_name(function, place));
  const Catalog::Function* found = catalog_.find(context.region, name.name);
  if (found == nullptr || !found->aliases.contains(alias_name)) {
    return no_alias(place, name.name, alias_name);
  }
  return found->aliases.at(alias_name);
}

Task<Result<AliasConfiguration>> Service::get_alias(const wire::Context& context,
                                                    GetAliasRequest request) {
  CO_TRY(const AliasPtr found, alias(context, request.function_name, request.name));
  co_return describe(*found, place_of(context));
}

Task<Result<AliasConfiguration>> Service::update_alias(const wire::Context& context,
                                                       UpdateAliasRequest request) {
  const Place place = place_of(context);
  CO_TRY(const AliasPtr found, alias(context, request.function_name, request.name));
  CO_TRY_VOID(check_revision(request.revision_id, found->revision_id));
  AliasRecord record = *found;
  record.version = request.function_version.value_or(record.version);
  record.description = request.description.value_or(record.description);
  CO_TRY_VOID(set_routing(record, request.routing_config));
  CO_TRY_VOID(check_targets(record, catalog_, place));
  record.revision_id = parts_.random.uuid();
  AliasConfiguration shown = describe(record, place);
  CO_TRY_VOID(co_await save(context.region, std::move(record)));
  co_return shown;
}

Task<Result<wire::Empty>> Service::delete_alias(const wire::Context& context,
                                                DeleteAliasRequest request) {
  CO_TRY(const FunctionPtr function, whole(context, request.function_name));
  const Catalog::Function& all = *catalog_.find(context.region, function->name);
  if (!all.aliases.contains(request.name)) co_return wire::Empty{};
  store::Batch batch;
  batch.erase(kTable, keys::alias(context.region, function->name, request.name));
  invoke_configs_.forget(batch, context.region, function->name, request.name);
  CO_TRY_VOID(parts_.store.write(std::move(batch)));
  catalog_.erase_alias(context.region, function->name, request.name);
  provision(context.region, function->name);
  CO_TRY_VOID(co_await parts_.store.sync());
  co_return wire::Empty{};
}

Task<Result<ListAliasesResponse>> Service::list_aliases(const wire::Context& context,
                                                        ListAliasesRequest request) {
  CO_TRY(const FunctionPtr function, whole(context, request.function_name));
  CO_TRY(const Page page, page_of(request.marker, request.max_items));
  std::vector<AliasConfiguration> aliases;
  for (const auto& [name, record] : catalog_.find(context.region, function->name)->aliases) {
    const auto& wanted = request.function_version;
    if (wanted && record->version != *wanted && record->other_version != *wanted) continue;
    aliases.push_back(describe(*record, place_of(context)));
  }
  ListAliasesResponse response;
  response.next_marker =
      cut(aliases, page, [](const AliasConfiguration& shown) { return *shown.name; });
  response.aliases = std::move(aliases);
  co_return response;
}

}  // namespace terrarium::lambda
