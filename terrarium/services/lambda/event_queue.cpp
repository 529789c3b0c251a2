#include "terrarium/services/lambda/event_queue.h"

#include "generated/lambda/errors.h"
#include "lib/base/log.h"
#include "terrarium/services/lambda/invocation.h"
#include "terrarium/services/lambda/limits.h"

namespace terrarium::lambda {
namespace {

constexpr auto kTable = store::Table::Lambda;
// Of one function, so that a burst does not spawn a task for each event.
constexpr std::size_t kRunningMax = 1000;

}  // namespace

std::shared_ptr<EventQueue::Lane> EventQueue::lane(const Name& name) {
  auto& lane = lanes_[name];
  if (!lane) lane = std::make_shared<Lane>(parts_.clock);
  return lane;
}

base::Result<void> EventQueue::load() {
  const std::string prefix(keys::kAllEvents);
  const auto cursor = parts_.store.scan(kTable, prefix, store::prefix_end(prefix));
  for (; cursor->valid(); cursor->next()) {
    TRY(const QueuedEvent event, parse_event(cursor->value()));
    const keys::Parts parts = keys::parts(cursor->key());
    const auto target = lane({parts.region, parts.name});
    target->due.emplace(event.due, cursor->key());
    ++target->events;
  }
  TRY_VOID(cursor->status());
  for (const auto& [name, target] : lanes_) dispatch_soon(name, target);
  return {};
}

runtime::Task<base::Result<void>> EventQueue::accept(std::string region, std::string function,
                                                     QueuedEvent event) {
  const Name name{region, function};
  const auto target = lane(name);
  if (target->events >= kQueuedEventsMax) {
    co_return base::fail(errors::kTooManyRequestsException, "Rate Exceeded.");
  }
  ++target->events;
  std::string key = keys::event(region, function, event.accepted, event.request_id);
  store::Batch batch;
  batch.put(kTable, key, to_text(event));
  const auto committed = co_await parts_.store.commit(std::move(batch));
  if (!committed) {
    --target->events;
    co_return std::unexpected(committed.error());
  }
  target->due.emplace(event.due, std::move(key));
  dispatch_soon(name, target);
  co_return base::Result<void>();
}

void EventQueue::forget(store::Batch& batch, const std::string& region,
                        const std::string& function) {
  const std::string prefix = keys::events(region, function);
  batch.erase_range(kTable, prefix, store::prefix_end(prefix));
  const auto found = lanes_.find({region, function});
  if (found == lanes_.end()) return;
  found->second->forgotten = true;
  found->second->due.clear();
  found->second->changed.notify_all();
  lanes_.erase(found);
}

void EventQueue::dispatch_soon(const Name& name, const std::shared_ptr<Lane>& target) {
  target->changed.notify_all();
  if (std::exchange(target->dispatching, true)) return;
  parts_.tasks.spawn("dispatch events", dispatch(name, target));
}

runtime::Task<void> EventQueue::dispatch(Name name, std::shared_ptr<Lane> target) {
  while (!target->due.empty() && !stopping_) {
    const auto first = target->due.begin();
    const std::size_t running = target->events - target->due.size();
    const auto pool = parts_.fleet.find(name.first, name.second);
    if (first->first > parts_.clock.now() || running >= kRunningMax) {
      const bool is_early = first->first > parts_.clock.now();
      co_await target->changed.wait_until(is_early ? first->first : kNever);
      continue;
    }
    // Taken only when there is room, so that what waits is the queue, not a crowd of tasks.
    if (pool) co_await pool->wait_for_room(kNever);
    if (target->due.empty() || stopping_) break;
    std::string key = std::move(target->due.begin()->second);
    target->due.erase(target->due.begin());
    target->acquiring = true;
    parts_.tasks.spawn("run event", run(name, target, std::move(key)));
    while (target->acquiring && !parts_.tasks.stopping()) {
      co_await target->changed.wait_until(kNever);
    }
  }
  target->dispatching = false;
}

runtime::Task<void> EventQueue::run(Name name, std::shared_ptr<Lane> target, std::string key) {
  const auto text = parts_.store.get(kTable, key);
  auto event = text && *text ? parse_event(**text) : base::Result<QueuedEvent>();
  const bool readable = event && !event->request_id.empty();
  const bool done = readable && co_await try_once(name, target, *event);
  target->acquiring = false;
  target->changed.notify_all();
  if (!readable) {
    base::log::error("lambda", "{}: an event can't be read and is dropped", name.second);
    co_return co_await finish(target, std::move(key));
  }
  if (target->forgotten || (!done && stopping_)) co_return;
  ++event->attempts;
  const bool is_old = parts_.clock.now() - event->accepted > kEventAgeMax;
  if (!done && event->attempts <= kEventRetriesMax && !is_old) {
    retry(name, *target, std::move(key), *std::move(event));
    co_return;
  }
  if (!done) {
    base::log::warning("lambda", "{}: the event {} failed {} times and is dropped", name.second,
                       event->request_id, event->attempts);
  }
  co_await finish(target, std::move(key));
}

runtime::Task<bool> EventQueue::try_once(Name name, std::shared_ptr<Lane> target,
                                         QueuedEvent event) {
  const auto pool = parts_.fleet.find(name.first, name.second);
  if (!pool) co_return false;
  auto environment =
      co_await pool->acquire(FunctionPool::Wait::Yes, parts_.clock.now() + kEventAgeMax);
  target->acquiring = false;
  target->changed.notify_all();
  if (!environment) {
    base::log::warning("lambda", "{}: {}", name.second, base::describe(environment.error()));
    co_return false;
  }
  InvokeRequest request{.request_id = event.request_id,
                        .client_context = event.client_context,
                        .payload = std::make_shared<const std::string>(std::move(event.payload))};
  const Outcome outcome = co_await run_in(*std::move(environment), pool, std::move(request),
                                          parts_.clock, parts_.random);
  co_return outcome.function_error.empty();
}

void EventQueue::retry(const Name& name, Lane& target, std::string key, QueuedEvent event) {
  event.due = parts_.clock.now() + std::chrono::minutes(event.attempts);
  store::Batch batch;
  batch.put(kTable, key, to_text(event));
  // Not waited for: should it get lost, the event is tried once more than it need be.
  if (const auto written = parts_.store.write(std::move(batch)); !written) {
    base::log::error("lambda", "{}: {}", name.second, base::describe(written.error()));
  }
  target.due.emplace(event.due, std::move(key));
  dispatch_soon(name, target.shared_from_this());
}

runtime::Task<void> EventQueue::finish(std::shared_ptr<Lane> target, std::string key) {
  store::Batch batch;
  batch.erase(kTable, key);
  if (const auto erased = co_await parts_.store.commit(std::move(batch)); !erased) {
    base::log::error("lambda", "event {}: {}", key, base::describe(erased.error()));
  }
  --target->events;
  target->changed.notify_all();
}

}  // namespace terrarium::lambda
