// What is past its retention, or belonged to deleted streams, goes: a bounded piece at a time, so
// that nobody waits long behind it.
#include "lib/base/log.h"
#include "terrarium/services/logs/service.h"

namespace terrarium::logs {
namespace {

constexpr auto kTable = store::Table::Logs;
constexpr std::size_t kPieceEventsMax = 1000;

}  // namespace

Task<void> Service::sweep() {
  while (!tasks_.stopping()) {
    co_await purge_streams();
    co_await expire_groups();
    if (tasks_.stopping()) break;
    co_await wake_sweep_.wait_until(clock_.now() + config_.retention_sweep);
  }
}

void Service::erase_event(store::Batch& batch, std::uint64_t group_id, const EventRecord& event,
                          Position position) const {
  batch.erase(kTable, keys::event(group_id, position));
  batch.erase(kTable, keys::index(group_id, event.stream_id, position));
}

// True while there may be more.
Result<bool> Service::expire_some(const std::string& group_key) {
  TRY(const auto text, store_.get(kTable, group_key));
  if (!text) return false;
  TRY(GroupRecord record, parse_group(*text));
  if (!record.retention_days) return false;
  const Millis cutoff =
      std::max<Millis>(to_millis(clock_.now()) - *record.retention_days * kDayMs, 0);
  store::Batch batch;
  std::size_t erased = 0;
  const auto cursor =
      store_.scan(kTable, keys::events(record.id), keys::event(record.id, {cutoff, 0}));
  for (; cursor->valid() && erased < kPieceEventsMax; cursor->next(), ++erased) {
    TRY(const EventRecord event, parse_event(cursor->value()));
    erase_event(batch, record.id, event, keys::position_of(cursor->key()));
    record.stored_bytes -= stored_bytes(event.message);
  }
  TRY_VOID(cursor->status());
  if (erased == 0) return false;
  batch.put(kTable, group_key, to_text(record));
  TRY_VOID(store_.write(std::move(batch)));
  return erased == kPieceEventsMax;
}

// True while there may be more. The mark goes with the last of them.
Result<bool> Service::purge_some(const std::string& purge_key) {
  const std::uint64_t group_id = keys::number_at(purge_key, 1);
  const std::uint64_t stream_id = keys::number_at(purge_key, 1 + sizeof group_id);
  TRY(const auto group_key, store_.get(kTable, purge_key));
  if (!group_key) return false;
  const std::string prefix = keys::index(group_id, stream_id);
  store::Batch batch;
  std::size_t erased = 0;
  std::int64_t bytes = 0;
  const auto cursor = store_.scan(kTable, prefix, store::prefix_end(prefix));
  for (; cursor->valid() && erased < kPieceEventsMax; cursor->next(), ++erased) {
    const Position position = keys::position_of(cursor->key());
    TRY(const auto text, store_.get(kTable, keys::event(group_id, position)));
    if (text) {
      TRY(const EventRecord event, parse_event(*text));
      bytes += stored_bytes(event.message);
    }
    erase_event(batch, group_id, {.stream_id = stream_id}, position);
  }
  TRY_VOID(cursor->status());
  const bool more = erased == kPieceEventsMax;
  if (!more) batch.erase(kTable, purge_key);
  TRY(const auto group_text, store_.get(kTable, *group_key));
  if (group_text) {
    TRY(GroupRecord record, parse_group(*group_text));
    // A later group of the same name is another one.
    if (record.id == group_id) {
      record.stored_bytes -= bytes;
      batch.put(kTable, *group_key, to_text(record));
    }
  }
  TRY_VOID(store_.write(std::move(batch)));
  return more;
}

Task<void> Service::expire_groups() {
  std::vector<std::string> groups;
  const auto cursor = store_.scan(kTable, "g", "h");
  for (; cursor->valid(); cursor->next()) groups.emplace_back(cursor->key());
  for (const std::string& key : groups) {
    for (bool more = true; more && !tasks_.stopping();) {
      const auto expired = expire_some(key);
      if (!expired) {
        base::log::error("logs", "retention: {}", base::describe(expired.error()));
      }
      more = expired.value_or(false);
      co_await breathe();
    }
  }
}

Task<void> Service::purge_streams() {
  std::vector<std::string> marks;
  const std::string prefix = keys::purges();
  const auto cursor = store_.scan(kTable, prefix, store::prefix_end(prefix));
  for (; cursor->valid(); cursor->next()) marks.emplace_back(cursor->key());
  for (const std::string& key : marks) {
    for (bool more = true; more && !tasks_.stopping();) {
      const auto purged = purge_some(key);
      if (!purged) base::log::error("logs", "purge: {}", base::describe(purged.error()));
      more = purged.value_or(false);
      co_await breathe();
    }
  }
}

}  // namespace terrarium::logs
