// The picture pipeline under every single failure of its storage: each write and each sync between
// an upload and its result fails once, the power goes, and what was acknowledged is done in the
// end.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>

#include "terrarium/services/lambda/testing_zip.h"
#include "tests/sim/simulated_region.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

constexpr const char* kQueueArn = "arn:aws:sqs:us-east-1:000000000000:pictures";
constexpr const char* kDeadLetterArn = "arn:aws:sqs:us-east-1:000000000000:dead-letters";
constexpr int kPictures = 3;
// Two visibility timeouts, the outbox's retries, and a margin.
constexpr base::Duration kRecovery = 10min;

// Keys that the event, a message from SQS with a notification of S3, tells of.
std::vector<std::string> keys_of(const std::string& event) {
  std::vector<std::string> keys;
  for (const auto& message : boost::json::parse(event).at("Records").as_array()) {
    const auto told = boost::json::parse(message.at("body").as_string());
    const auto* const records = told.as_object().if_contains("Records");
    if (records == nullptr) continue;  // s3:TestEvent
    for (const auto& record : records->as_array()) {
      keys.emplace_back(record.at("s3").at("object").at("key").as_string());
    }
  }
  return keys;
}

class Pipeline : public ::testing::TestWithParam<store::FaultPoint> {
 protected:
  // Reads the raw object, writes the processed one. Dies once for each key, the first time.
  runtime::Task<std::optional<std::string>> process(Daemon& daemon, std::string event) {
    for (const std::string& key : keys_of(event)) {
      if (died_.insert(key).second) co_return std::nullopt;
      const auto raw = co_await daemon.s3.read_object("raw", key, {}, 1 << 20);
      if (!raw) co_return std::nullopt;
      s3::PutObjectRequest request;
      request.bucket = "processed";
      request.key = key;
      const auto body = http::body_of("anonymised " + *raw);
      wire::Context context = region_->context();
      context.body = body.get();
      if (!co_await daemon.s3.put_object(context, std::move(request))) co_return std::nullopt;
    }
    co_return "{}";
  }

  void SetUp() override {
    region_ = std::make_unique<SimulatedRegion>(11, [this](Daemon& daemon, std::string event) {
      return process(daemon, std::move(event));
    });
  }

  template <class T>
  void must(base::Result<T> result) {
    ASSERT_TRUE(result.has_value()) << base::describe(result.error());
  }

  void make_queues() {
    const auto context = region_->context();
    sqs::CreateQueueRequest dead_letters;
    dead_letters.queue_name = "dead-letters";
    must(region_->ask(region_->daemon().sqs.create_queue(context, dead_letters)));
    sqs::CreateQueueRequest queue;
    queue.queue_name = "pictures";
    queue.attributes = {
        {"VisibilityTimeout", "60"},
        {"RedrivePolicy",
         R"({"deadLetterTargetArn":")" + std::string(kDeadLetterArn) + R"(","maxReceiveCount":4})"},
        {"Policy", R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)"
                   R"("Principal":{"Service":"s3.amazonaws.com"},"Action":"sqs:SendMessage",)"
                   R"("Resource":"*"}]})"}};
    must(region_->ask(region_->daemon().sqs.create_queue(context, queue)));
  }

  void make_function() {
    const auto context = region_->context();
    lambda::CreateFunctionRequest function;
    function.function_name = "anonymise";
    function.runtime = "provided.al2023";
    function.handler = "bootstrap";
    function.role = "arn:aws:iam::000000000000:role/anonymise";
    function.timeout = 10;
    function.code.zip_file = lambda::zip_of({{"bootstrap", "#!/bin/sh\n", 0755}});
    must(region_->ask(region_->daemon().lambda.create_function(context, function)));
    region_->advance(5s);
    lambda::CreateEventSourceMappingRequest mapping;
    mapping.function_name = "anonymise";
    mapping.event_source_arn = kQueueArn;
    mapping.batch_size = 1;
    must(region_->ask(region_->daemon().lambda.create_event_source_mapping(context, mapping)));
  }

  void make_buckets() {
    const auto context = region_->context();
    for (const char* name : {"raw", "processed"}) {
      s3::CreateBucketRequest bucket;
      bucket.bucket = name;
      must(region_->ask(region_->daemon().s3.create_bucket(context, bucket)));
    }
    s3::PutBucketNotificationConfigurationRequest notification;
    notification.bucket = "raw";
    s3::QueueConfiguration queue;
    queue.queue_arn = kQueueArn;
    queue.events = {"s3:ObjectCreated:*"};
    notification.notification_configuration.queue_configurations = {queue};
    must(region_->ask(
        region_->daemon().s3.put_bucket_notification_configuration(context, notification)));
  }

  void deploy() {
    make_queues();
    make_function();
    make_buckets();
    region_->advance(1min);
  }

  // Uploads, with the power going as soon as the failure has struck; returns whether it did.
  bool upload_until_the_power_goes(std::uint64_t effect) {
    region_->store.fail_effect(effect, GetParam());
    for (int n = 0; n < kPictures; ++n) {
      const std::string key = "picture-" + std::to_string(n);
      region_->put_later("raw", key, key, [this, key] { acknowledged_.insert(key); });
      region_->advance(500ms);
      if (region_->store.fired()) break;
    }
    for (int second = 0; second < 200 && !region_->store.fired(); ++second) region_->advance(1s);
    if (!region_->store.fired()) return false;
    region_->crash(effect % (region_->store.unsynced() + 1));
    return true;
  }

  std::string processed(const std::string& key) {
    const auto bytes =
        region_->ask(region_->daemon().s3.read_object("processed", key, {}, 1 << 20));
    return bytes ? *bytes : base::describe(bytes.error());
  }

  std::size_t left_in(const std::string& queue) {
    sqs::GetQueueAttributesRequest request;
    request.queue_url = "http://127.0.0.1:4566/000000000000/" + queue;
    request.attribute_names = {{"All"}};
    const auto got =
        region_->ask(region_->daemon().sqs.get_queue_attributes(region_->context(), request));
    if (!got) return 999;
    const auto& attributes = *got->attributes;
    return std::stoul(attributes.at("ApproximateNumberOfMessages")) +
           std::stoul(attributes.at("ApproximateNumberOfMessagesNotVisible"));
  }

  std::unique_ptr<SimulatedRegion> region_;
  std::set<std::string> died_;
  std::set<std::string> acknowledged_;
};

TEST_P(Pipeline, AcknowledgedPicturesAreProcessedWhateverWriteFails) {
  bool fired = true;
  std::uint64_t effect = 0;
  for (; fired; ++effect) {
    SCOPED_TRACE("effect " + std::to_string(effect));
    SetUp();
    died_.clear();
    acknowledged_.clear();
    deploy();
    fired = upload_until_the_power_goes(effect);
    region_->advance(kRecovery);
    for (const std::string& key : acknowledged_) EXPECT_EQ(processed(key), "anonymised " + key);
    EXPECT_EQ(left_in("pictures"), 0U);
    EXPECT_EQ(left_in("dead-letters"), 0U);
    if (HasFailure()) return;
  }
  EXPECT_EQ(acknowledged_.size(), kPictures) << "nothing fails in the last run";
  EXPECT_GT(effect, 20U) << "too few effects for what the pipeline writes";
}

INSTANTIATE_TEST_SUITE_P(Sim, Pipeline,
                         ::testing::Values(store::FaultPoint::Before, store::FaultPoint::After),
                         [](const auto& info) {
                           return info.param == store::FaultPoint::Before ? "Before" : "After";
                         });

}  // namespace
}  // namespace sim
