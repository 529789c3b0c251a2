// Inline policies of users, groups and roles: kept, not enforced yet.
#include "generated/iam/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/iam/policy_rules.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

std::size_t bytes_max(Kind kind) {
  switch (kind) {
    case Kind::User: return kUserPolicyBytesMax;
    case Kind::Group: return kGroupPolicyBytesMax;
    case Kind::Role: break;
  }
  return kRolePolicyBytesMax;
}

std::unexpected<base::Error> no_such_policy(Kind kind, const std::string& policy) {
  return base::fail(
      errors::kNoSuchEntityException,
      "The " + std::string(noun(kind)) + " policy with name " + policy + " cannot be found.");
}

}  // namespace

Task<Result<wire::Empty>> Service::put_policy(Kind kind, std::string name, std::string policy,
                                              std::string document) {
  CO_TRY(const Entity before, directory_.need(kind, name));
  CO_TRY_VOID(check_name(policy, "policyName"));
  CO_TRY_VOID(check_identity_policy(document));
  Entity after = before;
  after.policies[policy] = std::move(document);
  // AWS's quota is for all of them together.
  std::size_t bytes = 0;
  for (const auto& [each, text] : after.policies) bytes += policy_bytes(text);
  if (bytes > bytes_max(kind)) {
    co_return base::fail(errors::kLimitExceededException,
                         "Maximum policy size of " + std::to_string(bytes_max(kind)) +
                             " bytes exceeded for " + std::string(noun(kind)) + " " + after.name);
  }
  co_return co_await save(kind, before, after);
}

Task<Result<wire::Empty>> Service::delete_policy_of(Kind kind, std::string name,
                                                    std::string policy) {
  CO_TRY(const Entity before, directory_.need(kind, name));
  Entity after = before;
  if (after.policies.erase(policy) == 0) co_return no_such_policy(kind, policy);
  co_return co_await save(kind, before, after);
}

Result<std::string> Service::policy_document(Kind kind, const std::string& name,
                                             const std::string& policy) const {
  TRY(const Entity entity, directory_.need(kind, name));
  const auto found = entity.policies.find(policy);
  if (found == entity.policies.end()) return no_such_policy(kind, policy);
  return base::percent_encode(found->second);
}

template <class Response, class Request>
Result<Response> Service::inline_policies(Kind kind, const std::string& name,
                                          const Request& request) const {
  TRY(const Entity entity, directory_.need(kind, name));
  std::vector<std::string> names;
  for (const auto& [policy, document] : entity.policies) names.push_back(policy);
  TRY(Page<std::string> page, page_of(std::move(names), request.marker, request.max_items));
  Response response;
  finish(response, page);
  response.policy_names = std::move(page.items);
  return response;
}

Task<Result<wire::Empty>> Service::put_user_policy(const Context&, PutUserPolicyRequest request) {
  return put_policy(Kind::User, std::move(request.user_name), std::move(request.policy_name),
                    std::move(request.policy_document));
}

Task<Result<wire::Empty>> Service::put_group_policy(const Context&, PutGroupPolicyRequest request) {
  return put_policy(Kind::Group, std::move(request.group_name), std::move(request.policy_name),
                    std::move(request.policy_document));
}

Task<Result<wire::Empty>> Service::put_role_policy(const Context&, PutRolePolicyRequest request) {
  return put_policy(Kind::Role, std::move(request.role_name), std::move(request.policy_name),
                    std::move(request.policy_document));
}

Task<Result<wire::Empty>> Service::delete_user_policy(const Context&,
                                                      DeleteUserPolicyRequest request) {
  return delete_policy_of(Kind::User, std::move(request.user_name), std::move(request.policy_name));
}

Task<Result<wire::Empty>> Service::delete_group_policy(const Context&,
                                                       DeleteGroupPolicyRequest request) {
  return delete_policy_of(Kind::Group, std::move(request.group_name),
                          std::move(request.policy_name));
}

Task<Result<wire::Empty>> Service::delete_role_policy(const Context&,
                                                      DeleteRolePolicyRequest request) {
  return delete_policy_of(Kind::Role, std::move(request.role_name), std::move(request.policy_name));
}

Task<Result<GetUserPolicyResponse>> Service::get_user_policy(const Context&,
                                                             GetUserPolicyRequest request) {
  CO_TRY(std::string document, policy_document(Kind::User, request.user_name, request.policy_name));
  co_return GetUserPolicyResponse{request.user_name, request.policy_name, std::move(document)};
}

Task<Result<GetGroupPolicyResponse>> Service::get_group_policy(const Context&,
                                                               GetGroupPolicyRequest request) {
  CO_TRY(std::string document,
         policy_document(Kind::Group, request.group_name, request.policy_name));
  co_return GetGroupPolicyResponse{request.group_name, request.policy_name, std::move(document)};
}

Task<Result<GetRolePolicyResponse>> Service::get_role_policy(const Context&,
                                                             GetRolePolicyRequest request) {
  CO_TRY(std::string document, policy_document(Kind::Role, request.role_name, request.policy_name));
  co_return GetRolePolicyResponse{request.role_name, request.policy_name, std::move(document)};
}

Task<Result<ListUserPoliciesResponse>> Service::list_user_policies(
    const Context&, ListUserPoliciesRequest request) {
  co_return inline_policies<ListUserPoliciesResponse>(Kind::User, request.user_name, request);
}

Task<Result<ListGroupPoliciesResponse>> Service::list_group_policies(
    const Context&, ListGroupPoliciesRequest request) {
  co_return inline_policies<ListGroupPoliciesResponse>(Kind::Group, request.group_name, request);
}

Task<Result<ListRolePoliciesResponse>> Service::list_role_policies(
    const Context&, ListRolePoliciesRequest request) {
  co_return inline_policies<ListRolePoliciesResponse>(Kind::Role, request.role_name, request);
}

}  // namespace terrarium::iam
