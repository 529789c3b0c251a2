// ValidationException in AWS's words: "1 validation error detected: Value 'x' at 'member' failed to
// satisfy constraint: ...". Pure.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace terrarium::lambda {

struct Violation {
  std::string value;   // as it is shown, without quotes
  std::string member;  // "routingConfig.additionalVersionWeights"
  std::string rule;    // "Member must have length less than or equal to 256"
};

std::unexpected<base::Error> violation(std::string_view value, std::string_view member,
                                       std::string_view rule);
// "Member must satisfy regular expression pattern: PATTERN"
std::unexpected<base::Error> pattern_violation(std::string_view value, std::string_view member,
                                               std::string_view pattern);
// Not empty.
std::unexpected<base::Error> violations(const std::vector<Violation>& all);

// Letters, digits, '-' and '_', at least one: what most names in Lambda are made of.
bool is_word(std::string_view text);
// "[a, b]"
std::string list_text(const std::vector<std::string>& items);

// Lambda's own refusals, and ours of what this region does not do.
std::unexpected<base::Error> invalid(std::string message);
std::unexpected<base::Error> unsupported(std::string_view what);

}  // namespace terrarium::lambda
