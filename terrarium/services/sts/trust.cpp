#include "terrarium/services/sts/trust.h"

#include <boost/json.hpp>

#include "lib/base/encoding.h"
#include "terrarium/wire/policy.h"

namespace terrarium::sts {
namespace {

using boost::json::object;
using boost::json::value;
using wire::Decision;

// One statement as a policy of its own. Trust policies name no resource: the role is meant.
Decision evaluate(const value& statement, const value* version,
                  std::span<const std::string_view> keys, const wire::PolicyRequest& request) {
  if (!statement.is_object()) return Decision::None;
  object complete = statement.as_object();
  const bool denies = complete.contains("Effect") && complete.at("Effect") == "Deny";
  complete["Resource"] = "*";
  object document{{"Statement", std::move(complete)}};
  if (version != nullptr) document["Version"] = *version;
  const auto policy = wire::Policy::parse(boost::json::serialize(document), keys);
  if (!policy) return denies ? Decision::Deny : Decision::None;
  return policy->evaluate(request);
}

Decision evaluate_all(const value& trust, std::span<const std::string_view> keys,
                      const wire::PolicyRequest& request) {
  const value* const statements = trust.as_object().if_contains("Statement");
  if (statements == nullptr) return Decision::None;
  const value* const version = trust.as_object().if_contains("Version");
  if (!statements->is_array()) return evaluate(*statements, version, keys, request);
  Decision decision = Decision::None;
  for (const value& statement : statements->as_array()) {
    const Decision one = evaluate(statement, version, keys, request);
    if (one == Decision::Deny) return one;
    if (one == Decision::Allow) decision = one;
  }
  return decision;
}

bool allows(const value& trust, std::span<const std::string_view> keys,
            wire::PolicyRequest request) {
  const Decision own = evaluate_all(trust, keys, request);
  if (own != Decision::None) return own == Decision::Allow;
  // What an account may, everyone in it may whose own policies say so.
  request.principal.kind = wire::PrincipalKind::Root;
  request.principal.arn = "arn:aws:iam::" + request.principal.account + ":root";
  return evaluate_all(trust, keys, request) == Decision::Allow;
}

}  // namespace

bool trusts(std::string_view trust_policy, const wire::Context& context,
            const TrustQuestion& question) {
  boost::system::error_code error;
  const value trust = boost::json::parse(trust_policy, error);
  if (error || !trust.is_object()) return false;
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
  std::vector<std::string_view> keys = {"sts:externalid",        "sts:rolesessionname",
                                        "sts:sourceidentity",    "sts:transitivetagkeys",
                                        "aws:tagkeys",           "aws:multifactorauthpresent",
                                        "aws:multifactorauthage"};
  for (const auto& [key, values] : own) keys.push_back(key);
  std::vector<std::string> actions = {"sts:AssumeRole"};
  if (!question.tags.empty() || !question.transitive_tags.empty()) {
    actions.emplace_back("sts:TagSession");
  }
  if (question.source_identity) actions.emplace_back("sts:SetSourceIdentity");
  for (const std::string& action : actions) {
    wire::PolicyRequest request = wire::policy_request(context, action, question.role_arn);
    request.context.insert(own.begin(), own.end());
    if (!allows(trust, keys, std::move(request))) return false;
  }
  return true;
}

}  // namespace terrarium::sts
