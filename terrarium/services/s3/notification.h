// Bucket notifications: the rules that a configuration must keep, which of them an event meets, and
// the documents that are sent, to the letter of AWS's "Event message structure". Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generated/s3/model.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "terrarium/services/s3/records.h"
#include "terrarium/wire/service.h"

namespace terrarium::s3 {

// How S3 calls itself at queues and functions.
inline constexpr std::string_view kSender = "s3.amazonaws.com";

// Whether a rule's destination is a function; else it is a queue.
bool is_function(std::string_view destination_arn);

// The rules of a configuration; ids are drawn where none is given. Refuses what S3 refuses, and
// topics and EventBridge. `region`: the bucket's, where its destinations must be.
base::Result<std::vector<NotificationRule>> check_notifications(
    const NotificationConfiguration& configuration, std::string_view region, base::Random& random);
NotificationConfiguration notification_configuration(const std::vector<NotificationRule>& rules);

enum class ObjectEvent : std::uint8_t {
  Put,
  Post,
  Copy,
  CompleteMultipartUpload,
  Delete,
  DeleteMarkerCreated,
  LifecycleDelete,
  LifecycleDeleteMarkerCreated,
  TaggingPut,
  TaggingDelete,
  AclPut,
};

// "ObjectCreated:Put".
std::string_view event_name(ObjectEvent event);
bool matches(const NotificationRule& rule, ObjectEvent event, std::string_view key);

// `object`: the version that it is about.
std::string event_document(const wire::Context& context, const BucketRecord& bucket,
                           const NotificationRule& rule, ObjectEvent event, std::string_view key,
                           const ObjectRecord& object, std::uint64_t sequence);
// What a queue gets when it is configured.
std::string test_event_document(const wire::Context& context, std::string_view bucket);

}  // namespace terrarium::s3
