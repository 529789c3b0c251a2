// The keys of table Sqs, byte by byte (README.md shows them). Numbers are big-endian, so that keys
// are in the order of what they count. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace terrarium::sqs {

std::string counter_key();
std::string queue_key(std::string_view region, std::string_view name);
std::string queue_prefix();
std::string deleted_name_key(std::string_view region, std::string_view name);
std::string deleted_name_prefix();

// What a queue holds begins with its kind and its number.
enum class Kind : char {
  Tally = 't',
  Message = 'm',
  Index = 'i',
  Moved = 'x',
  Deduplication = 'd',
  MoveTask = 'v',
};
inline constexpr Kind kQueueKinds[] = {Kind::Tally, Kind::Message,       Kind::Index,
                                       Kind::Moved, Kind::Deduplication, Kind::MoveTask};
std::string prefix(Kind kind, std::uint64_t queue);

std::string tally_key(std::uint64_t queue);
std::string message_key(std::uint64_t queue, std::uint64_t sequence);
std::string index_key(std::uint64_t queue, std::uint64_t sequence);
// Messages that a redrive policy moved here, by the time they were sent: they alone expire in
// another order than they lie in.
std::string moved_key(std::uint64_t queue, base::Timestamp sent, std::uint64_t sequence);
// `bucket` counts the deduplication intervals since 1970: what is too old goes a bucket at a time.
std::uint64_t deduplication_bucket_of(base::Timestamp time);
std::string deduplication_key(std::uint64_t queue, std::uint64_t bucket, std::string_view digest);
std::string deduplication_bucket(std::uint64_t queue, std::uint64_t bucket);
std::string move_task_key(std::uint64_t queue, base::Timestamp started);

// Of a message or index key.
base::Result<std::uint64_t> sequence_of(std::string_view key);
// Of a moved key.
base::Result<std::pair<base::Timestamp, std::uint64_t>> moved_of(std::string_view key);

}  // namespace terrarium::sqs
