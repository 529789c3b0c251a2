// Buckets: made, listed, removed.
#include <algorithm>

#include "generated/s3/errors.h"
#include "terrarium/services/s3/acl.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/service.h"
#include "terrarium/wire/authenticate.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

constexpr std::string_view kFirstRegion = "us-east-1";

// Where the bucket goes. The first region's endpoint is also the one of all regions, which makes
// buckets anywhere; the others make them at home.
base::Result<std::string> location_of(const std::optional<std::string>& constraint,
                                      const std::string& region) {
  if (!constraint || constraint->empty()) {
    if (region == kFirstRegion) return region;
    return base::fail(errors::kIllegalLocationConstraintException,
                      "The unspecified location constraint is incompatible for the region "
                      "specific endpoint this request was sent to.");
  }
  const std::string asked = *constraint == "EU" ? "eu-west-1" : *constraint;
  const bool anywhere = region == kFirstRegion;
  if (!wire::is_region_name(asked) || (anywhere && asked == kFirstRegion)) {
    return with_field(base::fail(errors::kInvalidLocationConstraint,
                                 "The specified location-constraint is not valid"),
                      "LocationConstraint", *constraint);
  }
  if (anywhere || asked == region) return asked;
  return base::fail(errors::kIllegalLocationConstraintException,
                    "The " + *constraint +
                        " location constraint is incompatible for the region specific endpoint "
                        "this request was sent to.");
}

base::Result<void> check_ownership(const std::string& ownership) {
  for (const std::string_view known : {kOwnerEnforced, std::string_view("BucketOwnerPreferred"),
                                       std::string_view("ObjectWriter")}) {
    if (ownership == known) return {};
  }
  return with_field(
      base::fail(errors::kInvalidArgument, "Invalid x-amz-object-ownership header: " + ownership),
      "ArgumentName", "x-amz-object-ownership");
}

base::Result<void> check_creation(const CreateBucketRequest& request, const BucketRecord& record) {
  if (!record.acl.empty() && !acls_enabled(record)) {
    return base::fail(errors::kInvalidBucketAclWithObjectOwnership,
                      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced "
                      "setting");
  }
  if (is_public_acl(record.acl) && record.public_access_block->block_public_acls) {
    return base::fail(errors::kInvalidBucketAclWithBlockPublicAccessError,
                      "Bucket cannot have public ACLs set with BlockPublicAccess enabled");
  }
  if (request.object_lock_enabled_for_bucket.value_or(false)) return not_supported("Object Lock");
  const auto& configuration = request.create_bucket_configuration;
  if (configuration && (configuration->bucket || configuration->location)) {
    return not_supported("A directory bucket");
  }
  return {};
}

// What a bucket has that nobody configured. Source: "Default settings for new S3 buckets": since
// April 2023 all four public access blocks are on and access control lists are off.
BucketRecord new_bucket(const wire::Context& context, const CreateBucketRequest& request) {
  BucketRecord record;
  record.name = request.bucket;
  record.region = context.region;
  record.created = context.now;
  record.object_ownership = request.object_ownership.value_or(std::string(kOwnerEnforced));
  record.public_access_block = PublicAccessBlock{true, true, true, true};
  return record;
}

base::Result<void> check_account(const wire::Context& context) {
  if (context.principal.kind != wire::PrincipalKind::Anonymous) return {};
  return base::fail(errors::kAccessDenied, "Access Denied");
}

}  // namespace

base::Result<void> Service::create_now(const wire::Context& context, BucketRecord record) {
  TRY(const std::optional<std::string> stored,
      store_.get(store::Table::S3, bucket_key(record.name)));
  if (stored) {
    TRY(const BucketRecord other, decode_bucket(*stored));
    // Only the first region forgives a second creation.
    if (other.region == kFirstRegion && record.region == kFirstRegion) return {};
    return with_field(
        base::fail(errors::kBucketAlreadyOwnedByYou,
                   "Your previous request to create the named bucket succeeded and you already "
                   "own it."),
        "BucketName", record.name);
  }
  std::size_t buckets = 0;
  const auto end = store::prefix_end(kBucketPrefix);
  for (auto at = store_.scan(store::Table::S3, kBucketPrefix, end); at->valid(); at->next()) {
    ++buckets;
  }
  if (buckets >= kBucketsMax) {
    return base::fail(errors::kTooManyBuckets,
                      "You have attempted to create more buckets than allowed");
  }
  record.number = BucketNumber{next_sequence(context.now, 0)};
  store::Batch batch;
  batch.put(store::Table::S3, bucket_key(record.name), encode(record));
  return store_.write(std::move(batch));
}

Task<base::Result<void>> Service::create_on_control(const wire::Context& context,
                                                    const BucketRecord& record) {
  co_return create_now(context, record);
}

Task<base::Result<CreateBucketOutput>> Service::create_bucket(const wire::Context& context,
                                                              CreateBucketRequest request) {
  CO_TRY_VOID(check_account(context));
  CO_TRY_VOID(check_bucket_name(request.bucket));
  BucketRecord record = new_bucket(context, request);
  CO_TRY_VOID(check_ownership(record.object_ownership));
  CO_TRY(record.acl, parse_acl(acl_request(request), AclOf::Bucket, context.account));
  CO_TRY_VOID(check_creation(request, record));
  const CreateBucketConfiguration configuration =
      request.create_bucket_configuration.value_or(CreateBucketConfiguration());
  CO_TRY(record.region, location_of(configuration.location_constraint, context.region));
  CO_TRY(record.tags, check_tags(configuration.tags.value_or(std::vector<Tag>()), TagsOf::Bucket));

  auto created = co_await runtime::run_on(runtime_.control(), create_on_control(context, record));
  CO_TRY_VOID(co_await store_.sync());
  CO_TRY_VOID(std::move(created));
  CreateBucketOutput output;
  output.bucket_arn = bucket_arn(request.bucket);
  output.location = record.region == kFirstRegion
                        ? "/" + request.bucket
                        : "http://" + request.bucket + ".s3.amazonaws.com/";
  co_return output;
}

Task<base::Result<wire::Empty>> Service::delete_bucket(const wire::Context& context,
                                                       DeleteBucketRequest request) {
  CO_TRY(BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:DeleteBucket"));
  CO_TRY_VOID(co_await change(context, bucket, [this](Change& change) -> base::Result<void> {
    const std::string objects = object_prefix(change.bucket.number);
    if (store_.scan(store::Table::S3, objects, store::prefix_end(objects))->valid()) {
      return with_field(
          base::fail(errors::kBucketNotEmpty, "The bucket you tried to delete is not empty"),
          "BucketName", change.bucket.name);
    }
    const std::string versions = version_prefix(change.bucket.number);
    if (store_.scan(store::Table::S3, versions, store::prefix_end(versions))->valid()) {
      return with_field(base::fail(errors::kBucketNotEmpty,
                                   "The bucket you tried to delete is not empty. You must delete "
                                   "all versions in the bucket."),
                        "BucketName", change.bucket.name);
    }
    change.batch.erase(store::Table::S3, lifecycle_key(change.bucket.number));
    // Uploads under way do not hold a bucket back: they end with it.
    const std::string uploads = upload_prefix(change.bucket.number);
    auto at = store_.scan(store::Table::S3, uploads, store::prefix_end(uploads));
    for (; at->valid(); at->next()) {
      const auto name = parse_upload_key(at->key());
      if (!name) continue;
      TRY(const auto parts, find_parts(name->upload_id));
      erase_upload(change, name->key, name->upload_id, parts, {});
    }
    change.batch.erase(store::Table::S3, cors_key(change.bucket.number));
    change.batch.erase(store::Table::S3, counts_key(change.bucket.number));
    counts_.erase(change.bucket.number);
    change.batch.erase(store::Table::S3, bucket_key(change.bucket.name));
    return {};
  }));
  co_return wire::Empty{};
}

Task<base::Result<HeadBucketOutput>> Service::head_bucket(const wire::Context& context,
                                                          HeadBucketRequest request) {
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:ListBucket"));
  HeadBucketOutput output;
  output.bucket_region = bucket.region;
  output.bucket_arn = bucket_arn(bucket.name);
  output.access_point_alias = false;
  output.content_type = "application/xml";  // of the body that a HEAD does not have
  co_return output;
}

Task<base::Result<ListBucketsOutput>> Service::list_buckets(const wire::Context& context,
                                                            ListBucketsRequest request) {
  CO_TRY_VOID(check_account(context));
  const auto most = static_cast<std::size_t>(kBucketsMax);
  if (request.max_buckets && (*request.max_buckets < 1 || *request.max_buckets > 10'000)) {
    co_return invalid_argument("Argument max-buckets must be an integer between 1 and 10000",
                               "max-buckets", std::to_string(*request.max_buckets));
  }
  const auto limit =
      static_cast<std::size_t>(request.max_buckets.value_or(static_cast<std::int32_t>(most)));
  std::string after;
  if (request.continuation_token) {
    auto decoded = base::base64_decode(*request.continuation_token);
    if (!decoded.has_value()) {
      co_return invalid_argument("The continuation token provided is incorrect",
                                 "continuation-token", *request.continuation_token);
    }
    after = *std::move(decoded);
  }
  // Told to those who ask for anything in particular.
  const bool with_region =
      request.max_buckets || request.prefix || request.bucket_region || request.continuation_token;
  ListBucketsOutput output;
  output.owner = shown_owner(context.account);
  output.prefix = request.prefix;
  auto& buckets = output.buckets.emplace();
  const std::string first = bucket_key(request.prefix.value_or(""));
  const auto cursor = store_.scan(store::Table::S3, first, store::prefix_end(first));
  if (bucket_key(after) > first) cursor->seek(bucket_key(after));
  for (; cursor->valid(); cursor->next()) {
    CO_TRY(const BucketRecord record, decode_bucket(cursor->value()));
    if (record.name <= after) continue;
    if (request.bucket_region && *request.bucket_region != record.region) continue;
    if (buckets.size() == limit) {
      output.continuation_token = base::base64_encode(*buckets.back().name);
      break;
    }
    Bucket& bucket = buckets.emplace_back();
    bucket.name = record.name;
    bucket.bucket_arn = bucket_arn(record.name);
    bucket.creation_date = std::chrono::floor<std::chrono::seconds>(record.created);
    if (with_region) bucket.bucket_region = record.region;
  }
  co_return output;
}

Task<base::Result<GetBucketLocationOutput>> Service::get_bucket_location(
    const wire::Context& context, GetBucketLocationRequest request) {
  // Asked by clients that do not know the region yet.
  CO_TRY(const BucketRecord bucket,
         enter_from_anywhere(context, request.bucket, request.expected_bucket_owner,
                             "s3:GetBucketLocation", {}));
  GetBucketLocationOutput output;
  if (bucket.region != kFirstRegion) output.location_constraint = bucket.region;
  co_return output;
}

}  // namespace terrarium::s3
