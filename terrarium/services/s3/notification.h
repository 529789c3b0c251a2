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

// The queue rules of a configuration; ids are drawn where none is given. Refuses what S3 refuses,
// and destinations other than queues. `region`: the bucket's, where its queues must be.
base::Result<std::vector<NotificationRule>> check_notifications(
    const NotificationConfiguration& configuration, std::string_view region, base::Random& random);
NotificationConfiguration notification_configuration(const std::vector<NotificationRule>& rules);

enum class ObjectEvent : std::uint8_t { Put, Copy, CompleteMultipartUpload, Delete };

// "ObjectCreated:Put".
std::string_view event_name(ObjectEvent event);
bool matches(const NotificationRule& rule, ObjectEvent event, std::string_view key);

// `object`: null for a removal.
std::string event_document(const wire::Context& context, const BucketRecord& bucket,
                           const NotificationRule& rule, ObjectEvent event, std::string_view key,
                           const ObjectRecord* object, std::uint64_t sequence);
// What a destination gets when it is configured.
std::string test_event_document(const wire::Context& context, std::string_view bucket);

}  // namespace terrarium::s3
