// Inline policies of users and roles, and managed policies attached to roles: kept, not enforced
// yet.
#include <algorithm>

#include "generated/iam/errors.h"
#include "lib/aws/arn.h"
#include "lib/base/encoding.h"
#include "terrarium/services/iam/rules.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

constexpr std::size_t kPolicyNameLengthMax = 128;

std::vector<std::string> names_of(const std::map<std::string, std::string>& policies) {
  std::vector<std::string> names;
  for (const auto& [name, document] : policies) names.push_back(name);
  return names;
}

std::unexpected<base::Error> no_such_policy(const std::string& policy) {
  return base::fail(errors::kNoSuchEntityException,
                    "The policy with name " + policy + " cannot be found.");
}

}  // namespace

Task<Result<wire::Empty>> Service::put_policy(Kind kind, std::string name, std::string policy,
                                              std::string document) {
  CO_TRY(Entity entity, need(kind, name));
  CO_TRY_VOID(check_name(policy, "policyName", kPolicyNameLengthMax));
  CO_TRY_VOID(check_identity_policy(document));
  entity.policies[policy] = std::move(document);
  co_return co_await save(kind, std::move(entity));
}

Task<Result<wire::Empty>> Service::delete_policy(Kind kind, std::string name, std::string policy) {
  CO_TRY(Entity entity, need(kind, name));
  if (entity.policies.erase(policy) == 0) co_return no_such_policy(policy);
  co_return co_await save(kind, std::move(entity));
}

Result<std::string> Service::policy_document(Kind kind, const std::string& name,
                                             const std::string& policy) const {
  TRY(const Entity entity, need(kind, name));
  const auto found = entity.policies.find(policy);
  if (found == entity.policies.end()) return no_such_policy(policy);
  return base::percent_encode(found->second);
}

Task<Result<wire::Empty>> Service::put_user_policy(const Context&, PutUserPolicyRequest request) {
  co_return co_await put_policy(Kind::User, std::move(request.user_name),
                                std::move(request.policy_name), std::move(request.policy_document));
}

Task<Result<wire::Empty>> Service::put_role_policy(const Context&, PutRolePolicyRequest request) {
  co_return co_await put_policy(Kind::Role, std::move(request.role_name),
                                std::move(request.policy_name), std::move(request.policy_document));
}

Task<Result<wire::Empty>> Service::delete_user_policy(const Context&,
                                                      DeleteUserPolicyRequest request) {
  co_return co_await delete_policy(Kind::User, std::move(request.user_name),
                                   std::move(request.policy_name));
}

Task<Result<wire::Empty>> Service::delete_role_policy(const Context&,
                                                      DeleteRolePolicyRequest request) {
  co_return co_await delete_policy(Kind::Role, std::move(request.role_name),
                                   std::move(request.policy_name));
}

Task<Result<GetUserPolicyResponse>> Service::get_user_policy(const Context&,
                                                             GetUserPolicyRequest request) {
  CO_TRY(std::string document, policy_document(Kind::User, request.user_name, request.policy_name));
  co_return GetUserPolicyResponse{request.user_name, request.policy_name, std::move(document)};
}

Task<Result<GetRolePolicyResponse>> Service::get_role_policy(const Context&,
                                                             GetRolePolicyRequest request) {
  CO_TRY(std::string document, policy_document(Kind::Role, request.role_name, request.policy_name));
  co_return GetRolePolicyResponse{request.role_name, request.policy_name, std::move(document)};
}

Task<Result<ListUserPoliciesResponse>> Service::list_user_policies(
    const Context&, ListUserPoliciesRequest request) {
  CO_TRY(const Entity entity, need(Kind::User, request.user_name));
  co_return ListUserPoliciesResponse{names_of(entity.policies), false, {}};
}

Task<Result<ListRolePoliciesResponse>> Service::list_role_policies(
    const Context&, ListRolePoliciesRequest request) {
  CO_TRY(const Entity entity, need(Kind::Role, request.role_name));
  co_return ListRolePoliciesResponse{names_of(entity.policies), false, {}};
}

Task<Result<wire::Empty>> Service::attach_role_policy(const Context&,
                                                      AttachRolePolicyRequest request) {
  CO_TRY(Entity entity, need(Kind::Role, request.role_name));
  const auto arn = aws::Arn::parse(request.policy_arn);
  if (!arn || arn->service != "iam" || !arn->resource.starts_with("policy/")) {
    co_return base::fail(errors::kValidationError,
                         "ARN " + request.policy_arn + " is not a policy's.");
  }
  if (std::ranges::find(entity.attached, request.policy_arn) == entity.attached.end()) {
    if (entity.attached.size() >= kAttachedPoliciesMax) {
      co_return base::fail(
          errors::kLimitExceededException,
          "Cannot exceed quota for PoliciesPerRole: " + std::to_string(kAttachedPoliciesMax));
    }
    entity.attached.push_back(std::move(request.policy_arn));
  }
  co_return co_await save(Kind::Role, std::move(entity));
}

Task<Result<wire::Empty>> Service::detach_role_policy(const Context&,
                                                      DetachRolePolicyRequest request) {
  CO_TRY(Entity entity, need(Kind::Role, request.role_name));
  if (std::erase(entity.attached, request.policy_arn) == 0) {
    co_return base::fail(errors::kNoSuchEntityException,
                         "Policy " + request.policy_arn + " was not found.");
  }
  co_return co_await save(Kind::Role, std::move(entity));
}

Task<Result<ListAttachedRolePoliciesResponse>> Service::list_attached_role_policies(
    const Context&, ListAttachedRolePoliciesRequest request) {
  CO_TRY(const Entity entity, need(Kind::Role, request.role_name));
  ListAttachedRolePoliciesResponse response;
  response.attached_policies.emplace();
  for (const std::string& arn : entity.attached) {
    response.attached_policies->push_back({arn.substr(arn.rfind('/') + 1), arn});
  }
  response.is_truncated = false;
  co_return response;
}

}  // namespace terrarium::iam
