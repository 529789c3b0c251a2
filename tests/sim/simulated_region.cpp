#include "tests/sim/simulated_region.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "lib/http/body.h"

namespace sim {
namespace {

constexpr std::size_t kEnvironmentsMax = 4;

lambda::FleetLimits limits() {
  lambda::FleetLimits limits;
  limits.environments_max = kEnvironmentsMax;
  return limits;
}

runtime::Task<void> stop_all(Daemon& daemon) {
  co_await daemon.lambda.stop();
  co_await daemon.sandbox.stop();
  co_await daemon.s3.stop();
  co_await daemon.sqs.stop();
  co_await daemon.logs.stop();
}

// The runtime of a function: asks for events and answers them until it is killed.
runtime::Task<runtime::ExitStatus> serve(Daemon& daemon, SimulatedRegion::Function function,
                                         std::shared_ptr<host::FakeProcess> process) {
  const std::string address = process->spec.env.at("AWS_LAMBDA_RUNTIME_API");
  for (;;) {
    auto session = daemon.frontend.sessions.find(address);
    if (session == daemon.frontend.sessions.end()) co_return runtime::ExitStatus{};
    const auto event = co_await session->second->next();
    if (!event) co_return runtime::ExitStatus{};
    const auto answer = co_await function(daemon, *event->payload);
    if (!answer || process->killed()) co_return runtime::ExitStatus{0, SIGKILL};
    session = daemon.frontend.sessions.find(address);
    if (session == daemon.frontend.sessions.end()) co_return runtime::ExitStatus{};
    if (!session->second->respond(event->request_id, *answer)) co_return runtime::ExitStatus{};
  }
}

runtime::Task<void> put(Daemon& daemon, wire::Context context, std::string bucket, std::string key,
                        std::string bytes, std::function<void()> acknowledged) {
  s3::PutObjectRequest request;
  request.bucket = std::move(bucket);
  request.key = std::move(key);
  const auto body = http::body_of(std::move(bytes));
  context.body = body.get();
  const auto done = co_await daemon.s3.put_object(context, std::move(request));
  if (done) acknowledged();
}

}  // namespace

Daemon::Daemon(store::Store& store, base::ManualClock& clock, base::Random& random,
               const std::filesystem::path& folder)
    : calls(runtime->control()),
      sandbox(runtime->control(), clock),
      roles(clock),
      logs(store, clock, runtime->control(), {}),
      sqs(store, clock, random, runtime->control(), {}),
      s3(store, clock, random, *runtime, sqs, {.state_directory = (folder / "s3").string()}),
      lambda({.store = store,
              .clock = clock,
              .random = random,
              .runtime = *runtime,
              .sandbox = sandbox,
              .sqs = sqs,
              .s3 = s3,
              .logs = logs,
              .iam = roles,
              .roles = roles,
              .frontend = &frontend},
             {.state_directory = folder,
              .endpoint_url = "http://127.0.0.1:4566",
              .limits = limits()}) {}

SimulatedRegion::SimulatedRegion(std::uint64_t seed, Function function)
    : random(seed), function_(std::move(function)) {
  const std::filesystem::path memory = "/dev/shm";
  const auto parent =
      std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
  std::string name = (parent / "sim-XXXXXX").string();
  folder_ = ::mkdtemp(name.data());
  start();
}

SimulatedRegion::~SimulatedRegion() {
  stop();
  std::filesystem::remove_all(folder_);
}

void SimulatedRegion::start() {
  daemon_ = std::make_unique<Daemon>(store, clock, random, folder_);
  daemon_->s3.connect(daemon_->lambda);
  daemon_->sandbox.set_program([this](std::shared_ptr<host::FakeProcess> process) {
    return serve(*daemon_, function_, std::move(process));
  });
  daemon_->logs.start();
  ASSERT_TRUE(daemon_->sqs.start().has_value());
  ASSERT_TRUE(daemon_->s3.start().has_value());
  ASSERT_TRUE(daemon_->lambda.start().has_value());
  settle();
}

void SimulatedRegion::stop() {
  daemon_->calls.spawn("stop", stop_all(*daemon_));
  settle();
  ASSERT_EQ(daemon_->calls.size(), 0U) << "the region does not end";
  daemon_.reset();
}

void SimulatedRegion::crash(std::size_t kept) {
  stop();
  store.crash(kept);
  start();
}

void SimulatedRegion::advance(base::Duration by) {
  clock.advance_to(clock.now() + by, [this] { daemon_->runtime->run_until_idle(); });
}

void SimulatedRegion::put_later(std::string bucket, std::string key, std::string bytes,
                                std::function<void()> acknowledged) {
  daemon_->calls.spawn("put", put(*daemon_, context(), std::move(bucket), std::move(key),
                                  std::move(bytes), std::move(acknowledged)));
}

wire::Context SimulatedRegion::context() const {
  wire::Context context;
  context.request_id = "01234567-89ab-4cde-8f01-23456789abcd";
  context.region = "us-east-1";
  context.account = "000000000000";
  context.principal = {wire::PrincipalKind::Root, "000000000000", "arn:aws:iam::000000000000:root",
                       "000000000000", "test"};
  context.now = clock.now();
  context.deadline = clock.now() + std::chrono::minutes(1);
  context.endpoint = "http://127.0.0.1:4566";
  context.source_ip = "127.0.0.1";
  return context;
}

}  // namespace sim
