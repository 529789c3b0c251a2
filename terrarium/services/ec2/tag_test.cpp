#include <gtest/gtest.h>

#include <algorithm>

#include "terrarium/services/ec2/tag_rules.h"
#include "terrarium/services/ec2/testing_records.h"
#include "terrarium/services/ec2/zone_rules.h"

namespace terrarium::ec2 {
namespace {

template <class T>
std::string code_of(const base::Result<T>& answer) {
  return answer.has_value() ? "" : std::string(answer.error().row->code);
}

class TagRules : public testing::Test {
 protected:
  auto tag(std::vector<std::string> ids, std::vector<Tag> tags) {
    return records.change([&](Transaction& transaction) {
      return create_tags(transaction, {.resources = std::move(ids), .tags = std::move(tags)});
    });
  }
  auto untag(std::vector<std::string> ids, std::optional<std::vector<Tag>> tags) {
    return records.change([&](Transaction& transaction) {
      return delete_tags(transaction, {.resources = std::move(ids), .tags = std::move(tags)});
    });
  }
  std::vector<TagDescription> with(const std::string& filter, const std::string& value) {
    return *describe_tags(
                records.state(),
                {.filters = std::vector<Filter>{{filter, std::vector<std::string>{value}}}})
                ->tags;
  }
  std::string vpc() { return records.default_vpc().value; }

  TestingRecords records;
};

TEST_F(TagRules, EveryKindOfResourceIsTagged) {
  const SecurityGroupRecord& group = *records.state().all<SecurityGroupRecord>().begin();
  const ImageRecord& image = *records.state().all<ImageRecord>().begin();
  const std::vector<std::string> ids{vpc(), group.id.value, group.rules.front().id.value,
                                     image.id.value, image.snapshot.value};
  ASSERT_TRUE(tag(ids, {{"name", "x"}}).has_value());
  EXPECT_EQ(with("key", "name").size(), ids.size());
  EXPECT_EQ(with("resource-type", "security-group-rule").front().resource_id,
            group.rules.front().id.value);
  EXPECT_EQ(with("resource-type", "snapshot").front().resource_id, image.snapshot.value);
}

TEST_F(TagRules, OneWrongIdTagsNothing) {
  EXPECT_EQ(code_of(tag({vpc(), "vpc-00000000000000000"}, {{"a", "b"}})), "InvalidVpcID.NotFound");
  EXPECT_EQ(code_of(tag({vpc(), "sgr-00000000000000000"}, {{"a", "b"}})),
            "InvalidSecurityGroupRuleId.NotFound");
  EXPECT_EQ(code_of(tag({"snap-00000000000000000"}, {{"a", "b"}})), "InvalidSnapshot.NotFound");
  EXPECT_EQ(code_of(tag({"what-1"}, {{"a", "b"}})), "InvalidID");
  EXPECT_EQ(code_of(tag({vpc()}, {{"aws:a", "b"}})), "InvalidParameterValue");
  EXPECT_TRUE(with("resource-id", vpc()).empty());
}

TEST_F(TagRules, TagGoesOnlyWithTheValueNamed) {
  ASSERT_TRUE(tag({vpc()}, {{"a", "1"}, {"b", "2"}, {"c", "3"}}).has_value());
  ASSERT_TRUE(untag({vpc()}, std::vector<Tag>{{"a", "other"}}).has_value());
  EXPECT_EQ(with("resource-id", vpc()).size(), 3u);
  ASSERT_TRUE(untag({vpc()}, std::vector<Tag>{{"a", "1"}, {"b", {}}}).has_value());
  ASSERT_EQ(with("resource-id", vpc()).size(), 1u);
  EXPECT_EQ(with("resource-id", vpc()).front().key, "c");
  ASSERT_TRUE(untag({vpc()}, {}).has_value());
  EXPECT_TRUE(with("resource-id", vpc()).empty());
}

TEST_F(TagRules, PagesHoldEveryTagOnce) {
  std::vector<Tag> tags;
  for (char c = 'a'; c < 'a' + 12; ++c) tags.push_back({std::string(1, c), "v"});
  ASSERT_TRUE(tag({vpc()}, tags).has_value());
  std::vector<std::string> keys;
  DescribeTagsRequest request{.max_results = 5};
  do {
    const auto page = describe_tags(records.state(), request);
    ASSERT_TRUE(page.has_value());
    EXPECT_LE(page->tags->size(), 5u);
    for (const TagDescription& one : *page->tags) keys.push_back(*one.key);
    request.next_token = page->next_token;
  } while (request.next_token.has_value());
  EXPECT_EQ(keys.size(), 12u);
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

TEST(ZoneRules, ZonesOfARegionAreNamedAndFiltered) {
  TestingRecords records;
  const auto all = describe_availability_zones(records.state(), "us-east-1", {});
  ASSERT_EQ(all->availability_zones->size(), 6u);
  EXPECT_EQ(all->availability_zones->front().zone_id, "use1-az1");
  const auto some = describe_availability_zones(
      records.state(), "us-east-1",
      {.filters = std::vector<Filter>{{"zone-name", std::vector<std::string>{"*b", "*c"}}}});
  EXPECT_EQ(some->availability_zones->size(), 2u);
  EXPECT_EQ(
      code_of(describe_availability_zones(records.state(), "us-east-1",
                                          {.zone_names = std::vector<std::string>{"us-east-1z"}})),
      "InvalidParameterValue");
}

TEST(ZoneRules, RegionsHaveEndpoints) {
  TestingRecords records;
  const auto one =
      describe_regions(records.state(), {.region_names = std::vector<std::string>{"eu-west-1"}});
  ASSERT_EQ(one->regions->size(), 1u);
  EXPECT_EQ(one->regions->front().endpoint, "ec2.eu-west-1.amazonaws.com");
  EXPECT_EQ(code_of(describe_regions(records.state(),
                                     {.region_names = std::vector<std::string>{"eu-north-9"}})),
            "InvalidParameterValue");
}

TEST(ZoneRules, AccountAttributesNameTheDefaultVpc) {
  TestingRecords records;
  const auto answer = describe_account_attributes(
      records.state(), {.attribute_names = std::vector<std::string>{"default-vpc"}});
  ASSERT_EQ(answer->account_attributes->size(), 1u);
  EXPECT_EQ(answer->account_attributes->front().attribute_values->front().attribute_value,
            records.default_vpc().value);
}

}  // namespace
}  // namespace terrarium::ec2
