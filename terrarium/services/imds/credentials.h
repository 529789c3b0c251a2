// The credentials of instances' roles, as the metadata service shows them: made on demand, kept,
// and made anew well before they expire. On the control executor.
#pragma once

#include <map>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"
#include "terrarium/services/iam/api.h"
#include "terrarium/services/iam/roles.h"

namespace terrarium::imds {

class RoleCredentials {
 public:
  // All outlive it.
  RoleCredentials(iam::Api& iam, const iam::Roles& roles, base::Clock& clock)
      : iam_(iam), roles_(roles), clock_(clock) {}

  // The document of iam/security-credentials/ROLE. One that says why there are none, as AWS's does,
  // when the role is gone or does not trust ec2.amazonaws.com.
  runtime::Task<base::Result<std::string>> document(std::string instance_id, std::string role_arn);

 private:
  struct Kept {
    std::string role_arn;
    iam::TemporaryCredentials credentials;
    base::Timestamp made;
  };
  void forget_expired();

  iam::Api& iam_;
  const iam::Roles& roles_;
  base::Clock& clock_;
  std::map<std::string, Kept> kept_;  // by instance
};

}  // namespace terrarium::imds
