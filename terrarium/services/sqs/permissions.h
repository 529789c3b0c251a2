// AddPermission and RemovePermission: statements of a queue's policy, by label. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace terrarium::sqs {

// The policy with one statement more that allows `accounts` the actions ("SendMessage", "*").
// `policy` may be empty.
base::Result<std::string> with_permission(std::string_view policy, std::string_view queue_arn,
                                          std::string_view label,
                                          const std::vector<std::string>& accounts,
                                          const std::vector<std::string>& actions);
// The policy without the statement `label`; empty when it was the last.
base::Result<std::string> without_permission(std::string_view policy, std::string_view label);

}  // namespace terrarium::sqs
