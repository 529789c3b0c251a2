// Sending.
#include <algorithm>

#include "generated/sqs/errors.h"
#include "terrarium/services/sqs/changes.h"
#include "terrarium/services/sqs/keys.h"
#include "terrarium/services/sqs/service.h"
#include "terrarium/services/sqs/service_messages.h"

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

std::optional<std::string> sequence_number(const Queue& queue, const CheckedMessage& sent) {
  if (!queue.fifo()) return std::nullopt;
  return sequence_number_text(sent.sequence);
}

// AWS asks this of every entry before it looks at any, and of a batch it says
// InvalidParameterValue.
base::Result<void> check_fifo_entries(const SendMessageBatchRequest& request,
                                      const Settings& settings) {
  for (const SendMessageBatchRequestEntry& entry : request.entries) {
    auto checked =
        check_fifo_input(entry.message_group_id, entry.message_deduplication_id, settings);
    if (checked.has_value()) continue;
    return base::fail(errors::kInvalidParameterValue, std::move(checked.error().message));
  }
  return {};
}

std::size_t bytes_of(const SendMessageBatchRequest& request) {
  std::size_t bytes = 0;
  for (const SendMessageBatchRequestEntry& entry : request.entries) {
    bytes += entry.message_body.size();
    if (!entry.message_attributes.has_value()) continue;
    for (const auto& [name, value] : *entry.message_attributes) {
      bytes += name.size() + value.data_type.size();
      if (value.string_value) bytes += value.string_value->size();
      if (value.binary_value) bytes += value.binary_value->size();
    }
  }
  return bytes;
}

}  // namespace

base::Result<std::optional<DeduplicationRecord>> Service::find_duplicate(
    const Queue& queue, std::string_view digest) const {
  const base::Timestamp now = clock_.now();
  const std::uint64_t bucket = deduplication_bucket_of(now);
  for (const std::uint64_t one : {bucket, bucket - 1}) {
    TRY(const auto value,
        store_.get(store::Table::Sqs, deduplication_key(queue.record.number, one, digest)));
    if (!value.has_value()) continue;
    TRY(DeduplicationRecord record, decode_deduplication(*value));
    if (record.sent + kDeduplicationInterval > now) return record;
  }
  return std::nullopt;
}

base::Result<void> Service::write_messages(const QueuePtr& queue,
                                           std::vector<CheckedMessage>& messages,
                                           std::string_view sender_id) {
  const base::Timestamp now = clock_.now();
  const Settings& settings = queue->settings;
  Changes changes(now);
  std::map<std::string, DeduplicationRecord> sent_here;
  for (CheckedMessage& one : messages) {
    MessageRecord& message = one.record;
    std::string digest;
    if (settings.fifo) {
      digest = deduplication_digest(message, settings.deduplication_by_group);
      TRY(auto duplicate, find_duplicate(*queue, digest));
      if (const auto found = sent_here.find(digest); found != sent_here.end()) {
        duplicate = found->second;
      }
      if (duplicate.has_value()) {
        one.accepted_id = std::move(duplicate->message_id);
        one.sequence = duplicate->sequence;
        continue;
      }
    }
    message.id = random_.uuid();
    message.sender_id = sender_id;
    message.sent = now;
    message.delayed = one.delay > std::chrono::seconds(0);
    one.accepted_id = message.id;
    one.sequence = changes.add(queue,
                               {.sent = now,
                                .visible_at = now + one.delay,
                                .first_received = {},
                                .last_received = {},
                                .tag = tag_of(message.id)},
                               message);
    if (!settings.fifo) continue;
    const DeduplicationRecord record{now, one.sequence, message.id};
    changes.batch().put(
        store::Table::Sqs,
        deduplication_key(queue->record.number, deduplication_bucket_of(now), digest),
        encode(record));
    sent_here.emplace(std::move(digest), record);
  }
  if (changes.empty()) return {};
  TRY_VOID(changes.write(store_));
  wake(queue);
  return {};
}

base::Result<CheckedMessage> Service::write_message(const QueuePtr& queue, CheckedMessage message,
                                                    std::string_view sender_id) {
  std::vector<CheckedMessage> messages;
  messages.push_back(std::move(message));
  TRY_VOID(write_messages(queue, messages, sender_id));
  return std::move(messages.front());
}

runtime::Task<base::Result<SendMessageResult>> Service::send_message(const wire::Context& context,
                                                                     SendMessageRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "SendMessage"));
  CO_TRY(CheckedMessage checked, check_message(input_of(request), queue->settings));
  CO_TRY(const CheckedMessage sent,
         write_message(queue, std::move(checked), sender_id_of(context)));
  CO_TRY_VOID(co_await store_.sync());
  co_return SendMessageResult{
      .md5_of_message_body = sent.record.md5_of_body,
      .md5_of_message_attributes = unless_empty(sent.md5_of_attributes),
      .md5_of_message_system_attributes = unless_empty(sent.md5_of_system_attributes),
      .message_id = sent.accepted_id,
      .sequence_number = sequence_number(*queue, sent)};
}

runtime::Task<base::Result<SendMessageBatchResult>> Service::send_message_batch(
    const wire::Context& context, SendMessageBatchRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "SendMessage"));
  CO_TRY_VOID(check_batch_ids(ids_of(request.entries), "SendMessageBatchRequestEntry"));
  CO_TRY_VOID(check_fifo_entries(request, queue->settings));
  if (const std::size_t bytes = bytes_of(request); bytes > kMessageBytesMax) {
    co_return base::fail(errors::kBatchRequestTooLong, "Batch requests cannot be longer than " +
                                                           std::to_string(kMessageBytesMax) +
                                                           " bytes. You have sent " +
                                                           std::to_string(bytes) + " bytes.");
  }
  SendMessageBatchResult result;
  std::vector<CheckedMessage> messages;
  std::vector<std::string> ids;
  for (SendMessageBatchRequestEntry& entry : request.entries) {
    auto checked = check_message(input_of(entry), queue->settings);
    if (!checked.has_value()) {
      add_to(result.failed, failed_entry(std::move(entry.id), checked.error()));
      continue;
    }
    messages.push_back(*std::move(checked));
    ids.push_back(std::move(entry.id));
  }
  CO_TRY_VOID(write_messages(queue, messages, sender_id_of(context)));
  CO_TRY_VOID(co_await store_.sync());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const CheckedMessage& sent = messages[i];
    add_to(result.successful,
           {.id = std::move(ids[i]),
            .message_id = sent.accepted_id,
            .md5_of_message_body = sent.record.md5_of_body,
            .md5_of_message_attributes = unless_empty(sent.md5_of_attributes),
            .md5_of_message_system_attributes = unless_empty(sent.md5_of_system_attributes),
            .sequence_number = sequence_number(*queue, sent)});
  }
  co_return result;
}

}  // namespace terrarium::sqs
