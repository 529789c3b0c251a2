#include "terrarium/services/sqs/records.h"

#include <boost/json.hpp>

#include "lib/base/encoding.h"
#include "terrarium/services/sqs/bytes.h"

namespace terrarium::sqs {
namespace {

namespace json = boost::json;

constexpr char kMessageVersion = 2;
constexpr std::size_t kIndexBytes = 41;
constexpr std::uint64_t kDelayed = 1;
constexpr std::uint64_t kMoved = 2;

std::unexpected<base::Error> damaged(std::string what) {
  return base::fail(base::ErrorKind::Internal, "a stored " + std::move(what) + " is damaged");
}

// "0aa1..." of a UUID without its dashes, as bytes; empty when it is none.
std::string uuid_bytes(std::string_view id) {
  std::string digits;
  for (const char c : id) {
    if (c != '-') digits += c;
  }
  auto bytes = base::hex_decode(digits);
  return bytes.has_value() && bytes->size() == 16 ? *std::move(bytes) : std::string();
}

std::string uuid_text(std::string_view bytes) {
  std::string text = base::hex_encode(bytes);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, 1, '-');
  return text;
}

json::object object_of(const std::map<std::string, std::string>& map) {
  json::object out;
  for (const auto& [name, value] : map) out.emplace(name, value);
  return out;
}

bool read_map(const json::value* value, std::map<std::string, std::string>& out) {
  if (value == nullptr || !value->is_object()) return false;
  for (const auto& [name, text] : value->as_object()) {
    if (!text.is_string()) return false;
    out.emplace(name, text.as_string());
  }
  return true;
}

}  // namespace

std::uint32_t tag_of(std::string_view message_id) {
  const std::string bytes = uuid_bytes(message_id);
  return static_cast<std::uint32_t>(Reader{bytes}.number(4));
}

std::string encode_number(std::uint64_t number) {
  std::string out;
  put_number(out, number, 8);
  return out;
}

base::Result<std::uint64_t> decode_number(std::string_view value) {
  if (value.size() != 8) return damaged("number");
  return Reader{value}.number(8);
}

std::string encode(const QueueRecord& record) {
  json::object object{
      {"number", record.number},
      {"region", record.region},
      {"name", record.name},
      {"created_us", record.created.time_since_epoch().count()},
      {"modified_us", record.modified.time_since_epoch().count()},
      {"attributes", object_of(record.attributes)},
      {"tags", object_of(record.tags)},
  };
  if (record.purged.has_value()) {
    object.emplace("purged_us", record.purged->time_since_epoch().count());
  }
  return json::serialize(object);
}

base::Result<QueueRecord> decode_queue(std::string_view value) {
  boost::system::error_code failure;
  const json::value parsed = json::parse(value, failure);
  if (failure || !parsed.is_object()) return damaged("queue");
  const json::object& object = parsed.as_object();
  QueueRecord record;
  bool good = true;
  const auto number = [&](const char* name) -> std::int64_t {
    const json::value* member = object.if_contains(name);
    boost::system::error_code wrong;
    const auto read = member == nullptr ? 0 : member->to_number<std::int64_t>(wrong);
    good = good && member != nullptr && !wrong;
    return read;
  };
  const auto text = [&](const char* name) -> std::string {
    const json::value* member = object.if_contains(name);
    good = good && member != nullptr && member->is_string();
    return good ? std::string(member->as_string()) : std::string();
  };
  record.number = static_cast<std::uint64_t>(number("number"));
  record.region = text("region");
  record.name = text("name");
  record.created = base::Timestamp(base::Duration(number("created_us")));
  record.modified = base::Timestamp(base::Duration(number("modified_us")));
  if (object.contains("purged_us")) {
    record.purged = base::Timestamp(base::Duration(number("purged_us")));
  }
  good = good && read_map(object.if_contains("attributes"), record.attributes) &&
         read_map(object.if_contains("tags"), record.tags);
  if (!good) return damaged("queue");
  return record;
}

std::string encode(const Tally& tally) {
  std::string out;
  out.reserve(24);
  put_number(out, tally.messages, 8);
  put_number(out, tally.last_sequence, 8);
  put_number(out, tally.waiting_from, 8);
  return out;
}

base::Result<Tally> decode_tally(std::string_view value) {
  if (value.size() != 24) return damaged("tally of a queue");
  Reader reader{value};
  Tally tally;
  tally.messages = reader.number(8);
  tally.last_sequence = reader.number(8);
  tally.waiting_from = reader.number(8);
  return tally;
}

std::string encode(const IndexRecord& record, std::string_view group) {
  std::string out;
  out.reserve(kIndexBytes + group.size());
  put_time(out, record.sent);
  put_time(out, record.visible_at);
  put_time(out, record.first_received);
  put_time(out, record.last_received);
  put_number(out, record.receives, 4);
  put_number(out, record.tag, 4);
  put_number(out, record.moved ? 1 : 0, 1);
  out += group;
  return out;
}

base::Result<DecodedIndex> decode_index(std::string_view value) {
  if (value.size() < kIndexBytes) return damaged("message index");
  Reader reader{value};
  IndexRecord record;
  record.sent = reader.moment();
  record.visible_at = reader.moment();
  record.first_received = reader.moment();
  record.last_received = reader.moment();
  record.receives = static_cast<std::uint32_t>(reader.number(4));
  record.tag = static_cast<std::uint32_t>(reader.number(4));
  record.moved = reader.number(1) != 0;
  return DecodedIndex{record, reader.rest};
}

std::string encode(const MessageRecord& record) {
  std::string out(1, kMessageVersion);
  out.reserve(256 + record.body.size());
  out += uuid_bytes(record.id);
  put_time(out, record.sent);
  put_number(out, (record.delayed ? kDelayed : 0) | (record.source_arn.empty() ? 0 : kMoved), 1);
  out += base::hex_decode(record.md5_of_body).value_or(std::string(16, '\0'));
  put_number(out, record.carried_receives, 4);
  put_text(out, record.sender_id, 2);
  put_text(out, record.trace_header, 2);
  put_text(out, record.source_arn, 2);
  put_text(out, record.group_id, 1);
  put_text(out, record.deduplication_id, 1);
  put_number(out, record.attributes.size(), 1);
  for (const auto& [name, attribute] : record.attributes) {
    put_text(out, name, 2);
    put_text(out, attribute.type, 2);
    put_text(out, attribute.value, 4);
  }
  out += record.body;
  return out;
}

base::Result<MessageRecord> decode_message(std::string_view value) {
  Reader reader{value};
  if (reader.number(1) != static_cast<std::uint64_t>(kMessageVersion)) return damaged("message");
  if (value.size() < 46) return damaged("message");
  MessageRecord record;
  record.id = uuid_text(reader.take(16));
  record.sent = reader.moment();
  record.delayed = (reader.number(1) & kDelayed) != 0;
  record.md5_of_body = base::hex_encode(reader.take(16));
  record.carried_receives = static_cast<std::uint32_t>(reader.number(4));
  record.sender_id = reader.text(2);
  record.trace_header = reader.text(2);
  record.source_arn = reader.text(2);
  record.group_id = reader.text(1);
  record.deduplication_id = reader.text(1);
  for (auto left = reader.number(1); left > 0 && reader.good; --left) {
    const std::string name = reader.text(2);
    StoredAttribute& attribute = record.attributes[name];
    attribute.type = reader.text(2);
    attribute.value = reader.text(4);
  }
  if (!reader.good) return damaged("message");
  record.body = reader.rest;
  return record;
}

base::Result<MessageHead> decode_head(std::string_view value) {
  Reader reader{value};
  if (reader.number(1) != static_cast<std::uint64_t>(kMessageVersion)) return damaged("message");
  MessageHead head;
  head.record.tag = static_cast<std::uint32_t>(reader.number(4));
  reader.take(12);
  head.record.sent = reader.moment();
  head.record.visible_at = head.record.sent;
  const std::uint64_t flags = reader.number(1);
  head.delayed = (flags & kDelayed) != 0;
  head.record.moved = (flags & kMoved) != 0;
  if (!reader.good) return damaged("message");
  return head;
}

std::string encode(const DeduplicationRecord& record) {
  std::string out;
  out.reserve(32);
  put_time(out, record.sent);
  put_number(out, record.sequence, 8);
  return out += uuid_bytes(record.message_id);
}

base::Result<DeduplicationRecord> decode_deduplication(std::string_view value) {
  if (value.size() != 32) return damaged("deduplication record");
  Reader reader{value};
  DeduplicationRecord record;
  record.sent = reader.moment();
  record.sequence = reader.number(8);
  record.message_id = uuid_text(reader.rest);
  return record;
}

}  // namespace terrarium::sqs
