#include "terrarium/services/s3/records.h"

#include <utility>

#include "terrarium/services/s3/fields.h"

namespace terrarium::s3 {
namespace {

std::unexpected<base::Error> unreadable(std::string_view what) {
  return base::fail(base::ErrorKind::Internal,
                    "A stored " + std::string(what) + " is not readable by this version.");
}

std::uint64_t to_number(base::Timestamp time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

base::Timestamp to_time(std::uint64_t number) {
  return base::Timestamp(base::Duration(static_cast<std::int64_t>(number)));
}

// Headers and tags are fields of both objects and uploads, under the same numbers.
enum : std::uint8_t {
  kContentType = 1,
  kCacheControl,
  kContentDisposition,
  kContentEncoding,
  kContentLanguage,
  kExpires,
  kWebsiteRedirectLocation,
  kStorageClass,
  kMetadata,
  kTag,
  kOwn = 32,  // the first number of a record's own fields
};

void write_headers(FieldWriter& writer, const ObjectHeaders& headers, const Tags& tags) {
  writer.text(kContentType, headers.content_type);
  writer.text(kCacheControl, headers.cache_control);
  writer.text(kContentDisposition, headers.content_disposition);
  writer.text(kContentEncoding, headers.content_encoding);
  writer.text(kContentLanguage, headers.content_language);
  writer.text(kExpires, headers.expires);
  writer.text(kWebsiteRedirectLocation, headers.website_redirect_location);
  writer.text(kStorageClass, headers.storage_class);
  for (const auto& [name, value] : headers.metadata) writer.pair(kMetadata, name, value);
  for (const auto& [name, value] : tags) writer.pair(kTag, name, value);
}

// False when the current field is none of them.
bool read_header(FieldReader& reader, ObjectHeaders& headers, Tags& tags) {
  switch (reader.tag()) {
    case kContentType: headers.content_type = reader.text(); return true;
    case kCacheControl: headers.cache_control = reader.text(); return true;
    case kContentDisposition: headers.content_disposition = reader.text(); return true;
    case kContentEncoding: headers.content_encoding = reader.text(); return true;
    case kContentLanguage: headers.content_language = reader.text(); return true;
    case kExpires: headers.expires = reader.text(); return true;
    case kWebsiteRedirectLocation: headers.website_redirect_location = reader.text(); return true;
    case kStorageClass: headers.storage_class = reader.text(); return true;
    case kMetadata: headers.metadata.emplace(reader.pair()); return true;
    case kTag: tags.emplace(reader.pair()); return true;
    default: return false;
  }
}

enum : std::uint8_t { kSegmentGeneration = 1, kSegmentBytes, kSegmentChecksum };

FieldWriter written(const Segment& segment) {
  FieldWriter writer;
  writer.text(kSegmentGeneration, segment.generation.bytes());
  writer.number(kSegmentBytes, segment.bytes);
  writer.text(kSegmentChecksum, segment.checksum);
  return writer;
}

void read_generation(FieldReader& reader, Generation& generation) {
  const auto read = Generation::from_bytes(reader.text());
  if (!read) return reader.refuse();
  generation = *read;
}

bool read_segment(std::string_view bytes, Segment& segment) {
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag()) {
      case kSegmentGeneration: read_generation(reader, segment.generation); break;
      case kSegmentBytes: segment.bytes = reader.number(); break;
      case kSegmentChecksum: segment.checksum = reader.text(); break;
      default: reader.refuse();
    }
  }
  return reader.complete();
}

// Digest kinds by number: the enumeration may be reordered, what is on disk may not.
constexpr std::array kDigestKinds{base::DigestKind::Crc32, base::DigestKind::Crc32c,
                                  base::DigestKind::Sha1, base::DigestKind::Sha256,
                                  base::DigestKind::Crc64Nvme};

std::uint64_t to_number(base::DigestKind kind) {
  for (std::size_t i = 0; i < kDigestKinds.size(); ++i) {
    if (kDigestKinds[i] == kind) return i + 1;
  }
  return 0;
}

void read_kind(FieldReader& reader, base::DigestKind& kind) {
  const std::uint64_t number = reader.number();
  if (number == 0 || number > kDigestKinds.size()) return reader.refuse();
  kind = kDigestKinds[number - 1];
}

enum : std::uint8_t {
  kObjectSequence = kOwn,
  kObjectBytes,
  kObjectLastModified,
  kObjectEtag,
  kObjectChecksumKind,
  kObjectChecksumComposite,
  kObjectChecksumValue,
  kObjectUploadId,
  kObjectParts,
  kObjectPlace,
  kObjectBody,
  kObjectVersionNonce,
  kObjectDeleteMarker,
  kObjectAcl,
};

ObjectChecksum& checksum_of(ObjectRecord& record) {
  if (!record.checksum) record.checksum.emplace();
  return *record.checksum;
}

void read_place(FieldReader& reader, BodyPlace& place) {
  const std::uint64_t number = reader.number();
  if (number > static_cast<std::uint64_t>(BodyPlace::Parts)) return reader.refuse();
  place = static_cast<BodyPlace>(number);
}

void read_object_field(FieldReader& reader, ObjectRecord& record) {
  switch (reader.tag()) {
    case kObjectSequence: record.sequence = reader.number(); break;
    case kObjectBytes: record.bytes = reader.number(); break;
    case kObjectLastModified: record.last_modified = to_time(reader.number()); break;
    case kObjectEtag: record.etag = reader.text(); break;
    case kObjectChecksumKind: read_kind(reader, checksum_of(record).kind); break;
    case kObjectChecksumComposite: checksum_of(record).composite = reader.number() == 1; break;
    case kObjectChecksumValue: checksum_of(record).value = reader.text(); break;
    case kObjectUploadId: record.upload_id = reader.text(); break;
    case kObjectParts: record.parts = static_cast<std::uint32_t>(reader.number()); break;
    case kObjectPlace: read_place(reader, record.place); break;
    case kObjectBody: read_generation(reader, record.body); break;
    case kObjectVersionNonce: record.version_nonce = reader.text(); break;
    case kObjectDeleteMarker: record.delete_marker = reader.number() == 1; break;
    case kObjectAcl: record.acl = reader.text(); break;
    default:
      if (!read_header(reader, record.headers, record.tags)) reader.refuse();
  }
}

enum : std::uint8_t {
  kUploadInitiated = kOwn,
  kUploadChecksumKind,
  kUploadChecksumComposite,
  kUploadChecksumAsked,
  kUploadPrincipal,
  kUploadKeyExisted = 64,
  kUploadAcl,
};

void read_upload_field(FieldReader& reader, UploadRecord& record) {
  switch (reader.tag()) {
    case kUploadInitiated: record.initiated = to_time(reader.number()); break;
    case kUploadChecksumKind: read_kind(reader, record.checksum_kind); break;
    case kUploadChecksumComposite: record.checksum_composite = reader.number() == 1; break;
    case kUploadChecksumAsked: record.checksum_asked = reader.number() == 1; break;
    case kUploadKeyExisted: record.key_existed = reader.number() == 1; break;
    case kUploadPrincipal: record.principal_arn = reader.text(); break;
    case kUploadAcl: record.acl = reader.text(); break;
    default:
      if (!read_header(reader, record.headers, record.tags)) reader.refuse();
  }
}

enum : std::uint8_t { kPartsBefore = 1, kPartsSegment };

enum : std::uint8_t { kPartSegment = 1, kPartEtag, kPartLastModified };

enum : std::uint8_t {
  kBucketName = 1,
  kBucketNumber,
  kBucketRegion,
  kBucketCreated,
  kBucketOwnership,
  kBucketPolicy,
  kBucketPublicAccessBlock,
  kBucketTag,
  kBucketNotification,
  kBucketVersioning = 64,
  kBucketHasLifecycle,
  kBucketHasCors,
  kBucketAcl,
  kBucketKey,
  kBucketAccelerate,
};

enum : std::uint8_t { kRuleId = 1, kRuleDestination, kRuleEvent, kRulePrefix, kRuleSuffix };

FieldWriter written(const NotificationRule& rule) {
  FieldWriter writer;
  writer.text(kRuleId, rule.id);
  writer.text(kRuleDestination, rule.destination_arn);
  for (const std::string& event : rule.events) writer.text(kRuleEvent, event);
  // An empty filter is not the same as none when the configuration is read back.
  if (rule.prefix) writer.pair(kRulePrefix, *rule.prefix, {});
  if (rule.suffix) writer.pair(kRuleSuffix, *rule.suffix, {});
  return writer;
}

bool read_rule(std::string_view bytes, NotificationRule& rule) {
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag()) {
      case kRuleId: rule.id = reader.text(); break;
      case kRuleDestination: rule.destination_arn = reader.text(); break;
      case kRuleEvent: rule.events.emplace_back(reader.text()); break;
      case kRulePrefix: rule.prefix.emplace(reader.pair().first); break;
      case kRuleSuffix: rule.suffix.emplace(reader.pair().first); break;
      default: reader.refuse();
    }
  }
  return reader.complete();
}

// Four bits, and a fifth that says that the block is there at all.
constexpr std::uint64_t kBlockPresent = 16;

std::uint64_t to_number(const PublicAccessBlock& block) {
  return kBlockPresent | (block.block_public_acls ? 1U : 0U) |
         (block.ignore_public_acls ? 2U : 0U) | (block.block_public_policy ? 4U : 0U) |
         (block.restrict_public_buckets ? 8U : 0U);
}

PublicAccessBlock to_block(std::uint64_t number) {
  return {.block_public_acls = (number & 1U) != 0,
          .ignore_public_acls = (number & 2U) != 0,
          .block_public_policy = (number & 4U) != 0,
          .restrict_public_buckets = (number & 8U) != 0};
}

void read_versioning(FieldReader& reader, Versioning& versioning) {
  const std::uint64_t number = reader.number();
  if (number > static_cast<std::uint64_t>(Versioning::Suspended)) return reader.refuse();
  versioning = static_cast<Versioning>(number);
}

void read_bucket_field(FieldReader& reader, BucketRecord& record) {
  switch (reader.tag()) {
    case kBucketName: record.name = reader.text(); break;
    case kBucketNumber: record.number = BucketNumber{reader.number()}; break;
    case kBucketRegion: record.region = reader.text(); break;
    case kBucketCreated: record.created = to_time(reader.number()); break;
    case kBucketOwnership: record.object_ownership = reader.text(); break;
    case kBucketPolicy: record.policy = reader.text(); break;
    case kBucketPublicAccessBlock: record.public_access_block = to_block(reader.number()); break;
    case kBucketTag: record.tags.emplace(reader.pair()); break;
    case kBucketNotification:
      if (!read_rule(reader.text(), record.notifications.emplace_back())) reader.refuse();
      break;
    case kBucketVersioning: read_versioning(reader, record.versioning); break;
    case kBucketHasLifecycle: record.has_lifecycle = reader.number() == 1; break;
    case kBucketHasCors: record.has_cors = reader.number() == 1; break;
    case kBucketAcl: record.acl = reader.text(); break;
    case kBucketKey: record.bucket_key = reader.number() == 1; break;
    case kBucketAccelerate: record.accelerate = reader.text(); break;
    default: reader.refuse();
  }
}

enum : std::uint8_t { kEventSince = 1, kEventBucket, kEventBody };

enum : std::uint8_t { kCountObjects = 1, kCountBytes };

}  // namespace

std::string encode(const BucketRecord& record) {
  FieldWriter writer;
  writer.text(kBucketName, record.name);
  writer.number(kBucketNumber, static_cast<std::uint64_t>(record.number));
  writer.text(kBucketRegion, record.region);
  writer.number(kBucketCreated, to_number(record.created));
  writer.text(kBucketOwnership, record.object_ownership);
  writer.text(kBucketPolicy, record.policy);
  if (record.public_access_block) {
    writer.number(kBucketPublicAccessBlock, to_number(*record.public_access_block));
  }
  for (const auto& [name, value] : record.tags) writer.pair(kBucketTag, name, value);
  for (const NotificationRule& rule : record.notifications) {
    writer.record(kBucketNotification, written(rule));
  }
  writer.number(kBucketVersioning, static_cast<std::uint64_t>(record.versioning));
  writer.number(kBucketHasLifecycle, record.has_lifecycle ? 1 : 0);
  writer.number(kBucketHasCors, record.has_cors ? 1 : 0);
  writer.text(kBucketAcl, record.acl);
  writer.number(kBucketKey, record.bucket_key ? 1 : 0);
  writer.text(kBucketAccelerate, record.accelerate);
  return writer.take();
}

std::string encode(const ObjectRecord& record) {
  FieldWriter writer;
  writer.number(kObjectSequence, record.sequence);
  writer.number(kObjectBytes, record.bytes);
  writer.number(kObjectLastModified, to_number(record.last_modified));
  writer.text(kObjectEtag, record.etag);
  write_headers(writer, record.headers, record.tags);
  if (record.checksum) {
    writer.number(kObjectChecksumKind, to_number(record.checksum->kind));
    writer.number(kObjectChecksumComposite, record.checksum->composite ? 1 : 0);
    writer.text(kObjectChecksumValue, record.checksum->value);
  }
  writer.text(kObjectUploadId, record.upload_id);
  writer.number(kObjectParts, record.parts);
  if (record.place != BodyPlace::Nowhere) {
    writer.number(kObjectPlace, static_cast<std::uint64_t>(record.place));
    writer.text(kObjectBody, record.body.bytes());
  }
  writer.text(kObjectVersionNonce, record.version_nonce);
  writer.number(kObjectDeleteMarker, record.delete_marker ? 1 : 0);
  writer.text(kObjectAcl, record.acl);
  return writer.take();
}

std::string encode(const PartsRecord& record) {
  FieldWriter writer;
  writer.number(kPartsBefore, record.parts_before);
  for (const Segment& segment : record.segments) writer.record(kPartsSegment, written(segment));
  return writer.take();
}

std::string encode(const UploadRecord& record) {
  FieldWriter writer;
  writer.number(kUploadInitiated, to_number(record.initiated));
  write_headers(writer, record.headers, record.tags);
  writer.number(kUploadChecksumKind, to_number(record.checksum_kind));
  writer.number(kUploadChecksumComposite, record.checksum_composite ? 1 : 0);
  writer.number(kUploadChecksumAsked, record.checksum_asked ? 1 : 0);
  writer.text(kUploadPrincipal, record.principal_arn);
  writer.number(kUploadKeyExisted, record.key_existed ? 1 : 0);
  writer.text(kUploadAcl, record.acl);
  return writer.take();
}

std::string encode(const PartRecord& record) {
  FieldWriter writer;
  writer.record(kPartSegment, written(record.segment));
  writer.text(kPartEtag, record.etag);
  writer.number(kPartLastModified, to_number(record.last_modified));
  return writer.take();
}

std::string encode(const EventRecord& record) {
  FieldWriter writer;
  writer.number(kEventSince, to_number(record.since));
  writer.text(kEventBucket, record.bucket);
  writer.text(kEventBody, record.body);
  return writer.take();
}

std::string encode(const BucketCounts& counts) {
  FieldWriter writer;
  writer.number(kCountObjects, counts.objects);
  writer.number(kCountBytes, counts.bytes);
  return writer.take();
}

base::Result<BucketRecord> decode_bucket(std::string_view bytes) {
  BucketRecord record;
  FieldReader reader(bytes);
  while (reader.next()) read_bucket_field(reader, record);
  if (!reader.complete()) return unreadable("bucket");
  return record;
}

base::Result<ObjectRecord> decode_object(std::string_view bytes) {
  ObjectRecord record;
  FieldReader reader(bytes);
  while (reader.next()) read_object_field(reader, record);
  if (!reader.complete()) return unreadable("object");
  return record;
}

base::Result<PartsRecord> decode_parts(std::string_view bytes) {
  PartsRecord record;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag()) {
      case kPartsBefore: record.parts_before = static_cast<std::uint32_t>(reader.number()); break;
      case kPartsSegment:
        if (!read_segment(reader.text(), record.segments.emplace_back())) reader.refuse();
        break;
      default: reader.refuse();
    }
  }
  if (!reader.complete() || record.segments.empty()) return unreadable("list of parts");
  return record;
}

base::Result<UploadRecord> decode_upload(std::string_view bytes) {
  UploadRecord record;
  FieldReader reader(bytes);
  while (reader.next()) read_upload_field(reader, record);
  if (!reader.complete()) return unreadable("upload");
  return record;
}

base::Result<PartRecord> decode_part(std::string_view bytes) {
  PartRecord record;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag()) {
      case kPartSegment:
        if (!read_segment(reader.text(), record.segment)) reader.refuse();
        break;
      case kPartEtag: record.etag = reader.text(); break;
      case kPartLastModified: record.last_modified = to_time(reader.number()); break;
      default: reader.refuse();
    }
  }
  if (!reader.complete()) return unreadable("part");
  return record;
}

base::Result<EventRecord> decode_event(std::string_view bytes) {
  EventRecord record;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag()) {
      case kEventSince: record.since = to_time(reader.number()); break;
      case kEventBucket: record.bucket = reader.text(); break;
      case kEventBody: record.body = reader.text(); break;
      default: reader.refuse();
    }
  }
  if (!reader.complete()) return unreadable("event");
  return record;
}

base::Result<BucketCounts> decode_counts(std::string_view bytes) {
  BucketCounts counts;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag()) {
      case kCountObjects: counts.objects = reader.number(); break;
      case kCountBytes: counts.bytes = reader.number(); break;
      default: reader.refuse();
    }
  }
  if (!reader.complete()) return unreadable("count");
  return counts;
}

}  // namespace terrarium::s3
