#include "terrarium/services/lambda/resources.h"

#include "terrarium/services/lambda/names.h"

namespace terrarium::lambda {

std::string resource_arn(const wire::Context& context, std::string_view kind,
                         std::string_view name) {
  const Place place{context.region, context.account};
  if (kind == "layer") {
    if (name.starts_with("arn:")) return std::string(name);
    return "arn:aws:lambda:" + place.region + ":" + place.account + ":layer:" + std::string(name);
  }
  const auto parsed = parse_function_name(name, place);
  // What is no name at all is refused as such later, to those who may do anything with functions.
  if (!parsed) return function_arn(place, name);
  return qualified_arn(place, parsed->name, parsed->qualifier);
}

}  // namespace terrarium::lambda
