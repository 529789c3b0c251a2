// Multipart uploads: begun, completed, given up, listed.
#include <charconv>
#include <set>

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

std::vector<CommonPrefix> describe(const std::vector<std::string>& prefixes, bool url) {
  std::vector<CommonPrefix> described;
  for (const std::string& prefix : prefixes) {
    described.push_back({url ? encode_key(prefix) : prefix});
  }
  return described;
}

MultipartUpload describe(const ListedUpload& listed, bool url, std::string_view account) {
  MultipartUpload upload;
  upload.key = url ? encode_key(listed.key) : listed.key;
  upload.upload_id = listed.upload_id;
  upload.initiated = listed.record.initiated;
  upload.storage_class = listed.record.headers.storage_class.empty()
                             ? "STANDARD"
                             : listed.record.headers.storage_class;
  upload.owner = shown_owner(account);
  upload.initiator = shown_initiator(listed.record.principal_arn, account);
  if (listed.record.checksum_asked) {
    upload.checksum_algorithm = checksum_name(listed.record.checksum_kind);
    upload.checksum_type = checksum_type(listed.record.checksum_composite);
  }
  return upload;
}

// Without a key AWS does not look at it.
base::Result<void> check_upload_marker(const ListMultipartUploadsRequest& request) {
  const std::string marker = request.upload_id_marker.value_or("");
  if (marker.empty() || request.key_marker.value_or("").empty()) return {};
  const bool is_id = marker.size() == kUploadIdCharacters && base::hex_decode(marker).has_value();
  if (is_id) return {};
  return invalid_argument("Invalid uploadId marker", "upload-id-marker", marker);
}

// The sequence that an upload's id begins with.
std::uint64_t started_at(std::string_view upload_id) {
  std::uint64_t sequence = 0;
  std::from_chars(upload_id.data(), upload_id.data() + 16, sequence, 16);
  return sequence;
}

}  // namespace

Task<base::Result<CreateMultipartUploadOutput>> Service::create_multipart_upload(
    const wire::Context& context, CreateMultipartUploadRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutObject", request.key));
  CO_TRY_VOID(refuse_unsupported(request));
  UploadRecord upload;
  CO_TRY(upload.headers, object_headers(request));
  CO_TRY(upload.tags, parse_tagging_header(request.tagging.value_or("")));
  if (!upload.tags.empty()) {
    CO_TRY_VOID(check_access(context, bucket, "s3:PutObjectTagging", request.key));
  }
  CO_TRY(upload.acl,
         requested_acl(context, bucket, acl_request(request), "s3:PutObject", request.key));
  CO_TRY_VOID(choose_checksum(request.checksum_algorithm, request.checksum_type, upload));
  upload.initiated = std::chrono::floor<std::chrono::seconds>(context.now);
  upload.principal_arn = context.principal.arn;

  std::string upload_id;
  const auto decide = [&](Change& change) -> base::Result<void> {
    TRY(const auto current, find_object(change.bucket.number, request.key));
    upload.key_existed = current.has_value();
    // Ids begin with their time, so that the uploads of a key are listed oldest first.
    const Generation time{next_sequence(context.now, 0), 0};
    upload_id = time.hex().substr(0, 16) + random_.hex(16);
    change.batch.put(store::Table::S3, upload_key(change.bucket.number, request.key, upload_id),
                     encode(upload));
    return {};
  };
  CO_TRY_VOID(co_await change(context, std::move(bucket), decide));
  CreateMultipartUploadOutput output;
  output.bucket = request.bucket;
  output.key = request.key;
  output.upload_id = upload_id;
  output.server_side_encryption = kEncryption;
  if (upload.checksum_asked) {
    output.checksum_algorithm = checksum_name(upload.checksum_kind);
    output.checksum_type = checksum_type(upload.checksum_composite);
  }
  co_return output;
}

void Service::erase_upload(Change& change, const std::string& key, const std::string& upload_id,
                           const std::map<int, PartRecord>& parts,
                           const std::vector<Segment>& taken_over) {
  std::set<Generation> kept;
  for (const Segment& segment : taken_over) kept.insert(segment.generation);
  for (const auto& [number, part] : parts) {
    if (kept.contains(part.segment.generation)) continue;
    change.batch.erase(store::Table::S3, file_key(part.segment.generation));
    change.aftermath.released.push_back({part.segment.generation, {part.segment.generation}});
  }
  for (const auto& [number, part] : parts) {
    change.batch.erase(store::Table::S3, part_key(upload_id, number));
  }
  change.batch.erase(store::Table::S3, upload_key(change.bucket.number, key, upload_id));
}

base::Result<Service::Written> Service::complete_now(
    Change& change, const CompleteMultipartUploadRequest& request) {
  TRY(const std::optional<ObjectRecord> current, find_object(change.bucket.number, request.key));
  const auto upload = find_upload(change.bucket.number, request.key, request.upload_id);
  if (!upload.has_value()) {
    // Asked again by a client that missed the answer.
    if (current && current->upload_id == request.upload_id) {
      return Written{*current, shown_version_id(change.bucket, *current), {}};
    }
    return std::unexpected(upload.error());
  }
  TRY(const auto parts, find_parts(request.upload_id));
  TRY(Assembled assembled, assemble(request, *upload, parts));
  ObjectRecord& record = assembled.record;
  TRY_VOID(check_completion({request.if_match, request.if_none_match},
                            current ? &*current : nullptr, request.key,
                            {started_at(request.upload_id), upload->key_existed}));
  erase_upload(change, request.key, request.upload_id, parts, assembled.parts);
  put_parts(change.batch, record, assembled.parts);
  TRY_VOID(add_version(change, request.key, current, record));
  add_events(change, ObjectEvent::CompleteMultipartUpload, request.key, record, record.sequence);
  Written written{{}, shown_version_id(change.bucket, record), {}};
  TRY(written.expiration, expiration_of(change.bucket, request.key, record));
  written.record = std::move(record);
  return written;
}

Task<base::Result<CompleteMultipartUploadOutput>> Service::complete_multipart_upload(
    const wire::Context& context, CompleteMultipartUploadRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutObject", request.key));
  CO_TRY_VOID(refuse_unsupported(request));
  Written written;
  CO_TRY_VOID(
      co_await change(context, std::move(bucket), [&](Change& change) -> base::Result<void> {
        TRY(written, complete_now(change, request));
        return {};
      }));
  CompleteMultipartUploadOutput output;
  output.location =
      context.endpoint + "/" + request.bucket + "/" + base::percent_encode_path(request.key);
  output.bucket = request.bucket;
  output.key = request.key;
  output.etag = quoted_etag(written.record.etag);
  output.version_id = written.version_id;
  output.expiration = written.expiration;
  output.server_side_encryption = kEncryption;
  set_checksum(output, *written.record.checksum);
  co_return output;
}

Task<base::Result<AbortMultipartUploadOutput>> Service::abort_multipart_upload(
    const wire::Context& context, AbortMultipartUploadRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:AbortMultipartUpload", request.key));
  CO_TRY_VOID(
      co_await change(context, std::move(bucket), [&](Change& change) -> base::Result<void> {
        TRY_VOID(find_upload(change.bucket.number, request.key, request.upload_id));
        TRY(const auto parts, find_parts(request.upload_id));
        erase_upload(change, request.key, request.upload_id, parts, {});
        return {};
      }));
  co_return AbortMultipartUploadOutput{};
}

Task<base::Result<ListMultipartUploadsOutput>> Service::list_multipart_uploads(
    const wire::Context& context, ListMultipartUploadsRequest request) {
  CO_TRY(const BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                          "s3:ListBucketMultipartUploads"));
  CO_TRY(const bool url, wants_url_encoding(request.encoding_type));
  CO_TRY(const std::size_t limit, page_limit(request.max_uploads, "max-uploads"));
  CO_TRY_VOID(check_upload_marker(request));
  UploadQuery query{request.prefix.value_or(""), request.delimiter.value_or(""),
                    request.key_marker.value_or(""), request.upload_id_marker.value_or(""), limit};
  const auto encode = [url](const std::string& key) { return url ? encode_key(key) : key; };
  ListMultipartUploadsOutput output;
  output.bucket = request.bucket;
  output.prefix = encode(query.prefix);
  output.key_marker = encode(query.after_key);
  output.upload_id_marker = query.after_upload_id;
  output.max_uploads = static_cast<std::int32_t>(limit);
  output.encoding_type = request.encoding_type;
  if (!query.delimiter.empty()) output.delimiter = encode(query.delimiter);
  CO_TRY(const UploadPage page,
         co_await runtime_.blocking().run([this, number = bucket.number, &query] {
           return list_uploads(store_, number, query);
         }));
  output.is_truncated = page.truncated;
  for (const ListedUpload& upload : page.uploads) {
    if (!output.uploads) output.uploads.emplace();
    output.uploads->push_back(describe(upload, url, context.account));
  }
  if (!page.common_prefixes.empty()) output.common_prefixes = describe(page.common_prefixes, url);
  // The last page names them as well, an empty one as empty elements.
  output.next_key_marker = encode(page.last_key);
  output.next_upload_id_marker = page.last_upload_id;
  co_return output;
}

}  // namespace terrarium::s3
