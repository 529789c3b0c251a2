// The condition keys that every service shares, filled in from a call.
#include <string>

#include "lib/base/encoding.h"
#include "terrarium/wire/policy.h"

namespace terrarium::wire {
namespace {

void add_time(ConditionContext& context, base::Timestamp now) {
  context["aws:currenttime"] = {base::iso8601(now, 0)};
  context["aws:epochtime"] = {
      std::to_string(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count())};
}

// A federated user's name is in its session only: to IAM it is no user.
bool is_federated(const Principal& principal) {
  return principal.kind == PrincipalKind::User && principal.arn.starts_with("arn:aws:sts:");
}

std::string principal_type(const Principal& principal) {
  switch (principal.kind) {
    case PrincipalKind::Anonymous: return "Anonymous";
    case PrincipalKind::Root: return "Account";
    case PrincipalKind::User: return is_federated(principal) ? "FederatedUser" : "User";
    case PrincipalKind::AssumedRole: return "AssumedRole";
    case PrincipalKind::Service: return "Service";
  }
  return {};
}

void add_principal(ConditionContext& context, const Principal& principal) {
  const bool service = principal.kind == PrincipalKind::Service;
  const bool anonymous = principal.kind == PrincipalKind::Anonymous;
  context["aws:principalisawsservice"] = {service ? "true" : "false"};
  context["aws:viaawsservice"] = {"false"};
  context["aws:principaltype"] = {principal_type(principal)};
  if (service) {
    context["aws:principalservicename"] = {principal.arn};
    return;
  }
  context["aws:userid"] = {anonymous ? "anonymous" : principal.id};
  if (anonymous) return;
  context["aws:principalaccount"] = {principal.account};
  std::string arn = principal.arn;
  constexpr std::string_view kSession = ":assumed-role/";
  // IAM shows a session's role here, not the session.
  if (const std::size_t at = arn.find(kSession);
      principal.kind == PrincipalKind::AssumedRole && at != std::string::npos) {
    const std::string role = arn.substr(at + kSession.size());
    arn = "arn:aws:iam::" + principal.account + ":role/" + role.substr(0, role.find('/'));
  }
  if (principal.kind == PrincipalKind::User && !is_federated(principal)) {
    context["aws:username"] = {arn.substr(arn.rfind('/') + 1)};
  }
  context["aws:principalarn"] = {std::move(arn)};
  // Only temporary credentials could tell of a device; nobody here has one.
  if (principal.access_key_id.starts_with("ASIA")) {
    context["aws:multifactorauthpresent"] = {"false"};
  }
}

}  // namespace

PolicyRequest policy_request(const Context& context, std::string action, std::string resource) {
  PolicyRequest made{context.principal, std::move(action), std::move(resource), {}};
  add_time(made.context, context.now);
  add_principal(made.context, context.principal);
  made.context["aws:requestedregion"] = {context.region};
  made.context["aws:resourceaccount"] = {context.account};
  const bool tls =
      context.request != nullptr && context.request->peer != nullptr && context.request->peer->tls;
  made.context["aws:securetransport"] = {tls ? "true" : "false"};
  if (!context.source_ip.empty()) made.context["aws:sourceip"] = {context.source_ip};
  if (context.request == nullptr) return made;
  if (const auto agent = context.request->headers.find("User-Agent")) {
    made.context["aws:useragent"] = {std::string(*agent)};
  }
  if (const auto referer = context.request->headers.find("Referer")) {
    made.context["aws:referer"] = {std::string(*referer)};
  }
  return made;
}

PolicyRequest policy_request_of_service(std::string service, std::string source_arn,
                                        std::string source_account, base::Timestamp now,
                                        std::string action, std::string resource) {
  PolicyRequest made{{.kind = PrincipalKind::Service, .arn = std::move(service)},
                     std::move(action),
                     std::move(resource),
                     {}};
  add_time(made.context, now);
  add_principal(made.context, made.principal);
  // The region's own services speak to each other without leaving the process.
  made.context["aws:securetransport"] = {"true"};
  made.context["aws:sourcearn"] = {std::move(source_arn)};
  made.context["aws:sourceaccount"] = {std::move(source_account)};
  return made;
}

}  // namespace terrarium::wire
