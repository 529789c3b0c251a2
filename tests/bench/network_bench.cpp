// What the region's networks cost: a VPC, an interface, a security group's change among many
// interfaces, a packet among few and among many. Root; medians, in one run, over its own state.
//
//   ninja -C build/release network_bench && build/release/bin/network_bench
#include <fmt/core.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>

#include "lib/runtime/runtime.h"
#include "terrarium/host/linux/network.h"
#include "terrarium/host/linux/testing/traffic.h"

namespace {

namespace fs = std::filesystem;
using namespace terrarium::host;
using testing_network::UdpTrip;

constexpr int kInterfaces = 100;
constexpr int kRounds = 15;
constexpr int kPackets = 20'000;

runtime::Task<void> store_result(runtime::Task<base::Result<void>> call, base::Result<void>& out) {
  out = co_await std::move(call);
}

runtime::Task<void> stop_programs(ProgramKeeper& programs) { co_await programs.stop_all(); }

VpcSpec six_subnets(const std::string& id) {
  VpcSpec spec{.id = id, .cidrs = {"10.0.0.0/16"}, .internet_gateway = true};
  spec.route_tables = {{"rtb-1", {{"0.0.0.0/0", RouteSpec::Target::InternetGateway, "igw-1"}}}};
  spec.network_acls = {{"acl-1",
                        {{.number = 100, .allow = true, .cidr = "0.0.0.0/0"},
                         {.number = 100, .egress = true, .allow = true, .cidr = "0.0.0.0/0"}}}};
  for (const int third : {1, 2, 3, 101, 102, 103}) {
    spec.subnets.push_back(
        {fmt::format("subnet-{}", third), fmt::format("10.0.{}.0/24", third), "rtb-1", "acl-1"});
  }
  spec.security_groups = {
      {"sg-1", {{.peer_cidr = "10.0.0.0/16"}, {.egress = true, .peer_cidr = "0.0.0.0/0"}}}};
  return spec;
}

void add_interface(VpcSpec& spec, int number) {
  spec.interfaces.push_back({.id = fmt::format("eni-{}", number),
                             .subnet = "subnet-1",
                             .address = fmt::format("10.0.1.{}", 10 + number),
                             .mac = fmt::format("02:00:00:00:00:{:02x}", number),
                             .security_groups = {"sg-1"}});
}

class Bench {
 public:
  Bench() : runtime_(1, 1) {
    std::string folder = (fs::temp_directory_path() / "network-bench-XXXXXX").string();
    state_ = ::mkdtemp(folder.data());
    runtime_.start();
    programs_ = std::make_unique<ProgramKeeper>(runtime_.control(), clock_, state_);
  }
  ~Bench() {
    if (network_) call(network_->remove_all());
    runtime::run_and_wait(runtime_.control(), stop_programs(*programs_));
    runtime_.stop();
    network_.reset();
    programs_.reset();
    fs::remove_all(state_);
  }

  bool open() {
    auto network = open_linux_network(clock_, *programs_, {.state = state_});
    if (!network) fmt::print("{}\n", base::describe(network.error()));
    if (network) network_ = *std::move(network);
    return network_ != nullptr;
  }

  // Milliseconds.
  double call(runtime::Task<base::Result<void>> task) {
    const base::Timestamp begin = clock_.now();
    base::Result<void> out;
    runtime::run_and_wait(runtime_.control(), store_result(std::move(task), out));
    if (!out) fmt::print("{}\n", base::describe(out.error()));
    return static_cast<double>((clock_.now() - begin).count()) / 1000;
  }

  void run() {
    std::vector<double> makes;
    std::vector<double> removes;
    for (int round = 0; round < kRounds; ++round) {
      makes.push_back(call(network_->set_vpc(six_subnets("vpc-empty"))));
      removes.push_back(call(network_->remove_vpc("vpc-empty")));
    }
    report("a VPC with six subnets", makes);
    report("removing it", removes);
    VpcSpec spec = six_subnets("vpc-1");
    call(network_->set_vpc(spec));
    std::vector<double> attaches;
    for (int number = 1; number <= kInterfaces; ++number) {
      if (number == 3) packets("2 interfaces");
      add_interface(spec, number);
      attaches.push_back(call(network_->set_vpc(spec)));
    }
    report("an interface, the first ten", {attaches.begin(), attaches.begin() + 10});
    report("an interface, the last ten", {attaches.end() - 10, attaches.end()});
    packets("100 interfaces");
    std::vector<double> changes;
    for (int port = 1; port <= kRounds; ++port) {
      spec.security_groups[0].rules.push_back(
          {.traffic = {6, port, port}, .peer_cidr = "10.1.0.0/16"});
      changes.push_back(call(network_->set_vpc(spec)));
    }
    report("a rule more, 100 interfaces", changes);
    report("removing all of it", {call(network_->remove_vpc("vpc-1"))});
  }

 private:
  static void report(const std::string& what, std::vector<double> values) {
    std::ranges::sort(values);
    fmt::print("{:32} {:8.2f} ms (best {:.2f}, worst {:.2f})\n", what, values[values.size() / 2],
               values.front(), values.back());
  }

  void packets(const std::string& what) {
    UdpTrip trip(network_->namespace_path("eni-1"), network_->namespace_path("eni-2"), "10.0.1.12");
    std::vector<double> rounds;
    for (int round = 0; round < kRounds; ++round) {
      const base::Timestamp begin = clock_.now();
      if (!trip.run(kPackets / kRounds)) fmt::print("packets were lost\n");
      rounds.push_back(static_cast<double>((clock_.now() - begin).count()) / (kPackets / kRounds));
    }
    std::ranges::sort(rounds);
    fmt::print("{:32} {:8.2f} us (best {:.2f})\n", "a packet and its answer, " + what,
               rounds[rounds.size() / 2], rounds.front());
  }

  base::SystemClock clock_;
  runtime::Runtime runtime_;
  fs::path state_;
  std::unique_ptr<ProgramKeeper> programs_;
  std::unique_ptr<Network> network_;
};

}  // namespace

int main() {
  Bench bench;
  if (!bench.open()) return 1;
  bench.run();
  return 0;
}
