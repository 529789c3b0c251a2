#include "terrarium/services/ec2/instances.h"

#include "generated/ec2/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/ec2/instance_attributes.h"
#include "terrarium/services/ec2/instance_rules.h"
#include "terrarium/services/ec2/instance_types.h"
#include "terrarium/services/ec2/profile_rules.h"
#include "terrarium/services/ec2/run_rules.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/volume_rules.h"

namespace terrarium::ec2 {
namespace {

using base::Result;
using runtime::Task;

// A rule for Core::change, with its request.
template <class Request, class Rule>
auto with(Request request, Rule rule) {
  return [request = std::move(request), rule](Transaction& transaction) {
    return rule(transaction, request);
  };
}

}  // namespace

Task<Result<Reservation>> Instances::run_instances(const wire::Context& context,
                                                   RunInstancesRequest request) {
  const auto able = core_.machines().description();
  if (!able.has_value()) {
    co_return base::fail(errors::kUnsupported,
                         "This machine can't run instances: " + able.error().message);
  }
  const auto rule = [this](Transaction& transaction, const RunInstancesRequest& wanted) {
    return ec2::run_instances(transaction, wanted, profiles_);
  };
  co_return co_await core_.change(context, Effect::Recorded, with(std::move(request), rule));
}

Task<Result<DescribeInstancesResult>> Instances::describe_instances(
    const wire::Context& context, DescribeInstancesRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_instances(*state, place(context), request);
}

Task<Result<DescribeInstanceStatusResult>> Instances::describe_instance_status(
    const wire::Context& context, DescribeInstanceStatusRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_instance_status(*state, context.now, request);
}

Task<Result<StartInstancesResult>> Instances::start_instances(const wire::Context& context,
                                                              StartInstancesRequest request) {
  return core_.change(context, Effect::Recorded, with(std::move(request), ec2::start_instances));
}

Task<Result<StopInstancesResult>> Instances::stop_instances(const wire::Context& context,
                                                            StopInstancesRequest request) {
  return core_.change(context, Effect::Recorded, with(std::move(request), ec2::stop_instances));
}

Task<Result<wire::Empty>> Instances::reboot_instances(const wire::Context& context,
                                                      RebootInstancesRequest request) {
  return core_.change(context, Effect::Recorded, with(std::move(request), ec2::reboot_instances));
}

Task<Result<TerminateInstancesResult>> Instances::terminate_instances(
    const wire::Context& context, TerminateInstancesRequest request) {
  const auto rule = [](Transaction& transaction, const TerminateInstancesRequest& wanted) {
    return ec2::terminate_instances(transaction, wanted);
  };
  return core_.change(context, Effect::Recorded, with(std::move(request), rule));
}

Task<Result<InstanceAttribute>> Instances::describe_instance_attribute(
    const wire::Context& context, DescribeInstanceAttributeRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_instance_attribute(*state, request);
}

Task<Result<wire::Empty>> Instances::modify_instance_attribute(
    const wire::Context& context, ModifyInstanceAttributeRequest request) {
  return core_.change(context, Effect::Applied,
                      with(std::move(request), ec2::modify_instance_attribute));
}

Task<Result<DescribeInstanceCreditSpecificationsResult>>
Instances::describe_instance_credit_specifications(
    const wire::Context& context, DescribeInstanceCreditSpecificationsRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_instance_credit_specifications(*state, request);
}

Task<Result<ModifyInstanceCreditSpecificationResult>>
Instances::modify_instance_credit_specification(const wire::Context& context,
                                                ModifyInstanceCreditSpecificationRequest request) {
  return core_.change(context, Effect::Recorded,
                      with(std::move(request), ec2::modify_instance_credit_specification));
}

Task<Result<MonitorInstancesResult>> Instances::monitor_instances(const wire::Context& context,
                                                                  MonitorInstancesRequest request) {
  return core_.change(context, Effect::Recorded, with(std::move(request), ec2::monitor_instances));
}

Task<Result<UnmonitorInstancesResult>> Instances::unmonitor_instances(
    const wire::Context& context, UnmonitorInstancesRequest request) {
  return core_.change(context, Effect::Recorded,
                      with(std::move(request), ec2::unmonitor_instances));
}

Task<Result<ModifyInstanceMetadataOptionsResult>> Instances::modify_instance_metadata_options(
    const wire::Context& context, ModifyInstanceMetadataOptionsRequest request) {
  return core_.change(context, Effect::Recorded,
                      with(std::move(request), ec2::modify_instance_metadata_options));
}

Task<Result<GetConsoleOutputResult>> Instances::get_console_output(
    const wire::Context& context, GetConsoleOutputRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  CO_TRY(const InstanceRecord* const instance,
         require<InstanceRecord>(*state, request.instance_id));
  GetConsoleOutputResult result{.instance_id = instance->id.value, .timestamp = context.now};
  // What Latest asks for (Nitro's, now) is what there always is.
  if (instance->has_run) {
    CO_TRY(const std::string text, core_.machines().console(instance->id.value));
    result.output = base::base64_encode(text);
  }
  co_return result;
}

Task<Result<DescribeInstanceTypesResult>> Instances::describe_instance_types(
    const wire::Context&, DescribeInstanceTypesRequest request) {
  co_return ec2::describe_instance_types(request);
}

Task<Result<DescribeInstanceTypeOfferingsResult>> Instances::describe_instance_type_offerings(
    const wire::Context& context, DescribeInstanceTypeOfferingsRequest request) {
  co_return ec2::describe_instance_type_offerings(context.region, request);
}

Task<Result<DescribeVolumesResult>> Instances::describe_volumes(const wire::Context& context,
                                                                DescribeVolumesRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_volumes(*state, request);
}

Task<Result<ModifyVolumeResult>> Instances::modify_volume(const wire::Context& context,
                                                          ModifyVolumeRequest request) {
  return core_.change(context, Effect::Recorded, with(std::move(request), ec2::modify_volume));
}

Task<Result<DescribeVolumesModificationsResult>> Instances::describe_volumes_modifications(
    const wire::Context& context, DescribeVolumesModificationsRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_volumes_modifications(*state, request);
}

Task<Result<DescribeIamInstanceProfileAssociationsResult>>
Instances::describe_iam_instance_profile_associations(
    const wire::Context& context, DescribeIamInstanceProfileAssociationsRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_iam_instance_profile_associations(*state, request);
}

Task<Result<AssociateIamInstanceProfileResult>> Instances::associate_iam_instance_profile(
    const wire::Context& context, AssociateIamInstanceProfileRequest request) {
  return core_.change(context, Effect::Recorded,
                      [this, request = std::move(request)](Transaction& transaction) {
                        return ec2::associate_iam_instance_profile(transaction, request, profiles_);
                      });
}

Task<Result<ReplaceIamInstanceProfileAssociationResult>>
Instances::replace_iam_instance_profile_association(
    const wire::Context& context, ReplaceIamInstanceProfileAssociationRequest request) {
  return core_.change(
      context, Effect::Recorded, [this, request = std::move(request)](Transaction& transaction) {
        return ec2::replace_iam_instance_profile_association(transaction, request, profiles_);
      });
}

Task<Result<DisassociateIamInstanceProfileResult>> Instances::disassociate_iam_instance_profile(
    const wire::Context& context, DisassociateIamInstanceProfileRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::disassociate_iam_instance_profile(transaction, request);
                      });
}

}  // namespace terrarium::ec2
