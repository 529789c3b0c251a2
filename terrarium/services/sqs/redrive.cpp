#include "terrarium/services/sqs/redrive.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <optional>

#include "generated/sqs/errors.h"

namespace terrarium::sqs {

namespace json = boost::json;

std::optional<json::object> parse_object(std::string_view text) {
  boost::system::error_code failure;
  json::value parsed = json::parse(text, failure);
  if (failure || !parsed.is_object()) return std::nullopt;
  return std::move(parsed.as_object());
}

std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::unexpected<base::Error> invalid_parameter(std::string_view value, std::string_view parameter,
                                               std::string_view reason) {
  std::string message = "Value ";
  message.append(value).append(" for parameter ").append(parameter);
  message.append(" is invalid. Reason: ").append(reason);
  return base::fail(errors::kInvalidParameterValue, std::move(message));
}

base::Result<std::int32_t> within(std::int32_t value, std::int32_t min, std::int32_t max,
                                  std::string_view parameter, std::string_view rule) {
  if (value >= min && value <= max) return value;
  return invalid_parameter(std::to_string(value), parameter, rule);
}

bool RedriveAllow::allows(std::string_view source_arn) const {
  switch (kind) {
    case Kind::All: return true;
    case Kind::None: return false;
    case Kind::ByQueue: return std::ranges::find(sources, source_arn) != sources.end();
  }
  return false;
}

base::Result<RedriveTarget> parse_redrive_policy(std::string_view text) {
  const auto refuse = [text](std::string_view reason) {
    return invalid_parameter(text, "RedrivePolicy", reason);
  };
  const auto object = parse_object(text);
  if (!object.has_value()) return refuse("Redrive policy is not a valid JSON map.");
  for (const auto& [name, value] : *object) {
    if (name != "deadLetterTargetArn" && name != "maxReceiveCount") {
      return refuse("Redrive policy contains an unknown attribute: " + std::string(name) + ".");
    }
  }
  const json::value* target = object->if_contains("deadLetterTargetArn");
  const json::value* count = object->if_contains("maxReceiveCount");
  if (target == nullptr) {
    return refuse("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.");
  }
  if (count == nullptr) {
    return refuse("Redrive policy does not contain mandatory attribute: maxReceiveCount.");
  }
  if (!target->is_string() || !std::string_view(target->as_string()).starts_with("arn:")) {
    return refuse("Invalid value for deadLetterTargetArn.");
  }
  std::string shown =
      count->is_string() ? std::string(count->as_string()) : json::serialize(*count);
  if (count->is_double()) shown = fmt::format("{}", count->as_double());
  const auto number = integer_of(shown);
  if (!number.has_value() || *number < 1 || *number > 1'000) {
    return refuse("Invalid value for maxReceiveCount: " + shown +
                  ", valid values are from 1 to 1000 both inclusive.");
  }
  return RedriveTarget{std::string(target->as_string()), static_cast<std::int32_t>(*number)};
}

base::Result<RedriveAllow> parse_redrive_allow_policy(std::string_view text) {
  const auto refuse = [text](std::string_view reason) {
    return invalid_parameter(text, "RedriveAllowPolicy", reason);
  };
  const auto object = parse_object(text);
  if (!object.has_value()) return refuse("Redrive allow policy is not a valid JSON map.");
  const json::value* permission = object->if_contains("redrivePermission");
  const json::value* sources = object->if_contains("sourceQueueArns");
  if (permission == nullptr) {
    return refuse("Redrive allow policy does not contain mandatory attribute: redrivePermission.");
  }
  RedriveAllow allow;
  if (*permission == "denyAll") {
    allow.kind = RedriveAllow::Kind::None;
  } else if (*permission == "byQueue") {
    allow.kind = RedriveAllow::Kind::ByQueue;
  } else if (*permission != "allowAll") {
    return refuse("redrivePermission must be allowAll, denyAll or byQueue.");
  }
  const bool by_queue = allow.kind == RedriveAllow::Kind::ByQueue;
  if (sources == nullptr && !by_queue) return allow;
  const std::string cannot = "Amazon SQS can't create the redrive allow policy. ";
  if (!by_queue) {
    return refuse(cannot +
                  "To specify one or more source queue ARNs, you must set redrivePermission to "
                  "byQueue.");
  }
  if (sources == nullptr || !sources->is_array() || sources->as_array().empty()) {
    return refuse(cannot +
                  "When you specify the byQueue permission type, you must also specify one or more "
                  "sourceQueueArns values.");
  }
  if (sources->as_array().size() > 10) {
    return refuse(cannot + "You can specify at most 10 sourceQueueArns values.");
  }
  for (const json::value& source : sources->as_array()) {
    if (!source.is_string()) return refuse("sourceQueueArns must hold ARNs.");
    allow.sources.emplace_back(source.as_string());
  }
  return allow;
}

}  // namespace terrarium::sqs
