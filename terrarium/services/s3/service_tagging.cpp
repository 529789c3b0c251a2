// Tags of buckets and objects.
#include "generated/s3/errors.h"
#include "terrarium/services/s3/access.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/settings.h"
#include "terrarium/services/s3/versions.h"

namespace terrarium::s3 {

namespace {

using runtime::Task;

// GetObjectTagging, alone of all operations, names the bucket in the key that it did not find.
std::unexpected<base::Error> with_full_key(base::Error error, const std::string& bucket) {
  for (auto& [name, value] : error.fields) {
    if (name == "Key" && error.is(errors::kNoSuchKey)) value.insert(0, bucket + "/");
  }
  return std::unexpected(std::move(error));
}

}  // namespace

Task<base::Result<std::optional<std::string>>> Settings::edit_tags(
    const wire::Context& context, BucketRecord bucket, std::string key,
    std::optional<std::string> version_id, Tags tags, ObjectEvent event) {
  std::optional<std::string> shown;
  const auto decide = [&](Change& change) -> base::Result<void> {
    TRY(StoredVersion version, require_settable(context, change.bucket, key, version_id));
    version.record.tags = tags;
    rewrite_version(change, version);
    add_events(change, event, key, version.record,
               next_sequence(context.now, version.record.sequence));
    shown = shown_version_id(change.bucket, version.record);
    return {};
  };
  CO_TRY_VOID(co_await change(context, std::move(bucket), decide));
  co_return shown;
}

Task<base::Result<GetObjectTaggingOutput>> Settings::get_object_tagging(
    const wire::Context& context, GetObjectTaggingRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:GetObjectTagging",
               request.key, version_condition(request.version_id)));
  auto version = require_settable(context, bucket, request.key, request.version_id);
  if (!version.has_value()) co_return with_full_key(std::move(version).error(), request.bucket);
  GetObjectTaggingOutput output;
  output.version_id = shown_version_id(bucket, version->record);
  output.tag_set = tag_set(version->record.tags);
  co_return output;
}

Task<base::Result<PutObjectTaggingOutput>> Settings::put_object_tagging(
    const wire::Context& context, PutObjectTaggingRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(Tags tags, check_tags(request.tagging.tag_set, TagsOf::Object));
  wire::ConditionContext conditions = version_condition(request.version_id);
  add_request_tags(conditions, tags);
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutObjectTagging", request.key, std::move(conditions)));
  CO_TRY(auto version_id,
         co_await edit_tags(context, std::move(bucket), request.key, request.version_id,
                            std::move(tags), ObjectEvent::TaggingPut));
  co_return PutObjectTaggingOutput{std::move(version_id)};
}

Task<base::Result<DeleteObjectTaggingOutput>> Settings::delete_object_tagging(
    const wire::Context& context, DeleteObjectTaggingRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:DeleteObjectTagging",
               request.key, version_condition(request.version_id)));
  CO_TRY(auto version_id, co_await edit_tags(context, std::move(bucket), request.key,
                                             request.version_id, {}, ObjectEvent::TaggingDelete));
  co_return DeleteObjectTaggingOutput{std::move(version_id)};
}

Task<base::Result<GetBucketTaggingOutput>> Settings::get_bucket_tagging(
    const wire::Context& context, GetBucketTaggingRequest request) {
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketTagging"));
  if (bucket.tags.empty()) {
    co_return with_field(base::fail(errors::kNoSuchTagSet, "The TagSet does not exist"),
                         "BucketName", request.bucket);
  }
  co_return GetBucketTaggingOutput{tag_set(bucket.tags)};
}

Task<base::Result<wire::Empty>> Settings::put_bucket_tagging(const wire::Context& context,
                                                             PutBucketTaggingRequest request) {
  CO_TRY(BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:PutBucketTagging"));
  CO_TRY(const Tags tags, check_tags(request.tagging.tag_set, TagsOf::Bucket));
  CO_TRY_VOID(co_await edit(context, std::move(bucket),
                            [&tags](BucketRecord& record) -> base::Result<void> {
                              record.tags = tags;
                              return {};
                            }));
  co_return wire::Empty{};
}

Task<base::Result<wire::Empty>> Settings::delete_bucket_tagging(
    const wire::Context& context, DeleteBucketTaggingRequest request) {
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
