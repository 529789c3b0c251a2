#include "terrarium/services/lambda/poller.h"

#include <algorithm>

#include "lib/base/log.h"
#include "terrarium/services/lambda/batch.h"
#include "terrarium/services/lambda/invocation.h"
#include "terrarium/services/lambda/limits.h"

namespace terrarium::lambda {
namespace {

constexpr base::Duration kLongPoll = 20s;
constexpr base::Duration kBackoffMin = 1s;
constexpr base::Duration kBackoffMax = 30s;
constexpr std::size_t kReceiveMax = 10;
// An event holds less than this; one more message could be as large as a message may be.
constexpr std::size_t kEventBytesSoftMax = kPayloadBytesMax - 1'600'000;
// How long a batch may wait for an environment. Its messages come back before, by themselves.
constexpr base::Duration kAcquireTimeout = 15min;

std::vector<std::string> handles_of(const std::vector<sqs::ReceivedMessage>& messages) {
  std::vector<std::string> handles;
  for (const sqs::ReceivedMessage& message : messages) handles.push_back(message.receipt_handle);
  return handles;
}

}  // namespace

Poller::Poller(Parts parts, std::string region, MappingRecord record)
    : parts_(parts),
      region_(std::move(region)),
      record_(std::move(record)),
      receiving_(parts.executor),
      changed_(parts.clock) {}

void Poller::start() {
  if (record_.enabled) receiving_.spawn("receive", receive_all(shared_from_this()));
}

void Poller::stop() { parts_.tasks.spawn("stop mapping", finish(shared_from_this())); }

runtime::Task<void> Poller::stopped() { co_await receiving_.stop(); }

runtime::Task<void> Poller::finish(std::shared_ptr<Poller> self) { co_await self->stopped(); }

void Poller::problem(const std::string& what, const base::Error& error) {
  last_result_ = "PROBLEM: " + what;
  base::log::warning("lambda", "mapping {}: {}: {}", record_.uuid, what, base::describe(error));
}

runtime::Task<void> Poller::receive_all(std::shared_ptr<Poller> self) {
  while (!receiving_.stopping()) {
    const auto pool = parts_.fleet.find(region_, record_.function_name);
    if (!pool) {
      last_result_ = "PROBLEM: Function not found";
      co_await parts_.fleet.functions_changed().wait_until(kNever);
      continue;
    }
    co_await wait_for_room(pool);
    if (receiving_.stopping()) break;
    co_await receive_once(pool);
  }
}

runtime::Task<void> Poller::wait_for_room(std::shared_ptr<FunctionPool> pool) {
  const auto max = static_cast<std::size_t>(record_.concurrency_max.value_or(kAccountConcurrency));
  while ((batches_ >= max || acquiring_) && !receiving_.stopping()) {
    co_await changed_.wait_until(kNever);
  }
  if (!receiving_.stopping()) co_await pool->wait_for_room(kNever);
}

runtime::Task<void> Poller::receive_once(std::shared_ptr<FunctionPool> pool) {
  auto messages = co_await gather();
  if (!messages && receiving_.stopping()) co_return;
  if (!messages) {
    problem("Receiving from the queue failed", messages.error());
    backoff_ = std::clamp(backoff_ * 2, kBackoffMin, kBackoffMax);
    co_await runtime::sleep_until(parts_.clock, parts_.clock.now() + backoff_);
    co_return;
  }
  backoff_ = {};
  if (messages->empty()) co_return;
  if (receiving_.stopping()) {
    // Nobody will work on them here: somebody else may at once.
    const auto returned = co_await parts_.queues.change_visibility(
        record_.queue_arn, handles_of(*messages), std::chrono::seconds(0));
    if (!returned) problem("Returning messages failed", returned.error());
    co_return;
  }
  ++batches_;
  acquiring_ = true;
  parts_.tasks.spawn("batch", run_batch(shared_from_this(), pool, *std::move(messages)));
}

runtime::Task<base::Result<Poller::Messages>> Poller::gather() {
  const auto size = static_cast<std::size_t>(record_.batch_size);
  CO_TRY(Messages messages,
         co_await parts_.queues.receive(record_.queue_arn, std::min(size, kReceiveMax),
                                        parts_.clock.now() + kLongPoll, std::nullopt));
  if (messages.empty()) co_return messages;
  const base::Timestamp end = parts_.clock.now() + std::chrono::seconds(record_.window_s);
  std::size_t bytes = 0;
  for (const auto& message : messages) bytes += event_bytes(message);
  while (messages.size() < size && bytes < kEventBytesSoftMax && parts_.clock.now() < end &&
         !receiving_.stopping()) {
    // A message at a time once the event is nearly full.
    const std::size_t room = (kEventBytesSoftMax - bytes) / (kPayloadBytesMax / kReceiveMax);
    auto more = co_await parts_.queues.receive(
        record_.queue_arn,
        std::clamp<std::size_t>(std::min(size - messages.size(), room), 1, kReceiveMax), end,
        std::nullopt);
    if (!more) break;
    for (sqs::ReceivedMessage& message : *more) {
      bytes += event_bytes(message);
      messages.push_back(std::move(message));
    }
  }
  co_return messages;
}

runtime::Task<void> Poller::run_batch(std::shared_ptr<Poller> self,
                                      std::shared_ptr<FunctionPool> pool, Messages messages) {
  auto environment =
      co_await pool->acquire(FunctionPool::Wait::Yes, parts_.clock.now() + kAcquireTimeout);
  acquiring_ = false;
  changed_.notify_all();
  if (environment) {
    InvokeRequest request{.request_id = parts_.random.uuid(),
                          .payload = std::make_shared<const std::string>(
                              batch_event(messages, record_.queue_arn, region_))};
    Outcome outcome = co_await run_in(*std::move(environment), pool, std::move(request),
                                      parts_.clock, parts_.random);
    co_await settle(std::move(messages), std::move(outcome));
  } else {
    problem("The function could not be started", environment.error());
  }
  --batches_;
  changed_.notify_all();
}

runtime::Task<void> Poller::settle(Messages messages, Outcome outcome) {
  if (!outcome.function_error.empty()) {
    last_result_ = "PROBLEM: Function call failed";
    co_return;
  }
  std::vector<std::string> failed;
  if (record_.report_item_failures) {
    auto reported = failed_items(outcome.payload, messages);
    if (!reported) {
      last_result_ = "PROBLEM: Function call failed";
      base::log::warning("lambda", "mapping {}: the function's batch response is malformed",
                         record_.uuid);
      co_return;
    }
    failed = *std::move(reported);
  }
  std::erase_if(messages, [&failed](const sqs::ReceivedMessage& message) {
    return std::ranges::find(failed, message.message_id) != failed.end();
  });
  last_result_ = failed.empty() ? "OK" : "PROBLEM: Function call failed";
  if (messages.empty()) co_return;
  const auto deleted =
      co_await parts_.queues.delete_messages(record_.queue_arn, handles_of(messages));
  if (!deleted) problem("Deleting messages failed", deleted.error());
}

}  // namespace terrarium::lambda
