#include "terrarium/services/s3/notification.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

#include "generated/s3/errors.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/services/s3/names.h"
#include "terrarium/services/s3/versions.h"
#include "terrarium/wire/s3_ids.h"

namespace terrarium::s3 {
namespace {

namespace json = boost::json;

constexpr std::string_view kEtagOfNothing = "d41d8cd98f00b204e9800998ecf8427e";

// Those of the last lines are never caused: no object is lost, restored, replicated or moved.
constexpr std::array<std::string_view, 27> kEvents{
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete",
    "s3:ObjectAcl:Put",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
    "s3:ReducedRedundancyLostObject",
    "s3:ObjectRestore:*",
    "s3:ObjectRestore:Post",
    "s3:ObjectRestore:Completed",
    "s3:ObjectRestore:Delete",
    "s3:Replication:*",
    "s3:Replication:OperationFailedReplication",
    "s3:Replication:OperationNotTracked",
    "s3:Replication:OperationMissedThreshold",
    "s3:Replication:OperationReplicatedAfterThreshold"};

bool event_covers(std::string_view pattern, std::string_view event) {
  if (!pattern.ends_with('*')) return pattern == event;
  return event.starts_with(pattern.substr(0, pattern.size() - 1));
}

base::Result<void> check_event(const std::string& event) {
  if (std::ranges::find(kEvents, event) != kEvents.end()) return {};
  return invalid_argument("A specified event is not supported for notifications.", "Event", event);
}

base::Result<void> check_filter(const NotificationConfigurationFilter& filter,
                                NotificationRule& rule) {
  if (!filter.key || !filter.key->filter_rules) return {};
  for (const FilterRule& given : *filter.key->filter_rules) {
    const std::string name = base::to_lower(given.name.value_or(""));
    std::string value = given.value.value_or("");
    if (name != "prefix" && name != "suffix") {
      return invalid_argument("filter rule name must be either prefix or suffix", "FilterRule.Name",
                              given.name.value_or(""));
    }
    if (value.size() > kFilterBytesMax) {
      return invalid_argument("filter rule value cannot exceed 1024 characters", "FilterRule.Value",
                              value);
    }
    std::optional<std::string>& place = name == "prefix" ? rule.prefix : rule.suffix;
    if (place) {
      return invalid_argument("Cannot specify more than one " + name + " rule in a filter.",
                              "FilterRule.Name", given.name.value_or(""));
    }
    place = std::move(value);
  }
  return {};
}

std::vector<std::string_view> parts_of(std::string_view arn) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= arn.size();) {
    const std::size_t end = std::min(arn.find(':', at), arn.size());
    parts.push_back(arn.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

// `argument`: what AWS calls the kind of destination that is asked for.
base::Result<void> check_destination(const std::string& arn, std::string_view argument,
                                     std::string_view region) {
  const std::vector<std::string_view> parts = parts_of(arn);
  const bool function = argument == "CloudFunction";
  const bool sized = function ? parts.size() == 7 || parts.size() == 8 : parts.size() == 6;
  const bool named = sized && parts[0] == "arn" && parts[1] == "aws" &&
                     parts[2] == (function ? "lambda" : "sqs") && !parts.back().empty() &&
                     (!function || parts[5] == "function");
  if (!named) return invalid_argument("The ARN could not be parsed", std::string(argument), arn);
  if (parts[3] != region) {
    return invalid_argument(
        "The notification destination service region is not valid for the bucket location "
        "constraint",
        std::string(argument), arn);
  }
  if (!function && arn.ends_with(".fifo")) {
    return invalid_argument("Unable to validate the following destination configurations", arn,
                            "FIFO SQS queues are not supported");
  }
  return {};
}

bool share_event(const NotificationRule& a, const NotificationRule& b) {
  return std::ranges::any_of(a.events, [&b](std::string_view one) {
    return std::ranges::any_of(b.events, [one](std::string_view other) {
      return event_covers(one, other) || event_covers(other, one);
    });
  });
}

base::Result<void> check_overlap(const NotificationRule& a, const NotificationRule& b) {
  if (a.id == b.id) {
    return base::fail(errors::kInvalidArgument,
                      "Same ID used for multiple configurations. IDs must be unique");
  }
  if (!share_event(a, b)) return {};
  const std::string a_prefix = a.prefix.value_or("");
  const std::string b_prefix = b.prefix.value_or("");
  const std::string a_suffix = a.suffix.value_or("");
  const std::string b_suffix = b.suffix.value_or("");
  const bool prefixes_overlap = a_prefix.starts_with(b_prefix) || b_prefix.starts_with(a_prefix);
  const bool suffixes_overlap = a_suffix.ends_with(b_suffix) || b_suffix.ends_with(a_suffix);
  if (!prefixes_overlap || !suffixes_overlap) return {};
  const bool filtered =
      !a_prefix.empty() || !b_prefix.empty() || !a_suffix.empty() || !b_suffix.empty();
  return base::fail(errors::kInvalidArgument,
                    filtered ? "Configuration is ambiguously defined. Cannot have overlapping "
                               "suffixes in two rules if the prefixes are overlapping for the same "
                               "event type."
                             : "Configurations overlap. Configurations on the same bucket cannot "
                               "share a common event type.");
}

// Of a QueueConfiguration or a LambdaFunctionConfiguration.
template <class Configuration>
base::Result<NotificationRule> check_rule(const Configuration& given, const std::string& arn,
                                          std::string_view argument, std::string_view region,
                                          base::Random& random) {
  NotificationRule rule;
  rule.id = given.id.value_or("");
  if (rule.id.size() > 255) {
    return invalid_argument("The id exceeds the maximum length of 255 characters", "Id", rule.id);
  }
  if (rule.id.empty()) rule.id = base::base64_encode(random.uuid());
  rule.destination_arn = arn;
  TRY_VOID(check_destination(arn, argument, region));
  if (given.events.empty()) return malformed_xml();
  for (const std::string& event : given.events) {
    TRY_VOID(check_event(event));
    if (std::ranges::find(rule.events, event) == rule.events.end()) rule.events.push_back(event);
  }
  if (given.filter) TRY_VOID(check_filter(*given.filter, rule));
  return rule;
}

template <class Configuration>
Configuration describe(const NotificationRule& rule) {
  Configuration described;
  described.id = rule.id;
  described.events = rule.events;
  std::vector<FilterRule> filter;
  if (rule.prefix) filter.push_back({"Prefix", *rule.prefix});
  if (rule.suffix) filter.push_back({"Suffix", *rule.suffix});
  if (!filter.empty()) described.filter.emplace().key.emplace().filter_rules = std::move(filter);
  return described;
}

template <class Item>
void append(std::optional<std::vector<Item>>& list, Item item) {
  if (!list) list.emplace();
  list->push_back(std::move(item));
}

// Tags, lists and lifecycle came to S3's events later, in another version of the document.
bool is_recent(ObjectEvent event) {
  switch (event) {
    case ObjectEvent::TaggingPut:
    case ObjectEvent::TaggingDelete:
    case ObjectEvent::AclPut:
    case ObjectEvent::LifecycleDelete:
    case ObjectEvent::LifecycleDeleteMarkerCreated: return true;
    default: return false;
  }
}

// Removals tell no size and no tag; what only sets something tells no size and no sequencer.
json::object described_object(const BucketRecord& bucket, ObjectEvent event, std::string_view key,
                              const ObjectRecord& object) {
  json::object described{{"key", encode_key(key)}};
  const bool removed = event == ObjectEvent::Delete || event == ObjectEvent::LifecycleDelete;
  const std::string_view name = event_name(event);
  if (name.starts_with("ObjectCreated")) described["size"] = object.bytes;
  if (!removed) described["eTag"] = object.delete_marker ? kEtagOfNothing : object.etag;
  if (const auto version = shown_version_id(bucket, object)) described["versionId"] = *version;
  return described;
}

bool tells_sequencer(ObjectEvent event) {
  return event != ObjectEvent::TaggingPut && event != ObjectEvent::TaggingDelete &&
         event != ObjectEvent::AclPut;
}

// As many fields as boost::json keeps in order: objects print as they were built.
json::object user_identity(const wire::Context& context) {
  switch (context.principal.kind) {
    case wire::PrincipalKind::Anonymous: return {{"principalId", "Anonymous"}};
    case wire::PrincipalKind::Service: return {{"principalId", context.principal.arn}};
    default: return {{"principalId", "AWS:" + context.principal.id}};
  }
}

std::string sequencer(std::uint64_t sequence) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(sequence >> shift & 255));
  }
  std::string text = base::hex_encode(bytes);
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

}  // namespace

bool is_function(std::string_view destination_arn) {
  return destination_arn.starts_with("arn:aws:lambda:");
}

base::Result<std::vector<NotificationRule>> check_notifications(
    const NotificationConfiguration& configuration, std::string_view region, base::Random& random) {
  if (configuration.topic_configurations && !configuration.topic_configurations->empty()) {
    return not_supported("A topic as destination");
  }
  if (configuration.event_bridge_configuration) return not_supported("EventBridge as destination");

  std::vector<NotificationRule> rules;
  const auto add = [&rules](base::Result<NotificationRule> rule) -> base::Result<void> {
    if (!rule.has_value()) return std::unexpected(std::move(rule).error());
    for (const NotificationRule& other : rules) TRY_VOID(check_overlap(*rule, other));
    rules.push_back(*std::move(rule));
    if (rules.size() <= kNotificationsMax) return {};
    return base::fail(errors::kInvalidArgument,
                      "The number of notification configurations exceeds 100");
  };
  if (const auto& queues = configuration.queue_configurations) {
    for (const QueueConfiguration& queue : *queues) {
      TRY_VOID(add(check_rule(queue, queue.queue_arn, "Queue", region, random)));
    }
  }
  if (const auto& functions = configuration.lambda_function_configurations) {
    for (const LambdaFunctionConfiguration& function : *functions) {
      TRY_VOID(
          add(check_rule(function, function.lambda_function_arn, "CloudFunction", region, random)));
    }
  }
  return rules;
}

NotificationConfiguration notification_configuration(const std::vector<NotificationRule>& rules) {
  NotificationConfiguration configuration;
  for (const NotificationRule& rule : rules) {
    if (is_function(rule.destination_arn)) {
      auto function = describe<LambdaFunctionConfiguration>(rule);
      function.lambda_function_arn = rule.destination_arn;
      append(configuration.lambda_function_configurations, std::move(function));
    } else {
      auto queue = describe<QueueConfiguration>(rule);
      queue.queue_arn = rule.destination_arn;
      append(configuration.queue_configurations, std::move(queue));
    }
  }
  return configuration;
}

std::string_view event_name(ObjectEvent event) {
  switch (event) {
    case ObjectEvent::Put: return "ObjectCreated:Put";
    case ObjectEvent::Post: return "ObjectCreated:Post";
    case ObjectEvent::Copy: return "ObjectCreated:Copy";
    case ObjectEvent::CompleteMultipartUpload: return "ObjectCreated:CompleteMultipartUpload";
    case ObjectEvent::Delete: return "ObjectRemoved:Delete";
    case ObjectEvent::DeleteMarkerCreated: return "ObjectRemoved:DeleteMarkerCreated";
    case ObjectEvent::LifecycleDelete: return "LifecycleExpiration:Delete";
    case ObjectEvent::LifecycleDeleteMarkerCreated:
      return "LifecycleExpiration:DeleteMarkerCreated";
    case ObjectEvent::TaggingPut: return "ObjectTagging:Put";
    case ObjectEvent::TaggingDelete: return "ObjectTagging:Delete";
    case ObjectEvent::AclPut: return "ObjectAcl:Put";
  }
  return {};
}

bool matches(const NotificationRule& rule, ObjectEvent event, std::string_view key) {
  const std::string name = "s3:" + std::string(event_name(event));
  return key.starts_with(rule.prefix.value_or("")) && key.ends_with(rule.suffix.value_or("")) &&
         std::ranges::any_of(rule.events, [&name](std::string_view pattern) {
           return event_covers(pattern, name);
         });
}

std::string event_document(const wire::Context& context, const BucketRecord& bucket,
                           const NotificationRule& rule, ObjectEvent event, std::string_view key,
                           const ObjectRecord& object, std::uint64_t sequence) {
  const wire::S3Ids ids = wire::s3_ids(context.request_id);
  json::object described = described_object(bucket, event, key, object);
  if (tells_sequencer(event)) described["sequencer"] = sequencer(sequence);
  const json::object record{
      {"eventVersion", is_recent(event) ? "2.3" : "2.1"},
      {"eventSource", "aws:s3"},
      {"awsRegion", bucket.region},
      {"eventTime", base::iso8601(context.now)},
      {"eventName", event_name(event)},
      {"userIdentity", user_identity(context)},
      {"requestParameters", {{"sourceIPAddress", context.source_ip}}},
      {"responseElements", {{"x-amz-request-id", ids.request_id}, {"x-amz-id-2", ids.host_id}}},
      {"s3",
       {{"s3SchemaVersion", "1.0"},
        {"configurationId", rule.id},
        {"bucket",
         {{"name", bucket.name},
          {"ownerIdentity", {{"principalId", owner_principal_id(context.account)}}},
          {"arn", bucket_arn(bucket.name)}}},
        {"object", described}}}};
  return json::serialize(json::object{{"Records", json::array{record}}});
}

std::string test_event_document(const wire::Context& context, std::string_view bucket) {
  const wire::S3Ids ids = wire::s3_ids(context.request_id);
  return json::serialize(json::object{{"Service", "Amazon S3"},
                                      {"Event", "s3:TestEvent"},
                                      {"Time", base::iso8601(context.now)},
                                      {"Bucket", bucket},
                                      {"RequestId", ids.request_id},
                                      {"HostId", ids.host_id}});
}

}  // namespace terrarium::s3
