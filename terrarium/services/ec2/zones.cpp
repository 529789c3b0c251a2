#include "terrarium/services/ec2/zones.h"

#include "terrarium/services/ec2/zone_rules.h"

namespace terrarium::ec2 {

using base::Result;
using runtime::Task;

Task<Result<DescribeRegionsResult>> Zones::describe_regions(const wire::Context& context,
                                                            DescribeRegionsRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_regions(*state, request);
}

Task<Result<DescribeAvailabilityZonesResult>> Zones::describe_availability_zones(
    const wire::Context& context, DescribeAvailabilityZonesRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_availability_zones(*state, context.region, request);
}

Task<Result<DescribeAccountAttributesResult>> Zones::describe_account_attributes(
    const wire::Context& context, DescribeAccountAttributesRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_account_attributes(*state, request);
}

Task<Result<GetEbsEncryptionByDefaultResult>> Zones::get_ebs_encryption_by_default(
    const wire::Context& /*context*/, GetEbsEncryptionByDefaultRequest /*request*/) {
  co_return GetEbsEncryptionByDefaultResult{.ebs_encryption_by_default = false};
}

}  // namespace terrarium::ec2
