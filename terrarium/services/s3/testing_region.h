// A whole S3 on virtual time for tests: manual runtime, a store of the test's choice, a folder of
// its own, and queues that the test fills and breaks.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "generated/s3/errors.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/runtime/runtime.h"
#include "terrarium/services/s3/service.h"
#include "terrarium/store/memory.h"

namespace terrarium::s3 {

inline constexpr base::ErrorRow kQueueMissing{"QueueDoesNotExist", 400, {}};
inline constexpr base::ErrorRow kQueueRefuses{"AccessDenied", 403, {}};

// Queues by ARN, each with what it was sent.
class FakeQueues final : public sqs::Api {
 public:
  std::map<std::string, std::vector<std::string>> messages;
  const base::ErrorRow* broken = nullptr;  // every send fails so

  runtime::Task<base::Result<void>> send(sqs::SendingService from, std::string queue_arn,
                                         std::string body) override {
    CO_TRY_VOID(co_await check_can_send(from, queue_arn));
    messages.at(queue_arn).push_back(std::move(body));
    co_return base::Result<void>();
  }
  runtime::Task<base::Result<void>> check_can_send(sqs::SendingService from,
                                                   std::string queue_arn) override {
    EXPECT_EQ(from.principal, "s3.amazonaws.com");
    if (broken != nullptr) co_return base::fail(*broken, "injected");
    if (!messages.contains(queue_arn)) co_return base::fail(kQueueMissing, "no such queue");
    co_return base::Result<void>();
  }
  runtime::Task<base::Result<std::vector<sqs::ReceivedMessage>>> receive(
      std::string, std::size_t, base::Timestamp, std::optional<std::chrono::seconds>) override {
    co_return std::vector<sqs::ReceivedMessage>();
  }
  runtime::Task<base::Result<void>> delete_messages(std::string,
                                                    std::vector<std::string>) override {
    co_return base::Result<void>();
  }
  runtime::Task<base::Result<void>> change_visibility(std::string, std::vector<std::string>,
                                                      std::chrono::seconds) override {
    co_return base::Result<void>();
  }
  runtime::Task<base::Result<sqs::QueueSettings>> attributes(std::string) override {
    co_return sqs::QueueSettings();
  }
  runtime::Task<bool> queue_exists(std::string queue_arn) override {
    co_return messages.contains(queue_arn);
  }
};

inline const std::string kFunctionArn = "arn:aws:lambda:us-east-1:000000000000:function:resize";

// Functions that take every event, or none.
class FakeFunctions final : public lambda::Api {
 public:
  std::vector<std::string> payloads;
  bool refusing = false;

  runtime::Task<base::Result<void>> invoke_later(lambda::InvokingService from, std::string arn,
                                                 std::string payload) override {
    CO_TRY_VOID(co_await check_can_invoke(from, arn));
    payloads.push_back(std::move(payload));
    co_return base::Result<void>();
  }
  runtime::Task<base::Result<void>> check_can_invoke(lambda::InvokingService from,
                                                     std::string) override {
    EXPECT_EQ(from.principal, "s3.amazonaws.com");
    if (refusing) co_return base::fail(kQueueRefuses, "no permission");
    co_return base::Result<void>();
  }
};

inline const std::string kQueueArn = "arn:aws:sqs:us-east-1:000000000000:events";

template <class T>
runtime::Task<void> keep_result(runtime::Task<T> task, std::optional<T>& result) {
  result.emplace(co_await std::move(task));
}

class S3Region {
 public:
  // The store outlives the region; without one it has its own.
  explicit S3Region(store::Store* store = nullptr)
      : own_store_(store == nullptr ? store::open_memory_store() : nullptr),
        store_(store == nullptr ? *own_store_ : *store) {
    // In memory where there is such a place: what the tests lose with the power is the store's.
    const std::filesystem::path memory = "/dev/shm";
    const auto parent =
        std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    std::string name = (parent / "s3_test_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    queues.messages[kQueueArn];
    start();
  }
  ~S3Region() {
    stop();
    std::filesystem::remove_all(folder_);
  }
  S3Region(const S3Region&) = delete;
  S3Region& operator=(const S3Region&) = delete;

  // As after a restart: everything in memory is lost.
  void start() {
    runtime_ = runtime::Runtime::manual();
    service_ = std::make_unique<Service>(store_, clock, random_, *runtime_, queues,
                                         Config{folder_, "000000000000"});
    service_->connect(functions);
    ASSERT_TRUE(service_->start().has_value());
    settle();
  }
  // The memory goes, nothing more is written; what the store had not synced is the test's to lose.
  void stop() {
    if (!service_) return;
    boost::asio::co_spawn(runtime_->control(), service_->stop(), boost::asio::detached);
    settle();
    service_.reset();
    runtime_.reset();
  }
  void settle() { runtime_->run_until_idle(); }
  void advance(base::Duration by) {
    clock.advance_to(clock.now() + by, [this] { settle(); });
  }

  Service& s3() { return *service_; }

  template <class T>
  T wait(runtime::Task<T> task) {
    std::optional<T> result;
    boost::asio::co_spawn(runtime_->control(), keep_result(std::move(task), result),
                          boost::asio::detached);
    settle();
    EXPECT_TRUE(result.has_value()) << "the operation still waits for something";
    return *std::move(result);
  }

  wire::Context root(std::string region = "us-east-1") {
    wire::Context context;
    context.request_id = "01234567-89ab-4cde-8f01-23456789abcd";
    context.region = std::move(region);
    context.account = "000000000000";
    context.principal = {wire::PrincipalKind::Root, "000000000000",
                         "arn:aws:iam::000000000000:root", "000000000000", "test"};
    context.now = clock.now();
    context.deadline = clock.now() + std::chrono::minutes(1);
    context.endpoint = "http://127.0.0.1:4566";
    context.source_ip = "127.0.0.1";
    return context;
  }
  wire::Context user() {
    wire::Context context = root();
    context.principal = {wire::PrincipalKind::User, "000000000000",
                         "arn:aws:iam::000000000000:user/alice", "AIDAALICE", "AKIA1"};
    return context;
  }
  wire::Context anonymous() {
    wire::Context context = root();
    context.principal = {};
    return context;
  }

  base::Result<CreateBucketOutput> create_bucket(const std::string& bucket,
                                                 std::string region = "us-east-1") {
    CreateBucketRequest request;
    request.bucket = bucket;
    if (region != "us-east-1") {
      request.create_bucket_configuration.emplace().location_constraint = region;
    }
    return wait(s3().create_bucket(root(region), request));
  }

  // `adjust` sets what the test is about.
  using Adjust = std::function<void(PutObjectRequest& request)>;
  base::Result<PutObjectOutput> put(const std::string& bucket, const std::string& key,
                                    std::string bytes, const Adjust& adjust = {}) {
    return put_as(root(), bucket, key, std::move(bytes), adjust);
  }
  base::Result<PutObjectOutput> put_as(wire::Context context, const std::string& bucket,
                                       const std::string& key, std::string bytes,
                                       const Adjust& adjust = {}) {
    PutObjectRequest request;
    request.bucket = bucket;
    request.key = key;
    if (adjust) adjust(request);
    const auto body = http::body_of(std::move(bytes));
    context.body = body.get();
    return wait(s3().put_object(context, std::move(request)));
  }
  static GetObjectRequest get_request(const std::string& bucket, const std::string& key) {
    GetObjectRequest request;
    request.bucket = bucket;
    request.key = key;
    return request;
  }
  base::Result<GetObjectOutput> get(GetObjectRequest request) {
    return wait(s3().get_object(root(), std::move(request)));
  }
  std::string read(GetObjectOutput& output) {
    auto bytes = wait(http::read_all(*output.body.source, std::size_t{1} << 30));
    return bytes.has_value() ? *std::move(bytes) : "unreadable: " + bytes.error().message;
  }
  // The body, or the error's code.
  std::string body_of(const std::string& bucket, const std::string& key) {
    auto output = get(get_request(bucket, key));
    if (!output.has_value()) return code_of(output);
    return read(*output);
  }
  std::vector<std::string> keys_of(const std::string& bucket) {
    ListObjectsV2Request request;
    request.bucket = bucket;
    std::vector<std::string> keys;
    for (;;) {
      const auto page = wait(s3().list_objects_v2(root(), request));
      if (!page.has_value()) return {code_of(page)};
      for (const Object& object : page->contents.value_or(std::vector<Object>())) {
        keys.push_back(*object.key);
      }
      if (!*page->is_truncated) return keys;
      request.continuation_token = page->next_continuation_token;
    }
  }
  base::Result<wire::Empty> notify(const std::string& bucket,
                                   std::vector<QueueConfiguration> queues_asked) {
    PutBucketNotificationConfigurationRequest request;
    request.bucket = bucket;
    request.notification_configuration.queue_configurations = std::move(queues_asked);
    return wait(s3().put_bucket_notification_configuration(root(), request));
  }
  static QueueConfiguration rule(std::string event, std::string arn = kQueueArn) {
    QueueConfiguration queue;
    queue.queue_arn = std::move(arn);
    queue.events = {std::move(event)};
    return queue;
  }

  // Files of bodies, wherever they lie.
  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      if (entry.is_regular_file()) ++count;
    }
    return count;
  }

  template <class Result>
  static std::string code_of(const Result& result) {
    if (result.has_value()) return "no error";
    return result.error().row == nullptr ? "no row: " + result.error().message
                                         : std::string(result.error().row->code);
  }

  base::ManualClock clock;
  FakeQueues queues;
  FakeFunctions functions;

 private:
  std::unique_ptr<store::Store> own_store_;
  store::Store& store_;
  std::string folder_;
  base::SeededRandom random_{7};
  std::unique_ptr<runtime::Runtime> runtime_;
  std::unique_ptr<Service> service_;
};

// The value of a field that an error carries besides its message.
inline std::string field_of(const base::Error& error, std::string_view name) {
  for (const auto& [field, value] : error.fields) {
    if (field == name) return value;
  }
  return "no field";
}

}  // namespace terrarium::s3
