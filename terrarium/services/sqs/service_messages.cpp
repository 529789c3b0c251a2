// Sending, deleting, changing visibility.
#include "terrarium/services/sqs/service_messages.h"
#include "generated/sqs/errors.h"
#include "terrarium/services/sqs/service.h"

namespace terrarium::sqs {
namespace {

template <class Request>
MessageInput input_of(Request& request) {
  return {.body = std::move(request.message_body),
          .delay_seconds = request.delay_seconds,
          .attributes = std::move(request.message_attributes),
          .system_attributes = std::move(request.message_system_attributes),
          .deduplication_id = std::move(request.message_deduplication_id),
          .group_id = std::move(request.message_group_id)};
}

std::optional<std::string> unless_empty(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

template <class Entry>
std::vector<std::string_view> ids_of(const std::vector<Entry>& entries) {
  std::vector<std::string_view> ids;
  for (const Entry& entry : entries) ids.push_back(entry.id);
  return ids;
}

BatchResultErrorEntry failed_entry(std::string id, const base::Error& error) {
  const bool ours = error.kind == base::ErrorKind::Internal || error.row == nullptr;
  std::string code = "InternalError";
  if (!ours) {
    code = error.row->query_code.empty() ? error.row->code : error.row->query_code;
  }
  return {std::move(id), !ours, std::move(code), error.message};
}

std::unexpected<base::Error> not_changeable(std::string_view handle) {
  return invalid_parameter(handle, "ReceiptHandle",
                           "Message does not exist or is not available for visibility timeout "
                           "change.");
}

}  // namespace

std::string sender_id_of(const wire::Context& context) {
  const wire::Principal& caller = context.principal;
  if (caller.kind == wire::PrincipalKind::Anonymous) return context.source_ip;
  return caller.id.empty() ? caller.account : caller.id;
}

base::Result<void> Service::write_messages(const QueuePtr& queue,
                                           std::vector<CheckedMessage>& messages,
                                           std::string_view sender_id) {
  if (messages.empty()) return {};
  const base::Timestamp now = clock_.now();
  const std::uint64_t number = queue->record.number;
  const std::uint64_t first = queue->index.next_sequence(now);
  std::vector<IndexRecord> records;
  store::Batch batch;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    MessageRecord& message = messages[i].record;
    message.id = random_.uuid();
    message.sender_id = sender_id;
    records.push_back({.sent = now,
                       .visible_at = now + messages[i].delay,
                       .first_received = {},
                       .last_received = {},
                       .tag = tag_of(message.id)});
    batch.put(store::Table::Sqs, index_key(number, first + i), encode(records.back()));
    batch.put(store::Table::Sqs, message_key(number, first + i), encode(message));
  }
  TRY_VOID(store_.write(std::move(batch)));
  for (std::size_t i = 0; i < records.size(); ++i) queue->index.add(first + i, records[i], now);
  wake(queue);
  return {};
}

runtime::Task<base::Result<SendMessageResult>> Service::send_message(const wire::Context& context,
                                                                     SendMessageRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "SendMessage"));
  CO_TRY(CheckedMessage checked, check_message(input_of(request), queue->settings));
  std::vector<CheckedMessage> messages;
  messages.push_back(std::move(checked));
  CO_TRY_VOID(write_messages(queue, messages, sender_id_of(context)));
  CO_TRY_VOID(co_await store_.sync());
  const CheckedMessage& sent = messages.front();
  co_return SendMessageResult{
      .md5_of_message_body = sent.record.md5_of_body,
      .md5_of_message_attributes = unless_empty(sent.md5_of_attributes),
      .md5_of_message_system_attributes = unless_empty(sent.md5_of_system_attributes),
      .message_id = sent.record.id};
}

runtime::Task<base::Result<SendMessageBatchResult>> Service::send_message_batch(
    const wire::Context& context, SendMessageBatchRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "SendMessage"));
  CO_TRY_VOID(check_batch_ids(ids_of(request.entries), "SendMessageBatchRequestEntry"));
  SendMessageBatchResult result;
  std::vector<CheckedMessage> messages;
  std::vector<std::string> ids;
  std::size_t bytes = 0;
  for (SendMessageBatchRequestEntry& entry : request.entries) {
    const std::size_t body_bytes = entry.message_body.size();
    auto checked = check_message(input_of(entry), queue->settings);
    bytes += checked.has_value() ? checked->bytes : body_bytes;
    if (!checked.has_value()) {
      result.failed.push_back(failed_entry(std::move(entry.id), checked.error()));
      continue;
    }
    messages.push_back(*std::move(checked));
    ids.push_back(std::move(entry.id));
  }
  if (bytes > kMessageBytesMax) {
    co_return base::fail(errors::kBatchRequestTooLong, "Batch requests cannot be longer than " +
                                                           std::to_string(kMessageBytesMax) +
                                                           " bytes. You have sent " +
                                                           std::to_string(bytes) + " bytes.");
  }
  CO_TRY_VOID(write_messages(queue, messages, sender_id_of(context)));
  CO_TRY_VOID(co_await store_.sync());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const CheckedMessage& sent = messages[i];
    result.successful.push_back(
        {.id = std::move(ids[i]),
         .message_id = sent.record.id,
         .md5_of_message_body = sent.record.md5_of_body,
         .md5_of_message_attributes = unless_empty(sent.md5_of_attributes),
         .md5_of_message_system_attributes = unless_empty(sent.md5_of_system_attributes)});
  }
  co_return result;
}

base::Result<std::optional<std::uint64_t>> Service::deletable(const Queue& queue,
                                                              std::string_view handle) const {
  TRY(const Receipt receipt, decode_receipt(handle));
  if (receipt.queue != queue.record.number) {
    return base::fail(errors::kReceiptHandleIsInvalid,
                      "The input receipt handle \"" + std::string(handle) +
                          "\" is not a receipt handle of this queue.");
  }
  const IndexRecord* record = queue.index.find(receipt.sequence);
  if (record == nullptr || record->tag != receipt.tag || record->receives != receipt.receives) {
    return std::nullopt;
  }
  return receipt.sequence;
}

base::Result<void> Service::erase_messages(Queue& queue,
                                           const std::vector<std::uint64_t>& sequences) {
  if (sequences.empty()) return {};
  store::Batch batch;
  for (const std::uint64_t sequence : sequences) {
    batch.erase(store::Table::Sqs, index_key(queue.record.number, sequence));
    batch.erase(store::Table::Sqs, message_key(queue.record.number, sequence));
  }
  TRY_VOID(store_.write(std::move(batch)));
  for (const std::uint64_t sequence : sequences) queue.index.erase(sequence);
  return {};
}

runtime::Task<base::Result<wire::Empty>> Service::delete_message(const wire::Context& context,
                                                                 DeleteMessageRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "DeleteMessage"));
  CO_TRY(const auto sequence, deletable(*queue, request.receipt_handle));
  if (sequence.has_value()) CO_TRY_VOID(erase_messages(*queue, {*sequence}));
  // Waited for even when the message is gone: whoever deleted it may still be waiting too.
  CO_TRY_VOID(co_await store_.sync());
  co_return wire::Empty{};
}

runtime::Task<base::Result<DeleteMessageBatchResult>> Service::delete_message_batch(
    const wire::Context& context, DeleteMessageBatchRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "DeleteMessage"));
  CO_TRY_VOID(check_batch_ids(ids_of(request.entries), "DeleteMessageBatchRequestEntry"));
  DeleteMessageBatchResult result;
  std::vector<std::uint64_t> sequences;
  for (DeleteMessageBatchRequestEntry& entry : request.entries) {
    const auto sequence = deletable(*queue, entry.receipt_handle);
    if (!sequence.has_value()) {
      result.failed.push_back(failed_entry(std::move(entry.id), sequence.error()));
      continue;
    }
    if (sequence->has_value()) sequences.push_back(**sequence);
    result.successful.push_back({std::move(entry.id)});
  }
  CO_TRY_VOID(erase_messages(*queue, sequences));
  CO_TRY_VOID(co_await store_.sync());
  co_return result;
}

base::Result<Service::Visibility> Service::changed_visibility(const Queue& queue,
                                                              std::string_view handle,
                                                              std::chrono::seconds timeout) const {
  TRY(const auto sequence, deletable(queue, handle));
  if (!sequence.has_value()) return not_changeable(handle);
  const base::Timestamp now = clock_.now();
  Visibility change{*sequence, *queue.index.find(*sequence)};
  if (!queue.index.in_flight(*sequence) || change.record.visible_at <= now) {
    return base::fail(errors::kMessageNotInflight, "The message that receipt handle \"" +
                                                       std::string(handle) +
                                                       "\" refers to is not in flight.");
  }
  if (now + timeout > change.record.last_received + kVisibilityMax) {
    return invalid_parameter(std::to_string(timeout.count()), "VisibilityTimeout",
                             "Total VisibilityTimeout for the message is beyond the limit [43200 "
                             "seconds].");
  }
  change.record.visible_at = now + timeout;
  return change;
}

base::Result<void> Service::write_visibility(const QueuePtr& queue,
                                             std::vector<Visibility> changes) {
  if (changes.empty()) return {};
  store::Batch batch;
  for (const Visibility& change : changes) {
    batch.put(store::Table::Sqs, index_key(queue->record.number, change.sequence),
              encode(change.record));
  }
  TRY_VOID(store_.write(std::move(batch)));
  const base::Timestamp now = clock_.now();
  for (const Visibility& change : changes) {
    queue->index.update(change.sequence, change.record, now);
  }
  wake(queue);
  return {};
}

runtime::Task<base::Result<wire::Empty>> Service::change_message_visibility(
    const wire::Context& context, ChangeMessageVisibilityRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "ChangeMessageVisibility"));
  CO_TRY(const auto timeout, check_visibility(request.visibility_timeout));
  CO_TRY(const Visibility change, changed_visibility(*queue, request.receipt_handle, timeout));
  CO_TRY_VOID(write_visibility(queue, {change}));
  CO_TRY_VOID(co_await store_.sync());
  co_return wire::Empty{};
}

runtime::Task<base::Result<ChangeMessageVisibilityBatchResult>>
Service::change_message_visibility_batch(const wire::Context& context,
                                         ChangeMessageVisibilityBatchRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "ChangeMessageVisibility"));
  CO_TRY_VOID(check_batch_ids(ids_of(request.entries), "ChangeMessageVisibilityBatchRequestEntry"));
  ChangeMessageVisibilityBatchResult result;
  std::vector<Visibility> changes;
  for (ChangeMessageVisibilityBatchRequestEntry& entry : request.entries) {
    auto timeout = check_visibility(entry.visibility_timeout.value_or(0));
    if (!timeout.has_value()) {
      result.failed.push_back(failed_entry(std::move(entry.id), timeout.error()));
      continue;
    }
    auto change = changed_visibility(*queue, entry.receipt_handle, *timeout);
    if (!change.has_value()) {
      result.failed.push_back(failed_entry(std::move(entry.id), change.error()));
      continue;
    }
    changes.push_back(*std::move(change));
    result.successful.push_back({std::move(entry.id)});
  }
  CO_TRY_VOID(write_visibility(queue, std::move(changes)));
  CO_TRY_VOID(co_await store_.sync());
  co_return result;
}

}  // namespace terrarium::sqs
