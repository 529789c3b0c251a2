// Log events, as they are read: by stream and by group.
#include <algorithm>
#include <map>

#include "generated/logs/errors.h"
#include "terrarium/services/logs/event_scan.h"
#include "terrarium/services/logs/pattern.h"
#include "terrarium/services/logs/service.h"

namespace terrarium::logs {
namespace {

constexpr auto kTable = store::Table::Logs;
// Looked at before others have their turn.
constexpr std::size_t kStepEvents = 250;
constexpr std::size_t kStepBytes = 256 * 1024;

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidParameterException, std::move(message));
}

Result<Range> range_of(std::optional<std::int64_t> start, std::optional<std::int64_t> end) {
  const Range range{.from_ms = start.value_or(0),
                    .to_ms = end.value_or(std::numeric_limits<Millis>::max())};
  if (range.from_ms > range.to_ms) return invalid("startTime is not after endTime");
  return range;
}

// How much work has been done since others had their turn.
class Steps {
 public:
  // True when it is time to let others have theirs.
  bool count(std::size_t bytes) {
    ++events_;
    bytes_ += bytes;
    if (events_ < kStepEvents && bytes_ < kStepBytes) return false;
    events_ = bytes_ = 0;
    return true;
  }

 private:
  std::size_t events_ = 0;
  std::size_t bytes_ = 0;
};

// Events of one stream, found through its index, in the direction of a token.
class StreamReader {
 public:
  StreamReader(const store::Store& store, std::uint64_t group_id, std::uint64_t stream_id,
               Range range)
      : store_(store),
        group_id_(group_id),
        stream_id_(stream_id),
        cursor_(store.scan(kTable, keys::index(group_id, stream_id, {range.from_ms, 0}),
                           keys::index(group_id, stream_id, {range.to_ms, 0}))) {}

  // After (or before) `position`; without one, from the end that the direction begins at.
  void place(bool forward, const std::optional<Position>& position) {
    forward_ = forward;
    if (!position) {
      if (!forward) cursor_->seek_for_previous(store::prefix_end(index_prefix()));
      return;
    }
    const std::string key = keys::index(group_id_, stream_id_, *position);
    forward ? cursor_->seek(key + '\0') : cursor_->seek_for_previous(key);
    if (!forward && cursor_->valid() && cursor_->key() == key) cursor_->previous();
  }
  // Nothing at the end.
  Result<std::optional<std::pair<Position, EventRecord>>> next() {
    while (cursor_->valid()) {
      const Position position = keys::position_of(cursor_->key());
      forward_ ? cursor_->next() : cursor_->previous();
      TRY(const auto text, store_.get(kTable, keys::event(group_id_, position)));
      if (!text) continue;
      TRY(EventRecord event, parse_event(*text));
      return std::pair(position, std::move(event));
    }
    TRY_VOID(cursor_->status());
    return std::nullopt;
  }

 private:
  std::string index_prefix() const { return keys::index(group_id_, stream_id_); }

  const store::Store& store_;
  std::uint64_t group_id_;
  std::uint64_t stream_id_;
  std::unique_ptr<store::Cursor> cursor_;
  bool forward_ = true;
};

Result<Position> parse_filter_token(std::string_view token) {
  TRY(const std::string after, parse_list_token(token));
  if (after.size() != keys::position({}).size()) {
    return invalid("The specified nextToken is invalid.");
  }
  return keys::position_of(after);
}

FilteredLogEvent describe(Position position, std::string stream_name, EventRecord event) {
  FilteredLogEvent output;
  output.log_stream_name = std::move(stream_name);
  output.timestamp = position.time_ms;
  output.ingestion_time = event.ingestion_ms;
  output.event_id = event_id(position);
  output.message = std::move(event.message);
  return output;
}

}  // namespace

Task<Result<GetLogEventsResponse>> Service::get_log_events(const wire::Context& context,
                                                           GetLogEventsRequest request) {
  CO_TRY(const std::string group_name,
         resolve(context, request.log_group_name, request.log_group_identifier));
  CO_TRY(const std::size_t limit, check_limit(request.limit, kPageEventsMax));
  CO_TRY(const Range range, range_of(request.start_time, request.end_time));
  CO_TRY(const Stream found, stream(context.region, group_name, request.log_stream_name));
  ReadToken token{.forward = request.start_from_head.value_or(false),
                  .position = {range.from_ms, 0}};
  if (request.next_token) {
    CO_TRY(token, parse_read_token(*request.next_token));
  }
  StreamReader reader(store_, found.group.id, found.stream.id, range);
  reader.place(token.forward, request.next_token ? std::optional(token.position) : std::nullopt);
  // Read from the end, a page is still told from its first event to its last.
  std::deque<OutputLogEvent> page;
  Position first = token.position;
  Position last = token.position;
  std::size_t bytes = 0;
  Steps steps;
  while (page.size() < limit) {
    CO_TRY(auto read, reader.next());
    if (!read) break;
    auto& [position, event] = *read;
    if (steps.count(event.message.size())) co_await breathe();
    bytes += event.message.size() + kEventOverheadBytes;
    if (bytes > kPageBytesMax && !page.empty()) break;
    if (page.empty()) first = last = position;
    (token.forward ? last : first) = position;
    OutputLogEvent output;
    output.timestamp = position.time_ms;
    output.ingestion_time = event.ingestion_ms;
    output.message = std::move(event.message);
    token.forward ? page.push_back(std::move(output)) : page.push_front(std::move(output));
  }
  GetLogEventsResponse response;
  response.events.emplace(std::make_move_iterator(page.begin()),
                          std::make_move_iterator(page.end()));
  response.next_forward_token = to_text(ReadToken{true, last});
  response.next_backward_token = to_text(ReadToken{false, first});
  co_return response;
}

Result<std::optional<std::vector<std::uint64_t>>> Service::wanted_streams(
    std::string_view region, std::string_view group_name,
    const FilterLogEventsRequest& request) const {
  std::vector<std::uint64_t> ids;
  for (const std::string& name : request.log_stream_names.value_or(std::vector<std::string>{})) {
    TRY(const Stream found, stream(region, group_name, name));
    if (std::ranges::find(ids, found.stream.id) == ids.end()) ids.push_back(found.stream.id);
  }
  if (!request.log_stream_name_prefix) return ids;
  const std::string prefix = keys::stream(region, group_name, *request.log_stream_name_prefix);
  const auto cursor = store_.scan(kTable, prefix, store::prefix_end(prefix));
  for (; cursor->valid(); cursor->next()) {
    if (ids.size() == EventScan::kStreamsMax) return std::nullopt;
    TRY(const StreamRecord record, parse_stream(cursor->value()));
    ids.push_back(record.id);
  }
  TRY_VOID(cursor->status());
  return ids;
}

Task<Result<FilterLogEventsResponse>> Service::filter_log_events(const wire::Context& context,
                                                                 FilterLogEventsRequest request) {
  CO_TRY(const std::string group_name,
         resolve(context, request.log_group_name, request.log_group_identifier));
  CO_TRY(const std::size_t limit, check_limit(request.limit, kPageEventsMax));
  CO_TRY(const Range range, range_of(request.start_time, request.end_time));
  CO_TRY(const Pattern pattern, Pattern::parse(request.filter_pattern.value_or("")));
  if (request.log_stream_names && request.log_stream_name_prefix) {
    co_return invalid("logStreamNamePrefix and logStreamNames are mutually exclusive parameters.");
  }
  CO_TRY(const GroupRecord record, group(context.region, group_name));
  CO_TRY(const auto streams, wanted_streams(context.region, group_name, request));
  const std::string prefix = request.log_stream_name_prefix.value_or("");
  const bool few = streams && (request.log_stream_names || request.log_stream_name_prefix);
  EventScan scan =
      few ? EventScan(store_, record.id, *streams, range) : EventScan(store_, record.id, range);
  if (request.next_token) {
    CO_TRY(const Position after, parse_filter_token(*request.next_token));
    scan.seek_after(after);
  }
  FilterLogEventsResponse response;
  auto& page = response.events.emplace();
  response.searched_log_streams.emplace();
  std::map<std::uint64_t, std::optional<std::string>> names;  // deleted streams have none
  std::size_t bytes = 0;
  std::size_t scanned = 0;
  Steps steps;
  for (Position last; scan.valid(); scan.next()) {
    if (page.size() == limit || bytes >= kPageBytesMax || scanned == kScanEventsMax) {
      response.next_token = list_token(keys::position(last));
      break;
    }
    ++scanned;
    last = scan.position();
    CO_TRY(auto event, scan.event());
    if (steps.count(event ? event->message.size() : 0)) co_await breathe();
    if (!event || !pattern.matches(event->message)) continue;
    const auto [name, is_new] = names.try_emplace(event->stream_id);
    if (is_new) {
      CO_TRY(name->second, store_.get(kTable, keys::stream_name(record.id, event->stream_id)));
    }
    if (!name->second || !name->second->starts_with(prefix)) continue;
    bytes += event->message.size() + kEventOverheadBytes;
    page.push_back(describe(last, *name->second, *std::move(event)));
  }
  CO_TRY_VOID(scan.status());
  co_return response;
}

}  // namespace terrarium::logs
