// What a function may be: requests checked and applied to its record. Pure. Whatever this region
// does not do is refused by name.
#pragma once

#include <string>

#include "generated/lambda/model.h"
#include "lib/base/result.h"
#include "terrarium/services/lambda/code_keeper.h"
#include "terrarium/services/lambda/names.h"
#include "terrarium/services/lambda/records.h"

namespace terrarium::lambda {

// The record of a new function, but for its code and revision.
base::Result<FunctionRecord> new_function(const CreateFunctionRequest& request, const Place& place);
// `record` changed as the request says.
base::Result<FunctionRecord> updated(FunctionRecord record,
                                     const UpdateFunctionConfigurationRequest& request,
                                     const Place& place);
base::Result<CodeSource> code_source(FunctionCode code);
base::Result<void> check_code_update(const UpdateFunctionCodeRequest& request);
// RevisionId, where a request brings one.
base::Result<void> check_revision(const std::optional<std::string>& given,
                                  const std::string& current);
base::Result<void> check_tags(const std::map<std::string, std::string>& tags);

// Whether both would run the same: what a version freezes.
bool is_same_build(const FunctionRecord& a, const FunctionRecord& b);
// Code and layers together, unpacked.
base::Result<void> check_total_size(const FunctionRecord& record);

std::string log_group_of(const FunctionRecord& record);
// "2023-04-29T16:19:51.000+0000"
std::string last_modified_text(base::Timestamp time);

}  // namespace terrarium::lambda
