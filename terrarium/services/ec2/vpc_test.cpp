// VPCs by their rules, on the records of one region.
#include <gtest/gtest.h>

#include <algorithm>

#include "terrarium/services/ec2/network_plan.h"
#include "terrarium/services/ec2/testing_records.h"
#include "terrarium/services/ec2/vpc_rules.h"
#include "terrarium/store/memory.h"

namespace terrarium::ec2 {
namespace {

std::string made(TestingRecords& records, const std::string& cidr) {
  const auto result = records.change(
      [&](Transaction& transaction) { return create_vpc(transaction, {.cidr_block = cidr}); });
  return result.has_value() ? *result->vpc->vpc_id : std::string(result.error().row->code);
}

template <class T>
std::size_t count_in(const State& state, const std::string& vpc) {
  return static_cast<std::size_t>(std::ranges::count_if(
      state.all<T>(), [&](const T& record) { return record.vpc == VpcId(vpc); }));
}

TEST(VpcRules, AVpcComesWithItsTableListAndGroup) {
  TestingRecords records;
  const std::string id = made(records, "10.0.0.9/16");
  ASSERT_TRUE(id.starts_with("vpc-")) << id;
  EXPECT_EQ(records.state().find<VpcRecord>(VpcId(id))->cidr(), "10.0.0.0/16");
  EXPECT_EQ(count_in<RouteTableRecord>(records.state(), id), 1U);
  EXPECT_EQ(count_in<NetworkAclRecord>(records.state(), id), 1U);
  EXPECT_EQ(count_in<SecurityGroupRecord>(records.state(), id), 1U);
}

TEST(VpcRules, RangesThatAwsRefusesAreRefused) {
  TestingRecords records;
  EXPECT_EQ(made(records, "10.0.0.0/8"), "InvalidVpc.Range");
  EXPECT_EQ(made(records, "10.0.0.0/29"), "InvalidVpc.Range");
  EXPECT_EQ(made(records, "10.0.0"), "InvalidParameterValue");
}

TEST(VpcRules, DeletingTakesAlongWhatCameWithIt) {
  TestingRecords records;
  const std::string id = made(records, "10.0.0.0/16");
  const auto gone = records.change(
      [&](Transaction& transaction) { return delete_vpc(transaction, {.vpc_id = id}); });
  EXPECT_TRUE(gone.has_value());
  EXPECT_EQ(count_in<RouteTableRecord>(records.state(), id), 0U);
  EXPECT_EQ(count_in<SecurityGroupRecord>(records.state(), id), 0U);
  const auto again = records.change(
      [&](Transaction& transaction) { return delete_vpc(transaction, {.vpc_id = id}); });
  EXPECT_EQ(again.error().row->code, "InvalidVpcID.NotFound");
}

TEST(VpcRules, AVpcWithASubnetStays) {
  TestingRecords records;
  const std::string vpc = records.default_vpc().value;
  const auto refused = records.change(
      [&](Transaction& transaction) { return delete_vpc(transaction, {.vpc_id = vpc}); });
  EXPECT_EQ(refused.error().row->code, "DependencyViolation");
}

TEST(VpcRules, OwnersAndIpv6RangesAreFilters) {
  TestingRecords records;
  const auto count = [&](const std::string& name, const std::string& value) {
    return describe_vpcs(records.state(), "000000000000",
                         {.filters = std::vector<Filter>{{name, std::vector{value}}}})
        ->vpcs->size();
  };
  EXPECT_EQ(count("owner-id", "000000000000"), 1u);
  EXPECT_EQ(count("owner-id", "111111111111"), 0u);
  EXPECT_EQ(count("ipv6-cidr-block-association.ipv6-cidr-block", "*"), 0u);
}

TEST(VpcRules, OneAttributeIsChangedAtATime) {
  TestingRecords records;
  const std::string id = made(records, "10.0.0.0/16");
  const auto both = records.change([&](Transaction& transaction) {
    return modify_vpc_attribute(transaction, {.enable_dns_hostnames = AttributeBooleanValue{true},
                                              .enable_dns_support = AttributeBooleanValue{true},
                                              .vpc_id = id});
  });
  EXPECT_EQ(both.error().row->code, "InvalidParameterCombination");
  ASSERT_TRUE(records
                  .change([&](Transaction& transaction) {
                    return modify_vpc_attribute(
                        transaction,
                        {.enable_dns_hostnames = AttributeBooleanValue{true}, .vpc_id = id});
                  })
                  .has_value());
  const auto read =
      describe_vpc_attribute(records.state(), {.attribute = "enableDnsHostnames", .vpc_id = id});
  EXPECT_EQ(read->enable_dns_hostnames->value, true);
  EXPECT_FALSE(read->enable_dns_support.has_value());
}

TEST(VpcRules, FiltersAndPagesChoose) {
  TestingRecords records;
  for (int i = 0; i < 7; ++i) made(records, "10." + std::to_string(i) + ".0.0/16");
  const auto filtered = describe_vpcs(
      records.state(), "1",
      {.filters = std::vector<Filter>{{.name = "cidr", .values = {{"10.?.0.0/16"}}}}});
  EXPECT_EQ(filtered->vpcs->size(), 7U);
  const auto first = describe_vpcs(records.state(), "1", {.max_results = 5});
  ASSERT_TRUE(first->next_token.has_value());
  const auto rest =
      describe_vpcs(records.state(), "1", {.next_token = first->next_token, .max_results = 5});
  EXPECT_EQ(first->vpcs->size() + rest->vpcs->size(), 8U);
  EXPECT_FALSE(rest->next_token.has_value());
  const auto wrong =
      describe_vpcs(records.state(), "1",
                    {.filters = std::vector<Filter>{{.name = "colour", .values = {{"red"}}}}});
  EXPECT_EQ(wrong.error().message, "The filter 'colour' is invalid");
}

TEST(Transaction, AFailedRuleLeavesEverythingAsItWas) {
  TestingRecords records;
  const std::size_t before = records.state().count<VpcRecord>();
  const auto failed = records.change([&](Transaction& transaction) -> base::Result<wire::Empty> {
    VpcRecord vpc = *transaction.find<VpcRecord>(records.default_vpc());
    vpc.dns_support = false;
    transaction.put(std::move(vpc));
    make_vpc(transaction, "10.0.0.0/16", false, {});
    return base::fail(base::ErrorKind::Conflict, "no");
  });
  EXPECT_FALSE(failed.has_value());
  EXPECT_EQ(records.state().count<VpcRecord>(), before);
  EXPECT_TRUE(records.state().find<VpcRecord>(records.default_vpc())->dns_support);
}

TEST(Records, ComeBackFromTheStoreAsTheyWere) {
  TestingRecords records;
  const std::string id = made(records, "10.0.0.0/16");
  const auto store = store::open_memory_store();
  ASSERT_TRUE(store->write(records.batch()).has_value());
  const auto loaded = State::load(*store, "us-east-1");
  ASSERT_TRUE(loaded.has_value()) << base::describe(loaded.error());
  EXPECT_EQ(loaded->count<SubnetRecord>(), records.state().count<SubnetRecord>());
  const VpcRecord* const vpc = loaded->find<VpcRecord>(VpcId(id));
  ASSERT_NE(vpc, nullptr);
  EXPECT_EQ(
      desired_network(*loaded, "us-east-1", *vpc),
      desired_network(records.state(), "us-east-1", *records.state().find<VpcRecord>(VpcId(id))));
}

TEST(NetworkPlan, AVpcWithoutInterfacesNeedsNone) {
  TestingRecords records;
  EXPECT_FALSE(needs_network(records.state(), records.default_vpc()));
}

TEST(NetworkPlan, TheDefaultVpcRoutesToItsGateway) {
  TestingRecords records;
  const VpcRecord& vpc = *records.state().find<VpcRecord>(records.default_vpc());
  const host::VpcSpec spec = desired_network(records.state(), "us-east-1", vpc);
  EXPECT_TRUE(spec.internet_gateway);
  EXPECT_EQ(spec.subnets.size(), 6U);
  ASSERT_EQ(spec.route_tables.size(), 1U);
  EXPECT_EQ(spec.route_tables[0].routes[1].target, host::RouteSpec::Target::InternetGateway);
  EXPECT_EQ(spec.subnets[0].route_table, spec.route_tables[0].id);
}

}  // namespace
}  // namespace terrarium::ec2
