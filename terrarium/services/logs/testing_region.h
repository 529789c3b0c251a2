// For tests of the service: one CloudWatch Logs on a manual clock, run by the test's own thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "lib/base/clock.h"
#include "lib/runtime/runtime.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/logs/service.h"
#include "terrarium/store/memory.h"

namespace terrarium::logs {

template <class T>
struct Pending {
  std::optional<base::Result<T>> answer;
};
template <class T>
runtime::Task<void> keep(runtime::Task<base::Result<T>> call, std::shared_ptr<Pending<T>> out) {
  out->answer.emplace(co_await std::move(call));
}
inline runtime::Task<void> stop_service(Service& service) { co_await service.stop(); }

class TestingRegion {
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
    group.spawn("stop", stop_service(*service));
    run();
    service.reset();
  }
  void restart() {
    stop();
    start();
  }
  void run() { advance({}); }
  void advance(base::Duration by) {
    clock.advance_to(clock.now() + by, [this] { runtime->run_until_idle(); });
  }
  template <class T>
  base::Result<T> ask(runtime::Task<base::Result<T>> call) {
    auto out = std::make_shared<Pending<T>>();
    group.spawn("call", keep(std::move(call), out));
    run();
    if (out->answer) return *std::move(out->answer);
    ADD_FAILURE() << "the call still waits";
    return base::fail(base::ErrorKind::Timeout, "the call still waits");
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

  std::unique_ptr<runtime::Runtime> runtime = runtime::Runtime::manual();
  base::ManualClock clock;
  runtime::TaskGroup group{runtime->control()};
  std::unique_ptr<store::Store> store;
  wire::Context context;
  std::unique_ptr<Service> service;
};

}  // namespace terrarium::logs
