// What an event source mapping may be: requests checked and applied to its record, and the record
// as AWS shows it. Pure. Only SQS queues are sources.
#pragma once

#include <string>
#include <string_view>

#include "generated/lambda/model.h"
#include "lib/base/result.h"
#include "terrarium/services/lambda/names.h"
#include "terrarium/services/lambda/records.h"

namespace terrarium::lambda {

// The record of a new mapping, but for its id. The function's name is resolved by the caller.
base::Result<MappingRecord> new_mapping(const CreateEventSourceMappingRequest& request,
                                        const Place& place, std::string function_name);
// `record` changed as the request says, but for its function.
base::Result<MappingRecord> updated(MappingRecord record,
                                    const UpdateEventSourceMappingRequest& request);

EventSourceMappingConfiguration describe(const MappingRecord& record, const Place& place,
                                         std::string state, std::string last_result);

}  // namespace terrarium::lambda
