// Policies that IAM keeps: of identities, and roles' trust policies. Pure.
//
// IAM takes every document that AWS takes, also what nobody here understands: NotPrincipal,
// Federated principals, condition keys that nobody fills in. A statement that holds such a thing
// never allows, and denies as if it were fulfilled. (Resources' policies with such things are
// refused when they are put: policy.h.)
#pragma once

#include <span>
#include <string_view>

#include "lib/base/result.h"
#include "terrarium/wire/policy.h"

namespace terrarium::wire {

// Speaks of whom it is attached to: its statements name no principal.
base::Result<Policy> parse_identity_policy(std::string_view json);
// Its statements name no resource: the role that it belongs to is meant. `keys`: condition keys in
// lower case that the caller fills in beyond the common ones.
base::Result<Policy> parse_trust_policy(std::string_view json,
                                        std::span<const std::string_view> keys = {});

struct Evaluation {
  Decision decision = Decision::None;
  // An Allow that names a session's role, not the session or everybody: the role's boundary and the
  // session's policies still narrow it.
  bool by_role = false;
};

// Policy::evaluate(), and through whom it allows.
Evaluation weigh(const Policy& policy, const PolicyRequest& request);

}  // namespace terrarium::wire
