// Users.
#include "generated/iam/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

std::unexpected<base::Error> conflict(std::string_view first) {
  return base::fail(errors::kDeleteConflictException,
                    "Cannot delete entity, must " + std::string(first) + " first.");
}

}  // namespace

Result<std::string> Service::subject(const Context& context,
                                     const std::optional<std::string>& user_name) const {
  if (user_name) return *user_name;
  const std::string& arn = context.principal.arn;
  if (context.principal.kind == wire::PrincipalKind::User && arn.contains(":user/")) {
    return arn.substr(arn.rfind('/') + 1);
  }
  return base::fail(errors::kValidationError,
                    "Must specify userName when calling with non-User credentials");
}

Task<Result<CreateUserResponse>> Service::create_user(const Context& context,
                                                      CreateUserRequest request) {
  CO_TRY_VOID(check_name(request.user_name, "userName"));
  Entity entity;
  entity.name = request.user_name;
  CO_TRY(entity.path, check_path(request.path));
  CO_TRY(entity.boundary, check_boundary(request.permissions_boundary));
  if (request.tags) CO_TRY_VOID(add_tags(entity.tags, *request.tags, TagCase::Ignored));
  CO_TRY(const std::optional<Entity> existing, directory_.read(Kind::User, entity.name));
  if (existing) {
    co_return base::fail(errors::kEntityAlreadyExistsException,
                         "User with name " + entity.name + " already exists.");
  }
  CO_TRY(const std::size_t users, directory_.count(kUserPrefix));
  if (users >= kUsersMax) {
    co_return base::fail(errors::kLimitExceededException,
                         "Cannot exceed quota for UsersPerAccount: " + std::to_string(kUsersMax));
  }
  entity.id = new_id(random_, "AIDA");
  entity.created = context.now;
  store::Batch batch;
  directory_.replace(batch, Kind::User, nullptr, &entity);
  CO_TRY_VOID(co_await commit(std::move(batch)));
  co_return CreateUserResponse{describe_user(directory_, entity, true)};
}

Task<Result<wire::Empty>> Service::delete_user(const Context&, DeleteUserRequest request) {
  CO_TRY(const Entity entity, directory_.need(Kind::User, request.user_name));
  CO_TRY(const std::vector<AccessKeyRecord> keys, directory_.keys_of(entity.name));
  if (!keys.empty()) co_return conflict("delete access keys");
  if (entity.login) co_return conflict("delete login profile");
  if (!entity.groups.empty()) co_return conflict("remove users from group");
  if (!entity.attached.empty()) co_return conflict("detach all policies");
  if (!entity.policies.empty()) co_return conflict("delete policies");
  store::Batch batch;
  directory_.replace(batch, Kind::User, &entity, nullptr);
  co_return co_await commit(std::move(batch));
}

Task<Result<GetUserResponse>> Service::get_user(const Context& context, GetUserRequest request) {
  if (!request.user_name && context.principal.kind == wire::PrincipalKind::Root) {
    User root;
    root.path = "/";
    root.user_name = config_.account;
    root.user_id = config_.account;
    root.arn = context.principal.arn;
    co_return GetUserResponse{std::move(root)};
  }
  CO_TRY(const std::string name, subject(context, request.user_name));
  CO_TRY(const Entity entity, directory_.need(Kind::User, name));
  co_return GetUserResponse{describe_user(directory_, entity, true)};
}

Task<Result<ListUsersResponse>> Service::list_users(const Context&, ListUsersRequest request) {
  CO_TRY(const Page<Entity> page,
         directory_.page(Kind::User, {request.path_prefix, request.marker, request.max_items}));
  ListUsersResponse response;
  for (const Entity& entity : page.items)
    response.users.push_back(describe_user(directory_, entity, false));
  finish(response, page);
  co_return response;
}

// A new name takes everything that knows the user by the old one along.
Task<Result<wire::Empty>> Service::update_user(const Context&, UpdateUserRequest request) {
  CO_TRY(const Entity before, directory_.need(Kind::User, request.user_name));
  Entity after = before;
  if (request.new_path) {
    CO_TRY(after.path, check_path(request.new_path));
  }
  store::Batch batch;
  if (request.new_user_name && *request.new_user_name != before.name) {
    CO_TRY_VOID(check_name(*request.new_user_name, "newUserName"));
    after.name = *request.new_user_name;
    CO_TRY(const std::optional<Entity> other, directory_.read(Kind::User, after.name));
    if (other && other->id != before.id) {
      co_return base::fail(errors::kEntityAlreadyExistsException,
                           "User with name " + after.name + " already exists.");
    }
    CO_TRY(const std::vector<AccessKeyRecord> keys, directory_.keys_of(before.name));
    for (const AccessKeyRecord& key : keys) {
      AccessKeyRecord moved = key;
      moved.user = after.name;
      directory_.replace(batch, &key, &moved);
    }
  }
  directory_.replace(batch, Kind::User, &before, &after);
  co_return co_await commit(std::move(batch));
}

}  // namespace terrarium::iam
