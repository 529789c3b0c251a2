// Deleting, changing visibility.
#include "terrarium/services/sqs/service_messages.h"

#include <set>

#include "generated/sqs/errors.h"
#include "terrarium/services/sqs/changes.h"
#include "terrarium/services/sqs/receipt.h"

namespace terrarium::sqs {
namespace {

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

BatchResultErrorEntry failed_entry(std::string id, const base::Error& error) {
  const bool ours = error.kind == base::ErrorKind::Internal || error.row == nullptr;
  std::string code = "InternalError";
  if (!ours) {
    code = error.row->query_code.empty() ? error.row->code : error.row->query_code;
  }
  return {std::move(id), !ours, std::move(code), error.message};
}

base::Result<std::optional<std::uint64_t>> Service::deletable(const Queue& queue,
                                                              std::string_view handle) const {
  TRY(const Receipt receipt, decode_receipt(handle));
  if (receipt.queue != queue.record.number) {
    return base::fail(errors::kReceiptHandleIsInvalid,
                      "The input receipt handle \"" + std::string(handle) +
                          "\" is not a receipt handle of this queue.");
  }
  const IndexRecord* record = queue.order->find(receipt.sequence);
  if (record == nullptr || record->tag != receipt.tag) return std::nullopt;
  // In a FIFO queue a handle ends with its visibility timeout: another receiver may have the group.
  const bool latest = record->receives == receipt.receives && record->visible_at > clock_.now();
  if (queue.fifo() && !latest) {
    return invalid_parameter(handle, "ReceiptHandle", "The receipt handle has expired.");
  }
  return receipt.sequence;
}

base::Result<void> Service::erase_messages(const QueuePtr& queue,
                                           const std::vector<std::uint64_t>& sequences) {
  Changes changes(clock_.now());
  for (const std::uint64_t sequence : std::set(sequences.begin(), sequences.end())) {
    if (const IndexRecord* record = queue->order->find(sequence)) {
      changes.erase(queue, sequence, *record);
    }
  }
  if (changes.empty()) return {};
  TRY_VOID(changes.write(store_));
  // The next of its group may come now.
  if (queue->fifo()) wake(queue);
  return {};
}

runtime::Task<base::Result<wire::Empty>> Service::delete_message(const wire::Context& context,
                                                                 DeleteMessageRequest request) {
  CO_TRY(const QueuePtr queue, open(context, request.queue_url, "DeleteMessage"));
  CO_TRY(const auto sequence, deletable(*queue, request.receipt_handle));
  if (sequence.has_value()) CO_TRY_VOID(erase_messages(queue, {*sequence}));
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
      add_to(result.failed, failed_entry(std::move(entry.id), sequence.error()));
      continue;
    }
    if (sequence->has_value()) sequences.push_back(**sequence);
    add_to(result.successful, {std::move(entry.id)});
  }
  CO_TRY_VOID(erase_messages(queue, sequences));
  CO_TRY_VOID(co_await store_.sync());
  co_return result;
}

base::Result<Service::Visibility> Service::changed_visibility(const Queue& queue,
                                                              std::string_view handle,
                                                              std::chrono::seconds timeout) const {
  const auto sequence = deletable(queue, handle);
  if (!sequence.has_value() && sequence.error().is(errors::kReceiptHandleIsInvalid)) {
    return std::unexpected(sequence.error());
  }
  if (!sequence.has_value() || !sequence->has_value()) return not_changeable(handle);
  const base::Timestamp now = clock_.now();
  Visibility change{**sequence, *queue.order->find(**sequence)};
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
  Changes all(clock_.now());
  for (const Visibility& change : changes) all.update(queue, change.sequence, change.record);
  TRY_VOID(all.write(store_));
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
      add_to(result.failed, failed_entry(std::move(entry.id), timeout.error()));
      continue;
    }
    auto change = changed_visibility(*queue, entry.receipt_handle, *timeout);
    if (!change.has_value()) {
      add_to(result.failed, failed_entry(std::move(entry.id), change.error()));
      continue;
    }
    changes.push_back(*std::move(change));
    add_to(result.successful, {std::move(entry.id)});
  }
  CO_TRY_VOID(write_visibility(queue, std::move(changes)));
  CO_TRY_VOID(co_await store_.sync());
  co_return result;
}

}  // namespace terrarium::sqs
