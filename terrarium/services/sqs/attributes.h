// The rules of queue attributes: which there are, what values they take, what they mean. Pure.
// Source: Amazon SQS API Reference, CreateQueue, SetQueueAttributes and GetQueueAttributes.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/services/sqs/api.h"
#include "terrarium/services/sqs/records.h"
#include "terrarium/wire/policy.h"

namespace terrarium::sqs {

using AttributeMap = std::map<std::string, std::string>;

// RedriveAllowPolicy: which queues may name this one as their dead-letter queue.
struct RedriveAllow {
  enum class Kind : std::uint8_t { All, None, ByQueue };
  Kind kind = Kind::All;
  std::vector<std::string> sources;

  bool allows(std::string_view source_arn) const;
};

// A queue's attributes, read once.
struct Settings {
  std::chrono::seconds delay{};
  std::chrono::seconds retention{};
  std::chrono::seconds visibility{};
  std::chrono::seconds wait{};
  std::size_t message_bytes_max = 0;
  std::optional<RedriveTarget> redrive;
  RedriveAllow redrive_allow;
  std::optional<wire::Policy> policy;
};

// Whether a queue can have an attribute that its owner may set to this: InvalidAttributeName,
// InvalidAttributeValue, UnsupportedOperation. What needs other queues (does the dead-letter queue
// exist) is asked elsewhere.
base::Result<void> check_attribute(std::string_view name, std::string_view value);
// `attributes` have been checked.
base::Result<Settings> settings_of(const AttributeMap& attributes);
// Applies a change: "" takes Policy, RedrivePolicy, RedriveAllowPolicy and KmsMasterKeyId away.
void apply_change(const AttributeMap& change, AttributeMap& attributes);
// The first attribute in `asked` that differs from what the queue has, set or by default. JSON is
// compared as JSON.
std::optional<std::string> first_difference(const AttributeMap& asked, const AttributeMap& has);

struct QueueFacts {
  std::string arn;
  base::Timestamp created;
  base::Timestamp modified;
  std::size_t visible = 0;
  std::size_t in_flight = 0;
  std::size_t delayed = 0;
};

// What GetQueueAttributes shows: `names` may hold "All".
base::Result<AttributeMap> shown_attributes(const AttributeMap& attributes, const QueueFacts& facts,
                                            const std::vector<std::string>& names);

base::Result<RedriveTarget> parse_redrive_policy(std::string_view text);
base::Result<RedriveAllow> parse_redrive_allow_policy(std::string_view text);

// InvalidParameterValue in AWS's words: "Value x for parameter Y is invalid. Reason: ...".
std::unexpected<base::Error> invalid_parameter(std::string_view value, std::string_view parameter,
                                               std::string_view reason);

// CreateQueue's rules for names and tags.
base::Result<void> check_queue_name(std::string_view name);
base::Result<void> check_tags(const std::map<std::string, std::string>& tags);

std::string queue_arn(std::string_view region, std::string_view account, std::string_view name);

}  // namespace terrarium::sqs
