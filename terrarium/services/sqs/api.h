// What the rest of the region asks of SQS: S3 sends its notifications here, Lambda's event source
// mappings receive and delete. Queues are named by ARN ("arn:aws:sqs:us-east-1:000000000000:name").
//
// Any executor may call: each call hops to the service's own and comes back. Errors are SQS's rows;
// a queue that is not there is QueueDoesNotExist (ErrorKind::InvalidInput, row set).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"

namespace terrarium::sqs {

// A service of the region that sends on behalf of a resource: what a queue policy's Principal
// {"Service": ...} and its aws:SourceArn and aws:SourceAccount conditions are checked against.
struct SendingService {
  std::string principal;       // "s3.amazonaws.com"
  std::string source_arn;      // "arn:aws:s3:::bucket"
  std::string source_account;  // "000000000000"
};

struct ReceivedAttribute {
  std::string data_type;     // "String", "Number.int", "Binary", ...
  std::string string_value;  // of String and Number
  std::string binary_value;  // bytes, of Binary
};

// What Lambda sends to its functions' destinations and dead-letter queues.
struct OutgoingMessage {
  std::string body;
  std::map<std::string, ReceivedAttribute> message_attributes;
  std::string group_id;          // a FIFO queue must have one
  std::string deduplication_id;  // and this, unless it deduplicates by content
};

struct ReceivedMessage {
  std::string message_id;
  std::string receipt_handle;
  std::string body;
  std::string md5_of_body;
  std::string md5_of_message_attributes;  // empty without message attributes
  // ApproximateReceiveCount, SentTimestamp, SenderId, ApproximateFirstReceiveTimestamp, and where
  // they apply AWSTraceHeader, DeadLetterQueueSourceArn, MessageGroupId, MessageDeduplicationId and
  // SequenceNumber.
  std::map<std::string, std::string> attributes;
  std::map<std::string, ReceivedAttribute> message_attributes;
};

struct RedriveTarget {
  std::string dead_letter_arn;
  std::int32_t max_receive_count = 0;
};

struct QueueSettings {
  std::string arn;
  std::chrono::seconds visibility_timeout{};
  std::chrono::seconds receive_wait_time{};
  std::optional<RedriveTarget> redrive;
};

class Api {
 public:
  virtual ~Api() = default;

  // AccessDenied when the queue's policy does not allow it. Durable when it returns.
  virtual runtime::Task<base::Result<void>> send(SendingService from, std::string queue_arn,
                                                 std::string body) = 0;
  // The same with attributes. No policy is asked: the caller has checked its function's role.
  virtual runtime::Task<base::Result<void>> send(std::string sender_id, std::string queue_arn,
                                                 OutgoingMessage message) {
    (void)sender_id, (void)queue_arn, (void)message;
    co_return base::fail(base::ErrorKind::NotImplemented, "Sending with attributes");
  }
  // Whether send() would be allowed now: what S3 asks when a notification is configured.
  virtual runtime::Task<base::Result<void>> check_can_send(SendingService from,
                                                           std::string queue_arn) = 0;

  // Up to `messages_max` (1 to 10) messages; waits for the first until `wait_until`. Nothing came:
  // an empty list. `visibility` overrides the queue's timeout. No policy is asked: the caller has
  // checked its function's role.
  virtual runtime::Task<base::Result<std::vector<ReceivedMessage>>> receive(
      std::string queue_arn, std::size_t messages_max, base::Timestamp wait_until,
      std::optional<std::chrono::seconds> visibility) = 0;
  // How many messages receive() would find now, counted up to `messages`; waits until there are as
  // many, or `wait_until`. Receives none.
  virtual runtime::Task<base::Result<std::size_t>> wait_visible(std::string queue_arn,
                                                                std::size_t messages,
                                                                base::Timestamp wait_until) {
    (void)queue_arn, (void)messages, (void)wait_until;
    co_return base::fail(base::ErrorKind::NotImplemented, "Looking into a queue");
  }
  // Any number of receipt handles. Durable when it returns; a message already gone is no error.
  virtual runtime::Task<base::Result<void>> delete_messages(std::string queue_arn,
                                                            std::vector<std::string> handles) = 0;
  // From now; zero makes the message visible at once. A message already gone or no longer in
  // flight is skipped without an error: the caller wants it back, and it is back.
  virtual runtime::Task<base::Result<void>> change_visibility(std::string queue_arn,
                                                              std::vector<std::string> handles,
                                                              std::chrono::seconds timeout) = 0;

  virtual runtime::Task<base::Result<QueueSettings>> attributes(std::string queue_arn) = 0;
  virtual runtime::Task<bool> queue_exists(std::string queue_arn) = 0;
};

}  // namespace terrarium::sqs
