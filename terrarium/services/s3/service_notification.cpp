// The notification configuration of buckets.
#include <set>

#include "generated/s3/errors.h"
#include "terrarium/services/s3/settings.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;
using Failures = std::vector<std::pair<std::string, std::string>>;  // argument's name, value

std::pair<std::string, std::string> failure(const std::string& arn, const base::Error& error) {
  if (is_function(arn)) return {arn + ", null", "Not authorized to invoke function [" + arn + "]"};
  if (error.kind == base::ErrorKind::Denied) {
    return {arn,
            "Permissions on the destination queue do not allow S3 to publish notifications from "
            "this bucket"};
  }
  return {arn, "The destination queue does not exist"};
}

std::unexpected<base::Error> not_validated(const Failures& failures) {
  auto error = base::fail(errors::kInvalidArgument,
                          "Unable to validate the following destination configurations");
  for (std::size_t i = 0; i < failures.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    error = with_field(std::move(error), "ArgumentName" + number, failures[i].first);
    error = with_field(std::move(error), "ArgumentValue" + number, failures[i].second);
  }
  return error;
}

}  // namespace

void Settings::connect(lambda::Api& functions) {
  functions_ = &functions;
  outbox_.connect(functions);
}

Task<base::Result<NotificationConfiguration>> Settings::get_bucket_notification_configuration(
    const wire::Context& context, GetBucketNotificationConfigurationRequest request) {
  CO_TRY(const BucketRecord bucket,
         enter(context, request.bucket, request.expected_bucket_owner, "s3:GetBucketNotification"));
  co_return notification_configuration(bucket.notifications);
}

Task<base::Result<void>> Settings::check_destination(std::string arn, std::string bucket) {
  if (!is_function(arn)) {
    co_return co_await queues_.check_can_send(
        {std::string(kSender), bucket_arn(bucket), config_.account}, std::move(arn));
  }
  if (functions_ == nullptr) co_return not_supported("A Lambda function as destination");
  co_return co_await functions_->check_can_invoke(
      {std::string(kSender), bucket_arn(bucket), config_.account}, std::move(arn));
}

Task<base::Result<void>> Settings::validate_destinations(const wire::Context& context,
                                                         std::string bucket,
                                                         std::vector<NotificationRule> rules) {
  std::set<std::string> destinations;
  for (const NotificationRule& rule : rules) destinations.insert(rule.destination_arn);
  Failures failures;
  for (const std::string& arn : destinations) {
    const auto allowed = co_await check_destination(arn, bucket);
    if (allowed.has_value()) continue;
    // Only the destination's own answer is one about the configuration.
    if (allowed.error().row == nullptr) co_return std::unexpected(allowed.error());
    failures.push_back(failure(arn, allowed.error()));
  }
  if (!failures.empty()) co_return not_validated(failures);
  for (const std::string& arn : destinations) {
    if (is_function(arn)) continue;
    CO_TRY_VOID(co_await queues_.send({std::string(kSender), bucket_arn(bucket), config_.account},
                                      arn, test_event_document(context, bucket)));
  }
  co_return base::Result<void>();
}

Task<base::Result<wire::Empty>> Settings::put_bucket_notification_configuration(
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
