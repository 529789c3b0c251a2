// What IAM accepts as a policy, with AWS's own refusals. Pure. The order of the checks is AWS's:
// of two faults it tells the one that AWS tells.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace terrarium::iam {

// A policy of a user, group or role. MalformedPolicyDocument otherwise.
base::Result<void> check_identity_policy(std::string_view document);
// Who may assume a role.
base::Result<void> check_trust_policy(std::string_view document);
// AWS's quotas do not count white space.
std::size_t policy_bytes(std::string_view document);

}  // namespace terrarium::iam
