#include "terrarium/services/sts/trust.h"

#include "lib/base/encoding.h"
#include "terrarium/wire/identity_policy.h"
#include "terrarium/wire/permissions.h"

namespace terrarium::sts {
namespace {

using wire::Decision;

// What an account may, everyone in it may whose own policies say so.
wire::PolicyRequest as_account(wire::PolicyRequest request) {
  request.principal.kind = wire::PrincipalKind::Root;
  request.principal.arn = "arn:aws:iam::" + request.principal.account + ":root";
  return request;
}

bool allows(const wire::Policy& trust, const wire::Permissions* own,
            const wire::PolicyRequest& request) {
  switch (trust.evaluate(request)) {
    case Decision::Deny: return false;
    case Decision::Allow: return own == nullptr || wire::judge(*own, &trust, request).allowed;
    case Decision::None: break;
  }
  return trust.evaluate(as_account(request)) == Decision::Allow &&
         (own == nullptr || wire::judge(*own, nullptr, request).allowed);
}

}  // namespace

bool trusts(std::string_view trust_policy, const wire::Context& context,
            const TrustQuestion& question) {
  wire::ConditionContext own{{"sts:rolesessionname", {question.session_name}}};
  if (question.external_id) own["sts:externalid"] = {*question.external_id};
  if (question.source_identity) own["sts:sourceidentity"] = {*question.source_identity};
  std::vector<std::string> tag_keys;
  for (const auto& [key, text] : question.tags) {
    own["aws:requesttag/" + base::to_lower(key)] = {text};
    tag_keys.push_back(key);
  }
  if (!tag_keys.empty()) own["aws:tagkeys"] = tag_keys;
  if (!question.transitive_tags.empty()) own["sts:transitivetagkeys"] = question.transitive_tags;
  // Keys that a policy may speak of whether or not this call has them.
  std::vector<std::string_view> keys = {"sts:externalid", "sts:rolesessionname",
                                        "sts:sourceidentity", "sts:transitivetagkeys",
                                        "aws:tagkeys"};
  for (const auto& [key, values] : own) keys.push_back(key);
  const auto trust = wire::parse_trust_policy(trust_policy, keys);
  const auto permissions = wire::permissions_of(context);
  if (!trust || !permissions) return false;
  std::vector<std::string> actions = {"sts:AssumeRole"};
  if (!question.tags.empty() || !question.transitive_tags.empty()) {
    actions.emplace_back("sts:TagSession");
  }
  if (question.source_identity) actions.emplace_back("sts:SetSourceIdentity");
  for (const std::string& action : actions) {
    wire::PolicyRequest request = wire::policy_request(context, action, question.role_arn);
    request.context.insert(own.begin(), own.end());
    if (!allows(*trust, permissions->get(), request)) return false;
  }
  return true;
}

}  // namespace terrarium::sts
