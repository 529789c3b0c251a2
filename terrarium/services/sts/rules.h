// The rules of STS that need no records: durations, names, tags, session policies. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generated/sts/model.h"
#include "lib/base/result.h"
#include "terrarium/services/iam/api.h"

namespace terrarium::sts {

// [\w+=,.@-]*
base::Result<void> check_session_name(std::string_view name, std::string_view member);
// An ARN, whosever: six parts, none missing that must be there.
base::Result<void> check_role_arn(const std::string& arn);

struct SessionRequest {
  const std::optional<std::string>& policy;
  const std::optional<std::vector<PolicyDescriptorType>>& policy_arns;
  const std::optional<std::vector<Tag>>& tags;
  const std::optional<std::vector<std::string>>& transitive_tags;
  const std::optional<std::string>& source_identity;
};
// What a new session is narrowed and marked with: what is asked for, and what the caller's own
// session hands on.
base::Result<iam::SessionLimits> limits_of(const SessionRequest& request,
                                           const iam::SessionLimits& caller);
// Why an OpenID Connect token is refused: no provider is registered here, so none is trusted.
std::string web_token_refusal(std::string_view token);
// Percent of what a session may carry.
std::int32_t packed_size(const iam::SessionLimits& limits);

}  // namespace terrarium::sts
