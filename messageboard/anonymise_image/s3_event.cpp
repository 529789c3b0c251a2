#include "messageboard/anonymise_image/s3_event.h"

#include <fmt/core.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <optional>
#include <utility>

#include "lib/base/encoding.h"

namespace anonymise_image {
namespace {

namespace json = boost::json;
using base::ErrorKind;

// SQS messages have at most 256 KiB and a batch ten of them; escaped twice they grow.
constexpr std::size_t kEventBytesMax = 6 * 1024 * 1024;
constexpr std::size_t kLoggedBytesMax = 16 * 1024;
constexpr std::string_view kMarkerPrefix = "failed/";

std::unexpected<base::Error> wrong(std::string_view what) {
  return base::fail(ErrorKind::InvalidInput, std::string(what));
}

base::Result<json::value> parse(std::string_view text, std::string_view what) {
  if (text.size() > kEventBytesMax) return base::fail(ErrorKind::TooLarge, std::string(what));
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error) return wrong(fmt::format("{} is not JSON: {}", what, error.message()));
  return value;
}

const json::value* member(const json::value& of, std::string_view name) {
  const json::object* object = of.if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

std::optional<std::string> text_of(const json::value* value) {
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  if (text == nullptr) return std::nullopt;
  return std::string(text->data(), text->size());
}

std::optional<std::string> text_at(const json::value& value, std::string_view outer,
                                   std::string_view inner) {
  const json::value* found = member(value, outer);
  return found == nullptr ? std::nullopt : text_of(member(*found, inner));
}

unsigned receive_count(const json::value& record) {
  const auto text = text_at(record, "attributes", "ApproximateReceiveCount").value_or("1");
  unsigned count = 1;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

// Nothing for an event that is none of our business.
base::Result<std::optional<S3Object>> parse_record(const json::value& record) {
  const auto name = text_of(member(record, "eventName"));
  const json::value* s3 = member(record, "s3");
  if (!name || s3 == nullptr) return wrong("a record of the S3 event has no eventName or no s3");
  if (!name->starts_with("ObjectCreated:")) return std::optional<S3Object>{};
  auto bucket = text_at(*s3, "bucket", "name");
  const auto encoded = text_at(*s3, "object", "key");
  if (!bucket || bucket->empty() || !encoded || encoded->empty()) {
    return wrong("a record of the S3 event has no bucket or no key");
  }
  // Event notifications write keys as forms do: a space is a plus sign.
  TRY(auto key, base::percent_decode(*encoded, true));
  if (key.starts_with(kMarkerPrefix)) return std::optional<S3Object>{};
  return std::optional(S3Object{std::move(*bucket), std::move(key)});
}

}  // namespace

base::Result<std::vector<SqsMessage>> parse_sqs_event(std::string_view text) {
  TRY(const json::value event, parse(text, "the SQS event"));
  const json::value* records = member(event, "Records");
  if (records == nullptr || !records->is_array()) return wrong("the SQS event has no Records");
  std::vector<SqsMessage> messages;
  for (const json::value& record : records->get_array()) {
    auto id = text_of(member(record, "messageId"));
    auto body = text_of(member(record, "body"));
    if (!id || id->empty() || !body) {
      return wrong("a record of the SQS event has no messageId or no body");
    }
    messages.push_back({std::move(*id), std::move(*body), receive_count(record)});
  }
  return messages;
}

base::Result<std::vector<S3Object>> parse_s3_event(std::string_view text) {
  TRY(const json::value event, parse(text, "the S3 event"));
  std::vector<S3Object> objects;
  if (text_of(member(event, "Event")) == "s3:TestEvent") return objects;
  const json::value* records = member(event, "Records");
  if (records == nullptr || !records->is_array()) return wrong("the S3 event has no Records");
  for (const json::value& record : records->get_array()) {
    TRY(auto object, parse_record(record));
    if (object) objects.push_back(std::move(*object));
  }
  return objects;
}

std::string batch_item_failures(const std::vector<std::string>& message_ids) {
  json::array failures;
  for (const std::string& id : message_ids) {
    failures.push_back(json::object{{"itemIdentifier", id}});
  }
  return json::serialize(json::object{{"batchItemFailures", std::move(failures)}});
}

std::string for_log(std::string_view text) {
  const auto value = parse(text, "the event");
  std::string line = value ? json::serialize(*value) : json::serialize(json::string(text));
  if (line.size() > kLoggedBytesMax) {
    line.resize(kLoggedBytesMax);
    line += "...";
  }
  return line;
}

std::string failure_marker_key(std::string_view key) {
  return fmt::format("{}{}", kMarkerPrefix, key);
}

std::string failure_marker(std::string_view reason) {
  return json::serialize(json::object{{"reason", reason}});
}

}  // namespace anonymise_image
