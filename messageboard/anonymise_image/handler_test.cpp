#include "messageboard/anonymise_image/handler.h"

#include <gtest/gtest.h>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "lib/runtime/runtime.h"
#include "messageboard/anonymise_image/picture_testing.h"

namespace anonymise_image {
namespace {

using base::ErrorKind;
using runtime::Task;

struct Stored {
  std::string bytes;
  std::string content_type;
};

// Buckets in memory, some of whose calls fail.
class MemoryObjects final : public Objects {
 public:
  Task<base::Result<std::string>> get(S3Object object, std::size_t bytes_max,
                                      base::Timestamp) override {
    if (get_fails) co_return base::fail(*get_fails, "get");
    const auto found = stored.find({object.bucket, object.key});
    if (found == stored.end()) co_return base::fail(ErrorKind::NotFound, "no such key");
    if (found->second.bytes.size() > bytes_max) co_return base::fail(ErrorKind::TooLarge, "large");
    co_return found->second.bytes;
  }
  Task<base::Result<void>> put(S3Object object, std::string bytes, std::string content_type,
                               base::Timestamp) override {
    if (put_fails && object.bucket == "processed") co_return base::fail(*put_fails, "put");
    stored[{object.bucket, object.key}] = {std::move(bytes), std::move(content_type)};
    co_return base::Result<void>();
  }

  std::map<std::pair<std::string, std::string>, Stored> stored;
  std::optional<ErrorKind> get_fails;
  std::optional<ErrorKind> put_fails;
};

std::string s3_event(const std::string& key) {
  return R"({"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"raw"},)"
         R"("object":{"key":")" +
         key + R"("}}}]})";
}

std::string message(const std::string& id, const std::string& body, int receives = 1) {
  return R"({"messageId":")" + id + R"(","body":)" +
         boost::json::serialize(boost::json::string(body)) +
         R"(,"attributes":{"ApproximateReceiveCount":")" + std::to_string(receives) + R"("}})";
}

std::string sqs_event(const std::string& messages) { return R"({"Records":[)" + messages + "]}"; }

Task<void> run(Handler& handler, std::string event, base::Timestamp deadline,
               base::Result<std::string>& answer) {
  answer = co_await handler.handle(std::move(event), deadline);
}

class HandlerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto detector = Detector::open(MODELS_FOLDER);
    ASSERT_TRUE(detector.has_value()) << base::describe(detector.error());
    anonymiser_ = std::make_unique<Anonymiser>(std::move(*detector), Style::Blurred, random_);
  }
  static void TearDownTestSuite() { anonymiser_.reset(); }

  // The ids of the messages that failed, as JSON.
  std::string handle(const std::string& event, base::Duration time = std::chrono::seconds(60)) {
    Handler handler(*anonymiser_, objects_, clock_, {.processed_bucket = "processed"});
    base::Result<std::string> answer;
    runtime::block_on(run(handler, event, clock_.now() + time, answer));
    return answer.value_or("no answer");
  }
  bool processed(const std::string& key) { return objects_.stored.contains({"processed", key}); }
  std::string marker(const std::string& key) {
    return objects_.stored[{"raw", "failed/" + key}].bytes;
  }
  void upload(const std::string& key, const std::string& bytes) {
    objects_.stored[{"raw", key}] = {bytes, "application/octet-stream"};
  }

  static base::SeededRandom random_;
  static std::unique_ptr<Anonymiser> anonymiser_;
  MemoryObjects objects_;
  base::ManualClock clock_;
};
base::SeededRandom HandlerTest::random_{1};
std::unique_ptr<Anonymiser> HandlerTest::anonymiser_;

constexpr const char* kNoneFailed = R"({"batchItemFailures":[]})";
std::string failed(const std::string& id) {
  return R"({"batchItemFailures":[{"itemIdentifier":")" + id + R"("}]})";
}

TEST_F(HandlerTest, PublishesUnderTheSameKeyWithTheContentsType) {
  upload("my photo ü.jpg", testing::png(testing::cornered(40, 30)));
  EXPECT_EQ(handle(sqs_event(message("m", s3_event("my+photo+%C3%BC.jpg")))), kNoneFailed);
  ASSERT_TRUE(processed("my photo ü.jpg"));
  EXPECT_EQ((objects_.stored[{"processed", "my photo ü.jpg"}].content_type), "image/png");
}

TEST_F(HandlerTest, GivesTheSameOutcomeWhenTheEventComesTwice) {
  upload("a", testing::jpeg(testing::cornered(40, 30)));
  const std::string event = sqs_event(message("m", s3_event("a")));
  EXPECT_EQ(handle(event), kNoneFailed);
  EXPECT_EQ(handle(event), kNoneFailed);
  EXPECT_EQ(objects_.stored.size(), 2u);
}

TEST_F(HandlerTest, OneMessageThatFailsDoesNotStopTheOthers) {
  upload("good1", testing::jpeg(testing::cornered(40, 30)));
  upload("bad", "GIF89a");
  upload("good2", testing::jpeg(testing::cornered(40, 30)));
  EXPECT_EQ(handle(sqs_event(message("1", s3_event("good1")) + "," + message("2", s3_event("bad")) +
                             "," + message("3", s3_event("good2")))),
            failed("2"));
  EXPECT_TRUE(processed("good1"));
  EXPECT_FALSE(processed("bad"));
  EXPECT_TRUE(processed("good2"));
}

TEST_F(HandlerTest, TellsAtOnceWhyAPictureIsRefusedForGood) {
  upload("a", "GIF89a");
  EXPECT_EQ(handle(sqs_event(message("m", s3_event("a")))), failed("m"));
  EXPECT_NE(marker("a").find("GIF"), std::string::npos) << marker("a");
  EXPECT_EQ((objects_.stored[{"raw", "failed/a"}].content_type), "application/json");
}

TEST_F(HandlerTest, APictureThatIsGoneIsRefusedForGood) {
  EXPECT_EQ(handle(sqs_event(message("m", s3_event("gone")))), failed("m"));
  EXPECT_NE(marker("gone"), "");
}

TEST_F(HandlerTest, WhatMayPassIsTriedAgainBeforeAnyoneIsTold) {
  upload("a", testing::jpeg(testing::cornered(40, 30)));
  // S3 answers a client error to expired keys too: it is not the picture's fault.
  for (const ErrorKind kind :
       {ErrorKind::Unavailable, ErrorKind::Denied, ErrorKind::InvalidInput}) {
    objects_.put_fails = kind;
    EXPECT_EQ(handle(sqs_event(message("m", s3_event("a"), 2))), failed("m"));
    EXPECT_EQ(marker("a"), "");
  }
  EXPECT_EQ(handle(sqs_event(message("m", s3_event("a"), 3))), failed("m"));
  EXPECT_NE(marker("a").find("could not be processed"), std::string::npos);
  objects_.put_fails.reset();
  EXPECT_EQ(handle(sqs_event(message("m", s3_event("a"), 3))), kNoneFailed);
}

TEST_F(HandlerTest, AFetchThatFailsIsTriedAgain) {
  upload("a", testing::jpeg(testing::cornered(40, 30)));
  objects_.get_fails = ErrorKind::Timeout;
  EXPECT_EQ(handle(sqs_event(message("m", s3_event("a")))), failed("m"));
  EXPECT_EQ(marker("a"), "");
}

TEST_F(HandlerTest, GivesUpInTimeToTellSo) {
  upload("a", testing::jpeg(testing::cornered(40, 30)));
  EXPECT_EQ(handle(sqs_event(message("m", s3_event("a"), 3)), -std::chrono::seconds(1)),
            failed("m"));
  EXPECT_FALSE(processed("a"));
  EXPECT_NE(marker("a"), "");
}

TEST_F(HandlerTest, PassesOverTestEventsAndItsOwnMarkers) {
  EXPECT_EQ(handle(sqs_event(message("1", R"({"Event":"s3:TestEvent","Bucket":"raw"})") + "," +
                             message("2", s3_event("failed/a")))),
            kNoneFailed);
  EXPECT_TRUE(objects_.stored.empty());
}

TEST_F(HandlerTest, ABodyThatIsNoS3EventFails) {
  EXPECT_EQ(handle(sqs_event(message("m", "hello"))), failed("m"));
  EXPECT_EQ(handle("hello"), "no answer");
}

TEST(GivingUp, HappensForFinalErrorsAndOnTheLastReceive) {
  EXPECT_TRUE(is_given_up(ErrorKind::InvalidInput, 1, 3));
  EXPECT_TRUE(is_given_up(ErrorKind::NotFound, 1, 3));
  EXPECT_FALSE(is_given_up(ErrorKind::Unavailable, 1, 3));
  EXPECT_FALSE(is_given_up(ErrorKind::Timeout, 2, 3));
  EXPECT_TRUE(is_given_up(ErrorKind::Internal, 3, 3));
  EXPECT_TRUE(is_given_up(ErrorKind::Internal, 4, 3));
}

}  // namespace
}  // namespace anonymise_image
