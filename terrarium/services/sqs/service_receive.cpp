// Receiving: short and long polls, redrive to the dead-letter queue.
#include <algorithm>
#include <boost/asio/cancellation_state.hpp>

#include "generated/sqs/errors.h"
#include "lib/base/log.h"
#include "terrarium/services/sqs/service.h"
#include "terrarium/services/sqs/service_messages.h"

namespace terrarium::sqs {
namespace {

// One call moves at most this many times ten messages to the dead-letter queue.
constexpr int kRoundsMax = 10;

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

Message shown(Taken taken, const Selection& selection) {
  Message out;
  for (auto& [name, value] : system_attributes_of(taken)) {
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

base::Result<std::int32_t> within(std::int32_t value, std::int32_t min, std::int32_t max,
                                  std::string_view parameter, std::string_view rule) {
  if (value >= min && value <= max) return value;
  return invalid_parameter(std::to_string(value), parameter, rule);
}

}  // namespace

std::map<std::string, std::string> system_attributes_of(const Taken& taken) {
  const MessageRecord& message = taken.message;
  std::map<std::string, std::string> out{
      {"ApproximateFirstReceiveTimestamp", milliseconds(taken.index.first_received)},
      {"ApproximateReceiveCount", std::to_string(message.carried_receives + taken.index.receives)},
      {"SenderId", message.sender_id},
      {"SentTimestamp", milliseconds(taken.index.sent)},
  };
  if (!message.trace_header.empty()) out.emplace("AWSTraceHeader", message.trace_header);
  if (!message.source_arn.empty()) out.emplace("DeadLetterQueueSourceArn", message.source_arn);
  return out;
}

// What one look at the head of a queue does: messages to hand out, messages that their queue has
// given up on, and messages whose body is gone.
struct Service::Round {
  struct Moved {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    IndexRecord index;
  };
  std::vector<Taken> taken;
  std::vector<Moved> moved;
  std::vector<std::uint64_t> lost;
};

base::Result<Service::Round> Service::take_round(const QueuePtr& queue, std::size_t max,
                                                 std::chrono::seconds visibility) {
  const base::Timestamp now = clock_.now();
  const std::uint64_t number = queue->record.number;
  QueuePtr dead;
  if (const auto& redrive = queue->settings.redrive; redrive.has_value()) {
    dead = find_by_arn(redrive->dead_letter_arn);
    if (dead != nullptr && !dead->settings.redrive_allow.allows(queue->arn)) dead = nullptr;
  }
  Round round;
  store::Batch batch;
  for (const std::uint64_t sequence : queue->index.visible(max)) {
    IndexRecord index = *queue->index.find(sequence);
    TRY(const auto value, store_.get(store::Table::Sqs, message_key(number, sequence)));
    if (!value.has_value()) {
      round.lost.push_back(sequence);
      batch.erase(store::Table::Sqs, index_key(number, sequence));
      continue;
    }
    TRY(MessageRecord message, decode_message(*value));
    if (dead != nullptr &&
        index.receives >= static_cast<std::uint32_t>(queue->settings.redrive->max_receive_count)) {
      message.carried_receives += index.receives;
      message.source_arn = queue->arn;
      index.receives = 0;
      index.visible_at = now;
      index.moved = true;
      const std::uint64_t to = dead->index.next_sequence(now) + round.moved.size();
      batch.erase(store::Table::Sqs, index_key(number, sequence));
      batch.erase(store::Table::Sqs, message_key(number, sequence));
      batch.put(store::Table::Sqs, index_key(dead->record.number, to), encode(index));
      batch.put(store::Table::Sqs, message_key(dead->record.number, to), encode(message));
      round.moved.push_back({sequence, to, index});
      continue;
    }
    ++index.receives;
    index.last_received = now;
    if (index.first_received == base::Timestamp()) index.first_received = now;
    index.visible_at = now + visibility;
    batch.put(store::Table::Sqs, index_key(number, sequence), encode(index));
    std::string handle = encode(Receipt{number, sequence, index.tag, index.receives});
    round.taken.push_back({sequence, index, std::move(message), std::move(handle)});
  }
  if (batch.empty()) return round;
  // Counted before the answer is sent: a client that dies while it receives must still use up one
  // attempt, or a poison message would never reach the dead-letter queue.
  TRY_VOID(store_.write(std::move(batch)));
  for (const Taken& one : round.taken) queue->index.update(one.sequence, one.index, now);
  for (const std::uint64_t sequence : round.lost) queue->index.erase(sequence);
  for (const Round::Moved& one : round.moved) {
    queue->index.erase(one.from);
    dead->index.add(one.to, one.index, now);
  }
  if (!round.moved.empty()) wake(dead);
  return round;
}

base::Result<std::vector<Taken>> Service::take(const QueuePtr& queue, std::size_t max,
                                               std::chrono::seconds visibility) {
  pass_time(*queue, clock_.now());
  std::vector<Taken> taken;
  for (int rounds = 0; rounds < kRoundsMax && taken.size() < max; ++rounds) {
    const std::size_t in_flight = queue->index.in_flight_count();
    if (in_flight >= kInFlightMax) {
      if (!taken.empty()) break;
      return base::fail(errors::kOverLimit,
                        "The maximum number of in flight messages is reached: 120000.");
    }
    const std::size_t wanted = std::min(max - taken.size(), kInFlightMax - in_flight);
    auto round = take_round(queue, wanted, visibility);
    if (!round.has_value()) {
      // What was taken in an earlier round is in flight already: it goes out.
      if (taken.empty()) return std::unexpected(std::move(round).error());
      base::log::warning("sqs", "receiving from {} stopped early: {}", queue->arn,
                         base::describe(round.error()));
      break;
    }
    const bool again = !round->moved.empty() || !round->lost.empty();
    std::ranges::move(round->taken, std::back_inserter(taken));
    // Without a timeout the same messages would come again.
    if (!again || visibility == std::chrono::seconds(0)) break;
  }
  // Whoever waits must see these again when their time is up.
  arm(queue, queue->arrived.waiting());
  return taken;
}

runtime::Task<base::Result<std::vector<Taken>>> Service::take_or_wait(
    QueuePtr queue, std::size_t max, std::chrono::seconds visibility, base::Timestamp wait_until) {
  while (true) {
    if (queue->deleted) {
      co_return base::fail(errors::kQueueDoesNotExist, "The specified queue does not exist.");
    }
    auto taken = take(queue, max, visibility);
    if (!taken.has_value() || !taken->empty() || stopping_ || clock_.now() >= wait_until) {
      co_return taken;
    }
    if (queue->index.visible_count() > 0) {
      // Only messages for the dead-letter queue so far: let others run, then look further.
      co_await boost::asio::post(executor_, runtime::use_task);
    } else {
      arm(queue, queue->arrived.waiting() + 1);
      co_await queue->arrived.wait_until(wait_until);
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
  if (request.receive_request_attempt_id.has_value()) {
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
  const base::Timestamp until =
      std::min<base::Timestamp>(clock_.now() + std::chrono::seconds(wait), context.deadline);
  CO_TRY(std::vector<Taken> taken, co_await take_or_wait(queue, static_cast<std::size_t>(max),
                                                         std::chrono::seconds(visibility), until));
  ReceiveMessageResult result;
  if (taken.empty()) co_return result;
  result.messages.emplace();
  for (Taken& one : taken) result.messages->push_back(shown(std::move(one), selection));
  co_return result;
}

}  // namespace terrarium::sqs
