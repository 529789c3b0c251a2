// One batch: an environment, its messages, the function's answer, what comes of it.
#include <algorithm>

#include "lib/base/log.h"
#include "terrarium/services/lambda/invocation.h"
#include "terrarium/services/lambda/limits.h"
#include "terrarium/services/lambda/poller.h"

namespace terrarium::lambda {
namespace {

constexpr std::size_t kReceiveMax = 10;
// An event holds less than this; one more message could be as large as a message may be.
constexpr std::size_t kEventBytesSoftMax = kPayloadBytesMax - 1'600'000;
// How long a batch that holds nothing waits for an environment before it looks again.
constexpr base::Duration kAcquireTimeout = 15min;
// And one that has received its messages and has lost its environment.
constexpr base::Duration kReplaceTimeout = 5s;
constexpr int kDeliveriesMax = 3;
// After messages that were seen were not there: somebody else has them, or the queue is at a limit.
constexpr base::Duration kNothingPause = 100ms;

std::vector<std::string> handles_of(const std::vector<sqs::ReceivedMessage>& messages) {
  std::vector<std::string> handles;
  for (const sqs::ReceivedMessage& message : messages) handles.push_back(message.receipt_handle);
  return handles;
}

bool could_not_start(const EnvironmentPtr& environment) {
  return environment->state() == ExecutionEnvironment::State::Ended &&
         !environment->init_duration();
}

}  // namespace

runtime::Task<void> Poller::run_batch(std::shared_ptr<Poller> self, SettingsPtr settings) {
  auto ready = co_await get_ready(settings, parts_.clock.now() + kAcquireTimeout);
  Messages messages;
  if (ready && settings == settings_ && !stopping_) messages = co_await receive(settings);
  --acquiring_;
  changed_.notify_all();
  if (!ready) {
    const bool is_waiting = ready.error().kind == base::ErrorKind::Throttled;
    if (!is_waiting) problem("The function could not be started", ready.error());
  } else if (messages.empty()) {
    ready->route.pool->put_back(ready->environment);
    look_again_ = parts_.clock.now() + kNothingPause;
  } else {
    ++holding_;
    co_await invoke(settings, *std::move(ready), std::move(messages));
    --holding_;
    changed_.notify_all();
    co_return;
  }
  --under_way_;
  changed_.notify_all();
}

// An environment that did not come up is tried once more before a batch pays for it, as AWS starts
// one again for the invocation whose start failed.
runtime::Task<base::Result<Poller::Ready>> Poller::get_ready(SettingsPtr settings,
                                                             base::Timestamp give_up) {
  const MappingRecord& record = settings->record;
  for (bool last = false;; last = true) {
    const auto route = parts_.fleet.route(region_, record.function_name, record.qualifier);
    if (!route) co_return base::fail(base::ErrorKind::NotFound, "Function not found");
    CO_TRY(EnvironmentPtr environment,
           co_await route->pool->acquire(FunctionPool::Wait::Yes, give_up));
    if (last || !could_not_start(environment)) co_return Ready{*route, std::move(environment)};
    route->pool->release();
  }
}

// What is there now, and passes the filters; what does not is deleted, as on AWS.
runtime::Task<Poller::Messages> Poller::receive(SettingsPtr settings) {
  const MappingRecord& record = settings->record;
  const auto size = static_cast<std::size_t>(record.batch_size);
  Messages messages;
  Messages filtered;
  std::size_t bytes = 0;
  while (messages.size() < size && bytes < kEventBytesSoftMax) {
    // A message at a time once the event is nearly full.
    const std::size_t room = (kEventBytesSoftMax - bytes) / (kPayloadBytesMax / kReceiveMax);
    const std::size_t max =
        std::clamp<std::size_t>(std::min(size - messages.size(), room), 1, kReceiveMax);
    auto got =
        co_await parts_.queues.receive(record.queue_arn, max, parts_.clock.now(), std::nullopt);
    if (!got) problem("Receiving from the queue failed", got.error());
    if (!got || got->empty()) break;
    for (sqs::ReceivedMessage& message : *got) {
      const bool passed = passes(settings->filters, message, record.queue_arn, region_);
      if (passed) bytes += event_bytes(message);
      (passed ? messages : filtered).push_back(std::move(message));
    }
  }
  if (!filtered.empty()) {
    parts_.tasks.spawn("delete filtered messages",
                       remove(shared_from_this(), record.queue_arn, std::move(filtered)));
  }
  co_return messages;
}

runtime::Task<void> Poller::invoke(SettingsPtr settings, Ready ready, Messages messages) {
  const MappingRecord& record = settings->record;
  const auto payload =
      std::make_shared<const std::string>(batch_event(messages, record.queue_arn, region_));
  Outcome outcome;
  bool lost = false;  // nobody has worked on the messages
  for (int deliveries = 1;; ++deliveries) {
    const bool broken = could_not_start(ready.environment);
    outcome = co_await run_in(ready.environment, ready.route.pool,
                              {.request_id = parts_.random.uuid(),
                               .client_context = {},
                               .function_arn = ready.route.invoked_arn,
                               .payload = payload},
                              parts_.clock, parts_.random);
    // That it could not start at all is the function's own failure.
    lost = !outcome.delivered && !broken;
    if (!lost || stopping_ || deliveries == kDeliveriesMax) break;
    auto next = co_await get_ready(settings, parts_.clock.now() + kReplaceTimeout);
    if (!next) break;
    ready = *std::move(next);
  }
  // The function has answered: the next batch may have its turn.
  --under_way_;
  changed_.notify_all();
  const bool failed = !outcome.function_error.empty();
  if (lost || (failed && stopping_)) co_return co_await give_back(settings, std::move(messages));
  co_await settle(settings, std::move(messages), std::move(outcome));
}

runtime::Task<void> Poller::settle(SettingsPtr settings, Messages messages, Outcome outcome) {
  const MappingRecord& record = settings->record;
  last_result_ = "PROBLEM: Function call failed";
  if (!outcome.function_error.empty()) co_return;
  std::vector<std::string> failed;
  if (record.report_item_failures) {
    auto reported = failed_items(outcome.payload, messages);
    if (!reported) {
      base::log::warning("lambda", "mapping {}: the function's batch response is malformed",
                         record.uuid);
      co_return;
    }
    failed = *std::move(reported);
  }
  std::erase_if(messages, [&failed](const sqs::ReceivedMessage& message) {
    return std::ranges::find(failed, message.message_id) != failed.end();
  });
  if (failed.empty()) last_result_ = "OK";
  if (!messages.empty()) {
    co_await remove(shared_from_this(), record.queue_arn, std::move(messages));
  }
}

runtime::Task<void> Poller::remove(std::shared_ptr<Poller> self, std::string queue_arn,
                                   Messages messages) {
  const auto deleted =
      co_await parts_.queues.delete_messages(std::move(queue_arn), handles_of(messages));
  if (!deleted) problem("Deleting messages failed", deleted.error());
}

// Their environment was lost, or ends with the daemon: they are there for the next one at once.
runtime::Task<void> Poller::give_back(SettingsPtr settings, Messages messages) {
  const auto returned = co_await parts_.queues.change_visibility(
      settings->record.queue_arn, handles_of(messages), std::chrono::seconds(0));
  if (!returned) problem("Returning messages failed", returned.error());
}

}  // namespace terrarium::lambda
