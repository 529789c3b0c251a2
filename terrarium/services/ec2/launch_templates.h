// The operations of launch templates: rules in template_rules.h.
#pragma once

#include "generated/ec2/model.h"
#include "terrarium/services/ec2/core.h"
#include "terrarium/services/ec2/vpcs.h"

namespace terrarium::ec2 {

class LaunchTemplates {
 public:
  explicit LaunchTemplates(Core& core) : core_(core) {}

  EC2_OPERATION(create_launch_template, CreateLaunchTemplateRequest, CreateLaunchTemplateResult);
  EC2_OPERATION(create_launch_template_version, CreateLaunchTemplateVersionRequest,
                CreateLaunchTemplateVersionResult);
  EC2_OPERATION(describe_launch_templates, DescribeLaunchTemplatesRequest,
                DescribeLaunchTemplatesResult);
  EC2_OPERATION(describe_launch_template_versions, DescribeLaunchTemplateVersionsRequest,
                DescribeLaunchTemplateVersionsResult);
  EC2_OPERATION(modify_launch_template, ModifyLaunchTemplateRequest, ModifyLaunchTemplateResult);
  EC2_OPERATION(delete_launch_template, DeleteLaunchTemplateRequest, DeleteLaunchTemplateResult);
  EC2_OPERATION(delete_launch_template_versions, DeleteLaunchTemplateVersionsRequest,
                DeleteLaunchTemplateVersionsResult);
  EC2_OPERATION(get_launch_template_data, GetLaunchTemplateDataRequest,
                GetLaunchTemplateDataResult);

 private:
  Core& core_;
};

}  // namespace terrarium::ec2
