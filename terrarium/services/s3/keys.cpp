#include "terrarium/services/s3/keys.h"

namespace terrarium::s3 {
namespace {

void append_big_endian(std::string& to, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    to.push_back(static_cast<char>(value >> shift & 255));
  }
}

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

std::string numbered(char kind, BucketNumber bucket) {
  std::string key(1, kind);
  append_big_endian(key, static_cast<std::uint64_t>(bucket), 8);
  return key;
}

constexpr std::size_t kNumberedBytes = 9;

// Keys keep their order although something follows them: 00 becomes 00 FF, and 00 01 ends the key.
std::string escaped(std::string stored, std::string_view key) {
  for (const char byte : key) {
    stored.push_back(byte);
    if (byte == '\0') stored.push_back('\xFF');
  }
  return stored;
}

std::string ended(std::string stored) {
  stored.push_back('\0');
  stored.push_back('\x01');
  return stored;
}

std::string unescaped(std::string_view stored) {
  std::string key;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    key.push_back(stored[i]);
    if (stored[i] == '\0') ++i;
  }
  return key;
}

}  // namespace

std::string Generation::bytes() const {
  std::string bytes;
  append_big_endian(bytes, incarnation, 8);
  append_big_endian(bytes, sequence, 8);
  return bytes;
}

std::string Generation::hex() const {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes()) {
    text.push_back(digits[static_cast<unsigned char>(byte) >> 4]);
    text.push_back(digits[static_cast<unsigned char>(byte) & 15]);
  }
  return text;
}

std::optional<Generation> Generation::from_bytes(std::string_view bytes) {
  if (bytes.size() != 16) return std::nullopt;
  return Generation{read_big_endian(bytes.substr(0, 8)), read_big_endian(bytes.substr(8))};
}

std::string bucket_key(std::string_view name) {
  return std::string(kBucketPrefix) + std::string(name);
}

std::string object_prefix(BucketNumber bucket) { return numbered('o', bucket); }

std::string object_key(BucketNumber bucket, std::string_view key) {
  return object_prefix(bucket) + std::string(key);
}

std::string upload_prefix(BucketNumber bucket) { return numbered('u', bucket); }

std::string version_prefix(BucketNumber bucket) { return numbered('v', bucket); }

std::string version_scan_prefix(BucketNumber bucket, std::string_view key_prefix) {
  return escaped(version_prefix(bucket), key_prefix);
}

std::string version_key_prefix(BucketNumber bucket, std::string_view key) {
  return ended(version_scan_prefix(bucket, key));
}

// The complement: a scan meets the newest first.
std::string version_key(BucketNumber bucket, std::string_view key, std::uint64_t sequence) {
  return version_key_prefix(bucket, key) + encode_sequence(~sequence);
}

std::optional<VersionPlace> parse_version_key(std::string_view stored) {
  if (stored.size() < kNumberedBytes + 2 + 8) return std::nullopt;
  VersionPlace place;
  place.sequence = ~decode_sequence(stored.substr(stored.size() - 8));
  stored.remove_suffix(8 + 2);
  place.key = unescaped(stored.substr(kNumberedBytes));
  return place;
}

std::string null_version_prefix(BucketNumber bucket) { return numbered('w', bucket); }

std::string null_version_key(BucketNumber bucket, std::string_view key) {
  return null_version_prefix(bucket) + std::string(key);
}

std::string encode_sequence(std::uint64_t sequence) {
  std::string bytes;
  append_big_endian(bytes, sequence, 8);
  return bytes;
}

std::uint64_t decode_sequence(std::string_view stored) { return read_big_endian(stored); }

std::string counts_key(BucketNumber bucket) { return numbered('t', bucket); }

std::string cors_key(BucketNumber bucket) { return numbered('c', bucket); }

std::string lifecycle_key(BucketNumber bucket) { return numbered('l', bucket); }

std::string parts_prefix(const Generation& body) { return "s" + body.bytes(); }

std::string parts_key(const Generation& body, std::uint64_t first_byte) {
  return parts_prefix(body) + encode_sequence(first_byte);
}

std::uint64_t parts_first_byte(std::string_view stored) {
  return stored.size() < 8 ? 0 : decode_sequence(stored.substr(stored.size() - 8));
}

std::string upload_scan_prefix(BucketNumber bucket, std::string_view key_prefix) {
  return escaped(upload_prefix(bucket), key_prefix);
}

std::string upload_key_prefix(BucketNumber bucket, std::string_view key) {
  return ended(upload_scan_prefix(bucket, key));
}

std::string upload_key(BucketNumber bucket, std::string_view key, std::string_view upload_id) {
  return upload_key_prefix(bucket, key) + std::string(upload_id);
}

std::optional<UploadName> parse_upload_key(std::string_view stored) {
  if (stored.size() < kNumberedBytes + 2 + kUploadIdCharacters) return std::nullopt;
  UploadName name;
  name.upload_id = stored.substr(stored.size() - kUploadIdCharacters);
  stored.remove_suffix(kUploadIdCharacters + 2);
  name.key = unescaped(stored.substr(kNumberedBytes));
  return name;
}

std::string part_prefix(std::string_view upload_id) { return "p" + std::string(upload_id); }

std::string part_key(std::string_view upload_id, int number) {
  std::string stored = part_prefix(upload_id);
  append_big_endian(stored, static_cast<std::uint64_t>(number), 2);
  return stored;
}

int part_number_of(std::string_view stored) {
  if (stored.size() < 2) return 0;
  return static_cast<int>(read_big_endian(stored.substr(stored.size() - 2)));
}

std::string inline_body_key(const Generation& generation) { return "d" + generation.bytes(); }

std::string file_key(const Generation& generation) { return "f" + generation.bytes(); }

std::string event_prefix(std::string_view destination_arn) {
  std::string stored(kEventPrefix);
  stored += destination_arn;
  stored.push_back('\0');
  return stored;
}

std::string event_key(std::string_view destination_arn, std::uint64_t sequence, std::uint8_t rule) {
  std::string stored = event_prefix(destination_arn);
  append_big_endian(stored, sequence, 8);
  stored.push_back(static_cast<char>(rule));
  return stored;
}

std::string_view event_destination(std::string_view stored) {
  if (!stored.starts_with(kEventPrefix)) return {};
  stored.remove_prefix(kEventPrefix.size());
  const std::size_t end = stored.find('\0');
  return end == std::string_view::npos ? std::string_view() : stored.substr(0, end);
}

std::uint64_t event_sequence(std::string_view stored) {
  if (stored.size() < 9) return 0;
  return read_big_endian(stored.substr(stored.size() - 9, 8));
}

}  // namespace terrarium::s3
