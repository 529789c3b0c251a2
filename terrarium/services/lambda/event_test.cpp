// Asynchronous invocations: how often they are tried, where their outcome goes, who may send them.
#include <gtest/gtest.h>

#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/testing_region.h"
#include "terrarium/store/faulty.h"

namespace terrarium::lambda {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr const char* kOutcomes = "arn:aws:sqs:us-east-1:000000000000:outcomes";

Behaviour failing() {
  return {.answer = R"({"errorMessage":"broken","errorType":"Asked"})", .is_error = true};
}

base::Result<FunctionEventInvokeConfig> configure(TestingRegion& region,
                                                  std::optional<std::int32_t> retries,
                                                  std::string on_success = "",
                                                  std::string on_failure = "",
                                                  std::string function = "f") {
  PutFunctionEventInvokeConfigRequest request;
  request.function_name = std::move(function);
  request.maximum_retry_attempts = retries;
  if (!on_success.empty()) {
    request.destination_config.emplace().on_success.emplace().destination = on_success;
  }
  if (!on_failure.empty()) {
    if (!request.destination_config) request.destination_config.emplace();
    request.destination_config->on_failure.emplace().destination = on_failure;
  }
  return region.ask(region.service->put_function_event_invoke_config(region.context, request));
}

// The only record in a queue, without its time.
json::object outcome(TestingRegion& region) {
  const auto& sent = region.queue.sent[kOutcomes];
  EXPECT_EQ(sent.size(), 1U);
  if (sent.empty()) return {};
  json::object record = json::parse(sent[0].body).as_object();
  EXPECT_EQ(record["timestamp"].as_string().size(), 24U);
  record.erase("timestamp");
  return record;
}

TEST(LambdaEvents, SuccessIsToldWithWhatTheFunctionGotAndGave) {
  TestingRegion region;
  region.create();
  ASSERT_TRUE(configure(region, 0, kOutcomes));
  region.behave = [](const std::string&) { return Behaviour{.answer = R"({"n":2})"}; };
  region.invoke(R"({"n":1})", "Event");
  const json::object expected{
      {"version", "1.0"},
      {"requestContext",
       json::object{{"requestId", region.context.request_id},
                    {"functionArn", "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST"},
                    {"condition", "Success"},
                    {"approximateInvokeCount", 1}}},
      {"requestPayload", json::object{{"n", 1}}},
      {"responseContext", json::object{{"statusCode", 200}, {"executedVersion", "$LATEST"}}},
      {"responsePayload", json::object{{"n", 2}}}};
  EXPECT_EQ(json::value(outcome(region)), json::value(expected));
}

TEST(LambdaEvents, AFailureIsToldAfterTheLastTry) {
  TestingRegion region;
  region.create();
  ASSERT_TRUE(configure(region, 1, "", kOutcomes));
  region.behave = [](const std::string&) { return failing(); };
  region.invoke("{}", "Event");
  region.advance(59s);
  EXPECT_EQ(region.events.size(), 1U);
  EXPECT_TRUE(region.queue.sent.empty());
  region.advance(1s);
  EXPECT_EQ(region.events.size(), 2U);
  json::object record = outcome(region);
  EXPECT_EQ(record["requestContext"].at("condition"), "RetriesExhausted");
  EXPECT_EQ(record["requestContext"].at("approximateInvokeCount"), 2);
  EXPECT_EQ(record["responseContext"].at("functionError"), "Unhandled");
  EXPECT_EQ(record["responsePayload"].at("errorMessage"), "broken");
  region.advance(10min);
  EXPECT_EQ(region.events.size(), 2U);
}

TEST(LambdaEvents, ATryThatWouldComeTooLateIsNotWaitedFor) {
  TestingRegion region;
  region.create();
  PutFunctionEventInvokeConfigRequest request;
  request.function_name = "f";
  request.maximum_event_age_in_seconds = 60;
  request.destination_config.emplace().on_failure.emplace().destination = kOutcomes;
  ASSERT_TRUE(
      region.ask(region.service->put_function_event_invoke_config(region.context, request)));
  region.behave = [](const std::string&) { return failing(); };
  region.invoke("{}", "Event");
  json::object record = outcome(region);
  EXPECT_EQ(record["requestContext"].at("condition"), "EventAgeExceeded");
  EXPECT_EQ(record["requestContext"].at("approximateInvokeCount"), 1);
}

TEST(LambdaEvents, ADeadLetterIsTheEventWithItsError) {
  TestingRegion region;
  auto function = region.function_request();
  function.dead_letter_config.emplace().target_arn = kOutcomes;
  ASSERT_TRUE(region.ask(region.service->create_function(region.context, function)));
  ASSERT_TRUE(configure(region, 0));
  region.behave = [](const std::string&) { return failing(); };
  region.invoke(R"({"n":1})", "Event");
  const auto& sent = region.queue.sent[kOutcomes];
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].body, R"({"n":1})");
  EXPECT_EQ(sent[0].message_attributes.at("RequestID").string_value, region.context.request_id);
  EXPECT_EQ(sent[0].message_attributes.at("ErrorCode").data_type, "Number");
  EXPECT_EQ(sent[0].message_attributes.at("ErrorCode").string_value, "200");
  EXPECT_EQ(sent[0].message_attributes.at("ErrorMessage").string_value, "broken");
}

TEST(LambdaEvents, WithoutConcurrencyAnEventIsGivenUpAtOnce) {
  TestingRegion region;
  region.create();
  PutFunctionConcurrencyRequest none;
  none.function_name = "f";
  none.reserved_concurrent_executions = 0;
  ASSERT_TRUE(region.ask(region.service->put_function_concurrency(region.context, none)));
  ASSERT_TRUE(configure(region, 2, "", kOutcomes));
  region.invoke("{}", "Event");
  json::object record = outcome(region);
  EXPECT_EQ(record["requestContext"].at("condition"), "ZeroReservedConcurrency");
  EXPECT_EQ(record["requestContext"].at("approximateInvokeCount"), 0);
  EXPECT_FALSE(record.contains("responsePayload"));
  EXPECT_TRUE(region.events.empty());
}

TEST(LambdaEvents, FunctionsThatInvokeEachOtherStopAfterSixteenRounds) {
  TestingRegion region;
  region.create();
  region.create("g");
  const std::string start = "arn:aws:lambda:us-east-1:000000000000:function:";
  ASSERT_TRUE(configure(region, 0, start + "g"));
  ASSERT_TRUE(configure(region, 0, start + "f", kOutcomes, "g"));
  region.invoke("{}", "Event");
  region.advance(1min);
  EXPECT_EQ(region.events.size(), 16U);
  EXPECT_NE(region.events[1].find("Success"), std::string::npos);
}

TEST(LambdaEvents, AnEnvironmentThatDiesDuringAnEventCountsAsATry) {
  TestingRegion region;
  region.create();
  region.behave = [](const std::string&) {
    return Behaviour{.takes = 10ms, .exit = runtime::ExitStatus{1}};
  };
  region.invoke("{}", "Event");
  region.advance(10s);
  EXPECT_EQ(region.events.size(), 1U);
  region.behave = [](const std::string&) { return Behaviour{}; };
  region.advance(51s);
  EXPECT_EQ(region.events.size(), 2U);
}

TEST(LambdaEvents, WhatWasAcceptedIsDoneWhateverFailsWhenever) {
  for (std::uint64_t n = 0;; ++n) {
    for (const auto point : {store::FaultPoint::Before, store::FaultPoint::After}) {
      auto made = std::make_unique<store::FaultyStore>();
      store::FaultyStore& faulty = *made;
      TestingRegion region(std::move(made));
      region.create();
      ASSERT_TRUE(configure(region, 0, kOutcomes, kOutcomes));
      faulty.fail_effect(n, point);
      const auto accepted = region.invoke("{}", "Event");
      region.advance(1s);
      const bool acknowledged = accepted->answer && accepted->answer->has_value();
      const bool fired = faulty.fired();
      region.stop();
      faulty.crash();
      region.start();
      region.advance(1s);
      if (acknowledged) {
        EXPECT_GE(region.events.size(), 1U) << n;
        EXPECT_GE(region.queue.sent[kOutcomes].size(), 1U) << n;
      }
      const std::size_t done = region.events.size();
      region.restart();
      region.advance(1min);
      EXPECT_EQ(region.events.size(), done) << n;
      if (!fired) return;
    }
  }
}

TEST(LambdaEvents, AnEventOfAnotherServiceNeedsAPermission) {
  TestingRegion region;
  region.create();
  const std::string arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
  const InvokingService bucket{"s3.amazonaws.com", "arn:aws:s3:::b", "000000000000"};
  auto refused = region.begin(region.service->check_can_invoke(bucket, arn));
  ASSERT_TRUE(refused->answer.has_value());
  EXPECT_TRUE(refused->answer->error().is(errors::kAccessDeniedException));
  AddPermissionRequest permission;
  permission.function_name = "f";
  permission.statement_id = "s3";
  permission.action = "lambda:InvokeFunction";
  permission.principal = "s3.amazonaws.com";
  permission.source_arn = "arn:aws:s3:::b";
  permission.source_account = "000000000000";
  ASSERT_TRUE(region.ask(region.service->add_permission(region.context, permission)));
  EXPECT_TRUE(region.ask(region.service->invoke_later(bucket, arn, R"({"Records":[]})")));
  region.run();
  EXPECT_EQ(region.events, std::vector<std::string>{R"({"Records":[]})"});
  const InvokingService other{"s3.amazonaws.com", "arn:aws:s3:::c", "000000000000"};
  EXPECT_FALSE(region.ask(region.service->check_can_invoke(other, arn)));
  const auto unknown = region.ask(region.service->check_can_invoke(bucket, arn + "g"));
  ASSERT_FALSE(unknown.has_value());
  EXPECT_TRUE(unknown.error().is(errors::kResourceNotFoundException));
}

std::string refusal(TestingRegion& region, std::string on_success, std::string on_failure = "") {
  const auto put = configure(region, std::nullopt, std::move(on_success), std::move(on_failure));
  return put ? std::string() : put.error().message;
}

TEST(LambdaInvokeConfigs, DestinationsAreCheckedAsAwsDoes) {
  TestingRegion region;
  region.create();
  region.create("g");
  const std::string start = "arn:aws:lambda:us-east-1:000000000000:function:";
  EXPECT_EQ(refusal(region, ""),
            "You must specify at least one of error handling or destination setting.");
  EXPECT_EQ(refusal(region, start + "none"), "The destination ARN " + start + "none is invalid.");
  EXPECT_EQ(refusal(region, start + "f"),
            "You can't specify the function as a destination for itself.");
  EXPECT_EQ(refusal(region, start + "g"), "");
  EXPECT_EQ(refusal(region, "arn:aws:iam:us-east-1:000000000000:role"),
            "The provided destination config DestinationConfig(onSuccess=OnSuccess("
            "destination=arn:aws:iam:us-east-1:000000000000:role), onFailure=null) is invalid.");
  EXPECT_NE(refusal(region, "arn:aws:sqs:us-east-1:000000000000:q.fifo"), "");
  EXPECT_NE(refusal(region, "arn:aws:sns:us-east-1:000000000000:t").find("not supported"),
            std::string::npos);
  EXPECT_NE(refusal(region, "", "arn:aws:_x:us-east-1:000000000000:t")
                .find("'destinationConfig.onFailure.destination' failed to satisfy"),
            std::string::npos);
}

TEST(LambdaInvokeConfigs, PutReplacesUpdateKeepsDeleteForgets) {
  TestingRegion region;
  region.create();
  PutFunctionEventInvokeConfigRequest put;
  put.function_name = "f";
  put.maximum_retry_attempts = 2;
  put.maximum_event_age_in_seconds = 60;
  auto got = region.ask(region.service->put_function_event_invoke_config(region.context, put));
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->function_arn, "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST");
  EXPECT_TRUE(got->destination_config->on_success.has_value());
  UpdateFunctionEventInvokeConfigRequest update;
  update.function_name = "f";
  update.maximum_retry_attempts = 0;
  got = region.ask(region.service->update_function_event_invoke_config(region.context, update));
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->maximum_event_age_in_seconds, 60);
  put.maximum_event_age_in_seconds.reset();
  ASSERT_TRUE(region.ask(region.service->put_function_event_invoke_config(region.context, put)));
  region.restart();
  GetFunctionEventInvokeConfigRequest get;
  get.function_name = "f";
  got = region.ask(region.service->get_function_event_invoke_config(region.context, get));
  ASSERT_TRUE(got.has_value());
  EXPECT_FALSE(got->maximum_event_age_in_seconds.has_value());
  EXPECT_EQ(got->maximum_retry_attempts, 2);
  DeleteFunctionEventInvokeConfigRequest gone;
  gone.function_name = "f";
  ASSERT_TRUE(
      region.ask(region.service->delete_function_event_invoke_config(region.context, gone)));
  got = region.ask(region.service->get_function_event_invoke_config(region.context, get));
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().message,
            "The function arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST doesn't have an "
            "EventInvokeConfig");
}

}  // namespace
}  // namespace terrarium::lambda
