#include "terrarium/services/s3/notification.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

#include "generated/s3/errors.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/services/s3/names.h"
#include "terrarium/wire/s3_ids.h"

namespace terrarium::s3 {
namespace {

namespace json = boost::json;

// What happens here, and what may be asked for although it does not: delete markers come with
// versioning, form uploads with browsers.
constexpr std::array<std::string_view, 8> kEvents{"s3:ObjectCreated:*",
                                                  "s3:ObjectCreated:Put",
                                                  "s3:ObjectCreated:Post",
                                                  "s3:ObjectCreated:Copy",
                                                  "s3:ObjectCreated:CompleteMultipartUpload",
                                                  "s3:ObjectRemoved:*",
                                                  "s3:ObjectRemoved:Delete",
                                                  "s3:ObjectRemoved:DeleteMarkerCreated"};

// S3 has these, and nothing in this region causes them.
constexpr std::array<std::string_view, 8> kOtherEvents{"s3:ReducedRedundancyLostObject",
                                                       "s3:ObjectRestore:",
                                                       "s3:Replication:",
                                                       "s3:LifecycleExpiration:",
                                                       "s3:LifecycleTransition",
                                                       "s3:IntelligentTiering",
                                                       "s3:ObjectTagging:",
                                                       "s3:ObjectAcl:"};

bool event_covers(std::string_view pattern, std::string_view event) {
  if (!pattern.ends_with('*')) return pattern == event;
  return event.starts_with(pattern.substr(0, pattern.size() - 1));
}

base::Result<void> check_event(const std::string& event) {
  if (std::ranges::find(kEvents, event) != kEvents.end()) return {};
  for (const std::string_view other : kOtherEvents) {
    if (event.starts_with(other)) return not_supported("The event type " + event);
  }
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

base::Result<void> check_queue_arn(const std::string& arn, std::string_view region) {
  constexpr std::string_view service = "arn:aws:sqs:";
  const auto parts = std::ranges::count(arn, ':');
  if (!arn.starts_with(service) || parts != 5 || arn.ends_with(':')) {
    return invalid_argument("The ARN could not be parsed", "Queue", arn);
  }
  const std::string_view rest = std::string_view(arn).substr(service.size());
  if (rest.substr(0, rest.find(':')) != region) {
    return invalid_argument(
        "The notification destination service region is not valid for the bucket location "
        "constraint",
        "Queue", arn);
  }
  if (arn.ends_with(".fifo")) {
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

base::Result<NotificationRule> check_rule(const QueueConfiguration& given, std::string_view region,
                                          base::Random& random) {
  NotificationRule rule;
  rule.id = given.id.value_or("");
  if (rule.id.size() > 255) {
    return invalid_argument("The id exceeds the maximum length of 255 characters", "Id", rule.id);
  }
  if (rule.id.empty()) rule.id = base::base64_encode(random.uuid());
  rule.queue_arn = given.queue_arn;
  TRY_VOID(check_queue_arn(rule.queue_arn, region));
  if (given.events.empty()) {
    return base::fail(errors::kMalformedXML,
                      "The XML you provided was not well-formed or did not validate against our "
                      "published schema");
  }
  for (const std::string& event : given.events) {
    TRY_VOID(check_event(event));
    if (std::ranges::find(rule.events, event) == rule.events.end()) rule.events.push_back(event);
  }
  if (given.filter) TRY_VOID(check_filter(*given.filter, rule));
  return rule;
}

// As many fields as boost::json keeps in order: objects print as they were built.
json::object user_identity(const wire::Context& context) {
  const bool anonymous = context.principal.kind == wire::PrincipalKind::Anonymous;
  return {{"principalId", anonymous ? "Anonymous" : "AWS:" + context.principal.id}};
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

base::Result<std::vector<NotificationRule>> check_notifications(
    const NotificationConfiguration& configuration, std::string_view region, base::Random& random) {
  const auto given = [](const auto& list) { return list && !list->empty(); };
  if (given(configuration.topic_configurations)) return not_supported("A topic as destination");
  if (given(configuration.lambda_function_configurations)) {
    return not_supported("A Lambda function as destination");
  }
  if (configuration.event_bridge_configuration) return not_supported("EventBridge as destination");

  std::vector<NotificationRule> rules;
  if (!configuration.queue_configurations) return rules;
  if (configuration.queue_configurations->size() > kNotificationsMax) {
    return base::fail(errors::kInvalidArgument,
                      "The number of notification configurations exceeds 100");
  }
  for (const QueueConfiguration& queue : *configuration.queue_configurations) {
    TRY(NotificationRule rule, check_rule(queue, region, random));
    for (const NotificationRule& other : rules) TRY_VOID(check_overlap(rule, other));
    rules.push_back(std::move(rule));
  }
  return rules;
}

NotificationConfiguration notification_configuration(const std::vector<NotificationRule>& rules) {
  NotificationConfiguration configuration;
  for (const NotificationRule& rule : rules) {
    QueueConfiguration queue;
    queue.id = rule.id;
    queue.queue_arn = rule.queue_arn;
    queue.events = rule.events;
    std::vector<FilterRule> filter;
    if (rule.prefix) filter.push_back({"Prefix", *rule.prefix});
    if (rule.suffix) filter.push_back({"Suffix", *rule.suffix});
    if (!filter.empty()) queue.filter.emplace().key.emplace().filter_rules = std::move(filter);
    if (!configuration.queue_configurations) configuration.queue_configurations.emplace();
    configuration.queue_configurations->push_back(std::move(queue));
  }
  return configuration;
}

std::string_view event_name(ObjectEvent event) {
  switch (event) {
    case ObjectEvent::Put: return "ObjectCreated:Put";
    case ObjectEvent::Copy: return "ObjectCreated:Copy";
    case ObjectEvent::CompleteMultipartUpload: return "ObjectCreated:CompleteMultipartUpload";
    case ObjectEvent::Delete: return "ObjectRemoved:Delete";
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
                           const ObjectRecord* object, std::uint64_t sequence) {
  const wire::S3Ids ids = wire::s3_ids(context.request_id);
  json::object described{{"key", encode_key(key)}};
  if (object != nullptr) {
    described["size"] = object->bytes;
    described["eTag"] = object->etag;
  }
  described["sequencer"] = sequencer(sequence);
  const json::object record{
      {"eventVersion", "2.1"},
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
