#include "terrarium/services/lambda/outcome_record.h"

#include <boost/json.hpp>

#include "lib/base/encoding.h"

namespace terrarium::lambda {
namespace {

namespace json = boost::json;

constexpr std::size_t kErrorMessageBytesMax = 1024;
constexpr int kThrottledStatus = 429;
constexpr int kGoneStatus = 404;
constexpr int kOkStatus = 200;

// A payload is JSON, as far as functions keep to it.
json::value payload_value(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error) return json::string(text);
  return value;
}

// There is no such version or alias any more.
bool is_gone(const EndedEvent& ended) {
  return !ended.outcome && ended.ending == Ending::RetriesExhausted;
}

int status_of(const EndedEvent& ended) {
  if (is_gone(ended)) return kGoneStatus;
  return ended.outcome ? kOkStatus : kThrottledStatus;
}

std::string error_message(const EndedEvent& ended) {
  if (ended.ending == Ending::ZeroReservedConcurrency) {
    return "Function not invoked. Function isconfigured with zero reserved concurrent executions";
  }
  if (ended.ending == Ending::RecursiveInvocation) return "Recursive invocation detected";
  if (is_gone(ended)) return "Function not found: " + ended.function_arn;
  if (!ended.outcome) return "Rate Exceeded.";
  const json::value payload = payload_value(ended.outcome->payload);
  const json::value* message =
      payload.is_object() ? payload.as_object().if_contains("errorMessage") : nullptr;
  if (message == nullptr || !message->is_string()) return ended.outcome->payload;
  return std::string(message->as_string());
}

// What an attribute of a message may hold: its first kilobyte, not cut within a character, and
// without control characters.
std::string attribute_text(std::string text) {
  if (text.size() > kErrorMessageBytesMax) {
    std::size_t end = kErrorMessageBytesMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    text.resize(end);
  }
  for (char& c : text) {
    const bool allowed = static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n';
    if (!allowed) c = ' ';
  }
  return text;
}

}  // namespace

std::string_view to_string(Ending ending) {
  switch (ending) {
    case Ending::Success: return "Success";
    case Ending::RetriesExhausted: return "RetriesExhausted";
    case Ending::EventAgeExceeded: return "EventAgeExceeded";
    case Ending::ZeroReservedConcurrency: return "ZeroReservedConcurrency";
    case Ending::RecursiveInvocation: return "RecursiveInvocation";
  }
  return "";
}

std::string invocation_record(const EndedEvent& ended, base::Timestamp now) {
  const bool succeeded = ended.ending == Ending::Success;
  json::object record{
      {"version", "1.0"},
      {"timestamp", base::iso8601(now)},
      {"requestContext",
       json::object{{"requestId", ended.event.request_id},
                    {"functionArn", ended.function_arn},
                    {"condition", to_string(ended.ending)},
                    {"approximateInvokeCount", ended.event.attempts + (succeeded ? 1 : 0)}}},
      {"requestPayload", payload_value(ended.event.payload)}};
  if (ended.outcome) {
    json::object context{{"statusCode", kOkStatus}, {"executedVersion", ended.executed_version}};
    if (!succeeded) context["functionError"] = ended.outcome->function_error;
    record["responseContext"] = std::move(context);
    record["responsePayload"] = payload_value(ended.outcome->payload);
  }
  return json::serialize(record);
}

sqs::OutgoingMessage dead_letter(const EndedEvent& ended) {
  sqs::OutgoingMessage message{.body = ended.event.payload, .message_attributes = {}};
  const auto text = [&message](const char* name, const char* type, std::string value) {
    if (value.empty()) return;
    message.message_attributes[name] = {
        .data_type = type, .string_value = attribute_text(std::move(value)), .binary_value = {}};
  };
  text("RequestID", "String", ended.event.request_id);
  text("ErrorCode", "Number", std::to_string(status_of(ended)));
  text("ErrorMessage", "String", error_message(ended));
  return message;
}

}  // namespace terrarium::lambda
