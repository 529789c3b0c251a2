// Managed policies attached to users, groups and roles, and permissions boundaries: kept, not
// enforced yet.
#include <algorithm>

#include "generated/iam/errors.h"
#include "lib/aws/arn.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

bool is_policy_arn(const std::string& text) {
  const auto arn = aws::Arn::parse(text);
  return arn && arn->service == "iam" && arn->resource.starts_with("policy/");
}

Result<PolicyRecord> attachable(const Directory& directory, const std::string& policy_arn) {
  if (!is_policy_arn(policy_arn)) {
    return base::fail(errors::kValidationError, "ARN " + policy_arn + " is not valid.");
  }
  TRY(std::optional<PolicyRecord> policy, directory.read_policy(policy_arn));
  if (policy) return *std::move(policy);
  return base::fail(errors::kNoSuchEntityException,
                    "Policy " + policy_arn + " does not exist or is not attachable.");
}

}  // namespace

Result<std::string> Service::check_boundary(const std::optional<std::string>& arn) const {
  if (!arn) return std::string();
  if (!is_policy_arn(*arn)) {
    return base::fail(errors::kInvalidInputException, "ARN " + *arn + " is not valid.");
  }
  TRY(const std::optional<PolicyRecord> policy, directory_.read_policy(*arn));
  if (policy) return *arn;
  return base::fail(errors::kNoSuchEntityException,
                    "Scope ARN: " + *arn + " does not exist or is not attachable.");
}

Task<Result<wire::Empty>> Service::attach(Kind kind, std::string name, std::string policy_arn) {
  CO_TRY(const Entity before, directory_.need(kind, name));
  CO_TRY_VOID(attachable(directory_, policy_arn));
  if (std::ranges::find(before.attached, policy_arn) != before.attached.end()) co_return Empty{};
  if (before.attached.size() >= kAttachedPoliciesMax) {
    co_return base::fail(errors::kLimitExceededException, "Cannot exceed quota for PoliciesPer" +
                                                              std::string(title(kind)) + ": " +
                                                              std::to_string(kAttachedPoliciesMax));
  }
  Entity after = before;
  after.attached.push_back(std::move(policy_arn));
  co_return co_await save(kind, before, after);
}

Task<Result<wire::Empty>> Service::detach(Kind kind, std::string name, std::string policy_arn) {
  CO_TRY(const Entity before, directory_.need(kind, name));
  Entity after = before;
  if (std::erase(after.attached, policy_arn) == 0) {
    co_return base::fail(errors::kNoSuchEntityException,
                         "Policy " + policy_arn + " was not found.");
  }
  co_return co_await save(kind, before, after);
}

template <class Response, class Request>
Result<Response> Service::attached_policies(Kind kind, const std::string& name,
                                            const Request& request) const {
  TRY(const Entity entity, directory_.need(kind, name));
  std::vector<AttachedPolicy> all;
  for (const std::string& arn : entity.attached) {
    // What stands between ":policy" and the name is the path.
    const std::size_t slash = arn.rfind('/');
    const std::size_t path = arn.find(":policy/") + std::string_view(":policy").size();
    if (!arn.substr(path, slash + 1 - path).starts_with(request.path_prefix.value_or("/"))) {
      continue;
    }
    all.push_back({arn.substr(slash + 1), arn});
  }
  TRY(Page<AttachedPolicy> page, page_of(std::move(all), request.marker, request.max_items));
  Response response;
  finish(response, page);
  response.attached_policies = std::move(page.items);
  return response;
}

Task<Result<wire::Empty>> Service::attach_user_policy(const Context&,
                                                      AttachUserPolicyRequest request) {
  return attach(Kind::User, std::move(request.user_name), std::move(request.policy_arn));
}

Task<Result<wire::Empty>> Service::attach_group_policy(const Context&,
                                                       AttachGroupPolicyRequest request) {
  return attach(Kind::Group, std::move(request.group_name), std::move(request.policy_arn));
}

Task<Result<wire::Empty>> Service::attach_role_policy(const Context&,
                                                      AttachRolePolicyRequest request) {
  return attach(Kind::Role, std::move(request.role_name), std::move(request.policy_arn));
}

Task<Result<wire::Empty>> Service::detach_user_policy(const Context&,
                                                      DetachUserPolicyRequest request) {
  return detach(Kind::User, std::move(request.user_name), std::move(request.policy_arn));
}

Task<Result<wire::Empty>> Service::detach_group_policy(const Context&,
                                                       DetachGroupPolicyRequest request) {
  return detach(Kind::Group, std::move(request.group_name), std::move(request.policy_arn));
}

Task<Result<wire::Empty>> Service::detach_role_policy(const Context&,
                                                      DetachRolePolicyRequest request) {
  return detach(Kind::Role, std::move(request.role_name), std::move(request.policy_arn));
}

Task<Result<ListAttachedUserPoliciesResponse>> Service::list_attached_user_policies(
    const Context&, ListAttachedUserPoliciesRequest request) {
  co_return attached_policies<ListAttachedUserPoliciesResponse>(Kind::User, request.user_name,
                                                                request);
}

Task<Result<ListAttachedGroupPoliciesResponse>> Service::list_attached_group_policies(
    const Context&, ListAttachedGroupPoliciesRequest request) {
  co_return attached_policies<ListAttachedGroupPoliciesResponse>(Kind::Group, request.group_name,
                                                                 request);
}

Task<Result<ListAttachedRolePoliciesResponse>> Service::list_attached_role_policies(
    const Context&, ListAttachedRolePoliciesRequest request) {
  co_return attached_policies<ListAttachedRolePoliciesResponse>(Kind::Role, request.role_name,
                                                                request);
}

Task<Result<ListEntitiesForPolicyResponse>> Service::list_entities_for_policy(
    const Context&, ListEntitiesForPolicyRequest request) {
  CO_TRY(const std::optional<PolicyRecord> policy, directory_.read_policy(request.policy_arn));
  if (!policy) {
    co_return base::fail(errors::kNoSuchEntityException,
                         "Policy " + request.policy_arn + " was not found.");
  }
  std::vector<std::pair<Kind, Entity>> found;
  for (const bool as_boundary : {false, true}) {
    if (request.policy_usage_filter &&
        (*request.policy_usage_filter == "PermissionsBoundary") != as_boundary) {
      continue;
    }
    CO_TRY(const std::vector<Holder> holders, directory_.holders(request.policy_arn, as_boundary));
    for (const Holder& holder : holders) {
      if (request.entity_filter && *request.entity_filter != title(holder.kind)) continue;
      CO_TRY(std::optional<Entity> entity, directory_.read(holder.kind, holder.name));
      if (!entity || !entity->path.starts_with(request.path_prefix.value_or("/"))) continue;
      found.emplace_back(holder.kind, *std::move(entity));
    }
  }
  CO_TRY(const auto page, page_of(std::move(found), request.marker, request.max_items));
  ListEntitiesForPolicyResponse response;
  auto& groups = response.policy_groups.emplace();
  auto& users = response.policy_users.emplace();
  auto& roles = response.policy_roles.emplace();
  for (const auto& [kind, entity] : page.items) {
    if (kind == Kind::Group) groups.push_back({entity.name, entity.id});
    if (kind == Kind::User) users.push_back({entity.name, entity.id});
    if (kind == Kind::Role) roles.push_back({entity.name, entity.id});
  }
  finish(response, page);
  co_return response;
}

Task<Result<wire::Empty>> Service::set_boundary(Kind kind, std::string name,
                                                std::optional<std::string> arn) {
  CO_TRY(const Entity before, directory_.need(kind, name));
  Entity after = before;
  CO_TRY(after.boundary, check_boundary(arn));
  if (!arn && before.boundary.empty()) {
    co_return base::fail(
        errors::kNoSuchEntityException,
        std::string(title(kind)) + " " + before.name + " has no permissions boundary.");
  }
  co_return co_await save(kind, before, after);
}

Task<Result<wire::Empty>> Service::put_user_permissions_boundary(
    const Context&, PutUserPermissionsBoundaryRequest request) {
  return set_boundary(Kind::User, std::move(request.user_name),
                      std::move(request.permissions_boundary));
}

Task<Result<wire::Empty>> Service::put_role_permissions_boundary(
    const Context&, PutRolePermissionsBoundaryRequest request) {
  return set_boundary(Kind::Role, std::move(request.role_name),
                      std::move(request.permissions_boundary));
}

Task<Result<wire::Empty>> Service::delete_user_permissions_boundary(
    const Context&, DeleteUserPermissionsBoundaryRequest request) {
  return set_boundary(Kind::User, std::move(request.user_name), std::nullopt);
}

Task<Result<wire::Empty>> Service::delete_role_permissions_boundary(
    const Context&, DeleteRolePermissionsBoundaryRequest request) {
  return set_boundary(Kind::Role, std::move(request.role_name), std::nullopt);
}

}  // namespace terrarium::iam
