// What PutBucketPolicy takes: the document's elements, that each statement is about this bucket,
// and that its actions are S3's and apply to a resource of the statement. Pure.
#pragma once

#include <string_view>

#include "lib/base/result.h"
#include "terrarium/wire/policy.h"

namespace terrarium::s3 {

// MalformedPolicy.
base::Result<wire::Policy> parse_bucket_policy(std::string_view json, std::string_view bucket);
// One that was taken before, by an older version's rules perhaps.
base::Result<wire::Policy> read_bucket_policy(std::string_view json);

}  // namespace terrarium::s3
