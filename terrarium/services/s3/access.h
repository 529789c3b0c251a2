// Who may do what in a bucket: the bucket's policy and its public access block. Pure.
//
// The account's root may do everything that the policy does not deny, and always change the policy
// itself. Users and roles of the account: as root, within what their own policies allow, which the
// layer above has asked. Everybody else needs the policy's Allow, and gets nothing from a public
// policy while RestrictPublicBuckets is on.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "terrarium/services/s3/records.h"
#include "terrarium/wire/policy.h"

namespace terrarium::s3 {

// Parses and checks what PutBucketPolicy was given: MalformedPolicy.
base::Result<wire::Policy> parse_bucket_policy(std::string_view json, std::string_view bucket);

// `key` empty: of the bucket itself. `conditions`: S3's own condition keys ("s3:prefix").
base::Result<void> check_access(const wire::Context& context, const BucketRecord& bucket,
                                std::string_view action, std::string_view key,
                                wire::ConditionContext conditions = {});

// Whether the caller may learn that a key is not there: S3 says so to those who may list.
bool may_list(const wire::Context& context, const BucketRecord& bucket);

}  // namespace terrarium::s3
