// Who may assume a role: a role's trust policy against a caller. Pure.
//
// A statement that the region's evaluator does not understand (Federated principals, NotPrincipal,
// condition keys that nobody fills in) never allows; one that denies then denies everybody.
// One that names the caller is enough; one for the account allows whose own policies allow too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "terrarium/wire/service.h"

namespace terrarium::sts {

struct TrustQuestion {
  std::string role_arn;
  std::string session_name;
  std::optional<std::string> external_id;
  std::vector<std::pair<std::string, std::string>> tags;
  std::vector<std::string> transitive_tags;
  std::optional<std::string> source_identity;
};

bool trusts(std::string_view trust_policy, const wire::Context& context,
            const TrustQuestion& question);

}  // namespace terrarium::sts
