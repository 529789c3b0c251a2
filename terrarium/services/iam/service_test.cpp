#include "terrarium/services/iam/service.h"

#include <gtest/gtest.h>

#include "generated/iam/errors.h"
#include "lib/runtime/testing_loop.h"
#include "terrarium/store/memory.h"

namespace terrarium::iam {
namespace {

using namespace std::chrono_literals;
using base::Result;

constexpr const char* kTrust =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",)"
    R"("Principal":{"Service":"lambda.amazonaws.com"}}]})";
constexpr const char* kPolicy =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}})";

class IamTest : public testing::Test, public runtime::TestingLoop {
 protected:
  IamTest() { context_.now = clock.now(); }

  void make_user(const std::string& name) {
    CreateUserRequest request;
    request.user_name = name;
    ASSERT_TRUE(ask(service_.create_user(context_, request)).has_value());
  }
  Result<CreateAccessKeyResponse> make_key(const std::string& user) {
    return ask(service_.create_access_key(context_, CreateAccessKeyRequest{user}));
  }
  Result<CreateRoleResponse> make_role(const std::string& name, const std::string& trust) {
    CreateRoleRequest request;
    request.role_name = name;
    request.assume_role_policy_document = trust;
    return ask(service_.create_role(context_, request));
  }

  base::SeededRandom random_{7};
  std::unique_ptr<store::Store> store_ = store::open_memory_store();
  Service service_{*store_, clock, random_, Config{.account = "123456789012"}};
  wire::Context context_;
};

TEST_F(IamTest, AUsersKeyAuthenticatesUntilItIsInactiveOrDeleted) {
  make_user("ann");
  const auto made = make_key("ann");
  ASSERT_TRUE(made.has_value());
  const std::string id = made->access_key.access_key_id;
  EXPECT_TRUE(id.starts_with("AKIA"));
  EXPECT_EQ(id.size(), 20U);
  const auto key = service_.find(id);
  ASSERT_TRUE(key.has_value() && key->has_value());
  EXPECT_EQ((*key)->secret, made->access_key.secret_access_key);
  EXPECT_EQ((*key)->principal.arn, "arn:aws:iam::123456789012:user/ann");

  UpdateAccessKeyRequest update;
  update.user_name = "ann";
  update.access_key_id = id;
  update.status = "Inactive";
  ASSERT_TRUE(ask(service_.update_access_key(context_, update)).has_value());
  EXPECT_FALSE(service_.find(id)->has_value());
  update.status = "Active";
  ASSERT_TRUE(ask(service_.update_access_key(context_, update)).has_value());
  EXPECT_TRUE(service_.find(id)->has_value());
  ASSERT_TRUE(
      ask(service_.delete_access_key(context_, DeleteAccessKeyRequest{"ann", id})).has_value());
  EXPECT_FALSE(service_.find(id)->has_value());
}

TEST_F(IamTest, TheRootKeyIsTheAccounts) {
  const auto key = service_.find("test");
  ASSERT_TRUE(key.has_value() && key->has_value());
  EXPECT_EQ((*key)->principal.arn, "arn:aws:iam::123456789012:root");
  EXPECT_FALSE(service_.find("AKIAUNKNOWN")->has_value());
}

TEST_F(IamTest, AUserHasAtMostTwoKeysAndGoesOnlyWithoutThem) {
  make_user("bob");
  ASSERT_TRUE(make_key("bob").has_value());
  ASSERT_TRUE(make_key("bob").has_value());
  const auto third = make_key("bob");
  ASSERT_FALSE(third.has_value());
  EXPECT_TRUE(third.error().is(errors::kLimitExceededException));
  const auto deleted = ask(service_.delete_user(context_, DeleteUserRequest{"bob"}));
  ASSERT_FALSE(deleted.has_value());
  EXPECT_TRUE(deleted.error().is(errors::kDeleteConflictException));
}

TEST_F(IamTest, ARolesDocumentsComeBackPercentEncoded) {
  const auto made = make_role("r", kTrust);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->role.arn, "arn:aws:iam::123456789012:role/r");
  EXPECT_TRUE(made->role.role_id.starts_with("AROA"));
  EXPECT_TRUE(made->role.assume_role_policy_document->starts_with("%7B%22Version%22"));
  ASSERT_TRUE(
      ask(service_.put_role_policy(context_, PutRolePolicyRequest{"r", "p", kPolicy})).has_value());
  const auto names =
      ask(service_.list_role_policies(context_, ListRolePoliciesRequest{"r", {}, {}}));
  EXPECT_EQ(names->policy_names, std::vector<std::string>{"p"});
  EXPECT_FALSE(ask(service_.delete_role(context_, DeleteRoleRequest{"r"})).has_value());
}

TEST_F(IamTest, WrongDocumentsAreRefused) {
  for (const char* const wrong : {"", "{", "[]", "{}", R"({"Statement":[]})", kPolicy,
                                  R"({"Version":"2020-01-01","Statement":[]})"}) {
    const auto made = make_role("r", wrong);
    ASSERT_FALSE(made.has_value()) << wrong;
    EXPECT_TRUE(made.error().is(errors::kMalformedPolicyDocumentException)) << wrong;
  }
  EXPECT_FALSE(make_role("a/b", kTrust).has_value());
}

TEST_F(IamTest, TemporaryCredentialsCarryTheirTokenAndEndWithTheirTime) {
  ASSERT_TRUE(make_role("r", kTrust).has_value());
  const auto first = ask(service_.assume("arn:aws:iam::123456789012:role/r", "s", 900s));
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->assumed_role_arn, "arn:aws:sts::123456789012:assumed-role/r/s");
  auto key = service_.find(first->access_key_id);
  ASSERT_TRUE(key->has_value());
  EXPECT_EQ((*key)->session_token, first->session_token);
  EXPECT_EQ((*key)->expiration, clock.now() + 900s);

  clock.advance_to(clock.now() + 901s, [] {});
  ASSERT_TRUE(ask(service_.assume("arn:aws:iam::123456789012:role/r", "s", 900s)).has_value());
  EXPECT_TRUE(service_.find(first->access_key_id)->has_value()) << "told that it has expired";
  clock.advance_to(clock.now() + 25h, [] {});
  ASSERT_TRUE(ask(service_.assume("arn:aws:iam::123456789012:role/r", "s", 900s)).has_value());
  EXPECT_FALSE(service_.find(first->access_key_id)->has_value()) << "forgotten a day later";
  EXPECT_FALSE(ask(service_.assume("arn:aws:iam::1:user/r", "s", 900s)).has_value());
}

TEST_F(IamTest, UsersAreListedInPages) {
  for (const char* const name : {"a", "b", "c"}) make_user(name);
  ListUsersRequest request;
  request.max_items = 2;
  const auto first = ask(service_.list_users(context_, request));
  ASSERT_EQ(first->users.size(), 2U);
  EXPECT_EQ(first->is_truncated, true);
  request.marker = first->marker;
  const auto second = ask(service_.list_users(context_, request));
  ASSERT_EQ(second->users.size(), 1U);
  EXPECT_EQ(second->users[0].user_name, "c");
  EXPECT_EQ(second->is_truncated, false);
}

}  // namespace
}  // namespace terrarium::iam
