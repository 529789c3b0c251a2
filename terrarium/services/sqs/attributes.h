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
#include "terrarium/services/sqs/redrive.h"
#include "terrarium/wire/policy.h"

namespace terrarium::sqs {

using AttributeMap = std::map<std::string, std::string>;

// A queue's attributes, read once.
struct Settings {
  bool fifo = false;
  bool content_based_deduplication = false;
  bool deduplication_by_group = false;
  std::chrono::seconds delay{};
  std::chrono::seconds retention{};
  std::chrono::seconds visibility{};
  std::chrono::seconds wait{};
  std::size_t message_bytes_max = 0;
  std::optional<RedriveTarget> redrive;
  RedriveAllow redrive_allow;
  std::optional<wire::Policy> policy;
};

// Whether a queue with the attributes `before` can be given `change`: InvalidAttributeName,
// InvalidAttributeValue, InvalidParameterValue. What needs other queues (does the dead-letter queue
// exist) is asked elsewhere.
base::Result<void> check_change(const AttributeMap& change, const AttributeMap& before, bool fifo);
// `attributes` have been checked.
base::Result<Settings> settings_of(const AttributeMap& attributes, bool fifo);
// "" takes Policy, RedrivePolicy, RedriveAllowPolicy and KmsMasterKeyId away.
void apply_change(const AttributeMap& change, AttributeMap& attributes);
// The first attribute in `asked` that differs from what the queue has, set or by default. JSON is
// compared as JSON.
std::optional<std::string> first_difference(const AttributeMap& asked,
                                            const AttributeMap& attributes, bool fifo);

struct QueueFacts {
  std::string arn;
  base::Timestamp created;
  base::Timestamp modified;
  std::size_t visible = 0;
  std::size_t in_flight = 0;
  std::size_t delayed = 0;
  bool fifo = false;
};

// What GetQueueAttributes shows: `names` may hold "All".
base::Result<AttributeMap> shown_attributes(const AttributeMap& attributes, const QueueFacts& facts,
                                            const std::vector<std::string>& names);

// CreateQueue's rules for names and tags.
base::Result<void> check_queue_name(std::string_view name, bool fifo);
base::Result<void> check_tags(const std::map<std::string, std::string>& tags,
                              std::string_view queue);
// 1 to 80 letters, digits, hyphens and underscores.
bool is_label(std::string_view text);

std::string queue_arn(std::string_view region, std::string_view account, std::string_view name);

}  // namespace terrarium::sqs
