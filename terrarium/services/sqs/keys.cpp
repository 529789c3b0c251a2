#include "terrarium/services/sqs/keys.h"

#include "terrarium/services/sqs/bytes.h"
#include "terrarium/services/sqs/records.h"

namespace terrarium::sqs {
namespace {

std::string key(Kind kind, std::uint64_t queue, std::uint64_t sequence) {
  std::string out = prefix(kind, queue);
  put_number(out, sequence, 8);
  return out;
}

std::string named(char kind, std::string_view region, std::string_view name) {
  std::string out(1, kind);
  out.append(region).append(1, '\0').append(name);
  return out;
}

}  // namespace

std::string counter_key() { return "c"; }
std::string queue_key(std::string_view region, std::string_view name) {
  return named('q', region, name);
}
std::string queue_prefix() { return "q"; }
std::string deleted_name_key(std::string_view region, std::string_view name) {
  return named('r', region, name);
}
std::string deleted_name_prefix() { return "r"; }

std::string prefix(Kind kind, std::uint64_t queue) {
  std::string out;
  out.reserve(17);
  out += static_cast<char>(kind);
  put_number(out, queue, 8);
  return out;
}

std::string tally_key(std::uint64_t queue) { return prefix(Kind::Tally, queue); }
std::string message_key(std::uint64_t queue, std::uint64_t sequence) {
  return key(Kind::Message, queue, sequence);
}
std::string index_key(std::uint64_t queue, std::uint64_t sequence) {
  return key(Kind::Index, queue, sequence);
}
std::string moved_key(std::uint64_t queue, base::Timestamp sent, std::uint64_t sequence) {
  std::string out = prefix(Kind::Moved, queue);
  put_time(out, sent);
  put_number(out, sequence, 8);
  return out;
}
std::uint64_t deduplication_bucket_of(base::Timestamp time) {
  return static_cast<std::uint64_t>(time.time_since_epoch() / kDeduplicationInterval);
}

std::string deduplication_bucket(std::uint64_t queue, std::uint64_t bucket) {
  return key(Kind::Deduplication, queue, bucket);
}
std::string deduplication_key(std::uint64_t queue, std::uint64_t bucket, std::string_view digest) {
  return deduplication_bucket(queue, bucket).append(digest);
}
std::string move_task_key(std::uint64_t queue, base::Timestamp started) {
  return key(Kind::MoveTask, queue, static_cast<std::uint64_t>(started.time_since_epoch().count()));
}

base::Result<std::uint64_t> sequence_of(std::string_view key) {
  if (key.size() != 17) {
    return base::fail(base::ErrorKind::Internal, "a stored message key is damaged");
  }
  return Reader{key.substr(9)}.number(8);
}

base::Result<std::pair<base::Timestamp, std::uint64_t>> moved_of(std::string_view key) {
  if (key.size() != 25) {
    return base::fail(base::ErrorKind::Internal, "a stored key of a moved message is damaged");
  }
  Reader reader{key.substr(9)};
  const base::Timestamp sent = reader.moment();
  return std::pair(sent, reader.number(8));
}

}  // namespace terrarium::sqs
