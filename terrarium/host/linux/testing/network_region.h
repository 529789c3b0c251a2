// A network with a VPC to test on: 10.0.0.0/16 with public and private subnets, an internet
// gateway, a NAT gateway, and security groups that let nothing in. Its TearDown shows that nothing
// is left.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "lib/base/clock.h"
#include "lib/runtime/runtime.h"
#include "terrarium/host/linux/network.h"
#include "terrarium/host/linux/testing/traffic.h"
#include "terrarium/host/program.h"

namespace terrarium::host::testing_network {

inline constexpr TrafficSpec kEverything{};
TrafficSpec tcp(int port);
GroupRuleSpec from_cidr(TrafficSpec traffic, std::string cidr);
GroupRuleSpec from_group(TrafficSpec traffic, std::string group);
GroupRuleSpec to_cidr(TrafficSpec traffic, std::string cidr);

class NetworkRegion : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // As a daemon that starts: over what an earlier one left.
  void open();
  // As a daemon that was killed: the kernel's objects and the programs stay.
  void crash();
  static VpcSpec vpc_spec(const std::string& id = "vpc-1");
  // In subnet "private-a" unless the address says "10.0.101.": "public-a"; "10.0.2.": "private-b".
  static InterfaceSpec interface(const std::string& id, const std::string& address,
                                 std::vector<std::string> groups);
  static SecurityGroupSpec& group(VpcSpec& spec, const std::string& id);

  base::Result<void> set(VpcSpec spec);
  // The same, where a failure is what is expected.
  base::Result<void> try_set(VpcSpec spec);
  base::Result<void> remove_all_of(Network& network);
  base::Result<void> remove(const std::string& vpc_id);
  base::Result<void> add_isolated(const std::string& id);
  base::Result<void> remove_isolated(const std::string& id);
  fs::path at(const std::string& id) const { return network_->namespace_path(id); }
  fs::path internet() const { return network_->internet_namespace_path(); }
  std::vector<std::string> namespace_files() const;

  base::SystemClock clock_;
  std::unique_ptr<runtime::Runtime> runtime_;
  fs::path state_;
  std::unique_ptr<ProgramKeeper> programs_;
  std::unique_ptr<Network> network_;
};

}  // namespace terrarium::host::testing_network
