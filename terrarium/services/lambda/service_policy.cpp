// Resource policies of functions, versions and aliases.
#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/policy_statement.h"
#include "terrarium/services/lambda/service.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {
namespace {

Place place_of(const wire::Context& context) { return {context.region, context.account}; }

// AWS looks for an alias, not for a function, under what can only be an alias' name.
base::Error named_alias(base::Error error, const Place& place, const FunctionName& name) {
  const bool is_alias = is_word(name.qualifier) && !version_number(name.qualifier);
  if (is_alias && error.is(errors::kResourceNotFoundException)) {
    error.message = "Cannot find alias arn: " + qualified_arn(place, name.name, name.qualifier);
  }
  return error;
}

const std::string& revision_of(const Resolved& holder) {
  return holder.alias ? holder.alias->revision_id : holder.version->revision_id;
}

}  // namespace

Result<Resolved> Service::policy_holder(const wire::Context& context, const std::string& function,
                                        const std::optional<std::string>& qualifier) const {
  const Place place = place_of(context);
  TRY(const FunctionName name, parse_function_name(function, qualifier, place));
  if (name.qualifier == kLatest) {
    return invalid("We currently do not support adding policies for $LATEST.");
  }
  auto found = catalog_.resolve(place, name);
  const bool has_function = catalog_.find(place.region, name.name) != nullptr;
  if (!found && has_function) {
    return std::unexpected(named_alias(std::move(found).error(), place, name));
  }
  return found;
}

Task<Result<void>> Service::save_policy(std::string region, Resolved holder,
                                        std::vector<PolicyStatement> policy) {
  if (holder.alias) {
    AliasRecord record = *holder.alias;
    record.policy = std::move(policy);
    record.revision_id = parts_.random.uuid();
    co_return co_await save(std::move(region), std::move(record));
  }
  FunctionRecord record = *holder.version;
  record.policy = std::move(policy);
  record.revision_id = parts_.random.uuid();
  co_return co_await save(std::move(region), std::move(record));
}

const std::vector<PolicyStatement>& Service::policy_of(const Resolved& holder) {
  return holder.alias ? holder.alias->policy : holder.version->policy;
}

Task<Result<AddPermissionResponse>> Service::add_permission(const wire::Context& context,
                                                            AddPermissionRequest request) {
  const Place place = place_of(context);
  CO_TRY(const FunctionName name,
         parse_function_name(request.function_name, request.qualifier, place));
  CO_TRY(PolicyStatement statement,
         new_statement(request, qualified_arn(place, name.name, name.qualifier)));
  CO_TRY(const Resolved holder, policy_holder(context, request.function_name, request.qualifier));
  CO_TRY_VOID(check_revision(request.revision_id, revision_of(holder)));
  std::vector<PolicyStatement> policy = policy_of(holder);
  AddPermissionResponse response;
  response.statement = statement.json;
  CO_TRY_VOID(add_statement(policy, std::move(statement)));
  CO_TRY_VOID(co_await save_policy(context.region, holder, std::move(policy)));
  co_return response;
}

Task<Result<wire::Empty>> Service::remove_permission(const wire::Context& context,
                                                     RemovePermissionRequest request) {
  const Place place = place_of(context);
  CO_TRY(const FunctionName name,
         parse_function_name(request.function_name, request.qualifier, place));
  if (catalog_.find(place.region, name.name) == nullptr) {
    co_return base::fail(errors::kResourceNotFoundException,
                         "No policy found for: " + function_arn(place, name.name));
  }
  CO_TRY(const Resolved holder, policy_holder(context, request.function_name, request.qualifier));
  std::vector<PolicyStatement> policy = policy_of(holder);
  if (policy.empty()) {
    co_return base::fail(errors::kResourceNotFoundException,
                         "No policy is associated with the given resource.");
  }
  CO_TRY_VOID(check_revision(request.revision_id, revision_of(holder)));
  CO_TRY_VOID(remove_statement(policy, request.statement_id));
  CO_TRY_VOID(co_await save_policy(context.region, holder, std::move(policy)));
  co_return wire::Empty{};
}

Task<Result<GetPolicyResponse>> Service::get_policy(const wire::Context& context,
                                                    GetPolicyRequest request) {
  const Place place = place_of(context);
  CO_TRY(const FunctionName name,
         parse_function_name(request.function_name, request.qualifier, place));
  const auto holder = catalog_.resolve(place, name);
  const bool has_function = catalog_.find(place.region, name.name) != nullptr;
  if (!holder && !has_function) co_return std::unexpected(holder.error());
  if (!holder || policy_of(*holder).empty() || name.qualifier == kLatest) {
    co_return base::fail(errors::kResourceNotFoundException,
                         "The resource you requested does not exist.");
  }
  GetPolicyResponse response;
  response.policy = policy_json(policy_of(*holder));
  response.revision_id = revision_of(*holder);
  co_return response;
}

}  // namespace terrarium::lambda
