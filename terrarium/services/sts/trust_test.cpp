#include "terrarium/services/sts/trust.h"

#include <gtest/gtest.h>

#include "terrarium/services/sts/rules.h"

namespace terrarium::sts {
namespace {

wire::Context caller(wire::PrincipalKind kind, const std::string& arn) {
  wire::Context context;
  context.account = context.principal.account = "123456789012";
  context.principal.kind = kind;
  context.principal.arn = arn;
  return context;
}

const wire::Context kRoot = caller(wire::PrincipalKind::Root, "arn:aws:iam::123456789012:root");
const wire::Context kAnn = caller(wire::PrincipalKind::User, "arn:aws:iam::123456789012:user/ann");
const wire::Context kSession =
    caller(wire::PrincipalKind::AssumedRole, "arn:aws:sts::123456789012:assumed-role/first/s");

bool allows(const std::string& elements, const wire::Context& context,
            TrustQuestion question = {}) {
  question.role_arn = "arn:aws:iam::123456789012:role/r";
  question.session_name = "s";
  return trusts(R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)" + elements + "}]}",
                context, question);
}

TEST(StsTrust, NamesAccountsUsersRolesAndServices) {
  const std::string action = R"("Action":"sts:AssumeRole",)";
  for (const char* account : {"123456789012", "arn:aws:iam::123456789012:root"}) {
    const std::string principal = action + R"("Principal":{"AWS":")" + account + "\"}";
    EXPECT_TRUE(allows(principal, kRoot));
    EXPECT_TRUE(allows(principal, kAnn)) << "everyone in the account";
    EXPECT_TRUE(allows(principal, kSession));
  }
  EXPECT_FALSE(allows(action + R"("Principal":{"AWS":"999999999999"})", kRoot));
  const std::string ann = action + R"("Principal":{"AWS":"arn:aws:iam::123456789012:user/ann"})";
  EXPECT_TRUE(allows(ann, kAnn));
  EXPECT_FALSE(allows(ann, kSession));
  EXPECT_TRUE(
      allows(action + R"("Principal":{"AWS":"arn:aws:iam::123456789012:role/first"})", kSession));
  EXPECT_FALSE(allows(action + R"("Principal":{"Service":"lambda.amazonaws.com"})", kRoot));
  EXPECT_TRUE(allows(action + R"("Principal":"*")", kAnn));
  EXPECT_FALSE(allows(R"("Action":"sts:TagSession","Principal":"*")", kAnn));
}

TEST(StsTrust, ConditionsHold) {
  const std::string statement = R"("Action":"sts:AssumeRole","Principal":"*",)"
                                R"("Condition":{"StringEquals":{"sts:ExternalId":"secret"}})";
  EXPECT_FALSE(allows(statement, kAnn));
  EXPECT_FALSE(allows(statement, kAnn, {.external_id = "wrong"}));
  EXPECT_TRUE(allows(statement, kAnn, {.external_id = "secret"}));
  const std::string device = R"("Action":"sts:AssumeRole","Principal":"*",)"
                             R"("Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}})";
  EXPECT_FALSE(allows(device, kAnn));
  const std::string tags = R"("Action":["sts:AssumeRole","sts:TagSession"],"Principal":"*",)"
                           R"("Condition":{"StringEquals":{"aws:RequestTag/team":"a"}})";
  EXPECT_TRUE(allows(tags, kAnn, {.tags = {{"team", "a"}}}));
  EXPECT_FALSE(allows(tags, kAnn, {.tags = {{"team", "b"}}}));
}

TEST(StsTrust, TagsNeedAPermissionOfTheirOwn) {
  const std::string statement = R"("Action":"sts:AssumeRole","Principal":"*")";
  EXPECT_TRUE(allows(statement, kAnn));
  EXPECT_FALSE(allows(statement, kAnn, {.tags = {{"team", "a"}}}));
}

TEST(StsTrust, WhatIsNotUnderstoodNeverAllows) {
  EXPECT_FALSE(
      allows(R"("Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"x"})", kAnn));
  EXPECT_FALSE(allows(R"("Action":"sts:AssumeRole","NotPrincipal":{"AWS":"999999999999"})", kAnn));
  const std::string deny = R"({"Version":"2012-10-17","Statement":[)"
                           R"({"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"},)"
                           R"({"Effect":"Deny","Action":"sts:AssumeRole","Principal":"*",)"
                           R"("Condition":{"StringEquals":{"vendor:unknown":"x"}}}]})";
  EXPECT_FALSE(trusts(deny, kAnn, {}));
  EXPECT_FALSE(trusts("no json", kAnn, {}));
}

TEST(StsSession, TransitiveTagsArePassedOn) {
  const std::optional<std::vector<Tag>> tags{{{"a", "1"}}};
  const std::optional<std::vector<std::string>> keys{{"a"}};
  const auto made = limits_of({{}, {}, tags, keys, {}}, {});
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->transitive_tags, std::vector<std::string>{"a"});
  const auto next = limits_of({{}, {}, {}, {}, {}}, *made);
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->tags.size(), 1U);
  EXPECT_FALSE(limits_of({{}, {}, tags, {}, {}}, *made).has_value()) << "it conflicts";
  EXPECT_FALSE(limits_of({{}, {}, {}, keys, {}}, {}).has_value()) << "no such tag";
  const std::optional<std::vector<Tag>> doubled{{{"a", "1"}, {"A", "2"}}};
  EXPECT_FALSE(limits_of({{}, {}, doubled, {}, {}}, {}).has_value());
  const std::optional<std::string> policy{"not json"};
  EXPECT_FALSE(limits_of({policy, {}, {}, {}, {}}, {}).has_value());
}

TEST(StsToken, IsRefusedWithTheNameOfItsIssuer) {
  const std::string claims = "eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUifQ";  // {"iss":...}
  EXPECT_EQ(web_token_refusal("e30." + claims + ".c2ln"),
            "No OpenIDConnect provider found in your account for https://id.example");
  for (const std::string& token :
       {std::string("token"), "e30." + claims, "e30." + claims + ".c2ln.x", std::string("a.W10.b"),
        std::string("a.*.b"), std::string("a.e30.b")}) {
    EXPECT_TRUE(web_token_refusal(token).starts_with("The ID Token provided is not a valid JWT."))
        << token;
  }
}

TEST(StsRole, ArnsAndNamesAreChecked) {
  for (const char* arn : {"nothing-valid-in-here", "arn::b:::something/test-role",
                          "arn:a::::something/test-role", "arn:a:a::aaaaaaaaaa:"}) {
    const auto checked = check_role_arn(arn);
    ASSERT_FALSE(checked.has_value()) << arn;
    EXPECT_EQ(checked.error().message, std::string(arn) + " is invalid");
  }
  EXPECT_TRUE(check_session_name("a_+=,.@-1", "roleSessionName").has_value());
  EXPECT_FALSE(check_session_name("Session1:2", "roleSessionName").has_value());
}

}  // namespace
}  // namespace terrarium::sts
