#include "terrarium/services/logs/resources.h"

#include "terrarium/services/logs/rules.h"

namespace terrarium::logs {

std::string resource_arn(const wire::Context& context, std::string_view /*kind*/,
                         std::string_view name) {
  const auto named = name.starts_with("arn:") ? group_of_arn(name) : std::string(name);
  return group_arn(context.region, context.account, named.value_or(std::string())) + ":log-stream:";
}

}  // namespace terrarium::logs
