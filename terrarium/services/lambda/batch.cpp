#include "terrarium/services/lambda/batch.h"

#include <algorithm>
#include <boost/json.hpp>

#include "lib/base/encoding.h"

namespace terrarium::lambda {
namespace {

namespace json = boost::json;

json::object attribute(const sqs::ReceivedAttribute& value) {
  json::object object;
  if (value.data_type.starts_with("Binary")) {
    object["binaryValue"] = base::base64_encode(value.binary_value);
  } else {
    object["stringValue"] = value.string_value;
  }
  object["stringListValues"] = json::array();
  object["binaryListValues"] = json::array();
  object["dataType"] = value.data_type;
  return object;
}

json::object record(const sqs::ReceivedMessage& message, std::string_view queue_arn,
                    std::string_view region) {
  json::object attributes;
  for (const auto& [name, value] : message.attributes) attributes[name] = value;
  json::object message_attributes;
  for (const auto& [name, value] : message.message_attributes) {
    message_attributes[name] = attribute(value);
  }
  json::object object{{"messageId", message.message_id},
                      {"receiptHandle", message.receipt_handle},
                      {"body", message.body},
                      {"attributes", std::move(attributes)},
                      {"messageAttributes", std::move(message_attributes)}};
  if (!message.md5_of_message_attributes.empty()) {
    object["md5OfMessageAttributes"] = message.md5_of_message_attributes;
  }
  object["md5OfBody"] = message.md5_of_body;
  object["eventSource"] = "aws:sqs";
  object["eventSourceARN"] = queue_arn;
  object["awsRegion"] = region;
  return object;
}

}  // namespace

std::string batch_event(const std::vector<sqs::ReceivedMessage>& messages,
                        std::string_view queue_arn, std::string_view region) {
  json::array records;
  for (const sqs::ReceivedMessage& message : messages) {
    records.push_back(record(message, queue_arn, region));
  }
  return json::serialize(json::object{{"Records", std::move(records)}});
}

bool passes(const std::vector<EventPattern>& filters, const sqs::ReceivedMessage& message,
            std::string_view queue_arn, std::string_view region) {
  if (filters.empty()) return true;
  json::value event = record(message, queue_arn, region);
  boost::system::error_code error;
  json::value body = json::parse({message.body.data(), message.body.size()}, error);
  const bool is_document = !error && (body.is_object() || body.is_array());
  if (is_document) event.as_object()["body"] = std::move(body);
  return std::ranges::any_of(
      filters, [&event](const EventPattern& filter) { return filter.matches(event); });
}

std::size_t event_bytes(const sqs::ReceivedMessage& message) {
  // A control character becomes six characters in JSON; most stay one.
  const auto escaped = [](std::string_view text) {
    std::size_t bytes = text.size();
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') bytes += 5;
    }
    return bytes;
  };
  constexpr std::size_t kFrameBytes = 1024;
  std::size_t bytes = kFrameBytes + escaped(message.body) + message.receipt_handle.size();
  for (const auto& [name, value] : message.message_attributes) {
    bytes += kFrameBytes / 4 + name.size() + escaped(value.string_value) +
             value.binary_value.size() * 4 / 3;
  }
  return bytes;
}

std::optional<std::vector<std::string>> failed_items(
    std::string_view response, const std::vector<sqs::ReceivedMessage>& messages) {
  std::vector<std::string> failed;
  boost::system::error_code error;
  // Nothing at all, null and {} mean that everything succeeded.
  const std::string_view text = base::trim(response);
  if (text.empty()) return failed;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error) return std::nullopt;
  if (value.is_null()) return failed;
  if (!value.is_object()) return std::nullopt;
  const json::value* list = value.as_object().if_contains("batchItemFailures");
  if (list == nullptr || list->is_null()) return failed;
  if (!list->is_array()) return std::nullopt;
  for (const json::value& item : list->as_array()) {
    if (!item.is_object()) return std::nullopt;
    const json::value* id = item.as_object().if_contains("itemIdentifier");
    if (id == nullptr || !id->is_string() || id->as_string().empty()) return std::nullopt;
    const std::string name(id->as_string());
    const bool known = std::ranges::any_of(
        messages, [&name](const auto& message) { return message.message_id == name; });
    if (!known) return std::nullopt;
    failed.push_back(name);
  }
  return failed;
}

}  // namespace terrarium::lambda
