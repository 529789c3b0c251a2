// A function, version or alias as AWS shows it. Pure.
#pragma once

#include <string>

#include "generated/lambda/model.h"
#include "terrarium/services/lambda/function_record.h"
#include "terrarium/services/lambda/names.h"

namespace terrarium::lambda {

// What a function is on its way to, in the answer to the call that sent it there. Lists show less.
enum class View : std::uint8_t { Settled, Creating, Updating, Listed };

// `arn` as the function was named.
FunctionConfiguration describe(const FunctionRecord& record, const Place& place, std::string arn,
                               View view);
AliasConfiguration describe(const AliasRecord& record, const Place& place);

}  // namespace terrarium::lambda
