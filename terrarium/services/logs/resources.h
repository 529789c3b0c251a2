// The ARNs of what requests name, as policies know them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "terrarium/wire/service.h"

namespace terrarium::logs {

// Of a log group by its name or ARN.
std::string resource_arn(const wire::Context& context, std::string_view kind,
                         std::string_view name);

}  // namespace terrarium::logs
