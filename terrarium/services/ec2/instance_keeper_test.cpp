// The keeper of instances on virtual time, against fake machines and a fake network, with faults at
// every step.
#include "terrarium/services/ec2/instance_keeper.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "lib/runtime/runtime.h"
#include "terrarium/host/fake/machine.h"
#include "terrarium/host/fake/network.h"
#include "terrarium/services/ec2/imds_instances.h"
#include "terrarium/services/ec2/instances.h"
#include "terrarium/services/ec2/region_api.h"
#include "terrarium/services/ec2/seed.h"
#include "terrarium/store/faulty.h"

namespace terrarium::ec2 {
namespace {

class NoProfiles final : public InstanceProfiles {
 public:
  base::Result<std::optional<InstanceProfileFacts>> find(const std::string&) const override {
    return std::nullopt;
  }
};

constexpr const char* kRegion = "us-east-1";

class KeptRegion {
 public:
  KeptRegion() {
    context.region = kRegion;
    context.account = "000000000000";
    begin();
  }
  ~KeptRegion() { end(); }

  void begin() {
    core = std::make_unique<Core>(
        Core::Parts{store, clock, random, runtime->control(), network, machines}, Config{});
    keeper = std::make_unique<InstanceKeeper>(*core);
    service = std::make_unique<Instances>(*core, profiles);
    ASSERT_TRUE(core->start().has_value());
    keeper->start();
    runtime->run_until_idle();
  }
  static runtime::Task<void> stop_all(InstanceKeeper& keeper, Core& core) {
    co_await keeper.stop();
    co_await core.stop();
  }
  void end() {
    runtime::TaskGroup group(runtime->control());
    group.spawn("stop", stop_all(*keeper, *core));
    runtime->run_until_idle();
    service.reset();
    keeper.reset();
    core.reset();
  }
  // The daemon dies: what was not on disk is lost, machines and networks stay.
  void crash() {
    end();
    store.crash();
    begin();
  }
  void pass(base::Duration time) {
    clock.advance_to(clock.now() + time, [this] { runtime->run_until_idle(); });
    runtime->run_until_idle();
  }

  template <class T>
  static runtime::Task<void> keep(runtime::Task<base::Result<T>> task,
                                  std::optional<base::Result<T>>& outcome) {
    outcome = co_await std::move(task);
  }
  template <class Output, class Request>
  base::Result<Output> ask(
      runtime::Task<base::Result<Output>> (Instances::*operation)(const wire::Context&, Request),
      std::type_identity_t<Request> request) {
    context.now = clock.now();
    return finish(((*service).*operation)(context, std::move(request)));
  }
  template <class T>
  base::Result<T> finish(runtime::Task<base::Result<T>> task) {
    std::optional<base::Result<T>> outcome;
    runtime::TaskGroup group(runtime->control());
    group.spawn("call", keep(std::move(task), outcome));
    runtime->run_until_idle();
    if (!outcome.has_value()) pass(std::chrono::seconds(10));
    return std::move(*outcome);
  }
  // What a fault may strike: the invariants hold either way.
  template <class Output, class Request>
  void may_fail(runtime::Task<base::Result<Output>> (Instances::*operation)(const wire::Context&,
                                                                            Request),
                std::type_identity_t<Request> request) {
    if (!ask(operation, std::move(request)).has_value()) ++failed_calls;
  }
  std::vector<std::string> run(std::int32_t count, bool terminate_on_shutdown = false) {
    RunInstancesRequest request;
    request.image_id = std::string(kBaseImageId);
    request.min_count = request.max_count = count;
    if (terminate_on_shutdown) request.instance_initiated_shutdown_behavior = "terminate";
    const auto made = ask(&Instances::run_instances, request);
    std::vector<std::string> ids;
    if (!made.has_value()) return ids;
    for (const Instance& one : *made->instances) ids.push_back(*one.instance_id);
    return ids;
  }
  std::string state_of(const std::string& id) {
    const auto* const found = core->states().at(kRegion).find<InstanceRecord>(InstanceId(id));
    return found == nullptr ? "unknown" : *state_view(found->state).name;
  }
  std::set<std::string> running_machines() {
    std::set<std::string> names;
    for (const auto& one : *machines.list()) {
      if (one.state == host::MachineState::Running) names.insert(one.name);
    }
    return names;
  }
  void check_at_quiet();

  std::unique_ptr<runtime::Runtime> runtime = runtime::Runtime::manual();
  base::ManualClock clock;
  base::SeededRandom random{5};
  store::FaultyStore store;
  host::FakeNetwork network;
  host::FakeMachines machines{clock};
  NoProfiles profiles;
  wire::Context context;
  int failed_calls = 0;
  std::unique_ptr<Core> core;
  std::unique_ptr<InstanceKeeper> keeper;
  std::unique_ptr<Instances> service;
};

void KeptRegion::check_at_quiet() {
  EXPECT_TRUE(keeper->quiet());
  std::set<std::string> should_run;
  std::set<std::string> may_exist;
  std::set<std::string> interfaces;
  std::set<std::string> addresses;
  std::size_t interface_count = 0;
  if (!core->states().contains(kRegion)) return;
  const State& state = core->states().at(kRegion);
  for (const InstanceRecord& one : state.all<InstanceRecord>()) {
    const std::string name = *state_view(one.state).name;
    EXPECT_TRUE(name == "running" || name == "stopped" || name == "terminated") << name;
    if (name == "running") {
      should_run.insert(one.id.value);
      interfaces.insert(one.network_interfaces.front().value);
    }
    if (name == "terminated") {
      EXPECT_EQ(state.find<VolumeRecord>(one.volume), nullptr);
    } else {
      may_exist.insert(one.id.value);
      interface_count += one.network_interfaces.size();
    }
  }
  EXPECT_EQ(running_machines(), should_run);
  for (const auto& one : *machines.list()) EXPECT_TRUE(may_exist.contains(one.name)) << one.name;
  for (const auto& one : state.all<NetworkInterfaceRecord>()) {
    EXPECT_TRUE(addresses.insert(one.address).second) << one.address;
    if (one.lent_public_address.empty()) continue;
    EXPECT_TRUE(addresses.insert(one.lent_public_address).second) << one.lent_public_address;
  }
  EXPECT_EQ(state.count<NetworkInterfaceRecord>(), interface_count);
  std::set<std::string> applied;
  for (const std::string& id : *network.vpcs()) {
    for (const auto& one : network.vpc(id)->interfaces) applied.insert(one.id);
  }
  EXPECT_EQ(applied, interfaces);
  const auto stored = State::load(store, kRegion);
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->count<InstanceRecord>(), state.count<InstanceRecord>());
}

// Everything that a user does in an afternoon; calls may fail when a fault strikes.
void live(KeptRegion& region) {
  region.machines.set_start_time(std::chrono::milliseconds(100));
  const auto ids = region.run(4, true);
  region.pass(std::chrono::seconds(1));
  if (ids.size() < 4) return;
  region.may_fail(&Instances::stop_instances, {.instance_ids = {ids[0]}});
  region.may_fail(&Instances::reboot_instances, {.instance_ids = {ids[1]}});
  region.may_fail(&Instances::terminate_instances, {.instance_ids = {ids[2]}});
  region.pass(std::chrono::seconds(1));
  region.machines.end(ids[3], "exit 0");
  region.may_fail(&Instances::start_instances, {.instance_ids = {ids[0]}});
  region.pass(std::chrono::seconds(1));
}

TEST(InstanceKeeper, APendingInstanceRunsOnOneMachineBehindItsInterface) {
  KeptRegion region;
  const auto ids = region.run(2);
  ASSERT_EQ(ids.size(), 2U);
  region.pass(std::chrono::milliseconds(10));
  EXPECT_EQ(region.state_of(ids[0]), "running");
  EXPECT_EQ(region.running_machines().size(), 2U);
  region.check_at_quiet();
}

TEST(NetworkKeeper, ANetworkThatOnceCouldNotBeChangedIsNoNewOne) {
  struct Observer final : NetworkObserver {
    int ups = 0;
    int downs = 0;
    void network_up(const std::string&, const std::string&) override { ++ups; }
    void network_down(const std::string&) override { ++downs; }
  } observer;
  KeptRegion region;
  region.core->networks().observe(&observer);
  const auto ids = region.run(1);
  region.pass(std::chrono::milliseconds(10));
  region.network.fail_after(0);
  region.run(1);
  region.pass(std::chrono::seconds(10));
  EXPECT_TRUE(region.network.failed());
  EXPECT_EQ(observer.ups, 1);
  EXPECT_EQ(observer.downs, 0);
  region.core->networks().observe(nullptr);
}

TEST(InstanceKeeper, StopKeepsTheMachinesDiskAndTerminateRemovesIt) {
  KeptRegion region;
  const auto ids = region.run(2);
  region.pass(std::chrono::milliseconds(10));
  ASSERT_TRUE(region.ask(&Instances::stop_instances, {.instance_ids = {ids[0]}}).has_value());
  ASSERT_TRUE(region.ask(&Instances::terminate_instances, {.instance_ids = {ids[1]}}).has_value());
  region.pass(std::chrono::milliseconds(10));
  EXPECT_EQ(region.state_of(ids[0]), "stopped");
  EXPECT_EQ(region.state_of(ids[1]), "terminated");
  EXPECT_NE(region.machines.spec(ids[0]), nullptr);
  EXPECT_EQ(region.machines.spec(ids[1]), nullptr);
  region.check_at_quiet();
}

TEST(InstanceKeeper, ShutdownFromInsideDoesWhatItsBehaviourSays) {
  KeptRegion region;
  const auto stops = region.run(1);
  const auto terminates = region.run(1, true);
  region.pass(std::chrono::milliseconds(10));
  region.machines.end(stops[0], "exit 0");
  region.machines.end(terminates[0], "exit 0");
  region.pass(std::chrono::milliseconds(10));
  EXPECT_EQ(region.state_of(stops[0]), "stopped");
  EXPECT_EQ(region.state_of(terminates[0]), "terminated");
  region.check_at_quiet();
}

TEST(InstanceKeeper, RebootFromInsideLeavesItRunning) {
  KeptRegion region;
  const auto ids = region.run(1, true);
  region.pass(std::chrono::milliseconds(10));
  region.machines.end(ids[0], std::string(host::kRebootExit));
  region.pass(std::chrono::milliseconds(10));
  EXPECT_EQ(region.state_of(ids[0]), "running");
  EXPECT_EQ(region.running_machines().size(), 1U);
  region.check_at_quiet();
}

TEST(InstanceKeeper, ANewDaemonAdoptsWhatRunsAndRemovesWhatNobodyKnows) {
  KeptRegion region;
  const auto ids = region.run(2);
  region.pass(std::chrono::milliseconds(10));
  const auto calls = region.machines.calls();
  region.crash();
  region.pass(std::chrono::seconds(1));
  EXPECT_EQ(region.machines.calls(), calls);
  EXPECT_EQ(region.running_machines(), std::set<std::string>(ids.begin(), ids.end()));
  host::MachineSpec stranger;
  stranger.name = "i-0123456789abcdef0";
  runtime::TaskGroup group(region.runtime->control());
  std::optional<base::Result<void>> started;
  group.spawn("start", KeptRegion::keep(region.machines.start(stranger), started));
  region.runtime->run_until_idle();
  region.crash();
  region.pass(std::chrono::seconds(1));
  EXPECT_EQ(region.machines.spec(stranger.name), nullptr);
  region.check_at_quiet();
}

TEST(InstanceKeeper, WhatCanNotBeStartedIsTerminatedWithTheReason) {
  KeptRegion region;
  region.run(1);
  // Its layers are nowhere: no try can succeed.
  ImageRecord image{.id = ImageId("ami-00000000000000001"), .layers = {"ami-gone"}};
  std::optional<base::Result<void>> put;
  const auto rule = [&](Transaction& transaction) {
    transaction.put(image);
    return base::Result<void>();
  };
  runtime::TaskGroup group(region.runtime->control());
  group.spawn("put", KeptRegion::keep(region.core->change_own(kRegion, rule), put));
  region.runtime->run_until_idle();
  RunInstancesRequest request;
  request.image_id = image.id.value;
  request.min_count = request.max_count = 1;
  const auto made = region.ask(&Instances::run_instances, request);
  ASSERT_TRUE(made.has_value()) << base::describe(made.error());
  region.pass(std::chrono::minutes(1));
  const std::string id = *made->instances->front().instance_id;
  EXPECT_EQ(region.state_of(id), "terminated");
  const auto& record = *region.core->states().at(kRegion).find<InstanceRecord>(InstanceId(id));
  EXPECT_EQ(record.state_reason->code, "Server.InternalError");
  region.check_at_quiet();
}

TEST(Ec2Api, AGroupsSubnetCountsForATemplateThatDescribesTheInterface) {
  KeptRegion region;
  region.run(1);
  RegionApi api(*region.core, region.profiles);
  LaunchTemplateRecord web{.id = LaunchTemplateId("lt-00000000000000001"), .name = "web"};
  web.versions = {{.data = R"({"ImageId":"ami-0deb1200000000001","InstanceType":"t2.nano",)"
                           R"("NetworkInterfaces":[{"DeviceIndex":0,)"
                           R"("AssociatePublicIpAddress":false}]})"}};
  const auto put = [&](Transaction& transaction) {
    transaction.put(web);
    return base::Result<void>();
  };
  ASSERT_TRUE(region.finish(region.core->change_own(kRegion, put)).has_value());
  SubnetId last;
  for (const auto& one : region.core->states().at(kRegion).all<SubnetRecord>()) last = one.id;
  const auto made =
      region.finish(api.launch(kRegion, {.requester = "autoscaling.amazonaws.com",
                                         .count = 2,
                                         .launch_template_id = web.id.value,
                                         .subnet_id = last.value,
                                         .tags = {{"aws:autoscaling:groupName", "web"}}}));
  ASSERT_TRUE(made.has_value()) << base::describe(made.error());
  ASSERT_EQ(made->size(), 2U);
  region.pass(std::chrono::seconds(1));
  const auto found = *api.find_instance(kRegion, made->front());
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->state, "running");
  EXPECT_EQ(found->subnet_id, last.value);
  const auto& record =
      *region.core->states().at(kRegion).find<InstanceRecord>(InstanceId(made->front()));
  EXPECT_EQ(record.tags.at("aws:autoscaling:groupName"), "web");
  EXPECT_FALSE(record.lends_public_address);
  ASSERT_TRUE(region.finish(api.terminate(kRegion, made->front())).has_value());
  region.pass(std::chrono::seconds(1));
  EXPECT_EQ((*api.find_instance(kRegion, made->front()))->state, "terminated");
}

TEST(Ec2Api, AServicesInterfaceIsInTheNetworkUntilItIsDeleted) {
  KeptRegion region;
  region.run(1);
  RegionApi api(*region.core, region.profiles);
  const std::string subnet =
      (*region.core->states().at(kRegion).all<SubnetRecord>().begin()).id.value;
  const auto made = region.finish(api.create_service_interface(
      kRegion, {.subnet_id = subnet, .requester = "amazon-rds", .dns_names = {"db.example"}}));
  ASSERT_TRUE(made.has_value()) << base::describe(made.error());
  region.pass(std::chrono::seconds(1));
  const auto has = [&] {
    const host::VpcSpec& vpc = *region.network.vpc(made->vpc_id);
    return std::ranges::any_of(vpc.interfaces, [&](const auto& one) { return one.id == made->id; });
  };
  EXPECT_TRUE(has());
  ASSERT_TRUE(region.finish(api.delete_service_interface(kRegion, made->id)).has_value());
  region.pass(std::chrono::seconds(1));
  EXPECT_FALSE(has());
  EXPECT_TRUE(region.finish(api.delete_service_interface(kRegion, made->id)).has_value());
}

TEST(ImdsInstances, TheSpeakerIsTheInstanceBehindTheAddressInThatVpc) {
  KeptRegion region;
  const auto ids = region.run(1);
  region.pass(std::chrono::seconds(1));
  const ImdsInstances imds(*region.core, region.profiles);
  const auto& record = *region.core->states().at(kRegion).find<InstanceRecord>(InstanceId(ids[0]));
  const auto facts = imds.find(record.vpc.value, record.private_address);
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->instance_id, ids[0]);
  EXPECT_EQ(facts->availability_zone_id, "use1-az1");
  EXPECT_TRUE(facts->public_ipv4.starts_with("203.0.113."));
  EXPECT_EQ(facts->interfaces.front().subnet_id, record.subnet.value);
  EXPECT_FALSE(imds.find("vpc-00000000000000000", record.private_address).has_value());
  EXPECT_FALSE(imds.find(record.vpc.value, "172.31.0.1").has_value());
}

TEST(InstanceKeeper, TerminatedInstancesAreForgottenAfterAnHour) {
  KeptRegion region;
  const auto ids = region.run(1);
  region.pass(std::chrono::seconds(1));
  ASSERT_TRUE(region.ask(&Instances::terminate_instances, {.instance_ids = {ids[0]}}).has_value());
  region.pass(std::chrono::minutes(59));
  EXPECT_EQ(region.state_of(ids[0]), "terminated");
  region.pass(std::chrono::minutes(3));
  EXPECT_EQ(region.state_of(ids[0]), "unknown");
}

TEST(InstanceKeeper, AFaultOfTheStoreAnywhereLeavesNoDuplicateAndNoLeftover) {
  for (const auto point : {store::FaultPoint::Before, store::FaultPoint::After}) {
    bool fired = true;
    for (std::uint64_t n = 0; fired && n < 200; ++n) {
      SCOPED_TRACE("effect " + std::to_string(n));
      KeptRegion region;
      region.store.fail_effect(n, point);
      live(region);
      fired = region.store.fired();
      region.crash();
      region.pass(std::chrono::minutes(3));
      region.check_at_quiet();
      if (testing::Test::HasFailure()) return;
    }
    EXPECT_FALSE(fired);
  }
}

TEST(InstanceKeeper, AFaultOfTheHostAnywhereIsOvercome) {
  for (int n = 0; n < 30; ++n) {
    SCOPED_TRACE("call " + std::to_string(n));
    KeptRegion region;
    region.machines.fail_call(static_cast<std::size_t>(n));
    region.network.fail_after(n, n % 2 == 0);
    live(region);
    region.pass(std::chrono::minutes(3));
    region.check_at_quiet();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace terrarium::ec2
