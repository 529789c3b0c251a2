#include <gtest/gtest.h>

#include "terrarium/services/ec2/template_rules.h"
#include "terrarium/services/ec2/testing_records.h"

namespace terrarium::ec2 {
namespace {

template <class T>
std::string code_of(const base::Result<T>& answer) {
  return answer.has_value() ? "" : std::string(answer.error().row->code);
}

RequestLaunchTemplateData data_with(const std::string& type) {
  RequestLaunchTemplateData data{.image_id = "ami-0deb1200000000001", .instance_type = type};
  data.network_interfaces = std::vector<LaunchTemplateInstanceNetworkInterfaceSpecificationRequest>{
      {.associate_public_ip_address = true, .groups = std::vector<std::string>{"sg-1"}}};
  data.tag_specifications = std::vector<LaunchTemplateTagSpecificationRequest>{
      {"instance", std::vector<Tag>{{"Name", "web"}}}};
  return data;
}

class LaunchTemplateRules : public testing::Test {
 protected:
  auto create(const std::string& name, const std::string& token = "") {
    return records.change([&](Transaction& transaction) {
      return create_launch_template(transaction, {.client_token = token,
                                                  .launch_template_name = name,
                                                  .launch_template_data = data_with("t2.nano")});
    });
  }
  auto add_version(const std::string& id, RequestLaunchTemplateData data,
                   std::optional<std::string> source = {}) {
    return records.change([&](Transaction& transaction) {
      return create_launch_template_version(transaction, {.launch_template_id = id,
                                                          .source_version = std::move(source),
                                                          .launch_template_data = std::move(data)});
    });
  }
  auto versions(DescribeLaunchTemplateVersionsRequest request) {
    return describe_launch_template_versions(records.state(), request);
  }
  std::vector<std::int64_t> numbers(const DescribeLaunchTemplateVersionsRequest& request) {
    std::vector<std::int64_t> found;
    for (const auto& one : *versions(request)->launch_template_versions) {
      found.push_back(*one.version_number);
    }
    return found;
  }
  TestingRecords records;
};

TEST_F(LaunchTemplateRules, WhatWasStoredIsShownAsItWasGiven) {
  const std::string id = *create("web")->launch_template->launch_template_id;
  const auto shown = versions({.launch_template_id = id});
  ASSERT_TRUE(shown.has_value());
  const LaunchTemplateVersion& version = shown->launch_template_versions->front();
  EXPECT_EQ(version.default_version, true);
  EXPECT_EQ(version.launch_template_data->instance_type, "t2.nano");
  const auto& face = version.launch_template_data->network_interfaces->front();
  EXPECT_EQ(face.associate_public_ip_address, true);
  EXPECT_EQ(face.groups->front(), "sg-1");
  EXPECT_EQ(version.launch_template_data->tag_specifications->front().tags->front().value, "web");
}

TEST_F(LaunchTemplateRules, NamesAreUniqueAndWellFormed) {
  ASSERT_TRUE(create("web").has_value());
  EXPECT_EQ(code_of(create("web")), "InvalidLaunchTemplateName.AlreadyExistsException");
  EXPECT_EQ(code_of(create("w")), "InvalidLaunchTemplateName.MalformedException");
  EXPECT_EQ(code_of(create("web app")), "InvalidLaunchTemplateName.MalformedException");
}

TEST_F(LaunchTemplateRules, ClientTokenMakesOneTemplate) {
  const auto first = create("web", "token");
  EXPECT_EQ(create("web", "token")->launch_template->launch_template_id,
            first->launch_template->launch_template_id);
  EXPECT_EQ(code_of(create("app", "token")), "IdempotentParameterMismatch");
  EXPECT_EQ(records.state().count<LaunchTemplateRecord>(), 1u);
}

TEST_F(LaunchTemplateRules, NewVersionInheritsFromItsSource) {
  const std::string id = *create("web")->launch_template->launch_template_id;
  const auto made = add_version(id, {.instance_type = "t2.micro"}, "1");
  ASSERT_TRUE(made.has_value());
  const auto& data = *made->launch_template_version->launch_template_data;
  EXPECT_EQ(data.instance_type, "t2.micro");
  EXPECT_EQ(data.image_id, "ami-0deb1200000000001");
  const auto alone = add_version(id, {.instance_type = "t2.small"});
  EXPECT_FALSE(alone->launch_template_version->launch_template_data->image_id.has_value());
  EXPECT_EQ(code_of(add_version(id, {}, "9")), "InvalidLaunchTemplateId.VersionNotFound");
}

TEST_F(LaunchTemplateRules, VersionsAreChosenByNameNumberAndRange) {
  const std::string id = *create("web")->launch_template->launch_template_id;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(add_version(id, data_with("t2.nano")).has_value());
  const auto named = [&](std::vector<std::string> list) {
    return numbers({.launch_template_id = id, .versions = std::move(list)});
  };
  EXPECT_EQ(numbers({.launch_template_name = "web"}), (std::vector<std::int64_t>{4, 3, 2, 1}));
  EXPECT_EQ(named({"$Latest", "$Default"}), (std::vector<std::int64_t>{4, 1}));
  EXPECT_EQ(named({"2"}), (std::vector<std::int64_t>{2}));
  EXPECT_EQ(numbers({.launch_template_id = id, .min_version = "2", .max_version = "3"}),
            (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(numbers({.versions = std::vector<std::string>{"$Latest"}}),
            (std::vector<std::int64_t>{4}));
  EXPECT_EQ(code_of(versions({.versions = std::vector<std::string>{"1"}})), "MissingParameter");
  EXPECT_EQ(
      code_of(versions({.launch_template_id = id, .versions = std::vector<std::string>{"9"}})),
      "InvalidLaunchTemplateId.VersionNotFound");
}

TEST_F(LaunchTemplateRules, DefaultVersionCannotBeDeletedAndNumbersAreNotGivenTwice) {
  const std::string id = *create("web")->launch_template->launch_template_id;
  ASSERT_TRUE(add_version(id, data_with("t2.nano")).has_value());
  const auto erased = records.change([&](Transaction& transaction) {
    return delete_launch_template_versions(transaction,
                                           {.launch_template_id = id, .versions = {"1", "2", "7"}});
  });
  ASSERT_TRUE(erased.has_value());
  EXPECT_EQ(erased->successfully_deleted_launch_template_versions->size(), 1u);
  EXPECT_EQ(erased->unsuccessfully_deleted_launch_template_versions->size(), 2u);
  EXPECT_EQ(add_version(id, data_with("t2.nano"))->launch_template_version->version_number, 3);
}

TEST_F(LaunchTemplateRules, DefaultIsModifiedAndTheTemplateDeleted) {
  const std::string id = *create("web")->launch_template->launch_template_id;
  ASSERT_TRUE(add_version(id, data_with("t2.nano")).has_value());
  const auto modified = records.change([&](Transaction& transaction) {
    return modify_launch_template(transaction, {.launch_template_id = id, .default_version = "2"});
  });
  EXPECT_EQ(modified->launch_template->default_version_number, 2);
  const auto erase = [&] {
    return records.change([&](Transaction& transaction) {
      return delete_launch_template(transaction, {.launch_template_name = "web"});
    });
  };
  EXPECT_TRUE(erase().has_value());
  EXPECT_EQ(code_of(erase()), "InvalidLaunchTemplateName.NotFoundException");
  EXPECT_EQ(code_of(versions({.launch_template_id = id})), "InvalidLaunchTemplateId.NotFound");
}

TEST_F(LaunchTemplateRules, DataOfAnInstanceWouldLaunchItAgain) {
  InstanceRecord instance{.id = InstanceId("i-00000000000000001"),
                          .image = ImageId("ami-0deb1200000000001"),
                          .type = "t2.micro",
                          .user_data = "#!/bin/sh",
                          .tags = {{"Name", "web"}, {"aws:x", "y"}}};
  ASSERT_TRUE(records
                  .change([&](Transaction& transaction) {
                    transaction.put(instance);
                    return base::Result<void>();
                  })
                  .has_value());
  const auto found = get_launch_template_data(records.state(), {.instance_id = instance.id.value});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->launch_template_data->instance_type, "t2.micro");
  EXPECT_EQ(found->launch_template_data->user_data, "IyEvYmluL3No");
  EXPECT_EQ(found->launch_template_data->tag_specifications->front().tags->size(), 1u);
}

TEST_F(LaunchTemplateRules, PagesMayBeOfOne) {
  (void)create("one");
  (void)create("two");
  const auto first = describe_launch_templates(records.state(), {.max_results = 1});
  ASSERT_EQ(first->launch_templates->size(), 1u);
  const auto second = describe_launch_templates(
      records.state(), {.next_token = first->next_token, .max_results = 1});
  EXPECT_EQ(second->launch_templates->size(), 1u);
  EXPECT_FALSE(second->next_token.has_value());
  EXPECT_EQ(code_of(describe_launch_templates(records.state(), {.max_results = 201})),
            "InvalidParameterValue");
}

TEST_F(LaunchTemplateRules, AnUnknownTemplateIsNamedInAwssWords) {
  EXPECT_EQ(versions({.launch_template_id = "lt-00000000000000001"}).error().message,
            "The specified launch template, with template ID lt-00000000000000001, does not "
            "exist.");
  EXPECT_EQ(describe_launch_templates(records.state(),
                                      {.launch_template_names = std::vector<std::string>{"no"}})
                .error()
                .message,
            "At least one of the launch templates specified in the request does not exist.");
}

}  // namespace
}  // namespace terrarium::ec2
