// For tests of the service: one Lambda on a manual clock with a fake sandbox, run by the test's own
// thread; queues, objects, logs and roles as small as they can be.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "lib/base/random.h"
#include "lib/runtime/event.h"
#include "lib/runtime/testing_loop.h"
#include "terrarium/host/fake/sandbox.h"
#include "terrarium/services/lambda/service.h"
#include "terrarium/services/lambda/testing_neighbours.h"
#include "terrarium/services/lambda/testing_zip.h"
#include "terrarium/store/memory.h"

namespace terrarium::lambda {

// What the fake function does with an event.
struct Behaviour {
  std::string answer = "\"done\"";
  bool is_error = false;
  base::Duration takes{};
  std::optional<runtime::ExitStatus> exit;  // instead of an answer
  std::string prints;
  base::Duration lingers{};  // between its answer and its call for the next event
};

inline runtime::Task<void> stop_service(Service& service) { co_await service.stop(); }
inline runtime::Task<void> stop_sandbox(host::FakeSandbox& sandbox) { co_await sandbox.stop(); }

using runtime::Pending;

class TestingRegion : public runtime::TestingLoop {
 public:
  static constexpr const char* kRole = "arn:aws:iam::000000000000:role/tests";
  static constexpr const char* kQueue = "arn:aws:sqs:us-east-1:000000000000:queue";

  explicit TestingRegion(std::unique_ptr<store::Store> given = store::open_memory_store())
      : store(std::move(given)) {
    context.region = "us-east-1";
    context.account = "000000000000";
    context.endpoint = "http://127.0.0.1:4566";
    std::string folder = (std::filesystem::temp_directory_path() / "lambda-test-XXXXXX").string();
    state = ::mkdtemp(folder.data());
    limits.environments_max = 8;
    sandbox.set_program([this](std::shared_ptr<host::FakeProcess> process) {
      return serve(*this, std::move(process));
    });
    start();
  }
  ~TestingRegion() {
    stop();
    run(stop_sandbox(sandbox));
    std::filesystem::remove_all(state);
  }

  void start() {
    service = std::make_unique<Service>(
        Service::Parts{*store, clock, random, *runtime, sandbox, queue, objects, logs, roles, roles,
                       &frontend, nullptr, network.get()},
        Config{
            .state_directory = state, .endpoint_url = "http://127.0.0.1:4566", .limits = limits});
    const auto started = service->start();
    ASSERT_TRUE(started.has_value()) << base::describe(started.error());
    run();
  }
  void stop() {
    if (!service) return;
    run(stop_service(*service));
    service.reset();
  }
  void restart() {
    stop();
    start();
  }

  CreateFunctionRequest function_request(std::string name = "f") const {
    CreateFunctionRequest request;
    request.function_name = std::move(name);
    request.runtime = "provided.al2";
    request.handler = "bootstrap";
    request.role = kRole;
    request.code.zip_file = zip_of({{"bootstrap", "#!/bin/sh\n", 0755}});
    return request;
  }
  void create(std::string name = "f", std::int32_t timeout_s = 3) {
    auto request = function_request(std::move(name));
    request.timeout = timeout_s;
    const auto made = ask(service->create_function(context, std::move(request)));
    ASSERT_TRUE(made.has_value()) << base::describe(made.error());
  }
  std::shared_ptr<Pending<InvocationResponse>> invoke(std::string payload,
                                                      std::string type = "RequestResponse") {
    context.request_id = random.uuid();
    InvocationRequest request;
    request.function_name = "f";
    request.invocation_type = std::move(type);
    request.log_type = "Tail";
    request.payload = std::move(payload);
    return begin(service->invoke(context, std::move(request)));
  }
  std::string map_queue(CreateEventSourceMappingRequest request = {}) {
    request.function_name = "f";
    request.event_source_arn = kQueue;
    const auto made = ask(service->create_event_source_mapping(context, std::move(request)));
    EXPECT_TRUE(made.has_value()) << base::describe(made.error());
    return made ? *made->uuid : "";
  }

  // A runtime that does with each event what `behave` says.
  static runtime::Task<runtime::ExitStatus> serve(TestingRegion& region,
                                                  std::shared_ptr<host::FakeProcess> process) {
    const std::string address = process->spec.env.at("AWS_LAMBDA_RUNTIME_API");
    const base::Timestamp ready = region.clock.now() + region.init_takes;
    if (!co_await process->lives_until(ready)) co_return runtime::ExitStatus{0, 9};
    for (;;) {
      const auto session = region.frontend.sessions.find(address);
      if (session == region.frontend.sessions.end()) co_return runtime::ExitStatus{};
      const auto event = co_await session->second->next();
      if (!event) co_return runtime::ExitStatus{};
      ++region.running;
      region.running_max = std::max(region.running_max, region.running);
      region.events.push_back(*event->payload);
      const Behaviour behaviour = region.behave(*event->payload);
      process->write(behaviour.prints);
      const bool alive = co_await process->lives_until(region.clock.now() + behaviour.takes);
      --region.running;
      if (!alive) co_return runtime::ExitStatus{0, 9};
      if (behaviour.exit) co_return *behaviour.exit;
      const auto again = region.frontend.sessions.find(address);
      if (again == region.frontend.sessions.end()) co_return runtime::ExitStatus{};
      const auto answered = behaviour.is_error
                                ? again->second->fail(event->request_id, "Asked", behaviour.answer)
                                : again->second->respond(event->request_id, behaviour.answer);
      EXPECT_TRUE(answered.has_value());
      const bool lingers = behaviour.lingers > base::Duration{};
      if (lingers && !co_await process->lives_until(region.clock.now() + behaviour.lingers)) {
        co_return runtime::ExitStatus{0, 9};
      }
    }
  }

  base::SeededRandom random{7};
  std::unique_ptr<store::Store> store;
  host::FakeSandbox sandbox{runtime->control(), clock};
  FakeFrontend frontend;
  FakeQueue queue{clock};
  FakeObjects objects;
  FakeLogs logs;
  std::unique_ptr<FakeNetwork> network;  // null: the host's; take effect with restart()
  FakeRoles roles{clock};
  FleetLimits limits;
  wire::Context context;
  std::filesystem::path state;
  std::unique_ptr<Service> service;
  std::function<Behaviour(const std::string&)> behave = [](const std::string&) {
    return Behaviour{};
  };
  base::Duration init_takes{};
  std::vector<std::string> events;
  int running = 0;
  int running_max = 0;
};

}  // namespace terrarium::lambda
