// What policies are asked about EC2's resources.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "terrarium/services/ec2/authorised_resources.h"
#include "terrarium/services/ec2/tag_rules.h"
#include "terrarium/services/ec2/testing_network.h"

namespace terrarium::ec2 {
namespace {

using ::testing::ElementsAre;

class AuthorisedResources : public testing::Test {
 protected:
  AuthorisedResources() {
    context_.region = "us-east-1";
    context_.account = "000000000000";
  }
  std::string arn(std::string_view kind, std::string_view name) {
    return resource_arn(net_.state(), context_, kind, name);
  }
  wire::ConditionContext conditions(const std::string& resource, const std::string& type = {}) {
    wire::PolicyRequest asked;
    asked.resource = resource;
    add_conditions(
        net_.state(), context_,
        [&type](std::string_view member) {
          return member == "InstanceType" ? type : std::string();
        },
        asked);
    return asked.context;
  }

  TestingNetwork net_;
  wire::Context context_;
};

TEST_F(AuthorisedResources, AnIdTellsItsKind) {
  EXPECT_EQ(arn("resource", net_.vpc), "arn:aws:ec2:us-east-1:000000000000:vpc/" + net_.vpc);
  EXPECT_EQ(arn("resource", "i-00000000000000001"),
            "arn:aws:ec2:us-east-1:000000000000:instance/i-00000000000000001");
  EXPECT_EQ(arn("resource", "ami-00000000000000001"),
            "arn:aws:ec2:us-east-1::image/ami-00000000000000001");
  EXPECT_EQ(arn("resource", "what"), "*");
  EXPECT_EQ(arn("resource", ""), "*");
}

TEST_F(AuthorisedResources, NamesStandForWhatTheyName) {
  std::string group;
  for (const SecurityGroupRecord& one : net_.state().all<SecurityGroupRecord>()) {
    if (one.vpc == net_.records.default_vpc()) group = one.id.value;
  }
  EXPECT_EQ(arn("security-group", "default"),
            "arn:aws:ec2:us-east-1:000000000000:security-group/" + group);
  EXPECT_EQ(arn("security-group", "ghost"), "arn:aws:ec2:us-east-1:000000000000:security-group/*");
  EXPECT_EQ(arn("key-pair", "mine"), "arn:aws:ec2:us-east-1:000000000000:key-pair/mine");
}

TEST_F(AuthorisedResources, TagsAndPlaceAreConditions) {
  (void)net_.call(create_tags, {.resources = {net_.subnet}, .tags = {{"Team", "a"}}});
  const auto found = conditions(arn("resource", net_.subnet));
  EXPECT_THAT(found.at("ec2:resourcetag/team"), ElementsAre("a"));
  EXPECT_THAT(found.at("aws:resourcetag/team"), ElementsAre("a"));
  EXPECT_THAT(found.at("ec2:availabilityzone"), ElementsAre("us-east-1a"));
  EXPECT_THAT(found.at("ec2:vpc"), ElementsAre(arn("resource", net_.vpc)));
  EXPECT_THAT(found.at("ec2:region"), ElementsAre("us-east-1"));
}

TEST_F(AuthorisedResources, TheTypeOfAnInstanceToBeIsTheRequests) {
  const std::string any = "arn:aws:ec2:us-east-1:000000000000:instance/*";
  EXPECT_THAT(conditions(any, "t2.nano").at("ec2:instancetype"), ElementsAre("t2.nano"));
  EXPECT_FALSE(conditions(any).contains("ec2:instancetype"));
}

}  // namespace
}  // namespace terrarium::ec2
