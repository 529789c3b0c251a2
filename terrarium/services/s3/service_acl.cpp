// Access control lists of buckets and objects: read and written.
#include "generated/s3/errors.h"
#include "terrarium/services/s3/access.h"
#include "terrarium/services/s3/acl.h"
#include "terrarium/services/s3/settings.h"
#include "terrarium/services/s3/versions.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

std::unexpected<base::Error> nothing_asked() {
  return with_field(
      base::fail(errors::kMissingSecurityHeader, "Your request was missing a required header"),
      "MissingHeaderName", "x-amz-acl");
}

// With lists disabled only what says nothing but "the owner owns it" is taken, and that not by the
// name "private". Source: "Prerequisites for disabling ACLs", Amazon S3 User Guide.
base::Result<void> check_enabled(const BucketRecord& bucket, const AclRequest& asked,
                                 std::string_view acl) {
  const bool equivalent = acl.empty() && asked.canned != "private";
  if (acls_enabled(bucket) || equivalent) return {};
  return base::fail(errors::kAccessControlListNotSupported, "The bucket does not allow ACLs");
}

// The list that is asked for, as it may be kept in the bucket as it is now.
base::Result<StoredAcl> list_to_keep(const wire::Context& context, const BucketRecord& bucket,
                                     const AclRequest& asked, AclOf of, std::string_view key) {
  if (!asked.any()) return nothing_asked();
  TRY(StoredAcl acl, parse_acl(asked, of, context.account));
  TRY_VOID(check_enabled(bucket, asked, acl));
  TRY_VOID(check_public_acl(context, bucket, acl,
                            of == AclOf::Bucket ? "s3:PutBucketAcl" : "s3:PutObjectAcl", key));
  return acl;
}

// Disabled lists are not shown.
std::string_view shown_acl(const BucketRecord& bucket, const StoredAcl& acl) {
  return acls_enabled(bucket) ? std::string_view(acl) : std::string_view();
}

}  // namespace

Task<base::Result<GetBucketAclOutput>> Settings::get_bucket_acl(const wire::Context& context,
                                                                GetBucketAclRequest request) {
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketAcl"));
  GetBucketAclOutput output;
  output.owner = shown_owner(context.account);
  output.grants = shown_grants(shown_acl(bucket, bucket.acl), context.account);
  co_return output;
}

Task<base::Result<wire::Empty>> Settings::put_bucket_acl(const wire::Context& context,
                                                         PutBucketAclRequest request) {
  CO_TRY(BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:PutBucketAcl"));
  CO_TRY_VOID(
      co_await edit(context, std::move(bucket), [&](BucketRecord& record) -> base::Result<void> {
        TRY(record.acl, list_to_keep(context, record, acl_request(request), AclOf::Bucket, {}));
        return {};
      }));
  co_return wire::Empty{};
}

Task<base::Result<GetObjectAclOutput>> Settings::get_object_acl(const wire::Context& context,
                                                                GetObjectAclRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:GetObjectAcl",
               request.key, version_condition(request.version_id)));
  CO_TRY(const StoredVersion version,
         require_version(context, bucket, request.key, request.version_id));
  GetObjectAclOutput output;
  output.owner = shown_owner(context.account);
  output.grants = shown_grants(shown_acl(bucket, version.record.acl), context.account);
  co_return output;
}

Task<base::Result<PutObjectAclOutput>> Settings::put_object_acl(const wire::Context& context,
                                                                PutObjectAclRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:PutObjectAcl",
               request.key, version_condition(request.version_id)));
  const auto decide = [&](Change& change) -> base::Result<void> {
    TRY(StoredVersion version,
        require_settable(context, change.bucket, request.key, request.version_id));
    TRY(version.record.acl,
        list_to_keep(context, change.bucket, acl_request(request), AclOf::Object, request.key));
    rewrite_version(change, version);
    add_events(change, ObjectEvent::AclPut, request.key, version.record,
               next_sequence(context.now, version.record.sequence));
    return {};
  };
  CO_TRY_VOID(co_await change(context, std::move(bucket), decide));
  co_return PutObjectAclOutput{};
}

base::Result<Settings::StoredVersion> Settings::require_settable(
    const wire::Context& context, const BucketRecord& bucket, const std::string& key,
    const std::optional<std::string>& version_id) const {
  auto version = require_version(context, bucket, key, version_id);
  const bool absent = !version.has_value() && version.error().is(errors::kNoSuchKey);
  if (!absent || version_id || bucket.versioning == Versioning::Never) return version;
  TRY(const std::optional<StoredVersion> marker, newest_kept(bucket.number, key, {}));
  if (!marker) return version;
  return require_version(context, bucket, key, version_id_of(marker->record));
}

}  // namespace terrarium::s3
