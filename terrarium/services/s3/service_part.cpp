// The parts of multipart uploads: sent, copied, listed.
#include "generated/s3/errors.h"
#include "terrarium/services/s3/access.h"
#include "terrarium/services/s3/acl.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/multipart.h"
#include "terrarium/services/s3/service.h"
#include "terrarium/services/s3/versions.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

}  // namespace

base::Result<UploadRecord> Service::find_upload(BucketNumber bucket, const std::string& key,
                                                const std::string& upload_id) const {
  if (upload_id.size() != kUploadIdCharacters) return no_such_upload(upload_id);
  TRY(const std::optional<std::string> stored,
      store_.get(store::Table::S3, upload_key(bucket, key, upload_id)));
  if (!stored) return no_such_upload(upload_id);
  return decode_upload(*stored);
}

base::Result<std::map<int, PartRecord>> Service::find_parts(const std::string& upload_id) const {
  std::map<int, PartRecord> parts;
  const std::string prefix = part_prefix(upload_id);
  auto at = store_.scan(store::Table::S3, prefix, store::prefix_end(prefix));
  for (; at->valid(); at->next()) {
    TRY(PartRecord part, decode_part(at->value()));
    parts.emplace(part_number_of(at->key()), std::move(part));
  }
  return parts;
}

Task<base::Result<PartRecord>> Service::put_part(const wire::Context& context, BucketRecord bucket,
                                                 PartName name, Received received) {
  PartRecord part;
  part.etag = std::move(received.etag);
  part.segment = {received.body.generation(), received.body.bytes(),
                  std::move(received.checksum.value)};
  part.last_modified = std::chrono::floor<std::chrono::seconds>(context.now);
  const auto decide = [&](Change& change) -> base::Result<void> {
    TRY_VOID(find_upload(change.bucket.number, name.key, name.upload_id));
    const std::string key = part_key(name.upload_id, name.number);
    TRY(const std::optional<std::string> stored, store_.get(store::Table::S3, key));
    if (stored) {
      TRY(const PartRecord replaced, decode_part(*stored));
      change.batch.erase(store::Table::S3, file_key(replaced.segment.generation));
      const Generation& old = replaced.segment.generation;
      change.aftermath.released.push_back({old, {old}});
    }
    received.body.claim();
    change.batch.put(store::Table::S3, file_key(part.segment.generation), {});
    change.batch.put(store::Table::S3, key, encode(part));
    return {};
  };
  CO_TRY_VOID(co_await change(context, std::move(bucket), decide));
  co_return part;
}

Task<base::Result<UploadPartOutput>> Service::upload_part(const wire::Context& context,
                                                          UploadPartRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY_VOID(check_part_number(request.part_number));
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutObject", request.key));
  CO_TRY_VOID(refuse_unsupported(request));
  CO_TRY(const UploadRecord upload, find_upload(bucket.number, request.key, request.upload_id));
  BodyDemands demands;
  demands.content_md5 = request.content_md5;
  demands.checksum = upload.checksum_kind;
  // A part's file becomes a piece of the object's, whatever its size.
  demands.may_be_inline = false;
  CO_TRY(demands.declared,
         declared_checksum(context, checksum_headers(request), request.checksum_algorithm));
  CO_TRY_VOID(check_part_checksum(upload, demands.declared));
  CO_TRY(Received received, co_await receive(context, std::move(demands)));
  CO_TRY(const PartRecord part,
         co_await put_part(context, std::move(bucket),
                           {request.key, request.upload_id, request.part_number},
                           std::move(received)));
  UploadPartOutput output;
  output.etag = quoted_etag(part.etag);
  output.server_side_encryption = kEncryption;
  set_checksum(output, upload.checksum_kind, part.segment.checksum);
  co_return output;
}

Task<base::Result<UploadPartCopyOutput>> Service::upload_part_copy(const wire::Context& context,
                                                                   UploadPartCopyRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY_VOID(check_part_number(request.part_number));
  CO_TRY(const CopySource source, parse_copy_source(request.copy_source));
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:PutObject", request.key));
  CO_TRY_VOID(refuse_unsupported(request));
  CO_TRY(const UploadRecord upload, find_upload(bucket.number, request.key, request.upload_id));
  CO_TRY(
      const BucketRecord from,
      enter_from_anywhere(context, source.bucket, request.expected_source_bucket_owner,
                          source_action(source), source.key, version_condition(source.version_id)));
  const ReadConditions conditions{request.copy_source_if_match, request.copy_source_if_none_match,
                                  request.copy_source_if_modified_since,
                                  request.copy_source_if_unmodified_since, context.now};
  for (int attempt = 0;; ++attempt) {
    CO_TRY(const StoredVersion version, require_source(context, from, source));
    const ObjectRecord& original = version.record;
    CO_TRY_VOID(check_copy_source(conditions, original));
    ByteRange range{0, original.bytes};
    if (request.copy_source_range) {
      CO_TRY(range, parse_copy_range(*request.copy_source_range, original.bytes));
    }
    if (range.bytes > kPutBytesMax) {
      co_return base::fail(errors::kInvalidRequest,
                           "The specified copy source is larger than the maximum allowable size "
                           "for a copy source: " +
                               std::to_string(kPutBytesMax));
    }
    auto copied = co_await copy_body(original, range, upload.checksum_kind, false);
    if (!copied.has_value()) {
      if (is_replaced(copied.error(), attempt)) continue;
      co_return std::unexpected(std::move(copied).error());
    }
    CO_TRY(const PartRecord part,
           co_await put_part(context, bucket, {request.key, request.upload_id, request.part_number},
                             *std::move(copied)));
    UploadPartCopyOutput output;
    output.server_side_encryption = kEncryption;
    output.copy_source_version_id = shown_version_id(from, original);
    CopyPartResult& result = output.copy_part_result.emplace();
    result.etag = quoted_etag(part.etag);
    result.last_modified = part.last_modified;
    if (upload.checksum_asked) {
      set_checksum(result, upload.checksum_kind, part.segment.checksum);
    }
    co_return output;
  }
}

Task<base::Result<ListPartsOutput>> Service::list_parts(const wire::Context& context,
                                                        ListPartsRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:ListMultipartUploadParts", request.key));
  CO_TRY_VOID(refuse_unsupported(request));
  CO_TRY(const std::size_t limit, page_limit(request.max_parts, "max-parts"));
  if (request.part_number_marker.value_or(0) < 0) {
    co_return invalid_argument(
        "Argument part-number-marker must be an integer between 0 and 2147483647",
        "part-number-marker", std::to_string(*request.part_number_marker));
  }
  CO_TRY(const UploadRecord upload, find_upload(bucket.number, request.key, request.upload_id));
  CO_TRY(const auto parts, find_parts(request.upload_id));
  ListPartsOutput output;
  output.bucket = request.bucket;
  output.key = request.key;
  output.upload_id = request.upload_id;
  output.max_parts = static_cast<std::int32_t>(limit);
  output.part_number_marker = request.part_number_marker.value_or(0);
  output.storage_class =
      upload.headers.storage_class.empty() ? "STANDARD" : upload.headers.storage_class;
  output.owner = shown_owner(context.account);
  output.initiator = shown_initiator(upload.principal_arn, context.account);
  if (upload.checksum_asked) {
    output.checksum_algorithm = checksum_name(upload.checksum_kind);
    output.checksum_type = checksum_type(upload.checksum_composite);
  }
  output.is_truncated = false;
  output.next_part_number_marker = 0;
  for (auto at = parts.upper_bound(*output.part_number_marker); at != parts.end(); ++at) {
    if (!output.parts) output.parts.emplace();
    if (output.parts->size() == limit) {
      output.is_truncated = true;
      break;
    }
    Part& part = output.parts->emplace_back();
    part.part_number = output.next_part_number_marker = at->first;
    part.etag = quoted_etag(at->second.etag);
    part.size = static_cast<std::int64_t>(at->second.segment.bytes);
    part.last_modified = at->second.last_modified;
    if (upload.checksum_asked) {
      set_checksum(part, upload.checksum_kind, at->second.segment.checksum);
    }
  }
  co_return output;
}

}  // namespace terrarium::s3
