// IAM's rules that need no records: names, paths, tags, policy documents.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generated/iam/model.h"
#include "lib/base/result.h"

namespace terrarium::iam {

// Letters, digits and _+=,.@- as AWS has it; ValidationError naming `member` otherwise.
base::Result<void> check_name(std::string_view name, std::string_view member,
                              std::size_t length_max);
// Begins and ends with '/'.
base::Result<std::string> check_path(const std::optional<std::string>& path);
base::Result<std::vector<std::pair<std::string, std::string>>> check_tags(
    const std::optional<std::vector<Tag>>& tags);
// A policy that the region's evaluator understands; MalformedPolicyDocument otherwise. A trust
// policy names principals, an identity policy must not.
base::Result<void> check_identity_policy(std::string_view document);
base::Result<void> check_trust_policy(std::string_view document);
// A permissions boundary would have to be enforced: refused while identity policies are not.
base::Result<void> refuse_boundary(const std::optional<std::string>& boundary);

struct RoleName {
  std::string account;
  std::string path;
  std::string name;
};
// "arn:aws:iam::123456789012:role/path/name"
base::Result<RoleName> parse_role_arn(std::string_view arn);

}  // namespace terrarium::iam
