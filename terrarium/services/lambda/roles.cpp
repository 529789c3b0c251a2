#include "terrarium/services/lambda/roles.h"

#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {

base::Result<void> check_role_trust(const iam::Roles& roles, const std::string& role_arn) {
  TRY(const bool trusted, roles.trusts(role_arn, "lambda.amazonaws.com"));
  if (trusted) return {};
  return invalid("The role defined for the function cannot be assumed by Lambda.");
}

base::Result<void> check_polling_role(const iam::Roles& roles, const std::string& region,
                                      const std::string& role_arn, const std::string& queue_arn) {
  for (const std::string action : {"ReceiveMessage", "DeleteMessage", "GetQueueAttributes"}) {
    TRY(const bool may, roles.role_may(role_arn, region, "sqs:" + action, queue_arn));
    if (may) continue;
    return invalid("The provided execution role does not have permissions to call " + action +
                   " on SQS");
  }
  return {};
}

base::Result<void> check_dead_letter_role(const iam::Roles& roles, const std::string& region,
                                          const std::string& role_arn,
                                          const std::string& queue_arn) {
  if (queue_arn.empty()) return {};
  TRY(const bool may, roles.role_may(role_arn, region, "sqs:SendMessage", queue_arn));
  if (may) return {};
  return invalid(
      "The provided execution role does not have permissions to call SendMessage on SQS");
}

}  // namespace terrarium::lambda
