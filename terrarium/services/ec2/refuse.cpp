#include "terrarium/services/ec2/refuse.h"

#include "generated/ec2/errors.h"

namespace terrarium::ec2 {

base::Result<void> refuse(std::initializer_list<Given> parameters) {
  for (const Given& parameter : parameters) {
    if (parameter.given) {
      return base::fail(errors::kUnsupportedOperation,
                        "The parameter " + std::string(parameter.name) + " is not supported here.");
    }
  }
  return {};
}

base::Error invalid_value(std::string_view value, std::string_view parameter,
                          std::string_view why) {
  return base::fail(errors::kInvalidParameterValue,
                    "Value (" + std::string(value) + ") for parameter " + std::string(parameter) +
                        " is invalid. " + std::string(why))
      .error();
}

base::Error missing(std::string_view parameter) {
  return base::fail(errors::kMissingParameter,
                    "The request must contain the parameter " + std::string(parameter))
      .error();
}

base::Error has_dependencies(std::string_view noun, std::string_view id) {
  return base::fail(errors::kDependencyViolation, "The " + std::string(noun) + " '" +
                                                      std::string(id) +
                                                      "' has dependencies and cannot be deleted.")
      .error();
}

}  // namespace terrarium::ec2
