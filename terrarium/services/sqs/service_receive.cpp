// Receiving: short and long polls, redrive to the dead-letter queue.
#include <algorithm>
#include <boost/asio/cancellation_state.hpp>

#include "generated/sqs/errors.h"
#include "lib/base/log.h"
#include "terrarium/services/sqs/changes.h"
#include "terrarium/services/sqs/keys.h"
#include "terrarium/services/sqs/receipt.h"
#include "terrarium/services/sqs/service.h"
#include "terrarium/services/sqs/service_messages.h"

namespace terrarium::sqs {
namespace {

// One call moves at most this many times ten messages to the dead-letter queue.
constexpr int kRoundsMax = 10;
constexpr std::size_t kAttemptsMax = 10'000;  // remembered of one queue
// How often a long poll looks whether its client is still there, or others have made room.
constexpr base::Duration kLookInterval = std::chrono::seconds(1);

std::string milliseconds(base::Timestamp time) {
  return std::to_string(
      std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count());
}

MessageAttributeValue shown(const StoredAttribute& attribute) {
  MessageAttributeValue out;
  (attribute.binary() ? out.binary_value : out.string_value) = attribute.value;
  out.data_type = attribute.type;
  return out;
}

Message shown(Taken taken, const Selection& selection, bool fifo) {
  Message out;
  for (auto& [name, value] : system_attributes_of(taken, fifo)) {
    if (!selection.system(name)) continue;
    if (!out.attributes.has_value()) out.attributes.emplace();
    out.attributes->emplace(name, value);
  }
  std::erase_if(taken.message.attributes, [&selection](const auto& attribute) {
    return !selection.message(attribute.first);
  });
  if (!taken.message.attributes.empty()) {
    // Of those that are shown: clients check it against what they got.
    out.md5_of_message_attributes = md5_of_attributes(taken.message.attributes);
    out.message_attributes.emplace();
    for (const auto& [name, value] : taken.message.attributes) {
      out.message_attributes->emplace(name, shown(value));
    }
  }
  out.message_id = std::move(taken.message.id);
  out.receipt_handle = std::move(taken.receipt_handle);
  out.md5_of_body = std::move(taken.message.md5_of_body);
  out.body = std::move(taken.message.body);
  return out;
}

std::size_t in_flight_max(const Queue& queue) {
  return queue.fifo() ? kFifoInFlightMax : kInFlightMax;
}

// Moves a message to the dead-letter queue: the same id, and in a standard queue the same time
// sent.
void give_up(Changes& changes, const Queue& queue, const QueuePtr& dead, IndexRecord index,
             MessageRecord message, base::Timestamp now) {
  message.carried_receives += index.receives;
  message.source_arn = queue.arn;
  message.delayed = false;
  if (queue.fifo()) message.sent = now;
  index.sent = message.sent;
  index.moved = !queue.fifo();
  index.receives = 0;
  index.visible_at = now;
  changes.add(dead, index, message);
}

}  // namespace

std::map<std::string, std::string> system_attributes_of(const Taken& taken, bool fifo) {
  const MessageRecord& message = taken.message;
  std::map<std::string, std::string> out{
      {"ApproximateFirstReceiveTimestamp", milliseconds(taken.index.first_received)},
      {"ApproximateReceiveCount", std::to_string(message.carried_receives + taken.index.receives)},
      {"SenderId", message.sender_id},
      {"SentTimestamp", milliseconds(taken.index.sent)},
  };
  if (!message.trace_header.empty()) out.emplace("AWSTraceHeader", message.trace_header);
  if (!message.source_arn.empty()) out.emplace("DeadLetterQueueSourceArn", message.source_arn);
  if (!message.group_id.empty()) out.emplace("MessageGroupId", message.group_id);
  if (fifo) {
    out.emplace("MessageDeduplicationId", message.deduplication_id);
    out.emplace("SequenceNumber", sequence_number_text(taken.sequence));
  }
  return out;
}

// What one look at the head of a queue does: messages to hand out, and how many went elsewhere: to
// the dead-letter queue, or away for good.
struct Service::Round {
  std::vector<Taken> taken;
  std::size_t gone = 0;
};

base::Result<std::optional<MessageRecord>> Service::read_message(const Queue& queue,
                                                                 std::uint64_t sequence,
                                                                 std::string_view stored) const {
  std::optional<std::string> read;
  if (stored.empty()) {
    TRY(read, store_.get(store::Table::Sqs, message_key(queue.record.number, sequence)));
    if (!read.has_value()) return std::nullopt;
    stored = *read;
  }
  TRY(MessageRecord message, decode_message(stored));
  return message;
}

base::Result<Service::Round> Service::take_round(const QueuePtr& queue, std::size_t max,
                                                 std::chrono::seconds visibility) {
  const base::Timestamp now = clock_.now();
  const std::uint64_t number = queue->record.number;
  QueuePtr dead;
  std::uint32_t receives_max = 0;
  if (const auto& redrive = queue->settings.redrive; redrive.has_value()) {
    dead = find_by_arn(redrive->dead_letter_arn);
    if (dead != nullptr && !dead->settings.redrive_allow.allows(queue->arn)) dead = nullptr;
    receives_max = static_cast<std::uint32_t>(redrive->max_receive_count);
  }
  Round round;
  Changes changes(now);
  auto candidates = queue->order->take(max);
  const auto handle = [&](const MessageOrder::Candidate& one) -> base::Result<void> {
    TRY(auto read, read_message(*queue, one.sequence, one.stored));
    IndexRecord index = one.record;
    if (!read.has_value()) {
      base::log::warning("sqs", "a message of {} has no body any more", queue->arn);
      changes.erase(queue, one.sequence, index);
      ++round.gone;
      return {};
    }
    MessageRecord message = *std::move(read);
    if (index.receives == 0) {
      index.sent = message.sent;
      index.tag = tag_of(message.id);
    }
    if (index.sent + queue->settings.retention <= now) {
      changes.erase(queue, one.sequence, index);
      ++round.gone;
      return {};
    }
    if (dead != nullptr && index.receives >= receives_max) {
      changes.erase(queue, one.sequence, index);
      give_up(changes, *queue, dead, index, std::move(message), now);
      ++round.gone;
      return {};
    }
    ++index.receives;
    index.last_received = now;
    if (index.first_received == base::Timestamp()) index.first_received = now;
    index.visible_at = now + visibility;
    changes.update(queue, one.sequence, index);
    std::string receipt = encode(Receipt{number, one.sequence, index.tag, index.receives});
    round.taken.push_back({one.sequence, index, std::move(message), std::move(receipt)});
    return {};
  };
  base::Result<void> done;
  for (const auto& one : candidates) {
    if (done = handle(one); !done.has_value()) break;
  }
  if (done.has_value() && changes.empty()) return round;
  // Counted before the answer is sent: a client that dies while it receives must still use up one
  // attempt, or a poison message would never reach the dead-letter queue.
  if (done.has_value()) done = changes.write(store_);
  if (!done.has_value()) {
    queue->order->put_back(std::move(candidates));
    return std::unexpected(std::move(done).error());
  }
  if (round.gone > 0 && dead != nullptr) wake(dead);
  return round;
}

base::Result<std::vector<Taken>> Service::take(const QueuePtr& queue, const Wish& wish) {
  std::vector<Taken> taken;
  const std::size_t limit = in_flight_max(*queue);
  for (int rounds = 0; rounds < kRoundsMax && taken.size() < wish.max; ++rounds) {
    TRY_VOID(pass_time(queue, clock_.now()));
    const std::size_t in_flight = queue->order->in_flight_count();
    if (in_flight >= limit) {
      // AWS tells only who does not wait, and nobody of a FIFO queue.
      if (!taken.empty() || queue->fifo() || wish.until > clock_.now()) break;
      return base::fail(errors::kOverLimit,
                        "The maximum number of in flight messages is reached: 120000.");
    }
    const std::size_t wanted = std::min(wish.max - taken.size(), limit - in_flight);
    auto round = take_round(queue, wanted, wish.visibility);
    if (!round.has_value()) {
      // What was taken in an earlier round is in flight already: it goes out.
      if (taken.empty()) return std::unexpected(std::move(round).error());
      base::log::warning("sqs", "receiving from {} stopped early: {}", queue->arn,
                         base::describe(round.error()));
      break;
    }
    const bool again = round->gone > 0;
    std::ranges::move(round->taken, std::back_inserter(taken));
    // Without a timeout the same messages would come again.
    if (!again || wish.visibility == std::chrono::seconds(0)) break;
  }
  // Whoever waits must see these again when their time is up.
  arm(queue, queue->arrived.waiting());
  return taken;
}

// What the same attempt received before, when nothing has happened to it: with the same handles,
// and hidden anew.
base::Result<std::vector<Taken>> Service::take_again(const QueuePtr& queue, const Wish& wish) {
  const auto found = queue->attempts.find(wish.attempt_id);
  if (wish.attempt_id.empty() || found == queue->attempts.end()) return std::vector<Taken>();
  const base::Timestamp now = clock_.now();
  Attempt& attempt = found->second;
  const bool same =
      attempt.made + kDeduplicationInterval > now &&
      std::ranges::all_of(attempt.given, [&](const Attempt::Given& given) {
        const IndexRecord* record = queue->order->find(given.sequence);
        return record != nullptr && *record == given.index && record->visible_at > now;
      });
  if (!same) return std::vector<Taken>();
  const std::uint64_t number = queue->record.number;
  std::vector<Taken> taken;
  Changes changes(now);
  for (const Attempt::Given& given : attempt.given) {
    TRY(auto message, read_message(*queue, given.sequence, {}));
    if (!message.has_value()) continue;
    IndexRecord index = given.index;
    index.visible_at = now + wish.visibility;
    changes.update(queue, given.sequence, index);
    std::string receipt = encode(Receipt{number, given.sequence, index.tag, index.receives});
    taken.push_back({given.sequence, index, *std::move(message), std::move(receipt)});
  }
  TRY_VOID(changes.write(store_));
  for (std::size_t i = 0; i < taken.size(); ++i) attempt.given[i].index = taken[i].index;
  return taken;
}

void Service::remember_attempt(Queue& queue, const Wish& wish, const std::vector<Taken>& taken) {
  const base::Timestamp now = clock_.now();
  while (!queue.attempt_times.empty() &&
         (queue.attempt_times.front().first + kDeduplicationInterval <= now ||
          queue.attempt_times.size() >= kAttemptsMax)) {
    const auto old = queue.attempts.find(queue.attempt_times.front().second);
    if (old != queue.attempts.end() && old->second.made == queue.attempt_times.front().first) {
      queue.attempts.erase(old);
    }
    queue.attempt_times.pop_front();
  }
  if (wish.attempt_id.empty() || taken.empty()) return;
  Attempt attempt{now, {}};
  for (const Taken& one : taken) attempt.given.push_back({one.sequence, one.index});
  queue.attempts.insert_or_assign(wish.attempt_id, std::move(attempt));
  queue.attempt_times.emplace_back(now, wish.attempt_id);
}

// Until a message may be there, the time is up, or the client has gone.
runtime::Task<void> Service::wait_for_arrival(Queue& queue, const Wish& wish) {
  if (wish.client == nullptr) {
    co_await queue.arrived.wait_until(wish.until);
    co_return;
  }
  bool over = false;
  while (!over) {
    const auto next = std::min<base::Timestamp>(wish.until, clock_.now() + kLookInterval);
    const bool arrived = co_await queue.arrived.wait_until(next);
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    over = arrived || clock_.now() >= wish.until || wish.client->gone() ||
           state.cancelled() != boost::asio::cancellation_type::none;
  }
}

runtime::Task<base::Result<std::vector<Taken>>> Service::take_or_wait(QueuePtr queue, Wish wish) {
  CO_TRY(std::vector<Taken> before, take_again(queue, wish));
  if (!before.empty()) co_return before;
  while (true) {
    if (queue->deleted) {
      co_return base::fail(errors::kQueueDoesNotExist, "The specified queue does not exist.");
    }
    auto taken = take(queue, wish);
    if (!taken.has_value() || !taken->empty() || stopping_ || clock_.now() >= wish.until) {
      if (taken.has_value()) remember_attempt(*queue, wish, *taken);
      wake(queue);
      co_return taken;
    }
    if (queue->order->any_visible()) {
      // Nothing to hand out so far - all for the dead-letter queue, expired, or too many in flight:
      // let others run, then look further.
      co_await boost::asio::post(executor_, runtime::use_task);
      if (queue->order->in_flight_count() >= in_flight_max(*queue)) {
        co_await queue->arrived.wait_until(
            std::min<base::Timestamp>(wish.until, clock_.now() + kLookInterval));
      }
    } else {
      arm(queue, queue->arrived.waiting() + 1);
      co_await wait_for_arrival(*queue, wish);
    }
    queue->waking = false;
    if (wish.client != nullptr && wish.client->gone()) {
      // A message given to nobody would be hidden until its timeout: it is for somebody else.
      wake(queue);
      co_return std::vector<Taken>();
    }
    const auto state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) {
      // The message that woke this one is for somebody else.
      wake(queue);
      co_return base::fail(base::ErrorKind::Cancelled, "The client went away.");
    }
  }
}

runtime::Task<base::Result<ReceiveMessageResult>> Service::receive_message(
    const wire::Context& context, ReceiveMessageRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "ReceiveMessage"));
  if (request.receive_request_attempt_id.has_value() && !queue->fifo()) {
    co_return invalid_parameter(*request.receive_request_attempt_id, "ReceiveRequestAttemptId",
                                "The request include parameter that is not valid for this queue "
                                "type.");
  }
  CO_TRY(const auto max, within(request.max_number_of_messages.value_or(1), 1, 10,
                                "MaxNumberOfMessages", "Must be between 1 and 10, if provided."));
  const auto standard_wait = static_cast<std::int32_t>(queue->settings.wait.count());
  CO_TRY(const auto wait, within(request.wait_time_seconds.value_or(standard_wait), 0,
                                 static_cast<std::int32_t>(kWaitMax.count()), "WaitTimeSeconds",
                                 "Must be >= 0 and <= 20, if provided."));
  const auto standard_visibility = static_cast<std::int32_t>(queue->settings.visibility.count());
  CO_TRY(const auto visibility,
         within(request.visibility_timeout.value_or(standard_visibility), 0,
                static_cast<std::int32_t>(kVisibilityMax.count()), "VisibilityTimeout",
                "Must be >= 0 and <= 43200, if provided."));
  std::vector<std::string> names = request.attribute_names.value_or(std::vector<std::string>{});
  for (std::string& name :
       request.message_system_attribute_names.value_or(std::vector<std::string>{})) {
    names.push_back(std::move(name));
  }
  CO_TRY(const Selection selection,
         Selection::parse(names,
                          request.message_attribute_names.value_or(std::vector<std::string>{})));
  const Wish wish{
      static_cast<std::size_t>(max), std::chrono::seconds(visibility),
      std::min<base::Timestamp>(clock_.now() + std::chrono::seconds(wait), context.deadline),
      request.receive_request_attempt_id.value_or(""),
      context.request == nullptr ? nullptr : context.request->client};
  CO_TRY(std::vector<Taken> taken, co_await take_or_wait(queue, wish));
  ReceiveMessageResult result;
  if (taken.empty()) co_return result;
  result.messages.emplace();
  for (Taken& one : taken)
    result.messages->push_back(shown(std::move(one), selection, queue->fifo()));
  co_return result;
}

}  // namespace terrarium::sqs
