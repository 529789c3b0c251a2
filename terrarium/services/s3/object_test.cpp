#include "lib/base/encoding.h"
#include "terrarium/services/s3/testing_region.h"

namespace terrarium::s3 {
namespace {

using namespace std::chrono_literals;

std::string big(std::size_t bytes, char first = 'a') {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(first + i % 23);
  return text;
}

TEST(S3Bucket, IsCreatedWithTheDefaultsOfToday) {
  S3Region region;
  const auto created = region.create_bucket("pictures");
  ASSERT_TRUE(created.has_value());
  EXPECT_EQ(created->location, "/pictures");
  const auto block =
      region.wait(region.s3().get_public_access_block(region.root(), {.bucket = "pictures"}));
  EXPECT_TRUE(*block->public_access_block_configuration->restrict_public_buckets);
  EXPECT_TRUE(*block->public_access_block_configuration->block_public_policy);
  const auto ownership =
      region.wait(region.s3().get_bucket_ownership_controls(region.root(), {.bucket = "pictures"}));
  EXPECT_EQ(ownership->ownership_controls->rules[0].object_ownership, "BucketOwnerEnforced");
}

TEST(S3Bucket, SecondCreationIsForgivenInTheFirstRegionOnly) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("one").has_value());
  EXPECT_TRUE(region.create_bucket("one").has_value());
  ASSERT_TRUE(region.create_bucket("two", "eu-west-1").has_value());
  EXPECT_EQ(region.code_of(region.create_bucket("two", "eu-west-1")), "BucketAlreadyOwnedByYou");
  EXPECT_EQ(region.code_of(region.create_bucket("one", "eu-west-1")), "BucketAlreadyOwnedByYou");
}

TEST(S3Bucket, CreationIsRefusedForWhatItCannotBe) {
  S3Region region;
  EXPECT_EQ(region.code_of(region.create_bucket("Not_A_Name")), "InvalidBucketName");
  CreateBucketRequest request;
  request.bucket = "pictures";
  request.create_bucket_configuration.emplace().location_constraint = "eu-west-1";
  const auto elsewhere = region.root("eu-central-1");
  EXPECT_EQ(region.code_of(region.wait(region.s3().create_bucket(elsewhere, request))),
            "IllegalLocationConstraintException");
  request.create_bucket_configuration->location_constraint = "the-moon";
  EXPECT_EQ(region.code_of(region.wait(region.s3().create_bucket(region.root(), request))),
            "InvalidLocationConstraint");
  request.create_bucket_configuration->location_constraint = "us-east-1";
  EXPECT_EQ(region.code_of(region.wait(region.s3().create_bucket(region.root(), request))),
            "InvalidLocationConstraint");
  request.create_bucket_configuration.reset();
  request.acl = "public-read";
  EXPECT_EQ(region.code_of(region.wait(region.s3().create_bucket(region.root(), request))),
            "InvalidBucketAclWithObjectOwnership");
  request.acl = "private";
  request.object_lock_enabled_for_bucket = true;
  EXPECT_EQ(region.code_of(region.wait(region.s3().create_bucket(region.root(), request))),
            "NotImplemented");
  request.object_lock_enabled_for_bucket = false;
  EXPECT_EQ(region.code_of(region.wait(region.s3().create_bucket(region.anonymous(), request))),
            "AccessDenied");
  EXPECT_TRUE(region.wait(region.s3().create_bucket(region.root(), request)).has_value());
}

TEST(S3Bucket, IsMadeAnywhereFromTheFirstRegion) {
  S3Region region;
  CreateBucketRequest request;
  request.bucket = "far-away";
  request.create_bucket_configuration.emplace().location_constraint = "EU";
  const auto made = region.wait(region.s3().create_bucket(region.root(), request));
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->location, "http://far-away.s3.amazonaws.com/");
  const auto place =
      region.wait(region.s3().get_bucket_location(region.root(), {.bucket = "far-away"}));
  EXPECT_EQ(place->location_constraint, "eu-west-1");
}

TEST(S3Bucket, TellsClientsOfOtherRegionsWhereItIs) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("pictures", "eu-west-1").has_value());
  const auto wrong = region.wait(region.s3().head_bucket(region.root(), {.bucket = "pictures"}));
  EXPECT_EQ(region.code_of(wrong), "AuthorizationHeaderMalformed");
  EXPECT_EQ(field_of(wrong.error(), "Region"), "eu-west-1");
  EXPECT_EQ(field_of(wrong.error(), "header:x-amz-bucket-region"), "eu-west-1");
  const auto right =
      region.wait(region.s3().head_bucket(region.root("eu-west-1"), {.bucket = "pictures"}));
  EXPECT_EQ(right->bucket_region, "eu-west-1");
  const auto location =
      region.wait(region.s3().get_bucket_location(region.root(), {.bucket = "pictures"}));
  EXPECT_EQ(location->location_constraint, "eu-west-1");
}

TEST(S3Bucket, IsDeletedOnlyWhenEmpty) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("pictures").has_value());
  ASSERT_TRUE(region.put("pictures", "k", "v").has_value());
  EXPECT_EQ(
      region.code_of(region.wait(region.s3().delete_bucket(region.root(), {.bucket = "pictures"}))),
      "BucketNotEmpty");
  ASSERT_TRUE(
      region.wait(region.s3().delete_object(region.root(), {.bucket = "pictures", .key = "k"}))
          .has_value());
  EXPECT_TRUE(
      region.wait(region.s3().delete_bucket(region.root(), {.bucket = "pictures"})).has_value());
  EXPECT_EQ(
      region.code_of(region.wait(region.s3().head_bucket(region.root(), {.bucket = "pictures"}))),
      "NoSuchBucket");
}

TEST(S3Bucket, AreListedByNameInPages) {
  S3Region region;
  for (const std::string name : {"ccc", "aaa", "bbb"}) {
    ASSERT_TRUE(region.create_bucket(name).has_value());
  }
  ListBucketsRequest request;
  request.max_buckets = 2;
  auto page = region.wait(region.s3().list_buckets(region.root(), request));
  ASSERT_EQ(page->buckets->size(), 2U);
  EXPECT_EQ(page->buckets->at(0).name, "aaa");
  EXPECT_EQ(page->owner->id, canonical_user_id("000000000000"));
  request.continuation_token = page->continuation_token;
  page = region.wait(region.s3().list_buckets(region.root(), request));
  ASSERT_EQ(page->buckets->size(), 1U);
  EXPECT_EQ(page->buckets->at(0).name, "ccc");
  EXPECT_FALSE(page->continuation_token.has_value());
}

TEST(S3Object, ComesBackAsItWasPutWhateverItsSize) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("pictures").has_value());
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{1}, kInlineBytesMax, kInlineBytesMax + 1, kChunkBytes,
        kChunkBytes + 1, std::size_t{1'000'000}}) {
    const std::string sent = big(bytes);
    const auto put = region.put("pictures", "key", sent);
    ASSERT_TRUE(put.has_value()) << bytes;
    EXPECT_EQ(put->etag, quoted_etag(base::hex_encode(base::digest(base::DigestKind::Md5, sent))));
    EXPECT_EQ(put->server_side_encryption, "AES256");
    EXPECT_EQ(put->checksum_crc64nvme,
              base::base64_encode(base::digest(base::DigestKind::Crc64Nvme, sent)));
    EXPECT_EQ(region.body_of("pictures", "key"), sent) << bytes;
    EXPECT_LE(region.files(), 1U) << "the body before is gone";
  }
  ASSERT_TRUE(
      region.wait(region.s3().delete_object(region.root(), {.bucket = "pictures", .key = "key"}))
          .has_value());
  EXPECT_EQ(region.files(), 0U);
  EXPECT_EQ(region.body_of("pictures", "key"), "NoSuchKey");
}

TEST(S3Object, KeepsWhatItsWriterSaidOfIt) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("pictures").has_value());
  const auto adjust = [](PutObjectRequest& request) {
    request.cache_control = "no-store";
    request.content_encoding = "aws-chunked,gzip";
    request.expires = "whenever";
    request.storage_class = "STANDARD_IA";
    request.metadata.emplace()["Colour"] = "green";
    request.tagging = "a=1&b=2";
  };
  ASSERT_TRUE(region.put("pictures", "key", "body", adjust).has_value());
  HeadObjectRequest head;
  head.bucket = "pictures";
  head.key = "key";
  head.checksum_mode = "ENABLED";
  const auto output = region.wait(region.s3().head_object(region.root(), head));
  ASSERT_TRUE(output.has_value());
  EXPECT_EQ(output->content_type, "binary/octet-stream");
  EXPECT_EQ(output->cache_control, "no-store");
  EXPECT_EQ(output->content_encoding, "gzip");
  EXPECT_EQ(output->expires, "whenever");
  EXPECT_EQ(output->storage_class, "STANDARD_IA");
  EXPECT_EQ(output->metadata->at("colour"), "green");
  EXPECT_EQ(output->tag_count, 2);
  EXPECT_EQ(output->content_length, 4);
  EXPECT_TRUE(output->checksum_crc64nvme.has_value());
  EXPECT_EQ(output->checksum_type, "FULL_OBJECT");
  EXPECT_EQ(output->last_modified, std::chrono::floor<std::chrono::seconds>(region.clock.now()));
}

TEST(S3Object, RangesAreAnsweredInPartWhereverTheBodyLies) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("pictures").has_value());
  for (const std::size_t bytes : {std::size_t{1000}, std::size_t{100'000}}) {
    const std::string sent = big(bytes);
    ASSERT_TRUE(region.put("pictures", "key", sent).has_value());
    GetObjectRequest request = region.get_request("pictures", "key");
    request.range = "bytes=10-19";
    auto output = region.get(request);
    ASSERT_TRUE(output.has_value());
    EXPECT_EQ(output->status_code, 206);
    EXPECT_EQ(output->content_range, "bytes 10-19/" + std::to_string(bytes));
    EXPECT_EQ(region.read(*output), sent.substr(10, 10));
    request.checksum_mode = "ENABLED";
    EXPECT_FALSE(region.get(request)->checksum_type.has_value());
    request.range = "bytes=-200000";
    output = region.get(request);
    EXPECT_EQ(output->status_code, 206);
    EXPECT_EQ(output->checksum_type, "FULL_OBJECT") << "a range that is the whole";
    request.range = "bytes=" + std::to_string(bytes) + "-";
    const auto outside = region.get(request);
    EXPECT_EQ(region.code_of(outside), "InvalidRange");
    EXPECT_EQ(field_of(outside.error(), "ActualObjectSize"), std::to_string(bytes));
  }
}

TEST(S3Object, ChecksumsAreCheckedKeptAndAnswered) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("pictures").has_value());
  const auto put = [&region](const S3Region::Adjust& adjust, std::string bytes = "body") {
    return region.put("pictures", "key", std::move(bytes), adjust);
  };
  const auto sha256 = [](std::string_view bytes) {
    return base::base64_encode(base::digest(base::DigestKind::Sha256, bytes));
  };
  EXPECT_EQ(region.code_of(put([&](auto& it) { it.checksum_sha256 = sha256("other"); })),
            "BadDigest");
  EXPECT_EQ(put([&](auto& it) { it.checksum_sha256 = sha256("body"); })->checksum_sha256,
            sha256("body"));
  EXPECT_EQ(region.code_of(put([&](auto& it) {
    it.checksum_sha256 = sha256("body");
    it.checksum_crc32 = "AAAAAA==";
  })),
            "InvalidRequest");
  EXPECT_EQ(region.code_of(put([](auto& it) { it.checksum_sha256 = "short"; })), "InvalidRequest");
  EXPECT_EQ(region.code_of(put([](auto& it) { it.checksum_algorithm = "CRC32"; })),
            "InvalidRequest");
  const auto with_md5 = [](auto& it) {
    it.content_md5 = base::base64_encode(base::digest(base::DigestKind::Md5, "body"));
  };
  EXPECT_TRUE(put(with_md5).has_value());
  EXPECT_EQ(region.code_of(put(with_md5, "tampered")), "BadDigest");
  EXPECT_EQ(region.code_of(put([](auto& it) { it.content_md5 = "nonsense"; })), "InvalidDigest");
  EXPECT_EQ(region.body_of("pictures", "key"), "body");
}

TEST(S3Object, ConditionalWritesSeeWhatIsThere) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("pictures").has_value());
  const auto if_absent = [](auto& it) { it.if_none_match = "*"; };
  const auto first = region.put("pictures", "key", "first", if_absent);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(region.code_of(region.put("pictures", "key", "second", if_absent)),
            "PreconditionFailed");
  const auto if_first = [&first](auto& it) { it.if_match = first->etag; };
  EXPECT_TRUE(region.put("pictures", "key", "second", if_first).has_value());
  EXPECT_EQ(region.code_of(region.put("pictures", "key", "third", if_first)), "PreconditionFailed");
  const DeleteObjectRequest removal{.bucket = "pictures", .key = "key", .if_match = first->etag};
  EXPECT_EQ(region.code_of(region.wait(region.s3().delete_object(region.root(), removal))),
            "PreconditionFailed");
  EXPECT_EQ(region.body_of("pictures", "key"), "second");
}

// A body that ends before its length, as the wire reports it.
class ShortBody final : public http::BodyReader {
 public:
  runtime::Task<base::Result<std::size_t>> read(std::span<char> into) override {
    if (sent_) co_return base::fail(base::ErrorKind::InvalidInput, "cut short");
    sent_ = true;
    into[0] = 'x';
    co_return std::size_t{1};
  }
  std::optional<std::uint64_t> length() const override { return 100'000; }

 private:
  bool sent_ = false;
};

TEST(S3Object, BodiesCutShortLeaveNothingBehind) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("pictures").has_value());
  ShortBody body;
  wire::Context context = region.root();
  context.body = &body;
  PutObjectRequest request;
  request.bucket = "pictures";
  request.key = "key";
  EXPECT_FALSE(region.wait(region.s3().put_object(context, std::move(request))).has_value());
  EXPECT_EQ(region.body_of("pictures", "key"), "NoSuchKey");
  EXPECT_EQ(region.files(), 0U);
}

TEST(S3Object, AReaderKeepsTheBodyItBeganWith) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("pictures").has_value());
  const std::string before = big(300'000, 'A');
  ASSERT_TRUE(region.put("pictures", "key", before).has_value());
  {
    auto reading = region.get(region.get_request("pictures", "key"));
    ASSERT_TRUE(region.put("pictures", "key", big(300'000, 'a')).has_value());
    region.settle();
    EXPECT_EQ(region.read(*reading), before);
  }
  region.settle();
  EXPECT_EQ(region.files(), 1U) << "the old body goes with its last reader";
}

TEST(S3Object, KeysAreNeverPaths) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("pictures").has_value());
  const std::vector<std::string> keys{"../../../../etc/x",        "/abs", "a//b", ".", "..",
                                      std::string("nul\0byte", 8)};
  for (const std::string& key : keys) {
    ASSERT_TRUE(region.put("pictures", key, big(20'000) + key).has_value());
  }
  for (const std::string& key : keys) EXPECT_EQ(region.body_of("pictures", key), big(20'000) + key);
  EXPECT_EQ(region.files(), keys.size());
}

TEST(S3Object, UnsupportedParametersAreRefusedByName) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("pictures").has_value());
  const auto code = [&region](const S3Region::Adjust& adjust) {
    return region.code_of(region.put("pictures", "key", "x", adjust));
  };
  EXPECT_EQ(code([](auto& it) { it.server_side_encryption = "aws:kms"; }), "NotImplemented");
  EXPECT_EQ(code([](auto& it) { it.sse_customer_algorithm = "AES256"; }), "NotImplemented");
  EXPECT_EQ(code([](auto& it) { it.object_lock_mode = "GOVERNANCE"; }), "InvalidRequest");
  EXPECT_EQ(code([](auto& it) { it.website_redirect_location = "nowhere"; }),
            "InvalidRedirectLocation");
  EXPECT_EQ(code([](auto& it) { it.storage_class = "DEEP_ARCHIVE"; }), "NotImplemented");
  EXPECT_EQ(code([](auto& it) { it.storage_class = "BEST"; }), "InvalidStorageClass");
  EXPECT_EQ(code([](auto& it) { it.acl = "public-read"; }), "AccessControlListNotSupported");
  EXPECT_EQ(code([](auto& it) { it.grant_read = "id=" + std::string(64, '0'); }),
            "AccessControlListNotSupported");
  EXPECT_EQ(code([](auto& it) { it.expected_bucket_owner = "999999999999"; }), "AccessDenied");
  EXPECT_EQ(code([](auto& it) {
              it.acl = "bucket-owner-full-control";
              it.server_side_encryption = "AES256";
            }),
            "no error");
  DeleteObjectRequest bypass;
  bypass.bucket = "pictures";
  bypass.key = "key";
  bypass.bypass_governance_retention = false;
  EXPECT_EQ(region.code_of(region.wait(region.s3().delete_object(region.root(), bypass))),
            "InvalidArgument");
}

TEST(S3Delete, ManyAtOnceReportEachByItself) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("pictures").has_value());
  ASSERT_TRUE(region.put("pictures", "a", "1").has_value());
  ASSERT_TRUE(region.put("pictures", "b", big(30'000)).has_value());
  DeleteObjectsRequest request;
  request.bucket = "pictures";
  request.delete_.objects = {{"a", {}}, {"a", {}}, {"b", {}}, {"missing", {}}, {"v", "old"}};
  auto output = region.wait(region.s3().delete_objects(region.root(), request));
  ASSERT_TRUE(output.has_value());
  EXPECT_EQ(output->deleted->size(), 4U);
  ASSERT_EQ(output->errors->size(), 1U);
  EXPECT_EQ(output->errors->at(0).code, "NoSuchVersion");
  EXPECT_TRUE(region.keys_of("pictures").empty());
  EXPECT_EQ(region.files(), 0U);
  request.delete_.quiet = true;
  request.delete_.objects = {{"a", {}}};
  output = region.wait(region.s3().delete_objects(region.root(), request));
  EXPECT_FALSE(output->deleted.has_value());
  request.delete_.objects.assign(1001, {"a", {}});
  EXPECT_EQ(region.code_of(region.wait(region.s3().delete_objects(region.root(), request))),
            "MalformedXML");
}

TEST(S3Copy, CarriesOrReplacesWhatTheDirectivesSay) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("pictures").has_value());
  ASSERT_TRUE(region.create_bucket("others", "eu-west-1").has_value());
  for (const std::size_t bytes : {std::size_t{10}, std::size_t{50'000}}) {
    const auto put = region.put("pictures", "a b", big(bytes), [](auto& source) {
      source.metadata.emplace()["m"] = "1";
      source.tagging = "t=1";
      source.content_type = "image/png";
      source.storage_class = "STANDARD_IA";
    });
    ASSERT_TRUE(put.has_value());
    CopyObjectRequest copy;
    copy.bucket = "others";
    copy.key = "copy";
    copy.copy_source = "pictures/a%20b";
    auto output = region.wait(region.s3().copy_object(region.root("eu-west-1"), copy));
    ASSERT_TRUE(output.has_value()) << region.code_of(output);
    EXPECT_EQ(output->copy_object_result->etag, put->etag);
    HeadObjectRequest head;
    head.bucket = "others";
    head.key = "copy";
    auto described = region.wait(region.s3().head_object(region.root("eu-west-1"), head));
    EXPECT_EQ(described->content_type, "image/png");
    EXPECT_EQ(described->metadata->at("m"), "1");
    EXPECT_EQ(described->tag_count, 1);
    EXPECT_FALSE(described->storage_class.has_value());
    copy.metadata_directive = "REPLACE";
    copy.tagging_directive = "REPLACE";
    copy.metadata.emplace()["m"] = "2";
    copy.checksum_algorithm = "SHA1";
    output = region.wait(region.s3().copy_object(region.root("eu-west-1"), copy));
    EXPECT_EQ(output->copy_object_result->checksum_sha1,
              base::base64_encode(base::digest(base::DigestKind::Sha1, big(bytes))));
    described = region.wait(region.s3().head_object(region.root("eu-west-1"), head));
    EXPECT_EQ(described->metadata->at("m"), "2");
    EXPECT_EQ(described->content_type, "binary/octet-stream");
    EXPECT_FALSE(described->tag_count.has_value());
  }
}

TEST(S3Copy, OfItselfMustChangeSomething) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("pictures").has_value());
  ASSERT_TRUE(region.put("pictures", "key", big(50'000)).has_value());
  CopyObjectRequest copy;
  copy.bucket = "pictures";
  copy.key = "key";
  copy.copy_source = "pictures/key";
  EXPECT_EQ(region.code_of(region.wait(region.s3().copy_object(region.root(), copy))),
            "InvalidRequest");
  copy.metadata_directive = "REPLACE";
  EXPECT_TRUE(region.wait(region.s3().copy_object(region.root(), copy)).has_value());
  EXPECT_EQ(region.body_of("pictures", "key"), big(50'000));
  EXPECT_EQ(region.files(), 1U);
  copy.copy_source = "pictures/none";
  EXPECT_EQ(region.code_of(region.wait(region.s3().copy_object(region.root(), copy))), "NoSuchKey");
}

TEST(S3Api, ReadsObjectsForTheRestOfTheRegion) {
  S3Region region;
  ASSERT_TRUE(region.create_bucket("code").has_value());
  ASSERT_TRUE(region.put("code", "f.zip", big(40'000)).has_value());
  EXPECT_EQ(*region.wait(region.s3().read_object("code", "f.zip", {}, 40'000)), big(40'000));
  EXPECT_EQ(region.wait(region.s3().read_object("code", "f.zip", {}, 39'999)).error().kind,
            base::ErrorKind::TooLarge);
  EXPECT_EQ(region.code_of(region.wait(region.s3().read_object("code", "g", {}, 1))), "NoSuchKey");
  EXPECT_EQ(region.code_of(region.wait(region.s3().read_object("none", "g", {}, 1))),
            "NoSuchBucket");
  EXPECT_TRUE(region.wait(region.s3().bucket_exists("code")));
  EXPECT_FALSE(region.wait(region.s3().bucket_exists("none")));
}

}  // namespace
}  // namespace terrarium::s3
