#include "terrarium/services/sqs/attributes.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>

#include "generated/sqs/errors.h"
#include "lib/base/encoding.h"

namespace terrarium::sqs {
namespace {

namespace json = boost::json;

struct NumberRule {
  std::string_view name;
  std::int64_t min;
  std::int64_t max;
  std::int64_t standard;  // what a queue has when nobody set it; -1: nothing
};

constexpr std::array kNumbers = {
    NumberRule{"DelaySeconds", 0, kDelayMax.count(), 0},
    NumberRule{"KmsDataKeyReusePeriodSeconds", 60, 86'400, -1},
    NumberRule{"MaximumMessageSize", 1'024, kMessageBytesMax, 262'144},
    NumberRule{"MessageRetentionPeriod", 60, 1'209'600, 345'600},
    NumberRule{"ReceiveMessageWaitTimeSeconds", 0, kWaitMax.count(), 0},
    NumberRule{"VisibilityTimeout", 0, kVisibilityMax.count(), 30},
};
constexpr std::array<std::string_view, 5> kTexts = {
    "KmsMasterKeyId", "Policy", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled"};
constexpr std::array<std::string_view, 6> kReadOnly = {"ApproximateNumberOfMessages",
                                                       "ApproximateNumberOfMessagesDelayed",
                                                       "ApproximateNumberOfMessagesNotVisible",
                                                       "CreatedTimestamp",
                                                       "LastModifiedTimestamp",
                                                       "QueueArn"};

const NumberRule* number_rule(std::string_view name) {
  const auto* found = std::ranges::find(kNumbers, name, &NumberRule::name);
  return found == kNumbers.end() ? nullptr : found;
}

bool is_text(std::string_view name) { return std::ranges::find(kTexts, name) != kTexts.end(); }

bool is_json(std::string_view name) { return name.ends_with("Policy"); }

std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::unexpected<base::Error> invalid_value(std::string_view name, std::string_view reason = {}) {
  std::string message = "Invalid value for the parameter " + std::string(name) + ".";
  if (!reason.empty()) message.append(" Reason: ").append(reason);
  return base::fail(errors::kInvalidAttributeValue, std::move(message));
}

std::unexpected<base::Error> unknown(std::string_view name) {
  return base::fail(errors::kInvalidAttributeName, "Unknown Attribute " + std::string(name) + ".");
}

std::optional<json::object> parse_object(std::string_view text) {
  boost::system::error_code failure;
  json::value parsed = json::parse(text, failure);
  if (failure || !parsed.is_object()) return std::nullopt;
  return std::move(parsed.as_object());
}

// What a queue has for `name` when nobody set it.
std::string standard_value(std::string_view name) {
  if (const NumberRule* rule = number_rule(name); rule != nullptr && rule->standard >= 0) {
    return std::to_string(rule->standard);
  }
  return name == "SqsManagedSseEnabled" ? "true" : "";
}

std::string value_of(const AttributeMap& attributes, std::string_view name) {
  const auto found = attributes.find(std::string(name));
  return found == attributes.end() ? standard_value(name) : found->second;
}

bool same_value(std::string_view name, const std::string& a, const std::string& b) {
  if (a == b) return true;
  if (!is_json(name)) return false;
  const auto left = parse_object(a);
  const auto right = parse_object(b);
  return left.has_value() && right.has_value() && *left == *right;
}

base::Result<void> check_policy(std::string_view value) {
  if (value.size() > kPolicyBytesMax) return invalid_value("Policy", "It is too long.");
  const auto parsed = wire::Policy::parse(value);
  if (!parsed.has_value()) return invalid_value("Policy", parsed.error().message);
  return {};
}

base::Result<void> check_text(std::string_view name, std::string_view value) {
  if (name == "SqsManagedSseEnabled") {
    if (value != "true" && value != "false") return invalid_value(name);
    return {};
  }
  if (value.empty()) return {};
  if (name == "KmsMasterKeyId") {
    return base::fail(errors::kUnsupportedOperation,
                      "KmsMasterKeyId is not supported: queues are not encrypted with KMS keys.");
  }
  if (name == "Policy") return check_policy(value);
  if (name == "RedrivePolicy") {
    TRY_VOID(parse_redrive_policy(value));
  } else {
    TRY_VOID(parse_redrive_allow_policy(value));
  }
  return {};
}

}  // namespace

std::unexpected<base::Error> invalid_parameter(std::string_view value, std::string_view parameter,
                                               std::string_view reason) {
  std::string message = "Value ";
  message.append(value).append(" for parameter ").append(parameter);
  message.append(" is invalid. Reason: ").append(reason);
  return base::fail(errors::kInvalidParameterValue, std::move(message));
}

bool RedriveAllow::allows(std::string_view source_arn) const {
  switch (kind) {
    case Kind::All: return true;
    case Kind::None: return false;
    case Kind::ByQueue: return std::ranges::find(sources, source_arn) != sources.end();
  }
  return false;
}

base::Result<void> check_attribute(std::string_view name, std::string_view value) {
  if (const NumberRule* rule = number_rule(name)) {
    const auto number = integer_of(value);
    if (!number.has_value() || *number < rule->min || *number > rule->max) {
      return invalid_value(name);
    }
    return {};
  }
  if (name == "FifoQueue" && value == "true") {
    return base::fail(errors::kUnsupportedOperation, "FIFO queues are not supported yet.");
  }
  if (!is_text(name)) return unknown(name);
  return check_text(name, value);
}

base::Result<Settings> settings_of(const AttributeMap& attributes) {
  const auto number = [&attributes](std::string_view name) {
    return integer_of(value_of(attributes, name)).value_or(0);
  };
  Settings settings;
  settings.delay = std::chrono::seconds(number("DelaySeconds"));
  settings.retention = std::chrono::seconds(number("MessageRetentionPeriod"));
  settings.visibility = std::chrono::seconds(number("VisibilityTimeout"));
  settings.wait = std::chrono::seconds(number("ReceiveMessageWaitTimeSeconds"));
  settings.message_bytes_max = static_cast<std::size_t>(number("MaximumMessageSize"));
  if (const auto found = attributes.find("RedrivePolicy"); found != attributes.end()) {
    TRY(settings.redrive, parse_redrive_policy(found->second));
  }
  if (const auto found = attributes.find("RedriveAllowPolicy"); found != attributes.end()) {
    TRY(settings.redrive_allow, parse_redrive_allow_policy(found->second));
  }
  if (const auto found = attributes.find("Policy"); found != attributes.end()) {
    TRY(settings.policy, wire::Policy::parse(found->second));
  }
  return settings;
}

void apply_change(const AttributeMap& change, AttributeMap& attributes) {
  for (const auto& [name, value] : change) {
    if (value.empty()) {
      attributes.erase(name);
    } else {
      attributes.insert_or_assign(name, value);
    }
  }
}

std::optional<std::string> first_difference(const AttributeMap& asked, const AttributeMap& has) {
  for (const auto& [name, value] : asked) {
    if (!same_value(name, value, value_of(has, name))) return name;
  }
  return std::nullopt;
}

base::Result<AttributeMap> shown_attributes(const AttributeMap& attributes, const QueueFacts& facts,
                                            const std::vector<std::string>& names) {
  const auto seconds = [](base::Timestamp time) {
    return std::to_string(
        std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
  };
  AttributeMap all{
      {"ApproximateNumberOfMessages", std::to_string(facts.visible)},
      {"ApproximateNumberOfMessagesDelayed", std::to_string(facts.delayed)},
      {"ApproximateNumberOfMessagesNotVisible", std::to_string(facts.in_flight)},
      {"CreatedTimestamp", seconds(facts.created)},
      {"LastModifiedTimestamp", seconds(facts.modified)},
      {"QueueArn", facts.arn},
  };
  const auto add = [&](std::string_view name) {
    if (std::string value = value_of(attributes, name); !value.empty()) {
      all.emplace(name, std::move(value));
    }
  };
  for (const NumberRule& rule : kNumbers) add(rule.name);
  for (const std::string_view name : kTexts) add(name);
  if (std::ranges::find(names, "All") != names.end()) return all;
  AttributeMap out;
  for (const std::string& name : names) {
    const bool known = number_rule(name) != nullptr || is_text(name) ||
                       std::ranges::find(kReadOnly, name) != kReadOnly.end();
    // FIFO attributes exist, but not on a standard queue.
    const bool fifo = name == "FifoQueue" || name == "ContentBasedDeduplication" ||
                      name == "DeduplicationScope" || name == "FifoThroughputLimit";
    if (!known && !fifo) return unknown(name);
    if (const auto found = all.find(name); found != all.end()) out.insert(*found);
  }
  return out;
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
  if (target == nullptr || !target->is_string() || target->as_string().empty()) {
    return refuse("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.");
  }
  if (count == nullptr) {
    return refuse("Redrive policy does not contain mandatory attribute: maxReceiveCount.");
  }
  const std::string shown =
      count->is_string() ? std::string(count->as_string()) : json::serialize(*count);
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
  if ((allow.kind == RedriveAllow::Kind::ByQueue) != (sources != nullptr)) {
    return refuse("sourceQueueArns goes with byQueue, and with byQueue only.");
  }
  if (sources == nullptr) return allow;
  if (!sources->is_array() || sources->as_array().empty() || sources->as_array().size() > 10) {
    return refuse("sourceQueueArns must name 1 to 10 queues.");
  }
  for (const json::value& source : sources->as_array()) {
    if (!source.is_string()) return refuse("sourceQueueArns must hold ARNs.");
    allow.sources.emplace_back(source.as_string());
  }
  return allow;
}

base::Result<void> check_queue_name(std::string_view name) {
  if (name.ends_with(".fifo")) {
    return base::fail(errors::kUnsupportedOperation, "FIFO queues are not supported yet.");
  }
  const bool good = !name.empty() && name.size() <= kQueueNameMax &&
                    std::ranges::all_of(name, [](unsigned char c) {
                      return std::isalnum(c) != 0 || c == '-' || c == '_';
                    });
  if (good) return {};
  return base::fail(errors::kInvalidParameterValue,
                    "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in "
                    "length");
}

base::Result<void> check_tags(const std::map<std::string, std::string>& tags) {
  if (tags.size() > kTagsMax) {
    return base::fail(errors::kInvalidParameterValue,
                      "Too many tags added for queue: at most 50 are allowed.");
  }
  for (const auto& [key, value] : tags) {
    if (key.empty() || key.size() > 128) {
      return base::fail(errors::kInvalidParameterValue,
                        "Tag keys must be between 1 and 128 characters in length.");
    }
    if (value.size() > 256) {
      return base::fail(errors::kInvalidParameterValue,
                        "Tag values must be between 0 and 256 characters in length.");
    }
    if (base::to_lower(key).starts_with("aws:")) {
      return base::fail(errors::kInvalidParameterValue,
                        "Tag keys that start with aws: are reserved.");
    }
  }
  return {};
}

std::string queue_arn(std::string_view region, std::string_view account, std::string_view name) {
  std::string arn = "arn:aws:sqs:";
  arn.append(region).append(":").append(account).append(":").append(name);
  return arn;
}

}  // namespace terrarium::sqs
