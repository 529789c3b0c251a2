// Bucket policies, public access blocks and ownership controls.
#include "generated/s3/errors.h"
#include "terrarium/services/s3/access.h"
#include "terrarium/services/s3/requests.h"
#include "terrarium/services/s3/settings.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

std::unexpected<base::Error> missing(const base::ErrorRow& row, std::string message,
                                     const std::string& bucket) {
  return with_field(base::fail(row, std::move(message)), "BucketName", bucket);
}

std::unexpected<base::Error> no_such_policy(const std::string& bucket) {
  return missing(errors::kNoSuchBucketPolicy, "The bucket policy does not exist", bucket);
}

base::Result<void> check_public_policy(const wire::Context& context, const BucketRecord& bucket,
                                       const wire::Policy& policy) {
  const bool blocked =
      bucket.public_access_block && bucket.public_access_block->block_public_policy;
  if (!blocked || !policy.is_public()) return {};
  return base::fail(errors::kAccessDenied,
                    "User: " + context.principal.arn +
                        " is not authorized to perform: s3:PutBucketPolicy on resource: \"" +
                        bucket_arn(bucket.name) +
                        "\" because public policies are prevented by the BlockPublicPolicy "
                        "setting in S3 Block Public Access.");
}

base::Result<std::string> check_ownership(const OwnershipControls& controls) {
  if (controls.rules.size() == 1) {
    const std::string& ownership = controls.rules.front().object_ownership;
    if (ownership == kOwnerEnforced || ownership == "BucketOwnerPreferred" ||
        ownership == "ObjectWriter") {
      return ownership;
    }
  }
  return malformed_xml();
}

}  // namespace

Task<base::Result<GetBucketPolicyOutput>> Settings::get_bucket_policy(
    const wire::Context& context, GetBucketPolicyRequest request) {
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketPolicy"));
  if (bucket.policy.empty()) co_return no_such_policy(request.bucket);
  co_return GetBucketPolicyOutput{bucket.policy};
}

Task<base::Result<GetBucketPolicyStatusOutput>> Settings::get_bucket_policy_status(
    const wire::Context& context, GetBucketPolicyStatusRequest request) {
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketPolicyStatus"));
  if (bucket.policy.empty()) co_return no_such_policy(request.bucket);
  CO_TRY(const wire::Policy policy, read_bucket_policy(bucket.policy));
  co_return GetBucketPolicyStatusOutput{PolicyStatus{policy.is_public()}};
}

Task<base::Result<wire::Empty>> Settings::put_bucket_policy(const wire::Context& context,
                                                            PutBucketPolicyRequest request) {
  CO_TRY(BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:PutBucketPolicy"));
  CO_TRY(const wire::Policy policy, parse_bucket_policy(request.policy, request.bucket));
  // The block is asked where it is decided: it may be put on at this moment.
  CO_TRY_VOID(
      co_await edit(context, std::move(bucket), [&](BucketRecord& record) -> base::Result<void> {
        TRY_VOID(check_public_policy(context, record, policy));
        record.policy = request.policy;
        return {};
      }));
  co_return wire::Empty{};
}

Task<base::Result<wire::Empty>> Settings::delete_bucket_policy(const wire::Context& context,
                                                               DeleteBucketPolicyRequest request) {
  CO_TRY(BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:DeleteBucketPolicy"));
  CO_TRY_VOID(
      co_await edit(context, std::move(bucket), [](BucketRecord& record) -> base::Result<void> {
        record.policy.clear();
        return {};
      }));
  co_return wire::Empty{};
}

Task<base::Result<GetPublicAccessBlockOutput>> Settings::get_public_access_block(
    const wire::Context& context, GetPublicAccessBlockRequest request) {
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:GetBucketPublicAccessBlock"));
  if (!bucket.public_access_block) {
    co_return missing(errors::kNoSuchPublicAccessBlockConfiguration,
                      "The public access block configuration was not found", request.bucket);
  }
  const PublicAccessBlock& block = *bucket.public_access_block;
  co_return GetPublicAccessBlockOutput{
      PublicAccessBlockConfiguration{block.block_public_acls, block.ignore_public_acls,
                                     block.block_public_policy, block.restrict_public_buckets}};
}

Task<base::Result<wire::Empty>> Settings::put_public_access_block(
    const wire::Context& context, PutPublicAccessBlockRequest request) {
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutBucketPublicAccessBlock"));
  const PublicAccessBlockConfiguration& given = request.public_access_block_configuration;
  const PublicAccessBlock block{
      given.block_public_acls.value_or(false), given.ignore_public_acls.value_or(false),
      given.block_public_policy.value_or(false), given.restrict_public_buckets.value_or(false)};
  CO_TRY_VOID(co_await edit(context, std::move(bucket),
                            [&block](BucketRecord& record) -> base::Result<void> {
                              record.public_access_block = block;
                              return {};
                            }));
  co_return wire::Empty{};
}

Task<base::Result<wire::Empty>> Settings::delete_public_access_block(
    const wire::Context& context, DeletePublicAccessBlockRequest request) {
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutBucketPublicAccessBlock"));
  CO_TRY_VOID(
      co_await edit(context, std::move(bucket), [](BucketRecord& record) -> base::Result<void> {
        record.public_access_block.reset();
        return {};
      }));
  co_return wire::Empty{};
}

Task<base::Result<GetBucketOwnershipControlsOutput>> Settings::get_bucket_ownership_controls(
    const wire::Context& context, GetBucketOwnershipControlsRequest request) {
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:GetBucketOwnershipControls"));
  if (bucket.object_ownership.empty()) {
    co_return missing(errors::kOwnershipControlsNotFoundError,
                      "The bucket ownership controls were not found", request.bucket);
  }
  co_return GetBucketOwnershipControlsOutput{
      OwnershipControls{{OwnershipControlsRule{bucket.object_ownership}}}};
}

Task<base::Result<wire::Empty>> Settings::put_bucket_ownership_controls(
    const wire::Context& context, PutBucketOwnershipControlsRequest request) {
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutBucketOwnershipControls"));
  CO_TRY(const std::string ownership, check_ownership(request.ownership_controls));
  CO_TRY_VOID(co_await edit(
      context, std::move(bucket), [&ownership](BucketRecord& record) -> base::Result<void> {
        if (ownership == kOwnerEnforced && !record.acl.empty()) {
          return base::fail(errors::kInvalidBucketAclWithObjectOwnership,
                            "Bucket cannot have ACLs set with ObjectOwnership's "
                            "BucketOwnerEnforced setting");
        }
        record.object_ownership = ownership;
        return {};
      }));
  co_return wire::Empty{};
}

Task<base::Result<wire::Empty>> Settings::delete_bucket_ownership_controls(
    const wire::Context& context, DeleteBucketOwnershipControlsRequest request) {
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutBucketOwnershipControls"));
  CO_TRY_VOID(
      co_await edit(context, std::move(bucket), [](BucketRecord& record) -> base::Result<void> {
        record.object_ownership.clear();
        return {};
      }));
  co_return wire::Empty{};
}

}  // namespace terrarium::s3
