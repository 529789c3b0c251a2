#include "terrarium/services/imds/credentials.h"

#include <boost/json.hpp>

#include "lib/base/encoding.h"

namespace terrarium::imds {
namespace {

using base::Result;
using runtime::Task;

constexpr std::chrono::hours kLifetime{6};
// Clients begin to worry twenty minutes before the end.
constexpr std::chrono::hours kRenewedBefore{1};

std::string quoted(const std::string& text) {
  return boost::json::serialize(boost::json::value(text));
}

std::string refusal(const std::string& role_arn, base::Timestamp now) {
  return "{\n  \"Code\" : \"AssumeRoleUnauthorizedAccess\",\n  \"Message\" : " +
         quoted("EC2 cannot assume the role " + role_arn.substr(role_arn.rfind('/') + 1) +
                ". Please see documentation at "
                "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html"
                "#troubleshoot_iam-ec2_errors-info-doc.") +
         ",\n  \"LastUpdated\" : " + quoted(base::iso8601(now, 0)) + "\n}";
}

}  // namespace

void RoleCredentials::forget_expired() {
  const base::Timestamp now = clock_.now();
  std::erase_if(kept_,
                [now](const auto& entry) { return entry.second.credentials.expiration <= now; });
}

Task<Result<std::string>> RoleCredentials::document(std::string instance_id, std::string role_arn) {
  const auto trusted = roles_.trusts(role_arn, "ec2.amazonaws.com");
  if (!trusted || !*trusted) {
    kept_.erase(instance_id);
    co_return refusal(role_arn, clock_.now());
  }
  auto found = kept_.find(instance_id);
  if (found == kept_.end() || found->second.role_arn != role_arn ||
      clock_.now() + kRenewedBefore >= found->second.credentials.expiration) {
    forget_expired();
    CO_TRY(iam::TemporaryCredentials made,
           co_await iam_.assume(role_arn, instance_id, std::chrono::seconds(kLifetime)));
    found =
        kept_.insert_or_assign(instance_id, Kept{role_arn, std::move(made), clock_.now()}).first;
  }
  const iam::TemporaryCredentials& credentials = found->second.credentials;
  co_return "{\n  \"Code\" : \"Success\",\n  \"LastUpdated\" : " +
      quoted(base::iso8601(found->second.made, 0)) +
      ",\n  \"Type\" : \"AWS-HMAC\",\n  \"AccessKeyId\" : " + quoted(credentials.access_key_id) +
      ",\n  \"SecretAccessKey\" : " + quoted(credentials.secret_access_key) +
      ",\n  \"Token\" : " + quoted(credentials.session_token) +
      ",\n  \"Expiration\" : " + quoted(base::iso8601(credentials.expiration, 0)) + "\n}";
}

}  // namespace terrarium::imds
