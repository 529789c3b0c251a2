#include "lib/aws/environment.h"

#include <cstdlib>

#include "lib/base/encoding.h"

namespace aws {

std::optional<std::string> environment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

bool environment_flag(const char* name) {
  return base::equals_ignoring_case(environment(name).value_or(""), "true");
}

}  // namespace aws
