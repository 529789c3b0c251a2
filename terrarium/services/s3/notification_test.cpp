#include "terrarium/services/s3/notification.h"

#include <boost/json.hpp>

#include "terrarium/services/s3/testing_region.h"

namespace terrarium::s3 {
namespace {

using namespace std::chrono_literals;

class S3Notification : public testing::Test {
 protected:
  S3Notification() { EXPECT_TRUE(region.create_bucket("pictures").has_value()); }

  QueueConfiguration filtered(const std::string& event, std::optional<std::string> prefix,
                              std::optional<std::string> suffix) {
    QueueConfiguration rule = S3Region::rule(event);
    auto& rules = rule.filter.emplace().key.emplace().filter_rules.emplace();
    if (prefix) rules.push_back({"prefix", prefix});
    if (suffix) rules.push_back({"suffix", suffix});
    return rule;
  }
  std::vector<std::string>& sent() { return region.queues.messages[kQueueArn]; }

  S3Region region;
};

TEST_F(S3Notification, TestEventAndEventReadAsAwsWritesThem) {
  QueueConfiguration rule = S3Region::rule("s3:ObjectCreated:*");
  rule.id = "my rule";
  ASSERT_TRUE(region.notify("pictures", {rule}).has_value());
  ASSERT_EQ(sent().size(), 1U);
  EXPECT_EQ(sent()[0],
            R"({"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2023-11-14T22:13:20.000Z",)"
            R"("Bucket":"pictures","RequestId":"0123456789AB4CDE",)"
            R"("HostId":"MDEyMzQ1NjctODlhYi00Y2RlLThmMDEtMjM0NTY3ODlhYmNk"})");
  ASSERT_TRUE(region.put("pictures", "a b/\xc3\xa4+.jpg", "body").has_value());
  ASSERT_EQ(sent().size(), 2U);
  const std::string owner = owner_principal_id("000000000000");
  const std::string expected =
      R"({"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1",)"
      R"("eventTime":"2023-11-14T22:13:20.000Z","eventName":"ObjectCreated:Put",)"
      R"("userIdentity":{"principalId":"AWS:000000000000"},)"
      R"("requestParameters":{"sourceIPAddress":"127.0.0.1"},)"
      R"("responseElements":{"x-amz-request-id":"0123456789AB4CDE",)"
      R"("x-amz-id-2":"MDEyMzQ1NjctODlhYi00Y2RlLThmMDEtMjM0NTY3ODlhYmNk"},)"
      R"("s3":{"s3SchemaVersion":"1.0","configurationId":"my rule",)"
      R"("bucket":{"name":"pictures","ownerIdentity":{"principalId":")" +
      owner +
      R"("},"arn":"arn:aws:s3:::pictures"},"object":{"key":"a+b/%C3%A4%2B.jpg","size":4,)"
      R"("eTag":"841a2d689ad86bd1611447453c22c6fc","sequencer":")";
  EXPECT_EQ(sent()[1].substr(0, expected.size()), expected);
}

TEST_F(S3Notification, RemovalsHaveNoSizeAndSequencersGrow) {
  ASSERT_TRUE(region
                  .notify("pictures", {S3Region::rule("s3:ObjectCreated:*"),
                                       S3Region::rule("s3:ObjectRemoved:*")})
                  .has_value());
  sent().clear();
  ASSERT_TRUE(region.put("pictures", "key", "1").has_value());
  ASSERT_TRUE(region.put("pictures", "key", "2").has_value());
  const DeleteObjectRequest removal{.bucket = "pictures", .key = "key"};
  ASSERT_TRUE(region.wait(region.s3().delete_object(region.root(), removal)).has_value());
  ASSERT_TRUE(region.wait(region.s3().delete_object(region.root(), removal)).has_value());
  ASSERT_EQ(sent().size(), 3U) << "nothing was removed the second time";
  std::string last;
  for (const std::string& body : sent()) {
    const auto event = boost::json::parse(body).at("Records").at(0);
    const auto& object = event.at("s3").at("object").as_object();
    const std::string sequencer(object.at("sequencer").as_string());
    EXPECT_GT(sequencer, last);
    last = sequencer;
    const bool removed = event.at("eventName").as_string() == "ObjectRemoved:Delete";
    EXPECT_EQ(object.contains("size"), !removed);
  }
}

TEST_F(S3Notification, FiltersChooseByPrefixAndSuffix) {
  ASSERT_TRUE(
      region.notify("pictures", {filtered("s3:ObjectCreated:Put", "in/", ".jpg")}).has_value());
  sent().clear();
  ASSERT_TRUE(region.put("pictures", "in/a.jpg", "x").has_value());
  ASSERT_TRUE(region.put("pictures", "in/a.png", "x").has_value());
  ASSERT_TRUE(region.put("pictures", "out/a.jpg", "x").has_value());
  CopyObjectRequest copy;
  copy.bucket = "pictures";
  copy.key = "in/b.jpg";
  copy.copy_source = "pictures/in/a.jpg";
  ASSERT_TRUE(region.wait(region.s3().copy_object(region.root(), copy)).has_value());
  EXPECT_EQ(sent().size(), 1U);
  const auto read = region.wait(
      region.s3().get_bucket_notification_configuration(region.root(), {.bucket = "pictures"}));
  const QueueConfiguration& rule = read->queue_configurations->at(0);
  EXPECT_EQ(rule.filter->key->filter_rules->at(0).name, "Prefix");
  EXPECT_EQ(rule.filter->key->filter_rules->at(1).value, ".jpg");
  EXPECT_FALSE(rule.id->empty());
}

TEST_F(S3Notification, DestinationsAreCheckedBeforeTheyAreKept) {
  const std::string missing = "arn:aws:sqs:us-east-1:000000000000:missing";
  const auto absent = region.notify("pictures", {S3Region::rule("s3:ObjectCreated:*", missing)});
  EXPECT_EQ(region.code_of(absent), "InvalidArgument");
  EXPECT_EQ(absent.error().message, "Unable to validate the following destination configurations");
  EXPECT_EQ(field_of(absent.error(), "ArgumentName1"), missing);
  EXPECT_EQ(field_of(absent.error(), "ArgumentValue1"), "The destination queue does not exist");
  region.queues.broken = &kQueueRefuses;
  const auto refused = region.notify("pictures", {S3Region::rule("s3:ObjectCreated:*")});
  EXPECT_EQ(field_of(refused.error(), "ArgumentValue1"),
            "Permissions on the destination queue do not allow S3 to publish notifications from "
            "this bucket");
  region.queues.broken = nullptr;
  EXPECT_FALSE(region
                   .wait(region.s3().get_bucket_notification_configuration(region.root(),
                                                                           {.bucket = "pictures"}))
                   ->queue_configurations.has_value());
  EXPECT_TRUE(sent().empty());
}

TEST_F(S3Notification, RulesThatOverlapAreRefused) {
  const std::string put = "s3:ObjectCreated:Put";
  const std::string all = "s3:ObjectCreated:*";
  struct Case {
    QueueConfiguration a;
    QueueConfiguration b;
    bool overlap;
  };
  const std::vector<Case> cases{
      {S3Region::rule(all), S3Region::rule(put), true},
      {S3Region::rule(put), S3Region::rule("s3:ObjectCreated:Copy"), false},
      {S3Region::rule(all), S3Region::rule("s3:ObjectRemoved:*"), false},
      {filtered(all, "a", {}), filtered(all, "b", {}), false},
      {filtered(all, "a", {}), filtered(all, "ab", {}), true},
      {filtered(all, "a", ".x"), filtered(all, "ab", ".y"), false},
      {filtered(all, {}, "x"), filtered(all, {}, ".x"), true},
      {filtered(all, "a", {}), S3Region::rule(put), true},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto result = region.notify("pictures", {cases[i].a, cases[i].b});
    EXPECT_EQ(region.code_of(result), cases[i].overlap ? "InvalidArgument" : "no error")
        << "case " << i;
  }
}

TEST_F(S3Notification, WhatCannotBeServedIsRefused) {
  EXPECT_EQ(region.code_of(region.notify("pictures", {S3Region::rule("s3:Nonsense")})),
            "InvalidArgument");
  EXPECT_EQ(region.code_of(region.notify(
                "pictures", {S3Region::rule("s3:ObjectCreated:*", "arn:aws:sqs:eu-west-1:0:q")})),
            "InvalidArgument");
  EXPECT_EQ(region.code_of(region.notify(
                "pictures", {S3Region::rule("s3:ObjectCreated:*", kQueueArn + ".fifo")})),
            "InvalidArgument");
  EXPECT_EQ(
      region.code_of(region.notify("pictures", {S3Region::rule("s3:ObjectCreated:*", "queue")})),
      "InvalidArgument");
  PutBucketNotificationConfigurationRequest request;
  request.bucket = "pictures";
  request.notification_configuration.topic_configurations.emplace().push_back(
      {{}, "arn:aws:sns:us-east-1:0:t", {"s3:ObjectCreated:*"}, {}});
  EXPECT_EQ(region.code_of(region.wait(
                region.s3().put_bucket_notification_configuration(region.root(), request))),
            "NotImplemented");
}

TEST_F(S3Notification, FunctionsAreInvokedWithTheEventAndGetNoTestEvent) {
  PutBucketNotificationConfigurationRequest request;
  request.bucket = "pictures";
  LambdaFunctionConfiguration rule;
  rule.lambda_function_arn = kFunctionArn;
  rule.events = {"s3:ObjectCreated:*"};
  request.notification_configuration.lambda_function_configurations = {rule};
  const auto configure = [&] {
    return region.wait(region.s3().put_bucket_notification_configuration(region.root(), request));
  };
  region.functions.refusing = true;
  const auto refused = configure();
  EXPECT_EQ(field_of(refused.error(), "ArgumentName1"), kFunctionArn + ", null");
  EXPECT_EQ(field_of(refused.error(), "ArgumentValue1"),
            "Not authorized to invoke function [" + kFunctionArn + "]");
  region.functions.refusing = false;
  ASSERT_TRUE(configure().has_value());
  EXPECT_TRUE(region.functions.payloads.empty());
  ASSERT_TRUE(region.put("pictures", "k", "x").has_value());
  ASSERT_EQ(region.functions.payloads.size(), 1U);
  EXPECT_NE(region.functions.payloads[0].find("ObjectCreated:Put"), std::string::npos);
  const auto read = region.wait(
      region.s3().get_bucket_notification_configuration(region.root(), {.bucket = "pictures"}));
  EXPECT_EQ(read->lambda_function_configurations->at(0).lambda_function_arn, kFunctionArn);

  request.notification_configuration.lambda_function_configurations->front().lambda_function_arn =
      "arn:aws:lambda:us-east-1:000000000000:layer:x";
  EXPECT_EQ(field_of(configure().error(), "ArgumentName"), "CloudFunction");
}

TEST_F(S3Notification, TagsAndListsTellOfThemselvesInTheNewerForm) {
  ASSERT_TRUE(region.put("pictures", "k", "x").has_value());
  ASSERT_TRUE(region
                  .notify("pictures", {S3Region::rule("s3:ObjectTagging:*"),
                                       S3Region::rule("s3:ObjectAcl:Put")})
                  .has_value());
  sent().clear();
  PutObjectTaggingRequest tagging{.bucket = "pictures", .key = "k"};
  tagging.tagging.tag_set = {{"a", "b"}};
  ASSERT_TRUE(region.wait(region.s3().put_object_tagging(region.root(), tagging)).has_value());
  PutObjectAclRequest acl{.bucket = "pictures", .key = "k"};
  acl.acl = "bucket-owner-full-control";
  ASSERT_TRUE(region.wait(region.s3().put_object_acl(region.root(), acl)).has_value());
  ASSERT_EQ(sent().size(), 2U);
  const auto event = boost::json::parse(sent()[0]).at("Records").at(0);
  EXPECT_EQ(event.at("eventName").as_string(), "ObjectTagging:Put");
  EXPECT_EQ(event.at("eventVersion").as_string(), "2.3");
  const auto& object = event.at("s3").at("object").as_object();
  EXPECT_TRUE(object.contains("eTag"));
  EXPECT_FALSE(object.contains("size"));
  EXPECT_FALSE(object.contains("sequencer"));
  EXPECT_NE(sent()[1].find("ObjectAcl:Put"), std::string::npos);
}

TEST_F(S3Notification, EventsWaitForAQueueThatRefusesAndKeepTheirOrder) {
  ASSERT_TRUE(region.notify("pictures", {S3Region::rule("s3:ObjectCreated:*")}).has_value());
  sent().clear();
  region.queues.broken = &kQueueRefuses;
  for (const std::string key : {"1", "2", "3"}) {
    ASSERT_TRUE(region.put("pictures", key, "x").has_value());
  }
  region.advance(10min);
  EXPECT_TRUE(sent().empty());
  region.queues.broken = nullptr;
  region.advance(5min);
  ASSERT_EQ(sent().size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(sent()[i].contains("\"key\":\"" + std::to_string(i + 1) + "\""));
  }
  region.advance(1h);
  EXPECT_EQ(sent().size(), 3U);
  ASSERT_TRUE(region.put("pictures", "4", "x").has_value());
  EXPECT_EQ(sent().size(), 4U) << "at once, when nothing holds it up";
}

TEST_F(S3Notification, EventsThatNobodyTakesAreDroppedAfterADay) {
  ASSERT_TRUE(region.notify("pictures", {S3Region::rule("s3:ObjectCreated:*")}).has_value());
  sent().clear();
  region.queues.broken = &kQueueRefuses;
  ASSERT_TRUE(region.put("pictures", "lost", "x").has_value());
  region.advance(25h);
  region.queues.broken = nullptr;
  region.advance(1h);
  EXPECT_TRUE(sent().empty());
}

TEST_F(S3Notification, AQueueThatIsGoneHoldsNoOtherUp) {
  const std::string other = "arn:aws:sqs:us-east-1:000000000000:other";
  region.queues.messages[other];
  ASSERT_TRUE(region
                  .notify("pictures", {filtered("s3:ObjectCreated:*", "a", {}),
                                       [&] {
                                         auto rule = filtered("s3:ObjectCreated:*", "b", {});
                                         rule.queue_arn = other;
                                         return rule;
                                       }()})
                  .has_value());
  region.queues.messages.erase(kQueueArn);
  ASSERT_TRUE(region.put("pictures", "a", "x").has_value());
  ASSERT_TRUE(region.put("pictures", "b", "x").has_value());
  EXPECT_EQ(region.queues.messages[other].size(), 2U);
}

TEST_F(S3Notification, EventsOutliveARestart) {
  ASSERT_TRUE(region.notify("pictures", {S3Region::rule("s3:ObjectCreated:*")}).has_value());
  sent().clear();
  region.queues.broken = &kQueueRefuses;
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(region.put("pictures", std::to_string(i), "x").has_value());
  }
  region.stop();
  region.queues.broken = nullptr;
  region.start();
  EXPECT_EQ(sent().size(), 200U);
  region.advance(1h);
  EXPECT_EQ(sent().size(), 200U);
}

}  // namespace
}  // namespace terrarium::s3
