// Settings that a bucket keeps and that this region can honour only in part: what it could not do
// is refused when it is asked for, never kept.
#include "generated/s3/errors.h"
#include "terrarium/services/s3/requests.h"
#include "terrarium/services/s3/settings.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

// The one rule of an encryption configuration; whether it asks for bucket keys.
base::Result<bool> check_encryption_rule(const ServerSideEncryptionConfiguration& configuration) {
  if (configuration.rules.size() != 1) return malformed_xml();
  const ServerSideEncryptionRule& rule = configuration.rules.front();
  if (!rule.apply_server_side_encryption_by_default) return malformed_xml();
  const ServerSideEncryptionByDefault& asked = *rule.apply_server_side_encryption_by_default;
  const bool kms = asked.sse_algorithm == "aws:kms" || asked.sse_algorithm == "aws:kms:dsse";
  if (!kms && asked.sse_algorithm != kEncryption) return malformed_xml();
  if (!kms && asked.kms_master_key_id) {
    return with_field(base::fail(errors::kInvalidArgument,
                                 "a KMSMasterKeyID is not applicable if the default sse algorithm "
                                 "is not aws:kms or aws:kms:dsse"),
                      "ArgumentName", "ApplyServerSideEncryptionByDefault");
  }
  if (kms) return not_supported("Server-side encryption with KMS keys");
  return rule.bucket_key_enabled.value_or(false);
}

}  // namespace

Task<base::Result<GetBucketEncryptionOutput>> Settings::get_bucket_encryption(
    const wire::Context& context, GetBucketEncryptionRequest request) {
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:GetEncryptionConfiguration"));
  ServerSideEncryptionRule rule;
  rule.apply_server_side_encryption_by_default =
      ServerSideEncryptionByDefault{std::string(kEncryption), {}};
  rule.bucket_key_enabled = bucket.bucket_key;
  co_return GetBucketEncryptionOutput{ServerSideEncryptionConfiguration{{rule}}};
}

Task<base::Result<wire::Empty>> Settings::put_bucket_encryption(
    const wire::Context& context, PutBucketEncryptionRequest request) {
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutEncryptionConfiguration"));
  CO_TRY(const bool bucket_key,
         check_encryption_rule(request.server_side_encryption_configuration));
  CO_TRY_VOID(co_await edit(context, std::move(bucket),
                            [bucket_key](BucketRecord& record) -> base::Result<void> {
                              record.bucket_key = bucket_key;
                              return {};
                            }));
  co_return wire::Empty{};
}

// Back to what every bucket has: objects are always encrypted.
Task<base::Result<wire::Empty>> Settings::delete_bucket_encryption(
    const wire::Context& context, DeleteBucketEncryptionRequest request) {
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutEncryptionConfiguration"));
  CO_TRY_VOID(
      co_await edit(context, std::move(bucket), [](BucketRecord& record) -> base::Result<void> {
        record.bucket_key = false;
        return {};
      }));
  co_return wire::Empty{};
}

Task<base::Result<GetBucketAccelerateConfigurationOutput>>
Settings::get_bucket_accelerate_configuration(const wire::Context& context,
                                              GetBucketAccelerateConfigurationRequest request) {
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:GetAccelerateConfiguration"));
  GetBucketAccelerateConfigurationOutput output;
  if (!bucket.accelerate.empty()) output.status = bucket.accelerate;
  co_return output;
}

// Kept as it is put: the accelerate host names lead here like all others, from no distance at all.
Task<base::Result<wire::Empty>> Settings::put_bucket_accelerate_configuration(
    const wire::Context& context, PutBucketAccelerateConfigurationRequest request) {
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutAccelerateConfiguration"));
  if (request.bucket.contains('.')) {
    co_return base::fail(errors::kInvalidRequest,
                         "S3 Transfer Acceleration is not supported for buckets with periods (.) "
                         "in their names");
  }
  const std::string status = request.accelerate_configuration.status.value_or("");
  if (status != "Enabled" && status != "Suspended") co_return malformed_xml();
  CO_TRY_VOID(co_await edit(context, std::move(bucket),
                            [&status](BucketRecord& record) -> base::Result<void> {
                              record.accelerate = status;
                              return {};
                            }));
  co_return wire::Empty{};
}

Task<base::Result<GetBucketLoggingOutput>> Settings::get_bucket_logging(
    const wire::Context& context, GetBucketLoggingRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketLogging"));
  co_return GetBucketLoggingOutput{};
}

// An empty status turns logging off, which it is.
Task<base::Result<wire::Empty>> Settings::put_bucket_logging(const wire::Context& context,
                                                             PutBucketLoggingRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner, "s3:PutBucketLogging"));
  if (request.bucket_logging_status.logging_enabled) {
    co_return not_supported("Server access logging");
  }
  co_return wire::Empty{};
}

Task<base::Result<GetBucketRequestPaymentOutput>> Settings::get_bucket_request_payment(
    const wire::Context& context, GetBucketRequestPaymentRequest request) {
  CO_TRY_VOID(
      enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketRequestPayment"));
  co_return GetBucketRequestPaymentOutput{"BucketOwner"};
}

Task<base::Result<wire::Empty>> Settings::put_bucket_request_payment(
    const wire::Context& context, PutBucketRequestPaymentRequest request) {
  CO_TRY_VOID(
      enter(context, request.bucket, request.expected_bucket_owner, "s3:PutBucketRequestPayment"));
  const std::string& payer = request.request_payment_configuration.payer;
  if (payer == "BucketOwner") co_return wire::Empty{};
  if (payer == "Requester") co_return not_supported("A bucket whose requesters pay");
  co_return malformed_xml();
}

}  // namespace terrarium::s3
