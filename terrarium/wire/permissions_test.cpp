#include "terrarium/wire/permissions.h"

#include <gtest/gtest.h>

#include "terrarium/wire/identity_policy.h"

namespace terrarium::wire {
namespace {

constexpr const char* kUser = "arn:aws:iam::000000000000:user/ann";
constexpr const char* kRole = "arn:aws:iam::000000000000:role/work/r";
constexpr const char* kSession = "arn:aws:sts::000000000000:assumed-role/r/s";
constexpr const char* kQueue = "arn:aws:sqs:us-east-1:000000000000:q";

Policy parsed(const std::string& statement, PolicyType type) {
  const std::string text = R"({"Version":"2012-10-17","Statement":[)" + statement + "]}";
  auto made = type == PolicyType::Identity ? parse_identity_policy(text) : Policy::parse(text);
  EXPECT_TRUE(made.has_value()) << base::describe(made.error());
  return *std::move(made);
}

Policy identity(const std::string& effect, const std::string& action = "sqs:*",
                const std::string& rest = R"("Resource":"*")") {
  return parsed(R"({"Effect":")" + effect + R"(","Action":")" + action + "\"," + rest + "}",
                PolicyType::Identity);
}

Policy on_queue(const std::string& effect, const std::string& principal) {
  return parsed(R"({"Effect":")" + effect + R"(","Principal":{"AWS":")" + principal +
                    R"("},"Action":"sqs:*","Resource":")" + kQueue + "\"}",
                PolicyType::Resource);
}

PolicyRequest by_user(std::string action = "sqs:SendMessage") {
  return {{PrincipalKind::User, "000000000000", kUser, "AIDA1", "AKIA1"},
          std::move(action),
          kQueue,
          {{"aws:username", {"ann"}}}};
}

PolicyRequest by_session() {
  return {{PrincipalKind::AssumedRole, "000000000000", kSession, "AROA1:s", "ASIA1"},
          "sqs:SendMessage",
          kQueue,
          {}};
}

std::string word(const Judgement& judgement) {
  return judgement.allowed ? "allowed" : reason_of(judgement, "sqs:SendMessage");
}

// AWS's table "Evaluating identity-based policies with resource-based policies", within one
// account.
TEST(Permissions, OneOfIdentityAndResourceAllows) {
  const Policy resource = on_queue("Allow", kUser);
  const Policy nobody = on_queue("Allow", "arn:aws:iam::000000000000:user/other");
  const Permissions allowed{.identity = {identity("Allow")}};
  EXPECT_TRUE(judge(allowed, nullptr, by_user()).allowed);
  EXPECT_TRUE(judge(allowed, &nobody, by_user()).allowed);
  EXPECT_TRUE(judge({}, &resource, by_user()).allowed);
  EXPECT_EQ(word(judge({}, &nobody, by_user())),
            "because no identity-based policy allows the sqs:SendMessage action");
  EXPECT_EQ(word(judge({}, nullptr, by_user())),
            "because no identity-based policy allows the sqs:SendMessage action");
}

TEST(Permissions, AnExplicitDenyAnywhereWins) {
  const Policy allow = on_queue("Allow", kUser);
  const Policy deny = on_queue("Deny", kUser);
  const Permissions all{.identity = {identity("Allow")}};
  EXPECT_EQ(word(judge(all, &deny, by_user())), "with an explicit deny in a resource-based policy");
  Permissions denied = all;
  denied.identity.push_back(identity("Deny", "sqs:Send*"));
  EXPECT_EQ(word(judge(denied, &allow, by_user())),
            "with an explicit deny in an identity-based policy");
  Permissions bounded = all;
  bounded.boundary = {identity("Allow"), identity("Deny", "sqs:SendMessage")};
  EXPECT_EQ(word(judge(bounded, &allow, by_user())),
            "with an explicit deny in a permissions boundary");
  Permissions session = all;
  session.session = {identity("Deny", "sqs:SendMessage")};
  EXPECT_EQ(word(judge(session, &allow, by_user())), "with an explicit deny in a session policy");
}

TEST(Permissions, ABoundaryAndASessionNarrowWhatIdentityAllows) {
  Permissions own{.identity = {identity("Allow")}};
  own.boundary = {identity("Allow", "s3:*")};
  EXPECT_EQ(word(judge(own, nullptr, by_user())),
            "because no permissions boundary allows the sqs:SendMessage action");
  own.boundary = {identity("Allow", "sqs:SendMessage")};
  EXPECT_TRUE(judge(own, nullptr, by_user()).allowed);
  own.session.emplace();
  EXPECT_EQ(word(judge(own, nullptr, by_user())),
            "because no session policy allows the sqs:SendMessage action");
  own.session = {identity("Allow", "s3:*"), identity("Allow", "sqs:Send*")};
  EXPECT_TRUE(judge(own, nullptr, by_user()).allowed);
}

TEST(Permissions, ABoundaryAllowsNothingByItself) {
  const Permissions own{.identity = {}, .boundary = std::vector{identity("Allow", "*")}};
  EXPECT_FALSE(judge(own, nullptr, by_user()).allowed);
}

TEST(Permissions, AResourceThatNamesTheUserPassesItsBoundary) {
  const Policy resource = on_queue("Allow", kUser);
  const Permissions own{.identity = {}, .boundary = std::vector{identity("Allow", "s3:*")}};
  EXPECT_TRUE(judge(own, &resource, by_user()).allowed);
}

TEST(Permissions, AResourceThatNamesTheRoleDoesNotPassBoundaryOrSession) {
  const Policy role = on_queue("Allow", kRole);
  const Policy session = on_queue("Allow", kSession);
  EXPECT_TRUE(judge({}, &role, by_session()).allowed);
  const Permissions bounded{.boundary = std::vector{identity("Allow", "s3:*")}};
  EXPECT_EQ(word(judge(bounded, &role, by_session())),
            "because no permissions boundary allows the sqs:SendMessage action");
  EXPECT_TRUE(judge(bounded, &session, by_session()).allowed);
  const Permissions narrowed{.session = std::vector{identity("Allow", "s3:*")}};
  EXPECT_FALSE(judge(narrowed, &role, by_session()).allowed);
  EXPECT_TRUE(judge(narrowed, &session, by_session()).allowed);
}

TEST(Permissions, AStatementForTheAccountLeavesItToItsUsersPolicies) {
  const Policy account = on_queue("Allow", "000000000000");
  EXPECT_FALSE(judge({}, &account, by_user()).allowed);
}

TEST(Permissions, RootsFederatedSessionIsOnlyNarrowed) {
  const Permissions own{.unlimited = true, .session = std::vector{identity("Allow", "sqs:*")}};
  EXPECT_TRUE(judge(own, nullptr, by_user()).allowed);
  EXPECT_FALSE(judge(own, nullptr, by_user("s3:GetObject")).allowed);
}

TEST(Permissions, IdentityPoliciesKnowNotActionNotResourceAndVariables) {
  const auto may = [](const std::string& statement, const PolicyRequest& request) {
    const Permissions own{.identity = {parsed(statement, PolicyType::Identity)}};
    return judge(own, nullptr, request).allowed;
  };
  EXPECT_TRUE(may(R"({"Effect":"Allow","NotAction":"iam:*","Resource":"*"})", by_user()));
  EXPECT_FALSE(may(R"({"Effect":"Allow","NotAction":"sqs:*","Resource":"*"})", by_user()));
  EXPECT_TRUE(may(R"({"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::*"})", by_user()));
  EXPECT_FALSE(may(R"({"Effect":"Allow","Action":"*","NotResource":"arn:aws:sqs:*"})", by_user()));
  PolicyRequest home = by_user("s3:GetObject");
  home.resource = "arn:aws:s3:::homes/ann/picture";
  const std::string own_home =
      R"({"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::homes/${aws:username}/*"})";
  EXPECT_TRUE(may(own_home, home));
  home.context["aws:username"] = {"bob"};
  EXPECT_FALSE(may(own_home, home));
}

TEST(Permissions, SetOperatorsCompareEveryValue) {
  const auto may = [](const std::string& condition, std::vector<std::string> keys) {
    const Permissions own{
        .identity = {identity("Allow", "sqs:*", R"("Resource":"*","Condition":)" + condition)}};
    PolicyRequest request = by_user();
    if (!keys.empty()) request.context["aws:tagkeys"] = std::move(keys);
    return judge(own, nullptr, request).allowed;
  };
  const std::string all = R"({"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}})";
  EXPECT_TRUE(may(all, {"a"}));
  EXPECT_TRUE(may(all, {}));
  EXPECT_FALSE(may(all, {"a", "c"}));
  const std::string any = R"({"ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}})";
  EXPECT_TRUE(may(any, {"a", "c"}));
  EXPECT_FALSE(may(any, {"c"}));
  EXPECT_FALSE(may(any, {}));
}

TEST(Permissions, WhatIsNotUnderstoodNeverAllowsAndAlwaysDenies) {
  const std::string unknown =
      R"("Resource":"*","Condition":{"StringEquals":{"vendor:unknown":"x"}})";
  const Permissions allowed{.identity = {identity("Allow", "sqs:*", unknown)}};
  EXPECT_FALSE(judge(allowed, nullptr, by_user()).allowed);
  const Permissions denied{.identity = {identity("Allow"), identity("Deny", "sqs:*", unknown)}};
  EXPECT_TRUE(judge(denied, nullptr, by_user()).explicit_deny);
  EXPECT_FALSE(judge(denied, nullptr, by_user("s3:GetObject")).explicit_deny);
}

}  // namespace
}  // namespace terrarium::wire
