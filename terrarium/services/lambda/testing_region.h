// For tests of the service: one Lambda on a manual clock with a fake sandbox, run by the test's own
// thread; queues, objects, logs and roles as small as they can be.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/runtime/event.h"
#include "lib/runtime/runtime.h"
#include "lib/runtime/task_group.h"
#include "terrarium/host/fake/sandbox.h"
#include "terrarium/services/lambda/service.h"
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
};

class FakeQueue final : public sqs::Api {
 public:
  FakeQueue(runtime::Executor executor, base::Clock& clock) : clock_(clock), changed_(clock) {
    static_cast<void>(executor);
  }
  struct Message {
    std::string body;
    base::Timestamp visible;
    int receives = 0;
    bool deleted = false;
  };
  std::chrono::seconds visibility{30};
  bool missing = false;
  std::vector<Message> messages;  // the index is id and handle

  void put(std::string body) {
    messages.push_back({std::move(body), clock_.now()});
    changed_.notify_all();
  }
  std::size_t left() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(messages, [](const Message& m) { return !m.deleted; }));
  }

  runtime::Task<base::Result<void>> send(sqs::SendingService, std::string, std::string) override {
    co_return base::fail(base::ErrorKind::NotImplemented, "not here");
  }
  runtime::Task<base::Result<void>> check_can_send(sqs::SendingService, std::string) override {
    co_return base::fail(base::ErrorKind::NotImplemented, "not here");
  }
  runtime::Task<base::Result<std::vector<sqs::ReceivedMessage>>> receive(
      std::string, std::size_t messages_max, base::Timestamp wait_until,
      std::optional<std::chrono::seconds>) override {
    for (;;) {
      std::vector<sqs::ReceivedMessage> got;
      base::Timestamp next = wait_until;
      for (std::size_t i = 0; i < messages.size() && got.size() < messages_max; ++i) {
        Message& message = messages[i];
        if (message.deleted) continue;
        if (message.visible > clock_.now()) {
          next = std::min(next, message.visible);
          continue;
        }
        message.visible = clock_.now() + visibility;
        ++message.receives;
        got.push_back({.message_id = std::to_string(i),
                       .receipt_handle = std::to_string(i),
                       .body = message.body});
      }
      if (!got.empty() || clock_.now() >= wait_until) co_return got;
      const base::Timestamp before = clock_.now();
      const bool woken = co_await changed_.wait_until(next);
      if (!woken && clock_.now() < next && clock_.now() == before) co_return got;
    }
  }
  runtime::Task<base::Result<void>> delete_messages(std::string,
                                                    std::vector<std::string> handles) override {
    for (const std::string& handle : handles) messages[std::stoul(handle)].deleted = true;
    co_return base::Result<void>();
  }
  runtime::Task<base::Result<void>> change_visibility(std::string,
                                                      std::vector<std::string> handles,
                                                      std::chrono::seconds timeout) override {
    for (const std::string& handle : handles) {
      messages[std::stoul(handle)].visible = clock_.now() + timeout;
    }
    co_return base::Result<void>();
  }
  runtime::Task<base::Result<sqs::QueueSettings>> attributes(std::string arn) override {
    if (missing) co_return base::fail(base::ErrorKind::InvalidInput, "no such queue");
    co_return sqs::QueueSettings{.arn = std::move(arn), .visibility_timeout = visibility};
  }
  runtime::Task<bool> queue_exists(std::string) override { co_return !missing; }

 private:
  base::Clock& clock_;
  runtime::Event changed_;
};

class FakeObjects final : public s3::Api {
 public:
  std::map<std::string, std::string> objects;  // "bucket/key"
  runtime::Task<base::Result<std::string>> read_object(std::string bucket, std::string key,
                                                       std::size_t) override {
    const auto found = objects.find(bucket + "/" + key);
    if (found != objects.end()) co_return found->second;
    co_return base::fail(base::ErrorKind::NotFound, "The specified key does not exist.");
  }
  runtime::Task<bool> bucket_exists(std::string) override { co_return true; }
};

class FakeLogs final : public logs::Api {
 public:
  std::vector<logs::Line> lines;
  void append(logs::Line line) override { lines.push_back(std::move(line)); }
  std::string text() const {
    std::string all;
    for (const logs::Line& line : lines) all += line.message;
    return all;
  }
};

class FakeRoles final : public iam::Api {
 public:
  explicit FakeRoles(base::Clock& clock) : clock_(clock) {}
  int assumed = 0;
  runtime::Task<base::Result<iam::TemporaryCredentials>> assume(
      std::string, std::string, std::chrono::seconds lifetime) override {
    ++assumed;
    co_return iam::TemporaryCredentials{.access_key_id = "ASIA1",
                                        .secret_access_key = "secret",
                                        .session_token = "token",
                                        .expiration = clock_.now() + lifetime};
  }
  base::Result<bool> role_exists(const std::string&) const override { return true; }

 private:
  base::Clock& clock_;
};

// The Runtime API without HTTP: fake programs find their session by its address.
class FakeFrontend final : public RuntimeFrontend {
 public:
  std::map<std::string, RuntimeSession*> sessions;
  base::Result<std::unique_ptr<RuntimeEndpoint>> open(RuntimeSession& session) override {
    auto endpoint = std::make_unique<Endpoint>(*this, "fake:" + std::to_string(++opened_));
    sessions[endpoint->address()] = &session;
    return std::unique_ptr<RuntimeEndpoint>(std::move(endpoint));
  }

 private:
  class Endpoint final : public RuntimeEndpoint {
   public:
    Endpoint(FakeFrontend& frontend, std::string address)
        : frontend_(frontend), address_(std::move(address)) {}
    std::string address() const override { return address_; }
    runtime::Task<void> close() override {
      frontend_.sessions.erase(address_);
      co_return;
    }

   private:
    FakeFrontend& frontend_;
    std::string address_;
  };
  int opened_ = 0;
};

template <class T>
struct Pending {
  std::optional<base::Result<T>> answer;
};
template <class T>
runtime::Task<void> keep(runtime::Task<base::Result<T>> call, std::shared_ptr<Pending<T>> out) {
  out->answer.emplace(co_await std::move(call));
}
inline runtime::Task<void> stop_service(Service& service) { co_await service.stop(); }
inline runtime::Task<void> stop_sandbox(host::FakeSandbox& sandbox) { co_await sandbox.stop(); }

class TestingRegion {
 public:
  static constexpr const char* kRole = "arn:aws:iam::000000000000:role/tests";
  static constexpr const char* kQueue = "arn:aws:sqs:us-east-1:000000000000:queue";

  TestingRegion() {
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
    group.spawn("stop", stop_sandbox(sandbox));
    run();
    std::filesystem::remove_all(state);
  }

  void start() {
    service = std::make_unique<Service>(
        Service::Parts{*store, clock, random, *runtime, sandbox, queue, objects, logs, roles,
                       &frontend},
        Config{.state_directory = state, .endpoint_url = "http://127.0.0.1:4566",
               .limits = limits});
    const auto started = service->start();
    ASSERT_TRUE(started.has_value()) << base::describe(started.error());
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
  std::shared_ptr<Pending<T>> begin(runtime::Task<base::Result<T>> call) {
    auto out = std::make_shared<Pending<T>>();
    group.spawn("call", keep(std::move(call), out));
    run();
    return out;
  }
  template <class T>
  base::Result<T> ask(runtime::Task<base::Result<T>> call) {
    const auto pending = begin(std::move(call));
    if (pending->answer) return *std::move(pending->answer);
    ADD_FAILURE() << "the call still waits";
    return base::fail(base::ErrorKind::Timeout, "the call still waits");
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
    if (!co_await process->sleep_until(ready)) co_return runtime::ExitStatus{0, 9};
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
      const bool alive = co_await process->sleep_until(region.clock.now() + behaviour.takes);
      --region.running;
      if (!alive) co_return runtime::ExitStatus{0, 9};
      if (behaviour.exit) co_return *behaviour.exit;
      const auto again = region.frontend.sessions.find(address);
      if (again == region.frontend.sessions.end()) co_return runtime::ExitStatus{};
      const auto answered =
          behaviour.is_error
              ? again->second->fail(event->request_id, "Asked", behaviour.answer)
              : again->second->respond(event->request_id, behaviour.answer);
      EXPECT_TRUE(answered.has_value());
    }
  }

  std::unique_ptr<runtime::Runtime> runtime = runtime::Runtime::manual();
  base::ManualClock clock;
  base::SeededRandom random{7};
  runtime::TaskGroup group{runtime->control()};
  std::unique_ptr<store::Store> store = store::open_memory_store();
  host::FakeSandbox sandbox{runtime->control(), clock};
  FakeFrontend frontend;
  FakeQueue queue{runtime->control(), clock};
  FakeObjects objects;
  FakeLogs logs;
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
