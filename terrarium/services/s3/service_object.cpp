// Objects put and deleted.
#include <algorithm>
#include <set>

#include "generated/s3/errors.h"
#include "terrarium/services/s3/access.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/service.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

std::unexpected<base::Error> too_large(std::uint64_t bytes, std::uint64_t bytes_max) {
  return with_field(with_field(base::fail(errors::kEntityTooLarge,
                                          "Your proposed upload exceeds the maximum allowed size"),
                               "ProposedSize", std::to_string(bytes)),
                    "MaxSizeAllowed", std::to_string(bytes_max));
}

base::Result<std::uint64_t> body_length(const wire::Context& context) {
  if (context.body == nullptr) return 0;
  const auto length = context.body->length();
  if (!length) {
    return base::fail(errors::kMissingContentLength,
                      "You must provide the Content-Length HTTP header.");
  }
  if (*length > kPutBytesMax) return too_large(*length, kPutBytesMax);
  return *length;
}

std::string_view kind_of_version(const std::optional<std::string>& version_id) {
  return version_id ? std::string_view("s3:DeleteObjectVersion") : "s3:DeleteObject";
}

base::Result<void> may_delete(const wire::Context& context, const BucketRecord& bucket,
                              const ObjectIdentifier& object) {
  TRY_VOID(check_key(object.key));
  if (object.version_id && *object.version_id != "null") {
    return base::fail(errors::kNoSuchVersion, "The specified version does not exist.");
  }
  return check_access(context, bucket, kind_of_version(object.version_id), object.key);
}

void put_body(store::Batch& batch, ObjectRecord& record, const NewBody& body) {
  record.bytes = body.bytes();
  if (body.inline_generation()) {
    if (record.bytes == 0) return;
    record.inline_body = body.inline_generation();
    batch.put(store::Table::S3, inline_body_key(*record.inline_body), body.inline_bytes());
    return;
  }
  record.segments = body.segments();
  for (const Segment& segment : record.segments) {
    batch.put(store::Table::S3, file_key(segment.generation), {});
  }
}

}  // namespace

Task<base::Result<Service::Received>> Service::receive(const wire::Context& context,
                                                       BodyDemands demands) {
  CO_TRY(const std::uint64_t length, body_length(context));
  std::vector<base::DigestKind> kinds{demands.checksum};
  if (demands.declared && demands.declared->kind != demands.checksum) {
    kinds.push_back(demands.declared->kind);
  }
  BodyDigests digests(kinds);
  const std::unique_ptr<http::BodyReader> nothing = http::body_of({});
  http::BodyReader& source = context.body == nullptr ? *nothing : *context.body;
  CO_TRY(NewBody body, co_await bodies_->take(source, length, demands.may_be_inline, digests));
  CO_TRY_VOID(verify_digests(digests, demands, context.trailers));
  co_return Received{
      std::move(body),
      base::hex_encode(digests.md5()),
      {demands.checksum, false, base::base64_encode(digests.checksum(demands.checksum))}};
}

Task<base::Result<PutObjectOutput>> Service::put_object(const wire::Context& context,
                                                        PutObjectRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutObject", request.key));
  CO_TRY_VOID(refuse_unsupported(request, bucket));
  ObjectRecord record;
  CO_TRY(record.headers, object_headers(request));
  CO_TRY(record.tags, parse_tagging_header(request.tagging.value_or("")));
  WriteConditions conditions{request.if_match, request.if_none_match};
  // Looked at again when it counts; here it spares the client the sending of a body.
  CO_TRY(const std::optional<ObjectRecord> current, find_object(bucket.number, request.key));
  CO_TRY_VOID(check_write(conditions, current ? &*current : nullptr, request.key));

  BodyDemands demands;
  demands.content_md5 = request.content_md5;
  CO_TRY(demands.declared,
         declared_checksum(context, checksum_headers(request), request.checksum_algorithm));
  if (demands.declared) demands.checksum = demands.declared->kind;
  CO_TRY(Received received, co_await receive(context, std::move(demands)));
  CO_TRY(const ObjectRecord written,
         co_await put_record(context, std::move(bucket), std::move(request.key), std::move(record),
                             std::move(received), std::move(conditions), ObjectEvent::Put));
  PutObjectOutput output;
  output.etag = quoted_etag(written.etag);
  output.server_side_encryption = kEncryption;
  set_checksum(output, *written.checksum);
  co_return output;
}

Task<base::Result<ObjectRecord>> Service::put_record(const wire::Context& context,
                                                     BucketRecord bucket, std::string key,
                                                     ObjectRecord record, Received received,
                                                     WriteConditions conditions,
                                                     ObjectEvent event) {
  record.etag = std::move(received.etag);
  record.checksum = std::move(received.checksum);
  record.last_modified = std::chrono::floor<std::chrono::seconds>(context.now);
  const auto decide = [&](Change& change) -> base::Result<void> {
    TRY(const std::optional<ObjectRecord> current, find_object(change.bucket.number, key));
    TRY_VOID(check_write(conditions, current ? &*current : nullptr, key));
    record.sequence = next_sequence(context.now, current ? current->sequence : 0);
    put_body(change.batch, record, received.body);
    // From here on the store decides whether the files are wanted, even when it answers with an
    // error: what it did not take is swept at the next start.
    received.body.claim();
    if (current) erase_body(change, *current);
    change.batch.put(store::Table::S3, object_key(change.bucket.number, key), encode(record));
    add_events(change, event, key, &record, record.sequence);
    return {};
  };
  CO_TRY_VOID(co_await change(context, std::move(bucket), decide));
  co_return record;
}

void Service::erase_body(Change& change, const ObjectRecord& record) {
  if (record.inline_body) {
    change.batch.erase(store::Table::S3, inline_body_key(*record.inline_body));
  }
  for (const Segment& segment : record.segments) {
    change.batch.erase(store::Table::S3, file_key(segment.generation));
  }
  if (!record.segments.empty()) change.aftermath.released.push_back(record.segments);
}

base::Result<void> Service::erase_object(Change& change, const std::string& key,
                                         const WriteConditions& conditions) {
  TRY(const std::optional<ObjectRecord> current, find_object(change.bucket.number, key));
  TRY_VOID(check_write(conditions, current ? &*current : nullptr, key));
  if (!current) return {};
  erase_body(change, *current);
  change.batch.erase(store::Table::S3, object_key(change.bucket.number, key));
  add_events(change, ObjectEvent::Delete, key, nullptr,
             next_sequence(change.context.now, current->sequence));
  return {};
}

Task<base::Result<DeleteObjectOutput>> Service::delete_object(const wire::Context& context,
                                                              DeleteObjectRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    kind_of_version(request.version_id), request.key));
  CO_TRY_VOID(refuse_unsupported(request, bucket));
  CO_TRY_VOID(check_version_id(request.version_id));
  const WriteConditions conditions{request.if_match, {}};
  CO_TRY_VOID(
      co_await change(context, std::move(bucket), [&](Change& change) -> base::Result<void> {
        return erase_object(change, request.key, conditions);
      }));
  DeleteObjectOutput output;
  output.version_id = request.version_id;
  co_return output;
}

Task<base::Result<DeleteObjectsOutput>> Service::delete_objects(const wire::Context& context,
                                                                DeleteObjectsRequest request) {
  // Each key is asked about by itself; the bucket's own action is none.
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner, {}));
  CO_TRY_VOID(refuse_unsupported(request, bucket));
  const std::vector<ObjectIdentifier>& objects = request.delete_.objects;
  if (objects.empty() || objects.size() > kDeleteObjectsMax) {
    co_return base::fail(errors::kMalformedXML,
                         "The XML you provided was not well-formed or did not validate against "
                         "our published schema");
  }
  DeleteObjectsOutput output;
  std::set<std::string> keys;
  for (const ObjectIdentifier& object : objects) {
    const auto allowed = may_delete(context, bucket, object);
    if (allowed.has_value()) {
      keys.insert(object.key);
      if (request.delete_.quiet.value_or(false)) continue;
      if (!output.deleted) output.deleted.emplace();
      output.deleted->push_back({object.key, object.version_id, {}, {}});
      continue;
    }
    const base::Error& error = allowed.error();
    if (!output.errors) output.errors.emplace();
    output.errors->push_back({object.key, object.version_id,
                              std::string(error.row == nullptr ? "InternalError" : error.row->code),
                              error.message});
  }
  CO_TRY_VOID(
      co_await change(context, std::move(bucket), [&](Change& change) -> base::Result<void> {
        for (const std::string& key : keys) {
          TRY_VOID(erase_object(change, key, {}));
        }
        return {};
      }));
  co_return output;
}

}  // namespace terrarium::s3
