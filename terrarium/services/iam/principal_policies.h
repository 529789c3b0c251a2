// Every policy that speaks about what a principal may do: what whoever enforces identity policies
// needs to know of the records. Any thread may call.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/wire/service.h"

namespace terrarium::iam {

struct PolicyText {
  std::string name;      // of an inline policy, or the ARN of a managed one
  std::string document;  // as it was put
};

struct PrincipalPolicies {
  // The account's root is not narrowed by any policy.
  bool is_root = false;
  // Inline and managed, the user's own and of its groups, or the role's.
  std::vector<PolicyText> identity;
  std::optional<PolicyText> boundary;
  // What the session was made with: together they narrow `identity`. Empty: nothing does.
  std::vector<PolicyText> session;
};

class PolicySource {
 public:
  virtual ~PolicySource() = default;
  // A role that has no record, and a principal that was deleted, have no policies.
  virtual base::Result<PrincipalPolicies> policies_of(const wire::Principal& principal) const = 0;
};

}  // namespace terrarium::iam
