// The ARNs of what requests name, as policies know them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "terrarium/wire/service.h"

namespace terrarium::lambda {

// `kind`: "function" or "layer"; `name`: as requests name them.
std::string resource_arn(const wire::Context& context, std::string_view kind,
                         std::string_view name);

}  // namespace terrarium::lambda
