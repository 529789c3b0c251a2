#include "terrarium/services/s3/records.h"

#include <gtest/gtest.h>

#include "lib/base/random.h"
#include "terrarium/services/s3/fields.h"
#include "terrarium/services/s3/keys.h"

namespace terrarium::s3 {
namespace {

using namespace std::chrono_literals;

const base::Timestamp kTime{1'700'000'000s};

ObjectRecord full_object() {
  ObjectRecord record;
  record.sequence = 7;
  record.bytes = 12'345'678'901;
  record.last_modified = kTime;
  record.etag = "abc-2";
  record.headers.content_type = "image/png";
  record.headers.cache_control = "no-store";
  record.headers.metadata = {{"a", "1"}, {"empty", ""}};
  record.tags = {{"k", "v"}, {"no value", ""}};
  record.checksum = ObjectChecksum{base::DigestKind::Sha256, true, "xyz-2"};
  record.upload_id = "upload";
  record.parts = 2;
  record.place = BodyPlace::Parts;
  record.body = {4, 5};
  record.version_nonce = std::string(kVersionNonceBytes, 'n');
  return record;
}

TEST(S3Records, ObjectsComeBackAsTheyWereWritten) {
  const ObjectRecord record = full_object();
  const auto read = decode_object(encode(record));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->bytes, record.bytes);
  EXPECT_EQ(read->last_modified, kTime);
  EXPECT_EQ(read->etag, "abc-2");
  EXPECT_EQ(read->headers.metadata, record.headers.metadata);
  EXPECT_EQ(read->headers.content_type, "image/png");
  EXPECT_EQ(read->tags, record.tags);
  EXPECT_EQ(read->checksum->kind, base::DigestKind::Sha256);
  EXPECT_TRUE(read->checksum->composite);
  EXPECT_EQ(read->place, BodyPlace::Parts);
  EXPECT_EQ(read->body, (Generation{4, 5}));
  EXPECT_EQ(encode(*read), encode(record));
}

TEST(S3Records, PartsOfAnObjectComeBackAsTheyWereWritten) {
  PartsRecord record;
  record.parts_before = 64;
  record.segments = {{{1, 2}, 3, "c1"}, {{4, 5}, 0, ""}};
  const auto read = decode_parts(encode(record));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->parts_before, 64U);
  ASSERT_EQ(read->segments.size(), 2U);
  EXPECT_EQ(read->segments[1].generation, (Generation{4, 5}));
  EXPECT_EQ(read->segments[0].checksum, "c1");
  EXPECT_FALSE(decode_parts("").has_value());
}

TEST(S3Records, BucketsComeBackAsTheyWereWritten) {
  BucketRecord record;
  record.name = "pictures";
  record.number = BucketNumber{9};
  record.region = "eu-west-1";
  record.created = kTime;
  record.object_ownership = "ObjectWriter";
  record.policy = "{}";
  record.public_access_block = PublicAccessBlock{false, true, false, true};
  record.tags = {{"k", ""}};
  record.notifications = {{"id", "arn", {"e1", "e2"}, "", std::nullopt}};
  const auto read = decode_bucket(encode(record));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(encode(*read), encode(record));
  EXPECT_EQ(read->notifications[0].prefix, "");
  EXPECT_EQ(read->notifications[0].suffix, std::nullopt);
  EXPECT_TRUE(read->public_access_block->restrict_public_buckets);
  EXPECT_FALSE(read->public_access_block->block_public_policy);
  record.public_access_block = PublicAccessBlock{};
  EXPECT_TRUE(decode_bucket(encode(record))->public_access_block.has_value())
      << "all off is not the same as none";
}

TEST(S3Records, UploadsPartsAndEventsComeBackAsTheyWereWritten) {
  UploadRecord upload;
  upload.initiated = kTime;
  upload.checksum_kind = base::DigestKind::Crc32c;
  upload.checksum_composite = upload.checksum_asked = true;
  upload.principal_arn = "arn";
  EXPECT_EQ(encode(*decode_upload(encode(upload))), encode(upload));
  const PartRecord part{{{1, 2}, 3, "c"}, "etag", kTime};
  EXPECT_EQ(encode(*decode_part(encode(part))), encode(part));
  const EventRecord event{kTime, "bucket", "body"};
  EXPECT_EQ(encode(*decode_event(encode(event))), encode(event));
}

TEST(S3Records, EveryCutAndEveryFlippedByteIsReadWithoutHarm) {
  const std::string bytes = encode(full_object());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto read = decode_object(std::string_view(bytes).substr(0, cut));
    if (read.has_value()) EXPECT_NE(encode(*read), bytes);
  }
  base::SeededRandom random(3);
  for (int round = 0; round < 5000; ++round) {
    std::string broken = bytes;
    broken[random.below(broken.size())] = static_cast<char>(random.below(256));
    const auto read = decode_object(broken);
    if (read.has_value()) EXPECT_FALSE(encode(*read).empty());
  }
}

TEST(S3Records, FieldsOfALaterVersionAreRefusedRatherThanLost) {
  FieldWriter writer;
  writer.text(200, "from the future");
  EXPECT_FALSE(decode_object(writer.take()).has_value());
}

TEST(S3Keys, UploadsSortByKeyThenByTime) {
  const BucketNumber bucket{1};
  const std::string early(kUploadIdCharacters, '0');
  const std::string late(kUploadIdCharacters, 'f');
  const std::vector<std::pair<std::string, std::string>> order{
      {std::string("a"), early},      {std::string("a"), late},
      {std::string("a\0", 2), early}, {std::string("a\0b", 3), early},
      {std::string("a\x01"), early},  {std::string("ab"), early},
      {std::string("b"), early}};
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    EXPECT_LT(upload_key(bucket, order[i].first, order[i].second),
              upload_key(bucket, order[i + 1].first, order[i + 1].second))
        << i;
  }
  for (const auto& [key, id] : order) {
    const auto name = parse_upload_key(upload_key(bucket, key, id));
    ASSERT_TRUE(name.has_value());
    EXPECT_EQ(name->key, key);
    EXPECT_EQ(name->upload_id, id);
  }
}

TEST(S3Keys, EventsTellTheirDestinationAndSequence) {
  const std::string key = event_key("arn:aws:sqs:us-east-1:0:q", 0x0100000000000000U, 3);
  EXPECT_EQ(event_destination(key), "arn:aws:sqs:us-east-1:0:q");
  EXPECT_EQ(event_sequence(key), 0x0100000000000000U);
  EXPECT_EQ(event_destination("x"), "");
}

TEST(S3Keys, GenerationsAreFileNamesOfHexDigits) {
  const Generation generation{0x0123456789abcdefU, 0xfedcba9876543210U};
  EXPECT_EQ(generation.hex(), "0123456789abcdeffedcba9876543210");
  EXPECT_EQ(Generation::from_bytes(generation.bytes()), generation);
  EXPECT_EQ(Generation::from_bytes("short"), std::nullopt);
}

}  // namespace
}  // namespace terrarium::s3
