#include "terrarium/services/s3/access.h"

#include "terrarium/services/s3/testing_region.h"

namespace terrarium::s3 {
namespace {

constexpr std::string_view kPublicRead =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",)"
    R"("Action":"s3:GetObject","Resource":"arn:aws:s3:::pictures/*"}]})";

class S3Access : public testing::Test {
 protected:
  S3Access() {
    EXPECT_TRUE(region.create_bucket("pictures").has_value());
    EXPECT_TRUE(region.put("pictures", "key", "body").has_value());
  }
  std::string put_policy(std::string_view policy) {
    PutBucketPolicyRequest request;
    request.bucket = "pictures";
    request.policy = policy;
    return region.code_of(region.wait(region.s3().put_bucket_policy(region.root(), request)));
  }
  void block(bool policies, bool restricted) {
    PutPublicAccessBlockRequest request;
    request.bucket = "pictures";
    request.public_access_block_configuration.block_public_policy = policies;
    request.public_access_block_configuration.restrict_public_buckets = restricted;
    EXPECT_TRUE(
        region.wait(region.s3().put_public_access_block(region.root(), request)).has_value());
  }
  std::string get(wire::Context context, const std::string& key = "key") {
    return region.code_of(
        region.wait(region.s3().get_object(context, region.get_request("pictures", key))));
  }

  S3Region region;
};

TEST_F(S3Access, NobodyReadsUnsignedWithoutAPolicy) {
  EXPECT_EQ(get(region.anonymous()), "AccessDenied");
  EXPECT_EQ(region.code_of(region.put_as(region.anonymous(), "pictures", "new", "x")),
            "AccessDenied");
  ListObjectsV2Request list;
  list.bucket = "pictures";
  EXPECT_EQ(region.code_of(region.wait(region.s3().list_objects_v2(region.anonymous(), list))),
            "AccessDenied");
  const auto head =
      region.wait(region.s3().head_bucket(region.anonymous(), {.bucket = "pictures"}));
  EXPECT_EQ(region.code_of(head), "AccessDenied");
  EXPECT_EQ(field_of(head.error(), "header:x-amz-bucket-region"), "us-east-1");
}

TEST_F(S3Access, PublicPoliciesAreRefusedWhileTheBlockIsOn) {
  EXPECT_EQ(put_policy(kPublicRead), "AccessDenied");
  EXPECT_EQ(region.code_of(
                region.wait(region.s3().get_bucket_policy(region.root(), {.bucket = "pictures"}))),
            "NoSuchBucketPolicy");
  block(false, false);
  EXPECT_EQ(put_policy(kPublicRead), "no error");
  EXPECT_EQ(
      region.wait(region.s3().get_bucket_policy(region.root(), {.bucket = "pictures"}))->policy,
      kPublicRead);
  EXPECT_TRUE(
      *region.wait(region.s3().get_bucket_policy_status(region.root(), {.bucket = "pictures"}))
           ->policy_status->is_public);
}

TEST_F(S3Access, PublicReadLetsEverybodyReadAndNothingElse) {
  block(false, false);
  ASSERT_EQ(put_policy(kPublicRead), "no error");
  EXPECT_EQ(get(region.anonymous()), "no error");
  EXPECT_EQ(get(region.anonymous(), "missing"), "AccessDenied")
      << "who may not list does not learn what is missing";
  EXPECT_EQ(region.code_of(region.put_as(region.anonymous(), "pictures", "new", "x")),
            "AccessDenied");
  const DeleteObjectRequest removal{.bucket = "pictures", .key = "key"};
  EXPECT_EQ(region.code_of(region.wait(region.s3().delete_object(region.anonymous(), removal))),
            "AccessDenied");
  DeleteObjectsRequest many;
  many.bucket = "pictures";
  many.delete_.objects = {{"key", {}}};
  const auto output = region.wait(region.s3().delete_objects(region.anonymous(), many));
  EXPECT_EQ(output->errors->at(0).code, "AccessDenied");
  EXPECT_EQ(region.body_of("pictures", "key"), "body");
}

TEST_F(S3Access, RestrictingPublicBucketsClosesThemAtOnce) {
  block(false, false);
  ASSERT_EQ(put_policy(kPublicRead), "no error");
  block(false, true);
  EXPECT_EQ(get(region.anonymous()), "AccessDenied");
  EXPECT_EQ(get(region.root()), "no error");
  ASSERT_TRUE(
      region.wait(region.s3().delete_public_access_block(region.root(), {.bucket = "pictures"}))
          .has_value());
  EXPECT_EQ(get(region.anonymous()), "no error");
}

TEST_F(S3Access, ADenyHoldsForEverybodyButTheRootsHandOnThePolicy) {
  ASSERT_EQ(put_policy(R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",)"
                       R"("Action":"s3:*","Resource":["arn:aws:s3:::pictures",)"
                       R"("arn:aws:s3:::pictures/*"]}]})"),
            "no error");
  EXPECT_EQ(get(region.root()), "AccessDenied");
  EXPECT_EQ(get(region.user()), "AccessDenied");
  EXPECT_TRUE(region.wait(region.s3().delete_bucket_policy(region.root(), {.bucket = "pictures"}))
                  .has_value());
  EXPECT_EQ(get(region.user()), "no error");
}

TEST_F(S3Access, ListingMayDependOnThePrefix) {
  block(false, false);
  ASSERT_EQ(put_policy(R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",)"
                       R"("Action":"s3:ListBucket","Resource":"arn:aws:s3:::pictures",)"
                       R"("Condition":{"StringEquals":{"s3:prefix":"open/"}}}]})"),
            "no error");
  ListObjectsV2Request list;
  list.bucket = "pictures";
  EXPECT_EQ(region.code_of(region.wait(region.s3().list_objects_v2(region.anonymous(), list))),
            "AccessDenied");
  list.prefix = "open/";
  EXPECT_EQ(region.code_of(region.wait(region.s3().list_objects_v2(region.anonymous(), list))),
            "no error");
}

TEST_F(S3Access, AnonymousReadersCannotChooseHeaders) {
  block(false, false);
  ASSERT_EQ(put_policy(kPublicRead), "no error");
  GetObjectRequest request = region.get_request("pictures", "key");
  request.response_content_type = "text/html";
  EXPECT_EQ(region.code_of(region.wait(region.s3().get_object(region.anonymous(), request))),
            "InvalidRequest");
  EXPECT_EQ(region.wait(region.s3().get_object(region.root(), request))->content_type, "text/html");
}

TEST_F(S3Access, PoliciesMustBeOnesThatCanTakePart) {
  block(false, false);
  EXPECT_EQ(put_policy("[]"), "MalformedPolicy");
  EXPECT_EQ(put_policy("{}"), "MalformedPolicy");
  EXPECT_EQ(put_policy("{\"Version\":"), "MalformedPolicy");
  EXPECT_EQ(put_policy(R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)"
                       R"("Principal":"*","Action":"s3:GetObject",)"
                       R"("Resource":"arn:aws:s3:::others/*"}]})"),
            "MalformedPolicy");
  EXPECT_EQ(put_policy("{" + std::string(kPolicyBytesMax, ' ') + "}"), "MalformedPolicy");
  EXPECT_EQ(put_policy(R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",)"
                       R"("Principal":{"AWS":"000000000000"},"Action":"s3:*",)"
                       R"("Resource":"arn:aws:s3:::pict*"}})"),
            "no error");
}

TEST_F(S3Access, OwnershipAndAclsAreReadAndKeptNarrow) {
  const auto acl = region.wait(region.s3().get_bucket_acl(region.root(), {.bucket = "pictures"}));
  EXPECT_EQ(acl->grants->at(0).permission, "FULL_CONTROL");
  PutBucketAclRequest request;
  request.bucket = "pictures";
  request.acl = "private";
  const auto put_acl = [&] {
    return region.code_of(region.wait(region.s3().put_bucket_acl(region.root(), request)));
  };
  EXPECT_EQ(put_acl(), "AccessControlListNotSupported");
  PutBucketOwnershipControlsRequest ownership;
  ownership.bucket = "pictures";
  ownership.ownership_controls.rules = {{"ObjectWriter"}};
  ASSERT_TRUE(
      region.wait(region.s3().put_bucket_ownership_controls(region.root(), ownership)).has_value());
  EXPECT_EQ(put_acl(), "no error");
  request.acl = "public-read";
  EXPECT_EQ(put_acl(), "AccessDenied") << "new buckets block public lists";
  request.acl.reset();
  EXPECT_EQ(put_acl(), "MissingSecurityHeader");
  ownership.ownership_controls.rules = {{"Anarchy"}};
  EXPECT_EQ(region.code_of(
                region.wait(region.s3().put_bucket_ownership_controls(region.root(), ownership))),
            "MalformedXML");
  ASSERT_TRUE(
      region
          .wait(region.s3().delete_bucket_ownership_controls(region.root(), {.bucket = "pictures"}))
          .has_value());
  EXPECT_EQ(region.code_of(region.wait(
                region.s3().get_bucket_ownership_controls(region.root(), {.bucket = "pictures"}))),
            "OwnershipControlsNotFoundError");
}

TEST_F(S3Access, TagsOfBucketsAndObjectsAreKept) {
  EXPECT_EQ(region.code_of(
                region.wait(region.s3().get_bucket_tagging(region.root(), {.bucket = "pictures"}))),
            "NoSuchTagSet");
  PutBucketTaggingRequest bucket_tags;
  bucket_tags.bucket = "pictures";
  bucket_tags.tagging.tag_set = {{"a", "1"}};
  ASSERT_TRUE(region.wait(region.s3().put_bucket_tagging(region.root(), bucket_tags)).has_value());
  EXPECT_EQ(region.wait(region.s3().get_bucket_tagging(region.root(), {.bucket = "pictures"}))
                ->tag_set.at(0)
                .value,
            "1");
  PutObjectTaggingRequest tags;
  tags.bucket = "pictures";
  tags.key = "key";
  tags.tagging.tag_set = {{"b", "2"}};
  ASSERT_TRUE(region.wait(region.s3().put_object_tagging(region.root(), tags)).has_value());
  const GetObjectTaggingRequest get{.bucket = "pictures", .key = "key"};
  EXPECT_EQ(region.wait(region.s3().get_object_tagging(region.root(), get))->tag_set.size(), 1U);
  ASSERT_TRUE(region
                  .wait(region.s3().delete_object_tagging(region.root(),
                                                          {.bucket = "pictures", .key = "key"}))
                  .has_value());
  EXPECT_TRUE(region.wait(region.s3().get_object_tagging(region.root(), get))->tag_set.empty());
  EXPECT_EQ(region.body_of("pictures", "key"), "body");
}

TEST_F(S3Access, WhatNobodyConfiguredIsAsAwsHasIt) {
  const wire::Context root = region.root();
  Service& s3 = region.s3();
  EXPECT_EQ(region.code_of(region.wait(s3.get_bucket_cors(root, {.bucket = "pictures"}))),
            "NoSuchCORSConfiguration");
  EXPECT_EQ(region.code_of(region.wait(s3.get_bucket_website(root, {.bucket = "pictures"}))),
            "NoSuchWebsiteConfiguration");
  EXPECT_EQ(region.code_of(
                region.wait(s3.get_bucket_lifecycle_configuration(root, {.bucket = "pictures"}))),
            "NoSuchLifecycleConfiguration");
  EXPECT_EQ(region.code_of(region.wait(s3.get_bucket_replication(root, {.bucket = "pictures"}))),
            "ReplicationConfigurationNotFoundError");
  EXPECT_EQ(
      region.code_of(region.wait(s3.get_object_lock_configuration(root, {.bucket = "pictures"}))),
      "ObjectLockConfigurationNotFoundError");
  const auto encryption = region.wait(s3.get_bucket_encryption(root, {.bucket = "pictures"}));
  EXPECT_EQ(encryption->server_side_encryption_configuration->rules[0]
                .apply_server_side_encryption_by_default->sse_algorithm,
            "AES256");
  EXPECT_EQ(region.wait(s3.get_bucket_request_payment(root, {.bucket = "pictures"}))->payer,
            "BucketOwner");
}

}  // namespace
}  // namespace terrarium::s3
