// Lifecycle: what may be configured, when things are due, and that they really go.
#include "terrarium/services/s3/lifecycle.h"

#include "terrarium/services/s3/testing_region.h"

namespace terrarium::s3 {
namespace {

using std::chrono::days;
using std::chrono::hours;

LifecycleRule rule(std::string id, std::string prefix = {}) {
  LifecycleRule made;
  made.id = std::move(id);
  made.status = "Enabled";
  made.filter.emplace().prefix = std::move(prefix);
  return made;
}

LifecycleRule expire_after(std::int32_t count, std::string prefix = {}) {
  LifecycleRule made = rule("days", std::move(prefix));
  made.expiration.emplace().days = count;
  return made;
}

std::string refusal(LifecycleRule asked) {
  base::SeededRandom random(1);
  BucketLifecycleConfiguration configuration;
  configuration.rules.push_back(std::move(asked));
  const auto checked = check_lifecycle(configuration, random);
  return checked.has_value() ? "taken" : checked.error().message;
}

const base::Timestamp kNoon = base::Timestamp(days(20'000)) + hours(12);

TEST(S3LifecycleRules, ThatAwsTakesAreTakenAndReadBack) {
  base::SeededRandom random(1);
  BucketLifecycleConfiguration configuration;
  LifecycleRule& full = configuration.rules.emplace_back(rule("full", "logs/"));
  full.filter.emplace().and_.emplace().prefix = "logs/";
  full.filter->and_->tags = std::vector<Tag>{{"a", "1"}, {"box", ""}};
  full.filter->and_->object_size_greater_than = 0;
  full.expiration.emplace().date = base::Timestamp(days(20'000));
  full.noncurrent_version_expiration.emplace().noncurrent_days = 3;
  full.noncurrent_version_expiration->newer_noncurrent_versions = 2;
  LifecycleRule& old = configuration.rules.emplace_back();
  old.prefix = "";
  old.status = "Disabled";
  old.abort_incomplete_multipart_upload.emplace().days_after_initiation = 7;
  ASSERT_TRUE(check_lifecycle(configuration, random).has_value());
  EXPECT_FALSE(configuration.rules[1].id->empty());
  const auto read = decode_lifecycle(encode(configuration));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(encode(*read), encode(configuration));
  const LifecycleRule& again = read->rules[0];
  EXPECT_EQ(again.filter->and_->tags->size(), 2U);
  EXPECT_EQ(again.filter->and_->object_size_greater_than, 0);
  EXPECT_EQ(again.expiration->date, base::Timestamp(days(20'000)));
  EXPECT_EQ(again.noncurrent_version_expiration->newer_noncurrent_versions, 2);
  EXPECT_EQ(read->rules[1].prefix, "");
  EXPECT_FALSE(read->rules[1].filter.has_value());
  EXPECT_FALSE(decode_lifecycle("x").has_value());
}

TEST(S3LifecycleRules, ThatAwsRefusesAreRefusedInItsWords) {
  EXPECT_EQ(refusal(expire_after(1)), "taken");
  EXPECT_EQ(refusal(expire_after(0)), "'Days' for Expiration action must be a positive integer");
  EXPECT_EQ(refusal(rule("x")), "At least one action needs to be specified in a rule");
  LifecycleRule asked = expire_after(1);
  asked.prefix = "both";
  EXPECT_TRUE(refusal(asked).contains("not well-formed"));
  asked = rule("x");
  asked.expiration.emplace().date = kNoon;
  EXPECT_EQ(refusal(asked), "'Date' must be at midnight GMT");
  asked = rule("x");
  asked.filter->prefix.reset();
  asked.filter->tag = Tag{"k", "v"};
  asked.abort_incomplete_multipart_upload.emplace().days_after_initiation = 1;
  EXPECT_EQ(refusal(asked), "AbortIncompleteMultipartUpload cannot be specified with Tags.");
  asked = expire_after(1);
  asked.transitions.emplace().emplace_back().days = 30;
  EXPECT_TRUE(refusal(asked).contains("transition"));
  asked = expire_after(1);
  asked.id = std::string(256, 'i');
  EXPECT_EQ(refusal(asked), "ID length should not exceed allowed limit of 255");
  BucketLifecycleConfiguration twice;
  twice.rules = {expire_after(1), expire_after(2)};
  base::SeededRandom random(1);
  EXPECT_TRUE(check_lifecycle(twice, random).error().message.contains("must be unique"));
}

TEST(S3LifecycleDates, DaysEndAtTheMidnightThatFollows) {
  BucketLifecycleConfiguration configuration;
  configuration.rules = {expire_after(3, "logs/")};
  ObjectRecord object;
  object.last_modified = kNoon;
  const auto due = object_due(configuration, "logs/a", object);
  ASSERT_TRUE(due.has_value());
  EXPECT_EQ(due->at, base::Timestamp(days(20'004)));
  EXPECT_EQ(expiration_header(*due),
            "expiry-date=\"Tue, 08 Oct 2024 00:00:00 GMT\", rule-id=\"days\"");
  EXPECT_FALSE(object_due(configuration, "other", object).has_value());
  EXPECT_FALSE(version_due(configuration, "logs/a", object, {kNoon, 0}).has_value());
}

TEST(S3LifecycleDates, FiltersLookAtTagsAndSizes) {
  BucketLifecycleConfiguration configuration;
  configuration.rules = {expire_after(1)};
  LifecycleRuleFilter& filter = *configuration.rules[0].filter;
  filter.prefix.reset();
  filter.and_.emplace().tags = std::vector<Tag>{{"k", "v"}};
  filter.and_->object_size_greater_than = 10;
  ObjectRecord object;
  object.bytes = 11;
  EXPECT_FALSE(object_due(configuration, "a", object).has_value());
  object.tags = {{"k", "v"}};
  EXPECT_TRUE(object_due(configuration, "a", object).has_value());
  object.bytes = 10;
  EXPECT_FALSE(object_due(configuration, "a", object).has_value());
}

TEST(S3LifecycleDates, NoncurrentVersionsAreKeptByNumber) {
  BucketLifecycleConfiguration configuration;
  configuration.rules = {rule("n")};
  configuration.rules[0].noncurrent_version_expiration.emplace().noncurrent_days = 1;
  configuration.rules[0].noncurrent_version_expiration->newer_noncurrent_versions = 2;
  const ObjectRecord version;
  EXPECT_FALSE(version_due(configuration, "a", version, {kNoon, 1}).has_value());
  const auto due = version_due(configuration, "a", version, {kNoon, 2});
  ASSERT_TRUE(due.has_value());
  EXPECT_EQ(due->at, base::Timestamp(days(20'002)));
}

class ExpiringRegion : public S3Region {
 public:
  explicit ExpiringRegion(store::Store* store = nullptr) : S3Region(store) {
    EXPECT_TRUE(create_bucket("box").has_value());
  }
  void configure(std::vector<LifecycleRule> rules) {
    PutBucketLifecycleConfigurationRequest request;
    request.bucket = "box";
    request.lifecycle_configuration.emplace().rules = std::move(rules);
    EXPECT_TRUE(wait(s3().put_bucket_lifecycle_configuration(root(), request)).has_value());
  }
  void enable_versioning() {
    PutBucketVersioningRequest request;
    request.bucket = "box";
    request.versioning_configuration.status = "Enabled";
    EXPECT_TRUE(wait(s3().put_bucket_versioning(root(), request)).has_value());
  }
  std::size_t versions() {
    ListObjectVersionsRequest request;
    request.bucket = "box";
    const auto page = wait(s3().list_object_versions(root(), request));
    return page->versions.value_or(std::vector<ObjectVersion>()).size() +
           page->delete_markers.value_or(std::vector<DeleteMarkerEntry>()).size();
  }
};

TEST(S3Lifecycle, ObjectsGoWhenTheirDayHasCome) {
  ExpiringRegion region;
  ASSERT_TRUE(region.notify("box", {S3Region::rule("s3:LifecycleExpiration:*")}).has_value());
  region.queues.messages[kQueueArn].clear();
  region.configure({expire_after(1, "logs/")});
  const auto put = region.put("box", "logs/a", std::string(kInlineBytesMax + 1, 'a'));
  ASSERT_TRUE(put.has_value());
  EXPECT_TRUE(put->expiration->contains("rule-id=\"days\""));
  ASSERT_TRUE(region.put("box", "kept", "k").has_value());
  EXPECT_FALSE(region.get(S3Region::get_request("box", "kept"))->expiration.has_value());
  region.advance(hours(23));
  EXPECT_EQ(region.keys_of("box").size(), 2U);
  region.advance(hours(25));
  EXPECT_EQ(region.keys_of("box"), std::vector<std::string>{"kept"});
  EXPECT_EQ(region.files(), 0U);
  ASSERT_EQ(region.queues.messages[kQueueArn].size(), 1U);
  EXPECT_TRUE(region.queues.messages[kQueueArn][0].contains("LifecycleExpiration:Delete"));
}

TEST(S3Lifecycle, MoreThanOnePageIsWalked) {
  ExpiringRegion region;
  for (int i = 0; i < 1'203; ++i) {
    ASSERT_TRUE(region.put("box", "k" + std::to_string(i), "x").has_value());
  }
  region.configure({expire_after(1)});
  region.advance(hours(48));
  EXPECT_TRUE(region.keys_of("box").empty());
}

TEST(S3Lifecycle, VersionsBecomeMarkersThenNothing) {
  ExpiringRegion region;
  region.enable_versioning();
  LifecycleRule asked = expire_after(1);
  asked.noncurrent_version_expiration.emplace().noncurrent_days = 1;
  region.configure({asked});
  ASSERT_TRUE(region.put("box", "k", "1").has_value());
  ASSERT_TRUE(region.put("box", "k", "2").has_value());
  region.advance(hours(48));
  EXPECT_EQ(S3Region::code_of(region.get(S3Region::get_request("box", "k"))), "NoSuchKey");
  region.advance(hours(72));
  EXPECT_EQ(region.versions(), 0U);
}

TEST(S3Lifecycle, DatesThatHavePassedWorkSoonAfterTheyWerePut) {
  ExpiringRegion region;
  ASSERT_TRUE(region.put("box", "past", "x").has_value());
  LifecycleRule asked = rule("date");
  asked.expiration.emplace().date = base::Timestamp(days(1));
  region.configure({asked});
  EXPECT_EQ(region.keys_of("box").size(), 1U);
  region.advance(std::chrono::seconds(10));
  EXPECT_TRUE(region.keys_of("box").empty());
}

TEST(S3Lifecycle, AbandonedUploadsAreAborted) {
  ExpiringRegion region;
  LifecycleRule asked = rule("abort");
  asked.abort_incomplete_multipart_upload.emplace().days_after_initiation = 1;
  region.configure({asked});
  CreateMultipartUploadRequest begin;
  begin.bucket = "box";
  begin.key = "k";
  const auto upload = region.wait(region.s3().create_multipart_upload(region.root(), begin));
  ASSERT_TRUE(upload.has_value());
  region.advance(hours(49));
  ListPartsRequest parts;
  parts.bucket = "box";
  parts.key = "k";
  parts.upload_id = *upload->upload_id;
  EXPECT_EQ(S3Region::code_of(region.wait(region.s3().list_parts(region.root(), parts))),
            "NoSuchUpload");
}

TEST(S3Lifecycle, ADeletedConfigurationIsNotThere) {
  ExpiringRegion region;
  region.configure({expire_after(1)});
  GetBucketLifecycleConfigurationRequest get;
  get.bucket = "box";
  EXPECT_EQ(region.wait(region.s3().get_bucket_lifecycle_configuration(region.root(), get))
                ->rules->size(),
            1U);
  DeleteBucketLifecycleRequest remove;
  remove.bucket = "box";
  EXPECT_TRUE(region.wait(region.s3().delete_bucket_lifecycle(region.root(), remove)).has_value());
  EXPECT_EQ(S3Region::code_of(
                region.wait(region.s3().get_bucket_lifecycle_configuration(region.root(), get))),
            "NoSuchLifecycleConfiguration");
  ASSERT_TRUE(region.put("box", "k", "x").has_value());
  region.advance(hours(72));
  EXPECT_EQ(region.keys_of("box").size(), 1U);
}

}  // namespace
}  // namespace terrarium::s3
