// Every write and every sync of a group's life fails once, before or after it happened; then the
// power goes, or only the process. What was acknowledged must hold, and the records must agree.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "terrarium/services/logs/testing_region.h"
#include "terrarium/store/faulty.h"

namespace terrarium::logs {
namespace {

using namespace std::chrono_literals;
using store::FaultPoint;
using store::FaultyStore;

// What the clients of a group know.
struct Ledger {
  std::map<std::string, std::set<std::string>> kept;  // acknowledged events by stream
  std::set<std::string> deleted;                      // streams whose deletion was acknowledged
  std::set<std::string> delete_tried;
  bool expires = false;  // the retention was acknowledged, or may have been kept
  std::optional<bool> filter;
};

struct Life {
  TestingRegion region;
  FaultyStore& store;
  Ledger ledger;

  Life() : Life(std::make_unique<FaultyStore>()) {}
  explicit Life(std::unique_ptr<FaultyStore> made)
      : region(std::move(made)), store(static_cast<FaultyStore&>(*region.store)) {}

  void put(const std::string& stream, const std::string& text, int count = 1) {
    std::vector<InputLogEvent> events;
    for (int i = 0; i < count; ++i) {
      events.push_back({region.now_ms(), text + "-" + std::to_string(i)});
    }
    PutLogEventsRequest request{"g", stream, events, {}};
    if (!region.ask(region.service->put_log_events(region.context, request)).has_value()) return;
    for (const InputLogEvent& event : events) ledger.kept[stream].insert(event.message);
  }

  void scenario() {
    CreateLogGroupRequest create;
    create.log_group_name = "g";
    (void)region.ask(region.service->create_log_group(region.context, create));
    for (const char* name : {"s", "t"}) {
      (void)region.ask(region.service->create_log_stream(region.context, {"g", name}));
    }
    put("s", "one");
    put("t", "two");
    region.service->append({"us-east-1", "g", "lines", region.clock.now(), "a line"});
    region.run();
    put("s", "many", 1500);
    PutMetricFilterRequest filter;
    filter.log_group_name = "g";
    filter.filter_name = "f";
    filter.metric_transformations.push_back({"m", "n", "1", {}, {}, {}});
    if (region.ask(region.service->put_metric_filter(region.context, filter)).has_value()) {
      ledger.filter = true;
    }
    ledger.delete_tried.insert("t");
    if (region.ask(region.service->delete_log_stream(region.context, {"g", "t"})).has_value()) {
      ledger.deleted.insert("t");
    }
    region.advance(20h);
    put("s", "young");
    ledger.expires = true;
    (void)region.ask(region.service->put_retention_policy(region.context, {"g", 1}));
    region.advance(6h);
    put("s", "last");
  }

  std::set<std::string> events_of(const std::string& stream) {
    std::set<std::string> found;
    FilterLogEventsRequest request;
    request.log_group_name = "g";
    request.log_stream_names = {stream};
    auto got = region.ask(region.service->filter_log_events(region.context, request));
    if (!got.has_value()) return found;
    for (const FilteredLogEvent& event : *got->events) found.insert(*event.message);
    return found;
  }

  // Every event is in its stream's index and the other way round; the group's bytes are its
  // events'.
  void check_records() {
    std::set<std::string> indexed;
    std::map<std::uint64_t, std::int64_t> bytes;
    const auto index = store.scan(store::Table::Logs, "i", "j");
    for (; index->valid(); index->next()) indexed.insert(std::string(index->key()));
    const auto events = store.scan(store::Table::Logs, "e", "f");
    for (; events->valid(); events->next()) {
      const EventRecord event = parse_event(events->value()).value();
      const std::uint64_t group_id = keys::number_at(events->key(), 1);
      bytes[group_id] += stored_bytes(event.message);
      EXPECT_EQ(
          indexed.erase(keys::index(group_id, event.stream_id, keys::position_of(events->key()))),
          1U);
    }
    EXPECT_TRUE(indexed.empty()) << indexed.size();
    const auto groups = store.scan(store::Table::Logs, "g", "h");
    for (; groups->valid(); groups->next()) {
      const GroupRecord record = parse_group(groups->value()).value();
      EXPECT_EQ(record.stored_bytes, bytes[record.id]);
      const std::string prefix = keys::filter_names(record.id);
      std::int32_t filters = 0;
      const auto names = store.scan(store::Table::Logs, prefix, store::prefix_end(prefix));
      for (; names->valid(); names->next()) ++filters;
      EXPECT_EQ(record.metric_filters, filters);
    }
  }

  void check() {
    for (const auto& [stream, texts] : ledger.kept) {
      if (ledger.delete_tried.contains(stream)) continue;
      const auto found = events_of(stream);
      for (const std::string& text : texts) {
        const bool may_have_expired =
            ledger.expires && !text.starts_with("young") && !text.starts_with("last");
        if (!may_have_expired) EXPECT_TRUE(found.contains(text)) << text;
      }
    }
    for (const std::string& stream : ledger.deleted) EXPECT_TRUE(events_of(stream).empty());
    if (ledger.filter.value_or(false)) {
      const auto filters = region.ask(
          region.service->describe_metric_filters(region.context, {.log_group_name = "g"}));
      EXPECT_TRUE(filters.has_value() && filters->metric_filters->size() == 1);
    }
    check_records();
  }
};

TEST(LogsCrash, WhatWasAcknowledgedIsThereAndRecordsAgree) {
  bool fired = true;
  int runs = 0;
  for (std::uint64_t n = 0; fired; ++n) {
    ASSERT_LT(n, 200U) << "the scenario does not end";
    fired = false;
    for (const FaultPoint point : {FaultPoint::Before, FaultPoint::After}) {
      for (const std::size_t kept : {std::size_t{0}, std::size_t{1}, SIZE_MAX}) {
        SCOPED_TRACE(testing::Message()
                     << "effect " << n << " point " << int(point) << " kept " << kept);
        Life life;
        life.store.fail_effect(n, point);
        life.scenario();
        fired = fired || life.store.fired();
        life.region.stop();
        life.store.crash(kept);
        life.region.start();
        life.region.advance(2h);
        life.check();
        ++runs;
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_GT(runs, 60);
}

}  // namespace
}  // namespace terrarium::logs
