// Log events: taken from clients and from our own components, read by stream and by group.
#include <map>
#include <set>

#include "generated/logs/errors.h"
#include "lib/base/log.h"
#include "terrarium/services/logs/pattern.h"
#include "terrarium/services/logs/service.h"

namespace terrarium::logs {
namespace {

constexpr auto kTable = store::Table::Logs;
// Lines of our own components that wait for the next turn of the loop; past that they are written
// on the spot.
constexpr std::size_t kWaitingBytesMax = 1 << 20;

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidParameterException, std::move(message));
}

// What PutLogEvents hands out where it once handed out a token that the next call had to bring.
std::string sequence_token(const StreamRecord& record) {
  return event_id({record.last_ingestion_ms.value_or(0), record.id});
}

struct Range {
  Millis from_ms = 0;
  Millis to_ms = 0;  // exclusive
};

Result<Range> range_of(std::optional<std::int64_t> start, std::optional<std::int64_t> end) {
  Range range{.from_ms = start.value_or(0),
              .to_ms = end.value_or(std::numeric_limits<Millis>::max())};
  if (range.from_ms < 0 || range.to_ms < 0) {
    return invalid("startTime and endTime are not negative");
  }
  if (range.from_ms > range.to_ms) return invalid("startTime is not after endTime");
  return range;
}

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
    if (!cursor_->valid()) {
      TRY_VOID(cursor_->status());
      return std::nullopt;
    }
    const Position position = keys::position_of(cursor_->key());
    forward_ ? cursor_->next() : cursor_->previous();
    TRY(const auto text, store_.get(kTable, keys::event(group_id_, position)));
    if (!text) return next();
    TRY(EventRecord event, parse_event(*text));
    return std::pair(position, std::move(event));
  }

 private:
  std::string index_prefix() const { return keys::index(group_id_, stream_id_); }

  const store::Store& store_;
  std::uint64_t group_id_;
  std::uint64_t stream_id_;
  std::unique_ptr<store::Cursor> cursor_;
  bool forward_ = true;
};

}  // namespace

Task<Result<PutLogEventsResponse>> Service::put_log_events(const wire::Context& context,
                                                           PutLogEventsRequest request) {
  CO_TRY(Stream target, stream(context.region, request.log_group_name, request.log_stream_name));
  CO_TRY(const Accepted accepted,
         accept(request.log_events, to_millis(clock_.now()), target.group.retention_days));
  std::vector<Event> events;
  for (std::size_t i = accepted.first; i < accepted.last; ++i) {
    InputLogEvent& event = request.log_events[i];
    events.push_back({event.timestamp, well_formed(event.message)});
  }
  PutLogEventsResponse response;
  response.rejected_log_events_info = accepted.rejected;
  if (!events.empty()) {
    store::Batch batch;
    add_events(batch, target, events);
    CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  }
  response.next_sequence_token = sequence_token(target.stream);
  co_return response;
}

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
  while (page.size() < limit) {
    CO_TRY(auto read, reader.next());
    if (!read) break;
    auto& [position, event] = *read;
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

Task<Result<FilterLogEventsResponse>> Service::filter_log_events(const wire::Context& context,
                                                                 FilterLogEventsRequest request) {
  CO_TRY(const std::string group_name,
         resolve(context, request.log_group_name, request.log_group_identifier));
  CO_TRY(const std::size_t limit, check_limit(request.limit, kPageEventsMax));
  CO_TRY(const Range range, range_of(request.start_time, request.end_time));
  CO_TRY(const Pattern pattern, Pattern::parse(request.filter_pattern.value_or("")));
  if (request.log_stream_names && request.log_stream_name_prefix) {
    co_return invalid("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.");
  }
  CO_TRY(const GroupRecord record, group(context.region, group_name));
  std::set<std::string, std::less<>> wanted;
  for (const std::string& name : request.log_stream_names.value_or(std::vector<std::string>{})) {
    CO_TRY_VOID(stream(context.region, group_name, name));
    wanted.insert(name);
  }
  const auto cursor = store_.scan(kTable, keys::event(record.id, {range.from_ms, 0}),
                                  keys::event(record.id, {range.to_ms, 0}));
  if (request.next_token) {
    CO_TRY(const std::string after, parse_list_token(*request.next_token));
    cursor->seek(keys::events(record.id) + after + '\0');
  }
  FilterLogEventsResponse response;
  auto& page = response.events.emplace();
  response.searched_log_streams.emplace();
  std::map<std::uint64_t, std::optional<std::string>> names;  // deleted streams have none
  const std::string prefix = request.log_stream_name_prefix.value_or("");
  std::size_t bytes = 0;
  std::size_t scanned = 0;
  std::string at;
  for (; cursor->valid(); cursor->next()) {
    if (page.size() == limit || bytes >= kPageBytesMax || scanned == kScanEventsMax) {
      response.next_token = list_token(at);
      break;
    }
    ++scanned;
    at = cursor->key().substr(keys::events(record.id).size());
    CO_TRY(EventRecord event, parse_event(cursor->value()));
    const auto [name, is_new] = names.try_emplace(event.stream_id);
    if (is_new) {
      CO_TRY(name->second, store_.get(kTable, keys::stream_name(record.id, event.stream_id)));
    }
    if (!name->second || !name->second->starts_with(prefix)) continue;
    if (!wanted.empty() && !wanted.contains(*name->second)) continue;
    if (!pattern.matches(event.message)) continue;
    const Position position = keys::position_of(cursor->key());
    bytes += event.message.size() + kEventOverheadBytes;
    FilteredLogEvent output;
    output.log_stream_name = *name->second;
    output.timestamp = position.time_ms;
    output.ingestion_time = event.ingestion_ms;
    output.event_id = event_id(position);
    output.message = std::move(event.message);
    page.push_back(std::move(output));
  }
  CO_TRY_VOID(cursor->status());
  co_return response;
}

void Service::append(Line line) {
  if (stopped_) return;
  std::string message = well_formed(line.message);
  auto& waiting =
      waiting_[{std::move(line.region), {std::move(line.group), std::move(line.stream)}}];
  const Millis time_ms = std::max<Millis>(to_millis(line.time), 0);
  constexpr std::size_t kPieceBytesMax = kEventBytesMax - kEventOverheadBytes;
  for (std::size_t at = 0; at < message.size(); at += kPieceBytesMax) {
    waiting.push_back({time_ms, well_formed(std::string_view(message).substr(at, kPieceBytesMax))});
  }
  waiting_bytes_ += message.size();
  if (waiting_bytes_ > kWaitingBytesMax) {
    flush();
  } else if (!std::exchange(flush_posted_, true)) {
    runtime::asio::post(control_, [this] { flush(); });
  }
}

void Service::flush() {
  flush_posted_ = false;
  waiting_bytes_ = 0;
  for (const auto& [place, events] : std::exchange(waiting_, {})) {
    const auto& [region, name] = place;
    if (const auto written = write_line_group(region, name, events); !written) {
      base::log::error("logs", "lost {} lines of {}: {}", events.size(), name.first,
                       base::describe(written.error()));
    }
  }
}

Result<void> Service::write_line_group(std::string_view region, const StreamName& name,
                                       const std::vector<Event>& events) {
  const auto& [group_name, stream_name] = name;
  store::Batch batch;
  Stream target{.region = std::string(region), .group_name = group_name, .name = stream_name};
  TRY(const auto group_text, store_.get(kTable, keys::group(region, group_name)));
  if (group_text) {
    TRY(target.group, parse_group(*group_text));
  } else {
    target.group = {.id = next_number(batch), .creation_ms = to_millis(clock_.now())};
  }
  TRY(const auto stream_text, store_.get(kTable, keys::stream(region, group_name, stream_name)));
  if (stream_text) {
    TRY(target.stream, parse_stream(*stream_text));
  } else {
    target.stream = put_new_stream(batch, region, group_name, target.group, stream_name);
  }
  add_events(batch, target, events);
  // Not waited for: nobody was told that these lines are on disk. The next commit takes them along.
  return store_.write(std::move(batch));
}

}  // namespace terrarium::logs
