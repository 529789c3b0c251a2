// The rules of messages: what a body and its attributes may be, how they are counted and digested,
// which of them a receiver sees. Pure.
// Source: Amazon SQS API Reference (SendMessage, ReceiveMessage) and Developer Guide, "Calculating
// the MD5 message digest for message attributes".
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "generated/sqs/model.h"
#include "lib/base/result.h"
#include "terrarium/services/sqs/attributes.h"
#include "terrarium/services/sqs/records.h"

namespace terrarium::sqs {

// SendMessage's parameters and those of an entry of SendMessageBatch.
struct MessageInput {
  std::string body;
  std::optional<std::int32_t> delay_seconds;
  std::optional<std::map<std::string, MessageAttributeValue>> attributes;
  std::optional<std::map<std::string, MessageSystemAttributeValue>> system_attributes;
  std::optional<std::string> deduplication_id;
  std::optional<std::string> group_id;
};

struct CheckedMessage {
  MessageRecord record;  // without id and sender
  std::chrono::seconds delay{};
  std::size_t bytes = 0;          // as AWS counts them: body, attribute names, types and values
  std::string md5_of_attributes;  // empty: there are none
  std::string md5_of_system_attributes;  //
  // When it has been accepted: of itself, or of the message that it is a duplicate of.
  std::string accepted_id;
  std::uint64_t sequence = 0;
};

base::Result<CheckedMessage> check_message(MessageInput input, const Settings& settings);

// What a send to a FIFO queue must have: for a batch it is asked before anything else.
base::Result<void> check_fifo_input(const std::optional<std::string>& group_id,
                                    const std::optional<std::string>& deduplication_id,
                                    const Settings& settings);
// What two messages have in common of which the second is a duplicate: 16 bytes.
std::string deduplication_digest(const MessageRecord& message, bool by_group);
std::string sequence_number_text(std::uint64_t sequence);

// UTF-8 of the characters that SQS takes.
base::Result<void> check_body(std::string_view body);

// Hex.
std::string md5_of_attributes(const std::map<std::string, StoredAttribute>& attributes);

// What a receiver asked to see of a message: AttributeNames and MessageSystemAttributeNames
// together, and MessageAttributeNames.
class Selection {
 public:
  static base::Result<Selection> parse(const std::vector<std::string>& system_names,
                                       const std::vector<std::string>& message_names);
  bool system(const std::string& name) const { return all_system_ || system_.contains(name); }
  bool message(std::string_view name) const;

 private:
  bool all_system_ = false;
  std::set<std::string> system_;
  bool all_message_ = false;
  std::set<std::string, std::less<>> message_;
  std::vector<std::string> prefixes_;
};

// TooManyEntriesInBatchRequest, EmptyBatchRequest, InvalidBatchEntryId, BatchEntryIdsNotDistinct.
// `entry_name` is the operation's own word: "SendMessageBatchRequestEntry".
base::Result<void> check_batch_ids(const std::vector<std::string_view>& ids,
                                   std::string_view entry_name);

// Within [0, 900]; within [0, 43200].
base::Result<std::chrono::seconds> check_delay(std::int32_t seconds);
base::Result<std::chrono::seconds> check_visibility(std::int32_t seconds);

}  // namespace terrarium::sqs
