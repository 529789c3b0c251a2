// What a caller's own policies let it do, weighed together with the policy of a resource as AWS
// does within one account. Pure but for the source of permissions; immutable once made, any thread.
//
// An explicit Deny anywhere wins. Then somebody must allow: the caller's policies or the
// resource's; and the permissions boundary and the session's policies must allow too, unless the
// resource's policy names the caller itself. Root is never narrowed. Source: AWS IAM User Guide,
// "Policy evaluation logic".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/wire/policy.h"
#include "terrarium/wire/service.h"

namespace terrarium::wire {

struct Permissions {
  // Root's federated sessions: narrowed by their session policies only.
  bool unlimited = false;
  std::vector<Policy> identity;
  // There is one that allows nothing, when the list is empty.
  std::optional<std::vector<Policy>> boundary;
  std::optional<std::vector<Policy>> session;
};

enum class PolicyType : std::uint8_t { Identity, Boundary, Session, Resource };

struct Judgement {
  bool allowed = false;
  bool explicit_deny = false;
  PolicyType by = PolicyType::Identity;  // whose word it was, when not allowed
};

// `resource`: its policy, or null.
Judgement judge(const Permissions& permissions, const Policy* resource,
                const PolicyRequest& request);

// "because no identity-based policy allows the sqs:SendMessage action"
std::string reason_of(const Judgement& refused, const std::string& action);

// Null: nothing narrows the caller: root, a service of the region, nobody (anonymous callers have
// no policies that could allow).
using PermissionsPtr = std::shared_ptr<const Permissions>;
base::Result<PermissionsPtr> permissions_of(const Context& context);

// AccessDenied in the service's protocol, with AWS's sentence.
base::Result<void> authorise(const Permissions& permissions, const PolicyRequest& request,
                             const Policy* resource);

class Authoriser {
 public:
  virtual ~Authoriser() = default;
  // Of a caller that has been authenticated; never null for users and sessions. Any thread.
  virtual base::Result<PermissionsPtr> permissions_of(const Principal& principal) const = 0;
};

}  // namespace terrarium::wire
