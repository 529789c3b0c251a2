#include "terrarium/services/lambda/testing_region.h"

namespace terrarium::lambda {
namespace {

using namespace std::chrono_literals;

template <class T>
std::string refusal(const base::Result<T>& result) {
  if (result) return "";
  return std::string(result.error().row != nullptr ? result.error().row->code : "?") + ": " +
         result.error().message;
}

class Versions : public testing::Test {
 protected:
  Versions() { region.create(); }
  FunctionConfiguration publish() {
    PublishVersionRequest request;
    request.function_name = "f";
    auto made = region.ask(region.service->publish_version(region.context, request));
    EXPECT_TRUE(made.has_value()) << refusal(made);
    return made.value_or(FunctionConfiguration{});
  }
  void change(std::string description) {
    UpdateFunctionConfigurationRequest request;
    request.function_name = "f";
    request.description = std::move(description);
    const auto done =
        region.ask(region.service->update_function_configuration(region.context, request));
    EXPECT_TRUE(done.has_value()) << refusal(done);
  }
  base::Result<AliasConfiguration> create_alias(std::string name, std::string version,
                                                std::map<std::string, double> weights = {}) {
    CreateAliasRequest request;
    request.function_name = "f";
    request.name = std::move(name);
    request.function_version = std::move(version);
    if (!weights.empty()) {
      request.routing_config.emplace().additional_version_weights = std::move(weights);
    }
    return region.ask(region.service->create_alias(region.context, request));
  }
  base::Result<FunctionConfiguration> get(std::string qualifier) {
    GetFunctionConfigurationRequest request;
    request.function_name = "f";
    request.qualifier = std::move(qualifier);
    return region.ask(region.service->get_function_configuration(region.context, request));
  }
  base::Result<wire::Empty> remove(std::string qualifier) {
    DeleteFunctionRequest request;
    request.function_name = "f";
    if (!qualifier.empty()) request.qualifier = std::move(qualifier);
    return region.ask(region.service->delete_function(region.context, request));
  }
  InvocationResponse invoke(std::string qualifier) {
    region.context.request_id = region.random.uuid();
    InvocationRequest request;
    request.function_name = "f:" + qualifier;
    const auto pending = region.begin(region.service->invoke(region.context, request));
    EXPECT_TRUE(pending->answer && *pending->answer);
    return pending->answer && *pending->answer ? **pending->answer : InvocationResponse{};
  }

  TestingRegion region;
};

TEST_F(Versions, ArePublishedWhenSomethingChangedAndNumberedOnce) {
  EXPECT_EQ(publish().version, "1");
  EXPECT_EQ(publish().version, "1") << "nothing changed";
  change("second");
  EXPECT_EQ(publish().version, "2");
  EXPECT_EQ(get("1")->description, "");
  EXPECT_EQ(get("2")->description, "second");
  ASSERT_TRUE(remove("2").has_value());
  EXPECT_EQ(publish().version, "3") << "a number is not given out again";
  EXPECT_NE(refusal(get("2")).find("Function not found"), std::string::npos);
}

TEST_F(Versions, RunTheirOwnConfiguration) {
  publish();
  change("later");
  EXPECT_EQ(invoke("1").executed_version, "1");
  EXPECT_EQ(invoke("$LATEST").executed_version, "$LATEST");
  ASSERT_EQ(region.sandbox.started().size(), 2U) << "no environment is shared between versions";
  EXPECT_EQ(region.sandbox.started()[0]->spec.env.at("AWS_LAMBDA_FUNCTION_VERSION"), "1");
}

TEST_F(Versions, AConcurrentUpdateIsAConflict) {
  UpdateFunctionCodeRequest request;
  request.function_name = "f";
  request.revision_id = "another";
  request.zip_file = zip_of({{"bootstrap", "#!/bin/sh\nx\n", 0755}});
  EXPECT_TRUE(refusal(region.ask(region.service->update_function_code(region.context, request)))
                  .starts_with("PreconditionFailedException"));
  request.revision_id.reset();
  request.publish = true;
  const auto updated = region.ask(region.service->update_function_code(region.context, request));
  ASSERT_TRUE(updated.has_value()) << refusal(updated);
  EXPECT_EQ(updated->version, "1");
  EXPECT_EQ(updated->state, "Pending");
  EXPECT_NE(updated->revision_id, get("$LATEST")->revision_id);
}

TEST_F(Versions, AliasesSplitByWeight) {
  publish();
  change("second");
  publish();
  const auto made = create_alias("live", "1", {{"2", 0.25}});
  ASSERT_TRUE(made.has_value()) << refusal(made);
  int second = 0;
  for (int i = 0; i < 400; ++i) second += invoke("live").executed_version == "2" ? 1 : 0;
  EXPECT_GT(second, 60);
  EXPECT_LT(second, 140);
  EXPECT_EQ(get("live")->function_arn, "arn:aws:lambda:us-east-1:000000000000:function:f:live");
}

TEST_F(Versions, WeightsAreChecked) {
  publish();
  change("second");
  publish();
  EXPECT_NE(
      refusal(create_alias("a", "1", {{"2", 0.1}, {"3", 0.1}})).find("cannot be greater than 1"),
      std::string::npos);
  EXPECT_NE(refusal(create_alias("a", "1", {{"2", 2.0}})).find("Value '{2=2.0}' at"),
            std::string::npos);
  EXPECT_NE(refusal(create_alias("a", "1", {{"1", 0.5}})).find("already included"),
            std::string::npos);
  EXPECT_NE(refusal(create_alias("a", "$LATEST", {{"1", 0.5}})).find("$LATEST is not supported"),
            std::string::npos);
  EXPECT_NE(refusal(create_alias("a", "10")).find("function:f:10"), std::string::npos);
  EXPECT_NE(refusal(create_alias("12", "1")).find("at 'name'"), std::string::npos);
}

TEST_F(Versions, WhatAnAliasNeedsIsNotDeleted) {
  publish();
  ASSERT_TRUE(create_alias("live", "1").has_value());
  EXPECT_TRUE(refusal(remove("1")).starts_with("ResourceConflictException"));
  EXPECT_NE(refusal(remove("$LATEST")), "");
  EXPECT_NE(refusal(remove("live")), "");
  ASSERT_TRUE(remove("").has_value());
  EXPECT_NE(refusal(get("live")), "");
}

TEST_F(Versions, EverythingIsThereAfterARestart) {
  publish();
  change("second");
  ASSERT_TRUE(create_alias("live", "1").has_value());
  region.restart();
  EXPECT_EQ(get("live")->version, "1");
  EXPECT_EQ(get("$LATEST")->description, "second");
  EXPECT_EQ(publish().version, "2");
  EXPECT_EQ(invoke("live").executed_version, "1");
}

TEST_F(Versions, ReservedConcurrencyCountsOverAllVersions) {
  publish();
  PutFunctionConcurrencyRequest reserve;
  reserve.function_name = "f";
  reserve.reserved_concurrent_executions = 1;
  ASSERT_TRUE(
      region.ask(region.service->put_function_concurrency(region.context, reserve)).has_value());
  region.behave = [](const std::string&) { return Behaviour{.takes = 1s}; };
  region.context.request_id = region.random.uuid();
  InvocationRequest request;
  request.function_name = "f:1";
  const auto first = region.begin(region.service->invoke(region.context, request));
  request.function_name = "f";
  const auto second = region.begin(region.service->invoke(region.context, request));
  ASSERT_TRUE(second->answer.has_value());
  EXPECT_EQ(refusal(*second->answer), "TooManyRequestsException: Rate Exceeded.");
  EXPECT_EQ(second->answer->error().fields.at(0).second,
            "ReservedFunctionConcurrentInvocationLimitExceeded");
  region.advance(1s);
  EXPECT_TRUE(first->answer && *first->answer);
}

TEST_F(Versions, ProvisionedEnvironmentsWaitForInvocations) {
  publish();
  PutProvisionedConcurrencyConfigRequest put;
  put.function_name = "f";
  put.qualifier = "1";
  put.provisioned_concurrent_executions = 2;
  const auto made =
      region.ask(region.service->put_provisioned_concurrency_config(region.context, put));
  ASSERT_TRUE(made.has_value()) << refusal(made);
  EXPECT_EQ(made->status, "IN_PROGRESS");
  region.advance(1h);
  EXPECT_EQ(region.sandbox.running(), 2U) << "they are not retired";
  GetProvisionedConcurrencyConfigRequest get_config;
  get_config.function_name = "f";
  get_config.qualifier = "1";
  EXPECT_EQ(
      region.ask(region.service->get_provisioned_concurrency_config(region.context, get_config))
          ->status,
      "READY");
  EXPECT_EQ(invoke("1").executed_version, "1");
  EXPECT_EQ(region.sandbox.started().size(), 2U);
  put.qualifier = "$LATEST";
  EXPECT_NE(
      refusal(region.ask(region.service->put_provisioned_concurrency_config(region.context, put))),
      "");
}

}  // namespace
}  // namespace terrarium::lambda
