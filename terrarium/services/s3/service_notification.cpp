// The notification configuration of buckets.
#include <set>

#include "generated/s3/errors.h"
#include "terrarium/services/s3/service.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

constexpr std::string_view kSender = "s3.amazonaws.com";

std::string reason(const base::Error& error) {
  if (error.kind == base::ErrorKind::Denied) {
    return "Permissions on the destination queue do not allow S3 to publish notifications from "
           "this bucket";
  }
  return "The destination queue does not exist";
}

using Failures = std::vector<std::pair<std::string, std::string>>;  // ARN, reason

std::unexpected<base::Error> not_validated(const Failures& failures) {
  auto error = base::fail(errors::kInvalidArgument,
                          "Unable to validate the following destination configurations");
  for (std::size_t i = 0; i < failures.size(); ++i) {
    const std::string number = failures.size() == 1 ? "" : std::to_string(i + 1);
    error = with_field(std::move(error), "ArgumentName" + number, failures[i].first);
    error = with_field(std::move(error), "ArgumentValue" + number, failures[i].second);
  }
  return error;
}

}  // namespace

Task<base::Result<NotificationConfiguration>> Service::get_bucket_notification_configuration(
    const wire::Context& context, GetBucketNotificationConfigurationRequest request) {
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketNotification"));
  co_return notification_configuration(bucket.notifications);
}

Task<base::Result<void>> Service::validate_destinations(const wire::Context& context,
                                                        std::string bucket,
                                                        std::vector<NotificationRule> rules) {
  std::set<std::string> queues;
  for (const NotificationRule& rule : rules) queues.insert(rule.queue_arn);
  const sqs::SendingService sender{std::string(kSender), bucket_arn(bucket), config_.account};
  Failures failures;
  for (const std::string& queue : queues) {
    const auto allowed = co_await queues_.check_can_send(sender, queue);
    if (allowed.has_value()) continue;
    // Only the queue's own answer is one about the configuration.
    if (allowed.error().row == nullptr) co_return std::unexpected(allowed.error());
    failures.emplace_back(queue, reason(allowed.error()));
  }
  if (!failures.empty()) co_return not_validated(failures);
  for (const std::string& queue : queues) {
    CO_TRY_VOID(co_await queues_.send(sender, queue, test_event_document(context, bucket)));
  }
  co_return base::Result<void>();
}

Task<base::Result<wire::Empty>> Service::put_bucket_notification_configuration(
    const wire::Context& context, PutBucketNotificationConfigurationRequest request) {
  CO_TRY(BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:PutBucketNotification"));
  CO_TRY(const std::vector<NotificationRule> rules,
         check_notifications(request.notification_configuration, bucket.region, random_));
  if (!request.skip_destination_validation.value_or(false)) {
    CO_TRY_VOID(co_await validate_destinations(context, request.bucket, rules));
  }
  CO_TRY_VOID(co_await edit(context, std::move(bucket),
                            [&rules](BucketRecord& record) -> base::Result<void> {
                              record.notifications = rules;
                              return {};
                            }));
  co_return wire::Empty{};
}

}  // namespace terrarium::s3
