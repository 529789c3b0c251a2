// The service: standard queues. Everything runs on one executor, which the constructor names; there
// are no locks. Rules are in attributes.h and message_rules.h, each queue's order in queue_index.h;
// here they meet the store.
//
// A change is decided and written without an await between, then synced, then answered. Receiving
// is the exception: the receive is written - it survives the daemon - but not waited for; see
// README.md.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generated/sqs/model.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/runtime/event.h"
#include "lib/runtime/task.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/sqs/api.h"
#include "terrarium/services/sqs/attributes.h"
#include "terrarium/services/sqs/message_rules.h"
#include "terrarium/services/sqs/queue_index.h"
#include "terrarium/services/sqs/receipt.h"
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

// A queue in memory. Tasks that wait hold it by shared_ptr: it may be deleted meanwhile.
struct Queue {
  Queue(QueueRecord made, Settings read, std::string name_as_arn, base::Clock& clock)
      : record(std::move(made)),
        settings(std::move(read)),
        arn(std::move(name_as_arn)),
        arrived(clock) {}

  QueueRecord record;
  Settings settings;
  std::string arn;
  QueueIndex index;
  runtime::Event arrived;  // a message turned visible, or the queue is gone
  bool deleted = false;
  std::optional<base::Timestamp> purged;
  // Wakes whoever waits when the next hidden message turns visible.
  std::optional<base::TimerId> timer;
  base::Timestamp timer_at;
};
using QueuePtr = std::shared_ptr<Queue>;

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
  runtime::Task<base::Result<void>> check_can_send(SendingService from,
                                                   std::string queue_arn) override;
  runtime::Task<base::Result<std::vector<ReceivedMessage>>> receive(
      std::string queue_arn, std::size_t messages_max, base::Timestamp wait_until,
      std::optional<std::chrono::seconds> visibility) override;
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
  QueuePtr find(std::string_view region, std::string_view name) const;
  QueuePtr find_by_arn(std::string_view arn) const;
  // The queue of a QueueUrl when the caller may do `action` ("SendMessage") to it.
  base::Result<QueuePtr> open(const wire::Context& context, std::string_view queue_url,
                              std::string_view action) const;
  base::Result<QueuePtr> open_by_arn(std::string_view arn) const;
  base::Result<void> authorize(const wire::Context& context, const Queue& queue,
                               std::string_view action) const;
  base::Result<void> authorize_service(const SendingService& from, const Queue& queue) const;
  // Lets time pass for a queue: what is due turns visible, some of what has expired goes.
  void pass_time(Queue& queue, base::Timestamp now);
  std::size_t erase_expired(Queue& queue, base::Timestamp now);
  // Watches the next hidden message when anybody waits.
  void arm(const QueuePtr& queue, std::size_t waiting);
  void disarm(Queue& queue);
  void wake(const QueuePtr& queue);
  runtime::Task<void> sweep();

  // service_queues.cpp.
  base::Result<void> check_redrive(const AttributeMap& change, std::string_view own_arn,
                                   std::string_view region) const;
  // Writes a changed record and takes it over; the caller syncs.
  base::Result<void> replace_record(Queue& queue, QueueRecord record);
  std::vector<const Queue*> queues_of(std::string_view region) const;

  // service_messages.cpp.
  base::Result<void> write_messages(const QueuePtr& queue, std::vector<CheckedMessage>& messages,
                                    std::string_view sender_id);
  // The messages behind receipt handles that still name one, into a batch; nothing: AWS says that
  // deleting succeeds and does nothing.
  base::Result<std::optional<std::uint64_t>> deletable(const Queue& queue,
                                                       std::string_view handle) const;
  base::Result<void> erase_messages(Queue& queue, const std::vector<std::uint64_t>& sequences);
  base::Result<Visibility> changed_visibility(const Queue& queue, std::string_view handle,
                                              std::chrono::seconds timeout) const;
  base::Result<void> write_visibility(const QueuePtr& queue, std::vector<Visibility> changes);

  // service_receive.cpp.
  struct Round;
  base::Result<Round> take_round(const QueuePtr& queue, std::size_t max,
                                 std::chrono::seconds visibility);
  base::Result<std::vector<Taken>> take(const QueuePtr& queue, std::size_t max,
                                        std::chrono::seconds visibility);
  runtime::Task<base::Result<std::vector<Taken>>> take_or_wait(QueuePtr queue, std::size_t max,
                                                               std::chrono::seconds visibility,
                                                               base::Timestamp wait_until);

  // service_api.cpp: the calls of Api, already on the service's executor.
  runtime::Task<base::Result<void>> send_here(SendingService from, std::string queue_arn,
                                              std::string body);
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
  std::map<std::string, QueuePtr, std::less<>> queues_;  // "us-east-1/name"
  std::map<std::string, base::Timestamp, std::less<>> deleted_names_;
  std::uint64_t next_number_ = 1;
  bool stopping_ = false;
};

}  // namespace terrarium::sqs
