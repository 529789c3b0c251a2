// The policies that AWS manages, by their ARNs and with AWS's documents (aws_policies.json): those
// that systems of this kind attach. Each has its default version only. Immutable once made.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "terrarium/services/iam/records.h"

namespace terrarium::iam {

class AwsPolicies {
 public:
  AwsPolicies();

  // By ARN; null when AWS has none of that name here.
  const PolicyRecord* find(std::string_view arn) const;
  const std::map<std::string, PolicyRecord, std::less<>>& all() const { return by_arn_; }

 private:
  std::map<std::string, PolicyRecord, std::less<>> by_arn_;
};

inline constexpr std::string_view kAwsPolicyArn = "arn:aws:iam::aws:policy";

}  // namespace terrarium::iam
