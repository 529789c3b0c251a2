// The query protocol: a form with Action and dotted parameter names in, XML out. Pure.
// Source: AWS "Query protocol" of the Smithy documentation.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "terrarium/wire/model.h"
#include "terrarium/wire/parameters.h"
#include "terrarium/wire/validate.h"

namespace terrarium::wire {

// Parameters that the operation does not know are refused: nothing is silently ignored.
base::Result<void> decode_query(const OperationModel& operation, const Parameters& parameters,
                                void* input, DecodeReport& report);

std::string encode_query(const ServiceModel& service, const OperationModel& operation,
                         const void* output, std::string_view request_id);

}  // namespace terrarium::wire
