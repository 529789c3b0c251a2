// The actions that a bucket's policy may name, and what each is done to: a table.
// Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace terrarium::s3 {

// Other: the account, an access point, a job; no statement of a bucket's policy fits these.
enum class ActionResource : std::uint8_t { Bucket, Object, Other };

struct PolicyAction {
  std::string_view name;  // "s3:GetObject"
  ActionResource resource = ActionResource::Bucket;
};

std::span<const PolicyAction> policy_actions();

}  // namespace terrarium::s3
