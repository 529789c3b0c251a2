#include <gtest/gtest.h>

#include "generated/logs/errors.h"
#include "terrarium/services/logs/testing_region.h"

namespace terrarium::logs {
namespace {

using namespace std::chrono_literals;

template <class T>
std::string code_of(const base::Result<T>& result) {
  return result ? "" : std::string(result.error().row->code);
}

TEST(LogsGroup, IsThereUntilItIsDeleted) {
  TestingRegion region;
  region.create();
  CreateLogGroupRequest create;
  create.log_group_name = "g";
  EXPECT_EQ(code_of(region.ask(region.service->create_log_group(region.context, create))),
            "ResourceAlreadyExistsException");
  region.put({{region.now_ms(), "hello"}}).value();
  const auto described = region.ask(region.service->describe_log_groups(region.context, {}));
  ASSERT_EQ(described->log_groups->size(), 1U);
  const LogGroup& group = described->log_groups->front();
  EXPECT_EQ(group.arn, "arn:aws:logs:us-east-1:000000000000:log-group:g:*");
  EXPECT_EQ(group.stored_bytes, 5 + 26);
  ASSERT_TRUE(region.ask(region.service->delete_log_group(region.context, {"g"})));
  EXPECT_EQ(code_of(region.ask(region.service->delete_log_group(region.context, {"g"}))),
            "ResourceNotFoundException");
  // Nothing but the counter is left, and a new group of that name is empty.
  EXPECT_FALSE(region.store->scan(store::Table::Logs, "e", "j")->valid());
  region.create();
  EXPECT_EQ(TestingRegion::text(region.filter({}).events), "");
}

TEST(LogsGroup, ListsByPrefixPatternAndPage) {
  TestingRegion region;
  for (const char* name : {"a", "b1", "b2", "c"}) region.create(name, "s");
  const auto names = [&region](DescribeLogGroupsRequest request) {
    const auto got = region.ask(region.service->describe_log_groups(region.context, request));
    std::string all;
    for (const LogGroup& group : *got->log_groups) all += *group.log_group_name + " ";
    return all + got->next_token.value_or("");
  };
  DescribeLogGroupsRequest request;
  EXPECT_EQ(names(request), "a b1 b2 c ");
  request.log_group_name_prefix = "b";
  EXPECT_EQ(names(request), "b1 b2 ");
  request.limit = 1;
  const std::string first = names(request);
  EXPECT_TRUE(first.starts_with("b1 ")) << first;
  request.next_token = first.substr(3);
  EXPECT_EQ(names(request), "b2 ");
  DescribeLogGroupsRequest pattern;
  pattern.log_group_name_pattern = "2";
  EXPECT_EQ(names(pattern), "b2 ");
}

TEST(LogsStream, OrdersByNameAndByLastEvent) {
  TestingRegion region;
  for (const char* name : {"a", "b", "c"}) region.create("g", name);
  region.put({{region.now_ms(), "1"}}, "b").value();
  region.put({{region.now_ms() - 1000, "2"}}, "c").value();
  const auto names = [&region](bool by_time, bool descending, std::optional<int> limit = {},
                               std::optional<std::string> token = {}) {
    DescribeLogStreamsRequest request;
    request.log_group_name = "g";
    if (by_time) request.order_by = "LastEventTime";
    request.descending = descending;
    request.limit = limit;
    request.next_token = token;
    const auto got = region.ask(region.service->describe_log_streams(region.context, request));
    std::string all;
    for (const LogStream& stream : *got->log_streams) all += *stream.log_stream_name;
    return all + got->next_token.value_or("");
  };
  EXPECT_EQ(names(false, false), "abc");
  EXPECT_EQ(names(false, true), "cba");
  EXPECT_EQ(names(true, false), "acb");
  EXPECT_EQ(names(true, true), "bca");
  const std::string page = names(true, true, 2);
  EXPECT_TRUE(page.starts_with("bc")) << page;
  EXPECT_EQ(names(true, true, 2, page.substr(2)), "a");
}

TEST(LogsStream, ShowsTheTokenThatPuttingHandsOut) {
  TestingRegion region;
  region.create();
  const auto token = [&region] {
    DescribeLogStreamsRequest request;
    request.log_group_name = "g";
    const auto got = region.ask(region.service->describe_log_streams(region.context, request));
    return got->log_streams->front().upload_sequence_token;
  };
  EXPECT_FALSE(token().has_value()) << "nothing was put yet";
  const auto put = region.put({{region.now_ms(), "1"}});
  EXPECT_EQ(token(), put->next_sequence_token);
}

TEST(LogsStream, DeletedItsEventsAreGone) {
  TestingRegion region;
  region.create("g", "s");
  region.create("g", "other");
  std::vector<InputLogEvent> events;
  for (int i = 0; i < 2500; ++i) events.push_back({region.now_ms(), "x"});
  region.put(events).value();
  region.put({{region.now_ms(), "kept"}}, "other").value();
  ASSERT_TRUE(region.ask(region.service->delete_log_stream(region.context, {"g", "s"})));
  EXPECT_EQ(TestingRegion::text(region.filter({}).events), "kept");
  region.run();
  int left = 0;
  const auto cursor = region.store->scan(store::Table::Logs, "e", "f");
  for (; cursor->valid(); cursor->next()) ++left;
  EXPECT_EQ(left, 1);
  EXPECT_FALSE(region.store->scan(store::Table::Logs, "d", "e")->valid());
}

TEST(LogsEvents, AreReadForwardsAndBackwards) {
  TestingRegion region;
  region.create();
  std::vector<InputLogEvent> events;
  for (int i = 0; i < 6; ++i) events.push_back({region.now_ms() + i / 2, std::to_string(i)});
  region.put(events).value();
  const auto first = region.get({}, 4);
  EXPECT_EQ(TestingRegion::text(first.events), "0 1 2 3");
  const auto second = region.get(first.next_forward_token, 4);
  EXPECT_EQ(TestingRegion::text(second.events), "4 5");
  // At the end the same token comes back, and what comes later is found with it.
  const auto end = region.get(second.next_forward_token, 4);
  EXPECT_TRUE(end.events->empty());
  EXPECT_EQ(end.next_forward_token, second.next_forward_token);
  region.put({{region.now_ms() + 10, "6"}}).value();
  EXPECT_EQ(TestingRegion::text(region.get(end.next_forward_token, 4).events), "6");
  EXPECT_EQ(TestingRegion::text(region.get(second.next_backward_token, 3).events), "1 2 3");
  EXPECT_EQ(TestingRegion::text(region.get({}, 2, false).events), "5 6");
}

TEST(LogsEvents, AnEmptyStreamIsFollowedFromItsFirstEvent) {
  TestingRegion region;
  region.create();
  const auto empty = region.get({}, 10);
  EXPECT_TRUE(empty.events->empty());
  region.put({{region.now_ms(), "first"}}).value();
  EXPECT_EQ(TestingRegion::text(region.get(empty.next_forward_token, 10).events), "first");
}

TEST(LogsEvents, AFilterMergesStreamsByTime) {
  TestingRegion region;
  region.create("g", "s");
  region.create("g", "t");
  const Millis now = region.now_ms();
  region.put({{now, "a1 ERROR"}, {now + 2, "a2"}}, "s").value();
  region.put({{now + 1, "b1 ERROR"}, {now + 3, "b2"}}, "t").value();
  EXPECT_EQ(TestingRegion::text(region.filter({}).events), "a1 ERROR b1 ERROR a2 b2");
  FilterLogEventsRequest request;
  request.filter_pattern = "ERROR";
  EXPECT_EQ(TestingRegion::text(region.filter(request).events), "a1 ERROR b1 ERROR");
  request.log_stream_names = {"t"};
  EXPECT_EQ(TestingRegion::text(region.filter(request).events), "b1 ERROR");
  FilterLogEventsRequest paged;
  paged.limit = 3;
  const auto page = region.filter(paged);
  EXPECT_EQ(page.events->size(), 3U);
  paged.next_token = page.next_token;
  EXPECT_EQ(TestingRegion::text(region.filter(paged).events), "b2");
  FilterLogEventsRequest range;
  range.start_time = now + 1;
  range.end_time = now + 3;
  EXPECT_EQ(TestingRegion::text(region.filter(range).events), "b1 ERROR a2");
}

TEST(LogsEvents, AFilterOfStreamsReadsOnlyThose) {
  TestingRegion region;
  const Millis now = region.now_ms();
  for (int i = 0; i < 120; ++i) {
    const std::string name = (i < 110 ? "web-" : "job-") + std::to_string(i);
    region.create("g", name);
    region.put({{now + i, name}}, name).value();
  }
  FilterLogEventsRequest jobs;
  jobs.log_stream_name_prefix = "job-";
  jobs.limit = 9;
  const auto first = region.filter(jobs);
  EXPECT_EQ(first.events->size(), 9U);
  jobs.next_token = first.next_token;
  EXPECT_EQ(TestingRegion::text(region.filter(jobs).events), "job-119");
  FilterLogEventsRequest named;
  named.log_stream_names = {"job-111", "web-3", "web-3"};
  EXPECT_EQ(TestingRegion::text(region.filter(named).events), "web-3 job-111");
  FilterLogEventsRequest many;
  many.log_stream_name_prefix = "web-";
  EXPECT_EQ(region.filter(many).events->size(), 110U);
  FilterLogEventsRequest none;
  none.log_stream_name_prefix = "nobody";
  EXPECT_TRUE(region.filter(none).events->empty());
  none.log_stream_names = {"web-3"};
  none.log_group_name = "g";
  EXPECT_EQ(code_of(region.ask(region.service->filter_log_events(region.context, none))),
            "InvalidParameterException");
}

TEST(LogsEvents, ALargeBatchIsWrittenInPiecesAndReadInOrder) {
  TestingRegion region;
  region.create();
  std::vector<InputLogEvent> events;
  for (int i = 0; i < 3500; ++i) events.push_back({region.now_ms(), std::to_string(i)});
  region.put(events).value();
  const auto page = region.get({}, 10'000);
  ASSERT_EQ(page.events->size(), 3500U);
  for (int i = 0; i < 3500; ++i) EXPECT_EQ(page.events->at(i).message, std::to_string(i));
}

TEST(LogsEvents, SurviveARestartAndKeepTheirOrder) {
  TestingRegion region;
  region.create();
  const Millis now = region.now_ms();
  region.put({{now, "1"}}).value();
  region.restart();
  region.put({{now, "2"}}).value();
  EXPECT_EQ(TestingRegion::text(region.get({}, 10).events), "1 2");
}

TEST(LogsAppend, MakesGroupAndStreamAndKeepsOrder) {
  TestingRegion region;
  for (const char* text : {"one\n", "two\n", "three\n"}) {
    region.service->append({"us-east-1", "g", "s", region.clock.now(), text});
  }
  region.run();
  EXPECT_EQ(TestingRegion::text(region.get({}, 10).events), "one\n two\n three\n");
  region.service->append({"us-east-1", "g", "s", region.clock.now(), std::string(2'500'000, 'x')});
  region.run();
  std::size_t pieces = 0;
  auto page = region.get(region.get({}, 3).next_forward_token, 10);
  for (; !page.events->empty(); page = region.get(page.next_forward_token, 10)) {
    pieces += page.events->size();
  }
  EXPECT_EQ(pieces, 3U);
}

TEST(LogsAppend, WhatWaitsIsWrittenWhenItStops) {
  TestingRegion region;
  region.service->append({"us-east-1", "g", "s", region.clock.now(), "last words"});
  region.restart();
  EXPECT_EQ(TestingRegion::text(region.get({}, 10).events), "last words");
}

TEST(LogsRetention, WhatIsPastItIsDeleted) {
  TestingRegion region;
  region.create();
  region.put({{region.now_ms(), "old"}}).value();
  region.advance(20h);
  region.put({{region.now_ms(), "young"}}).value();
  ASSERT_TRUE(region.ask(region.service->put_retention_policy(region.context, {"g", 1})));
  region.advance(3h);
  EXPECT_EQ(TestingRegion::text(region.get({}, 10).events), "old young");
  region.advance(3h);
  EXPECT_EQ(TestingRegion::text(region.get({}, 10).events), "young");
  const auto group = region.ask(region.service->describe_log_groups(region.context, {}));
  EXPECT_EQ(group->log_groups->front().retention_in_days, 1);
  EXPECT_EQ(group->log_groups->front().stored_bytes, 5 + 26);
  ASSERT_TRUE(region.ask(region.service->delete_retention_policy(region.context, {"g"})));
  region.advance(200h);
  EXPECT_EQ(TestingRegion::text(region.get({}, 10).events), "young");
}

TEST(LogsRetention, MovesAStreamsFirstEventAndTheBytes) {
  TestingRegion region;
  region.create();
  region.put({{region.now_ms(), "old"}}).value();
  region.advance(20h);
  const Millis young = region.now_ms();
  region.put({{young, "young"}}).value();
  ASSERT_TRUE(region.ask(region.service->put_retention_policy(region.context, {"g", 1})));
  region.advance(6h);
  DescribeLogStreamsRequest request;
  request.log_group_name = "g";
  const auto streams = region.ask(region.service->describe_log_streams(region.context, request));
  EXPECT_EQ(streams->log_streams->front().first_event_timestamp, young);
  EXPECT_EQ(streams->log_streams->front().stored_bytes, 0);
  ASSERT_TRUE(region.ask(region.service->delete_log_stream(region.context, {"g", "s"})));
  region.run();
  const auto groups = region.ask(region.service->describe_log_groups(region.context, {}));
  EXPECT_EQ(groups->log_groups->front().stored_bytes, 0);
}

PutMetricFilterRequest metric_filter(const std::string& group, const std::string& name) {
  PutMetricFilterRequest request;
  request.log_group_name = group;
  request.filter_name = name;
  request.filter_pattern = "ERROR";
  request.metric_transformations.push_back({"metric-" + name, "space", "1", 0, {}, {}});
  return request;
}

TEST(LogsMetricFilter, IsKeptListedByNameAndGoesWithItsGroup) {
  TestingRegion region;
  region.create("g", "s");
  region.create("h", "s");
  const auto put = [&region](PutMetricFilterRequest request) {
    return code_of(region.ask(region.service->put_metric_filter(region.context, request)));
  };
  EXPECT_EQ(put(metric_filter("h", "a")), "");
  EXPECT_EQ(put(metric_filter("g", "b")), "");
  EXPECT_EQ(put(metric_filter("g", "c")), "");
  EXPECT_EQ(put(metric_filter("g", "c")), "") << "put again it is replaced";
  EXPECT_EQ(put(metric_filter("nowhere", "c")), "ResourceNotFoundException");
  auto wrong = metric_filter("g", "d");
  wrong.filter_pattern = "{ $.x }";
  EXPECT_EQ(put(wrong), "InvalidParameterException");
  const auto names = [&region](DescribeMetricFiltersRequest request) {
    const auto got = region.ask(region.service->describe_metric_filters(region.context, request));
    std::string all;
    for (const auto& filter : *got->metric_filters) all += *filter.filter_name;
    return all + got->next_token.value_or("");
  };
  EXPECT_EQ(names({}), "abc");
  EXPECT_EQ(names({.filter_name_prefix = "b"}), "b");
  EXPECT_EQ(names({.log_group_name = "g"}), "bc");
  EXPECT_EQ(names({.log_group_name = "g", .filter_name_prefix = "c"}), "c");
  EXPECT_EQ(names({.metric_name = "metric-a", .metric_namespace = "space"}), "a");
  const std::string page = names({.limit = 2});
  EXPECT_TRUE(page.starts_with("ab")) << page;
  EXPECT_EQ(names({.next_token = page.substr(2)}), "c");
  const auto groups = region.ask(region.service->describe_log_groups(region.context, {}));
  EXPECT_EQ(groups->log_groups->front().metric_filter_count, 2);
  ASSERT_TRUE(region.ask(region.service->delete_metric_filter(region.context, {"g", "c"})));
  EXPECT_EQ(code_of(region.ask(region.service->delete_metric_filter(region.context, {"g", "c"}))),
            "ResourceNotFoundException");
  ASSERT_TRUE(region.ask(region.service->delete_log_group(region.context, {"g"})));
  EXPECT_EQ(names({}), "a");
}

TEST(LogsTags, OldAndNewCallsSeeTheSame) {
  TestingRegion region;
  region.create();
  const std::string arn = "arn:aws:logs:us-east-1:000000000000:log-group:g";
  ASSERT_TRUE(region.ask(region.service->tag_log_group(region.context, {"g", {{"a", "1"}}})));
  ASSERT_TRUE(region.ask(region.service->tag_resource(region.context, {arn, {{"b", "2"}}})));
  EXPECT_EQ(region.ask(region.service->list_tags_log_group(region.context, {"g"}))->tags->size(),
            2U);
  ASSERT_TRUE(region.ask(region.service->untag_resource(region.context, {arn, {"a"}})));
  const auto tags = region.ask(region.service->list_tags_for_resource(region.context, {arn}));
  EXPECT_EQ(tags->tags->size(), 1U);
  const std::string elsewhere = "arn:aws:logs:eu-west-1:000000000000:log-group:g";
  EXPECT_FALSE(region.ask(region.service->list_tags_for_resource(region.context, {elsewhere})));
  std::map<std::string, std::string> many;
  for (int i = 0; i < 50; ++i) many[std::to_string(i)] = "x";
  EXPECT_EQ(code_of(region.ask(region.service->tag_resource(region.context, {arn, many}))),
            "TooManyTagsException");
}

}  // namespace
}  // namespace terrarium::logs
