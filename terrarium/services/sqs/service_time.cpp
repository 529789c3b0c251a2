// Time passing: messages turn visible, expire, and are loaded; those who wait are told.
#include <algorithm>

#include "lib/base/log.h"
#include "terrarium/services/sqs/changes.h"
#include "terrarium/services/sqs/keys.h"
#include "terrarium/services/sqs/service.h"

namespace terrarium::sqs {
namespace {

// Expired messages erased in one go: keeps each call short.
constexpr std::size_t kExpiredAtOnce = 100;
// Read from the store in one go.
constexpr std::size_t kLoadedBytesMax = 1 << 20;

}  // namespace

base::Result<void> Service::load_more(Queue& queue, base::Timestamp now) {
  MessageOrder& order = *queue.order;
  std::size_t left = order.room();
  if (left == 0) return {};
  const Kind kind = order.loads();
  const std::uint64_t number = queue.record.number;
  const std::uint64_t from = order.loaded_to() + 1;
  const auto cursor =
      store_.scan(store::Table::Sqs,
                  kind == Kind::Message ? message_key(number, from) : index_key(number, from),
                  store::prefix_end(prefix(kind, number)));
  // Those that were received or delayed are known already: behind a crowd of them it goes on until
  // one waits, or a receiver would be told that there is none.
  const auto nothing_waits = [&order] { return order.waiting_from() > order.loaded_to(); };
  for (std::size_t bytes = 0;
       cursor->valid() && bytes < kLoadedBytesMax && (left > 0 || nothing_waits());) {
    TRY(const std::uint64_t sequence, sequence_of(cursor->key()));
    TRY_VOID(order.load(sequence, cursor->value(), now));
    if (kind == Kind::Message) bytes += cursor->value().size();
    if (left > 0) --left;
    cursor->next();
  }
  if (cursor->valid()) return {};
  TRY_VOID(cursor->status());
  order.set_complete();
  return {};
}

std::size_t Service::erase_expired(const QueuePtr& queue, base::Timestamp now) {
  const std::chrono::seconds retention = queue->settings.retention;
  auto expired = queue->order->expired(now, retention, kExpiredAtOnce);
  if (expired.empty() && queue->has_moved) {
    const std::string prefix = sqs::prefix(Kind::Moved, queue->record.number);
    const auto cursor = store_.scan(store::Table::Sqs, prefix, store::prefix_end(prefix));
    queue->has_moved = cursor->valid();
    for (; cursor->valid() && expired.size() < kExpiredAtOnce; cursor->next()) {
      const auto moved = moved_of(cursor->key());
      if (!moved.has_value() || moved->first + retention > now) break;
      expired.push_back(
          {.sequence = moved->second, .record = {.sent = moved->first, .moved = true}});
    }
  }
  if (expired.empty()) return 0;
  Changes changes(now);
  for (const auto& one : expired) changes.erase(queue, one.sequence, one.record);
  if (const auto erased = changes.write(store_); !erased.has_value()) {
    base::log::warning("sqs", "expired messages of {} stay: {}", queue->arn,
                       base::describe(erased.error()));
    return 0;
  }
  return expired.size();
}

base::Result<void> Service::pass_time(const QueuePtr& queue, base::Timestamp now) {
  queue->order->advance(now);
  TRY_VOID(load_more(*queue, now));
  // Moved messages expire in the sweep, and when they would be received.
  if (!queue->order->expired(now, queue->settings.retention, 1).empty()) {
    erase_expired(queue, now);
    return load_more(*queue, now);
  }
  return {};
}

// Deduplication goes by intervals: all but this one and the one before.
base::Result<void> Service::forget_duplicates(Queue& queue, base::Timestamp now) {
  const std::uint64_t bucket = deduplication_bucket_of(now);
  if (bucket < 2 || queue.deduplication_from >= bucket - 1) return {};
  const std::uint64_t number = queue.record.number;
  const std::string begin = deduplication_bucket(number, queue.deduplication_from);
  const std::string end = deduplication_bucket(number, bucket - 1);
  if (store_.scan(store::Table::Sqs, begin, end)->valid()) {
    store::Batch batch;
    batch.erase_range(store::Table::Sqs, begin, end);
    TRY_VOID(store_.write(std::move(batch)));
  }
  queue.deduplication_from = bucket - 1;
  return {};
}

void Service::disarm(Queue& queue) {
  if (queue.timer.has_value()) clock_.cancel(*queue.timer);
  queue.timer.reset();
}

void Service::arm(const QueuePtr& queue, std::size_t waiting) {
  const auto next = queue->order->next_visible();
  waiting += queue->watched.waiting();
  if (stopping_ || queue->deleted || waiting == 0 || !next.has_value()) return;
  if (queue->timer.has_value() && queue->timer_at <= *next) return;
  disarm(*queue);
  queue->timer_at = *next;
  queue->timer =
      clock_.call_at(*next, [this, executor = executor_, weak = std::weak_ptr<Queue>(queue)] {
        boost::asio::post(executor, [this, weak] {
          const QueuePtr due = weak.lock();
          if (due == nullptr || due->deleted) return;
          due->timer.reset();
          wake(due);
        });
      });
}

// One of those who wait is told, whoever has waited longest since it last looked around; it tells
// the next when it leaves something.
// A thousand that wait cost no more than one.
void Service::wake(const QueuePtr& queue) {
  queue->order->advance(clock_.now());
  const bool visible = queue->order->any_visible();
  if (visible && !queue->waking && queue->arrived.waiting() > 0) {
    queue->waking = true;
    queue->arrived.notify_one();
  }
  if (visible) queue->watched.notify_all();
  arm(queue, queue->arrived.waiting());
}

runtime::Task<void> Service::sweep() {
  while (!stopping_) {
    co_await runtime::sleep_until(clock_, clock_.now() + config_.sweep_interval);
    if (stopping_) co_return;
    std::vector<QueuePtr> queues;
    for (const auto& [key, queue] : queues_) queues.push_back(queue);
    for (const QueuePtr& queue : queues) {
      while (!stopping_ && !queue->deleted && erase_expired(queue, clock_.now()) > 0) {
        // Others get their turn between two slices.
        co_await boost::asio::post(executor_, runtime::use_task);
        (void)load_more(*queue, clock_.now());
      }
      if (stopping_ || queue->deleted || !queue->fifo()) continue;
      if (const auto done = forget_duplicates(*queue, clock_.now()); !done.has_value()) {
        base::log::warning("sqs", "old duplicates of {} stay: {}", queue->arn,
                           base::describe(done.error()));
      }
    }
    forget_deleted_names(clock_.now());
  }
}

void Service::forget_deleted_names(base::Timestamp now) {
  store::Batch batch;
  for (auto at = deleted_names_.begin(); at != deleted_names_.end();) {
    if (at->second > now) {
      ++at;
      continue;
    }
    batch.erase(store::Table::Sqs, at->first);
    at = deleted_names_.erase(at);
  }
  if (batch.empty()) return;
  if (const auto written = store_.write(std::move(batch)); !written.has_value()) {
    base::log::warning("sqs", "names of deleted queues stay: {}", base::describe(written.error()));
  }
}

}  // namespace terrarium::sqs
