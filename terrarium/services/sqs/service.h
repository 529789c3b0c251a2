// The service. Everything runs on one executor, which the constructor names; there are no locks.
// Rules are in attributes.h and message_rules.h, each queue's order in message_order.h; here they
// meet the store.
//
// A change is decided and written without an await between, then synced, then answered. Receiving
// is the exception: the receive is written - it survives the daemon - but not waited for; see
// README.md.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generated/sqs/model.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/runtime/task.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/sqs/api.h"
#include "terrarium/services/sqs/attributes.h"
#include "terrarium/services/sqs/message_rules.h"
#include "terrarium/services/sqs/queue.h"
#include "terrarium/services/sqs/records.h"
#include "terrarium/store/store.h"
#include "terrarium/wire/service.h"

namespace terrarium::sqs {

struct Config {
  std::string account = "000000000000";
  std::chrono::seconds deleted_name_hold = kDeletedNameHold;
  // Expired messages leave the disk at least this often.
  std::chrono::seconds sweep_interval{60};
};

// A message that has just been received.
struct Taken {
  std::uint64_t sequence = 0;
  IndexRecord index;
  MessageRecord message;
  std::string receipt_handle;
};

class Service final : public Api {
 public:
  Service(store::Store& store, base::Clock& clock, base::Random& random, runtime::Executor executor,
          Config config);
  ~Service() override;

  // Reads the queues from the store. On the service's executor, or before it runs.
  base::Result<void> start();
  // Ends long polls (they answer with nothing) and the sweep. On the service's executor; the
  // service is destroyed when the last call has been answered.
  runtime::Task<void> stop();
  runtime::Executor executor() const { return executor_; }
  // Every queue with its counts and the age of its oldest message, for `terrarium status`. On the
  // service's executor.
  boost::json::array status() const;

  // Queues.
  runtime::Task<base::Result<CreateQueueResult>> create_queue(const wire::Context& context,
                                                              CreateQueueRequest request);
  runtime::Task<base::Result<wire::Empty>> delete_queue(const wire::Context& context,
                                                        DeleteQueueRequest request);
  runtime::Task<base::Result<GetQueueUrlResult>> get_queue_url(const wire::Context& context,
                                                               GetQueueUrlRequest request);
  runtime::Task<base::Result<ListQueuesResult>> list_queues(const wire::Context& context,
                                                            ListQueuesRequest request);
  runtime::Task<base::Result<GetQueueAttributesResult>> get_queue_attributes(
      const wire::Context& context, GetQueueAttributesRequest request);
  runtime::Task<base::Result<wire::Empty>> set_queue_attributes(const wire::Context& context,
                                                                SetQueueAttributesRequest request);
  runtime::Task<base::Result<ListDeadLetterSourceQueuesResult>> list_dead_letter_source_queues(
      const wire::Context& context, ListDeadLetterSourceQueuesRequest request);
  runtime::Task<base::Result<wire::Empty>> purge_queue(const wire::Context& context,
                                                       PurgeQueueRequest request);
  runtime::Task<base::Result<wire::Empty>> tag_queue(const wire::Context& context,
                                                     TagQueueRequest request);
  runtime::Task<base::Result<wire::Empty>> untag_queue(const wire::Context& context,
                                                       UntagQueueRequest request);
  runtime::Task<base::Result<ListQueueTagsResult>> list_queue_tags(const wire::Context& context,
                                                                   ListQueueTagsRequest request);
  runtime::Task<base::Result<wire::Empty>> add_permission(const wire::Context& context,
                                                          AddPermissionRequest request);
  runtime::Task<base::Result<wire::Empty>> remove_permission(const wire::Context& context,
                                                             RemovePermissionRequest request);

  // Messages moved back from dead-letter queues.
  runtime::Task<base::Result<StartMessageMoveTaskResult>> start_message_move_task(
      const wire::Context& context, StartMessageMoveTaskRequest request);
  runtime::Task<base::Result<CancelMessageMoveTaskResult>> cancel_message_move_task(
      const wire::Context& context, CancelMessageMoveTaskRequest request);
  runtime::Task<base::Result<ListMessageMoveTasksResult>> list_message_move_tasks(
      const wire::Context& context, ListMessageMoveTasksRequest request);

  // Messages.
  runtime::Task<base::Result<SendMessageResult>> send_message(const wire::Context& context,
                                                              SendMessageRequest request);
  runtime::Task<base::Result<SendMessageBatchResult>> send_message_batch(
      const wire::Context& context, SendMessageBatchRequest request);
  runtime::Task<base::Result<ReceiveMessageResult>> receive_message(const wire::Context& context,
                                                                    ReceiveMessageRequest request);
  runtime::Task<base::Result<wire::Empty>> delete_message(const wire::Context& context,
                                                          DeleteMessageRequest request);
  runtime::Task<base::Result<DeleteMessageBatchResult>> delete_message_batch(
      const wire::Context& context, DeleteMessageBatchRequest request);
  runtime::Task<base::Result<wire::Empty>> change_message_visibility(
      const wire::Context& context, ChangeMessageVisibilityRequest request);
  runtime::Task<base::Result<ChangeMessageVisibilityBatchResult>> change_message_visibility_batch(
      const wire::Context& context, ChangeMessageVisibilityBatchRequest request);

  // Api.
  runtime::Task<base::Result<void>> send(SendingService from, std::string queue_arn,
                                         std::string body) override;
  runtime::Task<base::Result<void>> send(std::string sender_id, std::string queue_arn,
                                         OutgoingMessage message) override;
  runtime::Task<base::Result<void>> check_can_send(SendingService from,
                                                   std::string queue_arn) override;
  runtime::Task<base::Result<std::vector<ReceivedMessage>>> receive(
      std::string queue_arn, std::size_t messages_max, base::Timestamp wait_until,
      std::optional<std::chrono::seconds> visibility) override;
  runtime::Task<base::Result<std::size_t>> wait_visible(std::string queue_arn, std::size_t messages,
                                                        base::Timestamp wait_until) override;
  runtime::Task<base::Result<void>> delete_messages(std::string queue_arn,
                                                    std::vector<std::string> handles) override;
  runtime::Task<base::Result<void>> change_visibility(std::string queue_arn,
                                                      std::vector<std::string> handles,
                                                      std::chrono::seconds timeout) override;
  runtime::Task<base::Result<QueueSettings>> attributes(std::string queue_arn) override;
  runtime::Task<bool> queue_exists(std::string queue_arn) override;

 private:
  struct Visibility;

  // service.cpp: finding queues, permissions, what start() reads, time passing.
  base::Result<void> load_queue(QueueRecord record);
  base::Result<void> load_deleted_names();
  QueuePtr find(std::string_view region, std::string_view name) const;
  QueuePtr find_by_arn(std::string_view arn) const;
  // The queue of a QueueUrl when the caller may do `action` ("SendMessage") to it.
  base::Result<QueuePtr> open(const wire::Context& context, std::string_view queue_url,
                              std::string_view action) const;
  base::Result<QueuePtr> open_by_arn(std::string_view arn) const;
  base::Result<void> authorize(const wire::Context& context, const Queue& queue,
                               std::string_view action) const;
  base::Result<void> authorize_service(const SendingService& from, const Queue& queue) const;

  // service_time.cpp.
  // Lets time pass for a queue: what is due turns visible, some of what has expired goes, and what
  // comes next is in memory.
  base::Result<void> pass_time(const QueuePtr& queue, base::Timestamp now);
  base::Result<void> load_more(Queue& queue, base::Timestamp now);
  std::size_t erase_expired(const QueuePtr& queue, base::Timestamp now);
  base::Result<void> forget_duplicates(Queue& queue, base::Timestamp now);
  void forget_deleted_names(base::Timestamp now);
  // Watches the next hidden message when anybody waits.
  void arm(const QueuePtr& queue, std::size_t waiting);
  void disarm(Queue& queue);
  void wake(const QueuePtr& queue);
  runtime::Task<void> sweep();

  // service_queues.cpp.
  base::Result<void> check_redrive(const AttributeMap& change, const QueueRecord& source) const;
  // Writes a changed record and takes it over; the caller syncs.
  base::Result<void> replace_record(Queue& queue, QueueRecord record);
  base::Result<void> make_queue(QueueRecord record);
  std::vector<const Queue*> queues_of(std::string_view region) const;

  // service_send.cpp.
  base::Result<std::optional<DeduplicationRecord>> find_duplicate(const Queue& queue,
                                                                  std::string_view digest) const;
  // Gives each message its id and sequence number, or those of the one that it is a duplicate of.
  base::Result<CheckedMessage> write_message(const QueuePtr& queue, CheckedMessage message,
                                             std::string_view sender_id);
  base::Result<void> write_messages(const QueuePtr& queue, std::vector<CheckedMessage>& messages,
                                    std::string_view sender_id);

  // service_messages.cpp.
  // The message behind a receipt handle that still names one; nothing: AWS says that deleting
  // succeeds and does nothing.
  base::Result<std::optional<std::uint64_t>> deletable(const Queue& queue,
                                                       std::string_view handle) const;
  base::Result<void> erase_messages(const QueuePtr& queue,
                                    const std::vector<std::uint64_t>& sequences);
  base::Result<Visibility> changed_visibility(const Queue& queue, std::string_view handle,
                                              std::chrono::seconds timeout) const;
  base::Result<void> write_visibility(const QueuePtr& queue, std::vector<Visibility> changes);

  // service_receive.cpp.
  struct Wish;
  struct Round;
  // What is kept of a message, from the store unless it is in memory; nothing: it is not there.
  base::Result<std::optional<MessageRecord>> read_message(const Queue& queue,
                                                          std::uint64_t sequence,
                                                          std::string_view stored) const;
  base::Result<Round> take_round(const QueuePtr& queue, std::size_t max,
                                 std::chrono::seconds visibility);
  base::Result<std::vector<Taken>> take(const QueuePtr& queue, const Wish& wish);
  base::Result<std::vector<Taken>> take_again(const QueuePtr& queue, const Wish& wish);
  void remember_attempt(Queue& queue, const Wish& wish, const std::vector<Taken>& taken);
  runtime::Task<void> wait_for_arrival(Queue& queue, const Wish& wish);
  runtime::Task<base::Result<std::vector<Taken>>> take_or_wait(QueuePtr queue, Wish wish);

  // service_moves.cpp.
  base::Result<void> check_move(const StartMessageMoveTaskRequest& request,
                                const QueuePtr& source) const;
  // Moves some messages; what it did is in the task, on disk and in memory.
  base::Result<QueuePtr> open_source(const wire::Context& context, std::string_view arn,
                                     std::string_view action) const;
  base::Result<void> move_some(const QueuePtr& source);
  runtime::Task<void> move_rest(QueuePtr source, std::string task_id);

  // service_api.cpp: the calls of Api, already on the service's executor.
  runtime::Task<base::Result<void>> send_here(SendingService from, std::string queue_arn,
                                              std::string body);
  runtime::Task<base::Result<void>> send_with_attributes_here(std::string sender_id,
                                                              std::string queue_arn,
                                                              OutgoingMessage message);
  runtime::Task<base::Result<std::size_t>> wait_visible_here(std::string queue_arn,
                                                             std::size_t messages,
                                                             base::Timestamp wait_until);
  runtime::Task<base::Result<void>> check_here(SendingService from, std::string queue_arn);
  runtime::Task<base::Result<std::vector<ReceivedMessage>>> receive_here(
      std::string queue_arn, std::size_t messages_max, base::Timestamp wait_until,
      std::optional<std::chrono::seconds> visibility);
  runtime::Task<base::Result<void>> delete_here(std::string queue_arn,
                                                std::vector<std::string> handles);
  runtime::Task<base::Result<void>> change_here(std::string queue_arn,
                                                std::vector<std::string> handles,
                                                std::chrono::seconds timeout);
  runtime::Task<base::Result<QueueSettings>> attributes_here(std::string queue_arn);

  store::Store& store_;
  base::Clock& clock_;
  base::Random& random_;
  runtime::Executor executor_;
  Config config_;
  runtime::TaskGroup tasks_;
  StoredBudget stored_budget_;                                         // outlives the queues
  std::map<std::string, QueuePtr, std::less<>> queues_;                // "us-east-1/name"
  std::map<std::string, base::Timestamp, std::less<>> deleted_names_;  // by their keys
  std::uint64_t next_number_ = 1;
  bool stopping_ = false;
};

}  // namespace terrarium::sqs
