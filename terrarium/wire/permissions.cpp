#include "terrarium/wire/permissions.h"

#include <algorithm>

#include "terrarium/wire/authenticate.h"
#include "terrarium/wire/identity_policy.h"

namespace terrarium::wire {
namespace {

Decision weigh(const std::vector<Policy>& policies, const PolicyRequest& request) {
  auto decision = Decision::None;
  for (const Policy& policy : policies) {
    const Decision one = policy.evaluate(request);
    if (one == Decision::Deny) return one;
    if (one == Decision::Allow) decision = one;
  }
  return decision;
}

Decision weigh(const std::optional<std::vector<Policy>>& policies, const PolicyRequest& request) {
  return policies ? weigh(*policies, request) : Decision::Allow;
}

std::string_view noun(PolicyType type) {
  switch (type) {
    case PolicyType::Identity: return "identity-based policy";
    case PolicyType::Boundary: return "permissions boundary";
    case PolicyType::Session: return "session policy";
    case PolicyType::Resource: return "resource-based policy";
  }
  return {};
}

}  // namespace

Judgement judge(const Permissions& permissions, const Policy* resource,
                const PolicyRequest& request) {
  const Decision identity =
      permissions.unlimited ? Decision::Allow : weigh(permissions.identity, request);
  const Decision boundary = weigh(permissions.boundary, request);
  const Decision session = weigh(permissions.session, request);
  const Evaluation given = resource == nullptr ? Evaluation() : weigh(*resource, request);
  const std::pair<Decision, PolicyType> all[] = {{identity, PolicyType::Identity},
                                                 {boundary, PolicyType::Boundary},
                                                 {session, PolicyType::Session},
                                                 {given.decision, PolicyType::Resource}};
  for (const auto& [decision, type] : all) {
    if (decision == Decision::Deny) return {false, true, type};
  }
  if (given.decision == Decision::Allow && !given.by_role) return {.allowed = true};
  if (identity == Decision::None && given.decision == Decision::None) {
    return {false, false, PolicyType::Identity};
  }
  if (boundary == Decision::None) return {false, false, PolicyType::Boundary};
  if (session == Decision::None) return {false, false, PolicyType::Session};
  return {.allowed = true};
}

std::string reason_of(const Judgement& refused, const std::string& action) {
  const std::string policy(noun(refused.by));
  if (refused.explicit_deny) {
    return "with an explicit deny in " +
           std::string(refused.by == PolicyType::Identity ? "an " : "a ") + policy;
  }
  return "because no " + policy + " allows the " + action + " action";
}

base::Result<PermissionsPtr> permissions_of(const Context& context) {
  if (context.authenticator == nullptr) return PermissionsPtr();
  return context.authenticator->permissions_of(context.principal);
}

base::Result<void> authorise(const Permissions& permissions, const PolicyRequest& request,
                             const Policy* resource) {
  const Judgement judgement = judge(permissions, resource, request);
  if (judgement.allowed) return {};
  return base::fail(
      base::ErrorKind::Denied,
      "User: " + request.principal.arn + " is not authorized to perform: " + request.action +
          " on resource: " + request.resource + " " + reason_of(judgement, request.action));
}

}  // namespace terrarium::wire
