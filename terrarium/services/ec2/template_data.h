// What a launch template's versions hold, between the wire and the records: JSON with the model's
// names, so that what RunInstances shares with it is read from it directly. Pure.
#pragma once

#include <string>

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

std::string template_json(const RequestLaunchTemplateData& data);
// `over` on `source`: a field that `over` has replaces the source's.
base::Result<std::string> merge_template_json(const std::string& source, const std::string& over);
base::Result<ResponseLaunchTemplateData> parse_template_json(const std::string& text);

// What would launch an instance like this one.
ResponseLaunchTemplateData template_data_of(const State& state, const InstanceRecord& instance);

}  // namespace terrarium::ec2
