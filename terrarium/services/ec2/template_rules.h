// The rules of launch templates and their versions. Pure: records in, records and answers out. What
// a version says is checked when something is launched from it.
// Source: "Store instance launch parameters in Amazon EC2 launch templates", Amazon EC2 User Guide.
#pragma once

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

inline constexpr std::size_t kLaunchTemplatesMax = 5000;         // of a region
inline constexpr std::size_t kLaunchTemplateVersionsMax = 1000;  // of a template; AWS: 10000

// The same client token again answers as the first time.
base::Result<CreateLaunchTemplateResult> create_launch_template(
    Transaction& transaction, const CreateLaunchTemplateRequest& request);
base::Result<CreateLaunchTemplateVersionResult> create_launch_template_version(
    Transaction& transaction, const CreateLaunchTemplateVersionRequest& request);
base::Result<DescribeLaunchTemplatesResult> describe_launch_templates(
    const State& state, const DescribeLaunchTemplatesRequest& request);
// Newest first. "$Latest" and "$Default" also over all templates.
base::Result<DescribeLaunchTemplateVersionsResult> describe_launch_template_versions(
    const State& state, const DescribeLaunchTemplateVersionsRequest& request);
base::Result<ModifyLaunchTemplateResult> modify_launch_template(
    Transaction& transaction, const ModifyLaunchTemplateRequest& request);
base::Result<DeleteLaunchTemplateResult> delete_launch_template(
    Transaction& transaction, const DeleteLaunchTemplateRequest& request);
// Each version by itself: the default version can't be deleted.
base::Result<DeleteLaunchTemplateVersionsResult> delete_launch_template_versions(
    Transaction& transaction, const DeleteLaunchTemplateVersionsRequest& request);
base::Result<GetLaunchTemplateDataResult> get_launch_template_data(
    const State& state, const GetLaunchTemplateDataRequest& request);

}  // namespace terrarium::ec2
