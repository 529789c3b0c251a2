// The keys of Table::S3, byte by byte as README.md has them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "terrarium/services/s3/records.h"

namespace terrarium::s3 {

std::string bucket_key(std::string_view name);
inline constexpr std::string_view kBucketPrefix = "b";

// The current objects of a bucket, in the order of their keys.
std::string object_prefix(BucketNumber bucket);
std::string object_key(BucketNumber bucket, std::string_view key);

// Everything else that versioning keeps: versions that are not current, and every delete marker.
// By key, then newest first.
std::string version_prefix(BucketNumber bucket);
// What all versions of the keys that start with `key_prefix` start with.
std::string version_scan_prefix(BucketNumber bucket, std::string_view key_prefix);
// Those of one key.
std::string version_key_prefix(BucketNumber bucket, std::string_view key);
std::string version_key(BucketNumber bucket, std::string_view key, std::uint64_t sequence);
struct VersionPlace {
  std::string key;
  std::uint64_t sequence = 0;
};
// What version_key() was made of.
std::optional<VersionPlace> parse_version_key(std::string_view stored);
// Where the null version of a key is, when it is not the current object: its sequence.
std::string null_version_prefix(BucketNumber bucket);
std::string null_version_key(BucketNumber bucket, std::string_view key);
std::string encode_sequence(std::uint64_t sequence);
std::uint64_t decode_sequence(std::string_view stored);

// How much a bucket holds.
std::string counts_key(BucketNumber bucket);

// The CORS rules of a bucket.
std::string cors_key(BucketNumber bucket);

// The rules of a bucket's lifecycle.
std::string lifecycle_key(BucketNumber bucket);

// The parts of a multipart object, by where in it they begin.
std::string parts_prefix(const Generation& body);
std::string parts_key(const Generation& body, std::uint64_t first_byte);
std::uint64_t parts_first_byte(std::string_view stored);

// All uploads of a bucket, by key and then by time.
std::string upload_prefix(BucketNumber bucket);
// Those of one key.
std::string upload_key_prefix(BucketNumber bucket, std::string_view key);
// What all uploads of the keys that start with `key_prefix` start with.
std::string upload_scan_prefix(BucketNumber bucket, std::string_view key_prefix);
std::string upload_key(BucketNumber bucket, std::string_view key, std::string_view upload_id);
struct UploadName {
  std::string key;
  std::string upload_id;
};
// What upload_key() was made of.
std::optional<UploadName> parse_upload_key(std::string_view stored);

// Characters of an upload id: 16 of its time, so that ids sort by age, and 32 of chance.
inline constexpr std::size_t kUploadIdCharacters = 48;

std::string part_prefix(std::string_view upload_id);
std::string part_key(std::string_view upload_id, int number);
int part_number_of(std::string_view stored);

std::string inline_body_key(const Generation& generation);
// Present while an object or a part owns the file of that generation.
std::string file_key(const Generation& generation);

inline constexpr std::string_view kEventPrefix = "n";
std::string event_prefix(std::string_view destination_arn);
std::string event_key(std::string_view destination_arn, std::uint64_t sequence, std::uint8_t rule);
// The destination that an event's key names; empty when it is no such key.
std::string_view event_destination(std::string_view stored);
std::uint64_t event_sequence(std::string_view stored);

}  // namespace terrarium::s3
