// Objects put and deleted.
#include <algorithm>
#include <set>
#include <utility>

#include "generated/s3/errors.h"
#include "terrarium/services/s3/access.h"
#include "terrarium/services/s3/acl.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/service.h"
#include "terrarium/services/s3/versions.h"

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

// Conditions that AWS has for directory buckets only.
base::Result<void> check_conditions(const std::optional<base::Timestamp>& last_modified,
                                    const std::optional<std::int64_t>& size) {
  if (!last_modified && !size) return {};
  return with_field(
      base::fail(errors::kNotImplemented,
                 "A header you provided implies functionality that is not implemented"),
      "Header", last_modified ? "x-amz-if-match-last-modified-time" : "x-amz-if-match-size");
}

base::Result<void> may_delete(const wire::Context& context, const BucketRecord& bucket,
                              const ObjectIdentifier& object) {
  TRY_VOID(check_key(object.key));
  TRY_VOID(check_conditions(object.last_modified_time, object.size));
  // Here, unlike alone, what is no id names no version.
  if (object.version_id && !parse_version_id(*object.version_id).has_value()) {
    return base::fail(errors::kNoSuchVersion, "The specified version does not exist.");
  }
  return check_access(context, bucket, kind_of_version(object.version_id), object.key,
                      version_condition(object.version_id));
}

template <class Item>
void append(std::optional<std::vector<Item>>& list, Item item) {
  if (!list) list.emplace();
  list->push_back(std::move(item));
}

Error refused(const ObjectIdentifier& object, const base::Error& error) {
  return {object.key, object.version_id, std::string(error.row->code), error.message};
}

}  // namespace

Task<base::Result<Service::Received>> Service::receive(const wire::Context& context,
                                                       BodyDemands demands,
                                                       std::optional<std::uint64_t> bytes_max) {
  BodySize size{bytes_max.value_or(0), !bytes_max || context.body->length()};
  if (size.exact) {
    CO_TRY(size.most, body_length(context));
  }
  std::vector<base::DigestKind> kinds{demands.checksum};
  if (demands.declared) kinds.push_back(demands.declared->kind);
  if (context.promised_body != nullptr) {
    std::ranges::copy(context.promised_body->promised(), std::back_inserter(kinds));
    context.promised_body->take_over();
  }
  const auto digests = std::make_shared<BodyDigests>(kinds);
  const std::unique_ptr<http::BodyReader> nothing = http::body_of({});
  http::BodyReader& source = context.body == nullptr ? *nothing : *context.body;
  CO_TRY(NewBody body, co_await bodies_->take(source, size, demands.may_be_inline, digests));
  if (context.promised_body != nullptr) {
    CO_TRY_VOID(context.promised_body->settle(
        [&digests](base::DigestKind kind) -> const std::string& { return digests->digest(kind); }));
  }
  CO_TRY_VOID(verify_digests(*digests, demands, context.trailers));
  co_return Received{
      std::move(body),
      base::hex_encode(digests->md5()),
      {demands.checksum, false, base::base64_encode(digests->digest(demands.checksum))}};
}

Task<base::Result<PutObjectOutput>> Service::put_object(const wire::Context& context,
                                                        PutObjectRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    "s3:PutObject", request.key));
  CO_TRY_VOID(refuse_unsupported(request));
  ObjectRecord record;
  CO_TRY(record.headers, object_headers(request));
  CO_TRY(record.tags, parse_tagging_header(request.tagging.value_or("")));
  if (!record.tags.empty()) {
    CO_TRY_VOID(check_access(context, bucket, "s3:PutObjectTagging", request.key));
  }
  CO_TRY(record.acl,
         requested_acl(context, bucket, acl_request(request), "s3:PutObject", request.key));
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
  CO_TRY(const Written written,
         co_await put_record(context, std::move(bucket), std::move(request.key), std::move(record),
                             std::move(received), std::move(conditions), ObjectEvent::Put));
  PutObjectOutput output;
  output.etag = quoted_etag(written.record.etag);
  output.server_side_encryption = kEncryption;
  output.version_id = written.version_id;
  output.expiration = written.expiration;
  set_checksum(output, *written.record.checksum);
  co_return output;
}

Task<base::Result<Service::Written>> Service::put_record(const wire::Context& context,
                                                         BucketRecord bucket, std::string key,
                                                         ObjectRecord record, Received received,
                                                         WriteConditions conditions,
                                                         ObjectEvent event) {
  record.etag = std::move(received.etag);
  record.checksum = std::move(received.checksum);
  record.last_modified = std::chrono::floor<std::chrono::seconds>(context.now);
  Written written;
  const auto decide = [&](Change& change) -> base::Result<void> {
    TRY(const std::optional<ObjectRecord> current, find_object(change.bucket.number, key));
    TRY_VOID(check_write(conditions, current ? &*current : nullptr, key));
    put_body(change.batch, record, received.body);
    // From here on the store decides whether the files are wanted, even when it answers with an
    // error: what it did not take is swept at the next start.
    received.body.claim();
    TRY_VOID(add_version(change, key, current, record));
    written.version_id = shown_version_id(change.bucket, record);
    TRY(written.expiration, expiration_of(change.bucket, key, record));
    add_events(change, event, key, record, record.sequence);
    return {};
  };
  CO_TRY_VOID(co_await change(context, std::move(bucket), decide));
  written.record = std::move(record);
  co_return written;
}

base::Result<Service::Deletion> Service::erase_object(Change& change, const std::string& key,
                                                      const std::optional<std::string>& version_id,
                                                      const std::optional<std::string>& if_match) {
  TRY(const std::optional<StoredVersion> version, find_version(change.bucket, key, version_id));
  const ObjectRecord* const record = version ? &version->record : nullptr;
  TRY_VOID(check_delete(if_match, record, key));
  const bool versioned = change.bucket.versioning != Versioning::Never;
  if (!version_id && versioned) {
    TRY(const ObjectRecord marker,
        add_delete_marker(change, key, record == nullptr ? std::nullopt : std::optional(*record)));
    add_events(change, ObjectEvent::DeleteMarkerCreated, key, marker, marker.sequence);
    return Deletion{version_id_of(marker), true};
  }
  // Nothing to remove is no error: it is not there, as was asked.
  Deletion deletion{version_id, false};
  if (!version) return deletion;
  TRY_VOID(remove_version(change, key, *version));
  add_events(change, ObjectEvent::Delete, key, *record,
             next_sequence(change.context.now, record->sequence));
  deletion.delete_marker = record->delete_marker;
  return deletion;
}

Task<base::Result<DeleteObjectOutput>> Service::delete_object(const wire::Context& context,
                                                              DeleteObjectRequest request) {
  CO_TRY_VOID(check_key(request.key));
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner,
                                    kind_of_version(request.version_id), request.key,
                                    version_condition(request.version_id)));
  CO_TRY_VOID(refuse_unsupported(request));
  CO_TRY_VOID(check_conditions(request.if_match_last_modified_time, request.if_match_size));
  Deletion deletion;
  CO_TRY_VOID(
      co_await change(context, std::move(bucket), [&](Change& change) -> base::Result<void> {
        TRY(deletion, erase_object(change, request.key, request.version_id, request.if_match));
        return {};
      }));
  DeleteObjectOutput output;
  output.version_id = std::move(deletion.version_id);
  if (deletion.delete_marker) output.delete_marker = true;
  co_return output;
}

Task<base::Result<DeleteObjectsOutput>> Service::delete_objects(const wire::Context& context,
                                                                DeleteObjectsRequest request) {
  // Each key is asked about by itself; the bucket's own action is none.
  CO_TRY(BucketRecord bucket, enter(context, request.bucket, request.expected_bucket_owner, {}));
  CO_TRY_VOID(refuse_unsupported(request));
  const std::vector<ObjectIdentifier>& objects = request.delete_.objects;
  if (objects.empty() || objects.size() > kDeleteObjectsMax) {
    co_return base::fail(errors::kMalformedXML,
                         "The XML you provided was not well-formed or did not validate against "
                         "our published schema");
  }
  DeleteObjectsOutput output;
  CO_TRY_VOID(
      co_await change(context, std::move(bucket), [&](Change& change) -> base::Result<void> {
        return erase_objects(change, request.delete_, output);
      }));
  co_return output;
}

DeletedObject Service::deleted_object(const ObjectIdentifier& object, const Deletion& deletion) {
  DeletedObject deleted;
  deleted.key = object.key;
  deleted.version_id = object.version_id;
  if (deletion.delete_marker) {
    deleted.delete_marker = true;
    deleted.delete_marker_version_id = deletion.version_id;
  }
  return deleted;
}

base::Result<void> Service::write_before(Change& change, std::set<std::string>& touched,
                                         const std::string& key) {
  if (touched.insert(key).second) return {};
  touched = {key};
  return write(change);
}

base::Result<void> Service::erase_objects(Change& change, const Delete& asked,
                                          DeleteObjectsOutput& output) {
  std::set<std::string> touched;
  for (const ObjectIdentifier& object : asked.objects) {
    TRY_VOID(write_before(change, touched, object.key));
    base::Result<Deletion> deletion;
    const auto allowed = may_delete(change.context, change.bucket, object);
    if (allowed.has_value()) {
      deletion = erase_object(change, object.key, object.version_id, object.etag);
    } else {
      deletion = std::unexpected(allowed.error());
    }
    if (!deletion.has_value()) {
      if (deletion.error().row == nullptr) return std::unexpected(std::move(deletion).error());
      append(output.errors, refused(object, deletion.error()));
    } else if (!asked.quiet.value_or(false)) {
      append(output.deleted, deleted_object(object, *deletion));
    }
  }
  return {};
}

}  // namespace terrarium::s3
