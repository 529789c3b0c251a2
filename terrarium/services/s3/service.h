// Amazon S3: one coroutine for each operation of operations.txt.
//
// Operations run on their connection's executor: bodies stream there and on the blocking pool. What
// decides - read, check, write - runs on the control executor in one go, without an await, so that
// no two changes of a bucket cross; the answer waits until the store has synced it.
#pragma once

#include <boost/json/fwd.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "generated/s3/model.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/s3/api.h"
#include "terrarium/services/s3/expirer.h"
#include "terrarium/services/s3/form.h"
#include "terrarium/services/s3/listing.h"
#include "terrarium/services/s3/requests.h"
#include "terrarium/services/s3/settings.h"
#include "terrarium/services/s3/version_listing.h"

namespace terrarium::s3 {

// S3_OPERATION(create_bucket, CreateBucketRequest, CreateBucketOutput) declares one operation.
#define S3_OPERATION(name, Request, Output) \
  runtime::Task<base::Result<Output>> name(const wire::Context& context, Request request)

class Service final : public Api, public Settings {
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

  // [{"name": ..., "region": ..., "objects": 3, "bytes": 4096}], for `terrarium status`; every
  // version counts.
  boost::json::array status() const;

  runtime::Task<base::Result<std::string>> read_object(std::string bucket, std::string key,
                                                       std::optional<std::string> version_id,
                                                       std::size_t bytes_max) override;
  runtime::Task<bool> bucket_exists(std::string bucket) override;

  // Buckets: service_bucket.cpp.
  S3_OPERATION(create_bucket, CreateBucketRequest, CreateBucketOutput);
  S3_OPERATION(delete_bucket, DeleteBucketRequest, wire::Empty);
  S3_OPERATION(head_bucket, HeadBucketRequest, HeadBucketOutput);
  S3_OPERATION(list_buckets, ListBucketsRequest, ListBucketsOutput);
  S3_OPERATION(get_bucket_location, GetBucketLocationRequest, GetBucketLocationOutput);
  // Objects: service_object.cpp, service_form.cpp, service_read.cpp, service_copy.cpp.
  S3_OPERATION(put_object, PutObjectRequest, PutObjectOutput);
  S3_OPERATION(post_object, PostObjectRequest, PostObjectOutput);
  S3_OPERATION(get_object, GetObjectRequest, GetObjectOutput);
  S3_OPERATION(head_object, HeadObjectRequest, HeadObjectOutput);
  S3_OPERATION(get_object_attributes, GetObjectAttributesRequest, GetObjectAttributesOutput);
  S3_OPERATION(delete_object, DeleteObjectRequest, DeleteObjectOutput);
  S3_OPERATION(delete_objects, DeleteObjectsRequest, DeleteObjectsOutput);
  S3_OPERATION(copy_object, CopyObjectRequest, CopyObjectOutput);
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
  // Versioning and lifecycle: service_versioning.cpp, service_lifecycle.cpp.
  S3_OPERATION(get_bucket_versioning, GetBucketVersioningRequest, GetBucketVersioningOutput);
  S3_OPERATION(put_bucket_versioning, PutBucketVersioningRequest, wire::Empty);
  S3_OPERATION(get_bucket_lifecycle_configuration, GetBucketLifecycleConfigurationRequest,
               GetBucketLifecycleConfigurationOutput);
  S3_OPERATION(put_bucket_lifecycle_configuration, PutBucketLifecycleConfigurationRequest,
               PutBucketLifecycleConfigurationOutput);
  S3_OPERATION(delete_bucket_lifecycle, DeleteBucketLifecycleRequest, wire::Empty);

 private:
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
  base::Result<void> create_now(const wire::Context& context, BucketRecord record);
  Later<void> create_on_control(const wire::Context& context, const BucketRecord& record);
  Later<ListPage> list_page(BucketNumber bucket, ListQuery query);
  static void describe_versions(const VersionPage& page, const Owner& owner, bool url,
                                ListObjectVersionsOutput& output);

  // Reads: service_read.cpp.
  struct Selection;
  template <class Request>
  base::Result<Selection> select(const Request& request, const ObjectRecord& record) const;
  template <class Request, class Output>
  base::Result<Selection> answer_read(base::Timestamp now, const BucketRecord& bucket,
                                      const Request& request, const ObjectRecord& record,
                                      Output& output) const;
  // Objects.
  // `bytes_max`: of a body that does not know its length.
  Later<Received> receive(const wire::Context& context, BodyDemands demands,
                          std::optional<std::uint64_t> bytes_max = {});
  Later<Received> copy_body(ObjectRecord source, ByteRange range, base::DigestKind checksum,
                            bool may_be_inline);
  // The object that a copy reads.
  base::Result<StoredVersion> require_source(const wire::Context& context,
                                             const BucketRecord& bucket,
                                             const CopySource& source) const;
  // Puts `record` with its body under `key`, telling of it as `event`.
  struct Written {
    ObjectRecord record;
    std::optional<std::string> version_id;  // as answers show it
    std::optional<std::string> expiration;
  };
  Later<Written> put_record(const wire::Context& context, BucketRecord bucket, std::string key,
                            ObjectRecord record, Received received, WriteConditions conditions,
                            ObjectEvent event);
  base::Result<GetObjectAttributesParts> parts_of(const GetObjectAttributesRequest& request,
                                                  const ObjectRecord& record) const;
  // Forms: service_form.cpp. The context of what a form asks for, once its policy is checked.
  static base::Result<wire::Context> context_of_form(const wire::Context& context,
                                                     const FormFields& fields,
                                                     const BucketRecord& bucket,
                                                     const std::string& key, FormReader& form);
  static PostObjectOutput answer_form(const wire::Context& context, const FormFields& fields,
                                      const std::string& bucket, const std::string& key,
                                      const Written& written);
  // What a deletion did.
  struct Deletion {
    std::optional<std::string> version_id;
    bool delete_marker = false;  // one was made, or removed
  };
  base::Result<Deletion> erase_object(Change& change, const std::string& key,
                                      const std::optional<std::string>& version_id,
                                      const std::optional<std::string>& if_match);
  // What was decided of a key before must be there when it is decided on again.
  base::Result<void> write_before(Change& change, std::set<std::string>& touched,
                                  const std::string& key);
  base::Result<void> erase_objects(Change& change, const Delete& asked,
                                   DeleteObjectsOutput& output);
  static DeletedObject deleted_object(const ObjectIdentifier& object, const Deletion& deletion);
  // Uploads.
  base::Result<UploadRecord> find_upload(BucketNumber bucket, const std::string& key,
                                         const std::string& upload_id) const;
  base::Result<std::map<int, PartRecord>> find_parts(const std::string& upload_id) const;
  Later<PartRecord> put_part(const wire::Context& context, BucketRecord bucket, PartName name,
                             Received received);
  base::Result<Written> complete_now(Change& change, const CompleteMultipartUploadRequest& request);
  // With the files of its parts, but for those that an object took over.
  static void erase_upload(Change& change, const std::string& key, const std::string& upload_id,
                           const std::map<int, PartRecord>& parts,
                           const std::vector<Segment>& taken_over);

  // Lifecycle: service_lifecycle.cpp. Control executor.
  runtime::Task<void> expire_daily();
  runtime::Task<void> expire_due();
  Later<void> expire_bucket(BucketRecord bucket);
  Later<void> expire(const BucketRecord& bucket, std::vector<Expiring> expiring);
  base::Result<void> expire_one(Change& change, const BucketLifecycleConfiguration& configuration,
                                const Expiring& one);
  Later<void> expire_uploads(const BucketRecord& bucket,
                             const BucketLifecycleConfiguration& configuration,
                             base::Timestamp now);

  runtime::TaskGroup tasks_;
  std::shared_ptr<runtime::Event> rules_changed_;  // control executor
};

#undef S3_OPERATION

}  // namespace terrarium::s3
