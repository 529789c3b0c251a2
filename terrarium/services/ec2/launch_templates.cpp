#include "terrarium/services/ec2/launch_templates.h"

#include "terrarium/services/ec2/template_rules.h"

namespace terrarium::ec2 {

using base::Result;
using runtime::Task;

Task<Result<CreateLaunchTemplateResult>> LaunchTemplates::create_launch_template(
    const wire::Context& context, CreateLaunchTemplateRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_launch_template(transaction, request);
                      });
}

Task<Result<CreateLaunchTemplateVersionResult>> LaunchTemplates::create_launch_template_version(
    const wire::Context& context, CreateLaunchTemplateVersionRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::create_launch_template_version(transaction, request);
                      });
}

Task<Result<DescribeLaunchTemplatesResult>> LaunchTemplates::describe_launch_templates(
    const wire::Context& context, DescribeLaunchTemplatesRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_launch_templates(*state, request);
}

Task<Result<DescribeLaunchTemplateVersionsResult>>
LaunchTemplates::describe_launch_template_versions(const wire::Context& context,
                                                   DescribeLaunchTemplateVersionsRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_launch_template_versions(*state, request);
}

Task<Result<ModifyLaunchTemplateResult>> LaunchTemplates::modify_launch_template(
    const wire::Context& context, ModifyLaunchTemplateRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::modify_launch_template(transaction, request);
                      });
}

Task<Result<DeleteLaunchTemplateResult>> LaunchTemplates::delete_launch_template(
    const wire::Context& context, DeleteLaunchTemplateRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::delete_launch_template(transaction, request);
                      });
}

Task<Result<DeleteLaunchTemplateVersionsResult>> LaunchTemplates::delete_launch_template_versions(
    const wire::Context& context, DeleteLaunchTemplateVersionsRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::delete_launch_template_versions(transaction, request);
                      });
}

Task<Result<GetLaunchTemplateDataResult>> LaunchTemplates::get_launch_template_data(
    const wire::Context& context, GetLaunchTemplateDataRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::get_launch_template_data(*state, request);
}

}  // namespace terrarium::ec2
