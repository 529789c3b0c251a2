// What S3 keeps in the store, and its limits. The keys are described byte by byte in README.md.
// Plain data: any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/result.h"

namespace terrarium::s3 {

// AWS's limits, then ours.
inline constexpr std::uint64_t kPutBytesMax = std::uint64_t{5} << 30;
inline constexpr std::uint64_t kObjectBytesMax = std::uint64_t{5} << 40;
inline constexpr std::uint64_t kPartBytesMin = std::uint64_t{5} << 20;
inline constexpr int kPartNumberMax = 10'000;
inline constexpr int kListMax = 1'000;
inline constexpr std::size_t kDeleteObjectsMax = 1'000;
inline constexpr std::size_t kKeyBytesMax = 1'024;
inline constexpr std::size_t kMetadataBytesMax = 2'048;
inline constexpr std::size_t kObjectTagsMax = 10;
inline constexpr std::size_t kBucketTagsMax = 50;
inline constexpr std::size_t kTagKeyCharactersMax = 128;
inline constexpr std::size_t kTagValueCharactersMax = 256;
inline constexpr std::size_t kBucketsMax = 10'000;
inline constexpr std::size_t kVersionNonceBytes = 16;
inline constexpr std::size_t kPolicyBytesMax = 20'480;
inline constexpr std::size_t kNotificationsMax = 100;
inline constexpr std::size_t kFilterBytesMax = 1'024;
// Parts that one row of a multipart object's list holds.
inline constexpr std::size_t kPartsPerRow = 64;
// A body up to this size lies in the store beside its metadata: one commit, no file.
inline constexpr std::size_t kInlineBytesMax = 16 * 1'024;
// A body comes in by two chunks of this size in turn, of less when many come in at once.
inline constexpr std::size_t kChunkBytes = 1'024 * 1'024;
inline constexpr std::size_t kChunkBytesMin = 64 * 1'024;
inline constexpr std::size_t kChunkBytesOfAll = 8 * 1'024 * 1'024;
// A body of this size goes to the disk past the page cache: a copy of it there would cost as much
// as its digests, and push out what is read more often.
inline constexpr std::uint64_t kDirectBytesMin = std::uint64_t{32} << 20;
// An event is tried for this long, then dropped with a line in the log.
inline constexpr base::Duration kEventAgeMax = std::chrono::hours(24);
inline constexpr base::Duration kEventRetryMin = std::chrono::milliseconds(500);
inline constexpr base::Duration kEventRetryMax = std::chrono::minutes(5);
// Events under way to one destination at a time.
inline constexpr std::size_t kEventsInFlightMax = 64;

// Names one bucket from its creation to its deletion; a bucket made again has another.
enum class BucketNumber : std::uint64_t {};

// Names one body for ever: `incarnation` is drawn at each start of the service, `sequence` counts.
struct Generation {
  std::uint64_t incarnation = 0;
  std::uint64_t sequence = 0;

  friend auto operator<=>(const Generation&, const Generation&) = default;
  std::string bytes() const;  // 16, as in keys
  std::string hex() const;    // 32, the file's name
  static std::optional<Generation> from_bytes(std::string_view bytes);
};

struct ObjectChecksum {
  base::DigestKind kind = base::DigestKind::Crc64Nvme;
  bool composite = false;  // of the parts' checksums: "base64-N"
  std::string value;       // base64
};

// A stretch of a body that is one file.
struct Segment {
  Generation generation;
  std::uint64_t bytes = 0;
  std::string checksum;  // of a part, base64; of the object's kind
};

// What the writer said about an object and a reader gets back.
struct ObjectHeaders {
  std::string content_type;
  std::string cache_control;
  std::string content_disposition;
  std::string content_encoding;
  std::string content_language;
  std::string expires;
  std::string website_redirect_location;
  std::string storage_class;                    // empty: STANDARD
  std::map<std::string, std::string> metadata;  // names without x-amz-meta-, in lower case
};

using Tags = std::map<std::string, std::string>;

// Where the bytes of an object lie; ObjectRecord::body names them.
enum class BodyPlace : std::uint8_t {
  Nowhere,  // there are none
  Store,    // a row beside the metadata
  File,     // a file
  Parts,    // the files of a multipart upload's parts, which rows of their own list
};

// One version of an object, or a delete marker.
struct ObjectRecord {
  std::uint64_t sequence = 0;  // grows with each change of the object: newer versions have more
  std::uint64_t bytes = 0;
  base::Timestamp last_modified;  // whole seconds, as HTTP tells them
  std::string etag;               // without quotes
  ObjectHeaders headers;
  Tags tags;
  std::optional<ObjectChecksum> checksum;
  std::string upload_id;    // of a multipart upload
  std::uint32_t parts = 0;  // of a multipart upload
  BodyPlace place = BodyPlace::Nowhere;
  Generation body;
  std::string version_nonce;  // kVersionNonceBytes of chance; empty: the null version
  bool delete_marker = false;
  std::string acl;  // as acl.h writes it; empty: private
};

// Some of the parts that a multipart object consists of.
struct PartsRecord {
  std::uint32_t parts_before = 0;
  std::vector<Segment> segments;
};

struct UploadRecord {
  base::Timestamp initiated;
  ObjectHeaders headers;
  Tags tags;
  base::DigestKind checksum_kind = base::DigestKind::Crc64Nvme;
  bool checksum_composite = false;
  bool checksum_asked = false;  // by the client; else S3's default
  bool key_existed = false;     // when it began
  std::string principal_arn;    // who began it
  std::string acl;              // as ObjectRecord::acl
};

struct PartRecord {
  Segment segment;
  std::string etag;
  base::Timestamp last_modified;
};

struct NotificationRule {
  std::string id;
  std::string destination_arn;  // a queue or a function
  std::vector<std::string> events;
  std::optional<std::string> prefix;
  std::optional<std::string> suffix;
};

struct PublicAccessBlock {
  bool block_public_acls = false;
  bool ignore_public_acls = false;
  bool block_public_policy = false;
  bool restrict_public_buckets = false;
};

enum class Versioning : std::uint8_t { Never, Enabled, Suspended };

struct BucketRecord {
  std::string name;  // the key, repeated
  BucketNumber number{};
  std::string region;
  base::Timestamp created;
  std::string object_ownership;  // empty: the controls were deleted
  std::string policy;            // JSON as it was put; empty: none
  std::optional<PublicAccessBlock> public_access_block;
  Tags tags;
  std::vector<NotificationRule> notifications;
  Versioning versioning = Versioning::Never;
  bool has_lifecycle = false;  // its rules lie in a row of their own
  bool has_cors = false;       // likewise
  std::string acl;             // as acl.h writes it; empty: private
  bool bucket_key = false;     // of the default encryption, which it does not change
  std::string accelerate;      // "Enabled", "Suspended", or empty: never set
};

// How much a bucket holds: every version of every object, delete markers aside.
struct BucketCounts {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
};

// An event on its way; the key names its destination.
struct EventRecord {
  base::Timestamp since;
  std::string bucket;
  std::string body;
};

std::string encode(const BucketRecord& record);
std::string encode(const ObjectRecord& record);
std::string encode(const PartsRecord& record);
std::string encode(const UploadRecord& record);
std::string encode(const PartRecord& record);
std::string encode(const EventRecord& record);
std::string encode(const BucketCounts& counts);

// Internal when the bytes are not what encode() writes.
base::Result<BucketRecord> decode_bucket(std::string_view bytes);
base::Result<ObjectRecord> decode_object(std::string_view bytes);
base::Result<PartsRecord> decode_parts(std::string_view bytes);
base::Result<UploadRecord> decode_upload(std::string_view bytes);
base::Result<PartRecord> decode_part(std::string_view bytes);
base::Result<EventRecord> decode_event(std::string_view bytes);
base::Result<BucketCounts> decode_counts(std::string_view bytes);

}  // namespace terrarium::s3
