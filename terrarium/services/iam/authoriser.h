// What callers and roles may do, by IAM's records: documents are parsed once, and what a caller may
// is kept until a record changes. Any thread may call.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "terrarium/services/iam/api.h"
#include "terrarium/services/iam/directory.h"
#include "terrarium/services/iam/observed_store.h"
#include "terrarium/services/iam/principal_policies.h"
#include "terrarium/services/iam/roles.h"
#include "terrarium/wire/permissions.h"

namespace terrarium::iam {

class Authoriser final : public wire::Authoriser, public Roles {
 public:
  // All outlive it.
  struct Parts {
    const ObservedStore& store;
    const PolicySource& policies;
    const Sessions& sessions;
    base::Clock& clock;
  };
  Authoriser(Parts parts, std::string account)
      : parts_(parts), directory_(parts.store, std::move(account)) {}

  base::Result<wire::PermissionsPtr> permissions_of(
      const wire::Principal& principal) const override;
  base::Result<bool> trusts(const std::string& role_arn, std::string_view service) const override;
  base::Result<bool> role_may(const std::string& role_arn, std::string_view region,
                              const std::string& action,
                              const std::string& resource) const override;
  // The ARN of what a request names: "user", "group", "role" or "instance-profile".
  std::string resource_arn(const wire::Context& context, std::string_view kind,
                           std::string_view name) const;

 private:
  base::Result<wire::Policy> parse(const PolicyText& text) const;
  base::Result<wire::PermissionsPtr> read(const wire::Principal& principal) const;

  Parts parts_;
  Directory directory_;
  mutable std::mutex mutex_;
  mutable std::uint64_t changes_ = 0;  // of the store, when the first of kept_ was read
  // By access key: a key has one owner, and a session's limits never change.
  mutable std::map<std::string, wire::PermissionsPtr, std::less<>> kept_;
  mutable std::map<std::string, wire::Policy, std::less<>> parsed_;  // by document
};

}  // namespace terrarium::iam
