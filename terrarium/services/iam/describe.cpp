#include "terrarium/services/iam/describe.h"

#include "lib/base/encoding.h"
#include "terrarium/services/iam/rules.h"

namespace terrarium::iam {

using base::Result;

std::string version_id(std::int32_t number) { return "v" + std::to_string(number); }

User describe_user(const Directory& directory, const Entity& entity, bool with_tags) {
  User user;
  user.path = entity.path;
  user.user_name = entity.name;
  user.user_id = entity.id;
  user.arn = directory.arn(Kind::User, entity);
  user.create_date = entity.created;
  if (with_tags && !entity.tags.empty()) user.tags = to_answer(entity.tags);
  if (with_tags && !entity.boundary.empty()) {
    user.permissions_boundary = AttachedPermissionsBoundary{"Policy", entity.boundary};
  }
  return user;
}

Group describe_group(const Directory& directory, const Entity& entity) {
  Group group;
  group.path = entity.path;
  group.group_name = entity.name;
  group.group_id = entity.id;
  group.arn = directory.arn(Kind::Group, entity);
  group.create_date = entity.created;
  return group;
}

Role describe_role(const Directory& directory, const Entity& entity) {
  Role role;
  role.path = entity.path;
  role.role_name = entity.name;
  role.role_id = entity.id;
  role.arn = directory.arn(Kind::Role, entity);
  role.create_date = entity.created;
  // AWS answers policy documents percent-encoded (RFC 3986); clients decode them.
  role.assume_role_policy_document = base::percent_encode(entity.trust);
  return role;
}

Role describe_role_fully(const Directory& directory, const Entity& entity) {
  Role role = describe_role(directory, entity);
  role.description = entity.description;
  role.max_session_duration = entity.max_session_seconds;
  return role;
}

Result<InstanceProfile> describe_profile(const Directory& directory, const ProfileRecord& record) {
  InstanceProfile profile;
  profile.path = record.path;
  profile.instance_profile_name = record.name;
  profile.instance_profile_id = record.id;
  profile.arn = directory.arn(record);
  profile.create_date = record.created;
  if (record.role.empty()) return profile;
  TRY(const std::optional<Entity> role, directory.read(Kind::Role, record.role));
  if (role) profile.roles.push_back(describe_role(directory, *role));
  return profile;
}

Result<std::vector<InstanceProfile>> profiles_with(const Directory& directory,
                                                   const std::string& role) {
  TRY(const std::vector<std::string> names, directory.profiles_of(role));
  std::vector<InstanceProfile> profiles;
  for (const std::string& name : names) {
    TRY(const std::optional<ProfileRecord> record, directory.read_profile(name));
    if (!record) continue;
    TRY(InstanceProfile profile, describe_profile(directory, *record));
    profiles.push_back(std::move(profile));
  }
  return profiles;
}

Result<Policy> describe_policy(const Directory& directory, const PolicyRecord& record,
                               const std::string& arn) {
  TRY(const std::vector<Holder> attached, directory.holders(arn, false));
  TRY(const std::vector<Holder> bounded, directory.holders(arn, true));
  Policy policy;
  policy.policy_name = record.name;
  policy.policy_id = record.id;
  policy.arn = arn;
  policy.path = record.path;
  policy.default_version_id = version_id(record.default_version);
  policy.attachment_count = static_cast<std::int32_t>(attached.size());
  policy.permissions_boundary_usage_count = static_cast<std::int32_t>(bounded.size());
  policy.is_attachable = true;
  policy.create_date = record.created;
  policy.update_date = record.updated;
  return policy;
}

}  // namespace terrarium::iam
