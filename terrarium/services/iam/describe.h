// IAM's records as its answers show them. Pure but for the records that an answer holds besides.
#pragma once

#include <string>
#include <vector>

#include "generated/iam/model.h"
#include "lib/base/result.h"
#include "terrarium/services/iam/directory.h"
#include "terrarium/services/iam/records.h"

namespace terrarium::iam {

User describe_user(const Directory& directory, const Entity& entity, bool with_tags);
Group describe_group(const Directory& directory, const Entity& entity);
// As part of other answers: without what only some of a role's own answers tell.
Role describe_role(const Directory& directory, const Entity& entity);
Role describe_role_fully(const Directory& directory, const Entity& entity);
// Without tags and description, which only some answers tell; counts who has it.
base::Result<Policy> describe_policy(const Directory& directory, const PolicyRecord& record,
                                     const std::string& arn);
base::Result<InstanceProfile> describe_profile(const Directory& directory,
                                               const ProfileRecord& record);
base::Result<std::vector<InstanceProfile>> profiles_with(const Directory& directory,
                                                         const std::string& role);
std::string version_id(std::int32_t number);  // "v12"

}  // namespace terrarium::iam
