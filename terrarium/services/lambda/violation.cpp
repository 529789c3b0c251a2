#include "terrarium/services/lambda/violation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "generated/lambda/errors.h"

namespace terrarium::lambda {

std::unexpected<base::Error> violation(std::string_view value, std::string_view member,
                                       std::string_view rule) {
  return violations({{std::string(value), std::string(member), std::string(rule)}});
}

std::unexpected<base::Error> pattern_violation(std::string_view value, std::string_view member,
                                               std::string_view pattern) {
  return violation(value, member,
                   fmt::format("Member must satisfy regular expression pattern: {}", pattern));
}

std::unexpected<base::Error> violations(const std::vector<Violation>& all) {
  std::vector<std::string> texts;
  for (const Violation& one : all) {
    texts.push_back(fmt::format("Value '{}' at '{}' failed to satisfy constraint: {}", one.value,
                                one.member, one.rule));
  }
  return base::fail(errors::kValidationException,
                    fmt::format("{} validation error{} detected: {}", all.size(),
                                all.size() == 1 ? "" : "s", fmt::join(texts, "; ")));
}

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
  });
}

std::string list_text(const std::vector<std::string>& items) {
  return fmt::format("[{}]", fmt::join(items, ", "));
}

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidParameterValueException, std::move(message));
}

std::unexpected<base::Error> unsupported(std::string_view what) {
  return invalid(fmt::format("{} is not supported by this region", what));
}

}  // namespace terrarium::lambda
