// Groups and who is in them.
#include <algorithm>

#include "generated/iam/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

std::unexpected<base::Error> exists(const std::string& name) {
  return base::fail(errors::kEntityAlreadyExistsException,
                    "Group with name " + name + " already exists.");
}

}  // namespace

Task<Result<CreateGroupResponse>> Service::create_group(const Context& context,
                                                        CreateGroupRequest request) {
  CO_TRY_VOID(check_name(request.group_name, "groupName"));
  Entity entity;
  entity.name = request.group_name;
  CO_TRY(entity.path, check_path(request.path));
  CO_TRY(const std::optional<Entity> existing, directory_.read(Kind::Group, entity.name));
  if (existing) co_return exists(entity.name);
  CO_TRY(const std::size_t groups, directory_.count(kGroupPrefix));
  if (groups >= kGroupsMax) {
    co_return base::fail(errors::kLimitExceededException,
                         "Cannot exceed quota for GroupsPerAccount: " + std::to_string(kGroupsMax));
  }
  entity.id = new_id(random_, "AGPA");
  entity.created = context.now;
  store::Batch batch;
  directory_.replace(batch, Kind::Group, nullptr, &entity);
  CO_TRY_VOID(co_await commit(std::move(batch)));
  co_return CreateGroupResponse{describe_group(directory_, entity)};
}

Task<Result<wire::Empty>> Service::delete_group(const Context&, DeleteGroupRequest request) {
  CO_TRY(const Entity entity, directory_.need(Kind::Group, request.group_name));
  CO_TRY(const std::vector<std::string> members, directory_.members(entity.name));
  std::string_view first;
  if (!entity.policies.empty()) first = "delete policies";
  if (!entity.attached.empty()) first = "detach all policies";
  if (!members.empty()) first = "remove users from group";
  if (!first.empty()) {
    co_return base::fail(errors::kDeleteConflictException,
                         "Cannot delete entity, must " + std::string(first) + " first.");
  }
  store::Batch batch;
  directory_.replace(batch, Kind::Group, &entity, nullptr);
  co_return co_await commit(std::move(batch));
}

Task<Result<GetGroupResponse>> Service::get_group(const Context&, GetGroupRequest request) {
  CO_TRY(const Entity entity, directory_.need(Kind::Group, request.group_name));
  CO_TRY(std::vector<std::string> members, directory_.members(entity.name));
  CO_TRY(const Page<std::string> page,
         page_of(std::move(members), request.marker, request.max_items));
  GetGroupResponse response;
  response.group = describe_group(directory_, entity);
  for (const std::string& name : page.items) {
    CO_TRY(const std::optional<Entity> user, directory_.read(Kind::User, name));
    if (user) response.users.push_back(describe_user(directory_, *user, false));
  }
  finish(response, page);
  co_return response;
}

Task<Result<ListGroupsResponse>> Service::list_groups(const Context&, ListGroupsRequest request) {
  CO_TRY(const Page<Entity> page,
         directory_.page(Kind::Group, {request.path_prefix, request.marker, request.max_items}));
  ListGroupsResponse response;
  for (const Entity& entity : page.items)
    response.groups.push_back(describe_group(directory_, entity));
  finish(response, page);
  co_return response;
}

Task<Result<ListGroupsForUserResponse>> Service::list_groups_for_user(
    const Context&, ListGroupsForUserRequest request) {
  CO_TRY(Entity user, directory_.need(Kind::User, request.user_name));
  CO_TRY(const Page<std::string> page,
         page_of(std::move(user.groups), request.marker, request.max_items));
  ListGroupsForUserResponse response;
  for (const std::string& name : page.items) {
    CO_TRY(const std::optional<Entity> group, directory_.read(Kind::Group, name));
    if (group) response.groups.push_back(describe_group(directory_, *group));
  }
  finish(response, page);
  co_return response;
}

Task<Result<wire::Empty>> Service::add_user_to_group(const Context&,
                                                     AddUserToGroupRequest request) {
  CO_TRY(const Entity group, directory_.need(Kind::Group, request.group_name));
  CO_TRY(const Entity before, directory_.need(Kind::User, request.user_name));
  if (std::ranges::find(before.groups, group.name) != before.groups.end()) co_return Empty{};
  if (before.groups.size() >= kGroupsPerUserMax) {
    co_return base::fail(
        errors::kLimitExceededException,
        "Cannot exceed quota for GroupsPerUser: " + std::to_string(kGroupsPerUserMax));
  }
  Entity after = before;
  after.groups.push_back(group.name);
  co_return co_await save(Kind::User, before, after);
}

Task<Result<wire::Empty>> Service::remove_user_from_group(const Context&,
                                                          RemoveUserFromGroupRequest request) {
  // As AWS, which looks for the user first here and for the group first above.
  CO_TRY(const Entity before, directory_.need(Kind::User, request.user_name));
  CO_TRY(const Entity group, directory_.need(Kind::Group, request.group_name));
  Entity after = before;
  if (std::erase(after.groups, group.name) == 0) co_return Empty{};
  co_return co_await save(Kind::User, before, after);
}

// A new name is told to every member.
Task<Result<wire::Empty>> Service::update_group(const Context&, UpdateGroupRequest request) {
  CO_TRY(const Entity before, directory_.need(Kind::Group, request.group_name));
  Entity after = before;
  if (request.new_path) {
    CO_TRY(after.path, check_path(request.new_path));
  }
  store::Batch batch;
  if (request.new_group_name && *request.new_group_name != before.name) {
    CO_TRY_VOID(check_name(*request.new_group_name, "newGroupName"));
    after.name = *request.new_group_name;
    CO_TRY(const std::optional<Entity> other, directory_.read(Kind::Group, after.name));
    if (other && other->id != before.id) co_return exists(after.name);
    CO_TRY(const std::vector<std::string> members, directory_.members(before.name));
    for (const std::string& name : members) {
      CO_TRY(const std::optional<Entity> user, directory_.read(Kind::User, name));
      if (!user) continue;
      Entity renamed = *user;
      std::ranges::replace(renamed.groups, before.name, after.name);
      directory_.replace(batch, Kind::User, &*user, &renamed);
    }
  }
  directory_.replace(batch, Kind::Group, &before, &after);
  co_return co_await commit(std::move(batch));
}

}  // namespace terrarium::iam
