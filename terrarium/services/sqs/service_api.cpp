// SQS for the rest of the region: every call hops to the service's executor.
#include <algorithm>

#include "generated/sqs/errors.h"
#include "terrarium/services/sqs/receipt.h"
#include "terrarium/services/sqs/service.h"
#include "terrarium/services/sqs/service_messages.h"

namespace terrarium::sqs {
namespace {

ReceivedMessage received(Taken taken, bool fifo) {
  ReceivedMessage out;
  out.attributes = system_attributes_of(taken, fifo);
  MessageRecord& message = taken.message;
  if (!message.attributes.empty()) {
    out.md5_of_message_attributes = md5_of_attributes(message.attributes);
  }
  for (auto& [name, attribute] : message.attributes) {
    ReceivedAttribute& shown = out.message_attributes[name];
    (attribute.binary() ? shown.binary_value : shown.string_value) = std::move(attribute.value);
    shown.data_type = std::move(attribute.type);
  }
  out.message_id = std::move(message.id);
  out.receipt_handle = std::move(taken.receipt_handle);
  out.body = std::move(message.body);
  out.md5_of_body = std::move(message.md5_of_body);
  return out;
}

}  // namespace

runtime::Task<base::Result<void>> Service::send_here(SendingService from, std::string queue_arn,
                                                     std::string body) {
  CO_TRY(const QueuePtr queue, open_by_arn(queue_arn));
  CO_TRY_VOID(authorize_service(from, *queue));
  CO_TRY(CheckedMessage checked, check_message({.body = std::move(body)}, queue->settings));
  CO_TRY_VOID(write_message(queue, std::move(checked), from.principal));
  co_return co_await store_.sync();
}

runtime::Task<base::Result<void>> Service::send_with_attributes_here(std::string sender_id,
                                                                     std::string queue_arn,
                                                                     OutgoingMessage message) {
  CO_TRY(const QueuePtr queue, open_by_arn(queue_arn));
  MessageInput input{.body = std::move(message.body)};
  for (auto& [name, attribute] : message.message_attributes) {
    if (!input.attributes.has_value()) input.attributes.emplace();
    MessageAttributeValue& value = (*input.attributes)[name];
    value.data_type = attribute.data_type;
    if (attribute.data_type.starts_with("Binary")) {
      value.binary_value = std::move(attribute.binary_value);
    } else {
      value.string_value = std::move(attribute.string_value);
    }
  }
  if (!message.group_id.empty()) input.group_id = std::move(message.group_id);
  if (!message.deduplication_id.empty()) {
    input.deduplication_id = std::move(message.deduplication_id);
  }
  CO_TRY(CheckedMessage checked, check_message(std::move(input), queue->settings));
  CO_TRY_VOID(write_message(queue, std::move(checked), sender_id));
  co_return co_await store_.sync();
}

runtime::Task<base::Result<std::size_t>> Service::wait_visible_here(std::string queue_arn,
                                                                    std::size_t messages,
                                                                    base::Timestamp wait_until) {
  CO_TRY(const QueuePtr queue, open_by_arn(queue_arn));
  const auto look = [&queue, messages]() -> std::size_t {
    // Behind the first of a group that is in flight, nothing of a FIFO queue can be received.
    if (queue->fifo()) return queue->order->take(messages).size();
    return std::min(queue->visible(), messages);
  };
  while (true) {
    CO_TRY_VOID(pass_time(queue, clock_.now()));
    const std::size_t visible = look();
    if (visible == messages || stopping_ || clock_.now() >= wait_until) co_return visible;
    arm(queue, 1);
    if (!co_await queue->watched.wait_until(wait_until)) co_return look();
    if (queue->deleted) {
      co_return base::fail(errors::kQueueDoesNotExist, "The specified queue does not exist.");
    }
  }
}

runtime::Task<base::Result<void>> Service::check_here(SendingService from, std::string queue_arn) {
  CO_TRY(const QueuePtr queue, open_by_arn(queue_arn));
  co_return authorize_service(from, *queue);
}

runtime::Task<base::Result<std::vector<ReceivedMessage>>> Service::receive_here(
    std::string queue_arn, std::size_t messages_max, base::Timestamp wait_until,
    std::optional<std::chrono::seconds> visibility) {
  CO_TRY(const QueuePtr queue, open_by_arn(queue_arn));
  const std::size_t max = std::clamp<std::size_t>(messages_max, 1, kBatchEntriesMax);
  const auto timeout = visibility.value_or(queue->settings.visibility);
  CO_TRY(std::vector<Taken> taken,
         co_await take_or_wait(queue, Wish{max, timeout, wait_until, {}, nullptr}));
  std::vector<ReceivedMessage> out;
  for (Taken& one : taken) out.push_back(received(std::move(one), queue->fifo()));
  co_return out;
}

runtime::Task<base::Result<void>> Service::delete_here(std::string queue_arn,
                                                       std::vector<std::string> handles) {
  CO_TRY(const QueuePtr queue, open_by_arn(queue_arn));
  std::vector<std::uint64_t> sequences;
  for (const std::string& handle : handles) {
    const auto sequence = deletable(*queue, handle);
    // Received again by somebody else, whose it is now.
    if (!sequence.has_value() && sequence.error().is(errors::kInvalidParameterValue)) continue;
    if (!sequence.has_value()) co_return std::unexpected(sequence.error());
    if (sequence->has_value()) sequences.push_back(**sequence);
  }
  CO_TRY_VOID(erase_messages(queue, sequences));
  co_return co_await store_.sync();
}

runtime::Task<base::Result<void>> Service::change_here(std::string queue_arn,
                                                       std::vector<std::string> handles,
                                                       std::chrono::seconds timeout) {
  CO_TRY(const QueuePtr queue, open_by_arn(queue_arn));
  const auto seconds = std::clamp<std::int64_t>(timeout.count(), -1, kVisibilityMax.count() + 1);
  CO_TRY(const auto checked, check_visibility(static_cast<std::int32_t>(seconds)));
  std::vector<Visibility> changes;
  for (const std::string& handle : handles) {
    CO_TRY_VOID(decode_receipt(handle));
    if (auto change = changed_visibility(*queue, handle, checked)) {
      changes.push_back(*std::move(change));
    }
  }
  CO_TRY_VOID(write_visibility(queue, std::move(changes)));
  co_return co_await store_.sync();
}

runtime::Task<base::Result<QueueSettings>> Service::attributes_here(std::string queue_arn) {
  CO_TRY(const QueuePtr queue, open_by_arn(queue_arn));
  co_return QueueSettings{queue->arn, queue->settings.visibility, queue->settings.wait,
                          queue->settings.redrive};
}

runtime::Task<base::Result<void>> Service::send(SendingService from, std::string queue_arn,
                                                std::string body) {
  co_return co_await runtime::run_on(
      executor_, send_here(std::move(from), std::move(queue_arn), std::move(body)));
}

runtime::Task<base::Result<void>> Service::send(std::string sender_id, std::string queue_arn,
                                                OutgoingMessage message) {
  co_return co_await runtime::run_on(
      executor_,
      send_with_attributes_here(std::move(sender_id), std::move(queue_arn), std::move(message)));
}

runtime::Task<base::Result<std::size_t>> Service::wait_visible(std::string queue_arn,
                                                               std::size_t messages,
                                                               base::Timestamp wait_until) {
  co_return co_await runtime::run_on(executor_,
                                     wait_visible_here(std::move(queue_arn), messages, wait_until));
}

runtime::Task<base::Result<void>> Service::check_can_send(SendingService from,
                                                          std::string queue_arn) {
  co_return co_await runtime::run_on(executor_, check_here(std::move(from), std::move(queue_arn)));
}

runtime::Task<base::Result<std::vector<ReceivedMessage>>> Service::receive(
    std::string queue_arn, std::size_t messages_max, base::Timestamp wait_until,
    std::optional<std::chrono::seconds> visibility) {
  co_return co_await runtime::run_on(
      executor_, receive_here(std::move(queue_arn), messages_max, wait_until, visibility));
}

runtime::Task<base::Result<void>> Service::delete_messages(std::string queue_arn,
                                                           std::vector<std::string> handles) {
  co_return co_await runtime::run_on(executor_,
                                     delete_here(std::move(queue_arn), std::move(handles)));
}

runtime::Task<base::Result<void>> Service::change_visibility(std::string queue_arn,
                                                             std::vector<std::string> handles,
                                                             std::chrono::seconds timeout) {
  co_return co_await runtime::run_on(
      executor_, change_here(std::move(queue_arn), std::move(handles), timeout));
}

runtime::Task<base::Result<QueueSettings>> Service::attributes(std::string queue_arn) {
  co_return co_await runtime::run_on(executor_, attributes_here(std::move(queue_arn)));
}

runtime::Task<bool> Service::queue_exists(std::string queue_arn) {
  co_return (co_await attributes(std::move(queue_arn))).has_value();
}

}  // namespace terrarium::sqs
