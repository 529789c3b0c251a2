// What a bucket or an object is set to: tags, access control, CORS, encryption, notifications and
// the rest of the sub-resources. One coroutine for each operation, as in service.h, whose base this
// is; executors as there.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "generated/s3/model.h"
#include "terrarium/services/lambda/api.h"
#include "terrarium/services/s3/core.h"
#include "terrarium/services/s3/names.h"

namespace terrarium::s3 {

#define S3_OPERATION(name, Request, Output) \
  runtime::Task<base::Result<Output>> name(const wire::Context& context, Request request)

class Settings : protected Core {
 public:
  // Where notifications to functions go; outlives the service. Before start(); without it they
  // wait.
  void connect(lambda::Api& functions);
  // What CORS has to say to a page of another origin, added to the answer of any request, signed or
  // not. `path`: raw, path style. Any executor.
  void finish_answer(const wire::Context& context, std::string_view path,
                     http::Response& response) const;

  // Tags: service_tagging.cpp.
  S3_OPERATION(get_object_tagging, GetObjectTaggingRequest, GetObjectTaggingOutput);
  S3_OPERATION(put_object_tagging, PutObjectTaggingRequest, PutObjectTaggingOutput);
  S3_OPERATION(delete_object_tagging, DeleteObjectTaggingRequest, DeleteObjectTaggingOutput);
  S3_OPERATION(get_bucket_tagging, GetBucketTaggingRequest, GetBucketTaggingOutput);
  S3_OPERATION(put_bucket_tagging, PutBucketTaggingRequest, wire::Empty);
  S3_OPERATION(delete_bucket_tagging, DeleteBucketTaggingRequest, wire::Empty);
  // Access control lists: service_acl.cpp.
  S3_OPERATION(get_object_acl, GetObjectAclRequest, GetObjectAclOutput);
  S3_OPERATION(put_object_acl, PutObjectAclRequest, PutObjectAclOutput);
  S3_OPERATION(get_bucket_acl, GetBucketAclRequest, GetBucketAclOutput);
  S3_OPERATION(put_bucket_acl, PutBucketAclRequest, wire::Empty);
  // Who may: service_access.cpp.
  S3_OPERATION(get_bucket_policy, GetBucketPolicyRequest, GetBucketPolicyOutput);
  S3_OPERATION(get_bucket_policy_status, GetBucketPolicyStatusRequest, GetBucketPolicyStatusOutput);
  S3_OPERATION(put_bucket_policy, PutBucketPolicyRequest, wire::Empty);
  S3_OPERATION(delete_bucket_policy, DeleteBucketPolicyRequest, wire::Empty);
  S3_OPERATION(get_public_access_block, GetPublicAccessBlockRequest, GetPublicAccessBlockOutput);
  S3_OPERATION(put_public_access_block, PutPublicAccessBlockRequest, wire::Empty);
  S3_OPERATION(delete_public_access_block, DeletePublicAccessBlockRequest, wire::Empty);
  S3_OPERATION(get_bucket_ownership_controls, GetBucketOwnershipControlsRequest,
               GetBucketOwnershipControlsOutput);
  S3_OPERATION(put_bucket_ownership_controls, PutBucketOwnershipControlsRequest, wire::Empty);
  S3_OPERATION(delete_bucket_ownership_controls, DeleteBucketOwnershipControlsRequest, wire::Empty);
  // Pages of other origins: service_cors.cpp.
  S3_OPERATION(get_bucket_cors, GetBucketCorsRequest, GetBucketCorsOutput);
  S3_OPERATION(put_bucket_cors, PutBucketCorsRequest, wire::Empty);
  S3_OPERATION(delete_bucket_cors, DeleteBucketCorsRequest, wire::Empty);
  S3_OPERATION(options_bucket, OptionsRequest, OptionsOutput);
  S3_OPERATION(options_object, OptionsRequest, OptionsOutput);
  // Notifications: service_notification.cpp.
  S3_OPERATION(get_bucket_notification_configuration, GetBucketNotificationConfigurationRequest,
               NotificationConfiguration);
  S3_OPERATION(put_bucket_notification_configuration, PutBucketNotificationConfigurationRequest,
               wire::Empty);
  // Kept, within what this region does: service_settings.cpp.
  S3_OPERATION(get_bucket_accelerate_configuration, GetBucketAccelerateConfigurationRequest,
               GetBucketAccelerateConfigurationOutput);
  S3_OPERATION(put_bucket_accelerate_configuration, PutBucketAccelerateConfigurationRequest,
               wire::Empty);
  S3_OPERATION(get_bucket_encryption, GetBucketEncryptionRequest, GetBucketEncryptionOutput);
  S3_OPERATION(put_bucket_encryption, PutBucketEncryptionRequest, wire::Empty);
  S3_OPERATION(delete_bucket_encryption, DeleteBucketEncryptionRequest, wire::Empty);
  S3_OPERATION(get_bucket_logging, GetBucketLoggingRequest, GetBucketLoggingOutput);
  S3_OPERATION(put_bucket_logging, PutBucketLoggingRequest, wire::Empty);
  S3_OPERATION(get_bucket_request_payment, GetBucketRequestPaymentRequest,
               GetBucketRequestPaymentOutput);
  S3_OPERATION(put_bucket_request_payment, PutBucketRequestPaymentRequest, wire::Empty);
  // Never there: service_defaults.cpp.
  S3_OPERATION(get_bucket_replication, GetBucketReplicationRequest, GetBucketReplicationOutput);
  S3_OPERATION(delete_bucket_replication, DeleteBucketReplicationRequest, wire::Empty);
  S3_OPERATION(get_bucket_website, GetBucketWebsiteRequest, GetBucketWebsiteOutput);
  S3_OPERATION(delete_bucket_website, DeleteBucketWebsiteRequest, wire::Empty);
  S3_OPERATION(get_object_lock_configuration, GetObjectLockConfigurationRequest,
               GetObjectLockConfigurationOutput);
  S3_OPERATION(put_object_lock_configuration, PutObjectLockConfigurationRequest,
               PutObjectLockConfigurationOutput);
  S3_OPERATION(get_object_retention, GetObjectRetentionRequest, GetObjectRetentionOutput);
  S3_OPERATION(put_object_retention, PutObjectRetentionRequest, PutObjectRetentionOutput);
  S3_OPERATION(get_object_legal_hold, GetObjectLegalHoldRequest, GetObjectLegalHoldOutput);
  S3_OPERATION(put_object_legal_hold, PutObjectLegalHoldRequest, PutObjectLegalHoldOutput);
  S3_OPERATION(restore_object, RestoreObjectRequest, RestoreObjectOutput);
  // Configurations with ids, of which no bucket has any: service_defaults.cpp.
  S3_OPERATION(list_bucket_analytics_configurations, ListBucketAnalyticsConfigurationsRequest,
               ListBucketAnalyticsConfigurationsOutput);
  S3_OPERATION(get_bucket_analytics_configuration, GetBucketAnalyticsConfigurationRequest,
               GetBucketAnalyticsConfigurationOutput);
  S3_OPERATION(list_bucket_inventory_configurations, ListBucketInventoryConfigurationsRequest,
               ListBucketInventoryConfigurationsOutput);
  S3_OPERATION(get_bucket_inventory_configuration, GetBucketInventoryConfigurationRequest,
               GetBucketInventoryConfigurationOutput);
  S3_OPERATION(list_bucket_metrics_configurations, ListBucketMetricsConfigurationsRequest,
               ListBucketMetricsConfigurationsOutput);
  S3_OPERATION(get_bucket_metrics_configuration, GetBucketMetricsConfigurationRequest,
               GetBucketMetricsConfigurationOutput);
  S3_OPERATION(list_bucket_intelligent_tiering_configurations,
               ListBucketIntelligentTieringConfigurationsRequest,
               ListBucketIntelligentTieringConfigurationsOutput);
  S3_OPERATION(get_bucket_intelligent_tiering_configuration,
               GetBucketIntelligentTieringConfigurationRequest,
               GetBucketIntelligentTieringConfigurationOutput);

 protected:
  using Core::Core;
  ~Settings() = default;

 private:
  // The version id to answer.
  Later<std::optional<std::string>> edit_tags(const wire::Context& context, BucketRecord bucket,
                                              std::string key,
                                              std::optional<std::string> version_id, Tags tags,
                                              ObjectEvent event);
  // require_version(), but a delete marker is not a missing object: nothing can be set on it.
  base::Result<StoredVersion> require_settable(const wire::Context& context,
                                               const BucketRecord& bucket, const std::string& key,
                                               const std::optional<std::string>& version_id) const;
  // Of a bucket that is there: its rules, perhaps none.
  base::Result<CORSConfiguration> find_cors(const BucketRecord& bucket) const;
  base::Result<OptionsOutput> answer_options(const OptionsRequest& request) const;
  Later<void> check_destination(std::string arn, std::string bucket);
  // Asks every destination, and tells the queues that they will be told.
  Later<void> validate_destinations(const wire::Context& context, std::string bucket,
                                    std::vector<NotificationRule> rules);
  // A request about Object Lock of one object.
  base::Result<void> refuse_lock(const wire::Context& context, const std::string& bucket,
                                 const std::string& key,
                                 const std::optional<std::string>& expected_owner,
                                 std::string_view action) const;
  // A request for a configuration that has an id.
  base::Result<void> no_such_configuration(const wire::Context& context, const std::string& bucket,
                                           const std::optional<std::string>& expected_owner,
                                           std::string_view action) const;

  lambda::Api* functions_ = nullptr;
};

#undef S3_OPERATION

}  // namespace terrarium::s3
