// What hangs on a function besides its configuration: reserved concurrency, tags, resource policy.
#include <algorithm>
#include <boost/json.hpp>

#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/service.h"

namespace terrarium::lambda {
namespace {

namespace json = boost::json;

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidParameterValueException, std::move(message));
}

bool is_statement_id(std::string_view id) {
  return !id.empty() && id.size() <= 100 && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
  });
}

// As AWS writes a principal: a service, an account's root, or whatever ARN was given.
json::value principal_of(const std::string& principal) {
  if (principal == "*") return "*";
  if (principal.find(".amazonaws.com") != std::string::npos) {
    return json::object{{"Service", principal}};
  }
  const bool is_account = principal.size() == 12 && std::ranges::all_of(principal, [](char c) {
                            return c >= '0' && c <= '9';
                          });
  return json::object{{"AWS", is_account ? "arn:aws:iam::" + principal + ":root" : principal}};
}

std::string statement_json(const AddPermissionRequest& request, const std::string& arn) {
  json::object condition;
  if (request.source_account) {
    condition["StringEquals"] = json::object{{"AWS:SourceAccount", *request.source_account}};
  }
  if (request.source_arn) {
    condition["ArnLike"] = json::object{{"AWS:SourceArn", *request.source_arn}};
  }
  json::object statement{{"Sid", request.statement_id},
                         {"Effect", "Allow"},
                         {"Principal", principal_of(request.principal)},
                         {"Action", request.action},
                         {"Resource", arn}};
  if (!condition.empty()) statement["Condition"] = std::move(condition);
  return json::serialize(statement);
}

std::string policy_json(const FunctionRecord& record) {
  std::string statements;
  for (const PolicyStatement& statement : record.policy) {
    if (!statements.empty()) statements += ',';
    statements += statement.json;
  }
  return R"({"Version":"2012-10-17","Id":"default","Statement":[)" + statements + "]}";
}

std::unexpected<base::Error> no_policy() {
  return base::fail(errors::kResourceNotFoundException,
                    "The resource you requested does not exist.");
}

}  // namespace

Task<Result<Concurrency>> Service::put_function_concurrency(const wire::Context& context,
                                                            PutFunctionConcurrencyRequest request) {
  CO_TRY(FunctionRecord record, named(context, request.function_name, {}));
  const std::int32_t wanted = request.reserved_concurrent_executions;
  if (wanted < 0) co_return invalid("ReservedConcurrentExecutions is not negative");
  const std::int32_t others = fleet_.reserved_sum(context.region, record.name);
  if (wanted > kAccountConcurrency - kUnreservedConcurrencyMin - others) {
    co_return invalid(
        "Specified ReservedConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [" +
        std::to_string(kUnreservedConcurrencyMin) + "].");
  }
  record.reserved_concurrency = wanted;
  CO_TRY_VOID(co_await save(context.region, std::move(record)));
  Concurrency response;
  response.reserved_concurrent_executions = wanted;
  co_return response;
}

Task<Result<GetFunctionConcurrencyResponse>> Service::get_function_concurrency(
    const wire::Context& context, GetFunctionConcurrencyRequest request) {
  CO_TRY(const FunctionRecord record, named(context, request.function_name, {}));
  GetFunctionConcurrencyResponse response;
  response.reserved_concurrent_executions = record.reserved_concurrency;
  co_return response;
}

Task<Result<wire::Empty>> Service::delete_function_concurrency(
    const wire::Context& context, DeleteFunctionConcurrencyRequest request) {
  CO_TRY(FunctionRecord record, named(context, request.function_name, {}));
  record.reserved_concurrency.reset();
  CO_TRY_VOID(co_await save(context.region, std::move(record)));
  co_return wire::Empty{};
}

Task<Result<ListTagsResponse>> Service::list_tags(const wire::Context& context,
                                                  ListTagsRequest request) {
  CO_TRY(FunctionRecord record, named(context, request.resource, {}));
  ListTagsResponse response;
  response.tags = std::move(record.tags);
  co_return response;
}

Task<Result<wire::Empty>> Service::tag_resource(const wire::Context& context,
                                                TagResourceRequest request) {
  CO_TRY(FunctionRecord record, named(context, request.resource, {}));
  for (auto& [key, value] : request.tags) record.tags[key] = value;
  CO_TRY_VOID(check_tags(record.tags));
  CO_TRY_VOID(co_await save(context.region, std::move(record)));
  co_return wire::Empty{};
}

Task<Result<wire::Empty>> Service::untag_resource(const wire::Context& context,
                                                  UntagResourceRequest request) {
  CO_TRY(FunctionRecord record, named(context, request.resource, {}));
  for (const std::string& key : request.tag_keys) record.tags.erase(key);
  CO_TRY_VOID(co_await save(context.region, std::move(record)));
  co_return wire::Empty{};
}

Task<Result<AddPermissionResponse>> Service::add_permission(const wire::Context& context,
                                                            AddPermissionRequest request) {
  CO_TRY(FunctionRecord record, named(context, request.function_name, request.qualifier));
  CO_TRY_VOID(check_revision(request.revision_id, record.policy_revision_id));
  if (request.event_source_token || request.principal_org_id || request.function_url_auth_type) {
    co_return invalid(
        "EventSourceToken, PrincipalOrgID and FunctionUrlAuthType are not supported by this "
        "region");
  }
  if (!is_statement_id(request.statement_id)) {
    co_return invalid("StatementId has 1 to 100 letters, digits, '-' and '_'");
  }
  if (!request.action.starts_with("lambda:")) {
    co_return invalid("Action is lambda: and the name of an operation");
  }
  const bool there = std::ranges::any_of(record.policy, [&request](const auto& statement) {
    return statement.id == request.statement_id;
  });
  if (there) {
    co_return base::fail(errors::kResourceConflictException,
                         "The statement id (" + request.statement_id +
                             ") provided already exists. Please provide a new statement id, or "
                             "remove the existing statement.");
  }
  const std::string arn = function_arn({context.region, context.account}, record.name);
  AddPermissionResponse response;
  response.statement = statement_json(request, arn);
  record.policy.push_back({request.statement_id, *response.statement});
  record.policy_revision_id = parts_.random.uuid();
  if (policy_json(record).size() > kPolicyBytesMax) {
    co_return base::fail(errors::kPolicyLengthExceededException,
                         "The final policy size is bigger than the limit (20480).");
  }
  CO_TRY_VOID(co_await save(context.region, std::move(record)));
  co_return response;
}

Task<Result<wire::Empty>> Service::remove_permission(const wire::Context& context,
                                                     RemovePermissionRequest request) {
  CO_TRY(FunctionRecord record, named(context, request.function_name, request.qualifier));
  CO_TRY_VOID(check_revision(request.revision_id, record.policy_revision_id));
  const auto removed = std::erase_if(record.policy, [&request](const PolicyStatement& statement) {
    return statement.id == request.statement_id;
  });
  if (removed == 0) {
    co_return base::fail(errors::kResourceNotFoundException,
                         "Statement " + request.statement_id + " is not found in resource policy.");
  }
  record.policy_revision_id = parts_.random.uuid();
  CO_TRY_VOID(co_await save(context.region, std::move(record)));
  co_return wire::Empty{};
}

Task<Result<GetPolicyResponse>> Service::get_policy(const wire::Context& context,
                                                    GetPolicyRequest request) {
  CO_TRY(const FunctionRecord record, named(context, request.function_name, request.qualifier));
  if (record.policy.empty()) co_return no_policy();
  GetPolicyResponse response;
  response.policy = policy_json(record);
  response.revision_id = record.policy_revision_id;
  co_return response;
}

}  // namespace terrarium::lambda
