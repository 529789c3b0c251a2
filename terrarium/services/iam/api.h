// What the rest of the region asks of IAM: temporary credentials for a role that a function or an
// instance has.
#pragma once

#include <chrono>
#include <string>

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
  // Credentials good for `lifetime`, kept until then (also across restarts). A role that has no
  // record gets them too, under an id made from its name: Terrarium checks that an ARN is a role's,
  // not that somebody created the role. On the control executor.
  virtual runtime::Task<base::Result<TemporaryCredentials>> assume(
      std::string role_arn, std::string session_name, std::chrono::seconds lifetime) = 0;
  virtual base::Result<bool> role_exists(const std::string& role_arn) const = 0;
};

}  // namespace terrarium::iam
