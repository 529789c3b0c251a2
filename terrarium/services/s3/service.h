// Amazon S3: one coroutine for each operation of operations.txt.
//
// Operations run on their connection's executor: bodies stream there and on the blocking pool. What
// decides - read, check, write - runs on the control executor in one go, without an await, so that
// no two changes of a bucket cross; the answer waits until the store has synced it.
#pragma once

#include <boost/json/fwd.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generated/s3/model.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/runtime/runtime.h"
#include "terrarium/services/s3/api.h"
#include "terrarium/services/s3/bodies.h"
#include "terrarium/services/s3/conditions.h"
#include "terrarium/services/s3/listing.h"
#include "terrarium/services/s3/notification.h"
#include "terrarium/services/s3/outbox.h"
#include "terrarium/services/s3/records.h"
#include "terrarium/services/s3/requests.h"
#include "terrarium/services/sqs/api.h"
#include "terrarium/store/store.h"
#include "terrarium/wire/policy.h"
#include "terrarium/wire/service.h"

namespace terrarium::s3 {

struct Config {
  std::string state_directory;  // where bodies lie
  std::string account = "000000000000";
};

// S3_OPERATION(create_bucket, CreateBucketRequest, CreateBucketOutput) declares one operation.
#define S3_OPERATION(name, Request, Output) \
  runtime::Task<base::Result<Output>> name(const wire::Context& context, Request request)

class Service final : public Api {
 public:
  // All outlive the service.
  Service(store::Store& store, base::Clock& clock, base::Random& random, runtime::Runtime& runtime,
          sqs::Api& queues, Config config);
  ~Service() override;

  // Makes the folders, sends what waits and sweeps what a crash left, in the background. Before
  // the first operation; from the control executor or while nothing runs on it yet.
  base::Result<void> start();
  // After the last operation has ended. Control executor.
  runtime::Task<void> stop();

  // [{"name": ..., "region": ...}], for `terrarium status`.
  boost::json::array status() const;

  runtime::Task<base::Result<std::string>> read_object(std::string bucket, std::string key,
                                                       std::size_t bytes_max) override;
  runtime::Task<bool> bucket_exists(std::string bucket) override;

  // Buckets: service_bucket.cpp.
  S3_OPERATION(create_bucket, CreateBucketRequest, CreateBucketOutput);
  S3_OPERATION(delete_bucket, DeleteBucketRequest, wire::Empty);
  S3_OPERATION(head_bucket, HeadBucketRequest, HeadBucketOutput);
  S3_OPERATION(list_buckets, ListBucketsRequest, ListBucketsOutput);
  S3_OPERATION(get_bucket_location, GetBucketLocationRequest, GetBucketLocationOutput);
  // Objects: service_object.cpp, service_read.cpp, service_copy.cpp.
  S3_OPERATION(put_object, PutObjectRequest, PutObjectOutput);
  S3_OPERATION(get_object, GetObjectRequest, GetObjectOutput);
  S3_OPERATION(head_object, HeadObjectRequest, HeadObjectOutput);
  S3_OPERATION(delete_object, DeleteObjectRequest, DeleteObjectOutput);
  S3_OPERATION(delete_objects, DeleteObjectsRequest, DeleteObjectsOutput);
  S3_OPERATION(copy_object, CopyObjectRequest, CopyObjectOutput);
  // Tags and access control lists: service_tagging.cpp, service_acl.cpp.
  S3_OPERATION(get_object_tagging, GetObjectTaggingRequest, GetObjectTaggingOutput);
  S3_OPERATION(put_object_tagging, PutObjectTaggingRequest, PutObjectTaggingOutput);
  S3_OPERATION(delete_object_tagging, DeleteObjectTaggingRequest, DeleteObjectTaggingOutput);
  S3_OPERATION(get_bucket_tagging, GetBucketTaggingRequest, GetBucketTaggingOutput);
  S3_OPERATION(put_bucket_tagging, PutBucketTaggingRequest, wire::Empty);
  S3_OPERATION(delete_bucket_tagging, DeleteBucketTaggingRequest, wire::Empty);
  S3_OPERATION(get_object_acl, GetObjectAclRequest, GetObjectAclOutput);
  S3_OPERATION(put_object_acl, PutObjectAclRequest, PutObjectAclOutput);
  S3_OPERATION(get_bucket_acl, GetBucketAclRequest, GetBucketAclOutput);
  S3_OPERATION(put_bucket_acl, PutBucketAclRequest, wire::Empty);
  // Listings: service_list.cpp.
  S3_OPERATION(list_objects, ListObjectsRequest, ListObjectsOutput);
  S3_OPERATION(list_objects_v2, ListObjectsV2Request, ListObjectsV2Output);
  S3_OPERATION(list_object_versions, ListObjectVersionsRequest, ListObjectVersionsOutput);
  // Multipart uploads: service_multipart.cpp, service_part.cpp.
  S3_OPERATION(create_multipart_upload, CreateMultipartUploadRequest, CreateMultipartUploadOutput);
  S3_OPERATION(upload_part, UploadPartRequest, UploadPartOutput);
  S3_OPERATION(upload_part_copy, UploadPartCopyRequest, UploadPartCopyOutput);
  S3_OPERATION(complete_multipart_upload, CompleteMultipartUploadRequest,
               CompleteMultipartUploadOutput);
  S3_OPERATION(abort_multipart_upload, AbortMultipartUploadRequest, AbortMultipartUploadOutput);
  S3_OPERATION(list_parts, ListPartsRequest, ListPartsOutput);
  S3_OPERATION(list_multipart_uploads, ListMultipartUploadsRequest, ListMultipartUploadsOutput);
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
  // Notifications: service_notification.cpp.
  S3_OPERATION(get_bucket_notification_configuration, GetBucketNotificationConfigurationRequest,
               NotificationConfiguration);
  S3_OPERATION(put_bucket_notification_configuration, PutBucketNotificationConfigurationRequest,
               wire::Empty);
  // What is always as AWS has it by default: service_defaults.cpp.
  S3_OPERATION(get_bucket_versioning, GetBucketVersioningRequest, GetBucketVersioningOutput);
  S3_OPERATION(put_bucket_versioning, PutBucketVersioningRequest, wire::Empty);
  S3_OPERATION(get_bucket_accelerate_configuration, GetBucketAccelerateConfigurationRequest,
               GetBucketAccelerateConfigurationOutput);
  S3_OPERATION(get_bucket_cors, GetBucketCorsRequest, GetBucketCorsOutput);
  S3_OPERATION(get_bucket_encryption, GetBucketEncryptionRequest, GetBucketEncryptionOutput);
  S3_OPERATION(get_bucket_lifecycle_configuration, GetBucketLifecycleConfigurationRequest,
               GetBucketLifecycleConfigurationOutput);
  S3_OPERATION(get_bucket_logging, GetBucketLoggingRequest, GetBucketLoggingOutput);
  S3_OPERATION(get_bucket_replication, GetBucketReplicationRequest, GetBucketReplicationOutput);
  S3_OPERATION(get_bucket_request_payment, GetBucketRequestPaymentRequest,
               GetBucketRequestPaymentOutput);
  S3_OPERATION(get_bucket_website, GetBucketWebsiteRequest, GetBucketWebsiteOutput);
  S3_OPERATION(get_object_lock_configuration, GetObjectLockConfigurationRequest,
               GetObjectLockConfigurationOutput);

 private:
  template <class T>
  using Later = runtime::Task<base::Result<T>>;

  // A body that came in, digested and compared with what its sender said of it.
  struct Received {
    NewBody body;
    std::string etag;
    ObjectChecksum checksum;
  };
  struct PartName {
    std::string key;
    std::string upload_id;
    int number = 0;
  };
  // What a change leaves to do once it is on disk.
  struct Aftermath {
    std::vector<std::vector<Segment>> released;  // body by body
    std::vector<std::string> woken;              // destinations with a new event
  };
  // A bucket and a change of it: the parts of a request that every batch needs.
  struct Change {
    const wire::Context& context;
    BucketRecord bucket;  // as it is now
    store::Batch batch;
    Aftermath aftermath;
  };

  // Reading: service.cpp. Any executor.
  base::Result<BucketRecord> find_bucket(std::string_view name) const;
  // With the checks that every operation on a bucket begins with: it is there, the request was
  // signed for its region, it belongs to whom the client expects, the policy allows the action.
  base::Result<BucketRecord> enter(const wire::Context& context, const std::string& bucket,
                                   const std::optional<std::string>& expected_owner,
                                   std::string_view action, std::string_view key = {},
                                   wire::ConditionContext conditions = {}) const;
  // The same wherever the request was signed for.
  base::Result<BucketRecord> enter_from_anywhere(const wire::Context& context,
                                                 const std::string& bucket,
                                                 const std::optional<std::string>& expected_owner,
                                                 std::string_view action,
                                                 std::string_view key) const;
  base::Result<std::optional<ObjectRecord>> find_object(BucketNumber bucket,
                                                        std::string_view key) const;
  // NoSuchKey, or AccessDenied for those who may not know.
  base::Result<ObjectRecord> require_object(const wire::Context& context,
                                            const BucketRecord& bucket,
                                            const std::string& key) const;
  Later<ListPage> list_page(BucketNumber bucket, ListQuery query);
  // An error that is_replaced(): the record is history, read it again.
  Later<std::unique_ptr<http::BodyReader>> open_body(ObjectRecord record, ByteRange range);

  static bool is_replaced(const base::Error& error, int attempt);

  // Changing: service.cpp. Runs `decide` on the control executor with the bucket as it is there,
  // writes the batch that it fills and returns once that is on disk.
  using Decide = std::function<base::Result<void>(Change& change)>;
  Later<void> change(const wire::Context& context, BucketRecord bucket, Decide decide);
  base::Result<Aftermath> decide_now(const wire::Context& context, const BucketRecord& bucket,
                                     const Decide& decide);
  Later<Aftermath> decide_on_control(const wire::Context& context, const BucketRecord& bucket,
                                     const Decide& decide);
  std::uint64_t next_sequence(base::Timestamp now, std::uint64_t above);
  base::Result<void> create_now(const wire::Context& context, BucketRecord record);
  Later<void> create_on_control(const wire::Context& context, const BucketRecord& record);
  // Writes an edited bucket record.
  Later<void> edit(const wire::Context& context, BucketRecord bucket,
                   std::function<base::Result<void>(BucketRecord& bucket)> edit);
  void add_events(Change& change, ObjectEvent event, const std::string& key,
                  const ObjectRecord* object, std::uint64_t sequence);

  // Objects.
  Later<Received> receive(const wire::Context& context, BodyDemands demands);
  Later<Received> copy_body(ObjectRecord source, ByteRange range, base::DigestKind checksum,
                            bool may_be_inline);
  // Puts `record` with its body under `key`, telling of it as `event`.
  Later<ObjectRecord> put_record(const wire::Context& context, BucketRecord bucket, std::string key,
                                 ObjectRecord record, Received received, WriteConditions conditions,
                                 ObjectEvent event);
  void erase_body(Change& change, const ObjectRecord& record);
  base::Result<void> erase_object(Change& change, const std::string& key,
                                  const WriteConditions& conditions);
  Later<void> edit_tags(const wire::Context& context, BucketRecord bucket, std::string key,
                        Tags tags);

  // Asks every queue, and tells those that will be told.
  Later<void> validate_destinations(const wire::Context& context, std::string bucket,
                                    std::vector<NotificationRule> rules);

  // Uploads.
  base::Result<UploadRecord> find_upload(BucketNumber bucket, const std::string& key,
                                         const std::string& upload_id) const;
  base::Result<std::map<int, PartRecord>> find_parts(const std::string& upload_id) const;
  Later<PartRecord> put_part(const wire::Context& context, BucketRecord bucket, PartName name,
                             Received received);
  base::Result<ObjectRecord> complete_now(Change& change,
                                          const CompleteMultipartUploadRequest& request);
  // With the files of its parts, but for those that an object took over.
  void erase_upload(Change& change, const std::string& key, const std::string& upload_id,
                    const std::map<int, PartRecord>& parts, const std::vector<Segment>& taken_over);

  store::Store& store_;
  base::Random& random_;
  runtime::Runtime& runtime_;
  sqs::Api& queues_;
  const Config config_;
  std::unique_ptr<Bodies> bodies_;  // from start() on
  Outbox outbox_;
  std::uint64_t last_sequence_ = 0;  // control executor
};

#undef S3_OPERATION

}  // namespace terrarium::s3
