// How requests name functions, and how answers do. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace terrarium::lambda {

// Where a request is answered.
struct Place {
  std::string region;
  std::string account;
};

struct FunctionName {
  std::string name;
  std::string qualifier;  // empty: none given
};

// Name, "name:qualifier", partial ARN ("123456789012:function:name") or ARN. An ARN of another
// region or account is refused as AWS does.
base::Result<FunctionName> parse_function_name(std::string_view text, const Place& place);
// The same with a qualifier that came by itself; the two must not disagree.
base::Result<FunctionName> parse_function_name(std::string_view text,
                                               const std::optional<std::string>& qualifier,
                                               const Place& place);

std::string function_arn(const Place& place, std::string_view name);
// With ":qualifier" unless that is empty.
std::string qualified_arn(const Place& place, std::string_view name, std::string_view qualifier);
std::string mapping_arn(const Place& place, std::string_view uuid);

}  // namespace terrarium::lambda
