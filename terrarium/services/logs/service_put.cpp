// Log events, as they come: from clients and from our own components.
#include "generated/logs/errors.h"
#include "lib/base/log.h"
#include "terrarium/services/logs/service.h"

namespace terrarium::logs {
namespace {

constexpr auto kTable = store::Table::Logs;
// Lines of our own components that wait for the next turn of the loop; past that they are written
// on the spot.
constexpr std::size_t kWaitingBytesMax = 1 << 20;
// Written at once: nobody waits longer than this takes.
constexpr std::size_t kPieceEventsMax = 1000;

}  // namespace

Task<Result<PutLogEventsResponse>> Service::put_log_events(const wire::Context& context,
                                                           PutLogEventsRequest request) {
  CO_TRY(Stream target, stream(context.region, request.log_group_name, request.log_stream_name));
  CO_TRY(const Accepted accepted,
         accept(request.log_events, to_millis(clock_.now()), target.group.retention_days));
  std::vector<Event> events;
  for (std::size_t i = accepted.first; i < accepted.last; ++i) {
    InputLogEvent& event = request.log_events[i];
    events.push_back({event.timestamp, well_formed(std::move(event.message))});
  }
  PutLogEventsResponse response;
  response.rejected_log_events_info = accepted.rejected;
  for (std::span<const Event> rest = events; !rest.empty();) {
    const auto piece = rest.first(std::min(rest.size(), kPieceEventsMax));
    rest = rest.subspan(piece.size());
    store::Batch batch;
    CO_TRY_VOID(add_events(batch, target, piece));
    CO_TRY_VOID(store_.write(std::move(batch)));
    if (rest.empty()) break;
    co_await breathe();
    CO_TRY(target, stream(context.region, request.log_group_name, request.log_stream_name));
  }
  if (!events.empty()) CO_TRY_VOID(co_await store_.sync());
  response.next_sequence_token = sequence_token(target.stream);
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
    target.group.creation_ms = to_millis(clock_.now());
    TRY(target.group.id, take_numbers(batch, 1));
  }
  TRY(const auto stream_text, store_.get(kTable, keys::stream(region, group_name, stream_name)));
  if (stream_text) {
    TRY(target.stream, parse_stream(*stream_text));
  } else {
    TRY(target.stream, put_new_stream(batch, region, group_name, target.group, stream_name));
  }
  TRY_VOID(add_events(batch, target, events));
  // Not waited for: nobody was told that these lines are on disk. The next commit takes them along.
  return store_.write(std::move(batch));
}

}  // namespace terrarium::logs
