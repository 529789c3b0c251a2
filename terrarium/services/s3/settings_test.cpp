#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "generated/s3/errors.h"
#include "terrarium/services/s3/testing_region.h"

namespace terrarium::s3 {
namespace {

class S3Settings : public testing::Test {
 protected:
  S3Settings() { EXPECT_TRUE(region.create_bucket("box").has_value()); }

  std::string put_encryption(const std::string& algorithm, std::optional<std::string> key = {},
                             bool bucket_key = false) {
    PutBucketEncryptionRequest request{.bucket = "box"};
    ServerSideEncryptionRule rule;
    rule.apply_server_side_encryption_by_default =
        ServerSideEncryptionByDefault{algorithm, std::move(key)};
    rule.bucket_key_enabled = bucket_key;
    request.server_side_encryption_configuration.rules = {rule};
    return region.code_of(region.wait(region.s3().put_bucket_encryption(region.root(), request)));
  }
  bool bucket_key() {
    const auto output =
        region.wait(region.s3().get_bucket_encryption(region.root(), {.bucket = "box"}));
    return *output->server_side_encryption_configuration->rules.at(0).bucket_key_enabled;
  }

  S3Region region;
};

TEST_F(S3Settings, EncryptionIsWhatThisRegionHasOrRefused) {
  EXPECT_FALSE(bucket_key());
  EXPECT_EQ(put_encryption("AES256", {}, true), "no error");
  EXPECT_TRUE(bucket_key());
  EXPECT_EQ(put_encryption("AES256", "key"), "InvalidArgument");
  EXPECT_EQ(put_encryption("aws:kms"), "NotImplemented");
  EXPECT_EQ(put_encryption("rot13"), "MalformedXML");
  EXPECT_TRUE(region.wait(region.s3().delete_bucket_encryption(region.root(), {.bucket = "box"}))
                  .has_value());
  EXPECT_FALSE(bucket_key());
}

TEST_F(S3Settings, AccelerationIsKeptForNamesThatCanHaveIt) {
  PutBucketAccelerateConfigurationRequest request{.bucket = "box"};
  const auto put = [&] {
    return region.code_of(
        region.wait(region.s3().put_bucket_accelerate_configuration(region.root(), request)));
  };
  request.accelerate_configuration.status = "enabled";
  EXPECT_EQ(put(), "MalformedXML");
  request.accelerate_configuration.status = "Suspended";
  EXPECT_EQ(put(), "no error");
  const auto kept = region.wait(
      region.s3().get_bucket_accelerate_configuration(region.root(), {.bucket = "box"}));
  EXPECT_EQ(kept->status, "Suspended");
  ASSERT_TRUE(region.create_bucket("dotted.box").has_value());
  request.bucket = "dotted.box";
  EXPECT_EQ(put(), "InvalidRequest");
}

TEST_F(S3Settings, LoggingAndPayersAreTakenOnlyAsTheyAre) {
  PutBucketLoggingRequest logging{.bucket = "box"};
  const auto put_logging = [&] {
    return region.code_of(region.wait(region.s3().put_bucket_logging(region.root(), logging)));
  };
  EXPECT_EQ(put_logging(), "no error");
  logging.bucket_logging_status.logging_enabled = LoggingEnabled{"box", {}, "log/"};
  EXPECT_EQ(put_logging(), "NotImplemented");
  PutBucketRequestPaymentRequest payment{.bucket = "box"};
  const auto put_payer = [&](std::string payer) {
    payment.request_payment_configuration.payer = std::move(payer);
    return region.code_of(
        region.wait(region.s3().put_bucket_request_payment(region.root(), payment)));
  };
  EXPECT_EQ(put_payer("BucketOwner"), "no error");
  EXPECT_EQ(put_payer("Requester"), "NotImplemented");
  EXPECT_EQ(put_payer("Nobody"), "MalformedXML");
}

TEST_F(S3Settings, WhatNoBucketHasIsAnsweredAsAbsent) {
  Service& s3 = region.s3();
  const wire::Context root = region.root();
  EXPECT_EQ(
      *region.wait(s3.list_bucket_metrics_configurations(root, {.bucket = "box"}))->is_truncated,
      false);
  EXPECT_EQ(region.code_of(region.wait(
                s3.get_bucket_inventory_configuration(root, {.bucket = "box", .id = "x"}))),
            "NoSuchConfiguration");
  EXPECT_EQ(region.code_of(region.wait(s3.get_bucket_analytics_configuration(
                root, {.bucket = "nowhere-at-all", .id = "x"}))),
            "NoSuchBucket");
  const auto hold = region.wait(s3.get_object_legal_hold(root, {.bucket = "box", .key = "k"}));
  EXPECT_EQ(hold.error().message, "Bucket is missing Object Lock Configuration");
  EXPECT_EQ(region.code_of(region.wait(s3.put_object_lock_configuration(root, {.bucket = "box"}))),
            "MalformedXML");
  ASSERT_TRUE(region.put("box", "k", "x").has_value());
  EXPECT_EQ(region.code_of(region.wait(s3.restore_object(root, {.bucket = "box", .key = "k"}))),
            "InvalidObjectState");
}

TEST_F(S3Settings, AttributesTellOfAnObjectWithoutItsBytes) {
  ASSERT_TRUE(region.put("box", "k", "12345").has_value());
  GetObjectAttributesRequest request{.bucket = "box", .key = "k"};
  request.object_attributes = {"ETag", "ObjectSize", "StorageClass", "Checksum", "ObjectParts"};
  const auto told = region.wait(region.s3().get_object_attributes(region.root(), request));
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->etag, "827ccb0eea8a706c4c34a16891f84e7b");
  EXPECT_EQ(told->object_size, 5);
  EXPECT_EQ(told->storage_class, "STANDARD");
  EXPECT_TRUE(told->checksum->checksum_crc64nvme.has_value());
  EXPECT_FALSE(told->object_parts.has_value());
  request.object_attributes = {"Weight"};
  EXPECT_EQ(region.code_of(region.wait(region.s3().get_object_attributes(region.root(), request))),
            "InvalidArgument");
}

TEST_F(S3Settings, StatusCountsVersionsAndTheirBytesAlsoAfterARestart) {
  const auto counts = [&] {
    const boost::json::array status = region.s3().status();
    return std::pair(status.at(0).at("objects").to_number<int>(),
                     status.at(0).at("bytes").to_number<int>());
  };
  EXPECT_EQ(counts(), std::pair(0, 0));
  ASSERT_TRUE(region.put("box", "a", "12345").has_value());
  ASSERT_TRUE(region.put("box", "a", "123").has_value());
  ASSERT_TRUE(region.put("box", "b", "1").has_value());
  EXPECT_EQ(counts(), std::pair(2, 4));
  PutBucketVersioningRequest versioning{.bucket = "box"};
  versioning.versioning_configuration.status = "Enabled";
  ASSERT_TRUE(
      region.wait(region.s3().put_bucket_versioning(region.root(), versioning)).has_value());
  ASSERT_TRUE(region.put("box", "b", "12").has_value());
  const DeleteObjectRequest removal{.bucket = "box", .key = "a"};
  ASSERT_TRUE(region.wait(region.s3().delete_object(region.root(), removal)).has_value());
  region.stop();
  region.start();
  EXPECT_EQ(counts(), std::pair(3, 6)) << "a delete marker is no object";
  DeleteObjectRequest forever{.bucket = "box", .key = "a"};
  forever.version_id = "null";
  ASSERT_TRUE(region.wait(region.s3().delete_object(region.root(), forever)).has_value());
  EXPECT_EQ(counts(), std::pair(2, 3));
}

TEST_F(S3Settings, OwnersWhoAreExpectedMustBeAccounts) {
  const auto code = [&](std::string owner) {
    return region.code_of(region.wait(region.s3().get_bucket_acl(
        region.root(), {.bucket = "box", .expected_bucket_owner = std::move(owner)})));
  };
  EXPECT_EQ(code("000000000000"), "no error");
  EXPECT_EQ(code("111111111111"), "AccessDenied");
  EXPECT_EQ(code("me"), "InvalidBucketOwnerAWSAccountID");
}

}  // namespace
}  // namespace terrarium::s3
