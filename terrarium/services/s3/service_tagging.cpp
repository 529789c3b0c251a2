// Tags of buckets and objects.
#include "generated/s3/errors.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/service.h"

namespace terrarium::s3 {

using runtime::Task;

Task<base::Result<void>> Service::edit_tags(const wire::Context& context, BucketRecord bucket,
                                            std::string key, Tags tags) {
  const auto decide = [&](Change& change) -> base::Result<void> {
    TRY(ObjectRecord record, require_object(context, change.bucket, key));
    record.tags = tags;
    change.batch.put(store::Table::S3, object_key(change.bucket.number, key), encode(record));
    return {};
  };
  co_return co_await change(context, std::move(bucket), decide);
}

Task<base::Result<GetObjectTaggingOutput>> Service::get_object_tagging(
    const wire::Context& context, GetObjectTaggingRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:GetObjectTagging", request.key));
  CO_TRY_VOID(check_version_id(request.version_id));
  CO_TRY(const ObjectRecord record, require_object(context, bucket, request.key));
  GetObjectTaggingOutput output;
  output.version_id = request.version_id;
  output.tag_set = tag_set(record.tags);
  co_return output;
}

Task<base::Result<PutObjectTaggingOutput>> Service::put_object_tagging(
    const wire::Context& context, PutObjectTaggingRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutObjectTagging", request.key));
  CO_TRY_VOID(check_version_id(request.version_id));
  CO_TRY(Tags tags, check_tags(request.tagging.tag_set, kObjectTagsMax));
  CO_TRY_VOID(co_await edit_tags(context, std::move(bucket), request.key, std::move(tags)));
  co_return PutObjectTaggingOutput{request.version_id};
}

Task<base::Result<DeleteObjectTaggingOutput>> Service::delete_object_tagging(
    const wire::Context& context, DeleteObjectTaggingRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:DeleteObjectTagging", request.key));
  CO_TRY_VOID(check_version_id(request.version_id));
  CO_TRY_VOID(co_await edit_tags(context, std::move(bucket), request.key, {}));
  co_return DeleteObjectTaggingOutput{request.version_id};
}

Task<base::Result<GetBucketTaggingOutput>> Service::get_bucket_tagging(
    const wire::Context& context, GetBucketTaggingRequest request) {
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketTagging"));
  if (bucket.tags.empty()) {
    co_return with_field(base::fail(errors::kNoSuchTagSet, "The TagSet does not exist"),
                         "BucketName", request.bucket);
  }
  co_return GetBucketTaggingOutput{tag_set(bucket.tags)};
}

Task<base::Result<wire::Empty>> Service::put_bucket_tagging(const wire::Context& context,
                                                            PutBucketTaggingRequest request) {
  CO_TRY(BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:PutBucketTagging"));
  CO_TRY(const Tags tags, check_tags(request.tagging.tag_set, kBucketTagsMax));
  CO_TRY_VOID(co_await edit(context, std::move(bucket),
                            [&tags](BucketRecord& record) -> base::Result<void> {
                              record.tags = tags;
                              return {};
                            }));
  co_return wire::Empty{};
}

Task<base::Result<wire::Empty>> Service::delete_bucket_tagging(const wire::Context& context,
                                                               DeleteBucketTaggingRequest request) {
  CO_TRY(BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:PutBucketTagging"));
  CO_TRY_VOID(
      co_await edit(context, std::move(bucket), [](BucketRecord& record) -> base::Result<void> {
        record.tags.clear();
        return {};
      }));
  co_return wire::Empty{};
}

}  // namespace terrarium::s3
