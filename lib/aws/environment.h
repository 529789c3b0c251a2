// The environment variables that AWS's programs obey. Read when asked, changed by nobody.
#pragma once

#include <optional>
#include <string>

namespace aws {

// Nothing when unset or empty, which AWS's programs take for the same.
std::optional<std::string> environment(const char* name);
// "true", in any case.
bool environment_flag(const char* name);

}  // namespace aws
