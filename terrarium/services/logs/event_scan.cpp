#include "terrarium/services/logs/event_scan.h"

namespace terrarium::logs {
namespace {

constexpr auto kTable = store::Table::Logs;

}  // namespace

EventScan::EventScan(const store::Store& store, std::uint64_t group_id, Range range)
    : store_(store), group_id_(group_id), whole_group_(true) {
  sources_.push_back({store.scan(kTable, keys::event(group_id, {range.from_ms, 0}),
                                 keys::event(group_id, {range.to_ms, 0})),
                      keys::events(group_id)});
  find_first();
}

EventScan::EventScan(const store::Store& store, std::uint64_t group_id,
                     std::span<const std::uint64_t> stream_ids, Range range)
    : store_(store), group_id_(group_id), whole_group_(false) {
  for (const std::uint64_t id : stream_ids) {
    sources_.push_back({store.scan(kTable, keys::index(group_id, id, {range.from_ms, 0}),
                                   keys::index(group_id, id, {range.to_ms, 0})),
                        keys::index(group_id, id)});
  }
  find_first();
}

void EventScan::find_first() {
  first_ = sources_.size();
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (!sources_[i].cursor->valid()) continue;
    if (first_ == sources_.size() || keys::position_of(sources_[i].cursor->key()) <
                                         keys::position_of(sources_[first_].cursor->key())) {
      first_ = i;
    }
  }
}

void EventScan::seek_after(Position position) {
  for (Source& source : sources_) {
    source.cursor->seek(source.prefix + keys::position(position) + '\0');
  }
  find_first();
}

bool EventScan::valid() const { return first_ < sources_.size(); }

Position EventScan::position() const { return keys::position_of(sources_[first_].cursor->key()); }

base::Result<std::optional<EventRecord>> EventScan::event() const {
  if (whole_group_) {
    TRY(EventRecord event, parse_event(sources_[first_].cursor->value()));
    return std::optional(std::move(event));
  }
  TRY(const auto text, store_.get(kTable, keys::event(group_id_, position())));
  if (!text) return std::nullopt;
  TRY(EventRecord event, parse_event(*text));
  return std::optional(std::move(event));
}

void EventScan::next() {
  sources_[first_].cursor->next();
  find_first();
}

base::Result<void> EventScan::status() const {
  for (const Source& source : sources_) {
    TRY_VOID(source.cursor->status());
  }
  return {};
}

}  // namespace terrarium::logs
