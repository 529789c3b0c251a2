// GetAccountAuthorizationDetails: everything at once, page by page.
#include <algorithm>

#include "generated/iam/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

std::vector<PolicyDetail> inline_of(const Entity& entity) {
  std::vector<PolicyDetail> out;
  for (const auto& [name, document] : entity.policies) {
    out.push_back({name, base::percent_encode(document)});
  }
  return out;
}

std::vector<AttachedPolicy> attached_of(const Entity& entity) {
  std::vector<AttachedPolicy> out;
  for (const std::string& arn : entity.attached) {
    out.push_back({arn.substr(arn.rfind('/') + 1), arn});
  }
  return out;
}

std::optional<AttachedPermissionsBoundary> boundary_of(const Entity& entity) {
  if (entity.boundary.empty()) return std::nullopt;
  return AttachedPermissionsBoundary{"Policy", entity.boundary};
}

// What one part of the answer is about: an entity by its name, or a policy by its ARN.
struct Part {
  std::optional<Kind> kind;
  std::string name;
};

Result<void> add_entities(const Directory& directory, Kind kind, std::vector<Part>& parts) {
  PageRequest request{.max_items = 1000};
  while (true) {
    TRY(const Page<Entity> page, directory.page(kind, request));
    for (const Entity& entity : page.items) parts.push_back({kind, entity.name});
    if (!page.marker) return {};
    request.marker = page.marker;
  }
}

Result<UserDetail> user_detail(const Directory& directory, const Entity& entity) {
  UserDetail detail;
  detail.path = entity.path;
  detail.user_name = entity.name;
  detail.user_id = entity.id;
  detail.arn = directory.arn(Kind::User, entity);
  detail.create_date = entity.created;
  if (!entity.policies.empty()) detail.user_policy_list = inline_of(entity);
  detail.group_list = entity.groups;
  detail.attached_managed_policies = attached_of(entity);
  detail.permissions_boundary = boundary_of(entity);
  detail.tags = to_answer(entity.tags);
  return detail;
}

Result<GroupDetail> group_detail(const Directory& directory, const Entity& entity) {
  GroupDetail detail;
  detail.path = entity.path;
  detail.group_name = entity.name;
  detail.group_id = entity.id;
  detail.arn = directory.arn(Kind::Group, entity);
  detail.create_date = entity.created;
  detail.group_policy_list = inline_of(entity);
  detail.attached_managed_policies = attached_of(entity);
  return detail;
}

Result<RoleDetail> role_detail(const Directory& directory, const Entity& entity) {
  RoleDetail detail;
  detail.path = entity.path;
  detail.role_name = entity.name;
  detail.role_id = entity.id;
  detail.arn = directory.arn(Kind::Role, entity);
  detail.create_date = entity.created;
  detail.assume_role_policy_document = base::percent_encode(entity.trust);
  TRY(detail.instance_profile_list, profiles_with(directory, entity.name));
  detail.role_policy_list = inline_of(entity);
  detail.attached_managed_policies = attached_of(entity);
  detail.permissions_boundary = boundary_of(entity);
  detail.tags = to_answer(entity.tags);
  detail.role_last_used.emplace();
  return detail;
}

Result<ManagedPolicyDetail> policy_detail(const Directory& directory, const PolicyRecord& record,
                                          const std::string& arn) {
  TRY(Policy policy, describe_policy(directory, record, arn));
  ManagedPolicyDetail detail;
  detail.policy_name = std::move(policy.policy_name);
  detail.policy_id = std::move(policy.policy_id);
  detail.arn = std::move(policy.arn);
  detail.path = std::move(policy.path);
  detail.default_version_id = std::move(policy.default_version_id);
  detail.attachment_count = policy.attachment_count;
  detail.permissions_boundary_usage_count = policy.permissions_boundary_usage_count;
  detail.is_attachable = true;
  if (!record.description.empty()) detail.description = record.description;
  detail.create_date = policy.create_date;
  detail.update_date = policy.update_date;
  auto& versions = detail.policy_version_list.emplace();
  for (const PolicyVersionRecord& each : record.versions) {
    PolicyVersion version;
    version.document = base::percent_encode(each.document);
    version.version_id = "v" + std::to_string(each.number);
    version.is_default_version = each.number == record.default_version;
    version.create_date = each.created;
    versions.insert(versions.begin(), std::move(version));
  }
  return detail;
}

}  // namespace

Task<Result<GetAccountAuthorizationDetailsResponse>> Service::get_account_authorization_details(
    const Context&, GetAccountAuthorizationDetailsRequest request) {
  const auto wanted = [&request](std::string_view kind) {
    return !request.filter || request.filter->empty() ||
           std::ranges::find(*request.filter, kind) != request.filter->end();
  };
  std::vector<Part> parts;
  for (const Kind kind : {Kind::User, Kind::Group, Kind::Role}) {
    if (wanted(title(kind))) CO_TRY_VOID(add_entities(directory_, kind, parts));
  }
  if (wanted("LocalManagedPolicy")) {
    CO_TRY(const std::vector<PolicyRecord> policies, directory_.policies());
    for (const PolicyRecord& policy : policies) parts.push_back({{}, directory_.arn(policy)});
  }
  if (wanted("AWSManagedPolicy")) {
    // Of AWS's only those that somebody has.
    for (const auto& [arn, policy] : directory_.aws_policies().all()) {
      CO_TRY(const std::vector<Holder> holders, directory_.holders(arn, false));
      if (!holders.empty()) parts.push_back({{}, arn});
    }
  }
  CO_TRY(const Page<Part> page, page_of(std::move(parts), request.marker, request.max_items));
  GetAccountAuthorizationDetailsResponse response;
  auto& users = response.user_detail_list.emplace();
  auto& groups = response.group_detail_list.emplace();
  auto& roles = response.role_detail_list.emplace();
  auto& policies = response.policies.emplace();
  for (const Part& part : page.items) {
    if (!part.kind) {
      CO_TRY(const std::optional<PolicyRecord> policy, directory_.read_policy(part.name));
      if (!policy) continue;
      CO_TRY(ManagedPolicyDetail detail, policy_detail(directory_, *policy, part.name));
      policies.push_back(std::move(detail));
      continue;
    }
    CO_TRY(const std::optional<Entity> entity, directory_.read(*part.kind, part.name));
    if (!entity) continue;
    if (*part.kind == Kind::User) {
      CO_TRY(UserDetail detail, user_detail(directory_, *entity));
      users.push_back(std::move(detail));
    } else if (*part.kind == Kind::Group) {
      CO_TRY(GroupDetail detail, group_detail(directory_, *entity));
      groups.push_back(std::move(detail));
    } else {
      CO_TRY(RoleDetail detail, role_detail(directory_, *entity));
      roles.push_back(std::move(detail));
    }
  }
  finish(response, page);
  co_return response;
}

}  // namespace terrarium::iam
