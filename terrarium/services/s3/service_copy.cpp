// Objects copied inside the region. The bytes of a plain object are not copied: its file gets a
// second name.
#include "generated/s3/errors.h"
#include "terrarium/services/s3/access.h"
#include "terrarium/services/s3/acl.h"
#include "terrarium/services/s3/service.h"
#include "terrarium/services/s3/versions.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

base::Result<bool> replaces(const std::optional<std::string>& directive, std::string_view header,
                            std::string_view what) {
  if (!directive || *directive == "COPY") return false;
  if (*directive == "REPLACE") return true;
  return invalid_argument("Unknown " + std::string(what) + " directive.", std::string(header),
                          *directive);
}

// What the copy says of itself: the source's word, or the request's.
base::Result<ObjectHeaders> headers_of_copy(const CopyObjectRequest& request,
                                            const ObjectRecord& source, bool replace) {
  TRY(ObjectHeaders headers, object_headers(request));
  if (replace) return headers;
  ObjectHeaders copied = source.headers;
  // These two are never taken from the source.
  copied.storage_class = headers.storage_class;
  copied.website_redirect_location = headers.website_redirect_location;
  return copied;
}

base::Result<void> check_self_copy(const CopyObjectRequest& request, const CopySource& source,
                                   bool replace) {
  // An older version copied onto its key comes back: that is a change.
  const bool same =
      source.bucket == request.bucket && source.key == request.key && !source.version_id;
  // Naming a storage class is enough, even the one that it has.
  if (!same || replace || request.website_redirect_location || request.server_side_encryption ||
      request.storage_class) {
    return {};
  }
  return base::fail(errors::kInvalidRequest,
                    "This copy request is illegal because it is trying to copy an object to "
                    "itself without changing the object's metadata, storage class, website "
                    "redirect location or encryption attributes.");
}

base::Result<base::DigestKind> checksum_of_copy(const std::optional<std::string>& asked,
                                                const ObjectRecord& source) {
  if (!asked) return source.checksum ? source.checksum->kind : kDefaultChecksum;
  const auto kind = checksum_kind(*asked);
  if (kind) return *kind;
  return base::fail(errors::kInvalidRequest,
                    "Checksum algorithm provided is unsupported. Please try again with any of the "
                    "valid types: [CRC32, CRC32C, SHA1, SHA256, CRC64NVME]");
}

base::Result<void> check_size(const ObjectRecord& source) {
  if (source.bytes <= kPutBytesMax) return {};
  return base::fail(errors::kInvalidRequest,
                    "The specified copy source is larger than the maximum allowable size for a "
                    "copy source: " +
                        std::to_string(kPutBytesMax));
}

ReadConditions source_conditions(const CopyObjectRequest& request, base::Timestamp now) {
  return {request.copy_source_if_match, request.copy_source_if_none_match,
          request.copy_source_if_modified_since, request.copy_source_if_unmodified_since, now};
}

}  // namespace

Task<base::Result<Service::Received>> Service::copy_body(ObjectRecord source, ByteRange range,
                                                         base::DigestKind checksum,
                                                         bool may_be_inline) {
  const bool digests_known = range.bytes == source.bytes && source.parts == 0 && source.checksum &&
                             source.checksum->kind == checksum;
  if (digests_known && source.place == BodyPlace::File) {
    const Bodies::Pin pin = bodies_->pin(source.body);
    if (!pin) co_return base::fail(base::ErrorKind::NotFound, "The body was replaced.");
    auto linked = co_await bodies_->link(source.body, source.bytes);
    if (linked.has_value()) {
      co_return Received{*std::move(linked), source.etag, *source.checksum};
    }
    if (linked.error().kind != base::ErrorKind::Conflict) {
      co_return std::unexpected(std::move(linked).error());
    }
  }
  CO_TRY(const std::unique_ptr<http::BodyReader> reader, co_await open_body(source, range));
  const auto digests = std::make_shared<BodyDigests>(std::span(&checksum, 1));
  CO_TRY(NewBody body,
         co_await bodies_->take(*reader, {range.bytes, true}, may_be_inline, digests));
  co_return Received{std::move(body),
                     base::hex_encode(digests->md5()),
                     {checksum, false, base::base64_encode(digests->digest(checksum))}};
}

base::Result<Service::StoredVersion> Service::require_source(const wire::Context& context,
                                                             const BucketRecord& bucket,
                                                             const CopySource& source) const {
  auto found = require_version(context, bucket, source.key, source.version_id);
  if (found.has_value() || !found.error().is(errors::kMethodNotAllowed)) return found;
  return base::fail(errors::kInvalidRequest,
                    "The source of a copy request may not specifically refer to a delete marker "
                    "by version id.");
}

Task<base::Result<CopyObjectOutput>> Service::copy_object(const wire::Context& context,
                                                          CopyObjectRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(const CopySource source, parse_copy_source(request.copy_source));
  CO_TRY(const bool replace_metadata,
         replaces(request.metadata_directive, "x-amz-metadata-directive", "metadata"));
  CO_TRY(const bool replace_tags,
         replaces(request.tagging_directive, "x-amz-tagging-directive", "tagging"));
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:PutObject", request.key));
  CO_TRY_VOID(refuse_unsupported(request));
  CO_TRY(const StoredAcl acl,
         requested_acl(context, bucket, acl_request(request), "s3:PutObject", request.key));
  CO_TRY(
      const BucketRecord from,
      enter_from_anywhere(context, source.bucket, request.expected_source_bucket_owner,
                          source_action(source), source.key, version_condition(source.version_id)));
  for (int attempt = 0;; ++attempt) {
    CO_TRY(const StoredVersion version, require_source(context, from, source));
    const ObjectRecord& original = version.record;
    CO_TRY_VOID(check_copy_source(source_conditions(request, context.now), original));
    CO_TRY_VOID(check_size(original));
    CO_TRY_VOID(check_self_copy(request, source, replace_metadata));
    ObjectRecord record;
    CO_TRY(record.headers, headers_of_copy(request, original, replace_metadata));
    record.acl = acl;
    record.tags = original.tags;
    if (replace_tags) {
      CO_TRY(record.tags, parse_tagging_header(request.tagging.value_or("")));
    }
    if (!record.tags.empty()) {
      CO_TRY_VOID(check_access(context, bucket, "s3:PutObjectTagging", request.key));
    }
    CO_TRY(const base::DigestKind checksum, checksum_of_copy(request.checksum_algorithm, original));
    auto copied = co_await copy_body(original, {0, original.bytes}, checksum, true);
    if (!copied.has_value()) {
      if (is_replaced(copied.error(), attempt)) continue;
      co_return std::unexpected(std::move(copied).error());
    }
    CO_TRY(const Written written,
           co_await put_record(context, bucket, request.key, std::move(record), *std::move(copied),
                               {request.if_match, request.if_none_match}, ObjectEvent::Copy));
    CopyObjectOutput output;
    output.server_side_encryption = kEncryption;
    output.version_id = written.version_id;
    output.copy_source_version_id = shown_version_id(from, original);
    output.expiration = written.expiration;
    CopyObjectResult& result = output.copy_object_result.emplace();
    result.etag = quoted_etag(written.record.etag);
    result.last_modified = written.record.last_modified;
    set_checksum(result, *written.record.checksum);
    co_return output;
  }
}

}  // namespace terrarium::s3
