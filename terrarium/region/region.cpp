#include "terrarium/region/region.h"

#include <unistd.h>

#include "generated/iam/dispatch.h"
#include "generated/lambda/dispatch.h"
#include "generated/logs/dispatch.h"
#include "generated/s3/dispatch.h"
#include "generated/sqs/dispatch.h"
#include "generated/sts/dispatch.h"
#include "lib/base/log.h"
#include "terrarium/host/linux/sandbox.h"
#include "terrarium/host/postgres.h"
#include "terrarium/host/program.h"
#include "terrarium/region/control.h"
#include "terrarium/services/iam/service.h"
#include "terrarium/services/lambda/service.h"
#include "terrarium/services/logs/service.h"
#include "terrarium/services/s3/service.h"
#include "terrarium/services/sqs/service.h"
#include "terrarium/services/sts/service.h"
#include "terrarium/store/rocks.h"
#include "terrarium/wire/router.h"

namespace terrarium::region {
namespace {

using base::Result;
using runtime::Task;

// Members are in the order in which they need each other: destruction runs backwards.
class LiveRegion final : public Region {
 public:
  LiveRegion(RegionConfig config, std::unique_ptr<store::Store> store, std::string token,
             std::unique_ptr<host::Sandbox> sandbox, runtime::Runtime& runtime, base::Clock& clock,
             base::Random& random)
      : config_(std::move(config)),
        clock_(clock),
        started_(clock.now()),
        store_(std::move(store)),
        iam_(*store_, clock, random, {.account = config_.account}),
        sts_(iam_),
        logs_(*store_, clock, runtime.control(), {}),
        sqs_(*store_, clock, random, runtime.control(), {.account = config_.account}),
        s3_(*store_, clock, random, runtime, sqs_,
            {.state_directory = (config_.state / "s3").string(), .account = config_.account}),
        sandbox_(std::move(sandbox)),
        lambda_({.store = *store_,
                 .clock = clock,
                 .random = random,
                 .runtime = runtime,
                 .sandbox = *sandbox_,
                 .sqs = sqs_,
                 .s3 = s3_,
                 .logs = logs_,
                 .iam = iam_,
                 .keys = &iam_},
                {.state_directory = config_.state,
                 .account = config_.account,
                 .endpoint_url = "http://127.0.0.1:" + std::to_string(config_.port),
                 .limits = lambda::machine_limits()}),
        programs_(runtime.control(), clock, config_.state),
        postgres_(runtime.control(), clock, random, programs_, config_.state),
        control_({.store = *store_,
                  .programs = programs_,
                  .postgres = postgres_,
                  .clock = clock,
                  .control = runtime.control(),
                  .status = [this] { return status(); },
                  .stop = config_.stop},
                 std::move(token)),
        router_(clock, random, iam_,
                {.account = config_.account, .default_region = config_.default_region}) {
    s3_.connect(lambda_);
    router_.add(iam::entry(iam_, runtime.control()));
    router_.add(sts::entry(sts_, runtime.control()));
    router_.add(logs::entry(logs_, runtime.control()));
    router_.add(sqs::entry(sqs_, runtime.control()));
    router_.add(s3::entry(s3_));  // streams on the connection's own executor
    router_.add(lambda::entry(lambda_, runtime.control()));
  }

  Task<Result<void>> start() override {
    logs_.start();
    CO_TRY_VOID(sqs_.start());
    CO_TRY_VOID(s3_.start());
    CO_TRY_VOID(lambda_.start());
    co_return co_await control_.resume();
  }

  Task<void> stop() override {
    co_await lambda_.stop();
    co_await s3_.stop();
    co_await sqs_.stop();
    co_await logs_.stop();
    co_await programs_.stop_all();
    const auto synced = co_await store_->sync();
    if (!synced) base::log::error("region", "last sync: {}", base::describe(synced.error()));
  }

  Task<http::Response> handle(http::Request& request) override {
    if (request.path.starts_with(lambda::kCodePrefix)) co_return function_code(request);
    if (lambda::Service::is_url(request)) co_return co_await lambda_.handle_url(request);
    if (request.path.starts_with(kControlPrefix)) co_return co_await control_.handle(request);
    co_return co_await router_.handle(request);
  }

 private:
  // What GetFunction's Code.Location leads to: a link that carries its own authority, as AWS's do.
  http::Response function_code(const http::Request& request) {
    http::Response response;
    auto code = lambda_.open_code(request.path.substr(lambda::kCodePrefix.size()));
    if (!code) {
      response.status = code.error().kind == base::ErrorKind::NotFound ? 404 : 403;
      response.body = code.error().message + "\n";
      return response;
    }
    response.headers.add("Content-Type", "application/zip");
    response.stream = *std::move(code);
    return response;
  }

  boost::json::object status() {
    boost::json::array programs;
    for (const host::ProgramStatus& program : programs_.status()) {
      programs.push_back(boost::json::object{{"program", program.name},
                                             {"state", host::to_string(program.state)},
                                             {"pid", program.pid},
                                             {"restarts", program.restarts},
                                             {"last exit", program.last_exit}});
    }
    const auto up = std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - started_);
    return {{"terrarium", TERRARIUM_VERSION},
            {"endpoint", "http://127.0.0.1:" + std::to_string(config_.port)},
            {"state", config_.state.string()},
            {"account", config_.account},
            {"region", config_.default_region},
            {"pid", ::getpid()},
            {"up seconds", up.count()},
            {"programs", programs},
            {"buckets", s3_.status()},
            {"queues", sqs_.status()},
            {"functions", lambda_.status()},
            {"event source mappings", lambda_.mapping_status()}};
  }

  RegionConfig config_;
  base::Clock& clock_;
  base::Timestamp started_;
  std::unique_ptr<store::Store> store_;
  iam::Service iam_;
  sts::Service sts_;
  logs::Service logs_;
  sqs::Service sqs_;
  s3::Service s3_;
  std::unique_ptr<host::Sandbox> sandbox_;
  lambda::Service lambda_;
  host::ProgramKeeper programs_;
  host::Postgres postgres_;
  Control control_;
  wire::Router router_;
};

}  // namespace

Result<std::unique_ptr<Region>> Region::open(RegionConfig config, runtime::Runtime& runtime,
                                             base::Clock& clock, base::Random& random) {
  std::error_code failure;
  std::filesystem::create_directories(config.state, failure);
  if (failure) {
    return base::fail_errno("cannot make the state folder " + config.state.string(),
                            failure.value());
  }
  // Pictures of people, messages, secrets: for the daemon's user only.
  for (const char* const secret : {"store", "s3"}) {
    std::filesystem::create_directories(config.state / secret, failure);
    std::filesystem::permissions(config.state / secret, std::filesystem::perms::owner_all, failure);
    if (failure) {
      return base::fail_errno("cannot make the state folder " + config.state.string(),
                              failure.value());
    }
  }
  TRY(std::unique_ptr<store::Store> store,
      store::open_rocks_store((config.state / "store").string(), clock, config.storage_failed));
  TRY(std::string token, control_token((config.state / "control.token").string(), random));
  TRY(std::unique_ptr<host::Sandbox> sandbox,
      host::open_linux_sandbox(runtime, clock, {.folder = config.state / "sandboxes"}));
  base::log::info("region", "functions run with {}", sandbox->description());
  return std::make_unique<LiveRegion>(std::move(config), std::move(store), std::move(token),
                                      std::move(sandbox), runtime, clock, random);
}

}  // namespace terrarium::region
