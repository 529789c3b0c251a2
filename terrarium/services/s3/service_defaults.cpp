// What a bucket cannot be configured to have here, answered as AWS answers for a bucket that nobody
// configured. Writing any of it is refused.
#include "generated/s3/errors.h"
#include "terrarium/services/s3/service.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

std::unexpected<base::Error> absent(const base::ErrorRow& row, std::string message,
                                    const std::string& bucket) {
  return with_field(base::fail(row, std::move(message)), "BucketName", bucket);
}

}  // namespace

Task<base::Result<GetBucketVersioningOutput>> Service::get_bucket_versioning(
    const wire::Context& context, GetBucketVersioningRequest request) {
  CO_TRY_VOID(
      enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketVersioning"));
  co_return GetBucketVersioningOutput{};
}

Task<base::Result<wire::Empty>> Service::put_bucket_versioning(const wire::Context& context,
                                                               PutBucketVersioningRequest request) {
  CO_TRY_VOID(
      enter(context, request.bucket, request.expected_bucket_owner, "s3:PutBucketVersioning"));
  const VersioningConfiguration& configuration = request.versioning_configuration;
  if (configuration.status != "Enabled" && configuration.status != "Suspended") {
    co_return base::fail(errors::kMalformedXML,
                         "The XML you provided was not well-formed or did not validate against "
                         "our published schema");
  }
  co_return not_supported("Bucket versioning (PutBucketVersioning with status " +
                          *configuration.status + ")");
}

Task<base::Result<GetBucketAccelerateConfigurationOutput>>
Service::get_bucket_accelerate_configuration(const wire::Context& context,
                                             GetBucketAccelerateConfigurationRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner,
                    "s3:GetAccelerateConfiguration"));
  co_return GetBucketAccelerateConfigurationOutput{};
}

Task<base::Result<GetBucketCorsOutput>> Service::get_bucket_cors(const wire::Context& context,
                                                                 GetBucketCorsRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketCORS"));
  co_return absent(errors::kNoSuchCORSConfiguration, "The CORS configuration does not exist",
                   request.bucket);
}

Task<base::Result<GetBucketEncryptionOutput>> Service::get_bucket_encryption(
    const wire::Context& context, GetBucketEncryptionRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner,
                    "s3:GetEncryptionConfiguration"));
  ServerSideEncryptionRule rule;
  rule.apply_server_side_encryption_by_default =
      ServerSideEncryptionByDefault{std::string(kEncryption), {}};
  rule.bucket_key_enabled = false;
  co_return GetBucketEncryptionOutput{ServerSideEncryptionConfiguration{{rule}}};
}

Task<base::Result<GetBucketLifecycleConfigurationOutput>>
Service::get_bucket_lifecycle_configuration(const wire::Context& context,
                                            GetBucketLifecycleConfigurationRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner,
                    "s3:GetLifecycleConfiguration"));
  co_return absent(errors::kNoSuchLifecycleConfiguration,
                   "The lifecycle configuration does not exist", request.bucket);
}

Task<base::Result<GetBucketLoggingOutput>> Service::get_bucket_logging(
    const wire::Context& context, GetBucketLoggingRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketLogging"));
  co_return GetBucketLoggingOutput{};
}

Task<base::Result<GetBucketReplicationOutput>> Service::get_bucket_replication(
    const wire::Context& context, GetBucketReplicationRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner,
                    "s3:GetReplicationConfiguration"));
  co_return absent(errors::kReplicationConfigurationNotFoundError,
                   "The replication configuration was not found", request.bucket);
}

Task<base::Result<GetBucketRequestPaymentOutput>> Service::get_bucket_request_payment(
    const wire::Context& context, GetBucketRequestPaymentRequest request) {
  CO_TRY_VOID(
      enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketRequestPayment"));
  co_return GetBucketRequestPaymentOutput{"BucketOwner"};
}

Task<base::Result<GetBucketWebsiteOutput>> Service::get_bucket_website(
    const wire::Context& context, GetBucketWebsiteRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketWebsite"));
  co_return absent(errors::kNoSuchWebsiteConfiguration,
                   "The specified bucket does not have a website configuration", request.bucket);
}

Task<base::Result<GetObjectLockConfigurationOutput>> Service::get_object_lock_configuration(
    const wire::Context& context, GetObjectLockConfigurationRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner,
                    "s3:GetBucketObjectLockConfiguration"));
  co_return absent(errors::kObjectLockConfigurationNotFoundError,
                   "Object Lock configuration does not exist for this bucket", request.bucket);
}

}  // namespace terrarium::s3
