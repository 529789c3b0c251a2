// Versions: found, added, removed. A key's current object lies under `o`; what is not current, and
// every delete marker, under `v`. What always holds: an object under `o` is the key's newest
// version, and where there is none the newest under `v` is a delete marker.
#include "generated/s3/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/s3/access.h"
#include "terrarium/services/s3/core.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/names.h"
#include "terrarium/services/s3/versions.h"

namespace terrarium::s3 {
namespace {

std::unexpected<base::Error> with_marker(std::unexpected<base::Error> error,
                                         const ObjectRecord& marker) {
  return with_field(with_field(std::move(error), "header:x-amz-delete-marker", "true"),
                    "header:x-amz-version-id", version_id_of(marker));
}

std::unexpected<base::Error> no_such_version(const std::string& key, const std::string& id) {
  return with_field(
      with_field(base::fail(errors::kNoSuchVersion, "The specified version does not exist."), "Key",
                 key),
      "VersionId", id);
}

std::unexpected<base::Error> is_marker(const wire::Context& context, const ObjectRecord& marker) {
  const std::string method =
      context.request == nullptr ? "GET" : std::string(context.request->method);
  auto error = base::fail(errors::kMethodNotAllowed,
                          "The specified method is not allowed against this resource.");
  error = with_field(std::move(error), "Method", method);
  error = with_field(std::move(error), "ResourceType", "DeleteMarker");
  error = with_field(std::move(error), "header:Allow", "DELETE");
  error =
      with_field(std::move(error), "header:Last-Modified", base::http_date(marker.last_modified));
  return with_marker(std::move(error), marker);
}

}  // namespace

base::Result<std::optional<Core::StoredVersion>> Core::read_version(std::string row) const {
  TRY(const std::optional<std::string> stored, store_.get(store::Table::S3, row));
  if (!stored) return std::nullopt;
  TRY(ObjectRecord record, decode_object(*stored));
  return StoredVersion{std::move(record), std::move(row)};
}

base::Result<std::optional<Core::StoredVersion>> Core::newest_kept(BucketNumber bucket,
                                                                   const std::string& key,
                                                                   std::string_view but_for) const {
  const std::string prefix = version_key_prefix(bucket, key);
  const auto at = store_.scan(store::Table::S3, prefix, store::prefix_end(prefix));
  if (at->valid() && at->key() == but_for) at->next();
  if (!at->valid()) {
    TRY_VOID(at->status());
    return std::nullopt;
  }
  TRY(ObjectRecord record, decode_object(at->value()));
  return StoredVersion{std::move(record), std::string(at->key())};
}

base::Result<std::optional<Core::StoredVersion>> Core::find_version(
    const BucketRecord& bucket, const std::string& key,
    const std::optional<std::string>& version_id) const {
  std::string row = object_key(bucket.number, key);
  if (!version_id) return read_version(std::move(row));
  TRY(const VersionName name, parse_version_id(*version_id));
  TRY(std::optional<StoredVersion> current, read_version(std::move(row)));
  if (current && names(name, current->record)) return current;
  if (bucket.versioning == Versioning::Never) return std::nullopt;
  std::uint64_t sequence = name.sequence;
  if (name.is_null()) {
    TRY(const std::optional<std::string> place,
        store_.get(store::Table::S3, null_version_key(bucket.number, key)));
    if (!place) return std::nullopt;
    sequence = decode_sequence(*place);
  }
  TRY(auto kept, read_version(version_key(bucket.number, key, sequence)));
  if (kept && !names(name, kept->record)) return std::nullopt;
  return kept;
}

base::Result<Core::StoredVersion> Core::require_version(
    const wire::Context& context, const BucketRecord& bucket, const std::string& key,
    const std::optional<std::string>& version_id) const {
  TRY(std::optional<StoredVersion> version, find_version(bucket, key, version_id));
  if (version && version->record.delete_marker) return is_marker(context, version->record);
  if (version) return *std::move(version);
  if (!may_list(context, bucket)) return base::fail(errors::kAccessDenied, "Access Denied");
  if (version_id) {
    // Of a bucket without versioning no id but "null" is valid.
    if (bucket.versioning == Versioning::Never && *version_id != kNullVersion) {
      return invalid_argument("Invalid version id specified", "versionId", *version_id);
    }
    return no_such_version(key, *version_id);
  }
  auto missing =
      with_field(base::fail(errors::kNoSuchKey, "The specified key does not exist."), "Key", key);
  if (bucket.versioning == Versioning::Never) return missing;
  TRY(const std::optional<StoredVersion> marker, newest_kept(bucket.number, key, {}));
  if (!marker) return missing;
  return with_marker(std::move(missing), marker->record);
}

void Core::keep_version(Change& change, const std::string& key, const ObjectRecord& record) {
  const BucketNumber bucket = change.bucket.number;
  if (record.version_nonce.empty()) {
    change.batch.put(store::Table::S3, null_version_key(bucket, key),
                     encode_sequence(record.sequence));
  }
  change.batch.put(store::Table::S3, version_key(bucket, key, record.sequence), encode(record));
}

base::Result<void> Core::drop_version(Change& change, const std::string& key,
                                      const StoredVersion& version) {
  TRY_VOID(erase_body(change, version.record));
  change.batch.erase(store::Table::S3, version.row);
  const BucketNumber bucket = change.bucket.number;
  if (version.record.version_nonce.empty() && version.row != object_key(bucket, key)) {
    change.batch.erase(store::Table::S3, null_version_key(bucket, key));
  }
  return {};
}

// What stands in the way of a new newest version: replaced, or kept behind it.
base::Result<void> Core::make_room(Change& change, const std::string& key,
                                   const std::optional<ObjectRecord>& current,
                                   ObjectRecord& newest) {
  const BucketRecord& bucket = change.bucket;
  std::uint64_t above = current ? current->sequence : 0;
  if (!current && bucket.versioning != Versioning::Never) {
    TRY(const auto kept, newest_kept(bucket.number, key, {}));
    if (kept) above = kept->record.sequence;
  }
  newest.sequence = next_sequence(change.context.now, above);
  if (bucket.versioning == Versioning::Enabled) {
    newest.version_nonce = base::hex_decode(random_.hex(kVersionNonceBytes)).value_or("");
    if (current) keep_version(change, key, *current);
    return {};
  }
  // The new one is the null version: there is only ever one.
  if (current && current->version_nonce.empty()) return erase_body(change, *current);
  if (bucket.versioning == Versioning::Never) return {};
  TRY(const auto null_version, find_version(bucket, key, std::string(kNullVersion)));
  if (null_version) TRY_VOID(drop_version(change, key, *null_version));
  if (current) keep_version(change, key, *current);
  return {};
}

base::Result<void> Core::add_version(Change& change, const std::string& key,
                                     const std::optional<ObjectRecord>& current,
                                     ObjectRecord& record) {
  TRY_VOID(make_room(change, key, current, record));
  change.added.objects += 1;
  change.added.bytes += record.bytes;
  change.batch.put(store::Table::S3, object_key(change.bucket.number, key), encode(record));
  return {};
}

base::Result<ObjectRecord> Core::add_delete_marker(Change& change, const std::string& key,
                                                   const std::optional<ObjectRecord>& current) {
  ObjectRecord marker;
  marker.delete_marker = true;
  marker.last_modified = std::chrono::floor<std::chrono::seconds>(change.context.now);
  TRY_VOID(make_room(change, key, current, marker));
  change.batch.erase(store::Table::S3, object_key(change.bucket.number, key));
  keep_version(change, key, marker);
  return marker;
}

base::Result<void> Core::remove_version(Change& change, const std::string& key,
                                        const StoredVersion& version) {
  const BucketNumber bucket = change.bucket.number;
  TRY_VOID(drop_version(change, key, version));
  if (change.bucket.versioning == Versioning::Never) return {};
  const std::string row = object_key(bucket, key);
  if (version.row != row) {
    TRY(const std::optional<std::string> current, store_.get(store::Table::S3, row));
    if (current) return {};
  }
  // The next one comes to the light, if it is an object.
  TRY(const auto next, newest_kept(bucket, key, version.row));
  if (!next || next->record.delete_marker) return {};
  change.batch.erase(store::Table::S3, next->row);
  if (next->record.version_nonce.empty()) {
    change.batch.erase(store::Table::S3, null_version_key(bucket, key));
  }
  change.batch.put(store::Table::S3, row, encode(next->record));
  return {};
}

void Core::rewrite_version(Change& change, const StoredVersion& version) {
  change.batch.put(store::Table::S3, version.row, encode(version.record));
}

}  // namespace terrarium::s3
