#include "terrarium/host/linux/testing/network_region.h"

#include <unistd.h>

#include <algorithm>

#include "terrarium/host/linux/network_names.h"

namespace terrarium::host::testing_network {
namespace {

using base::Result;
using runtime::Task;

Task<void> store_result(Task<Result<void>> call, Result<void>& out) {
  out = co_await std::move(call);
}

Task<void> stop_programs(ProgramKeeper& programs) { co_await programs.stop_all(); }

Result<void> try_run(runtime::Runtime& runtime, Task<Result<void>> call) {
  Result<void> out;
  runtime::run_and_wait(runtime.control(), store_result(std::move(call), out));
  return out;
}

Result<void> run(runtime::Runtime& runtime, Task<Result<void>> call) {
  Result<void> out = try_run(runtime, std::move(call));
  if (!out) ADD_FAILURE() << base::describe(out.error());
  return out;
}

}  // namespace

TrafficSpec tcp(int port) { return {.protocol = 6, .from = port, .to = port}; }

GroupRuleSpec from_cidr(TrafficSpec traffic, std::string cidr) {
  return {.traffic = traffic, .peer_cidr = std::move(cidr)};
}
GroupRuleSpec from_group(TrafficSpec traffic, std::string group) {
  return {.traffic = traffic, .peer_group = std::move(group)};
}
GroupRuleSpec to_cidr(TrafficSpec traffic, std::string cidr) {
  return {.egress = true, .traffic = traffic, .peer_cidr = std::move(cidr)};
}

void NetworkRegion::SetUp() {
  std::string folder = (fs::temp_directory_path() / "network-test-XXXXXX").string();
  state_ = ::mkdtemp(folder.data());
  open();
}

void NetworkRegion::open() {
  runtime_ = std::make_unique<runtime::Runtime>(1, 1);
  runtime_->start();
  programs_ = std::make_unique<ProgramKeeper>(runtime_->control(), clock_, state_);
  auto network = open_linux_network(clock_, *programs_, {.state = state_});
  if (!network && network.error().kind == base::ErrorKind::Denied) {
    GTEST_SKIP() << network.error().message;
  }
  ASSERT_TRUE(network.has_value()) << base::describe(network.error());
  network_ = *std::move(network);
}

void NetworkRegion::TearDown() {
  if (network_) (void)run(*runtime_, network_->remove_all());
  runtime::run_and_wait(runtime_->control(), stop_programs(*programs_));
  runtime_->stop();
  network_.reset();
  programs_.reset();
  EXPECT_EQ(namespace_files(), std::vector<std::string>());
  EXPECT_FALSE(fs::exists(fs::path("/run") / linux_host::region_tag(state_)));
  fs::remove_all(state_);
}

std::vector<std::string> NetworkRegion::namespace_files() const {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/run/netns", none)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(linux_host::region_tag(state_))) names.push_back(name);
  }
  return names;
}

void NetworkRegion::crash() {
  runtime_->stop();
  network_.reset();
  // What the keeper would do to its programs when it ends orderly must not happen here.
  (void)programs_.release();
  (void)runtime_.release();
}

VpcSpec NetworkRegion::vpc_spec(const std::string& id) {
  VpcSpec spec{.id = id, .cidrs = {"10.0.0.0/16"}, .internet_gateway = true};
  spec.subnets = {{"public-a", "10.0.101.0/24", "rtb-public", "acl-1"},
                  {"private-a", "10.0.1.0/24", "rtb-private", "acl-1"},
                  {"private-b", "10.0.2.0/24", "rtb-private", "acl-1"}};
  spec.route_tables = {
      {"rtb-public",
       {{.destination = "10.0.0.0/16"},
        {"0.0.0.0/0", RouteSpec::Target::InternetGateway, "igw-1"}}},
      {"rtb-private",
       {{.destination = "10.0.0.0/16"}, {"0.0.0.0/0", RouteSpec::Target::NatGateway, "nat-1"}}}};
  spec.network_acls = {{"acl-1",
                        {{.number = 100, .allow = true, .cidr = "0.0.0.0/0"},
                         {.number = 100, .egress = true, .allow = true, .cidr = "0.0.0.0/0"}}}};
  spec.security_groups = {
      {"sg-out", {to_cidr(kEverything, "0.0.0.0/0")}}, {"sg-web", {}}, {"sg-none", {}}};
  spec.nat_gateways = {{"nat-1", "public-a", "10.0.101.9", "203.0.113.30"}};
  return spec;
}

InterfaceSpec NetworkRegion::interface(const std::string& id, const std::string& address,
                                       std::vector<std::string> groups) {
  std::string subnet = "private-a";
  if (address.starts_with("10.0.101.")) subnet = "public-a";
  if (address.starts_with("10.0.2.")) subnet = "private-b";
  return {.id = id,
          .subnet = subnet,
          .address = address,
          .mac = "02:00:00:00:00:01",
          .security_groups = std::move(groups)};
}

SecurityGroupSpec& NetworkRegion::group(VpcSpec& spec, const std::string& id) {
  return *std::ranges::find(spec.security_groups, id, &SecurityGroupSpec::id);
}

Result<void> NetworkRegion::set(VpcSpec spec) {
  return run(*runtime_, network_->set_vpc(std::move(spec)));
}
Result<void> NetworkRegion::try_set(VpcSpec spec) {
  return try_run(*runtime_, network_->set_vpc(std::move(spec)));
}
Result<void> NetworkRegion::remove_all_of(Network& network) {
  return run(*runtime_, network.remove_all());
}
Result<void> NetworkRegion::remove(const std::string& vpc_id) {
  return run(*runtime_, network_->remove_vpc(vpc_id));
}
Result<void> NetworkRegion::add_isolated(const std::string& id) {
  return run(*runtime_, network_->add_isolated(id));
}
Result<void> NetworkRegion::remove_isolated(const std::string& id) {
  return run(*runtime_, network_->remove_isolated(id));
}

}  // namespace terrarium::host::testing_network
