#include "terrarium/services/sts/service.h"

#include "generated/sts/errors.h"

namespace terrarium::sts {
namespace {

using base::Result;
using runtime::Task;

constexpr std::int32_t kSessionSecondsMin = 900;
constexpr std::int32_t kSessionSecondsMax = 43'200;
constexpr std::int32_t kSessionSecondsDefault = 3600;

// What would narrow or mark the session, and would be ignored here.
Result<void> refuse_unsupported(const AssumeRoleRequest& request) {
  const std::pair<bool, std::string_view> parameters[] = {
      {request.policy.has_value(), "Policy"},
      {request.policy_arns.has_value(), "PolicyArns"},
      {request.tags.has_value(), "Tags"},
      {request.transitive_tag_keys.has_value(), "TransitiveTagKeys"},
      {request.serial_number.has_value(), "SerialNumber"},
      {request.token_code.has_value(), "TokenCode"},
      {request.source_identity.has_value(), "SourceIdentity"},
      {request.external_id.has_value(), "ExternalId"}};
  for (const auto& [given, name] : parameters) {
    if (!given) continue;
    return base::fail(errors::kValidationError, "AssumeRole's parameter " + std::string(name) +
                                                    " is not supported by Terrarium.");
  }
  return {};
}

}  // namespace

Task<Result<GetCallerIdentityResponse>> Service::get_caller_identity(const wire::Context& context,
                                                                     GetCallerIdentityRequest) {
  co_return GetCallerIdentityResponse{context.principal.id, context.principal.account,
                                      context.principal.arn};
}

Task<Result<AssumeRoleResponse>> Service::assume_role(const wire::Context&,
                                                      AssumeRoleRequest request) {
  CO_TRY_VOID(refuse_unsupported(request));
  const std::int32_t seconds = request.duration_seconds.value_or(kSessionSecondsDefault);
  if (seconds < kSessionSecondsMin || seconds > kSessionSecondsMax) {
    co_return base::fail(errors::kValidationError, "DurationSeconds is from 900 to 43200 seconds.");
  }
  const auto exists = iam_.role_exists(request.role_arn);
  if (!exists || !*exists) {
    // AWS does not tell who may not assume a role whether there is one.
    co_return base::fail(
        errors::kAccessDenied,
        "User is not authorized to perform: sts:AssumeRole on resource: " + request.role_arn);
  }
  CO_TRY(const iam::TemporaryCredentials made,
         co_await iam_.assume(request.role_arn, request.role_session_name,
                              std::chrono::seconds(seconds)));
  AssumeRoleResponse response;
  response.credentials =
      Credentials{made.access_key_id, made.secret_access_key, made.session_token, made.expiration};
  response.assumed_role_user = AssumedRoleUser{made.assumed_role_id, made.assumed_role_arn};
  co_return response;
}

}  // namespace terrarium::sts
