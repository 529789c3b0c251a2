// Groups, managed policies, instance profiles, tags and the account, as callers see them.
#include <gtest/gtest.h>

#include "terrarium/services/iam/testing_account.h"

namespace terrarium::iam {
namespace {

using namespace std::chrono_literals;

TEST(IamGroup, HasItsMembersUntilTheyLeave) {
  TestingAccount account;
  ASSERT_EQ(account.user("ann"), "");
  ASSERT_EQ(TestingAccount::code(account.ask(&Service::create_group, {{}, "devs"})), "");
  EXPECT_EQ(TestingAccount::code(account.ask(&Service::create_group, {{}, "DEVS"})),
            "EntityAlreadyExistsException: Group with name DEVS already exists.");
  const auto add = [&account] {
    return TestingAccount::code(account.ask(&Service::add_user_to_group, {"devs", "ann"}));
  };
  EXPECT_EQ(add(), "");
  EXPECT_EQ(add(), "");
  EXPECT_EQ(account.ask(&Service::get_group, {.group_name = "devs"})->users.size(), 1U);
  EXPECT_EQ(account.ask(&Service::list_groups_for_user, {.user_name = "ann"})->groups.size(), 1U);
  EXPECT_EQ(TestingAccount::code(account.ask(&Service::delete_group, {"devs"})),
            "DeleteConflictException: Cannot delete entity, must remove users from group first.");
  EXPECT_EQ(TestingAccount::code(account.ask(&Service::delete_user, {"ann"})),
            "DeleteConflictException: Cannot delete entity, must remove users from group first.");
  ASSERT_TRUE(account.ask(&Service::update_group, {"devs", "/x/", "ops"}).has_value());
  EXPECT_EQ(account.ask(&Service::list_groups_for_user, {.user_name = "ann"})->groups.at(0).arn,
            "arn:aws:iam::123456789012:group/x/ops");
  ASSERT_TRUE(account.ask(&Service::remove_user_from_group, {"ops", "ann"}).has_value());
  EXPECT_TRUE(account.ask(&Service::get_group, {.group_name = "ops"})->users.empty());
  EXPECT_EQ(TestingAccount::code(account.ask(&Service::delete_group, {"ops"})), "");
}

TEST(IamUser, RenamedKeepsWhatItHas) {
  TestingAccount account;
  account.user("ann");
  account.policy("p");
  ASSERT_TRUE(account.ask(&Service::create_group, {{}, "g"}).has_value());
  ASSERT_TRUE(account.ask(&Service::add_user_to_group, {"g", "ann"}).has_value());
  ASSERT_TRUE(account.ask(&Service::attach_user_policy, {"ann", TestingAccount::policy_arn("p")})
                  .has_value());
  const auto key = account.ask(&Service::create_access_key, {"ann"});
  ASSERT_TRUE(account.ask(&Service::update_user, {"ann", {}, "bea"}).has_value());
  EXPECT_EQ(TestingAccount::code(account.ask(&Service::get_user, {"ann"})),
            "NoSuchEntityException: The user with name ann cannot be found.");
  EXPECT_EQ((*account.service->find(key->access_key.access_key_id))->principal.arn,
            "arn:aws:iam::123456789012:user/bea");
  EXPECT_EQ(account.ask(&Service::get_group, {.group_name = "g"})->users.at(0).user_name, "bea");
  ListEntitiesForPolicyRequest entities;
  entities.policy_arn = TestingAccount::policy_arn("p");
  EXPECT_EQ(
      account.ask(&Service::list_entities_for_policy, entities)->policy_users->at(0).user_name,
      "bea");
}

TEST(IamPolicy, VersionsAreNumberedAndLimited) {
  TestingAccount account;
  account.policy("p");
  EXPECT_EQ(account.policy("P"),
            "EntityAlreadyExistsException: A policy called P already exists. Duplicate names are "
            "not allowed.");
  const std::string arn = TestingAccount::policy_arn("p");
  for (int i = 2; i <= 5; ++i) {
    EXPECT_EQ(account.ask(&Service::create_policy_version, {arn, kPolicy, i == 3})
                  ->policy_version->version_id,
              "v" + std::to_string(i));
  }
  EXPECT_FALSE(account.ask(&Service::create_policy_version, {arn, kPolicy, false}).has_value());
  EXPECT_EQ(TestingAccount::code(account.ask(&Service::delete_policy_version, {arn, "v3"})),
            "DeleteConflictException: Cannot delete the default version of a policy.");
  ASSERT_TRUE(account.ask(&Service::delete_policy_version, {arn, "v5"}).has_value());
  EXPECT_EQ(account.ask(&Service::create_policy_version, {arn, kPolicy, false})
                ->policy_version->version_id,
            "v6")
      << "a number is never given twice";
  EXPECT_EQ(
      TestingAccount::code(account.ask(&Service::get_policy_version, {arn, "v9"})),
      "NoSuchEntityException: Policy " + arn + " version v9 does not exist or is not attachable.");
  ASSERT_TRUE(account.ask(&Service::set_default_policy_version, {arn, "v1"}).has_value());
  EXPECT_EQ(account.ask(&Service::get_policy, {arn})->policy->default_version_id, "v1");
}

TEST(IamPolicy, AttachedItIsCountedAndStays) {
  TestingAccount account;
  account.policy("p");
  account.role("r");
  const std::string arn = TestingAccount::policy_arn("p");
  const auto attach = [&account](const std::string& policy) {
    return TestingAccount::code(account.ask(&Service::attach_role_policy, {"r", policy}));
  };
  EXPECT_EQ(attach(arn), "");
  EXPECT_EQ(attach("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"), "");
  EXPECT_EQ(attach(arn + "x"),
            "NoSuchEntityException: Policy " + arn + "x does not exist or is not attachable.");
  EXPECT_EQ(attach("longpolicynamebutnoarn"),
            "ValidationError: ARN longpolicynamebutnoarn is not valid.");
  ASSERT_TRUE(account.ask(&Service::put_role_permissions_boundary, {"r", arn}).has_value());
  const auto policy = account.ask(&Service::get_policy, {arn});
  EXPECT_EQ(policy->policy->attachment_count, 1);
  EXPECT_EQ(policy->policy->permissions_boundary_usage_count, 1);
  ListPoliciesRequest attached;
  attached.only_attached = true;
  EXPECT_EQ(account.ask(&Service::list_policies, attached)->policies->size(), 2U);
  EXPECT_FALSE(account.ask(&Service::delete_policy, {arn}).has_value());
  EXPECT_EQ(TestingAccount::code(account.ask(&Service::delete_role, {"r"})),
            "DeleteConflictException: Cannot delete entity, must detach all policies first.");
  ASSERT_TRUE(account.ask(&Service::detach_role_policy, {"r", arn}).has_value());
  EXPECT_EQ(TestingAccount::code(account.ask(&Service::detach_role_policy, {"r", arn})),
            "NoSuchEntityException: Policy " + arn + " was not found.");
  ASSERT_TRUE(account.ask(&Service::delete_role_permissions_boundary, {"r"}).has_value());
  EXPECT_EQ(TestingAccount::code(account.ask(&Service::delete_policy, {arn})), "");
}

TEST(IamPolicy, AwssOwnAreThereAndNotToBeChanged) {
  TestingAccount account;
  const std::string arn = "arn:aws:iam::aws:policy/AdministratorAccess";
  const auto version = account.ask(&Service::get_policy_version, {arn, "v1"});
  ASSERT_TRUE(version.has_value());
  EXPECT_TRUE(version->policy_version->document->contains("%22Action%22%3A%22%2A%22"));
  EXPECT_TRUE(TestingAccount::code(account.ask(&Service::delete_policy, {arn}))
                  .starts_with("AccessDenied"));
  ListPoliciesRequest request;
  request.scope = "AWS";
  request.max_items = 10;
  const auto page = account.ask(&Service::list_policies, request);
  EXPECT_EQ(page->policies->size(), 10U);
  request.marker = page->marker;
  EXPECT_NE(account.ask(&Service::list_policies, request)->policies->at(0).arn,
            page->policies->at(0).arn);
  request.marker = "!";
  EXPECT_EQ(TestingAccount::code(account.ask(&Service::list_policies, request)),
            "ValidationError: Invalid Marker.");
}

TEST(IamProfile, HoldsOneRoleThatStaysMeanwhile) {
  TestingAccount account;
  account.role("r");
  ASSERT_TRUE(
      account.ask(&Service::create_instance_profile, {.instance_profile_name = "p"}).has_value());
  ASSERT_TRUE(account.ask(&Service::add_role_to_instance_profile, {"p", "r"}).has_value());
  EXPECT_EQ(
      TestingAccount::code(account.ask(&Service::add_role_to_instance_profile, {"p", "r"})),
      "LimitExceededException: Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
  EXPECT_EQ(account.ask(&Service::get_instance_profile, {"p"})->instance_profile.roles.size(), 1U);
  EXPECT_EQ(account.ask(&Service::list_instance_profiles_for_role, {.role_name = "r"})
                ->instance_profiles.size(),
            1U);
  EXPECT_FALSE(account.ask(&Service::delete_role, {"r"}).has_value());
  EXPECT_FALSE(account.ask(&Service::delete_instance_profile, {"p"}).has_value());
  ASSERT_TRUE(account.ask(&Service::remove_role_from_instance_profile, {"p", "r"}).has_value());
  EXPECT_TRUE(account.ask(&Service::delete_instance_profile, {"p"}).has_value());
  EXPECT_TRUE(account.ask(&Service::delete_role, {"r"}).has_value());
}

TEST(IamTags, CaseIsIgnoredExceptByPolicies) {
  TestingAccount account;
  account.user("ann");
  account.policy("p");
  const std::string arn = TestingAccount::policy_arn("p");
  const std::vector<Tag> both{{"a", "1"}, {"A", "2"}};
  EXPECT_EQ(TestingAccount::code(account.ask(&Service::tag_user, {"ann", both})),
            "InvalidInputException: Duplicate tag keys found. Please note that Tag keys are case "
            "insensitive.");
  ASSERT_TRUE(account.ask(&Service::tag_policy, {arn, both}).has_value());
  EXPECT_EQ(account.ask(&Service::list_policy_tags, {.policy_arn = arn})->tags.at(0).key, "A");
  ASSERT_TRUE(account.ask(&Service::tag_user, {"ann", {{"Team", "x"}}}).has_value());
  ASSERT_TRUE(account.ask(&Service::tag_user, {"ann", {{"team", "y"}}}).has_value());
  EXPECT_EQ(account.ask(&Service::list_user_tags, {.user_name = "ann"})->tags.size(), 1U);
  EXPECT_TRUE(TestingAccount::code(account.ask(&Service::tag_user, {"ann", {{"a!", "x"}}}))
                  .contains("'tags.1.member.key'"));
  ASSERT_TRUE(account.ask(&Service::untag_user, {"ann", {"TEAM"}}).has_value());
  EXPECT_TRUE(account.ask(&Service::list_user_tags, {.user_name = "ann"})->tags.empty());
}

TEST(IamKeys, TellWhenTheyWereLastUsed) {
  TestingAccount account;
  account.user("ann");
  const std::string id =
      account.ask(&Service::create_access_key, {"ann"})->access_key.access_key_id;
  const auto last = [&account, &id] {
    return *account.ask(&Service::get_access_key_last_used, {id})->access_key_last_used;
  };
  EXPECT_EQ(last().service_name, "N/A");
  EXPECT_FALSE(last().last_used_date.has_value());
  account.service->used(id, "sqs", "eu-west-1", account.clock.now());
  account.service->used(id, "s3", "us-east-1", account.clock.now() + 1s);
  EXPECT_EQ(last().service_name, "s3");
  account.restart();
  EXPECT_EQ(last().service_name, "sqs") << "the first use is written, the next is soon enough";
  EXPECT_TRUE(TestingAccount::code(account.ask(&Service::get_access_key_last_used, {"AKIANOBODY"}))
                  .starts_with("AccessDenied"));
}

TEST(IamPrincipal, AllItsPoliciesAreFound) {
  TestingAccount account;
  account.user("ann");
  account.policy("p");
  ASSERT_TRUE(account.ask(&Service::create_group, {{}, "g"}).has_value());
  ASSERT_TRUE(account.ask(&Service::add_user_to_group, {"g", "ann"}).has_value());
  ASSERT_TRUE(account.ask(&Service::put_group_policy, {"g", "inline", kPolicy}).has_value());
  const std::string arn = TestingAccount::policy_arn("p");
  ASSERT_TRUE(account.ask(&Service::attach_user_policy, {"ann", arn}).has_value());
  ASSERT_TRUE(account.ask(&Service::put_user_permissions_boundary, {"ann", arn}).has_value());
  const auto key = account.ask(&Service::create_access_key, {"ann"});
  const auto long_term = *account.service->find(key->access_key.access_key_id);
  const auto session =
      account.ask(account.service->session_of(long_term->principal.access_key_id, 900s));
  const auto temporary = *account.service->find(session->access_key_id);
  EXPECT_EQ(temporary->principal.arn, "arn:aws:iam::123456789012:user/ann");
  for (const wire::Principal& principal : {long_term->principal, temporary->principal}) {
    const auto found = account.service->policies_of(principal);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->identity.size(), 2U);
    EXPECT_EQ(found->boundary->name, arn);
    EXPECT_FALSE(found->is_root);
  }
  account.role("r");
  ASSERT_TRUE(account.ask(&Service::put_role_policy, {"r", "inline", kPolicy}).has_value());
  SessionLimits limits;
  limits.policy = kPolicy;
  const auto assumed = account.ask(
      account.service->assume_role("arn:aws:iam::123456789012:role/r", "s", 900s, limits));
  const auto role = *account.service->find(assumed->access_key_id);
  const auto found = account.service->policies_of(role->principal);
  EXPECT_EQ(found->identity.size(), 1U);
  EXPECT_EQ(found->session.size(), 1U);
  EXPECT_TRUE(account.service->policies_of((*account.service->find("test"))->principal)->is_root);
}

TEST(IamServiceRole, IsItsServicesOnly) {
  TestingAccount account;
  const auto made =
      account.ask(&Service::create_service_linked_role, {"autoscaling.amazonaws.com", {}, {}});
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->role->arn,
            "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/"
            "AWSServiceRoleForAutoScaling");
  EXPECT_TRUE(
      TestingAccount::code(account.ask(&Service::delete_role, {"AWSServiceRoleForAutoScaling"}))
          .starts_with("UnmodifiableEntityException"));
  const auto task =
      account.ask(&Service::delete_service_linked_role, {"AWSServiceRoleForAutoScaling"});
  EXPECT_EQ(
      account.ask(&Service::get_service_linked_role_deletion_status, {task->deletion_task_id})
          ->status,
      "SUCCEEDED");
  EXPECT_FALSE(account.ask(&Service::get_role, {"AWSServiceRoleForAutoScaling"}).has_value());
}

}  // namespace
}  // namespace terrarium::iam
