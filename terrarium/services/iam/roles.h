// What services of the region ask about roles before they use one in somebody's name. Control
// executor.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace terrarium::iam {

class Roles {
 public:
  virtual ~Roles() = default;
  // Whether there is such a role whose trust policy lets a service ("ec2.amazonaws.com") have it.
  virtual base::Result<bool> trusts(const std::string& role_arn,
                                    std::string_view service) const = 0;
  // Whether the role's own policies allow an action on a resource.
  virtual base::Result<bool> role_may(const std::string& role_arn, std::string_view region,
                                      const std::string& action,
                                      const std::string& resource) const = 0;
};

}  // namespace terrarium::iam
