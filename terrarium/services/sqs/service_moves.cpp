// Messages moved back from dead-letter queues. A task's progress and the messages that it moves are
// one change on disk: after a restart it goes on where it was.
#include <algorithm>

#include "generated/sqs/errors.h"
#include "lib/base/log.h"
#include "terrarium/services/sqs/changes.h"
#include "terrarium/services/sqs/keys.h"
#include "terrarium/services/sqs/service.h"
#include "terrarium/services/sqs/service_messages.h"

namespace terrarium::sqs {
namespace {

// Without a limit of the caller's, in one go.
constexpr std::size_t kMovedAtOnce = 100;
constexpr std::string_view kNoQueue = "AWS.SimpleQueueService.NonExistentQueue";
constexpr std::string_view kNoSource = "CouldNotDetermineMessageSource";

std::unexpected<base::Error> not_found(std::string message) {
  return base::fail(errors::kResourceNotFoundException, std::move(message));
}

// `value` from 1 to `max`.
base::Result<std::int32_t> at_most(std::int32_t value, std::int32_t max,
                                   std::string_view parameter) {
  return within(value, 1, max, parameter, "Must be between 1 and " + std::to_string(max) + ".");
}

ListMessageMoveTasksResultEntry shown(const MoveTask& task) {
  ListMessageMoveTasksResultEntry out;
  if (task.status == MoveStatus::Running) {
    out.task_handle = encode(MoveHandle{task.id, task.source_arn});
  }
  out.status = to_string(task.status);
  out.source_arn = task.source_arn;
  out.destination_arn = task.destination_arn;
  out.max_number_of_messages_per_second = task.per_second_max;
  out.approximate_number_of_messages_moved = task.moved;
  out.approximate_number_of_messages_to_move = task.to_move;
  if (!task.failure.empty()) out.failure_reason = task.failure;
  out.started_timestamp =
      std::chrono::floor<std::chrono::milliseconds>(task.started).time_since_epoch().count();
  return out;
}

}  // namespace

base::Result<QueuePtr> Service::open_source(const wire::Context& context, std::string_view arn,
                                            std::string_view action) const {
  QueuePtr source = find_by_arn(arn);
  if (source == nullptr || source->record.region != context.region) {
    return not_found("The resource that you specified for the SourceArn parameter doesn't exist.");
  }
  TRY_VOID(authorize(context, *source, action));
  return source;
}

base::Result<void> Service::check_move(const StartMessageMoveTaskRequest& request,
                                       const QueuePtr& source) const {
  const bool dead_letters = std::ranges::any_of(queues_, [&source](const auto& item) {
    const auto& redrive = item.second->settings.redrive;
    return redrive.has_value() && redrive->dead_letter_arn == source->arn;
  });
  if (!dead_letters) {
    return base::fail(errors::kInvalidParameterValue,
                      "Source queue must be configured as a Dead Letter Queue.");
  }
  if (request.destination_arn.has_value()) {
    const QueuePtr destination = find_by_arn(*request.destination_arn);
    if (destination == nullptr || destination->record.region != source->record.region) {
      return not_found(
          "The resource that you specified for the DestinationArn parameter doesn't exist.");
    }
    if (destination->fifo() != source->fifo()) {
      return base::fail(errors::kInvalidParameterValue,
                        "The source queue and destination queue must be of the same queue type.");
    }
    if (destination == source) {
      return base::fail(errors::kInvalidParameterValue,
                        "The source queue and destination queue can't be the same.");
    }
  }
  if (source->moving() != nullptr) {
    return base::fail(errors::kInvalidParameterValue,
                      "There is already a task running. Only one active task is allowed for a "
                      "source queue arn at a given time.");
  }
  return {};
}

base::Result<void> Service::move_some(const QueuePtr& source) {
  const base::Timestamp now = clock_.now();
  TRY_VOID(pass_time(source, now));
  MoveTask task = source->moves.front();
  const std::uint64_t number = source->record.number;
  auto candidates = source->order->take(task.per_second_max.has_value() ? 1 : kMovedAtOnce);
  if (candidates.empty()) task.status = MoveStatus::Completed;
  Changes changes(now);
  auto one = candidates.begin();
  for (; one != candidates.end(); ++one) {
    auto read = read_message(*source, one->sequence, one->stored);
    if (!read.has_value() && one == candidates.begin()) {
      source->order->put_back(std::move(candidates));
      return std::unexpected(std::move(read).error());
    }
    // What came before it moves; the next look begins with it.
    if (!read.has_value()) break;
    std::optional<MessageRecord>& message = *read;
    if (!message.has_value()) {
      base::log::warning("sqs", "a message of {} has no body any more", source->arn);
      changes.erase(source, one->sequence, one->record);
      continue;
    }
    const std::string to = task.destination_arn.value_or(message->source_arn);
    const QueuePtr destination = find_by_arn(to);
    if (destination == nullptr || destination->fifo() != source->fifo()) {
      task.status = MoveStatus::Failed;
      task.failure = to.empty() ? kNoSource : kNoQueue;
      break;
    }
    IndexRecord old = one->record;
    old.moved = !source->fifo() && !message->source_arn.empty();
    old.sent = message->sent;
    changes.erase(source, one->sequence, old);
    // AWS makes a new message of it.
    message->id = random_.uuid();
    message->sent = now;
    message->source_arn.clear();
    message->carried_receives = 0;
    message->delayed = false;
    changes.add(destination,
                {.sent = now,
                 .visible_at = now,
                 .first_received = {},
                 .last_received = {},
                 .tag = tag_of(message->id)},
                *message);
    ++task.moved;
  }
  changes.batch().put(store::Table::Sqs, move_task_key(number, task.started), encode(task));
  source->order->put_back(
      {std::make_move_iterator(one), std::make_move_iterator(candidates.end())});
  candidates.erase(one, candidates.end());
  if (auto written = changes.write(store_); !written.has_value()) {
    source->order->put_back(std::move(candidates));
    return written;
  }
  source->moves.front() = std::move(task);
  for (const QueuePtr& queue : changes.queues()) wake(queue);
  return {};
}

runtime::Task<void> Service::move_rest(QueuePtr source, std::string task_id) {
  const auto running = [&] {
    const MoveTask* const task = source->moving();
    return !stopping_ && !source->deleted && task != nullptr && task->id == task_id;
  };
  while (running()) {
    const auto rate = source->moving()->per_second_max;
    if (rate.has_value()) {
      co_await runtime::sleep_until(clock_,
                                    clock_.now() + std::chrono::microseconds(1'000'000) / *rate);
    } else {
      co_await boost::asio::post(executor_, runtime::use_task);
    }
    if (!running()) co_return;
    const auto moved = move_some(source);
    auto synced = co_await store_.sync();
    if (!moved.has_value() || !synced.has_value()) {
      base::log::error("sqs", "moving messages of {} stopped: {}", source->arn,
                       base::describe(moved.has_value() ? synced.error() : moved.error()));
      co_return;
    }
  }
}

runtime::Task<base::Result<StartMessageMoveTaskResult>> Service::start_message_move_task(
    const wire::Context& context, StartMessageMoveTaskRequest request) {
  if (request.max_number_of_messages_per_second.has_value()) {
    CO_TRY_VOID(at_most(*request.max_number_of_messages_per_second, kMoveRateMax,
                        "MaxNumberOfMessagesPerSecond"));
  }
  CO_TRY(const QueuePtr source, open_source(context, request.source_arn, "StartMessageMoveTask"));
  CO_TRY_VOID(check_move(request, source));
  CO_TRY_VOID(pass_time(source, clock_.now()));
  MoveTask task{.id = random_.uuid(),
                .source_arn = source->arn,
                .destination_arn = request.destination_arn,
                .per_second_max = request.max_number_of_messages_per_second,
                .to_move = static_cast<std::int64_t>(source->visible()),
                .started = clock_.now()};
  // Two tasks begun in one microsecond would share a key.
  if (!source->moves.empty() && source->moves.front().started >= task.started) {
    task.started = source->moves.front().started + base::Duration(1);
  }
  store::Batch batch;
  const std::uint64_t number = source->record.number;
  batch.put(store::Table::Sqs, move_task_key(number, task.started), encode(task));
  const bool full = source->moves.size() >= kMoveTasksKept;
  if (full) {
    batch.erase(store::Table::Sqs, move_task_key(number, source->moves.back().started));
  }
  CO_TRY_VOID(store_.write(std::move(batch)));
  if (full) source->moves.pop_back();
  source->moves.push_front(task);
  // The first go is done before the answer, and a second that finds out whether it was all.
  for (int i = 0; i < 2 && source->moving() != nullptr; ++i) {
    if (const auto moved = move_some(source); !moved.has_value()) {
      base::log::warning("sqs", "moving messages of {} is put off: {}", source->arn,
                         base::describe(moved.error()));
      break;
    }
    if (task.per_second_max.has_value() && source->order->any_visible()) break;
  }
  if (source->moving() != nullptr) {
    tasks_.spawn("sqs move", move_rest(source, task.id));
  }
  CO_TRY_VOID(co_await store_.sync());
  co_return StartMessageMoveTaskResult{encode(MoveHandle{task.id, task.source_arn})};
}

runtime::Task<base::Result<CancelMessageMoveTaskResult>> Service::cancel_message_move_task(
    const wire::Context& context, CancelMessageMoveTaskRequest request) {
  CO_TRY(const MoveHandle handle, decode_move_handle(request.task_handle));
  CO_TRY(const QueuePtr source, open_source(context, handle.source_arn, "CancelMessageMoveTask"));
  const MoveTask* const moving = source->moving();
  if (moving == nullptr || moving->id != handle.id) co_return not_found("Task does not exist.");
  MoveTask task = *moving;
  task.status = MoveStatus::Cancelled;
  store::Batch batch;
  batch.put(store::Table::Sqs, move_task_key(source->record.number, task.started), encode(task));
  CO_TRY_VOID(store_.write(std::move(batch)));
  const std::int64_t moved = task.moved;
  source->moves.front() = std::move(task);
  CO_TRY_VOID(co_await store_.sync());
  co_return CancelMessageMoveTaskResult{moved};
}

runtime::Task<base::Result<ListMessageMoveTasksResult>> Service::list_message_move_tasks(
    const wire::Context& context, ListMessageMoveTasksRequest request) {
  CO_TRY(const auto max, at_most(request.max_results.value_or(1),
                                 static_cast<std::int32_t>(kMoveTasksKept), "MaxResults"));
  CO_TRY(const QueuePtr source, open_source(context, request.source_arn, "ListMessageMoveTasks"));
  ListMessageMoveTasksResult result;
  result.results.emplace();
  for (const MoveTask& task : source->moves) {
    if (result.results->size() == static_cast<std::size_t>(max)) break;
    result.results->push_back(shown(task));
  }
  // What is shown as moved is on disk.
  CO_TRY_VOID(co_await store_.sync());
  co_return result;
}

}  // namespace terrarium::sqs
