// What EC2 asks of IAM about instance profiles: the interface is EC2's, the region wires it. On the
// control executor.
#pragma once

#include <optional>
#include <string>

#include "lib/base/result.h"

namespace terrarium::ec2 {

struct InstanceProfileFacts {
  std::string arn;
  std::string id;        // AIPA...
  std::string role_arn;  // empty: the profile has no role
};

class InstanceProfiles {
 public:
  virtual ~InstanceProfiles() = default;
  // Nothing when the account has no profile of that name.
  virtual base::Result<std::optional<InstanceProfileFacts>> find(const std::string& name) const = 0;
};

}  // namespace terrarium::ec2
