// For tests of the service: one SQS on a manual clock, run by the test's own thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "generated/sqs/errors.h"
#include "lib/base/random.h"
#include "lib/runtime/testing_loop.h"
#include "terrarium/services/sqs/service.h"
#include "terrarium/store/memory.h"

namespace terrarium::sqs {

using runtime::Pending;

class TestingRegion : public runtime::TestingLoop {
 public:
  explicit TestingRegion(std::unique_ptr<store::Store> made = store::open_memory_store())
      : store(std::move(made)) {
    context.region = "us-east-1";
    context.account = "000000000000";
    context.endpoint = "http://127.0.0.1:4566";
    context.deadline = base::Timestamp::max();
    context.principal = {wire::PrincipalKind::Root, "000000000000",
                         "arn:aws:iam::000000000000:root", "000000000000", "test"};
    start();
  }
  ~TestingRegion() { stop(); }

  void start() {
    service = std::make_unique<Service>(*store, clock, random, runtime->control(), Config{});
    const auto started = service->start();
    ASSERT_TRUE(started.has_value()) << base::describe(started.error());
    run();
  }
  void stop() {
    if (service == nullptr) return;
    run(service->stop());
    service.reset();
  }
  // As a daemon that was killed, or stopped, and started again.
  void restart() {
    stop();
    start();
  }
  std::string create(std::string name, AttributeMap attributes = {}) {
    const auto made = ask(service->create_queue(
        context, {.queue_name = std::move(name), .attributes = std::move(attributes)}));
    EXPECT_TRUE(made.has_value()) << base::describe(made.error());
    return made.has_value() ? *made->queue_url : "";
  }
  // The message id, or the error's code.
  std::string send(std::string url, std::string body, std::optional<std::int32_t> delay = {}) {
    const auto sent = ask(service->send_message(
        context,
        {.queue_url = std::move(url), .message_body = std::move(body), .delay_seconds = delay}));
    return sent.has_value() ? *sent->message_id : std::string(sent.error().row->code);
  }
  std::vector<Message> receive(std::string url, std::int32_t max = 10,
                               std::optional<std::int32_t> visibility = {}) {
    auto got = ask(service->receive_message(
        context, {.queue_url = std::move(url),
                  .attribute_names = std::vector<std::string>{"All"},
                  .message_attribute_names = std::vector<std::string>{"All"},
                  .max_number_of_messages = max,
                  .visibility_timeout = visibility,
                  .wait_time_seconds = 0}));
    EXPECT_TRUE(got.has_value()) << base::describe(got.error());
    if (!got.has_value() || !got->messages.has_value()) return {};
    return *std::move(got->messages);
  }
  // "a b c": the bodies received.
  std::string bodies(std::string url, std::int32_t max = 10,
                     std::optional<std::int32_t> visibility = {}) {
    std::string all;
    for (const Message& message : receive(std::move(url), max, visibility)) {
      all += (all.empty() ? "" : " ") + *message.body;
    }
    return all;
  }
  bool remove(std::string url, std::string handle) {
    return ask(service->delete_message(context, {std::move(url), std::move(handle)})).has_value();
  }
  std::string attribute(std::string url, std::string name) {
    const auto got =
        ask(service->get_queue_attributes(context, {std::move(url), {{std::move(name)}}}));
    if (!got.has_value()) return std::string(got.error().row->code);
    return got->attributes.has_value() ? got->attributes->begin()->second : "";
  }
  base::Result<wire::Empty> set(std::string url, AttributeMap attributes) {
    return ask(service->set_queue_attributes(context, {std::move(url), std::move(attributes)}));
  }

  base::SeededRandom random{7};
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Service> service;
  wire::Context context;
};

// The code of the error in `result`, or "none".
template <class T>
std::string code_of(const base::Result<T>& result) {
  if (result.has_value()) return "none";
  return result.error().row == nullptr ? "no row" : std::string(result.error().row->code);
}

}  // namespace terrarium::sqs
