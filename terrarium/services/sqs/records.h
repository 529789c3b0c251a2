// What SQS keeps, its limits, and its values byte by byte (README.md shows them). Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace terrarium::sqs {

inline constexpr std::size_t kMessageBytesMax = 1'048'576;
inline constexpr std::size_t kBatchEntriesMax = 10;
inline constexpr std::size_t kMessageAttributesMax = 10;
inline constexpr std::size_t kInFlightMax = 120'000;
inline constexpr std::size_t kFifoInFlightMax = 20'000;
inline constexpr std::size_t kQueueNameMax = 80;
inline constexpr std::size_t kTagsMax = 50;
inline constexpr std::size_t kPolicyBytesMax = 8'192;
inline constexpr std::int32_t kListMax = 1'000;
inline constexpr std::size_t kMoveTasksKept = 10;
inline constexpr std::int32_t kMoveRateMax = 500;
inline constexpr std::chrono::seconds kDelayMax{900};
inline constexpr std::chrono::seconds kVisibilityMax{43'200};
inline constexpr std::chrono::seconds kWaitMax{20};
// One purge in this time; and as long a deleted queue's name cannot be used again.
inline constexpr std::chrono::seconds kPurgeInterval{60};
inline constexpr std::chrono::seconds kDeletedNameHold{60};
inline constexpr std::chrono::seconds kDeduplicationInterval{300};

struct QueueRecord {
  std::uint64_t number = 0;  // never given twice: a queue made again under a name is another queue
  std::string region;
  std::string name;
  base::Timestamp created;
  base::Timestamp modified;
  std::optional<base::Timestamp> purged;
  std::map<std::string, std::string> attributes;  // those that were set, as they were given
  std::map<std::string, std::string> tags;

  bool fifo() const { return name.ends_with(".fifo"); }
};

// What a queue holds, counted with every change.
struct Tally {
  std::uint64_t messages = 0;
  std::uint64_t last_sequence = 0;  // the newest ever given: none is used twice
  std::uint64_t waiting_from = 0;   // no message that waits for its first receive lies before

  friend bool operator==(const Tally&, const Tally&) = default;
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
  base::Timestamp sent;
  bool delayed = false;  // when it was sent: the index alone knows until when
  std::string sender_id;
  std::string trace_header;            // AWSTraceHeader; empty: none
  std::string source_arn;              // of the queue whose redrive policy moved it here, or empty
  std::string group_id;                // MessageGroupId, or empty
  std::string deduplication_id;        // of FIFO queues
  std::uint32_t carried_receives = 0;  // receives before it was moved here
  std::map<std::string, StoredAttribute> attributes;
  std::string body;
};

// The part that changes with every receive. A standard queue keeps it on disk for messages that
// were received or delayed, a FIFO queue for every message, with its group behind.
struct IndexRecord {
  base::Timestamp sent;
  base::Timestamp visible_at;
  base::Timestamp first_received;
  base::Timestamp last_received;
  std::uint32_t receives = 0;  // from this queue
  std::uint32_t tag = 0;       // of the message's id: a receipt handle must match it
  bool moved = false;          // came here by a redrive policy and keeps the time it was sent

  friend bool operator==(const IndexRecord&, const IndexRecord&) = default;
};

// The message that a duplicate is answered with.
struct DeduplicationRecord {
  base::Timestamp sent;
  std::uint64_t sequence = 0;
  std::string message_id;
};

// The first 32 bits of a message id.
std::uint32_t tag_of(std::string_view message_id);

std::string encode_number(std::uint64_t number);
base::Result<std::uint64_t> decode_number(std::string_view value);
std::string encode(const QueueRecord& record);
base::Result<QueueRecord> decode_queue(std::string_view value);
std::string encode(const Tally& tally);
base::Result<Tally> decode_tally(std::string_view value);
std::string encode(const IndexRecord& record, std::string_view group);
struct DecodedIndex {
  IndexRecord record;
  std::string_view group;  // of `value`
};
base::Result<DecodedIndex> decode_index(std::string_view value);
std::string encode(const MessageRecord& record);
base::Result<MessageRecord> decode_message(std::string_view value);
// Of a message that was never received: without reading the rest of it.
struct MessageHead {
  IndexRecord record;
  bool delayed = false;
};
base::Result<MessageHead> decode_head(std::string_view value);
std::string encode(const DeduplicationRecord& record);
base::Result<DeduplicationRecord> decode_deduplication(std::string_view value);

}  // namespace terrarium::sqs
