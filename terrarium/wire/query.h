// The query protocol and EC2's dialect of it: a form with Action and dotted parameter names in, XML
// out. Pure. Source: "AWS query protocol" and "AWS EC2 query protocol" of the Smithy documentation.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "terrarium/wire/model.h"
#include "terrarium/wire/parameters.h"
#include "terrarium/wire/validate.h"

namespace terrarium::wire {

// `protocol`: Query or Ec2, whose requests have names of their own and lists that are all
// flattened. Parameters that the operation does not know are refused: nothing is silently ignored.
base::Result<void> decode_query(Protocol protocol, const OperationModel& operation,
                                const Parameters& parameters, void* input, DecodeReport& report);

std::string encode_query(const ServiceModel& service, const OperationModel& operation,
                         const void* output, std::string_view request_id);

// The answer is one element, without a wrapper; an operation without output answers "true".
std::string encode_ec2(const ServiceModel& service, const OperationModel& operation,
                       const void* output, std::string_view request_id);

}  // namespace terrarium::wire
