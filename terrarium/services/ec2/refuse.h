// How requests are refused for what they ask: one wording for each kind of wrong parameter.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace terrarium::ec2 {

// A parameter that AWS has and this region does not.
struct Given {
  std::string_view name;  // as AWS spells it
  bool given = false;
};
// UnsupportedOperation, naming the first that was given.
base::Result<void> refuse(std::initializer_list<Given> parameters);

// InvalidParameterValue "Value (x) for parameter y is invalid. <why>"
base::Error invalid_value(std::string_view value, std::string_view parameter, std::string_view why);
// MissingParameter "The request must contain the parameter x"
base::Error missing(std::string_view parameter);
// DependencyViolation "The vpc 'vpc-1' has dependencies and cannot be deleted."
base::Error has_dependencies(std::string_view noun, std::string_view id);

}  // namespace terrarium::ec2
