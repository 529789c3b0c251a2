#include "terrarium/services/sts/service.h"

#include "generated/sts/errors.h"
#include "terrarium/services/sts/rules.h"
#include "terrarium/services/sts/trust.h"

namespace terrarium::sts {
namespace {

using base::Result;
using runtime::Task;

constexpr std::int32_t kRoleSecondsDefault = 3600;
constexpr std::int32_t kChainedSecondsMax = 3600;
constexpr std::int32_t kSessionSecondsDefault = 43'200;
constexpr std::int32_t kRootSecondsMax = 3600;

Credentials credentials_of(const iam::TemporaryCredentials& made) {
  return {made.access_key_id, made.secret_access_key, made.session_token, made.expiration};
}

bool is_temporary(const wire::Context& context) {
  return context.principal.access_key_id.starts_with("ASIA");
}

// No device of anybody is known here, so no code of one can be right.
Result<void> refuse_device(const std::optional<std::string>& serial,
                           const std::optional<std::string>& code) {
  if (!serial && !code) return {};
  return base::fail(errors::kAccessDenied,
                    "MultiFactorAuthentication failed with invalid MFA one time pass code.");
}

Result<std::chrono::seconds> role_lifetime(const wire::Context& context,
                                           const AssumeRoleRequest& request,
                                           const iam::RoleFacts& role) {
  const std::int32_t seconds = request.duration_seconds.value_or(kRoleSecondsDefault);
  const bool chained = context.principal.kind == wire::PrincipalKind::AssumedRole;
  if (chained && seconds > kChainedSecondsMax) {
    return base::fail(errors::kValidationError,
                      "The requested DurationSeconds exceeds the 1 hour session limit for roles "
                      "assumed by role chaining.");
  }
  if (std::chrono::seconds(seconds) > role.max_session) {
    return base::fail(
        errors::kValidationError,
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  }
  return std::chrono::seconds(seconds);
}

// Root's sessions are cut to an hour, as AWS cuts them.
std::chrono::seconds own_lifetime(const wire::Context& context,
                                  std::optional<std::int32_t> requested) {
  const bool root = context.principal.kind == wire::PrincipalKind::Root;
  const std::int32_t seconds = requested.value_or(kSessionSecondsDefault);
  return std::chrono::seconds(root ? std::min(seconds, kRootSecondsMax) : seconds);
}

}  // namespace

Result<void> Service::check_policies(const iam::SessionLimits& limits) const {
  for (const std::string& arn : limits.policy_arns) {
    TRY(const bool exists, iam_.policy_exists(arn));
    if (exists) continue;
    return base::fail(errors::kValidationError,
                      "Policy " + arn + " does not exist or is not attachable.");
  }
  return {};
}

Task<Result<GetCallerIdentityResponse>> Service::get_caller_identity(const wire::Context& context,
                                                                     GetCallerIdentityRequest) {
  co_return GetCallerIdentityResponse{context.principal.id, context.principal.account,
                                      context.principal.arn};
}

Task<Result<AssumeRoleResponse>> Service::assume_role(const wire::Context& context,
                                                      AssumeRoleRequest request) {
  CO_TRY_VOID(check_role_arn(request.role_arn));
  CO_TRY_VOID(check_session_name(request.role_session_name, "roleSessionName"));
  CO_TRY_VOID(refuse_device(request.serial_number, request.token_code));
  CO_TRY(const iam::SessionLimits caller, iam_.limits_of(context.principal.access_key_id));
  CO_TRY(iam::SessionLimits limits,
         limits_of({request.policy, request.policy_arns, request.tags, request.transitive_tag_keys,
                    request.source_identity},
                   caller));
  const auto role = iam_.role(request.role_arn);
  const TrustQuestion question{.role_arn = request.role_arn,
                               .session_name = request.role_session_name,
                               .external_id = request.external_id,
                               .tags = limits.tags,
                               .transitive_tags = limits.transitive_tags,
                               .source_identity = request.source_identity};
  if (!role || !*role || !trusts((*role)->trust, context, question)) {
    // AWS does not tell who may not assume a role whether there is one.
    co_return base::fail(
        errors::kAccessDenied,
        "User: " + context.principal.arn +
            " is not authorized to perform: sts:AssumeRole on resource: " + request.role_arn);
  }
  CO_TRY(const std::chrono::seconds lifetime, role_lifetime(context, request, **role));
  CO_TRY_VOID(check_policies(limits));
  const std::int32_t packed = packed_size(limits);
  const std::string identity = limits.source_identity;
  CO_TRY(const iam::TemporaryCredentials made,
         co_await iam_.assume_role(request.role_arn, request.role_session_name, lifetime,
                                   std::move(limits)));
  AssumeRoleResponse response;
  response.credentials = credentials_of(made);
  response.assumed_role_user = AssumedRoleUser{made.assumed_role_id, made.assumed_role_arn};
  if (packed > 0) response.packed_policy_size = packed;
  if (!identity.empty()) response.source_identity = identity;
  co_return response;
}

Task<Result<GetSessionTokenResponse>> Service::get_session_token(const wire::Context& context,
                                                                 GetSessionTokenRequest request) {
  if (is_temporary(context)) {
    co_return base::fail(errors::kAccessDenied,
                         "Cannot call GetSessionToken with session credentials");
  }
  CO_TRY_VOID(refuse_device(request.serial_number, request.token_code));
  CO_TRY(const iam::TemporaryCredentials made,
         co_await iam_.session_of(context.principal.access_key_id,
                                  own_lifetime(context, request.duration_seconds)));
  co_return GetSessionTokenResponse{credentials_of(made)};
}

Task<Result<GetFederationTokenResponse>> Service::get_federation_token(
    const wire::Context& context, GetFederationTokenRequest request) {
  if (is_temporary(context)) {
    co_return base::fail(errors::kAccessDenied,
                         "Cannot call GetFederationToken with session credentials");
  }
  CO_TRY_VOID(check_session_name(request.name, "name"));
  CO_TRY(iam::SessionLimits limits,
         limits_of({request.policy, request.policy_arns, request.tags, std::nullopt, std::nullopt},
                   {}));
  CO_TRY_VOID(check_policies(limits));
  const std::int32_t packed = packed_size(limits);
  CO_TRY(
      const iam::TemporaryCredentials made,
      co_await iam_.federate(context.principal.access_key_id, request.name,
                             own_lifetime(context, request.duration_seconds), std::move(limits)));
  GetFederationTokenResponse response;
  response.credentials = credentials_of(made);
  response.federated_user = FederatedUser{made.assumed_role_id, made.assumed_role_arn};
  response.packed_policy_size = packed;
  co_return response;
}

Task<Result<GetAccessKeyInfoResponse>> Service::get_access_key_info(
    const wire::Context&, GetAccessKeyInfoRequest request) {
  CO_TRY(const std::optional<std::string> account, iam_.account_of_key(request.access_key_id));
  if (!account) {
    co_return base::fail(errors::kValidationError,
                         "The access key " + request.access_key_id + " is not known.");
  }
  co_return GetAccessKeyInfoResponse{*account};
}

Task<Result<AssumeRoleWithSAMLResponse>> Service::assume_role_with_saml(const wire::Context&,
                                                                        AssumeRoleWithSAMLRequest) {
  co_return base::fail(errors::kInvalidIdentityTokenException, "Specified provider doesn't exist");
}

Task<Result<AssumeRoleWithWebIdentityResponse>> Service::assume_role_with_web_identity(
    const wire::Context&, AssumeRoleWithWebIdentityRequest request) {
  co_return base::fail(errors::kInvalidIdentityTokenException,
                       web_token_refusal(request.web_identity_token));
}

// Nobody here encodes such messages, so none is genuine.
Task<Result<DecodeAuthorizationMessageResponse>> Service::decode_authorization_message(
    const wire::Context&, DecodeAuthorizationMessageRequest) {
  co_return base::fail(errors::kInvalidAuthorizationMessageException, "Message is not valid");
}

}  // namespace terrarium::sts
