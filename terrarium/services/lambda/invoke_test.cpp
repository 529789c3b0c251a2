#include <gtest/gtest.h>

#include "generated/lambda/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/lambda/testing_region.h"

namespace terrarium::lambda {
namespace {

using namespace std::chrono_literals;

InvocationResponse answer(const std::shared_ptr<Pending<InvocationResponse>>& pending) {
  if (!pending->answer || !*pending->answer) {
    ADD_FAILURE() << (pending->answer ? base::describe(pending->answer->error()) : "no answer");
    return {};
  }
  return **pending->answer;
}

std::string tail(const InvocationResponse& response) {
  return base::base64_decode(response.log_result.value_or("")).value_or("");
}

// A program that ends at once.
runtime::Task<runtime::ExitStatus> exits(TestingRegion& region,
                                         std::shared_ptr<host::FakeProcess> process) {
  co_await process->lives_until(region.clock.now() + 1ms);
  co_return runtime::ExitStatus{.code = 1};
}

TEST(LambdaInvoke, AnswersWithWhatTheFunctionReturned) {
  TestingRegion region;
  region.create();
  region.behave = [](const std::string& payload) {
    return Behaviour{.answer = "[" + payload + "]", .prints = "working\n"};
  };
  const auto response = answer(region.invoke("{\"x\":1}"));
  EXPECT_EQ(response.payload, "[{\"x\":1}]");
  EXPECT_EQ(response.status_code, 200);
  EXPECT_EQ(response.executed_version, "$LATEST");
  EXPECT_FALSE(response.function_error.has_value());
  const std::string text = tail(response);
  const std::string id = region.context.request_id;
  EXPECT_TRUE(text.starts_with("START RequestId: " + id + " Version: $LATEST\nworking\nEND "))
      << text;
  EXPECT_NE(text.find("\tMax Memory Used: 20 MB\tInit Duration: "), std::string::npos) << text;
  EXPECT_EQ(region.logs.lines.front().group, "/aws/lambda/f");
  EXPECT_TRUE(region.logs.lines.front().message.starts_with("INIT_START Runtime Version: "));
}

TEST(LambdaInvoke, AWarmEnvironmentIsUsedAgain) {
  TestingRegion region;
  region.create();
  for (int i = 0; i < 5; ++i) answer(region.invoke("{}"));
  EXPECT_EQ(region.sandbox.started().size(), 1U);
  EXPECT_EQ(region.roles.assumed, 1);
  EXPECT_EQ(tail(answer(region.invoke("{}"))).find("Init Duration"), std::string::npos);
}

TEST(LambdaInvoke, AWrapperStartsTheRuntimesOwnCommandAndNoCustomRuntime) {
  TestingRegion region;
  auto request = region.function_request();
  request.runtime = "python3.12";
  request.environment.emplace().variables.emplace()["AWS_LAMBDA_EXEC_WRAPPER"] = "/opt/wrap";
  ASSERT_TRUE(region.ask(region.service->create_function(region.context, request)).has_value());
  region.invoke("{}");
  const auto command = region.sandbox.started().back()->spec.arguments;
  ASSERT_GT(command.size(), 4U);
  EXPECT_EQ(command.at(0), "/bin/sh");
  EXPECT_EQ(command.at(3), "/opt/wrap");
  EXPECT_TRUE(command.at(4).ends_with("python3"));
  request.function_name = "custom";
  request.runtime = "provided.al2";
  ASSERT_TRUE(region.ask(region.service->create_function(region.context, request)).has_value());
  InvocationRequest invocation;
  invocation.function_name = "custom";
  const auto answered = region.begin(region.service->invoke(region.context, invocation));
  EXPECT_TRUE(region.sandbox.started().back()->spec.arguments.empty());
}

TEST(LambdaInvoke, TheEnvironmentVariablesAreAwss) {
  TestingRegion region;
  auto request = region.function_request();
  request.environment.emplace().variables =
      std::map<std::string, std::string>{{"OWN", "value"}, {"TZ", "Europe/Paris"}};
  ASSERT_TRUE(region.ask(region.service->create_function(region.context, request)).has_value());
  answer(region.invoke("{}"));
  const auto& env = region.sandbox.started().front()->spec.env;
  EXPECT_EQ(env.at("AWS_LAMBDA_FUNCTION_NAME"), "f");
  EXPECT_EQ(env.at("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), "128");
  EXPECT_EQ(env.at("LAMBDA_TASK_ROOT"), "/var/task");
  EXPECT_EQ(env.at("_HANDLER"), "bootstrap");
  EXPECT_EQ(env.at("AWS_ACCESS_KEY_ID"), "ASIA1");
  EXPECT_EQ(env.at("AWS_REGION"), "us-east-1");
  EXPECT_EQ(env.at("AWS_ENDPOINT_URL"), "http://127.0.0.1:4566");
  EXPECT_EQ(env.at("OWN"), "value");
  EXPECT_EQ(env.at("TZ"), "Europe/Paris");
}

TEST(LambdaInvoke, EachEnvironmentHasANetworkOfItsOwn) {
  TestingRegion region;
  region.network = std::make_unique<FakeNetwork>();
  region.restart();
  region.create();
  region.behave = [](const std::string&) { return Behaviour{.takes = 1s}; };
  const auto first = region.invoke("1");
  const auto second = region.invoke("2");
  region.advance(1s);
  answer(first);
  answer(second);
  ASSERT_EQ(region.sandbox.started().size(), 2U);
  const host::SandboxSpec& one = region.sandbox.started()[0]->spec;
  EXPECT_EQ(one.network_namespace, "/run/netns/function-0");
  EXPECT_EQ(one.nameserver, "203.0.113.1");
  EXPECT_EQ(one.env.at("AWS_ENDPOINT_URL"), "http://203.0.113.1");
  EXPECT_EQ(region.sandbox.started()[1]->spec.network_namespace, "/run/netns/function-1");
  EXPECT_EQ(region.network->listened.front(), "function-0 127.0.0.1:9001");
  // What idle environments leave is used again, and nothing stays.
  region.advance(10min);
  const auto third = region.invoke("3");
  region.advance(1s);
  answer(third);
  EXPECT_EQ(region.sandbox.started()[2]->spec.network_namespace, "/run/netns/function-0");
  EXPECT_EQ(region.network->isolated.size(), 2U);
  region.stop();
  EXPECT_TRUE(region.network->isolated.empty());
}

TEST(LambdaInvoke, WithoutANetworkToRunInAFunctionDoesNotStart) {
  TestingRegion region;
  region.network = std::make_unique<FakeNetwork>();
  region.network->broken = true;
  region.restart();
  region.create();
  EXPECT_EQ(answer(region.invoke("{}")).function_error, "Unhandled");
  EXPECT_TRUE(region.sandbox.started().empty());
  region.network->broken = false;
  region.behave = [](const std::string&) { return Behaviour{}; };
  EXPECT_EQ(answer(region.invoke("{}")).payload, "\"done\"");
}

TEST(LambdaInvoke, AnErrorThatTheFunctionReportsIsItsAnswer) {
  TestingRegion region;
  region.create();
  region.behave = [](const std::string&) {
    return Behaviour{.answer = R"({"errorType":"Asked"})", .is_error = true};
  };
  const auto response = answer(region.invoke("{}"));
  EXPECT_EQ(response.function_error, "Unhandled");
  EXPECT_EQ(response.payload, R"({"errorType":"Asked"})");
  EXPECT_EQ(region.sandbox.running(), 1U);
}

TEST(LambdaInvoke, AFunctionThatTakesTooLongIsKilled) {
  TestingRegion region;
  region.create();
  region.behave = [](const std::string&) { return Behaviour{.takes = 10s}; };
  const auto pending = region.invoke("{}");
  region.advance(2900ms);
  EXPECT_FALSE(pending->answer.has_value());
  region.advance(100ms);
  const auto response = answer(pending);
  EXPECT_EQ(response.function_error, "Unhandled");
  EXPECT_NE(response.payload->find("Task timed out after 3.00 seconds"), std::string::npos);
  EXPECT_NE(tail(response).find(" Task timed out after 3.00 seconds\n\nEND "), std::string::npos);
  EXPECT_NE(tail(response).find("Duration: 3000.00 ms"), std::string::npos);
  EXPECT_EQ(region.sandbox.running(), 0U);
  region.behave = [](const std::string&) { return Behaviour{}; };
  EXPECT_EQ(answer(region.invoke("{}")).payload, "\"done\"");
}

TEST(LambdaInvoke, AnEnvironmentThatNeverAsksForTheNextEventEndsAtItsDeadline) {
  TestingRegion region;
  region.create();
  region.behave = [](const std::string&) { return Behaviour{.lingers = 60s}; };
  const auto pending = region.invoke("{}");
  EXPECT_EQ(answer(pending).payload, "\"done\"");
  region.advance(2900ms);
  EXPECT_EQ(region.sandbox.running(), 1U);
  region.advance(100ms);
  EXPECT_EQ(region.sandbox.running(), 0U);
  region.behave = [](const std::string&) { return Behaviour{.lingers = 1s}; };
  EXPECT_EQ(answer(region.invoke("{}")).payload, "\"done\"");
  region.advance(10s);
  EXPECT_EQ(region.sandbox.running(), 1U) << "what asked in time stays";
}

TEST(LambdaInvoke, AFunctionThatDiesIsAnError) {
  TestingRegion region;
  region.create();
  region.behave = [](const std::string&) {
    return Behaviour{.exit = runtime::ExitStatus{.code = 3}};
  };
  const auto response = answer(region.invoke("{}"));
  EXPECT_EQ(response.function_error, "Unhandled");
  EXPECT_NE(response.payload->find("Runtime exited with error: exit status 3"), std::string::npos);
  EXPECT_NE(response.payload->find("Runtime.ExitError"), std::string::npos);
  EXPECT_NE(tail(response).find("\nRuntime.ExitError\nEND "), std::string::npos);
}

TEST(LambdaInvoke, WithoutABootstrapItSaysSo) {
  TestingRegion region;
  auto request = region.function_request();
  request.code.zip_file = zip_of({{"main", "x", 0755}});
  ASSERT_TRUE(region.ask(region.service->create_function(region.context, request)).has_value());
  const auto response = answer(region.invoke("{}"));
  EXPECT_NE(response.payload->find("Couldn't find valid bootstrap"), std::string::npos);
  EXPECT_EQ(region.sandbox.started().size(), 0U);
  answer(region.invoke("{}"));
}

TEST(LambdaInvoke, ASlowStartIsTriedOnceMoreAsAPartOfTheInvocation) {
  TestingRegion region;
  region.create();
  region.init_takes = 60s;
  const auto pending = region.invoke("{}");
  region.advance(12s);
  EXPECT_FALSE(pending->answer.has_value());
  region.advance(1s);
  const auto late = answer(pending);
  EXPECT_EQ(late.function_error, "Unhandled");
  EXPECT_NE(late.payload->find("Task timed out after 3.00 seconds"), std::string::npos);
  EXPECT_EQ(region.sandbox.running(), 0U);
  const std::string logs = region.logs.text();
  EXPECT_NE(logs.find("INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout\n"),
            std::string::npos)
      << logs;
  EXPECT_NE(logs.find("INIT_REPORT Init Duration: 3000.00 ms\tPhase: invoke\tStatus: timeout\n"),
            std::string::npos)
      << logs;
}

TEST(LambdaInvoke, AStartThatSucceedsTheSecondTimeCountsIntoTheInvocation) {
  TestingRegion region;
  region.create();
  int starts = 0;
  region.sandbox.set_program([&](std::shared_ptr<host::FakeProcess> process) {
    return ++starts == 1 ? exits(region, process) : TestingRegion::serve(region, process);
  });
  region.init_takes = 500ms;
  const auto pending = region.invoke("{}");
  region.advance(1s);
  EXPECT_EQ(answer(pending).payload, "\"done\"");
  const std::string logs = region.logs.text();
  EXPECT_NE(logs.find("Phase: init\tStatus: error\tError Type: Runtime.ExitError\n"),
            std::string::npos)
      << logs;
  EXPECT_NE(logs.find("\tDuration: 500.00 ms\t"), std::string::npos) << logs;
  EXPECT_EQ(logs.find("\tInit Duration: "), std::string::npos) << logs;
}

TEST(LambdaInvoke, ReservedConcurrencyThrottles) {
  TestingRegion region;
  region.create();
  PutFunctionConcurrencyRequest reserve;
  reserve.function_name = "f";
  reserve.reserved_concurrent_executions = 1;
  ASSERT_TRUE(
      region.ask(region.service->put_function_concurrency(region.context, reserve)).has_value());
  region.behave = [](const std::string&) { return Behaviour{.takes = 1s}; };
  const auto first = region.invoke("{}");
  const auto second = region.invoke("{}");
  ASSERT_TRUE(second->answer.has_value());
  ASSERT_FALSE(second->answer->has_value());
  EXPECT_TRUE(second->answer->error().is(errors::kTooManyRequestsException));
  region.advance(1s);
  answer(first);
  const auto third = region.invoke("{}");
  region.advance(1s);
  answer(third);
}

TEST(LambdaInvoke, AFullMachineMakesCallersWait) {
  TestingRegion region;
  region.create();
  region.behave = [](const std::string&) { return Behaviour{.takes = 1s}; };
  std::vector<std::shared_ptr<Pending<InvocationResponse>>> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(region.invoke("{}"));
  region.advance(4s);
  for (const auto& call : calls) EXPECT_EQ(answer(call).payload, "\"done\"");
  EXPECT_EQ(region.running_max, 8);
  EXPECT_EQ(region.sandbox.started().size(), 8U);
}

TEST(LambdaInvoke, ShortWorkIsNotSpreadOverManyEnvironments) {
  TestingRegion region;
  region.create();
  region.init_takes = 300ms;
  answer([&] {
    const auto first = region.invoke("{}");
    region.advance(300ms);
    return first;
  }());
  region.behave = [](const std::string&) { return Behaviour{.takes = 30ms}; };
  std::vector<std::shared_ptr<Pending<InvocationResponse>>> calls;
  for (int i = 0; i < 8; ++i) calls.push_back(region.invoke("{}"));
  region.advance(1s);
  for (const auto& call : calls) answer(call);
  EXPECT_EQ(region.sandbox.started().size(), 2U);
}

TEST(LambdaInvoke, IdleEnvironmentsAreRetired) {
  TestingRegion region;
  region.create();
  answer(region.invoke("{}"));
  EXPECT_EQ(region.sandbox.running(), 1U);
  region.advance(5min);
  EXPECT_EQ(region.sandbox.running(), 0U);
  EXPECT_EQ(answer(region.invoke("{}")).payload, "\"done\"");
}

TEST(LambdaInvoke, NewConfigurationMeansNewEnvironments) {
  TestingRegion region;
  region.create();
  answer(region.invoke("{}"));
  UpdateFunctionConfigurationRequest update;
  update.function_name = "f";
  update.memory_size = 256;
  const auto updated =
      region.ask(region.service->update_function_configuration(region.context, update));
  ASSERT_TRUE(updated.has_value());
  EXPECT_EQ(updated->last_update_status, "InProgress");
  EXPECT_EQ(region.sandbox.running(), 0U);
  answer(region.invoke("{}"));
  EXPECT_EQ(region.sandbox.started().back()->spec.memory_bytes_max, 256U << 20);
}

TEST(LambdaInvoke, LimitsAndMalformedPayloadsAreRefused) {
  TestingRegion region;
  region.create();
  const auto code = [&region](std::string payload, std::string type) {
    const auto pending = region.invoke(std::move(payload), std::move(type));
    return pending->answer && !*pending->answer ? std::string(pending->answer->error().row->code)
                                                : std::string("accepted");
  };
  EXPECT_EQ(code("{", "RequestResponse"), "InvalidRequestContentException");
  EXPECT_EQ(code("\"" + std::string(6 << 20, 'x') + "\"", "RequestResponse"),
            "RequestTooLargeException");
  EXPECT_EQ(code("\"" + std::string(1 << 20, 'x') + "\"", "Event"), "RequestTooLargeException");
  EXPECT_EQ(code("{}", "Later"), "InvalidParameterValueException");
  EXPECT_EQ(answer(region.invoke("{}", "DryRun")).status_code, 204);
  EXPECT_EQ(region.sandbox.started().size(), 0U);
}

TEST(LambdaEvent, IsTriedThreeTimesAndThenDropped) {
  TestingRegion region;
  region.create();
  region.behave = [](const std::string&) { return Behaviour{.is_error = true}; };
  EXPECT_EQ(answer(region.invoke("{\"e\":1}", "Event")).status_code, 202);
  EXPECT_EQ(region.events.size(), 1U);
  region.advance(59s);
  EXPECT_EQ(region.events.size(), 1U);
  region.advance(1s);
  EXPECT_EQ(region.events.size(), 2U);
  region.advance(2min);
  EXPECT_EQ(region.events.size(), 3U);
  region.advance(1h);
  EXPECT_EQ(region.events.size(), 3U);
  EXPECT_FALSE(region.store->scan(store::Table::Lambda, "e", "f")->valid());
}

TEST(LambdaEvent, SurvivesARestart) {
  TestingRegion region;
  region.create();
  region.behave = [](const std::string&) { return Behaviour{.is_error = true}; };
  answer(region.invoke("{\"e\":1}", "Event"));
  region.behave = [](const std::string&) { return Behaviour{}; };
  region.restart();
  EXPECT_EQ(region.events.size(), 1U);
  region.advance(1min);
  EXPECT_EQ(region.events.size(), 2U);
  EXPECT_EQ(region.events.back(), "{\"e\":1}");
  region.restart();
  region.advance(1h);
  EXPECT_EQ(region.events.size(), 2U);
}

TEST(LambdaEvent, StoppingTheDaemonIsNoFailedAttempt) {
  TestingRegion region;
  region.create();
  region.behave = [](const std::string&) { return Behaviour{.takes = 2s}; };
  answer(region.invoke("{}", "Event"));
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_EQ(region.events.size(), i);
    region.advance(1s);
    region.restart();
  }
  region.advance(2s);
  EXPECT_EQ(region.events.size(), 5U);
  EXPECT_FALSE(region.store->scan(store::Table::Lambda, "e", "f")->valid());
}

TEST(LambdaEvent, WaitsForReservedConcurrencyInsteadOfFailing) {
  TestingRegion region;
  region.create();
  PutFunctionConcurrencyRequest reserve;
  reserve.function_name = "f";
  reserve.reserved_concurrent_executions = 1;
  ASSERT_TRUE(
      region.ask(region.service->put_function_concurrency(region.context, reserve)).has_value());
  region.behave = [](const std::string&) { return Behaviour{.takes = 1s}; };
  for (int i = 0; i < 5; ++i) answer(region.invoke("{}", "Event"));
  region.advance(5s);
  EXPECT_EQ(region.events.size(), 5U);
  EXPECT_EQ(region.running_max, 1);
}

}  // namespace
}  // namespace terrarium::lambda
