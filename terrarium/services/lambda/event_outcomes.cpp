// Where the outcome of an asynchronous invocation goes: destinations, dead-letter queues.
#include "lib/base/log.h"
#include "terrarium/services/lambda/event_queue.h"

namespace terrarium::lambda {
namespace {

constexpr std::string_view kSender = "lambda.amazonaws.com";

bool is_queue(std::string_view arn) { return arn.starts_with("arn:aws:sqs:"); }

}  // namespace

// Before the event is forgotten: what a crash leaves undone is done again, and the outcome may then
// come twice, never not at all.
runtime::Task<void> EventQueue::conclude(Name name, EndedEvent ended, Try last) {
  const InvokeConfigRecord config =
      parts_.configs.find(name.first, name.second, ended.event.qualifier);
  ended.function_arn =
      qualified_arn({name.first, parts_.account}, config.function_name, config.qualifier);
  ended.executed_version = last.executed_version;
  ended.outcome = std::move(last.outcome);
  if (ended.ending == Ending::Success) {
    if (config.on_success_arn.empty()) co_return;
    co_return co_await send(name, config.on_success_arn, std::move(ended));
  }
  base::log::warning("lambda", "{}: the event {} is given up: {}", name.second,
                     ended.event.request_id, to_string(ended.ending));
  std::string dead_letter_arn = last.dead_letter_arn;
  if (const auto route = parts_.fleet.route(name.first, name.second, ended.event.qualifier)) {
    dead_letter_arn = route->pool->function().dead_letter_arn;
  }
  if (!dead_letter_arn.empty()) {
    const auto sent =
        co_await parts_.queues.send(std::string(kSender), dead_letter_arn, dead_letter(ended));
    if (!sent) {
      base::log::warning("lambda", "{}: dead-letter queue {}: {}", name.second, dead_letter_arn,
                         base::describe(sent.error()));
    }
  }
  // A loop ends here: a function told of it would be its next round.
  const bool goes_on = ended.ending != Ending::RecursiveInvocation;
  if (!config.on_failure_arn.empty() && (goes_on || is_queue(config.on_failure_arn))) {
    co_await send(name, config.on_failure_arn, std::move(ended));
  }
}

runtime::Task<void> EventQueue::send(Name name, std::string target_arn, EndedEvent ended) {
  const base::Timestamp now = parts_.clock.now();
  std::string record = invocation_record(ended, now);
  base::Result<void> sent;
  if (is_queue(target_arn)) {
    sent = co_await parts_.queues.send(std::string(kSender), target_arn,
                                       sqs::OutgoingMessage{.body = std::move(record)});
  } else if (const auto target = parse_function_name(target_arn, {name.first, parts_.account})) {
    sent = co_await accept(name.first, target->name,
                           {.request_id = parts_.random.uuid(),
                            .qualifier = target->qualifier,
                            .hops = ended.event.hops + 1,
                            .accepted = now,
                            .due = now,
                            .client_context = {},
                            .payload = std::move(record)});
  }
  if (!sent) {
    base::log::warning("lambda", "{}: destination {}: {}", name.second, target_arn,
                       base::describe(sent.error()));
  }
}

}  // namespace terrarium::lambda
