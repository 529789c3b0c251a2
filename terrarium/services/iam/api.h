// What the rest of the region asks of IAM: temporary credentials. Lambda takes them for a
// function's role (Api); STS makes them for its callers (Sessions). On the control executor.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"

namespace terrarium::iam {

struct TemporaryCredentials {
  std::string access_key_id;  // ASIA...
  std::string secret_access_key;
  std::string session_token;
  base::Timestamp expiration;
  std::string assumed_role_arn;  // arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION
  std::string assumed_role_id;   // AROA...:SESSION
};

class Api {
 public:
  virtual ~Api() = default;
  // Credentials good for `lifetime`, kept until then (also across restarts). NoSuchEntity when
  // there is no such role. Whom the role trusts is asked before (roles.h, or STS): a service that
  // takes credentials here has checked that it may. On the control executor.
  virtual runtime::Task<base::Result<TemporaryCredentials>> assume(
      std::string role_arn, std::string session_name, std::chrono::seconds lifetime) = 0;
};

// What narrows or marks a session. Kept with it, and asked on every request that it makes.
struct SessionLimits {
  std::string policy;
  std::vector<std::string> policy_arns;
  std::vector<std::pair<std::string, std::string>> tags;
  std::vector<std::string> transitive_tags;
  std::string source_identity;
};

struct RoleFacts {
  std::string arn;
  std::string trust;  // its policy
  std::chrono::seconds max_session;
};

class Sessions {
 public:
  virtual ~Sessions() = default;
  // Nothing when the account has no such role. ValidationError when the ARN is none.
  virtual base::Result<std::optional<RoleFacts>> role(const std::string& role_arn) const = 0;
  // What the caller's own session was made with; empty for long-term keys.
  virtual base::Result<SessionLimits> limits_of(const std::string& access_key_id) const = 0;
  // Nobody's key: nothing.
  virtual base::Result<std::optional<std::string>> account_of_key(
      const std::string& access_key_id) const = 0;
  virtual base::Result<bool> policy_exists(const std::string& policy_arn) const = 0;

  virtual runtime::Task<base::Result<TemporaryCredentials>> assume_role(
      std::string role_arn, std::string session_name, std::chrono::seconds lifetime,
      SessionLimits limits) = 0;
  // For a long-term key of a user or of root, under its owner's own name.
  virtual runtime::Task<base::Result<TemporaryCredentials>> session_of(
      std::string access_key_id, std::chrono::seconds lifetime) = 0;
  // For arn:aws:sts::ACCOUNT:federated-user/NAME.
  virtual runtime::Task<base::Result<TemporaryCredentials>> federate(std::string access_key_id,
                                                                     std::string name,
                                                                     std::chrono::seconds lifetime,
                                                                     SessionLimits limits) = 0;
};

}  // namespace terrarium::iam
