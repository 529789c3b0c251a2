#include <gtest/gtest.h>

#include "terrarium/services/iam/authoriser.h"
#include "terrarium/services/iam/testing_account.h"

namespace terrarium::iam {
namespace {

using namespace std::chrono_literals;

constexpr const char* kRole = "arn:aws:iam::123456789012:role/r";

class IamAuthoriser : public ::testing::Test {
 protected:
  bool may(const wire::Principal& principal, const std::string& action = "s3:GetObject") {
    wire::Context context = account_.context;
    context.principal = principal;
    const auto permissions = authoriser_.permissions_of(principal);
    EXPECT_TRUE(permissions.has_value());
    return wire::judge(**permissions, nullptr,
                       wire::policy_request(context, action, "arn:aws:s3:::b/k"))
        .allowed;
  }
  wire::Principal principal_of(const std::string& access_key_id) {
    return (*account_.service->find(access_key_id))->principal;
  }
  wire::Principal ann() {
    account_.user("ann");
    const auto key = account_.ask(&Service::create_access_key, {"ann"});
    return principal_of(key->access_key.access_key_id);
  }
  wire::Principal session(SessionLimits limits = {}) {
    const auto made = account_.ask(account_.service->assume_role(kRole, "s", 900s, limits));
    return principal_of(made->access_key_id);
  }

  std::unique_ptr<ObservedStore> observed(store::Store& inner) {
    auto made = std::make_unique<ObservedStore>(inner);
    store_ = made.get();
    return made;
  }

  std::unique_ptr<store::Store> memory_ = store::open_memory_store();
  ObservedStore* store_ = nullptr;
  TestingAccount account_{observed(*memory_)};
  Authoriser authoriser_{{*store_, *account_.service, *account_.service, account_.clock},
                         "123456789012"};
};

TEST_F(IamAuthoriser, AChangeCountsForTheNextRequest) {
  const wire::Principal principal = ann();
  EXPECT_FALSE(may(principal));
  ASSERT_TRUE(account_.ask(&Service::put_user_policy, {"ann", "p", kPolicy}).has_value());
  EXPECT_TRUE(may(principal));
  EXPECT_FALSE(may(principal, "sqs:SendMessage"));
  ASSERT_TRUE(account_.ask(&Service::delete_user_policy, {"ann", "p"}).has_value());
  EXPECT_FALSE(may(principal));
}

TEST_F(IamAuthoriser, WhatWasReadIsKeptWhileNothingChanges) {
  const wire::Principal principal = ann();
  const auto first = authoriser_.permissions_of(principal);
  EXPECT_EQ(*first, *authoriser_.permissions_of(principal));
  account_.user("bob");
  EXPECT_NE(*first, *authoriser_.permissions_of(principal));
}

TEST_F(IamAuthoriser, ABoundaryWhosePolicyAllowsLessNarrows) {
  const wire::Principal principal = ann();
  account_.policy("p");
  ASSERT_TRUE(
      account_
          .ask(&Service::attach_user_policy, {"ann", "arn:aws:iam::aws:policy/AdministratorAccess"})
          .has_value());
  EXPECT_TRUE(may(principal, "sqs:SendMessage"));
  ASSERT_TRUE(
      account_
          .ask(&Service::put_user_permissions_boundary, {"ann", TestingAccount::policy_arn("p")})
          .has_value());
  EXPECT_FALSE(may(principal, "sqs:SendMessage"));
  EXPECT_TRUE(may(principal));
}

TEST_F(IamAuthoriser, ASessionHasItsRolesRightsWithinItsOwn) {
  account_.role("r");
  EXPECT_FALSE(may(session()));
  ASSERT_TRUE(account_.ask(&Service::put_role_policy, {"r", "p", kPolicy}).has_value());
  EXPECT_TRUE(may(session()));
  SessionLimits limits;
  limits.policy = R"({"Version":"2012-10-17","Statement":)"
                  R"({"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}})";
  EXPECT_FALSE(may(session(limits)));
  EXPECT_TRUE(may(session(limits), "s3:PutObject"));
}

TEST_F(IamAuthoriser, SessionsOfADeletedRoleHaveNoRightsWhenItsNameComesBack) {
  account_.role("r");
  ASSERT_TRUE(account_.ask(&Service::put_role_policy, {"r", "p", kPolicy}).has_value());
  const wire::Principal old = session();
  ASSERT_TRUE(account_.ask(&Service::delete_role_policy, {"r", "p"}).has_value());
  ASSERT_TRUE(account_.ask(&Service::delete_role, {"r"}).has_value());
  EXPECT_FALSE(may(old));
  account_.role("r");
  ASSERT_TRUE(account_.ask(&Service::put_role_policy, {"r", "p", kPolicy}).has_value());
  EXPECT_FALSE(may(old));
  EXPECT_TRUE(may(session()));
}

TEST_F(IamAuthoriser, AFederatedUserWithoutAPolicyHasNoRights) {
  const wire::Principal user = ann();
  ASSERT_TRUE(account_.ask(&Service::put_user_policy, {"ann", "p", kPolicy}).has_value());
  const auto none = account_.ask(account_.service->federate(user.access_key_id, "bob", 900s, {}));
  EXPECT_FALSE(may(principal_of(none->access_key_id)));
  SessionLimits limits;
  limits.policy = kPolicy;
  const auto some =
      account_.ask(account_.service->federate(user.access_key_id, "bob", 900s, limits));
  EXPECT_TRUE(may(principal_of(some->access_key_id)));
}

TEST_F(IamAuthoriser, AServiceHasARoleThatTrustsIt) {
  EXPECT_FALSE(*authoriser_.trusts(kRole, "lambda.amazonaws.com"));
  account_.role("r");
  EXPECT_TRUE(*authoriser_.trusts(kRole, "lambda.amazonaws.com"));
  EXPECT_FALSE(*authoriser_.trusts(kRole, "ec2.amazonaws.com"));
}

TEST_F(IamAuthoriser, ARolesOwnPoliciesSayWhatItMay) {
  account_.role("r");
  EXPECT_FALSE(*authoriser_.role_may(kRole, "us-east-1", "s3:GetObject", "arn:aws:s3:::b"));
  ASSERT_TRUE(account_.ask(&Service::put_role_policy, {"r", "p", kPolicy}).has_value());
  EXPECT_TRUE(*authoriser_.role_may(kRole, "us-east-1", "s3:GetObject", "arn:aws:s3:::b"));
  EXPECT_FALSE(*authoriser_.role_may(kRole, "us-east-1", "sqs:SendMessage", "*"));
}

TEST_F(IamAuthoriser, ARoleThatIsNotThereGivesNoCredentials) {
  const auto made = account_.ask(account_.service->assume(kRole, "s", 900s));
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().row->code, "NoSuchEntityException");
}

}  // namespace
}  // namespace terrarium::iam
