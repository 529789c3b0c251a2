#include "terrarium/services/sqs/attributes.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

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
    NumberRule{"MaximumMessageSize", 1'024, kMessageBytesMax, kMessageBytesMax},
    NumberRule{"MessageRetentionPeriod", 60, 1'209'600, 345'600},
    NumberRule{"ReceiveMessageWaitTimeSeconds", 0, kWaitMax.count(), 0},
    NumberRule{"VisibilityTimeout", 0, kVisibilityMax.count(), 30},
};
constexpr std::array<std::string_view, 5> kTexts = {
    "KmsMasterKeyId", "Policy", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled"};
struct FifoRule {
  std::string_view name;
  std::string_view standard;  // what a FIFO queue has when nobody set it
  std::string_view other;
};
constexpr std::array kFifoRules = {
    FifoRule{"ContentBasedDeduplication", "false", "true"},
    FifoRule{"DeduplicationScope", "queue", "messageGroup"},
    FifoRule{"FifoQueue", "true", "true"},
    FifoRule{"FifoThroughputLimit", "perQueue", "perMessageGroupId"},
};
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

const FifoRule* fifo_rule(std::string_view name) {
  const auto* found = std::ranges::find(kFifoRules, name, &FifoRule::name);
  return found == kFifoRules.end() ? nullptr : found;
}

bool is_text(std::string_view name) { return std::ranges::find(kTexts, name) != kTexts.end(); }

bool is_json(std::string_view name) { return name.ends_with("Policy"); }

std::unexpected<base::Error> invalid_value(std::string_view name, std::string_view reason = {}) {
  std::string message = "Invalid value for the parameter " + std::string(name) + ".";
  if (!reason.empty()) message.append(" Reason: ").append(reason);
  return base::fail(errors::kInvalidAttributeValue, std::move(message));
}

std::unexpected<base::Error> unknown(std::string_view name) {
  return base::fail(errors::kInvalidAttributeName, "Unknown Attribute " + std::string(name) + ".");
}

// Set, or what a queue has when nobody set it.
std::string value_of(const AttributeMap& attributes, std::string_view name, bool fifo) {
  if (const auto found = attributes.find(std::string(name)); found != attributes.end()) {
    return found->second;
  }
  if (const NumberRule* rule = number_rule(name); rule != nullptr && rule->standard >= 0) {
    return std::to_string(rule->standard);
  }
  if (const FifoRule* rule = fifo_rule(name); rule != nullptr && fifo) {
    return std::string(rule->standard);
  }
  if (name == "KmsDataKeyReusePeriodSeconds" && attributes.contains("KmsMasterKeyId")) return "300";
  return name == "SqsManagedSseEnabled" ? "true" : "";
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
  if (!parsed.has_value()) {
    std::string why = parsed.error().message;
    for (const auto& [name, detail] : parsed.error().fields) why += ": " + detail;
    return invalid_value("Policy", why);
  }
  return {};
}

base::Result<void> check_text(std::string_view name, std::string_view value) {
  if (name == "SqsManagedSseEnabled") {
    if (value != "true" && value != "false") return invalid_value(name);
    return {};
  }
  if (value.empty() || name == "KmsMasterKeyId") return {};
  if (name == "Policy") return check_policy(value);
  if (name == "RedrivePolicy") {
    TRY_VOID(parse_redrive_policy(value));
  } else {
    TRY_VOID(parse_redrive_allow_policy(value));
  }
  return {};
}

base::Result<void> check_fifo(const FifoRule& rule, std::string_view value, bool fifo) {
  if (!fifo) {
    if (rule.name == "FifoQueue" || rule.name == "ContentBasedDeduplication") {
      return unknown(rule.name);
    }
    return base::fail(
        errors::kInvalidAttributeName,
        "You can specify the " + std::string(rule.name) + " only when FifoQueue is set to true.");
  }
  if (value == rule.standard || value == rule.other) return {};
  return invalid_value(rule.name, rule.name == "FifoQueue" && value == "false"
                                      ? "Modifying queue type is not supported."
                                      : "");
}

base::Result<void> check_attribute(std::string_view name, std::string_view value, bool fifo) {
  if (const NumberRule* rule = number_rule(name)) {
    const auto number = integer_of(value);
    if (!number.has_value() || *number < rule->min || *number > rule->max) {
      return invalid_value(name);
    }
    return {};
  }
  if (const FifoRule* rule = fifo_rule(name)) return check_fifo(*rule, value, fifo);
  if (!is_text(name)) return unknown(name);
  return check_text(name, value);
}

bool has(const AttributeMap& attributes, const std::string& name, std::string_view value) {
  const auto found = attributes.find(name);
  return found != attributes.end() && found->second == value;
}

}  // namespace

base::Result<void> check_change(const AttributeMap& change, const AttributeMap& before, bool fifo) {
  for (const auto& [name, value] : change) TRY_VOID(check_attribute(name, value, fifo));
  const auto key = change.find("KmsMasterKeyId");
  if (key != change.end() && !key->second.empty() && has(change, "SqsManagedSseEnabled", "true")) {
    return base::fail(errors::kInvalidAttributeName,
                      "You can use one type of server-side encryption (SSE) at one time. You can "
                      "either enable KMS SSE or SQS SSE.");
  }
  AttributeMap after = before;
  apply_change(change, after);
  if (has(after, "FifoThroughputLimit", "perMessageGroupId") &&
      !has(after, "DeduplicationScope", "messageGroup")) {
    return invalid_value("FifoThroughputLimit",
                         "perMessageGroupId can be used only when the value for DeduplicationScope "
                         "is messageGroup.");
  }
  return {};
}

base::Result<Settings> settings_of(const AttributeMap& attributes, bool fifo) {
  const auto number = [&attributes, fifo](std::string_view name) {
    return integer_of(value_of(attributes, name, fifo)).value_or(0);
  };
  Settings settings;
  settings.fifo = fifo;
  settings.content_based_deduplication = has(attributes, "ContentBasedDeduplication", "true");
  settings.deduplication_by_group = has(attributes, "DeduplicationScope", "messageGroup");
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
  // One kind of encryption at a time: the newer choice ends the other.
  if (const auto key = change.find("KmsMasterKeyId"); key != change.end() && !key->second.empty()) {
    attributes.insert_or_assign("SqsManagedSseEnabled", "false");
  } else if (has(change, "SqsManagedSseEnabled", "true")) {
    attributes.erase("KmsMasterKeyId");
    attributes.erase("KmsDataKeyReusePeriodSeconds");
  }
}

std::optional<std::string> first_difference(const AttributeMap& asked,
                                            const AttributeMap& attributes, bool fifo) {
  for (const auto& [name, value] : asked) {
    if (!same_value(name, value, value_of(attributes, name, fifo))) return name;
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
    if (std::string value = value_of(attributes, name, facts.fifo); !value.empty()) {
      all.emplace(name, std::move(value));
    }
  };
  for (const NumberRule& rule : kNumbers) add(rule.name);
  for (const std::string_view name : kTexts) add(name);
  for (const FifoRule& rule : kFifoRules) add(rule.name);
  if (std::ranges::find(names, "All") != names.end()) return all;
  AttributeMap out;
  for (const std::string& name : names) {
    const bool known = number_rule(name) != nullptr || is_text(name) ||
                       std::ranges::find(kReadOnly, name) != kReadOnly.end();
    // Those of FIFO queues are known to a standard queue too, which has none of them.
    if (!known && fifo_rule(name) == nullptr) return unknown(name);
    if (const auto found = all.find(name); found != all.end()) out.insert(*found);
  }
  return out;
}

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= kQueueNameMax &&
         std::ranges::all_of(
             text, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
}

base::Result<void> check_queue_name(std::string_view name, bool fifo) {
  constexpr std::string_view kSuffix = ".fifo";
  const bool suffix = name.ends_with(kSuffix) && name.size() <= kQueueNameMax;
  if (fifo && (!suffix || !is_label(name.substr(0, name.size() - kSuffix.size())))) {
    return base::fail(errors::kInvalidParameterValue,
                      "The name of a FIFO queue can only include alphanumeric characters, hyphens, "
                      "or underscores, must end with .fifo suffix and be 1 to 80 in length.");
  }
  if (fifo || is_label(name)) return {};
  return base::fail(errors::kInvalidParameterValue,
                    "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in "
                    "length");
}

base::Result<void> check_tags(const std::map<std::string, std::string>& tags,
                              std::string_view queue) {
  if (tags.size() > kTagsMax) {
    return base::fail(errors::kInvalidParameterValue,
                      "Too many tags added for queue " + std::string(queue) + ".");
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
