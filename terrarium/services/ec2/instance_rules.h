// The life of instances: described, started, stopped, rebooted, terminated. Pure.
// Source: "Instance lifecycle", Amazon EC2 User Guide; errors: "Error codes for the Amazon EC2
// API".
#pragma once

#include <string>

#include "generated/ec2/model.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/instance_view.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

// Status checks are "initializing" until an instance has run this long.
inline constexpr base::Duration kStatusChecksAfter = std::chrono::seconds(5);
// A terminated instance stays describable this long.
inline constexpr base::Duration kTerminatedKept = std::chrono::hours(1);

base::Result<DescribeInstancesResult> describe_instances(const State& state, const Place& place,
                                                         const DescribeInstancesRequest& request);
base::Result<DescribeInstanceStatusResult> describe_instance_status(
    const State& state, base::Timestamp now, const DescribeInstanceStatusRequest& request);

// Each takes all of the instances or none.
base::Result<StartInstancesResult> start_instances(Transaction& transaction,
                                                   const StartInstancesRequest& request);
base::Result<StopInstancesResult> stop_instances(Transaction& transaction,
                                                 const StopInstancesRequest& request);
base::Result<wire::Empty> reboot_instances(Transaction& transaction,
                                           const RebootInstancesRequest& request);
// Auto Scaling terminates what is protected against users' calls too.
enum class Protection : std::uint8_t { Honoured, Ignored };
base::Result<TerminateInstancesResult> terminate_instances(
    Transaction& transaction, const TerminateInstancesRequest& request,
    Protection protection = Protection::Honoured);

// What the keeper found out. An instance that is no longer in the state from which these lead is
// left as it is.
base::Result<void> instance_started(Transaction& transaction, const InstanceId& id);
base::Result<void> instance_stopped(Transaction& transaction, const InstanceId& id);
// Its network interfaces, lent address and volume go.
base::Result<void> instance_removed(Transaction& transaction, const InstanceId& id);
base::Result<void> instance_rebooted(Transaction& transaction, const InstanceId& id);
// It shut down by itself: to start again, or for good.
base::Result<void> instance_reboots(Transaction& transaction, const InstanceId& id);
base::Result<void> instance_ended(Transaction& transaction, const InstanceId& id);
// It can't be started: a new one is terminated, one that had run is stopped again.
base::Result<void> instance_failed(Transaction& transaction, const InstanceId& id);
// The machine that it ran on is gone (the host was restarted): it is started again.
base::Result<void> instance_lost(Transaction& transaction, const InstanceId& id);
base::Result<void> sweep_terminated(Transaction& transaction);

}  // namespace terrarium::ec2
