// JSON from outside into structures, by their descriptors. Types are strict, as AWS's are; members
// that the model does not know are ignored, as AWS does. Pure.
#pragma once

#include <string_view>

#include "lib/base/result.h"
#include "terrarium/wire/json_print.h"
#include "terrarium/wire/model.h"
#include "terrarium/wire/validate.h"

namespace terrarium::wire {

// An empty text counts as {}.
base::Result<void> parse_json(std::string_view text, const Shape& structure, JsonNames names,
                              void* into, const Path& path, DecodeReport& report);

}  // namespace terrarium::wire
