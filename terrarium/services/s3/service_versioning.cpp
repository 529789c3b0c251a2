// Whether a bucket keeps versions.
#include "generated/s3/errors.h"
#include "terrarium/services/s3/service.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

base::Result<Versioning> check_versioning(const PutBucketVersioningRequest& request) {
  const VersioningConfiguration& asked = request.versioning_configuration;
  // No device of this region makes codes, so that none can be right.
  if (request.mfa || asked.mfa_delete == "Enabled") {
    return base::fail(errors::kAccessDenied,
                      "Mfa Authentication must be used for this request, and this region has no "
                      "MFA devices.");
  }
  const bool known = !asked.mfa_delete || *asked.mfa_delete == "Disabled";
  if (known && asked.status == "Enabled") return Versioning::Enabled;
  if (known && asked.status == "Suspended") return Versioning::Suspended;
  if (known && !asked.status) {
    return base::fail(errors::kIllegalVersioningConfigurationException,
                      "The Versioning element must be specified");
  }
  return base::fail(errors::kMalformedXML,
                    "The XML you provided was not well-formed or did not validate against our "
                    "published schema");
}

}  // namespace

Task<base::Result<GetBucketVersioningOutput>> Service::get_bucket_versioning(
    const wire::Context& context, GetBucketVersioningRequest request) {
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketVersioning"));
  GetBucketVersioningOutput output;
  if (bucket.versioning == Versioning::Enabled) output.status = "Enabled";
  if (bucket.versioning == Versioning::Suspended) output.status = "Suspended";
  co_return output;
}

Task<base::Result<wire::Empty>> Service::put_bucket_versioning(const wire::Context& context,
                                                               PutBucketVersioningRequest request) {
  CO_TRY(BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:PutBucketVersioning"));
  CO_TRY(const Versioning versioning, check_versioning(request));
  CO_TRY_VOID(co_await edit(context, std::move(bucket),
                            [versioning](BucketRecord& record) -> base::Result<void> {
                              record.versioning = versioning;
                              return {};
                            }));
  co_return wire::Empty{};
}

}  // namespace terrarium::s3
