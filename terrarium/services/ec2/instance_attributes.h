// What can be read and changed of an instance besides its state. Pure.
// Source: DescribeInstanceAttribute, ModifyInstanceAttribute, Amazon EC2 API Reference.
#pragma once

#include <string>

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

base::Result<InstanceAttribute> describe_instance_attribute(
    const State& state, const DescribeInstanceAttributeRequest& request);
// One attribute a call, as AWS has it. Type and user data change while it is stopped, and count
// from its next start.
base::Result<wire::Empty> modify_instance_attribute(Transaction& transaction,
                                                    const ModifyInstanceAttributeRequest& request);

base::Result<DescribeInstanceCreditSpecificationsResult> describe_instance_credit_specifications(
    const State& state, const DescribeInstanceCreditSpecificationsRequest& request);
base::Result<ModifyInstanceCreditSpecificationResult> modify_instance_credit_specification(
    Transaction& transaction, const ModifyInstanceCreditSpecificationRequest& request);

base::Result<MonitorInstancesResult> monitor_instances(Transaction& transaction,
                                                       const MonitorInstancesRequest& request);
base::Result<UnmonitorInstancesResult> unmonitor_instances(
    Transaction& transaction, const UnmonitorInstancesRequest& request);

base::Result<ModifyInstanceMetadataOptionsResult> modify_instance_metadata_options(
    Transaction& transaction, const ModifyInstanceMetadataOptionsRequest& request);

}  // namespace terrarium::ec2
