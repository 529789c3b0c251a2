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

// The record of a new mapping, but for its id and its function: AWS looks at the source before it
// looks for the function.
base::Result<MappingRecord> new_mapping(const CreateEventSourceMappingRequest& request,
                                        const Place& place);
// `record` changed as the request says, but for its function.
base::Result<MappingRecord> updated(MappingRecord record,
                                    const UpdateEventSourceMappingRequest& request);

// Where a mapping is. The states in -ing last while a mapping is on its way there; most are over
// before anybody sees them, Disabling and Deleting last while batches are under way.
enum class MappingState : std::uint8_t {
  Creating,
  Enabling,
  Enabled,
  Disabling,
  Disabled,
  Updating,
  Deleting
};
std::string_view to_string(MappingState state);
// What an update is called.
MappingState transition(const MappingRecord& before, const MappingRecord& after);

EventSourceMappingConfiguration describe(const MappingRecord& record, const Place& place,
                                         MappingState state);

bool is_fifo(const MappingRecord& record);

}  // namespace terrarium::lambda
