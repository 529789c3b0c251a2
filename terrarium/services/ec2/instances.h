// The operations of instances, their types, volumes and profiles: rules in run_rules.h,
// instance_rules.h, instance_attributes.h, volume_rules.h, profile_rules.h.
#pragma once

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/instance_profiles.h"
#include "terrarium/services/ec2/instance_view.h"
#include "terrarium/services/ec2/vpcs.h"

namespace terrarium::ec2 {

class Instances {
 public:
  Instances(Core& core, const InstanceProfiles& profiles) : core_(core), profiles_(profiles) {}

  // Answered when the instances are recorded: the keeper starts them.
  EC2_OPERATION(run_instances, RunInstancesRequest, Reservation);
  EC2_OPERATION(describe_instances, DescribeInstancesRequest, DescribeInstancesResult);
  EC2_OPERATION(describe_instance_status, DescribeInstanceStatusRequest,
                DescribeInstanceStatusResult);
  EC2_OPERATION(start_instances, StartInstancesRequest, StartInstancesResult);
  EC2_OPERATION(stop_instances, StopInstancesRequest, StopInstancesResult);
  EC2_OPERATION(reboot_instances, RebootInstancesRequest, wire::Empty);
  EC2_OPERATION(terminate_instances, TerminateInstancesRequest, TerminateInstancesResult);

  EC2_OPERATION(describe_instance_attribute, DescribeInstanceAttributeRequest, InstanceAttribute);
  EC2_OPERATION(modify_instance_attribute, ModifyInstanceAttributeRequest, wire::Empty);
  EC2_OPERATION(describe_instance_credit_specifications,
                DescribeInstanceCreditSpecificationsRequest,
                DescribeInstanceCreditSpecificationsResult);
  EC2_OPERATION(modify_instance_credit_specification, ModifyInstanceCreditSpecificationRequest,
                ModifyInstanceCreditSpecificationResult);
  EC2_OPERATION(monitor_instances, MonitorInstancesRequest, MonitorInstancesResult);
  EC2_OPERATION(unmonitor_instances, UnmonitorInstancesRequest, UnmonitorInstancesResult);
  EC2_OPERATION(modify_instance_metadata_options, ModifyInstanceMetadataOptionsRequest,
                ModifyInstanceMetadataOptionsResult);
  EC2_OPERATION(get_console_output, GetConsoleOutputRequest, GetConsoleOutputResult);

  EC2_OPERATION(describe_instance_types, DescribeInstanceTypesRequest, DescribeInstanceTypesResult);
  EC2_OPERATION(describe_instance_type_offerings, DescribeInstanceTypeOfferingsRequest,
                DescribeInstanceTypeOfferingsResult);

  EC2_OPERATION(describe_volumes, DescribeVolumesRequest, DescribeVolumesResult);
  EC2_OPERATION(modify_volume, ModifyVolumeRequest, ModifyVolumeResult);
  EC2_OPERATION(describe_volumes_modifications, DescribeVolumesModificationsRequest,
                DescribeVolumesModificationsResult);

  EC2_OPERATION(describe_iam_instance_profile_associations,
                DescribeIamInstanceProfileAssociationsRequest,
                DescribeIamInstanceProfileAssociationsResult);
  EC2_OPERATION(associate_iam_instance_profile, AssociateIamInstanceProfileRequest,
                AssociateIamInstanceProfileResult);
  EC2_OPERATION(replace_iam_instance_profile_association,
                ReplaceIamInstanceProfileAssociationRequest,
                ReplaceIamInstanceProfileAssociationResult);
  EC2_OPERATION(disassociate_iam_instance_profile, DisassociateIamInstanceProfileRequest,
                DisassociateIamInstanceProfileResult);

 private:
  Place place(const wire::Context& context) const {
    return {context.region, core_.config().account};
  }

  Core& core_;
  const InstanceProfiles& profiles_;
};

}  // namespace terrarium::ec2
