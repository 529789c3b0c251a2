// What IAM is asked about the roles of functions. Control executor.
#pragma once

#include <string>

#include "lib/base/result.h"
#include "terrarium/services/iam/roles.h"

namespace terrarium::lambda {

// Lambda can have the role: it is there, and trusts lambda.amazonaws.com.
base::Result<void> check_role_trust(const iam::Roles& roles, const std::string& role_arn);
// What a poller does with a queue is done in the role's name.
base::Result<void> check_polling_role(const iam::Roles& roles, const std::string& region,
                                      const std::string& role_arn, const std::string& queue_arn);
// So is what goes to a dead-letter queue. Without a queue nothing is asked.
base::Result<void> check_dead_letter_role(const iam::Roles& roles, const std::string& region,
                                          const std::string& role_arn,
                                          const std::string& queue_arn);

}  // namespace terrarium::lambda
