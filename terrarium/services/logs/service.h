// CloudWatch Logs: groups, streams, events. One coroutine an operation; everything runs on the
// control executor, and the store holds all there is - but for the lines of our own components
// that wait for the next turn of the loop.
//
// Every record has a number; numbers order events that have the same time by their arrival.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "generated/logs/model.h"
#include "lib/base/clock.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/logs/api.h"
#include "terrarium/services/logs/records.h"
#include "terrarium/services/logs/rules.h"
#include "terrarium/store/store.h"
#include "terrarium/wire/service.h"

namespace terrarium::logs {

struct Config {
  // How often what is past its retention is deleted.
  base::Duration retention_sweep = std::chrono::hours(1);
};

template <class T>
using Task = runtime::Task<T>;
template <class T>
using Result = base::Result<T>;

class Service final : public Api {
 public:
  // `store` and `clock` outlive it.
  Service(store::Store& store, base::Clock& clock, runtime::Executor control, Config config);
  void start();
  // Writes what waits; later lines are dropped.
  Task<void> stop();

  void append(Line line) override;

  Task<Result<wire::Empty>> create_log_group(const wire::Context&, CreateLogGroupRequest);
  Task<Result<wire::Empty>> delete_log_group(const wire::Context&, DeleteLogGroupRequest);
  Task<Result<DescribeLogGroupsResponse>> describe_log_groups(const wire::Context&,
                                                              DescribeLogGroupsRequest);
  Task<Result<ListLogGroupsResponse>> list_log_groups(const wire::Context&, ListLogGroupsRequest);
  Task<Result<wire::Empty>> put_retention_policy(const wire::Context&, PutRetentionPolicyRequest);
  Task<Result<wire::Empty>> delete_retention_policy(const wire::Context&,
                                                    DeleteRetentionPolicyRequest);
  Task<Result<wire::Empty>> create_log_stream(const wire::Context&, CreateLogStreamRequest);
  Task<Result<wire::Empty>> delete_log_stream(const wire::Context&, DeleteLogStreamRequest);
  Task<Result<DescribeLogStreamsResponse>> describe_log_streams(const wire::Context&,
                                                                DescribeLogStreamsRequest);
  Task<Result<PutLogEventsResponse>> put_log_events(const wire::Context&, PutLogEventsRequest);
  Task<Result<GetLogEventsResponse>> get_log_events(const wire::Context&, GetLogEventsRequest);
  Task<Result<FilterLogEventsResponse>> filter_log_events(const wire::Context&,
                                                          FilterLogEventsRequest);
  Task<Result<wire::Empty>> put_metric_filter(const wire::Context&, PutMetricFilterRequest);
  Task<Result<wire::Empty>> delete_metric_filter(const wire::Context&, DeleteMetricFilterRequest);
  Task<Result<DescribeMetricFiltersResponse>> describe_metric_filters(const wire::Context&,
                                                                      DescribeMetricFiltersRequest);
  Task<Result<TestMetricFilterResponse>> test_metric_filter(const wire::Context&,
                                                            TestMetricFilterRequest);
  Task<Result<PutResourcePolicyResponse>> put_resource_policy(const wire::Context&,
                                                              PutResourcePolicyRequest);
  Task<Result<wire::Empty>> delete_resource_policy(const wire::Context&,
                                                   DeleteResourcePolicyRequest);
  Task<Result<DescribeResourcePoliciesResponse>> describe_resource_policies(
      const wire::Context&, DescribeResourcePoliciesRequest);
  Task<Result<DescribeDestinationsResponse>> describe_destinations(const wire::Context&,
                                                                   DescribeDestinationsRequest);
  Task<Result<DescribeExportTasksResponse>> describe_export_tasks(const wire::Context&,
                                                                  DescribeExportTasksRequest);
  Task<Result<DescribeQueriesResponse>> describe_queries(const wire::Context&,
                                                         DescribeQueriesRequest);
  Task<Result<DescribeQueryDefinitionsResponse>> describe_query_definitions(
      const wire::Context&, DescribeQueryDefinitionsRequest);
  Task<Result<DescribeSubscriptionFiltersResponse>> describe_subscription_filters(
      const wire::Context&, DescribeSubscriptionFiltersRequest);
  Task<Result<wire::Empty>> tag_log_group(const wire::Context&, TagLogGroupRequest);
  Task<Result<wire::Empty>> untag_log_group(const wire::Context&, UntagLogGroupRequest);
  Task<Result<ListTagsLogGroupResponse>> list_tags_log_group(const wire::Context&,
                                                             ListTagsLogGroupRequest);
  Task<Result<wire::Empty>> tag_resource(const wire::Context&, TagResourceRequest);
  Task<Result<wire::Empty>> untag_resource(const wire::Context&, UntagResourceRequest);
  Task<Result<ListTagsForResourceResponse>> list_tags_for_resource(const wire::Context&,
                                                                   ListTagsForResourceRequest);

 private:
  struct Event {
    Millis time_ms = 0;
    std::string message;
  };
  struct Stream {
    std::string region;
    std::string group_name;
    std::string name;
    GroupRecord group;
    StreamRecord stream;
  };
  struct GroupPage {
    std::vector<std::pair<std::string, GroupRecord>> groups;  // by name
    std::optional<std::string> next_token;
  };
  using StreamName = std::pair<std::string, std::string>;  // {group, stream}
  using Waiting = std::map<std::pair<std::string, StreamName>, std::vector<Event>>;

  // Reads: errors are AWS's when a group or stream is not there.
  Result<GroupRecord> group(std::string_view region, std::string_view name) const;
  Result<Stream> stream(std::string_view region, std::string_view group_name,
                        std::string_view name) const;
  Result<GroupPage> group_page(const wire::Context& context, std::string_view name_prefix,
                               std::string_view pattern, const std::optional<std::string>& token,
                               std::size_t limit) const;
  // The group that a request means, which must be of this region and account.
  Result<std::string> resolve(const wire::Context& context, const std::optional<std::string>& name,
                              const std::optional<std::string>& identifier) const;
  Result<std::string> resolve_arn(const wire::Context& context, std::string_view arn) const;

  // Lets others have the control executor, between pieces of long work.
  Task<void> breathe();

  // Writes: decided and written without an await in between.
  // The first of `count` numbers that nobody else has.
  Result<std::uint64_t> take_numbers(store::Batch& batch, std::uint64_t count);
  void put_group(store::Batch& batch, std::string_view region, std::string_view name,
                 const GroupRecord& record) const;
  Result<StreamRecord> put_new_stream(store::Batch& batch, std::string_view region,
                                      std::string_view group_name, const GroupRecord& group,
                                      std::string_view name);
  Result<void> add_events(store::Batch& batch, Stream& stream, std::span<const Event> events);
  Result<void> write_line_group(std::string_view region, const StreamName& name,
                                const std::vector<Event>& events);
  void flush();
  void erase_event(store::Batch& batch, std::uint64_t group_id, const EventRecord& event,
                   Position position) const;

  // The streams of a group whose names FilterLogEvents asks for; nothing when there are more than a
  // scan can merge.
  Result<std::optional<std::vector<std::uint64_t>>> wanted_streams(
      std::string_view region, std::string_view group_name,
      const FilterLogEventsRequest& request) const;
  Result<void> erase_metric_filters(store::Batch& batch, std::string_view region,
                                    const GroupRecord& group, std::string_view group_name) const;

  // Tags.
  Task<Result<wire::Empty>> change_tags(std::string region, std::string group_name,
                                        std::map<std::string, std::string> add,
                                        std::vector<std::string> remove);
  Task<Result<wire::Empty>> set_retention(const wire::Context& context, std::string name,
                                          std::optional<std::int32_t> days);

  // Cleaning up.
  Task<void> sweep();
  Task<void> expire_groups();
  Task<void> purge_streams();
  Result<bool> expire_some(const std::string& group_key);
  Result<bool> purge_some(const std::string& purge_key);

  store::Store& store_;
  base::Clock& clock_;
  runtime::Executor control_;
  Config config_;
  runtime::TaskGroup tasks_;
  runtime::Event wake_sweep_;
  std::optional<std::uint64_t> next_number_;
  Waiting waiting_;
  std::size_t waiting_bytes_ = 0;
  bool flush_posted_ = false;
  bool stopped_ = false;
};

Millis to_millis(base::Timestamp time);

}  // namespace terrarium::logs
