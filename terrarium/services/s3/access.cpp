#include "terrarium/services/s3/access.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

#include "generated/s3/errors.h"
#include "lib/base/log.h"
#include "terrarium/services/s3/acl.h"
#include "terrarium/services/s3/names.h"
#include "terrarium/wire/permissions.h"

namespace terrarium::s3 {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> kConditionKeys{"s3:prefix", "s3:delimiter", "s3:max-keys",
                                                         kVersionCondition};

bool matches(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t in_text = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (in_text < text.size()) {
    if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == text[in_text])) {
      ++at;
      ++in_text;
    } else if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      star_text = in_text;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in_text = ++star_text;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

// A statement about another bucket would never take part: S3 refuses it.
bool is_resource_of(std::string_view resource, std::string_view bucket) {
  constexpr std::string_view prefix = "arn:aws:s3:::";
  if (resource == "*") return true;
  if (!resource.starts_with(prefix)) return false;
  resource.remove_prefix(prefix.size());
  return matches(resource.substr(0, resource.find('/')), bucket);
}

bool resources_fit(const json::value& resources, std::string_view bucket) {
  if (const auto* text = resources.if_string()) return is_resource_of(*text, bucket);
  const auto* list = resources.if_array();
  if (list == nullptr || list->empty()) return false;
  for (const json::value& resource : *list) {
    const auto* text = resource.if_string();
    if (text == nullptr || !is_resource_of(*text, bucket)) return false;
  }
  return true;
}

bool statement_fits(const json::value& statement, std::string_view bucket) {
  const auto* object = statement.if_object();
  if (object == nullptr) return false;
  const json::value* const named = object->if_contains("Resource");
  const json::value* const others = object->if_contains("NotResource");
  if (named != nullptr) return resources_fit(*named, bucket);
  return others != nullptr && resources_fit(*others, bucket);
}

bool resources_fit(std::string_view text, std::string_view bucket) {
  json::error_code error;
  const json::value document = json::parse(text, error);
  const auto* const object = error ? nullptr : document.if_object();
  const json::value* const statements =
      object == nullptr ? nullptr : object->if_contains("Statement");
  if (statements == nullptr) return false;
  const auto* const list = statements->if_array();
  if (list == nullptr) return statement_fits(*statements, bucket);
  for (const json::value& statement : *list) {
    if (!statement_fits(statement, bucket)) return false;
  }
  return true;
}

std::string resource_arn(std::string_view bucket, std::string_view key) {
  std::string arn = bucket_arn(bucket);
  if (!key.empty()) arn += "/" + std::string(key);
  return arn;
}

bool is_of_account(const wire::Context& context) {
  return context.principal.kind != wire::PrincipalKind::Anonymous &&
         context.principal.account == context.account;
}

struct Granted {
  std::string_view action;
  Permission permission;
};

// Source: "Mapping of ACL permissions and access policy permissions", Amazon S3 User Guide.
constexpr std::array<Granted, 7> kBucketGrants{{{"s3:ListBucket", Permission::Read},
                                                {"s3:ListBucketVersions", Permission::Read},
                                                {"s3:ListBucketMultipartUploads", Permission::Read},
                                                {"s3:PutObject", Permission::Write},
                                                {"s3:DeleteObject", Permission::Write},
                                                {"s3:GetBucketAcl", Permission::ReadAcp},
                                                {"s3:PutBucketAcl", Permission::WriteAcp}}};
constexpr std::array<Granted, 6> kObjectGrants{{{"s3:GetObject", Permission::Read},
                                                {"s3:GetObjectVersion", Permission::Read},
                                                {"s3:GetObjectAcl", Permission::ReadAcp},
                                                {"s3:GetObjectVersionAcl", Permission::ReadAcp},
                                                {"s3:PutObjectAcl", Permission::WriteAcp},
                                                {"s3:PutObjectVersionAcl", Permission::WriteAcp}}};

bool grants(const auto& table, std::string_view action, std::string_view stored,
            const wire::Principal& principal) {
  const auto row = std::ranges::find(table, action, &Granted::action);
  return row != table.end() && acl_allows(stored, principal, row->permission);
}

bool lists_count(const BucketRecord& bucket) {
  const bool ignored = bucket.public_access_block && bucket.public_access_block->ignore_public_acls;
  return acls_enabled(bucket) && !ignored;
}

// What the policy says to somebody who is not of the account.
bool policy_admits(const wire::Policy& policy, wire::Decision decision,
                   const BucketRecord& bucket) {
  if (decision != wire::Decision::Allow) return false;
  const bool restricted =
      bucket.public_access_block && bucket.public_access_block->restrict_public_buckets;
  return !restricted || !policy.is_public();
}

bool is_policy_action(std::string_view action) {
  return action == "s3:GetBucketPolicy" || action == "s3:PutBucketPolicy" ||
         action == "s3:DeleteBucketPolicy";
}

base::Result<wire::PermissionsPtr> own_permissions(const wire::Context& context, bool of_account) {
  if (!of_account) return wire::PermissionsPtr();
  return wire::permissions_of(context);
}

// A user or session of the account.
Judgement judge_own(const wire::Permissions& own, const std::optional<wire::Policy>& policy,
                    const wire::PolicyRequest& request) {
  const wire::Judgement judgement = wire::judge(own, policy ? &*policy : nullptr, request);
  if (judgement.allowed) return {Verdict::Allowed, {}};
  // A list may still grant what nobody spoke of, as it does to everybody.
  const bool unspoken = !judgement.explicit_deny && judgement.by == wire::PolicyType::Identity;
  return {unspoken ? Verdict::Unspoken : Verdict::Denied,
          wire::reason_of(judgement, request.action)};
}

// Root, and whoever is not of the account.
Judgement judge_by_policy(const std::optional<wire::Policy>& policy,
                          const wire::PolicyRequest& request, bool of_account,
                          const BucketRecord& bucket) {
  const wire::Decision decision = policy ? policy->evaluate(request) : wire::Decision::None;
  const bool denied = decision == wire::Decision::Deny;
  if (!denied && (of_account || (policy && policy_admits(*policy, decision, bucket)))) {
    return {Verdict::Allowed, {}};
  }
  return {denied ? Verdict::Denied : Verdict::Unspoken,
          wire::reason_of({false, denied, wire::PolicyType::Resource}, request.action)};
}

}  // namespace

wire::ConditionContext version_condition(const std::optional<std::string>& version_id) {
  wire::ConditionContext condition;
  if (version_id) condition.emplace(kVersionCondition, std::vector{*version_id});
  return condition;
}

base::Result<wire::Policy> parse_bucket_policy(std::string_view text, std::string_view bucket) {
  if (text.size() > kPolicyBytesMax) {
    return base::fail(errors::kMalformedPolicy,
                      "Policy exceeds the maximum allowed document size.");
  }
  if (!text.starts_with('{')) {
    return base::fail(errors::kMalformedPolicy,
                      "Policies must be valid JSON and the first byte must be '{'");
  }
  base::Result<wire::Policy> policy = wire::Policy::parse(text, kConditionKeys);
  if (!policy.has_value()) {
    return base::fail(errors::kMalformedPolicy, policy.error().message);
  }
  if (!resources_fit(text, bucket)) {
    return base::fail(errors::kMalformedPolicy, "Policy has invalid resource");
  }
  return policy;
}

Judgement judge(const wire::Context& context, const BucketRecord& bucket, std::string_view action,
                std::string_view key, const wire::ConditionContext& conditions) {
  const bool of_account = is_of_account(context);
  const base::Result<wire::PermissionsPtr> own = own_permissions(context, of_account);
  // Who can't be asked about may not.
  if (!own) return {Verdict::Denied, "because its policies can't be read"};
  if (bucket.policy.empty() && of_account && *own == nullptr) return {Verdict::Allowed, {}};
  const bool root = of_account && context.principal.kind == wire::PrincipalKind::Root;
  if (root && is_policy_action(action)) return {Verdict::Allowed, {}};
  std::optional<wire::Policy> policy;
  if (!bucket.policy.empty()) {
    base::Result<wire::Policy> parsed = wire::Policy::parse(bucket.policy, kConditionKeys);
    if (!parsed.has_value()) {
      // Read when it was put: one that is unreadable now may deny, so nobody passes.
      base::log::error("s3", "bucket {}: its policy is unreadable", bucket.name);
      return {Verdict::Denied, "with an explicit deny in a resource-based policy"};
    }
    policy = *std::move(parsed);
  }
  wire::PolicyRequest request =
      wire::policy_request(context, std::string(action), resource_arn(bucket.name, key));
  for (const auto& [name, values] : conditions) request.context.emplace(name, values);
  Judgement judgement = *own ? judge_own(**own, policy, request)
                             : judge_by_policy(policy, request, of_account, bucket);
  const bool granted = judgement.verdict == Verdict::Unspoken && lists_count(bucket) &&
                       grants(kBucketGrants, action, bucket.acl, context.principal);
  return granted ? Judgement{Verdict::Allowed, {}} : judgement;
}

bool is_object_action(std::string_view action) {
  return std::ranges::find(kObjectGrants, action, &Granted::action) != kObjectGrants.end();
}

bool object_acl_allows(const wire::Context& context, const BucketRecord& bucket,
                       std::string_view stored, std::string_view action) {
  return lists_count(bucket) && grants(kObjectGrants, action, stored, context.principal);
}

std::unexpected<base::Error> access_denied(const wire::Context& context, const BucketRecord& bucket,
                                           std::string_view action, std::string_view key,
                                           const Judgement& judgement) {
  if (context.principal.kind == wire::PrincipalKind::Anonymous) {
    return base::fail(errors::kAccessDenied, "Access Denied");
  }
  return base::fail(
      errors::kAccessDenied,
      "User: " + context.principal.arn + " is not authorized to perform: " + std::string(action) +
          " on resource: \"" + resource_arn(bucket.name, key) + "\" " + judgement.reason);
}

base::Result<void> check_access(const wire::Context& context, const BucketRecord& bucket,
                                std::string_view action, std::string_view key,
                                const wire::ConditionContext& conditions) {
  const Judgement judgement = judge(context, bucket, action, key, conditions);
  if (judgement.verdict == Verdict::Allowed) return {};
  return access_denied(context, bucket, action, key, judgement);
}

bool may_list(const wire::Context& context, const BucketRecord& bucket) {
  return check_access(context, bucket, "s3:ListBucket", {}).has_value();
}

}  // namespace terrarium::s3
