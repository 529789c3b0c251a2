#include "terrarium/services/lambda/event_queue.h"

#include "generated/lambda/errors.h"
#include "lib/base/log.h"
#include "terrarium/services/lambda/invocation.h"
#include "terrarium/services/lambda/limits.h"

namespace terrarium::lambda {
namespace {

constexpr auto kTable = store::Table::Lambda;
constexpr int kDeliveriesMax = 3;

base::Duration age_max_of(const InvokeConfigRecord& config) {
  if (!config.event_age_max_s) return kEventAgeMax;
  return std::chrono::seconds(*config.event_age_max_s);
}

}  // namespace

EventQueue::LanePtr EventQueue::lane(const Name& name) {
  LanePtr& lane = lanes_[name];
  if (!lane) lane = std::make_shared<Lane>(parts_.clock, parts_.limits.eager_environments);
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
  if (target->forgotten) co_return base::Result<void>();
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

std::size_t EventQueue::waiting(const std::string& region, const std::string& function) const {
  const auto found = lanes_.find({region, function});
  return found == lanes_.end() ? 0 : found->second->events;
}

void EventQueue::dispatch_soon(const Name& name, const LanePtr& target) {
  target->changed.notify_all();
  if (std::exchange(target->dispatching, true)) return;
  parts_.tasks.spawn("dispatch events", dispatch(name, target));
}

runtime::Task<void> EventQueue::dispatch(Name name, LanePtr target) {
  while (!target->due.empty() && !stopping_ && !parts_.tasks.stopping()) {
    const base::Timestamp first = target->due.begin()->first;
    if (first > parts_.clock.now()) {
      target->scaling.caught_up();
      co_await target->changed.wait_until(first);
      continue;
    }
    // Taken only in its turn, so that what waits is the queue, not a crowd of tasks.
    co_await wait_for_turn(target);
    if (target->due.empty() || target->due.begin()->first > parts_.clock.now()) continue;
    std::string key = std::move(target->due.begin()->second);
    target->due.erase(target->due.begin());
    ++target->running;
    ++target->acquiring;
    parts_.tasks.spawn("run event", run(name, target, std::move(key)));
  }
  target->dispatching = false;
}

runtime::Task<void> EventQueue::wait_for_turn(LanePtr target) {
  while (!stopping_ && !parts_.tasks.stopping() && !target->due.empty()) {
    if (target->running == 0) target->scaling.rest();
    if (target->running < target->scaling.allowed()) co_return;
    const bool may_grow = target->acquiring == 0;
    const base::Timestamp now = parts_.clock.now();
    const base::Timestamp until = may_grow ? target->scaling.full(now) : kNever;
    if (until > now) co_await target->changed.wait_until(until);
    if (may_grow && parts_.clock.now() >= until) {
      const auto& is_busy = parts_.limits.is_machine_busy;
      target->scaling.grow(parts_.clock.now(), is_busy && is_busy());
    }
  }
}

runtime::Task<void> EventQueue::run(Name name, LanePtr target, std::string key) {
  const auto text = parts_.store.get(kTable, key);
  auto event = text && *text ? parse_event(**text) : base::Result<QueuedEvent>();
  if (event && !event->request_id.empty()) {
    co_await handle(name, target, std::move(key), *std::move(event));
    co_return;
  }
  --target->acquiring;
  --target->running;
  target->changed.notify_all();
  if (target->forgotten) co_return;
  base::log::error("lambda", "{}: an event can't be read and is dropped", name.second);
  co_await finish(target, std::move(key));
}

runtime::Task<void> EventQueue::handle(Name name, LanePtr target, std::string key,
                                       QueuedEvent event) {
  const InvokeConfigRecord config = parts_.configs.find(name.first, name.second, event.qualifier);
  Try last = co_await try_once(name, target, event, age_max_of(config));
  --target->running;
  target->changed.notify_all();
  const bool succeeded = last.outcome && last.outcome->function_error.empty();
  if (target->forgotten || (!succeeded && !last.refused && stopping_)) co_return;
  EndedEvent ended{.event = std::move(event)};
  if (succeeded) {
    ended.ending = Ending::Success;
  } else if (last.refused) {
    ended.ending = *last.refused;
  } else {
    ++ended.event.attempts;
    const std::uint32_t retries =
        config.retries_max ? static_cast<std::uint32_t>(*config.retries_max) : kEventRetriesMax;
    const auto next = parts_.clock.now() + std::chrono::minutes(ended.event.attempts);
    const bool is_last = ended.event.attempts > retries;
    // Nobody waits for a try that would come too late.
    if (!is_last && next - ended.event.accepted < age_max_of(config)) {
      ended.event.due = next;
      co_return retry(name, *target, std::move(key), std::move(ended.event));
    }
    ended.ending = is_last ? Ending::RetriesExhausted : Ending::EventAgeExceeded;
  }
  co_await conclude(name, std::move(ended), std::move(last));
  co_await finish(target, std::move(key));
}

// Why an event is not even tried.
std::optional<Ending> EventQueue::refusal(const Name& name, const QueuedEvent& event) const {
  const Catalog::Function* function = parts_.catalog.find(name.first, name.second);
  if (function == nullptr) return std::nullopt;
  if (function->latest->reserved_concurrency == 0) return Ending::ZeroReservedConcurrency;
  const bool is_loop = event.hops >= kHopsMax && function->latest->recursive_loop != "Allow";
  if (is_loop) return Ending::RecursiveInvocation;
  return std::nullopt;
}

runtime::Task<EventQueue::Try> EventQueue::try_once(Name name, LanePtr target, QueuedEvent event,
                                                    base::Duration age_max) {
  Try result{.refused = refusal(name, event)};
  bool acquired = result.refused.has_value();
  if (acquired) --target->acquiring;
  const auto payload = std::make_shared<const std::string>(std::move(event.payload));
  for (int deliveries = 0; !result.refused && deliveries < kDeliveriesMax; ++deliveries) {
    const auto route = parts_.fleet.route(name.first, name.second, event.qualifier);
    base::Result<EnvironmentPtr> environment =
        base::fail(base::ErrorKind::NotFound, "There is no such version");
    if (route) {
      environment =
          co_await route->pool->acquire(FunctionPool::Wait::Yes, event.accepted + age_max);
    }
    if (!std::exchange(acquired, true)) --target->acquiring;
    target->changed.notify_all();
    if (!environment) {
      base::log::warning("lambda", "{}: {}", name.second, base::describe(environment.error()));
      const bool is_gone = environment.error().kind == base::ErrorKind::NotFound;
      if (!stopping_) {
        result.refused = is_gone ? Ending::RetriesExhausted : Ending::EventAgeExceeded;
      }
      break;
    }
    const auto& function = route->pool->function();
    result.executed_version = function.version;
    result.dead_letter_arn = function.dead_letter_arn;
    result.outcome = co_await run_in(*environment, route->pool,
                                     {.request_id = event.request_id,
                                      .client_context = event.client_context,
                                      .function_arn = route->invoked_arn,
                                      .payload = payload},
                                     parts_.clock, parts_.random);
    // An environment that ended before it had the event is nobody's failure.
    if (result.outcome->delivered || !(*environment)->init_duration() || stopping_) break;
  }
  co_return result;
}

void EventQueue::retry(const Name& name, Lane& target, std::string key, QueuedEvent event) {
  store::Batch batch;
  batch.put(kTable, key, to_text(event));
  // Not waited for: should it get lost, the event is tried once more than it need be.
  if (const auto written = parts_.store.write(std::move(batch)); !written) {
    base::log::error("lambda", "{}: {}", name.second, base::describe(written.error()));
  }
  target.due.emplace(event.due, std::move(key));
  dispatch_soon(name, target.shared_from_this());
}

runtime::Task<void> EventQueue::finish(LanePtr target, std::string key) {
  store::Batch batch;
  batch.erase(kTable, key);
  if (const auto erased = co_await parts_.store.commit(std::move(batch)); !erased) {
    base::log::error("lambda", "event {}: {}", key, base::describe(erased.error()));
  }
  --target->events;
  target->changed.notify_all();
}

}  // namespace terrarium::lambda
