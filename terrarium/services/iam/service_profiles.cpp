// Instance profiles.
#include "generated/iam/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

}  // namespace

Task<Result<CreateInstanceProfileResponse>> Service::create_instance_profile(
    const Context& context, CreateInstanceProfileRequest request) {
  CO_TRY_VOID(check_name(request.instance_profile_name, "instanceProfileName"));
  ProfileRecord record;
  record.name = request.instance_profile_name;
  CO_TRY(record.path, check_path(request.path));
  if (request.tags) CO_TRY_VOID(add_tags(record.tags, *request.tags, TagCase::Ignored));
  CO_TRY(const std::optional<ProfileRecord> existing, directory_.read_profile(record.name));
  if (existing) {
    co_return base::fail(errors::kEntityAlreadyExistsException,
                         "Instance Profile " + record.name + " already exists.");
  }
  CO_TRY(const std::size_t profiles, directory_.count(kProfilePrefix));
  if (profiles >= kProfilesMax) {
    co_return base::fail(
        errors::kLimitExceededException,
        "Cannot exceed quota for InstanceProfilesPerAccount: " + std::to_string(kProfilesMax));
  }
  record.id = new_id(random_, "AIPA");
  record.created = context.now;
  store::Batch batch;
  directory_.replace(batch, nullptr, &record);
  CO_TRY_VOID(co_await commit(std::move(batch)));
  CO_TRY(InstanceProfile profile, describe_profile(directory_, record));
  if (!record.tags.empty()) profile.tags = to_answer(record.tags);
  co_return CreateInstanceProfileResponse{std::move(profile)};
}

Task<Result<wire::Empty>> Service::delete_instance_profile(const Context&,
                                                           DeleteInstanceProfileRequest request) {
  CO_TRY(const ProfileRecord record, directory_.need_profile(request.instance_profile_name));
  if (!record.role.empty()) {
    co_return base::fail(errors::kDeleteConflictException,
                         "Cannot delete entity, must remove roles from instance profile first.");
  }
  store::Batch batch;
  directory_.replace(batch, &record, nullptr);
  co_return co_await commit(std::move(batch));
}

Task<Result<GetInstanceProfileResponse>> Service::get_instance_profile(
    const Context&, GetInstanceProfileRequest request) {
  CO_TRY(const ProfileRecord record, directory_.need_profile(request.instance_profile_name));
  CO_TRY(InstanceProfile profile, describe_profile(directory_, record));
  profile.tags = to_answer(record.tags);
  co_return GetInstanceProfileResponse{std::move(profile)};
}

Task<Result<ListInstanceProfilesResponse>> Service::list_instance_profiles(
    const Context&, ListInstanceProfilesRequest request) {
  CO_TRY(const Page<ProfileRecord> page,
         directory_.profile_page({request.path_prefix, request.marker, request.max_items}));
  ListInstanceProfilesResponse response;
  for (const ProfileRecord& record : page.items) {
    CO_TRY(InstanceProfile profile, describe_profile(directory_, record));
    response.instance_profiles.push_back(std::move(profile));
  }
  finish(response, page);
  co_return response;
}

Task<Result<ListInstanceProfilesForRoleResponse>> Service::list_instance_profiles_for_role(
    const Context&, ListInstanceProfilesForRoleRequest request) {
  CO_TRY(const Entity role, directory_.need(Kind::Role, request.role_name));
  CO_TRY(std::vector<InstanceProfile> profiles, profiles_with(directory_, role.name));
  CO_TRY(Page<InstanceProfile> page,
         page_of(std::move(profiles), request.marker, request.max_items));
  ListInstanceProfilesForRoleResponse response;
  finish(response, page);
  response.instance_profiles = std::move(page.items);
  co_return response;
}

Task<Result<wire::Empty>> Service::add_role_to_instance_profile(
    const Context&, AddRoleToInstanceProfileRequest request) {
  CO_TRY(const ProfileRecord before, directory_.need_profile(request.instance_profile_name));
  CO_TRY(const Entity role, directory_.need(Kind::Role, request.role_name));
  if (!before.role.empty()) {
    co_return base::fail(errors::kLimitExceededException,
                         "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
  }
  ProfileRecord after = before;
  after.role = role.name;
  store::Batch batch;
  directory_.replace(batch, &before, &after);
  co_return co_await commit(std::move(batch));
}

Task<Result<wire::Empty>> Service::remove_role_from_instance_profile(
    const Context&, RemoveRoleFromInstanceProfileRequest request) {
  CO_TRY(const ProfileRecord before, directory_.need_profile(request.instance_profile_name));
  CO_TRY(const Entity role, directory_.need(Kind::Role, request.role_name));
  if (!base::equals_ignoring_case(before.role, role.name)) {
    co_return base::fail(
        errors::kNoSuchEntityException,
        "Role " + role.name + " in Instance Profile " + before.name + " cannot be found.");
  }
  ProfileRecord after = before;
  after.role.clear();
  store::Batch batch;
  directory_.replace(batch, &before, &after);
  co_return co_await commit(std::move(batch));
}

}  // namespace terrarium::iam
