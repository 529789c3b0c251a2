#include "terrarium/region/network_tree.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "terrarium/services/ec2/testing_records.h"

namespace terrarium::region {
namespace {

namespace json = boost::json;

class NetworkTree : public ::testing::Test {
 protected:
  template <class T>
  void put(T record) {
    const auto done = records_.change([&](ec2::Transaction& transaction) -> base::Result<void> {
      transaction.put(std::move(record));
      return {};
    });
    ASSERT_TRUE(done.has_value());
  }

  json::array tree() {
    std::map<std::string, ec2::State, std::less<>> states;
    states.emplace("us-east-1", records_.state());
    return network_tree(states);
  }

  const ec2::SubnetRecord& first_subnet() {
    const auto subnets = records_.state().all<ec2::SubnetRecord>();
    return *std::ranges::min_element(subnets, {}, &ec2::SubnetRecord::zone);
  }

  ec2::InstanceRecord instance(const std::string& id, ec2::InstanceStateName state) {
    ec2::InstanceRecord record;
    record.id.value = id;
    record.type = "t3.micro";
    record.state = state;
    record.vpc = first_subnet().vpc;
    record.subnet = first_subnet().id;
    record.private_address = "172.31.0.4";
    record.tags = {{"Name", "web"}};
    return record;
  }

  ec2::NetworkInterfaceRecord interface_of(const std::string& id) {
    ec2::NetworkInterfaceRecord record;
    record.id.value = id;
    record.vpc = first_subnet().vpc;
    record.subnet = first_subnet().id;
    record.address = "172.31.0.4";
    return record;
  }

  ec2::TestingRecords records_;
};

TEST_F(NetworkTree, ADefaultVpcThatNothingUsesIsLeftOut) { EXPECT_TRUE(tree().empty()); }

TEST_F(NetworkTree, InstancesHangOnTheirSubnetAndItOnItsVpc) {
  ec2::NetworkInterfaceRecord own = interface_of("eni-1");
  own.lent_public_address = "203.0.113.16";
  own.attachment = {.id = {}, .instance = ec2::InstanceId{"i-1"}, .instance_owner = "000000000000"};
  put(own);
  ec2::InstanceRecord running = instance("i-1", ec2::InstanceStateName::Running);
  running.network_interfaces = {own.id};
  put(running);
  put(instance("i-2", ec2::InstanceStateName::Terminated));
  ec2::NetworkInterfaceRecord database = interface_of("eni-2");
  database.description = "RDSNetworkInterface";
  database.requester = "amazon-rds";
  put(database);

  const json::array vpcs = tree();
  ASSERT_EQ(vpcs.size(), 1u);
  EXPECT_EQ(vpcs[0].at("vpc").as_string(), first_subnet().vpc.value);
  const json::array& subnets = vpcs[0].at("subnets").as_array();
  EXPECT_EQ(subnets.size(), records_.state().count<ec2::SubnetRecord>());
  const json::array& members = subnets[0].at("members").as_array();
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0], (json::object{{"instance", "i-1"},
                                      {"name", "web"},
                                      {"state", "running"},
                                      {"type", "t3.micro"},
                                      {"private address", "172.31.0.4"},
                                      {"public address", "203.0.113.16"}}));
  EXPECT_EQ(members[1].at("network interface").as_string(), "eni-2");
  EXPECT_EQ(members[1].at("description").as_string(), "RDSNetworkInterface");
  EXPECT_TRUE(subnets[1].at("members").as_array().empty());
}

}  // namespace
}  // namespace terrarium::region
