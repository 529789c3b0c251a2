#include "messageboard/anonymise_image/s3_event.h"

#include <gtest/gtest.h>

#include <string>

namespace anonymise_image {
namespace {

std::string created(const std::string& key, const std::string& event = "ObjectCreated:Put") {
  return R"({"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventName":")" + event +
         R"(","s3":{"bucket":{"name":"raw"},"object":{"key":")" + key + R"(","size":3}}}]})";
}

TEST(SqsEvent, GivesEveryMessageWithItsReceiveCount) {
  const auto messages = parse_sqs_event(R"({"Records":[
    {"messageId":"a","receiptHandle":"r","body":"{}","attributes":{"ApproximateReceiveCount":"3"}},
    {"messageId":"b","body":"x"}]})");
  ASSERT_TRUE(messages.has_value());
  ASSERT_EQ(messages->size(), 2u);
  EXPECT_EQ((*messages)[0].id, "a");
  EXPECT_EQ((*messages)[0].receive_count, 3u);
  EXPECT_EQ((*messages)[1].body, "x");
  EXPECT_EQ((*messages)[1].receive_count, 1u);
}

TEST(SqsEvent, RefusesWhatIsNoSqsEvent) {
  for (const char* text :
       {"", "[]", "null", "{", R"({"Records":{}})", R"({"Records":[1]})",
        R"({"Records":[{"messageId":"a"}]})", R"({"Records":[{"messageId":7,"body":""}]})",
        R"({"Records":[{"messageId":"","body":""}]})"}) {
    EXPECT_FALSE(parse_sqs_event(text).has_value()) << text;
  }
}

TEST(SqsEvent, RefusesNestingThatWouldExhaustTheStack) {
  EXPECT_FALSE(parse_sqs_event(std::string(100'000, '[')).has_value());
}

TEST(S3Event, GivesCreatedObjects) {
  const auto objects = parse_s3_event(created("a.jpg"));
  ASSERT_TRUE(objects.has_value());
  ASSERT_EQ(objects->size(), 1u);
  EXPECT_EQ(objects->front(), (S3Object{"raw", "a.jpg"}));
}

TEST(S3Event, DecodesSpacesAndUnicodeInKeys) {
  const auto objects =
      parse_s3_event(created("my+photo+%281%29+gr%C3%BC%C3%9Fe+%2B+%F0%9F%98%80.jpg"));
  ASSERT_TRUE(objects.has_value());
  EXPECT_EQ(objects->front().key, "my photo (1) grüße + 😀.jpg");
}

TEST(S3Event, RefusesABrokenEscape) {
  EXPECT_FALSE(parse_s3_event(created("a%2")).has_value());
  EXPECT_FALSE(parse_s3_event(created("a%zz")).has_value());
}

TEST(S3Event, SkipsTheTestEvent) {
  const auto objects = parse_s3_event(
      R"({"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2023-04-29T16:19:51.000Z",)"
      R"("Bucket":"raw","RequestId":"1","HostId":"2"})");
  ASSERT_TRUE(objects.has_value());
  EXPECT_TRUE(objects->empty());
}

TEST(S3Event, SkipsRemovalsAndOurOwnMarkers) {
  EXPECT_TRUE(parse_s3_event(created("a", "ObjectRemoved:Delete"))->empty());
  EXPECT_TRUE(parse_s3_event(created("failed/a.jpg"))->empty());
  EXPECT_TRUE(parse_s3_event(created("failed%2Fa.jpg"))->empty());
  EXPECT_EQ(parse_s3_event(created("x/failed/a.jpg"))->size(), 1u);
}

TEST(S3Event, RefusesWhatIsNoS3Event) {
  for (const char* text :
       {"", "hello", "{}", R"({"Records":[{}]})",
        R"({"Records":[{"eventName":"ObjectCreated:Put"}]})",
        R"({"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":""},)"
        R"("object":{"key":"k"}}}]})",
        R"({"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},)"
        R"("object":{"key":1}}}]})"}) {
    EXPECT_FALSE(parse_s3_event(text).has_value()) << text;
  }
}

TEST(BatchResponse, NamesTheMessagesThatFailed) {
  EXPECT_EQ(batch_item_failures({}), R"({"batchItemFailures":[]})");
  EXPECT_EQ(batch_item_failures({"a", "b"}),
            R"({"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"}]})");
}

TEST(EventLog, IsOneBoundedLine) {
  EXPECT_EQ(for_log("{\n \"a\": 1\n}"), R"({"a":1})");
  EXPECT_EQ(for_log("not\njson"), R"("not\njson")");
  EXPECT_LT(for_log("\"" + std::string(1'000'000, 'x') + "\"").size(), 20'000u);
}

TEST(FailureMarker, LiesBesideThePictureAndSaysWhy) {
  EXPECT_EQ(failure_marker_key("a b.jpg"), "failed/a b.jpg");
  EXPECT_EQ(failure_marker("a \"bomb\""), R"({"reason":"a \"bomb\""})");
}

}  // namespace
}  // namespace anonymise_image
