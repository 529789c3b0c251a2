#include "terrarium/services/sqs/records.h"

#include <boost/json.hpp>
#include <optional>

#include "lib/base/encoding.h"

namespace terrarium::sqs {
namespace {

namespace json = boost::json;

constexpr char kMessageVersion = 1;

std::unexpected<base::Error> damaged(std::string what) {
  return base::fail(base::ErrorKind::Internal, "a stored " + std::move(what) + " is damaged");
}

void put_number(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

void put_text(std::string& out, std::string_view text, int length_bytes) {
  put_number(out, text.size(), length_bytes);
  out += text;
}

void put_time(std::string& out, base::Timestamp time) {
  put_number(out, static_cast<std::uint64_t>(time.time_since_epoch().count()), 8);
}

// Takes values from the front; one that is not whole makes `good` false for ever.
struct Reader {
  std::string_view rest;
  bool good = true;

  std::string_view take(std::size_t bytes) {
    if (bytes > rest.size()) {
      good = false;
      rest = {};
      return {};
    }
    const std::string_view taken = rest.substr(0, bytes);
    rest.remove_prefix(bytes);
    return taken;
  }
  std::uint64_t number(int bytes) {
    std::uint64_t value = 0;
    for (const char c : take(static_cast<std::size_t>(bytes))) {
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }
  std::string text(int length_bytes) { return std::string(take(number(length_bytes))); }
  base::Timestamp moment() {
    return base::Timestamp(base::Duration(static_cast<std::int64_t>(number(8))));
  }
};

std::string key(char kind, std::uint64_t queue, std::optional<std::uint64_t> sequence = {}) {
  std::string out(1, kind);
  put_number(out, queue, 8);
  if (sequence.has_value()) put_number(out, *sequence, 8);
  return out;
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

std::string counter_key() { return "c"; }

std::string queue_key(std::string_view region, std::string_view name) {
  std::string out = queue_prefix();
  out.append(region).append(1, '\0').append(name);
  return out;
}

std::string queue_prefix() { return "q"; }
std::string index_key(std::uint64_t queue, std::uint64_t sequence) {
  return key('i', queue, sequence);
}
std::string index_prefix(std::uint64_t queue) { return key('i', queue); }
std::string message_key(std::uint64_t queue, std::uint64_t sequence) {
  return key('m', queue, sequence);
}
std::string message_prefix(std::uint64_t queue) { return key('m', queue); }

base::Result<std::uint64_t> sequence_of(std::string_view index_key_text) {
  if (index_key_text.size() != 17) return damaged("message key");
  return Reader{index_key_text.substr(9)}.number(8);
}

std::string encode_counter(std::uint64_t next) {
  std::string out;
  put_number(out, next, 8);
  return out;
}

base::Result<std::uint64_t> decode_counter(std::string_view value) {
  if (value.size() != 8) return damaged("queue counter");
  return Reader{value}.number(8);
}

std::string encode(const QueueRecord& record) {
  return json::serialize(json::object{
      {"number", record.number},
      {"region", record.region},
      {"name", record.name},
      {"created_us", record.created.time_since_epoch().count()},
      {"modified_us", record.modified.time_since_epoch().count()},
      {"attributes", object_of(record.attributes)},
      {"tags", object_of(record.tags)},
  });
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
  good = good && read_map(object.if_contains("attributes"), record.attributes) &&
         read_map(object.if_contains("tags"), record.tags);
  if (!good) return damaged("queue");
  return record;
}

std::string encode(const IndexRecord& record) {
  std::string out;
  out.reserve(41);
  put_time(out, record.sent);
  put_time(out, record.visible_at);
  put_time(out, record.first_received);
  put_time(out, record.last_received);
  put_number(out, record.receives, 4);
  put_number(out, record.tag, 4);
  put_number(out, record.moved ? 1 : 0, 1);
  return out;
}

base::Result<IndexRecord> decode_index(std::string_view value) {
  if (value.size() != 41) return damaged("message index");
  Reader reader{value};
  IndexRecord record;
  record.sent = reader.moment();
  record.visible_at = reader.moment();
  record.first_received = reader.moment();
  record.last_received = reader.moment();
  record.receives = static_cast<std::uint32_t>(reader.number(4));
  record.tag = static_cast<std::uint32_t>(reader.number(4));
  record.moved = reader.number(1) != 0;
  return record;
}

std::string encode(const MessageRecord& record) {
  std::string out(1, kMessageVersion);
  out.reserve(256 + record.body.size());
  out += uuid_bytes(record.id);
  out += base::hex_decode(record.md5_of_body).value_or(std::string(16, '\0'));
  put_number(out, record.carried_receives, 4);
  put_text(out, record.sender_id, 2);
  put_text(out, record.trace_header, 2);
  put_text(out, record.source_arn, 2);
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
  if (value.size() < 37) return damaged("message");
  MessageRecord record;
  record.id = uuid_text(reader.take(16));
  record.md5_of_body = base::hex_encode(reader.take(16));
  record.carried_receives = static_cast<std::uint32_t>(reader.number(4));
  record.sender_id = reader.text(2);
  record.trace_header = reader.text(2);
  record.source_arn = reader.text(2);
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

}  // namespace terrarium::sqs
