// Roles.
#include "generated/iam/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/iam/policy_rules.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

constexpr std::string_view kServicePath = "/aws-service-role/";

// Roles that belong to a service of AWS change with that service only.
Result<void> refuse_service_role(const Entity& role) {
  if (!role.path.starts_with(kServicePath)) return {};
  return base::fail(errors::kUnmodifiableEntityException,
                    "Cannot perform the operation on the protected role '" + role.name +
                        "' - this role is only modifiable by AWS");
}

Result<void> check_trust(const std::string& document) {
  TRY_VOID(check_trust_policy(document));
  if (policy_bytes(document) <= kTrustPolicyBytesMax) return {};
  return base::fail(errors::kLimitExceededException, "Cannot exceed quota for ACLSizePerRole: " +
                                                         std::to_string(kTrustPolicyBytesMax));
}

}  // namespace

Result<Entity> Service::new_role(const Context& context, const CreateRoleRequest& request) {
  TRY_VOID(check_name(request.role_name, "roleName"));
  TRY_VOID(check_trust(request.assume_role_policy_document));
  Entity entity;
  entity.name = request.role_name;
  TRY(entity.path, check_path(request.path));
  if (entity.path.starts_with(kServicePath)) {
    return base::fail(errors::kValidationError,
                      "The specified value for path is invalid: " + std::string(kServicePath) +
                          " is reserved for service-linked roles.");
  }
  TRY(entity.boundary, check_boundary(request.permissions_boundary));
  if (request.tags) TRY_VOID(add_tags(entity.tags, *request.tags, TagCase::Ignored));
  entity.trust = request.assume_role_policy_document;
  entity.description = request.description;
  entity.max_session_seconds = request.max_session_duration.value_or(entity.max_session_seconds);
  TRY(const std::optional<Entity> existing, directory_.read(Kind::Role, entity.name));
  if (existing) {
    return base::fail(errors::kEntityAlreadyExistsException,
                      "Role with name " + entity.name + " already exists.");
  }
  TRY(const std::size_t roles, directory_.count(kRolePrefix));
  if (roles >= kRolesMax) {
    return base::fail(errors::kLimitExceededException,
                      "Cannot exceed quota for RolesPerAccount: " + std::to_string(kRolesMax));
  }
  entity.id = new_id(random_, "AROA");
  entity.created = context.now;
  return entity;
}

Task<Result<CreateRoleResponse>> Service::create_role(const Context& context,
                                                      CreateRoleRequest request) {
  CO_TRY(const Entity entity, new_role(context, request));
  store::Batch batch;
  directory_.replace(batch, Kind::Role, nullptr, &entity);
  CO_TRY_VOID(co_await commit(std::move(batch)));
  Role role = describe_role(directory_, entity);
  if (!entity.tags.empty()) role.tags = to_answer(entity.tags);
  if (!entity.boundary.empty()) {
    role.permissions_boundary = AttachedPermissionsBoundary{"Policy", entity.boundary};
  }
  co_return CreateRoleResponse{std::move(role)};
}

Task<Result<wire::Empty>> Service::delete_role(const Context&, DeleteRoleRequest request) {
  CO_TRY(const Entity entity, directory_.need(Kind::Role, request.role_name));
  CO_TRY_VOID(refuse_service_role(entity));
  CO_TRY(const std::vector<std::string> profiles, directory_.profiles_of(entity.name));
  std::string_view first;
  if (!entity.policies.empty()) first = "delete policies";
  if (!entity.attached.empty()) first = "detach all policies";
  if (!profiles.empty()) first = "remove roles from instance profile";
  if (!first.empty()) {
    co_return base::fail(errors::kDeleteConflictException,
                         "Cannot delete entity, must " + std::string(first) + " first.");
  }
  store::Batch batch;
  directory_.replace(batch, Kind::Role, &entity, nullptr);
  co_return co_await commit(std::move(batch));
}

Task<Result<GetRoleResponse>> Service::get_role(const Context&, GetRoleRequest request) {
  CO_TRY(const Entity entity, directory_.need(Kind::Role, request.role_name));
  Role role = describe_role_fully(directory_, entity);
  if (!entity.tags.empty()) role.tags = to_answer(entity.tags);
  if (!entity.boundary.empty()) {
    role.permissions_boundary = AttachedPermissionsBoundary{"Policy", entity.boundary};
  }
  role.role_last_used.emplace();
  co_return GetRoleResponse{std::move(role)};
}

Task<Result<ListRolesResponse>> Service::list_roles(const Context&, ListRolesRequest request) {
  CO_TRY(const Page<Entity> page,
         directory_.page(Kind::Role, {request.path_prefix, request.marker, request.max_items}));
  ListRolesResponse response;
  for (const Entity& entity : page.items)
    response.roles.push_back(describe_role_fully(directory_, entity));
  finish(response, page);
  co_return response;
}

Task<Result<wire::Empty>> Service::update_assume_role_policy(
    const Context&, UpdateAssumeRolePolicyRequest request) {
  CO_TRY(const Entity before, directory_.need(Kind::Role, request.role_name));
  CO_TRY_VOID(refuse_service_role(before));
  CO_TRY_VOID(check_trust(request.policy_document));
  Entity after = before;
  after.trust = std::move(request.policy_document);
  co_return co_await save(Kind::Role, before, after);
}

Task<Result<UpdateRoleResponse>> Service::update_role(const Context&, UpdateRoleRequest request) {
  CO_TRY(const Entity before, directory_.need(Kind::Role, request.role_name));
  CO_TRY_VOID(refuse_service_role(before));
  Entity after = before;
  if (request.description) after.description = std::move(request.description);
  after.max_session_seconds = request.max_session_duration.value_or(before.max_session_seconds);
  CO_TRY_VOID(co_await save(Kind::Role, before, after));
  co_return UpdateRoleResponse{};
}

Task<Result<UpdateRoleDescriptionResponse>> Service::update_role_description(
    const Context&, UpdateRoleDescriptionRequest request) {
  CO_TRY(const Entity before, directory_.need(Kind::Role, request.role_name));
  CO_TRY_VOID(refuse_service_role(before));
  Entity after = before;
  after.description = std::move(request.description);
  CO_TRY_VOID(co_await save(Kind::Role, before, after));
  Role role = describe_role(directory_, after);
  role.description = after.description;
  co_return UpdateRoleDescriptionResponse{std::move(role)};
}

}  // namespace terrarium::iam
