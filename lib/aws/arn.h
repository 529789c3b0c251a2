// Amazon Resource Names: "arn:partition:service:region:account:resource". Pure.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace aws {

struct Arn {
  std::string partition = "aws";
  std::string service;   // "sqs"
  std::string region;    // empty for global services and S3
  std::string account;   // 12 digits; empty for S3, "aws" for what AWS itself owns
  std::string resource;  // all the rest, with its colons and slashes: "function:f:1"

  // Strict: each part is checked for its form. A '*' in the resource is a character like any other
  // (CloudWatch Logs names its groups so); nothing is matched here.
  static base::Result<Arn> parse(std::string_view text);
  std::string text() const;
  friend bool operator==(const Arn&, const Arn&) = default;
};

}  // namespace aws
