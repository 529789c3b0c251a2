#include "terrarium/wire/policy.h"

#include <gtest/gtest.h>

namespace terrarium::wire {
namespace {

constexpr std::string_view kQueue = "arn:aws:sqs:us-east-1:000000000000:pictures";
constexpr base::Timestamp kNow{std::chrono::seconds(1'700'000'000)};

std::string document(std::string_view statements) {
  return R"({"Version":"2012-10-17","Statement":)" + std::string(statements) + "}";
}

Policy policy(std::string_view statements) {
  static constexpr std::string_view kKeys[] = {"s3:prefix", "s3:max-keys"};
  auto parsed = Policy::parse(document(statements), kKeys);
  EXPECT_TRUE(parsed.has_value()) << base::describe(parsed.error());
  return *std::move(parsed);
}

// A statement that allows everybody everything under `condition`.
Policy conditional(std::string_view condition) {
  return policy(R"({"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":)" +
                std::string(condition) + "}");
}

PolicyRequest from_bucket(std::string bucket, std::string account = "000000000000") {
  return policy_request_of_service("s3.amazonaws.com", "arn:aws:s3:::" + bucket, account, kNow,
                                   "sqs:SendMessage", std::string(kQueue));
}

PolicyRequest request_of(Principal principal, std::string action, std::string resource) {
  return {std::move(principal), std::move(action), std::move(resource), {}};
}

bool holds(std::string_view condition, ConditionContext context) {
  PolicyRequest request{{}, "sqs:SendMessage", std::string(kQueue), std::move(context)};
  return conditional(condition).evaluate(request) == Decision::Allow;
}

TEST(Policy, BucketMaySendToTheQueueThatNamesIt) {
  const Policy allow = policy(R"([{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},
      "Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:000000000000:pictures",
      "Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:*:*:raw-*"},
                   "StringEquals":{"AWS:SourceAccount":"000000000000"}}}])");
  EXPECT_EQ(allow.evaluate(from_bucket("raw-images")), Decision::Allow);
  EXPECT_EQ(allow.evaluate(from_bucket("other")), Decision::None);
  EXPECT_EQ(allow.evaluate(from_bucket("raw-images", "111111111111")), Decision::None);
  PolicyRequest receive = from_bucket("raw-images");
  receive.action = "sqs:ReceiveMessage";
  EXPECT_EQ(allow.evaluate(receive), Decision::None);
  PolicyRequest elsewhere = from_bucket("raw-images");
  elsewhere.resource += "2";
  EXPECT_EQ(allow.evaluate(elsewhere), Decision::None);
  PolicyRequest other_service = from_bucket("raw-images");
  other_service.principal.arn = "sns.amazonaws.com";
  EXPECT_EQ(allow.evaluate(other_service), Decision::None);
}

TEST(Policy, ExplicitDenyWinsWhereverItStands) {
  const Policy both = policy(R"([
      {"Effect":"Deny","Principal":"*","Action":"s3:GetObject",
       "Resource":"arn:aws:s3:::b/secret/*"},
      {"Effect":"Allow","Principal":"*","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*"}])");
  EXPECT_EQ(both.evaluate(request_of({}, "s3:GetObject", "arn:aws:s3:::b/a")), Decision::Allow);
  EXPECT_EQ(both.evaluate(request_of({}, "s3:GetObject", "arn:aws:s3:::b/secret/a")),
            Decision::Deny);
  EXPECT_EQ(both.evaluate(request_of({}, "s3:PutObject", "arn:aws:s3:::b/a")), Decision::None);
  EXPECT_EQ(both.evaluate(request_of({}, "s3:GetObject", "arn:aws:s3:::bb/a")), Decision::None);
}

TEST(Policy, PrincipalsAreToldApart) {
  const Principal root{
      PrincipalKind::Root, "000000000000", "arn:aws:iam::000000000000:root", "000000000000", {}};
  const Principal user{
      PrincipalKind::User, "000000000000", "arn:aws:iam::000000000000:user/ada", "AIDAX", {}};
  const Principal session{PrincipalKind::AssumedRole,
                          "000000000000",
                          "arn:aws:sts::000000000000:assumed-role/web/i-1",
                          "AROAX:i-1",
                          {}};
  const auto decide = [](std::string_view effect, std::string_view who, const Principal& caller) {
    return policy(R"({"Effect":")" + std::string(effect) + R"(","Principal":)" + std::string(who) +
                  R"(,"Action":"*","Resource":"*"})")
        .evaluate(request_of(caller, "s3:GetObject", "arn:aws:s3:::b/a"));
  };
  constexpr std::string_view kAccount = R"({"AWS":"000000000000"})";
  EXPECT_EQ(decide("Allow", kAccount, root), Decision::Allow);
  EXPECT_EQ(decide("Allow", kAccount, user), Decision::None);
  EXPECT_EQ(decide("Deny", kAccount, user), Decision::Deny);
  EXPECT_EQ(decide("Allow", kAccount, Principal{}), Decision::None);
  EXPECT_EQ(decide("Allow", R"({"AWS":["arn:aws:iam::000000000000:user/ada"]})", user),
            Decision::Allow);
  EXPECT_EQ(decide("Allow", R"({"AWS":"AIDAX"})", user), Decision::Allow);
  EXPECT_EQ(decide("Allow", R"({"AWS":"arn:aws:iam::000000000000:role/path/web"})", session),
            Decision::Allow);
  EXPECT_EQ(decide("Allow", R"({"AWS":"arn:aws:iam::000000000000:role/we"})", session),
            Decision::None);
  EXPECT_EQ(decide("Allow", R"({"AWS":"AROAX"})", session), Decision::Allow);
  EXPECT_EQ(decide("Allow", R"({"AWS":"*"})", Principal{}), Decision::Allow);
}

TEST(Policy, NotActionAndNotResourceTurnTheMatchRound) {
  const Policy others = policy(R"({"Effect":"Deny","Principal":"*","NotAction":"s3:Get*",
                                   "NotResource":"arn:aws:s3:::b/open/*"})");
  EXPECT_EQ(others.evaluate(request_of({}, "s3:PutObject", "arn:aws:s3:::b/a")), Decision::Deny);
  EXPECT_EQ(others.evaluate(request_of({}, "s3:getobject", "arn:aws:s3:::b/a")), Decision::None);
  EXPECT_EQ(others.evaluate(request_of({}, "s3:PutObject", "arn:aws:s3:::b/open/a")),
            Decision::None);
}

TEST(PolicyCondition, StringOperators) {
  const ConditionContext prefix{{"s3:prefix", {"home/ada"}}};
  EXPECT_TRUE(holds(R"({"StringEquals":{"s3:prefix":["x","home/ada"]}})", prefix));
  EXPECT_FALSE(holds(R"({"StringEquals":{"s3:prefix":"home/*"}})", prefix));
  EXPECT_TRUE(holds(R"({"StringLike":{"s3:prefix":"home/*"}})", prefix));
  EXPECT_TRUE(holds(R"({"StringLike":{"s3:prefix":"h?me/a*a"}})", prefix));
  EXPECT_FALSE(holds(R"({"StringNotLike":{"s3:prefix":["x","home/*"]}})", prefix));
  EXPECT_TRUE(holds(R"({"StringEqualsIgnoreCase":{"s3:prefix":"HOME/ada"}})", prefix));
  EXPECT_FALSE(holds(R"({"StringEquals":{"s3:prefix":"x"}})", {}));
  EXPECT_TRUE(holds(R"({"StringNotEquals":{"s3:prefix":"x"}})", {}));
  EXPECT_TRUE(holds(R"({"StringEqualsIfExists":{"s3:prefix":"x"}})", {}));
  EXPECT_FALSE(holds(R"({"StringEqualsIfExists":{"s3:prefix":"x"}})", prefix));
}

TEST(PolicyCondition, NumbersDatesAndBooleans) {
  const ConditionContext keys{{"s3:max-keys", {"10"}}};
  EXPECT_TRUE(holds(R"({"NumericLessThanEquals":{"s3:max-keys":10}})", keys));
  EXPECT_FALSE(holds(R"({"NumericLessThan":{"s3:max-keys":"10"}})", keys));
  EXPECT_TRUE(holds(R"({"NumericNotEquals":{"s3:max-keys":"9"}})", keys));
  EXPECT_FALSE(holds(R"({"NumericEquals":{"s3:max-keys":"10"}})", {{"s3:max-keys", {"ten"}}}));
  const ConditionContext time{{"aws:currenttime", {"2023-11-14T22:13:20Z"}}};
  EXPECT_TRUE(holds(R"({"DateGreaterThan":{"aws:CurrentTime":"2023-11-14"}})", time));
  EXPECT_FALSE(holds(R"({"DateGreaterThan":{"aws:CurrentTime":"2023-11-14T22:13:20Z"}})", time));
  const ConditionContext plain{{"aws:securetransport", {"false"}}};
  EXPECT_TRUE(holds(R"({"Bool":{"aws:SecureTransport":false}})", plain));
  EXPECT_FALSE(holds(R"({"Bool":{"aws:SecureTransport":"true"}})", plain));
  EXPECT_TRUE(holds(R"({"Null":{"aws:SourceArn":"true"}})", plain));
  EXPECT_FALSE(holds(R"({"Null":{"aws:SecureTransport":"true"}})", plain));
}

TEST(PolicyCondition, Addresses) {
  const ConditionContext v4{{"aws:sourceip", {"10.1.2.3"}}};
  EXPECT_TRUE(holds(R"({"IpAddress":{"aws:SourceIp":["192.0.2.0/24","10.1.2.0/23"]}})", v4));
  EXPECT_FALSE(holds(R"({"IpAddress":{"aws:SourceIp":"10.1.2.128/25"}})", v4));
  EXPECT_TRUE(holds(R"({"IpAddress":{"aws:SourceIp":"10.1.2.3"}})", v4));
  EXPECT_FALSE(holds(R"({"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}})", v4));
  EXPECT_FALSE(holds(R"({"IpAddress":{"aws:SourceIp":"::/0"}})", v4));
  EXPECT_TRUE(holds(R"({"IpAddress":{"aws:SourceIp":"2001:db8::/33"}})",
                    {{"aws:sourceip", {"2001:db8:7fff::1"}}}));
}

TEST(PolicyCondition, ArnPartsAreMatchedOneByOne) {
  const ConditionContext arn{{"aws:sourcearn", {"arn:aws:s3:::bucket"}}};
  EXPECT_TRUE(holds(R"({"ArnEquals":{"aws:SourceArn":"arn:aws:s3:*:*:bucket"}})", arn));
  // One star does not reach over a colon.
  EXPECT_FALSE(holds(R"({"ArnLike":{"aws:SourceArn":"arn:aws:s*:*:bucket:*"}})", arn));
  EXPECT_FALSE(Policy::parse(document(R"({"Effect":"Allow","Principal":"*","Action":"*",
      "Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:*bucket"}}})"))
                   .has_value());
  EXPECT_TRUE(holds(R"({"ArnNotLike":{"aws:SourceArn":"arn:aws:s3:::other*"}})", arn));
}

TEST(PolicyCondition, SetsOfValues) {
  const ConditionContext two{{"s3:prefix", {"a", "b"}}};
  EXPECT_TRUE(holds(R"({"ForAnyValue:StringEquals":{"s3:prefix":["b","c"]}})", two));
  EXPECT_FALSE(holds(R"({"ForAllValues:StringEquals":{"s3:prefix":["b","c"]}})", two));
  EXPECT_TRUE(holds(R"({"ForAllValues:StringEquals":{"s3:prefix":["b","a"]}})", two));
  EXPECT_TRUE(holds(R"({"ForAllValues:StringEquals":{"s3:prefix":"z"}})", {}));
  EXPECT_FALSE(holds(R"({"ForAnyValue:StringEquals":{"s3:prefix":"z"}})", {}));
}

TEST(PolicyCondition, VariablesAreFilledInButBringNoWildcards) {
  const Policy own = policy(R"({"Effect":"Allow","Principal":"*","Action":"s3:GetObject",
                                "Resource":"arn:aws:s3:::b/${aws:username}/*"})");
  PolicyRequest request = request_of({}, "s3:GetObject", "arn:aws:s3:::b/ada/x");
  EXPECT_EQ(own.evaluate(request), Decision::None);
  request.context["aws:username"] = {"ada"};
  EXPECT_EQ(own.evaluate(request), Decision::Allow);
  request.context["aws:username"] = {"*"};
  EXPECT_EQ(own.evaluate(request), Decision::None);
  EXPECT_TRUE(holds(R"({"StringLike":{"s3:prefix":"a${*}"}})", {{"s3:prefix", {"a*"}}}));
  EXPECT_FALSE(holds(R"({"StringLike":{"s3:prefix":"a${*}"}})", {{"s3:prefix", {"ab"}}}));
}

TEST(Policy, WhatIsNotUnderstoodIsRefused) {
  const auto refused = [](std::string_view statement) {
    return !Policy::parse(document(statement)).has_value();
  };
  constexpr std::string_view kRest = R"("Effect":"Allow","Action":"sqs:*","Resource":"*")";
  const auto with = [&](std::string_view more) {
    return "{" + std::string(kRest) + "," + std::string(more) + "}";
  };
  EXPECT_FALSE(refused(with(R"("Principal":"*")")));
  EXPECT_TRUE(refused(with(R"("Sid":"x")")));
  EXPECT_TRUE(refused(with(R"("Principal":"ada")")));
  EXPECT_TRUE(refused(with(R"("Principal":{"AWS":[]})")));
  EXPECT_TRUE(refused(with(R"("Principal":{"AWS":"arn:aws:iam::000000000000:user/*"})")));
  EXPECT_TRUE(refused(with(R"("Principal":{"Federated":"x"})")));
  EXPECT_TRUE(refused(with(R"("NotPrincipal":"*")")));
  EXPECT_TRUE(refused(with(R"("Principal":"*","Extra":1)")));
  for (const std::string_view condition :
       {R"({"StringMatches":{"aws:SourceArn":"x"}})", R"({"StringEquals":{"aws:Unknown":"x"}})",
        R"({"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}})", R"({"BinaryEquals":{"aws:userid":"x"}})",
        R"({"NumericEquals":{"aws:EpochTime":"soon"}})", R"({"Bool":{"aws:SecureTransport":"1"}})",
        R"({"StringEquals":"x"})", R"({"NullIfExists":{"aws:userid":"true"}})", R"([])"}) {
    EXPECT_TRUE(refused(with(R"("Principal":"*","Condition":)" + std::string(condition))))
        << condition;
  }
  EXPECT_TRUE(refused(R"({"Effect":"Maybe","Principal":"*","Action":"s3:*","Resource":"*"})"));
  EXPECT_TRUE(refused(R"({"Effect":"Allow","Principal":"*","Action":"send","Resource":"*"})"));
  EXPECT_TRUE(refused(R"({"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"b/*"})"));
  EXPECT_TRUE(refused("[]"));
  for (const std::string_view text : {"", "{", "[]", R"({"Version":"2012-10-17"})",
                                      R"({"Version":"2020-01-01","Statement":[]})"}) {
    EXPECT_FALSE(Policy::parse(text).has_value()) << text;
  }
}

TEST(Policy, PublicIsWhatNoFixedCallerNarrows) {
  EXPECT_TRUE(policy(R"({"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"})")
                  .is_public());
  EXPECT_FALSE(
      policy(R"({"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"})").is_public());
  EXPECT_FALSE(policy(R"({"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"*",
                          "Resource":"*"})")
                   .is_public());
  EXPECT_FALSE(conditional(R"({"StringEquals":{"aws:SourceAccount":"1"}})").is_public());
  EXPECT_TRUE(conditional(R"({"StringLike":{"aws:SourceAccount":"*"}})").is_public());
  EXPECT_TRUE(conditional(R"({"StringEqualsIfExists":{"aws:SourceAccount":"1"}})").is_public());
  EXPECT_TRUE(conditional(R"({"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}})").is_public());
  EXPECT_FALSE(conditional(R"({"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}})").is_public());
  EXPECT_TRUE(conditional(R"({"Bool":{"aws:SecureTransport":"true"}})").is_public());
}

}  // namespace
}  // namespace terrarium::wire
