#include "terrarium/region/region.h"

#include <unistd.h>

#include "generated/ec2/dispatch.h"
#include "generated/ec2/permissions.h"
#include "generated/iam/dispatch.h"
#include "generated/iam/permissions.h"
#include "generated/lambda/dispatch.h"
#include "generated/lambda/permissions.h"
#include "generated/logs/dispatch.h"
#include "generated/logs/permissions.h"
#include "generated/s3/dispatch.h"
#include "generated/s3/permissions.h"
#include "generated/sqs/dispatch.h"
#include "generated/sqs/permissions.h"
#include "generated/sts/dispatch.h"
#include "generated/sts/permissions.h"
#include "lib/base/log.h"
#include "terrarium/host/linux/sandbox.h"
#include "terrarium/host/postgres.h"
#include "terrarium/host/program.h"
#include "terrarium/region/compute.h"
#include "terrarium/region/control.h"
#include "terrarium/region/forwards.h"
#include "terrarium/region/private_database.h"
#include "terrarium/services/ec2/authorised_resources.h"
#include "terrarium/services/iam/authoriser.h"
#include "terrarium/services/iam/observed_store.h"
#include "terrarium/services/iam/service.h"
#include "terrarium/services/lambda/resources.h"
#include "terrarium/services/lambda/service.h"
#include "terrarium/services/logs/resources.h"
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
             std::unique_ptr<Ground> ground, std::unique_ptr<host::Sandbox> sandbox,
             runtime::Runtime& runtime, base::Clock& clock, base::Random& random)
      : config_(std::move(config)),
        clock_(clock),
        started_(clock.now()),
        store_(std::move(store)),
        ground_(std::move(ground)),
        iam_store_(*store_),
        iam_(iam_store_, clock, random, {.account = config_.account}),
        authoriser_({iam_store_, iam_, iam_, clock}, config_.account),
        sts_(iam_),
        logs_(*store_, clock, runtime.control(), {}),
        sqs_(*store_, clock, random, runtime.control(), {.account = config_.account}),
        s3_(*store_, clock, random, runtime, sqs_,
            {.state_directory = (config_.state / "s3").string(), .account = config_.account}),
        compute_({.config = config_,
                  .ground = *ground_,
                  .store = *store_,
                  .runtime = runtime,
                  .clock = clock,
                  .random = random,
                  .iam = iam_,
                  .roles = authoriser_}),
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
                 .roles = authoriser_,
                 .keys = &iam_,
                 .network = ground_->has_network ? ground_->network.get() : nullptr,
                 .authoriser = &authoriser_},
                {.state_directory = config_.state,
                 .account = config_.account,
                 .endpoint_url = "http://127.0.0.1:" + std::to_string(config_.port),
                 .limits = lambda::machine_limits()}),
        postgres_(runtime.control(), clock, random, ground_->programs, config_.state),
        private_database_(*store_, clock, runtime.control(), postgres_, compute_, config_.account),
        forwards_(*store_, clock, runtime.control(), ground_->programs, compute_, config_.state),
        control_({.store = *store_,
                  .programs = ground_->programs,
                  .postgres = postgres_,
                  .private_database = private_database_,
                  .forwards = forwards_,
                  .clock = clock,
                  .control = runtime.control(),
                  .status = [this] { return status(); },
                  .stop = config_.stop},
                 std::move(token)),
        router_(clock, random, iam_,
                {.account = config_.account, .default_region = config_.default_region},
                &authoriser_) {
    s3_.connect(lambda_);
    ground_->machines->on_ended([this](const std::string& name) {
      if (name == host::kPostgresMachine) private_database_.machine_ended();
    });
    const auto named = [this](const wire::Context& context, std::string_view kind,
                              std::string_view name) {
      return authoriser_.resource_arn(context, kind, name);
    };
    router_.add(iam::entry(iam_, runtime.control()), {iam::kPermissions, named});
    router_.add(sts::entry(sts_, runtime.control()), {sts::kPermissions, {}});
    router_.add(logs::entry(logs_, runtime.control()), {logs::kPermissions, logs::resource_arn});
    router_.add(sqs::entry(sqs_, runtime.control()), {sqs::kPermissions, {}});
    // S3 streams on the connection's own executor.
    router_.add(s3::entry(s3_), {s3::kPermissions, {}});
    router_.add(lambda::entry(lambda_, runtime.control()),
                {lambda::kPermissions, lambda::resource_arn});
    router_.add(ec2::entry(compute_.ec2(), runtime.control()), ec2_permissions());
  }

  Task<Result<void>> start() override {
    logs_.start();
    CO_TRY_VOID(sqs_.start());
    CO_TRY_VOID(s3_.start());
    CO_TRY_VOID(compute_.start());
    CO_TRY_VOID(lambda_.start());
    co_return co_await control_.resume();
  }

  wire::ServicePermissions ec2_permissions() {
    ec2::Core& core = compute_.ec2_core();
    return {ec2::kPermissions,
            [&core](const wire::Context& context, std::string_view kind, std::string_view name) {
              const auto records = core.records(context.region);
              return records ? ec2::resource_arn(**records, context, kind, name) : "*";
            },
            [&core](const wire::Context& context, const wire::MemberText& member,
                    wire::PolicyRequest& asked) {
              const auto records = core.records(context.region);
              if (records) ec2::add_conditions(**records, context, member, asked);
            }};
  }

  Result<void> listen(http::Server& server) override { return compute_.listen(server); }

  Task<void> stop() override {
    co_await forwards_.stop();
    co_await private_database_.stop();
    co_await lambda_.stop();
    co_await compute_.stop();
    co_await s3_.stop();
    co_await sqs_.stop();
    co_await logs_.stop();
    co_await ground_->programs.stop_all();
    const auto synced = co_await store_->sync();
    if (!synced) base::log::error("region", "last sync: {}", base::describe(synced.error()));
  }

  Task<http::Response> handle(http::Request& request) override {
    if (request.path.starts_with(lambda::kCodePrefix)) co_return function_code(request);
    if (lambda::Service::is_url(request)) co_return co_await lambda_.handle_url(request);
    if (request.path.starts_with(kControlPrefix) && is_from_this_machine(request)) {
      co_return co_await control_.handle(request);
    }
    co_return co_await router_.handle(request);
  }

 private:
  // The public face is the same server: nobody inside a VPC speaks to the daemon itself.
  static bool is_from_this_machine(const http::Request& request) {
    return request.peer != nullptr && request.peer->address == "127.0.0.1";
  }

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
    for (const host::ProgramStatus& program : ground_->programs.status()) {
      programs.push_back(boost::json::object{{"program", program.name},
                                             {"state", host::to_string(program.state)},
                                             {"pid", program.pid},
                                             {"restarts", program.restarts},
                                             {"last exit", program.last_exit}});
    }
    const auto up = std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - started_);
    boost::json::object status = {{"terrarium", TERRARIUM_VERSION},
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
    compute_.add_status(status);
    return status;
  }

  RegionConfig config_;
  base::Clock& clock_;
  base::Timestamp started_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Ground> ground_;
  iam::ObservedStore iam_store_;
  iam::Service iam_;
  iam::Authoriser authoriser_;
  sts::Service sts_;
  logs::Service logs_;
  sqs::Service sqs_;
  s3::Service s3_;
  Compute compute_;
  std::unique_ptr<host::Sandbox> sandbox_;
  lambda::Service lambda_;
  host::Postgres postgres_;
  PrivateDatabase private_database_;
  Forwards forwards_;
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
  TRY(std::unique_ptr<Ground> ground, Ground::open(config, runtime, clock, random));
  return std::make_unique<LiveRegion>(std::move(config), std::move(store), std::move(token),
                                      std::move(ground), std::move(sandbox), runtime, clock,
                                      random);
}

}  // namespace terrarium::region
