// Who may do what in a bucket: the bucket's policy, access control lists and public access block.
// Pure.
//
// The account's root may do everything that the policy does not deny, and always change the policy
// itself. Users and roles of the account: what their own policies or the bucket's allow, together
// (wire/permissions.h), or a grant. Everybody else needs the policy's Allow or a grant: nothing
// comes from a public policy while RestrictPublicBuckets is on, nothing from a list while
// IgnorePublicAcls is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "terrarium/services/s3/bucket_policy.h"
#include "terrarium/services/s3/policy_conditions.h"
#include "terrarium/services/s3/records.h"
#include "terrarium/wire/policy.h"

namespace terrarium::s3 {

wire::ConditionContext version_condition(const std::optional<std::string>& version_id);

enum class Verdict : std::uint8_t { Allowed, Denied, Unspoken };
struct Judgement {
  Verdict verdict = Verdict::Unspoken;
  std::string reason;  // unless Allowed: why, in AWS's words
};

// What the policy and the bucket's own list say. Unspoken: nothing, so that the list of an object
// may still allow it. `key` empty: of the bucket itself. `conditions`: S3's own condition keys
// ("s3:prefix").
Judgement judge(const wire::Context& context, const BucketRecord& bucket, std::string_view action,
                std::string_view key, const wire::ConditionContext& conditions = {});
// Whether it is for the list of an object to allow this action.
bool is_object_action(std::string_view action);
// What the list of an object or of a version says.
bool object_acl_allows(const wire::Context& context, const BucketRecord& bucket,
                       std::string_view stored, std::string_view action);
std::unexpected<base::Error> access_denied(const wire::Context& context, const BucketRecord& bucket,
                                           std::string_view action, std::string_view key,
                                           const Judgement& judgement);
// Unspoken is a refusal.
base::Result<void> check_access(const wire::Context& context, const BucketRecord& bucket,
                                std::string_view action, std::string_view key,
                                const wire::ConditionContext& conditions = {});

// Whether the caller may learn that a key is not there: S3 says so to those who may list.
bool may_list(const wire::Context& context, const BucketRecord& bucket);

}  // namespace terrarium::s3
