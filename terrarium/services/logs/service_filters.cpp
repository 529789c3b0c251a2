// Metric filters: kept, described and tried. Nothing is counted until the region keeps metrics.
#include <algorithm>

#include "generated/logs/errors.h"
#include "terrarium/services/logs/metric_filter.h"
#include "terrarium/services/logs/service.h"

namespace terrarium::logs {
namespace {

constexpr auto kTable = store::Table::Logs;
constexpr std::size_t kDimensionsMax = 3;
// Looked at by one call; a page may then have fewer than it could, and a token.
constexpr std::size_t kScanFiltersMax = 5000;

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidParameterException, std::move(message));
}

Result<std::vector<MetricTransformationRecord>> to_records(
    const std::vector<MetricTransformation>& transformations) {
  std::vector<MetricTransformationRecord> records;
  for (const MetricTransformation& given : transformations) {
    MetricTransformationRecord made{.metric_name = given.metric_name,
                                    .metric_namespace = given.metric_namespace,
                                    .metric_value = given.metric_value,
                                    .default_value = given.default_value,
                                    .unit = given.unit};
    if (given.dimensions) made.dimensions = *given.dimensions;
    if (!made.dimensions.empty() && made.default_value) {
      return invalid(
          "Invalid metric transformation: dimensions and default value are mutually exclusive "
          "properties.");
    }
    if (made.dimensions.size() > kDimensionsMax) {
      return invalid("Invalid metric transformation: a metric has no more than 3 dimensions.");
    }
    records.push_back(std::move(made));
  }
  return records;
}

MetricFilter describe(MetricFilterRecord record) {
  MetricFilter filter;
  filter.filter_name = std::move(record.name);
  filter.filter_pattern = std::move(record.pattern);
  filter.log_group_name = std::move(record.group);
  filter.creation_time = record.creation_ms;
  filter.apply_on_transformed_logs = false;
  auto& transformations = filter.metric_transformations.emplace();
  for (MetricTransformationRecord& made : record.transformations) {
    MetricTransformation one;
    one.metric_name = std::move(made.metric_name);
    one.metric_namespace = std::move(made.metric_namespace);
    one.metric_value = std::move(made.metric_value);
    one.default_value = made.default_value;
    if (!made.dimensions.empty()) one.dimensions = std::move(made.dimensions);
    one.unit = std::move(made.unit);
    transformations.push_back(std::move(one));
  }
  return filter;
}

bool is_wanted(const MetricFilterRecord& record, const DescribeMetricFiltersRequest& request) {
  return std::ranges::any_of(
      record.transformations, [&request](const MetricTransformationRecord& made) {
        return (!request.metric_name || made.metric_name == *request.metric_name) &&
               (!request.metric_namespace || made.metric_namespace == *request.metric_namespace);
      });
}

// Filters in the order of their names: of a region, or of one group.
class FilterCursor {
 public:
  FilterCursor(const store::Store& store, std::string_view region, std::string_view name_prefix)
      : store_(store), region_(region), before_name_(keys::metric_filters(region).size()) {
    open(keys::metric_filters(region) + std::string(name_prefix));
  }
  FilterCursor(const store::Store& store, std::string_view region, std::string_view group,
               std::uint64_t group_id, std::string_view name_prefix)
      : store_(store),
        region_(region),
        group_(group),
        before_name_(keys::filter_names(group_id).size()) {
    open(keys::filter_name(group_id, name_prefix));
  }

  // Behind what token() once said.
  void seek_after(const std::string& token) {
    cursor_->seek(std::max(prefix_, prefix_.substr(0, before_name_) + token + '\0'));
  }
  std::string token() const { return std::string(cursor_->key().substr(before_name_)); }
  bool valid() const { return cursor_->valid(); }
  void next() { cursor_->next(); }
  Result<void> status() const { return cursor_->status(); }
  Result<std::optional<MetricFilterRecord>> filter() const {
    if (!group_) {
      TRY(MetricFilterRecord record, parse_metric_filter(cursor_->value()));
      return record;
    }
    TRY(const auto text, store_.get(kTable, keys::metric_filter(region_, token(), *group_)));
    if (!text) return std::nullopt;
    TRY(MetricFilterRecord record, parse_metric_filter(*text));
    return record;
  }

 private:
  void open(std::string prefix) {
    prefix_ = std::move(prefix);
    cursor_ = store_.scan(kTable, prefix_, store::prefix_end(prefix_));
  }

  const store::Store& store_;
  std::string region_;
  std::optional<std::string> group_;
  std::size_t before_name_;
  std::string prefix_;
  std::unique_ptr<store::Cursor> cursor_;
};

}  // namespace

Task<Result<wire::Empty>> Service::put_metric_filter(const wire::Context& context,
                                                     PutMetricFilterRequest request) {
  CO_TRY_VOID(check_filter_name(request.filter_name));
  if (request.apply_on_transformed_logs.value_or(false)) {
    co_return invalid("applyOnTransformedLogs is not supported by this region");
  }
  CO_TRY(GroupRecord record, group(context.region, request.log_group_name));
  MetricFilterRecord filter{.name = request.filter_name,
                            .group = request.log_group_name,
                            .pattern = request.filter_pattern,
                            .creation_ms = to_millis(clock_.now())};
  CO_TRY(filter.transformations, to_records(request.metric_transformations));
  CO_TRY_VOID(CompiledMetricFilter::compile(filter));
  const std::string key = keys::metric_filter(context.region, filter.name, filter.group);
  CO_TRY(const auto there, store_.get(kTable, key));
  store::Batch batch;
  if (!there) {
    if (record.metric_filters >= static_cast<std::int32_t>(kMetricFiltersMax)) {
      co_return base::fail(errors::kLimitExceededException, "Resource limit exceeded.");
    }
    ++record.metric_filters;
    put_group(batch, context.region, filter.group, record);
    batch.put(kTable, keys::filter_name(record.id, filter.name), {});
  }
  batch.put(kTable, key, to_text(filter));
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return wire::Empty{};
}

Task<Result<wire::Empty>> Service::delete_metric_filter(const wire::Context& context,
                                                        DeleteMetricFilterRequest request) {
  CO_TRY_VOID(check_filter_name(request.filter_name));
  CO_TRY(GroupRecord record, group(context.region, request.log_group_name));
  const std::string key =
      keys::metric_filter(context.region, request.filter_name, request.log_group_name);
  CO_TRY(const auto there, store_.get(kTable, key));
  if (!there) {
    co_return base::fail(errors::kResourceNotFoundException,
                         "The specified metric filter does not exist.");
  }
  --record.metric_filters;
  store::Batch batch;
  put_group(batch, context.region, request.log_group_name, record);
  batch.erase(kTable, keys::filter_name(record.id, request.filter_name));
  batch.erase(kTable, key);
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return wire::Empty{};
}

Result<void> Service::erase_metric_filters(store::Batch& batch, std::string_view region,
                                           const GroupRecord& record,
                                           std::string_view group_name) const {
  const std::string prefix = keys::filter_names(record.id);
  const auto cursor = store_.scan(kTable, prefix, store::prefix_end(prefix));
  for (; cursor->valid(); cursor->next()) {
    const std::string_view name = keys::name_of(cursor->key(), prefix.size());
    batch.erase(kTable, keys::metric_filter(region, name, group_name));
    batch.erase(kTable, std::string(cursor->key()));
  }
  return cursor->status();
}

Task<Result<DescribeMetricFiltersResponse>> Service::describe_metric_filters(
    const wire::Context& context, DescribeMetricFiltersRequest request) {
  CO_TRY(const std::size_t limit, check_limit(request.limit, kListMax));
  const std::string prefix = request.filter_name_prefix.value_or("");
  CO_TRY_VOID(check_filter_name(prefix));
  std::optional<FilterCursor> cursor;
  if (request.log_group_name) {
    CO_TRY(const GroupRecord record, group(context.region, *request.log_group_name));
    cursor.emplace(store_, context.region, *request.log_group_name, record.id, prefix);
  } else {
    cursor.emplace(store_, context.region, prefix);
  }
  if (request.next_token) {
    CO_TRY(const std::string last, parse_list_token(*request.next_token));
    cursor->seek_after(last);
  }
  DescribeMetricFiltersResponse response;
  auto& page = response.metric_filters.emplace();
  std::size_t scanned = 0;
  for (std::string last; cursor->valid(); cursor->next()) {
    if (page.size() == limit || ++scanned > kScanFiltersMax) {
      response.next_token = list_token(last);
      break;
    }
    last = cursor->token();
    CO_TRY(auto record, cursor->filter());
    if (record && is_wanted(*record, request)) page.push_back(describe(*std::move(record)));
  }
  CO_TRY_VOID(cursor->status());
  co_return response;
}

Task<Result<TestMetricFilterResponse>> Service::test_metric_filter(
    const wire::Context&, TestMetricFilterRequest request) {
  CO_TRY(const Pattern pattern, Pattern::parse(request.filter_pattern));
  TestMetricFilterResponse response;
  auto& matches = response.matches.emplace();
  std::int64_t number = 0;
  for (std::string& message : request.log_event_messages) {
    auto values = pattern.extract(message);
    // Counted from 1, as in the answers that the API reference shows.
    ++number;
    if (!values) continue;
    matches.push_back({number, std::move(message), *std::move(values)});
  }
  co_return response;
}

}  // namespace terrarium::logs
