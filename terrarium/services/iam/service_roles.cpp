// Roles.
#include "generated/iam/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/iam/rules.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

constexpr std::size_t kRoleNameLengthMax = 64;
constexpr std::int32_t kSessionSecondsMin = 3600;
constexpr std::int32_t kSessionSecondsMax = 43'200;

}  // namespace

Role Service::role_of(const Entity& entity) const {
  Role role;
  role.path = entity.path;
  role.role_name = entity.name;
  role.role_id = entity.id;
  role.arn = arn(Kind::Role, entity);
  role.create_date = entity.created;
  // AWS answers policy documents percent-encoded (RFC 3986); clients decode them.
  role.assume_role_policy_document = base::percent_encode(entity.trust);
  role.description = entity.description;
  role.max_session_duration = entity.max_session_seconds;
  if (!entity.tags.empty()) {
    role.tags.emplace();
    for (const auto& [key, text] : entity.tags) role.tags->push_back({key, text});
  }
  return role;
}

Task<Result<CreateRoleResponse>> Service::create_role(const Context& context,
                                                      CreateRoleRequest request) {
  CO_TRY_VOID(check_name(request.role_name, "roleName", kRoleNameLengthMax));
  CO_TRY_VOID(refuse_boundary(request.permissions_boundary));
  CO_TRY_VOID(check_trust_policy(request.assume_role_policy_document));
  Entity entity;
  entity.name = request.role_name;
  CO_TRY(entity.path, check_path(request.path));
  CO_TRY(entity.tags, check_tags(request.tags));
  entity.trust = std::move(request.assume_role_policy_document);
  entity.description = std::move(request.description);
  entity.max_session_seconds = request.max_session_duration.value_or(kSessionSecondsMin);
  if (entity.max_session_seconds < kSessionSecondsMin ||
      entity.max_session_seconds > kSessionSecondsMax) {
    co_return base::fail(errors::kValidationError,
                         "MaxSessionDuration is from 3600 to 43200 seconds.");
  }
  CO_TRY(const std::optional<Entity> existing, read(Kind::Role, entity.name));
  if (existing) {
    co_return base::fail(errors::kEntityAlreadyExistsException,
                         "Role with name " + entity.name + " already exists.");
  }
  entity.id = new_id("AROA");
  entity.created = context.now;
  CreateRoleResponse response{role_of(entity)};
  CO_TRY_VOID(co_await save(Kind::Role, std::move(entity)));
  co_return response;
}

Task<Result<wire::Empty>> Service::delete_role(const Context&, DeleteRoleRequest request) {
  CO_TRY(const Entity entity, need(Kind::Role, request.role_name));
  if (!entity.policies.empty() || !entity.attached.empty()) {
    co_return base::fail(errors::kDeleteConflictException,
                         entity.attached.empty()
                             ? "Cannot delete entity, must delete policies first."
                             : "Cannot delete entity, must detach all policies first.");
  }
  store::Batch batch;
  batch.erase(store::Table::Control, std::string(kRolePrefix) + entity.name);
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return Empty{};
}

Task<Result<GetRoleResponse>> Service::get_role(const Context&, GetRoleRequest request) {
  CO_TRY(const Entity entity, need(Kind::Role, request.role_name));
  co_return GetRoleResponse{role_of(entity)};
}

Task<Result<ListRolesResponse>> Service::list_roles(const Context&, ListRolesRequest request) {
  CO_TRY(Page found, page(Kind::Role, request.path_prefix, request.marker, request.max_items));
  ListRolesResponse response;
  for (const Entity& entity : found.entities) response.roles.push_back(role_of(entity));
  response.is_truncated = found.marker.has_value();
  response.marker = found.marker;
  co_return response;
}

Task<Result<wire::Empty>> Service::update_assume_role_policy(
    const Context&, UpdateAssumeRolePolicyRequest request) {
  CO_TRY(Entity entity, need(Kind::Role, request.role_name));
  CO_TRY_VOID(check_trust_policy(request.policy_document));
  entity.trust = std::move(request.policy_document);
  co_return co_await save(Kind::Role, std::move(entity));
}

}  // namespace terrarium::iam
