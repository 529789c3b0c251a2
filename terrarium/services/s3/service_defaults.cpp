// What no bucket and no object here can have, answered as AWS answers where nobody configured it.
// What would configure it and is not here, the wire layer refuses by name.
#include "generated/s3/errors.h"
#include "terrarium/services/s3/settings.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

std::unexpected<base::Error> absent(const base::ErrorRow& row, std::string message,
                                    const std::string& bucket) {
  return with_field(base::fail(row, std::move(message)), "BucketName", bucket);
}

// One page with nothing on it.
template <class Output>
Output empty_list() {
  Output output;
  output.is_truncated = false;
  return output;
}

}  // namespace

Task<base::Result<GetBucketReplicationOutput>> Settings::get_bucket_replication(
    const wire::Context& context, GetBucketReplicationRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner,
                    "s3:GetReplicationConfiguration"));
  co_return absent(errors::kReplicationConfigurationNotFoundError,
                   "The replication configuration was not found", request.bucket);
}

// To remove what is not there is no error, as on AWS.
Task<base::Result<wire::Empty>> Settings::delete_bucket_replication(
    const wire::Context& context, DeleteBucketReplicationRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner,
                    "s3:PutReplicationConfiguration"));
  co_return wire::Empty{};
}

Task<base::Result<GetBucketWebsiteOutput>> Settings::get_bucket_website(
    const wire::Context& context, GetBucketWebsiteRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketWebsite"));
  co_return absent(errors::kNoSuchWebsiteConfiguration,
                   "The specified bucket does not have a website configuration", request.bucket);
}

Task<base::Result<wire::Empty>> Settings::delete_bucket_website(
    const wire::Context& context, DeleteBucketWebsiteRequest request) {
  CO_TRY_VOID(
      enter(context, request.bucket, request.expected_bucket_owner, "s3:DeleteBucketWebsite"));
  co_return wire::Empty{};
}

Task<base::Result<GetObjectLockConfigurationOutput>> Settings::get_object_lock_configuration(
    const wire::Context& context, GetObjectLockConfigurationRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner,
                    "s3:GetBucketObjectLockConfiguration"));
  co_return absent(errors::kObjectLockConfigurationNotFoundError,
                   "Object Lock configuration does not exist for this bucket", request.bucket);
}

Task<base::Result<PutObjectLockConfigurationOutput>> Settings::put_object_lock_configuration(
    const wire::Context& context, PutObjectLockConfigurationRequest request) {
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:PutBucketObjectLockConfiguration"));
  const auto& configuration = request.object_lock_configuration;
  if (!configuration || configuration->object_lock_enabled != "Enabled") co_return malformed_xml();
  if (bucket.versioning != Versioning::Enabled) {
    co_return base::fail(errors::kInvalidBucketState,
                         "Versioning must be 'Enabled' on the bucket to apply a Object Lock "
                         "configuration");
  }
  co_return not_supported("Object Lock");
}

base::Result<void> Settings::refuse_lock(const wire::Context& context, const std::string& bucket,
                                         const std::string& key,
                                         const std::optional<std::string>& expected_owner,
                                         std::string_view action) const {
  TRY_VOID(check_key(key));
  TRY_VOID(enter(context, bucket, expected_owner, action, key));
  return base::fail(errors::kInvalidRequest, "Bucket is missing Object Lock Configuration");
}

Task<base::Result<GetObjectRetentionOutput>> Settings::get_object_retention(
    const wire::Context& context, GetObjectRetentionRequest request) {
  CO_TRY_VOID(refuse_lock(context, request.bucket, request.key, request.expected_bucket_owner,
                          "s3:GetObjectRetention"));
  co_return GetObjectRetentionOutput{};
}

Task<base::Result<PutObjectRetentionOutput>> Settings::put_object_retention(
    const wire::Context& context, PutObjectRetentionRequest request) {
  CO_TRY_VOID(refuse_lock(context, request.bucket, request.key, request.expected_bucket_owner,
                          "s3:PutObjectRetention"));
  co_return PutObjectRetentionOutput{};
}

Task<base::Result<GetObjectLegalHoldOutput>> Settings::get_object_legal_hold(
    const wire::Context& context, GetObjectLegalHoldRequest request) {
  CO_TRY_VOID(refuse_lock(context, request.bucket, request.key, request.expected_bucket_owner,
                          "s3:GetObjectLegalHold"));
  co_return GetObjectLegalHoldOutput{};
}

Task<base::Result<PutObjectLegalHoldOutput>> Settings::put_object_legal_hold(
    const wire::Context& context, PutObjectLegalHoldRequest request) {
  CO_TRY_VOID(refuse_lock(context, request.bucket, request.key, request.expected_bucket_owner,
                          "s3:PutObjectLegalHold"));
  co_return PutObjectLegalHoldOutput{};
}

// Archive storage classes are refused, so that there is never anything to restore.
Task<base::Result<RestoreObjectOutput>> Settings::restore_object(const wire::Context& context,
                                                                 RestoreObjectRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:RestoreObject", request.key));
  CO_TRY(const StoredVersion version,
         require_version(context, bucket, request.key, request.version_id));
  const std::string& storage_class = version.record.headers.storage_class;
  co_return with_field(base::fail(errors::kInvalidObjectState,
                                  "Restore is not allowed for the object's current storage class"),
                       "StorageClass", storage_class.empty() ? "STANDARD" : storage_class);
}

base::Result<void> Settings::no_such_configuration(const wire::Context& context,
                                                   const std::string& bucket,
                                                   const std::optional<std::string>& expected_owner,
                                                   std::string_view action) const {
  TRY_VOID(enter(context, bucket, expected_owner, action));
  return absent(errors::kNoSuchConfiguration, "The specified configuration does not exist.",
                bucket);
}

Task<base::Result<ListBucketAnalyticsConfigurationsOutput>>
Settings::list_bucket_analytics_configurations(const wire::Context& context,
                                               ListBucketAnalyticsConfigurationsRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner,
                    "s3:GetAnalyticsConfiguration"));
  co_return empty_list<ListBucketAnalyticsConfigurationsOutput>();
}

Task<base::Result<GetBucketAnalyticsConfigurationOutput>>
Settings::get_bucket_analytics_configuration(const wire::Context& context,
                                             GetBucketAnalyticsConfigurationRequest request) {
  CO_TRY_VOID(no_such_configuration(context, request.bucket, request.expected_bucket_owner,
                                    "s3:GetAnalyticsConfiguration"));
  co_return GetBucketAnalyticsConfigurationOutput{};
}

Task<base::Result<ListBucketInventoryConfigurationsOutput>>
Settings::list_bucket_inventory_configurations(const wire::Context& context,
                                               ListBucketInventoryConfigurationsRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, request.expected_bucket_owner,
                    "s3:GetInventoryConfiguration"));
  co_return empty_list<ListBucketInventoryConfigurationsOutput>();
}

Task<base::Result<GetBucketInventoryConfigurationOutput>>
Settings::get_bucket_inventory_configuration(const wire::Context& context,
                                             GetBucketInventoryConfigurationRequest request) {
  CO_TRY_VOID(no_such_configuration(context, request.bucket, request.expected_bucket_owner,
                                    "s3:GetInventoryConfiguration"));
  co_return GetBucketInventoryConfigurationOutput{};
}

Task<base::Result<ListBucketMetricsConfigurationsOutput>>
Settings::list_bucket_metrics_configurations(const wire::Context& context,
                                             ListBucketMetricsConfigurationsRequest request) {
  CO_TRY_VOID(
      enter(context, request.bucket, request.expected_bucket_owner, "s3:GetMetricsConfiguration"));
  co_return empty_list<ListBucketMetricsConfigurationsOutput>();
}

Task<base::Result<GetBucketMetricsConfigurationOutput>> Settings::get_bucket_metrics_configuration(
    const wire::Context& context, GetBucketMetricsConfigurationRequest request) {
  CO_TRY_VOID(no_such_configuration(context, request.bucket, request.expected_bucket_owner,
                                    "s3:GetMetricsConfiguration"));
  co_return GetBucketMetricsConfigurationOutput{};
}

Task<base::Result<ListBucketIntelligentTieringConfigurationsOutput>>
Settings::list_bucket_intelligent_tiering_configurations(
    const wire::Context& context, ListBucketIntelligentTieringConfigurationsRequest request) {
  CO_TRY_VOID(enter(context, request.bucket, {}, "s3:GetIntelligentTieringConfiguration"));
  co_return empty_list<ListBucketIntelligentTieringConfigurationsOutput>();
}

Task<base::Result<GetBucketIntelligentTieringConfigurationOutput>>
Settings::get_bucket_intelligent_tiering_configuration(
    const wire::Context& context, GetBucketIntelligentTieringConfigurationRequest request) {
  CO_TRY_VOID(
      no_such_configuration(context, request.bucket, {}, "s3:GetIntelligentTieringConfiguration"));
  co_return GetBucketIntelligentTieringConfigurationOutput{};
}

}  // namespace terrarium::s3
