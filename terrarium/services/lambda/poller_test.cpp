// Event source mappings at work: what reaches a function, how often a message is received for it,
// and what happens when environments or the whole service end at any moment.
#include <gtest/gtest.h>

#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/testing_region.h"

namespace terrarium::lambda {
namespace {

using namespace std::chrono_literals;

CreateEventSourceMappingRequest one_at_a_time() {
  CreateEventSourceMappingRequest request;
  request.batch_size = 1;
  return request;
}

void end_all(TestingRegion& region) {
  for (const auto& process : region.sandbox.started()) {
    if (!process->killed()) process->end(runtime::ExitStatus{0, 9});
  }
  region.run();
}

std::string state_of(TestingRegion& region, const std::string& uuid) {
  GetEventSourceMappingRequest get;
  get.uuid = uuid;
  const auto got = region.ask(region.service->get_event_source_mapping(region.context, get));
  return got ? *got->state : got.error().message;
}

base::Result<EventSourceMappingConfiguration> enable(TestingRegion& region, const std::string& uuid,
                                                     bool on) {
  UpdateEventSourceMappingRequest update;
  update.uuid = uuid;
  update.enabled = on;
  return region.ask(region.service->update_event_source_mapping(region.context, update));
}

TEST(LambdaPoller, AMessageIsNotReceivedBeforeThereIsAnEnvironment) {
  TestingRegion region;
  region.limits.environments_max = 1;
  region.restart();
  region.create();
  region.map_queue(one_at_a_time());
  region.behave = [](const std::string&) { return Behaviour{.takes = 2s}; };
  region.queue.visibility = 5s;
  for (int i = 0; i < 5; ++i) region.queue.put("m");
  for (int second = 0; second < 9; ++second) {
    region.advance(1s);
    EXPECT_EQ(region.queue.receives(), static_cast<int>(region.events.size()));
  }
  region.advance(5s);
  EXPECT_EQ(region.queue.left(), 0U);
  for (const auto& message : region.queue.messages) EXPECT_EQ(message.receives, 1);
}

TEST(LambdaPoller, WithoutConcurrencyNothingIsReceived) {
  TestingRegion region;
  region.create();
  PutFunctionConcurrencyRequest none;
  none.function_name = "f";
  none.reserved_concurrent_executions = 0;
  ASSERT_TRUE(region.ask(region.service->put_function_concurrency(region.context, none)));
  const std::string uuid = region.map_queue();
  region.queue.put("m");
  region.advance(10min);
  EXPECT_EQ(region.queue.receives(), 0);
  DeleteFunctionConcurrencyRequest again;
  again.function_name = "f";
  ASSERT_TRUE(region.ask(region.service->delete_function_concurrency(region.context, again)));
  region.advance(1s);
  EXPECT_EQ(region.queue.left(), 0U);
}

// Whatever is ended whenever: all is handled in the end, and a message is received only to be
// handed to the function.
TEST(LambdaPoller, KilledAtAnyMomentEnvironmentsCostNoReceiveButTheirOwn) {
  for (base::Duration moment = 0ms; moment < 1500ms; moment += 20ms) {
    TestingRegion region;
    region.create();
    region.init_takes = 300ms;
    region.behave = [](const std::string&) { return Behaviour{.takes = 200ms}; };
    region.map_queue(one_at_a_time());
    for (int i = 0; i < 8; ++i) region.queue.put("m");
    region.advance(moment);
    end_all(region);
    region.advance(40s);
    EXPECT_EQ(region.queue.left(), 0U) << moment.count();
    EXPECT_EQ(region.queue.receives(), static_cast<int>(region.events.size())) << moment.count();
    EXPECT_LE(region.events.size(), 8U + 2U) << moment.count();
  }
}

TEST(LambdaPoller, StoppedAtAnyMomentItGoesOnAtOnceAfterTheRestart) {
  for (base::Duration moment = 0ms; moment < 1500ms; moment += 20ms) {
    TestingRegion region;
    region.create();
    region.init_takes = 300ms;
    region.behave = [](const std::string&) { return Behaviour{.takes = 200ms}; };
    region.map_queue(one_at_a_time());
    for (int i = 0; i < 8; ++i) region.queue.put("m");
    region.advance(moment);
    region.restart();
    region.advance(5s);
    EXPECT_EQ(region.queue.left(), 0U) << moment.count();
    EXPECT_EQ(region.queue.receives(), static_cast<int>(region.events.size())) << moment.count();
  }
}

TEST(LambdaPoller, ARuntimeThatNeverStartsCostsOneReceiveEachVisibilityTimeout) {
  TestingRegion region;
  region.create();
  region.init_takes = 1h;
  region.map_queue();
  region.queue.put("m");
  // Two environments, each given ten seconds and then the function's three.
  region.advance(25s);
  EXPECT_EQ(region.queue.receives(), 0);
  region.advance(2s);
  EXPECT_EQ(region.queue.receives(), 1);
  EXPECT_NE(region.logs.text().find("Task timed out"), std::string::npos);
  region.init_takes = 0ms;
  region.advance(51s);
  EXPECT_EQ(region.queue.left(), 0U);
}

TEST(LambdaPoller, WhatWaitsGetsAllTheMachineHolds) {
  TestingRegion region;
  region.create();
  region.behave = [](const std::string&) { return Behaviour{.takes = 1s}; };
  for (int i = 0; i < 100; ++i) region.queue.put("m");
  region.map_queue(one_at_a_time());
  region.advance(20s);
  EXPECT_EQ(region.running_max, 8);
  EXPECT_EQ(region.queue.left(), 0U);
}

TEST(LambdaPoller, WhatComputesGetsTheCores) {
  TestingRegion region;
  region.limits.eager_environments = 2;
  region.limits.is_machine_busy = [] { return true; };
  region.restart();
  region.create();
  region.behave = [](const std::string&) { return Behaviour{.takes = 1s}; };
  for (int i = 0; i < 40; ++i) region.queue.put("m");
  region.map_queue(one_at_a_time());
  region.advance(4s);
  EXPECT_EQ(region.running_max, 2);
  region.advance(20s);
  EXPECT_LE(region.running_max, 4);
  EXPECT_EQ(region.queue.left(), 0U);
}

TEST(LambdaPoller, OneFunctionsIdleEnvironmentMakesWayForAnothers) {
  TestingRegion region;
  region.limits.environments_max = 1;
  region.restart();
  region.create("g");
  region.create();
  region.behave = [](const std::string&) { return Behaviour{.takes = 2s}; };
  InvocationRequest request;
  request.function_name = "g";
  region.context.request_id = "r";
  const auto busy = region.begin(region.service->invoke(region.context, request));
  region.map_queue();
  region.queue.put("m");
  region.advance(1s);
  EXPECT_EQ(region.events.size(), 1U);
  region.advance(4s);
  EXPECT_EQ(region.queue.left(), 0U);
}

TEST(LambdaPoller, WhatTheFiltersDropIsDeletedUnseen) {
  TestingRegion region;
  region.create();
  auto request = CreateEventSourceMappingRequest();
  request.filter_criteria.emplace().filters.emplace().emplace_back().pattern =
      R"({"body":{"kind":["wanted"]}})";
  for (int i = 0; i < 25; ++i) region.queue.put(R"({"kind":"other"})");
  region.queue.put(R"({"kind":"wanted"})");
  region.map_queue(request);
  region.run();
  ASSERT_EQ(region.events.size(), 1U);
  EXPECT_EQ(region.events[0].find("other"), std::string::npos);
  EXPECT_EQ(region.queue.left(), 0U);
}

TEST(LambdaPoller, StatesAreWhatGoesOn) {
  TestingRegion region;
  region.create();
  const std::string uuid = region.map_queue(one_at_a_time());
  EXPECT_EQ(state_of(region, uuid), "Enabled");
  region.behave = [](const std::string&) { return Behaviour{.takes = 2s}; };
  region.queue.put("m");
  region.advance(1s);
  EXPECT_EQ(enable(region, uuid, false)->state, "Disabling");
  EXPECT_EQ(state_of(region, uuid), "Disabling");
  const auto refused = enable(region, uuid, true);
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(refused.error().is(errors::kResourceInUseException));
  region.advance(1s);
  EXPECT_EQ(state_of(region, uuid), "Disabled");
  EXPECT_EQ(enable(region, uuid, true)->state, "Enabling");
  EXPECT_EQ(state_of(region, uuid), "Enabled");
  region.queue.put("m");
  region.advance(1s);
  DeleteEventSourceMappingRequest request;
  request.uuid = uuid;
  EXPECT_EQ(region.ask(region.service->delete_event_source_mapping(region.context, request))->state,
            "Deleting");
  EXPECT_EQ(state_of(region, uuid), "Deleting");
  region.advance(1s);
  EXPECT_EQ(state_of(region, uuid), "The resource you requested does not exist.");
  EXPECT_EQ(region.queue.left(), 0U);
}

TEST(LambdaPoller, AMappingMadeDisabledIsDisabled) {
  TestingRegion region;
  region.create();
  auto request = CreateEventSourceMappingRequest();
  request.function_name = "f";
  request.event_source_arn = TestingRegion::kQueue;
  request.enabled = false;
  const auto made =
      region.ask(region.service->create_event_source_mapping(region.context, request));
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->state, "Disabled");
  region.queue.put("m");
  region.advance(1min);
  EXPECT_EQ(region.queue.receives(), 0);
}

TEST(LambdaPoller, ADeletedMappingStaysDeletedAfterARestart) {
  TestingRegion region;
  region.create();
  const std::string uuid = region.map_queue(one_at_a_time());
  region.behave = [](const std::string&) { return Behaviour{.takes = 2s}; };
  region.queue.put("m");
  region.advance(1s);
  DeleteEventSourceMappingRequest request;
  request.uuid = uuid;
  ASSERT_TRUE(region.ask(region.service->delete_event_source_mapping(region.context, request)));
  region.restart();
  EXPECT_EQ(state_of(region, uuid), "The resource you requested does not exist.");
}

TEST(LambdaPoller, MappingsHaveTags) {
  TestingRegion region;
  region.create();
  auto request = CreateEventSourceMappingRequest();
  request.tags = {{"a", "1"}, {"b", "2"}};
  const std::string arn =
      "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:" + region.map_queue(request);
  TagResourceRequest tag;
  tag.resource = arn;
  tag.tags = {{"c", "3"}};
  ASSERT_TRUE(region.ask(region.service->tag_resource(region.context, tag)));
  UntagResourceRequest untag;
  untag.resource = arn;
  untag.tag_keys = {"a"};
  ASSERT_TRUE(region.ask(region.service->untag_resource(region.context, untag)));
  region.restart();
  ListTagsRequest list;
  list.resource = arn;
  const auto tags = region.ask(region.service->list_tags(region.context, list));
  ASSERT_TRUE(tags.has_value());
  EXPECT_EQ(tags->tags, (std::map<std::string, std::string>{{"b", "2"}, {"c", "3"}}));
  list.resource += "0";
  EXPECT_FALSE(region.ask(region.service->list_tags(region.context, list)));
}

TEST(LambdaPoller, AnUnknownFunctionIsToldAfterTheSource) {
  TestingRegion region;
  CreateEventSourceMappingRequest request;
  request.function_name = "none";
  auto made = region.ask(region.service->create_event_source_mapping(region.context, request));
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().message, "Unrecognized event source.");
  request.event_source_arn = TestingRegion::kQueue;
  made = region.ask(region.service->create_event_source_mapping(region.context, request));
  ASSERT_FALSE(made.has_value());
  EXPECT_TRUE(made.error().is(errors::kInvalidParameterValueException));
  EXPECT_EQ(made.error().message, "Function does not exist");
}

TEST(LambdaPoller, StatusTellsOfFunctionsAndMappings) {
  TestingRegion region;
  region.create();
  region.map_queue();
  region.behave = [](const std::string&) { return Behaviour{.is_error = true}; };
  region.queue.put("m");
  region.run();
  const auto rows = region.service->status();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].at("function"), "f");
  EXPECT_EQ(rows[0].at("invocations since start").to_number<int>(), 1);
  EXPECT_EQ(rows[0].at("errors").to_number<int>(), 1);
  const auto mappings = region.service->mapping_status();
  ASSERT_EQ(mappings.size(), 1U);
  EXPECT_EQ(mappings[0].at("state"), "Enabled");
  EXPECT_EQ(mappings[0].at("last result"), "PROBLEM: Function call failed");
}

}  // namespace
}  // namespace terrarium::lambda
