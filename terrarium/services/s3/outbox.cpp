#include "terrarium/services/s3/outbox.h"

#include <algorithm>

#include "lib/base/log.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/names.h"
#include "terrarium/services/s3/notification.h"

namespace terrarium::s3 {
namespace {

// How long a destination with nothing to do keeps its task.
constexpr base::Duration kIdle = std::chrono::minutes(1);

}  // namespace

struct Outbox::Destination {
  explicit Destination(base::Clock& clock) : changed(clock) {}
  runtime::Event changed;
  bool woken = true;  // something was written since the last look
};

// What became of one handful of events.
struct Outbox::Attempt {
  explicit Attempt(base::Clock& clock) : done(clock) {}
  std::size_t running = 0;
  bool failed = false;
  store::Batch finished;
  runtime::Event done;
};

Outbox::Outbox(store::Store& store, base::Clock& clock, runtime::Executor control, sqs::Api& queues,
               std::string account)
    : store_(store),
      clock_(clock),
      queues_(queues),
      account_(std::move(account)),
      tasks_(control) {}

Outbox::~Outbox() = default;

void Outbox::start() {
  const auto cursor = store_.scan(store::Table::S3, kEventPrefix, store::prefix_end(kEventPrefix));
  while (cursor->valid()) {
    const std::string arn(event_destination(cursor->key()));
    wake(arn);
    cursor->seek(store::prefix_end(event_prefix(arn)));
  }
}

runtime::Task<void> Outbox::stop() { co_await tasks_.stop(); }

std::uint64_t Outbox::last_sequence() const {
  std::uint64_t last = 0;
  const std::string end = store::prefix_end(kEventPrefix);
  const auto cursor = store_.scan(store::Table::S3, kEventPrefix, end);
  while (cursor->valid()) {
    const std::string after = store::prefix_end(event_prefix(event_destination(cursor->key())));
    cursor->seek_for_previous(after);
    last = std::max(last, event_sequence(cursor->key()));
    cursor->seek(after);
  }
  return last;
}

void Outbox::wake(const std::string& destination_arn) {
  const auto known = destinations_.find(destination_arn);
  if (known != destinations_.end()) {
    known->second->woken = true;
    known->second->changed.notify_all();
    return;
  }
  if (tasks_.stopping()) return;
  destinations_.emplace(destination_arn, std::make_unique<Destination>(clock_));
  tasks_.spawn("deliver events", deliver(destination_arn));
}

runtime::Task<void> Outbox::deliver(std::string arn) {
  Destination& self = *destinations_.at(arn);
  base::Duration backoff = kEventRetryMin;
  while (!tasks_.stopping()) {
    self.woken = false;
    if (co_await deliver_waiting(arn)) {
      backoff = kEventRetryMin;
      if (self.woken || tasks_.stopping()) continue;
      if (!co_await self.changed.wait_until(clock_.now() + kIdle) && !self.woken) break;
    } else if (!tasks_.stopping()) {
      // A new event is no sign that the destination is well again: only time ends a backoff.
      co_await runtime::sleep_until(clock_, clock_.now() + backoff);
      backoff = std::min<base::Duration>(2 * backoff, kEventRetryMax);
    }
  }
  destinations_.erase(arn);
}

runtime::Task<bool> Outbox::deliver_waiting(const std::string& arn) {
  const std::string prefix = event_prefix(arn);
  std::string from = prefix;
  while (!tasks_.stopping()) {
    const auto attempt = std::make_shared<Attempt>(clock_);
    std::size_t taken = 0;
    {
      const auto cursor = store_.scan(store::Table::S3, from, store::prefix_end(prefix));
      for (; cursor->valid() && taken < kEventsInFlightMax; cursor->next(), ++taken) {
        std::string key(cursor->key());
        from = key + '\0';
        auto event = decode_event(cursor->value());
        if (!event.has_value()) {
          base::log::error("s3", "dropping an event to {}: {}", arn, event.error().message);
          attempt->finished.erase(store::Table::S3, std::move(key));
          continue;
        }
        ++attempt->running;
        tasks_.spawn("send event", send(arn, std::move(key), *std::move(event), attempt));
      }
    }
    if (taken == 0) co_return true;
    while (attempt->running > 0 && !tasks_.stopping()) {
      co_await attempt->done.wait_until(clock_.now() + kIdle);
    }
    // Not synced: an erasure that a crash undoes sends the event once more, which is allowed.
    const auto erased = store_.write(std::move(attempt->finished));
    if (!erased.has_value()) {
      base::log::warning("s3", "events sent to {} stay listed: {}", arn,
                         base::describe(erased.error()));
      co_return false;
    }
    if (attempt->failed) co_return false;
  }
  co_return true;
}

runtime::Task<base::Result<void>> Outbox::hand_over(std::string arn, std::string bucket,
                                                    std::string body) {
  if (!is_function(arn)) {
    co_return co_await queues_.send({std::string(kSender), bucket_arn(bucket), account_},
                                    std::move(arn), std::move(body));
  }
  if (functions_ == nullptr) {
    co_return base::fail(base::ErrorKind::Unavailable, "Nobody here runs functions.");
  }
  co_return co_await functions_->invoke_later({std::string(kSender), bucket_arn(bucket), account_},
                                              std::move(arn), std::move(body));
}

runtime::Task<void> Outbox::send(std::string arn, std::string key, EventRecord event,
                                 std::shared_ptr<Attempt> attempt) {
  const base::Timestamp since = event.since;
  const auto sent = co_await hand_over(arn, event.bucket, std::move(event.body));
  if (sent.has_value()) {
    attempt->finished.erase(store::Table::S3, std::move(key));
  } else if (clock_.now() - since >= kEventAgeMax) {
    base::log::warning("s3", "an event of bucket {} never reached {} and is dropped: {}",
                       event.bucket, arn, base::describe(sent.error()));
    attempt->finished.erase(store::Table::S3, std::move(key));
  } else {
    base::log::info("s3", "an event of bucket {} waits for {}: {}", event.bucket, arn,
                    base::describe(sent.error()));
    attempt->failed = true;
  }
  if (--attempt->running == 0) attempt->done.notify_all();
}

}  // namespace terrarium::s3
