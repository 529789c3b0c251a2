#include "terrarium/services/lambda/policy_statement.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {
namespace {

constexpr std::array<std::string_view, 4> kConditionKeys = {
    kFunctionUrlAuthTypeKey, kInvokedViaFunctionUrlKey, "lambda:eventsourcetoken",
    "aws:principalorgid"};

namespace json = boost::json;

bool is_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}
bool is_account(std::string_view text) { return text.size() == 12 && is_digits(text); }

base::Result<void> check_statement_id(std::string_view id) {
  if (is_word(id)) return {};
  return pattern_violation(id, "statementId", "([a-zA-Z0-9-_]+)");
}

// A service, an account's root, or whatever ARN was given.
base::Result<json::value> principal_of(const std::string& principal) {
  if (principal == "*") return json::value("*");
  if (is_account(principal)) {
    return json::value(json::object{{"AWS", "arn:aws:iam::" + principal + ":root"}});
  }
  const bool is_arn =
      principal.starts_with("arn:aws") && (principal.find(":iam::") != std::string::npos ||
                                           principal.find(":sts::") != std::string::npos);
  if (is_arn) return json::value(json::object{{"AWS", principal}});
  const bool is_service =
      principal.ends_with(".amazonaws.com") || principal.ends_with(".amazon.com");
  if (is_service) return json::value(json::object{{"Service", principal}});
  return base::fail(
      errors::kInvalidParameterValueException,
      "The provided principal was invalid. Please check the principal and try again.");
}

json::object condition_of(const AddPermissionRequest& request) {
  json::object equals;
  if (request.function_url_auth_type) {
    equals["lambda:FunctionUrlAuthType"] = *request.function_url_auth_type;
  }
  if (request.principal_org_id) equals["aws:PrincipalOrgID"] = *request.principal_org_id;
  if (request.source_account) equals["AWS:SourceAccount"] = *request.source_account;
  if (request.event_source_token) equals["lambda:EventSourceToken"] = *request.event_source_token;
  json::object condition;
  if (!equals.empty()) condition["StringEquals"] = std::move(equals);
  if (request.source_arn) {
    condition["ArnLike"] = json::object{{"AWS:SourceArn", *request.source_arn}};
  }
  if (request.invoked_via_function_url.value_or(false)) {
    condition["Bool"] = json::object{{"lambda:InvokedViaFunctionUrl", "true"}};
  }
  return condition;
}

}  // namespace

base::Result<PolicyStatement> new_statement(const AddPermissionRequest& request,
                                            const std::string& arn) {
  TRY_VOID(check_statement_id(request.statement_id));
  const std::string_view action = request.action;
  const bool known = action == "*" || (action.starts_with("lambda:") &&
                                       (is_word(action.substr(7)) || action.substr(7) == "*"));
  if (!known) {
    return pattern_violation(action, "action", "(lambda:[*]|lambda:[a-zA-Z]+|[*])");
  }
  if (request.source_account && !is_account(*request.source_account)) {
    return pattern_violation(*request.source_account, "sourceAccount", "\\d{12}");
  }
  if (request.function_url_auth_type && action != "lambda:InvokeFunctionUrl") {
    return base::fail(errors::kInvalidParameterValueException,
                      "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action");
  }
  TRY(json::value principal, principal_of(request.principal));
  json::object statement{{"Sid", request.statement_id},
                         {"Effect", "Allow"},
                         {"Principal", std::move(principal)},
                         {"Action", request.action},
                         {"Resource", arn}};
  json::object condition = condition_of(request);
  if (!condition.empty()) statement["Condition"] = std::move(condition);
  return PolicyStatement{.id = request.statement_id, .json = json::serialize(statement)};
}

base::Result<PolicyStatement> new_statement(const AddLayerVersionPermissionRequest& request,
                                            const std::string& arn) {
  TRY_VOID(check_statement_id(request.statement_id));
  if (request.action != "lambda:GetLayerVersion") {
    return pattern_violation(request.action, "action", "lambda:GetLayerVersion");
  }
  const bool everybody = request.principal == "*";
  if (!everybody && !is_account(request.principal) && !request.principal.ends_with(":root")) {
    return pattern_violation(request.principal, "principal",
                             "\\d{12}|\\*|arn:(aws[a-zA-Z-]*):iam::\\d{12}:root");
  }
  TRY(json::value principal, principal_of(request.principal));
  json::object statement{{"Sid", request.statement_id},
                         {"Effect", "Allow"},
                         {"Principal", std::move(principal)},
                         {"Action", request.action},
                         {"Resource", arn}};
  if (request.organization_id) {
    statement["Condition"] = json::object{
        {"StringEquals", json::object{{"aws:PrincipalOrgID", *request.organization_id}}}};
  }
  return PolicyStatement{.id = request.statement_id, .json = json::serialize(statement)};
}

base::Result<void> add_statement(std::vector<PolicyStatement>& policy, PolicyStatement statement) {
  const auto taken = std::ranges::find(policy, statement.id, &PolicyStatement::id);
  if (taken != policy.end()) {
    return base::fail(errors::kResourceConflictException,
                      "The statement id (" + statement.id +
                          ") provided already exists. Please provide a new statement id, or "
                          "remove the existing statement.");
  }
  policy.push_back(std::move(statement));
  if (policy_json(policy).size() <= kPolicyBytesMax) return {};
  return base::fail(errors::kPolicyLengthExceededException,
                    "The final policy size is bigger than the limit (20480).");
}

base::Result<void> remove_statement(std::vector<PolicyStatement>& policy, const std::string& id) {
  const auto removed =
      std::erase_if(policy, [&id](const PolicyStatement& statement) { return statement.id == id; });
  if (removed > 0) return {};
  return base::fail(errors::kResourceNotFoundException,
                    "Statement " + id + " is not found in resource policy.");
}

std::string policy_json(const std::vector<PolicyStatement>& policy) {
  std::string statements;
  for (const PolicyStatement& statement : policy) {
    if (!statements.empty()) statements += ',';
    statements += statement.json;
  }
  return R"({"Version":"2012-10-17","Id":"default","Statement":[)" + statements + "]}";
}

base::Result<std::optional<wire::Policy>> parsed_policy(
    const std::vector<PolicyStatement>& policy) {
  if (policy.empty()) return std::nullopt;
  TRY(wire::Policy parsed, wire::Policy::parse(policy_json(policy), kConditionKeys));
  return parsed;
}

wire::Decision decide(const std::vector<PolicyStatement>& policy,
                      const wire::PolicyRequest& request) {
  const auto parsed = parsed_policy(policy);
  // One that cannot be understood allows nothing.
  if (!parsed) return wire::Decision::Deny;
  return *parsed ? (*parsed)->evaluate(request) : wire::Decision::None;
}

}  // namespace terrarium::lambda
