#include "terrarium/services/s3/access.h"

#include <algorithm>
#include <array>

#include "generated/s3/errors.h"
#include "lib/base/log.h"
#include "terrarium/services/s3/acl.h"
#include "terrarium/services/s3/names.h"
#include "terrarium/wire/permissions.h"

namespace terrarium::s3 {
namespace {

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
    base::Result<wire::Policy> parsed = read_bucket_policy(bucket.policy);
    if (!parsed.has_value()) {
      // Read when it was put: one that is unreadable now may deny, so nobody passes.
      base::log::error("s3", "bucket {}: its policy is unreadable", bucket.name);
      return {Verdict::Denied, "with an explicit deny in a resource-based policy"};
    }
    policy = *std::move(parsed);
  }
  wire::PolicyRequest request =
      wire::policy_request(context, std::string(action), resource_arn(bucket.name, key));
  add_request_conditions(request.context, context);
  for (const auto& [name, values] : conditions) request.context.insert_or_assign(name, values);
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
