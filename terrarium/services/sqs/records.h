// What SQS keeps, its limits, and its keys and values byte by byte (README.md shows them). Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace terrarium::sqs {

inline constexpr std::size_t kMessageBytesMax = 1'048'576;
inline constexpr std::size_t kBatchEntriesMax = 10;
inline constexpr std::size_t kMessageAttributesMax = 10;
inline constexpr std::size_t kInFlightMax = 120'000;
inline constexpr std::size_t kQueueNameMax = 80;
inline constexpr std::size_t kTagsMax = 50;
inline constexpr std::size_t kPolicyBytesMax = 8'192;
inline constexpr std::int32_t kListMax = 1'000;
inline constexpr std::chrono::seconds kDelayMax{900};
inline constexpr std::chrono::seconds kVisibilityMax{43'200};
inline constexpr std::chrono::seconds kWaitMax{20};
// One purge in this time; and as long a deleted queue's name cannot be used again.
inline constexpr std::chrono::seconds kPurgeInterval{60};
inline constexpr std::chrono::seconds kDeletedNameHold{60};

struct QueueRecord {
  std::uint64_t number = 0;  // never given twice: a queue made again under a name is another queue
  std::string region;
  std::string name;
  base::Timestamp created;
  base::Timestamp modified;
  std::map<std::string, std::string> attributes;  // those that were set, as they were given
  std::map<std::string, std::string> tags;
};

struct StoredAttribute {
  std::string type;   // "String", "Number", "Binary", with ".custom" behind
  std::string value;  // bytes
  bool binary() const { return type.starts_with("Binary"); }
};

// The part of a message that never changes.
struct MessageRecord {
  std::string id;           // UUID
  std::string md5_of_body;  // 32 hex digits
  std::string sender_id;
  std::string trace_header;            // AWSTraceHeader; empty: none
  std::string source_arn;              // of the queue whose redrive policy moved it here, or empty
  std::uint32_t carried_receives = 0;  // receives before it was moved here
  std::map<std::string, StoredAttribute> attributes;
  std::string body;
};

// The part that changes with every receive, and all that a queue needs to know while nobody asks
// for the message itself.
struct IndexRecord {
  base::Timestamp sent;
  base::Timestamp visible_at;
  base::Timestamp first_received;
  base::Timestamp last_received;
  std::uint32_t receives = 0;  // from this queue
  std::uint32_t tag = 0;       // of the message's id: a receipt handle must match it
  bool moved = false;          // came here by a redrive policy

  friend bool operator==(const IndexRecord&, const IndexRecord&) = default;
};

// The first 32 bits of a message id.
std::uint32_t tag_of(std::string_view message_id);

std::string counter_key();
std::string queue_key(std::string_view region, std::string_view name);
std::string queue_prefix();
std::string index_key(std::uint64_t queue, std::uint64_t sequence);
std::string index_prefix(std::uint64_t queue);
std::string message_key(std::uint64_t queue, std::uint64_t sequence);
std::string message_prefix(std::uint64_t queue);
// Of an index key.
base::Result<std::uint64_t> sequence_of(std::string_view key);

std::string encode_counter(std::uint64_t next);
base::Result<std::uint64_t> decode_counter(std::string_view value);
std::string encode(const QueueRecord& record);
base::Result<QueueRecord> decode_queue(std::string_view value);
std::string encode(const IndexRecord& record);
base::Result<IndexRecord> decode_index(std::string_view value);
std::string encode(const MessageRecord& record);
base::Result<MessageRecord> decode_message(std::string_view value);

}  // namespace terrarium::sqs
