// Who may call what: the router asks before the service is called.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generated/ec2/model.h"
#include "generated/ec2/permissions.h"
#include "generated/iam/permissions.h"
#include "generated/lambda/model.h"
#include "generated/lambda/permissions.h"
#include "generated/logs/model.h"
#include "generated/logs/permissions.h"
#include "generated/sqs/model.h"
#include "generated/sqs/permissions.h"
#include "generated/sts/model.h"
#include "generated/sts/permissions.h"
#include "terrarium/wire/identity_policy.h"
#include "terrarium/wire/router_fixture.h"

namespace terrarium::wire::testing {
namespace {

using ::testing::HasSubstr;

class Authorisation : public RouterTest {
 protected:
  Authorisation() {
    Key user{.secret = "secret", .session_token = {}, .expiration = {}, .principal = {}};
    user.principal = {PrincipalKind::User, "000000000000", "arn:aws:iam::000000000000:user/ann",
                      "AIDA1", "ANN"};
    keys_.keys["ANN"] = user;
    router_.add(EntryBuilder(sqs::kModel)
                    .on<sqs::CreateQueueRequest, sqs::CreateQueueResult>(
                        "CreateQueue",
                        [this](const Context&, sqs::CreateQueueRequest) {
                          ++calls_;
                          return base::Result<sqs::CreateQueueResult>(sqs::CreateQueueResult{});
                        })
                    .build(),
                {sqs::kPermissions, {}});
    router_.add(
        EntryBuilder(logs::kModel)
            .on<logs::PutLogEventsRequest, logs::PutLogEventsResponse>(
                "PutLogEvents",
                [this](const Context&, logs::PutLogEventsRequest) {
                  ++calls_;
                  return base::Result<logs::PutLogEventsResponse>(logs::PutLogEventsResponse{});
                })
            .build(),
        {logs::kPermissions, {}});
    ServiceEntry functions = EntryBuilder(lambda::kModel)
                                 .on<lambda::CreateFunctionRequest, lambda::FunctionConfiguration>(
                                     "CreateFunction",
                                     [this](const Context&, lambda::CreateFunctionRequest) {
                                       ++calls_;
                                       return base::Result<lambda::FunctionConfiguration>(
                                           lambda::FunctionConfiguration{});
                                     })
                                 .build();
    const auto arn = [](const Context&, std::string_view kind, std::string_view name) {
      return "arn:aws:lambda:us-east-1:000000000000:" + std::string(kind) + ":" + std::string(name);
    };
    router_.add(std::move(functions), {lambda::kPermissions, arn});
  }

  void add_sts(ServicePermissions permissions) {
    router_.add(EntryBuilder(sts::kModel)
                    .on<Empty, sts::GetCallerIdentityResponse>(
                        "GetCallerIdentity",
                        [this](const Context&, Empty) {
                          ++calls_;
                          return base::Result<sts::GetCallerIdentityResponse>(
                              sts::GetCallerIdentityResponse{});
                        })
                    .build(),
                std::move(permissions));
  }

  // Instances whose ids end in 1 are tagged team=a.
  void add_ec2() {
    const auto arn = [](const Context&, std::string_view, std::string_view name) {
      return "arn:aws:ec2:us-east-1:000000000000:instance/" + std::string(name);
    };
    const auto conditions = [](const Context&, const MemberText& member, PolicyRequest& asked) {
      if (asked.resource.ends_with("1")) asked.context["aws:resourcetag/team"] = {"a"};
      if (asked.resource.ends_with("/*")) {
        asked.context["ec2:instancetype"] = {member("InstanceType")};
      }
    };
    router_.add(EntryBuilder(ec2::kModel)
                    .on<ec2::StopInstancesRequest, ec2::StopInstancesResult>(
                        "StopInstances",
                        [this](const Context&, ec2::StopInstancesRequest) {
                          ++calls_;
                          return base::Result<ec2::StopInstancesResult>(ec2::StopInstancesResult{});
                        })
                    .on<ec2::RunInstancesRequest, ec2::Reservation>(
                        "RunInstances",
                        [this](const Context&, ec2::RunInstancesRequest) {
                          ++calls_;
                          return base::Result<ec2::Reservation>(ec2::Reservation{});
                        })
                    .build(),
                {ec2::kPermissions, arn, conditions});
  }
  Received call_ec2(const std::string& parameters) {
    return as_ann("ec2", request("POST", "/", parameters + "&Version=2016-11-15",
                                 {{"Content-Type", "application/x-www-form-urlencoded"}}));
  }

  void allow(const std::string& statements) {
    auto policy =
        parse_identity_policy(R"({"Version":"2012-10-17","Statement":[)" + statements + "]}");
    ASSERT_TRUE(policy.has_value()) << base::describe(policy.error());
    Permissions permissions;
    permissions.identity = {*std::move(policy)};
    authoriser_.permissions["arn:aws:iam::000000000000:user/ann"] =
        std::make_shared<const Permissions>(std::move(permissions));
  }

  Received as_ann(const std::string& service, Sent sent) {
    credentials_.access_key_id = "ANN";
    return send(signed_for(service, std::move(sent)));
  }
  Received create_queue(const std::string& more = {}) {
    return as_ann("sqs", request("POST", "/", R"({"QueueName":"q")" + more + "}",
                                 {{"Content-Type", "application/x-amz-json-1.0"},
                                  {"X-Amz-Target", "AmazonSQS.CreateQueue"}}));
  }
  Received put_log_events() {
    return as_ann("logs", request("POST", "/",
                                  R"({"logGroupName":"g","logStreamName":"s","logEvents":[)"
                                  R"({"timestamp":1,"message":"m"}]})",
                                  {{"Content-Type", "application/x-amz-json-1.1"},
                                   {"X-Amz-Target", "Logs_20140328.PutLogEvents"}}));
  }
  Received create_function() {
    return as_ann("lambda",
                  request("POST", "/2015-03-31/functions",
                          R"({"FunctionName":"f","Role":"arn:aws:iam::000000000000:role/r",)"
                          R"("Code":{}})",
                          {{"Content-Type", "application/json"}}));
  }

  int calls_ = 0;
};

TEST_F(Authorisation, AUserWithoutPoliciesIsDeniedInAWSsWords) {
  const Received refused = create_queue();
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.header("x-amzn-query-error"), "AccessDenied;Sender");
  EXPECT_THAT(refused.body,
              HasSubstr("User: arn:aws:iam::000000000000:user/ann is not authorized to perform: "
                        "sqs:CreateQueue on resource: arn:aws:sqs:us-east-1:000000000000:q because "
                        "no identity-based policy allows the sqs:CreateQueue action"));
  EXPECT_EQ(calls_, 0);
}

TEST_F(Authorisation, RootIsNeverAsked) {
  send(signed_for("sqs", request("POST", "/", R"({"QueueName":"q"})",
                                 {{"Content-Type", "application/x-amz-json-1.0"},
                                  {"X-Amz-Target", "AmazonSQS.CreateQueue"}})));
  EXPECT_EQ(calls_, 1);
}

TEST_F(Authorisation, TheResourceIsMadeOfTheRequest) {
  allow(R"({"Effect":"Allow","Action":"sqs:*",)"
        R"("Resource":"arn:aws:sqs:us-east-1:000000000000:q"},)"
        R"({"Effect":"Allow","Action":"logs:*",)"
        R"("Resource":"arn:aws:logs:us-east-1:000000000000:log-group:g:*"})");
  EXPECT_EQ(create_queue().status, 200);
  EXPECT_EQ(put_log_events().status, 200);
  allow(R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:sqs:us-east-1:000000000000:other"})");
  EXPECT_EQ(create_queue().status, 400);
  EXPECT_THAT(put_log_events().body,
              HasSubstr("logs:PutLogEvents on resource: "
                        "arn:aws:logs:us-east-1:000000000000:log-group:g:log-stream:s because"));
}

TEST_F(Authorisation, AnOperationMayNeedSeveralActions) {
  allow(R"({"Effect":"Allow","Action":"lambda:*","Resource":"*"})");
  const Received refused = create_function();
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.header("x-amzn-ErrorType"), "AccessDeniedException");
  EXPECT_THAT(refused.body,
              HasSubstr("iam:PassRole on resource: arn:aws:iam::000000000000:role/r"));
  allow(R"({"Effect":"Allow","Action":["lambda:*","iam:PassRole"],"Resource":"*",)"
        R"("Condition":{"StringEqualsIfExists":{"iam:PassedToService":"lambda.amazonaws.com"}}})");
  EXPECT_EQ(create_function().status, 201);
}

TEST_F(Authorisation, TagsOfTheRequestAreConditionKeys) {
  allow(R"({"Effect":"Allow","Action":"sqs:CreateQueue","Resource":"*",)"
        R"("Condition":{"StringEquals":{"aws:RequestTag/team":"a"}}})");
  EXPECT_EQ(create_queue().status, 400);
  EXPECT_EQ(create_queue(R"(,"tags":{"Team":"a"})").status, 200);
  EXPECT_EQ(create_queue(R"(,"tags":{"team":"b"})").status, 400);
}

TEST_F(Authorisation, EveryResourceOfAListIsAskedFor) {
  add_ec2();
  allow(R"({"Effect":"Allow","Action":"ec2:StopInstances",)"
        R"("Resource":"arn:aws:ec2:us-east-1:000000000000:instance/i-?"})");
  EXPECT_EQ(call_ec2("Action=StopInstances&InstanceId.1=i-1&InstanceId.2=i-2").status, 200);
  const Received refused = call_ec2("Action=StopInstances&InstanceId.1=i-1&InstanceId.2=i-22");
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("UnauthorizedOperation"));
}

TEST_F(Authorisation, AServiceAddsItsOwnConditionKeys) {
  add_ec2();
  allow(R"({"Effect":"Allow","Action":"ec2:*","Resource":"*",)"
        R"("Condition":{"StringEquals":{"aws:ResourceTag/team":"a"}}})");
  EXPECT_EQ(call_ec2("Action=StopInstances&InstanceId.1=i-1").status, 200);
  EXPECT_EQ(call_ec2("Action=StopInstances&InstanceId.1=i-2").status, 403);
}

TEST_F(Authorisation, ADryRunTellsWhoMayNot) {
  add_ec2();
  EXPECT_EQ(call_ec2("Action=StopInstances&InstanceId.1=i-1&DryRun=true").status, 403);
  allow(R"({"Effect":"Allow","Action":"ec2:*","Resource":"*"})");
  EXPECT_EQ(call_ec2("Action=StopInstances&InstanceId.1=i-1&DryRun=true").status, 412);
}

TEST_F(Authorisation, TagsAreThoseOfTheKindThatIsMade) {
  add_ec2();
  allow(R"({"Effect":"Allow","Action":"ec2:RunInstances","Resource":"*",)"
        R"("Condition":{"StringEqualsIfExists":{"ec2:InstanceType":"t2.nano"},)"
        R"("StringEquals":{"aws:RequestTag/team":"a"}}})");
  const auto run = [this](const std::string& type, const std::string& kind) {
    return call_ec2("Action=RunInstances&MinCount=1&MaxCount=1&InstanceType=" + type +
                    "&TagSpecification.1.ResourceType=" + kind +
                    "&TagSpecification.1.Tag.1.Key=team&TagSpecification.1.Tag.1.Value=a")
        .status;
  };
  EXPECT_EQ(run("t2.nano", "instance"), 200);
  EXPECT_EQ(run("t2.micro", "instance"), 403);
  EXPECT_EQ(run("t2.nano", "volume"), 403);
}

TEST_F(Authorisation, ADenyByTheTagsOfAResourceHoldsWhereNobodyKnowsThem) {
  allow(R"({"Effect":"Allow","Action":"*","Resource":"*"},)"
        R"({"Effect":"Deny","Action":"sqs:*","Resource":"*",)"
        R"("Condition":{"StringEquals":{"aws:ResourceTag/env":"production"}}})");
  EXPECT_EQ(create_queue().status, 400);
}

TEST_F(Authorisation, WhoOneIsMayAlwaysBeAsked) {
  add_sts({sts::kPermissions, {}});
  const Received answer =
      as_ann("sts", request("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15",
                            {{"Content-Type", "application/x-www-form-urlencoded"}}));
  EXPECT_EQ(answer.status, 200);
}

TEST_F(Authorisation, AServiceWithoutATableNeedsTheActionOfTheOperationsName) {
  add_sts({});
  const auto ask = [this] {
    return as_ann("sts", request("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15",
                                 {{"Content-Type", "application/x-www-form-urlencoded"}}));
  };
  EXPECT_THAT(ask().body, HasSubstr("sts:GetCallerIdentity on resource: * because"));
  allow(R"({"Effect":"Allow","Action":"sts:Get*","Resource":"*"})");
  EXPECT_EQ(ask().status, 200);
}

TEST_F(Authorisation, EveryOperationNeedsAnActionUnlessItAsksForItself) {
  const auto asked = [](std::span<const OperationPermissions> all) {
    std::vector<std::string_view> none;
    for (const OperationPermissions& operation : all) {
      if (operation.needed.empty()) none.push_back(operation.operation);
    }
    return none;
  };
  EXPECT_TRUE(asked(iam::kPermissions).empty());
  EXPECT_TRUE(asked(logs::kPermissions).empty());
  EXPECT_THAT(asked(lambda::kPermissions),
              ::testing::ElementsAre("Invoke", "InvokeAsync", "InvokeWithResponseStream"));
}

}  // namespace
}  // namespace terrarium::wire::testing
