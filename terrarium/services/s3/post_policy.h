// The policy document of a browser's form upload: until when, and what the form may say. Pure.
// Source: "Creating a POST policy", Amazon S3 API Reference.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "terrarium/services/s3/form.h"

namespace terrarium::s3 {

struct PostCondition {
  bool starts_with = false;  // else equal
  std::string field;         // in lower case, without '$'
  std::string value;
  std::string text;  // as messages show it
};

struct PostPolicy {
  base::Timestamp expiration;
  std::vector<PostCondition> conditions;
  std::uint64_t bytes_min = 0;
  std::uint64_t bytes_max = UINT64_MAX;
};

// `document`: base64, as the form has it. InvalidPolicyDocument says what is wrong.
base::Result<PostPolicy> parse_post_policy(std::string_view document);

// AccessDenied when it has expired, when a field is not as it says, or is not among what it says.
// `key`: with ${filename} replaced.
base::Result<void> check_post_policy(const PostPolicy& policy, const FormFields& fields,
                                     std::string_view bucket, std::string_view key,
                                     base::Timestamp now);

}  // namespace terrarium::s3
