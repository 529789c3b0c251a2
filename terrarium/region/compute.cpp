#include "terrarium/region/compute.h"

#include "lib/base/log.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task_group.h"
#include "terrarium/host/absent_network.h"
#include "terrarium/host/linux/machine.h"
#include "terrarium/host/linux/network.h"
#include "terrarium/region/network_tree.h"
#include "terrarium/services/ec2/regions.h"

namespace terrarium::region {
namespace {

using base::Result;
using runtime::Task;

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;
constexpr std::size_t kTokenSecretBytes = 32;
// How long machines may take to shut down when the region does.
constexpr base::Duration kShutdownGrace = std::chrono::seconds(5);
constexpr base::Duration kShutdownLook = std::chrono::milliseconds(20);

std::vector<std::string> region_names() {
  std::vector<std::string> names;
  for (const ec2::AwsRegion& region : ec2::aws_regions()) names.emplace_back(region.name);
  return names;
}

Task<void> stop_machine(host::Machines& machines, std::string name) {
  const auto stopped = co_await machines.stop(name, kShutdownGrace);
  if (!stopped) base::log::error("region", "{}: {}", name, base::describe(stopped.error()));
}

}  // namespace

Result<std::optional<ec2::InstanceProfileFacts>> ProfileDirectory::find(
    const std::string& name) const {
  TRY(const auto profile, directory_.read_profile(name));
  if (!profile.has_value()) return std::nullopt;
  ec2::InstanceProfileFacts facts{.arn = directory_.arn(*profile), .id = profile->id};
  if (!profile->role.empty()) {
    TRY(const auto role, directory_.read(iam::Kind::Role, profile->role));
    if (role.has_value()) facts.role_arn = directory_.arn(iam::Kind::Role, *role);
  }
  return facts;
}

Result<std::unique_ptr<Ground>> Ground::open(const RegionConfig& config, runtime::Runtime& runtime,
                                             base::Clock& clock, base::Random& random) {
  std::unique_ptr<Ground> ground(
      new Ground{.programs = host::ProgramKeeper(runtime.control(), clock, config.state)});
  TRY(ground->certificates,
      open_certificates(config.state / "ca", region_names(), clock.now(), random));
  auto network = host::open_linux_network(clock, ground->programs, {config.state});
  ground->has_network = network.has_value();
  if (network.has_value()) {
    ground->network = *std::move(network);
  } else {
    base::log::info("region", "no networks: {}", base::describe(network.error()));
    ground->network = std::make_unique<host::AbsentNetwork>(std::move(network).error());
  }
  TRY(ground->machines,
      host::open_linux_machines(
          runtime, clock, random,
          {.state = config.state, .ca_certificate = ground->certificates.authority}));
  const auto description = ground->machines->description();
  base::log::info("region", "instances: {}",
                  description.has_value() ? *description : base::describe(description.error()));
  return ground;
}

Compute::Compute(Parts parts)
    : parts_(parts),
      profiles_(parts.store, parts.config.account),
      core_({.store = parts.store,
             .clock = parts.clock,
             .random = parts.random,
             .executor = parts.runtime.control(),
             .network = *parts.ground.network,
             .machines = *parts.ground.machines},
            {.account = parts.config.account}),
      service_(core_, profiles_),
      api_(core_, profiles_),
      instances_(core_),
      images_(core_),
      imds_instances_(core_, profiles_),
      imds_({.instances = imds_instances_,
             .iam = parts.iam,
             .roles = parts.roles,
             .clock = parts.clock,
             .control = parts.runtime.control()},
            parts.random.hex(kTokenSecretBytes)),
      metadata_(parts.runtime, parts.clock, *parts.ground.network, imds_) {
  core_.networks().observe(&metadata_);
}

Result<void> Compute::start() {
  TRY_VOID(core_.start());
  instances_.start();
  images_.start();
  return {};
}

Result<void> Compute::listen(http::Server& server) {
  if (!parts_.ground.has_network) return {};
  const std::string address(host::kApiAddress);
  TRY(const int plain, network().listen_on_internet(address, kHttpPort));
  TRY_VOID(server.listen({.inherited_fd = plain}));
  TRY(const int secure, network().listen_on_internet(address, kHttpsPort));
  TRY_VOID(server.listen({.tls = parts_.ground.certificates.face, .inherited_fd = secure}));
  return {};
}

Task<void> end_all(Ground& ground, runtime::Executor control, base::Clock& clock) {
  const auto machines = ground.machines->list();
  runtime::TaskGroup stops(control);
  if (machines.has_value()) {
    for (const host::MachineStatus& machine : *machines) {
      if (machine.state != host::MachineState::Running) continue;
      stops.spawn(machine.name, stop_machine(*ground.machines, machine.name));
    }
  }
  const base::Timestamp deadline = clock.now() + 2 * kShutdownGrace;
  while (stops.size() > 0 && clock.now() < deadline) {
    co_await runtime::sleep_until(clock, clock.now() + kShutdownLook);
  }
  co_await stops.stop();
  const auto removed = co_await ground.network->remove_all();
  if (!removed) base::log::error("region", "networks: {}", base::describe(removed.error()));
}

Result<void> end_remains(const RegionConfig& config) {
  base::SystemClock clock;
  base::SystemRandom random;
  runtime::Runtime runtime(1, 2);
  TRY(const std::unique_ptr<Ground> ground, Ground::open(config, runtime, clock, random));
  runtime.start();
  runtime::run_and_wait(runtime.control(), end_all(*ground, runtime.control(), clock));
  runtime::run_and_wait(runtime.control(), ground->programs.stop_all());
  runtime.stop();
  return {};
}

Task<void> Compute::stop() {
  co_await images_.stop();
  co_await instances_.stop();
  co_await core_.stop();
  co_await metadata_.stop();
  co_await end_all(parts_.ground, parts_.runtime.control(), parts_.clock);
}

void Compute::add_status(boost::json::object& status) const {
  status["internet namespace"] = parts_.ground.network->internet_namespace_path().string();
  boost::json::array machines;
  if (const auto listed = parts_.ground.machines->list(); listed.has_value()) {
    for (const host::MachineStatus& machine : *listed) {
      machines.push_back(boost::json::object{
          {"machine", machine.name},
          {"state", machine.state == host::MachineState::Running ? "running" : "stopped"},
          {"pid", machine.pid},
          {"last exit", machine.last_exit}});
    }
  }
  status["vpcs"] = network_tree(core_.states());
  status["machines"] = std::move(machines);
}

}  // namespace terrarium::region
