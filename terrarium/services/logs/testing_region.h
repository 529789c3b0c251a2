// For tests of the service: one CloudWatch Logs on a manual clock, run by the test's own thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "lib/runtime/testing_loop.h"
#include "terrarium/services/logs/service.h"
#include "terrarium/store/memory.h"

namespace terrarium::logs {

class TestingRegion : public runtime::TestingLoop {
 public:
  explicit TestingRegion(std::unique_ptr<store::Store> over = store::open_memory_store())
      : store(std::move(over)) {
    context.region = "us-east-1";
    context.account = "000000000000";
    start();
  }
  ~TestingRegion() { stop(); }

  void start() {
    service = std::make_unique<Service>(*store, clock, runtime->control(), Config{});
    service->start();
    run();
  }
  void stop() {
    if (!service) return;
    run(service->stop());
    service.reset();
  }
  void restart() {
    stop();
    start();
  }
  Millis now_ms() const { return to_millis(clock.now()); }
  void create(const std::string& group_name = "g", const std::string& stream_name = "s") {
    CreateLogGroupRequest request;
    request.log_group_name = group_name;
    static_cast<void>(ask(service->create_log_group(context, request)));
    ASSERT_TRUE(ask(service->create_log_stream(context, {group_name, stream_name})).has_value());
  }
  base::Result<PutLogEventsResponse> put(std::vector<InputLogEvent> events,
                                         std::string stream_name = "s") {
    PutLogEventsRequest request;
    request.log_group_name = "g";
    request.log_stream_name = std::move(stream_name);
    request.log_events = std::move(events);
    return ask(service->put_log_events(context, std::move(request)));
  }
  // "a b c" of a page.
  template <class Events>
  static std::string text(const Events& events) {
    std::string all;
    for (const auto& event : *events) all += (all.empty() ? "" : " ") + *event.message;
    return all;
  }
  GetLogEventsResponse get(std::optional<std::string> token, std::optional<std::int32_t> limit,
                           bool from_head = true) {
    GetLogEventsRequest request;
    request.log_group_name = "g";
    request.log_stream_name = "s";
    request.next_token = std::move(token);
    request.limit = limit;
    request.start_from_head = from_head;
    auto got = ask(service->get_log_events(context, std::move(request)));
    EXPECT_TRUE(got.has_value()) << base::describe(got.error());
    return got.value_or(GetLogEventsResponse{});
  }
  FilterLogEventsResponse filter(FilterLogEventsRequest request) {
    request.log_group_name = "g";
    auto got = ask(service->filter_log_events(context, std::move(request)));
    EXPECT_TRUE(got.has_value()) << base::describe(got.error());
    return got.value_or(FilterLogEventsResponse{});
  }

  std::unique_ptr<store::Store> store;
  wire::Context context;
  std::unique_ptr<Service> service;
};

}  // namespace terrarium::logs
