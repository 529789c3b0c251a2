#include "terrarium/services/lambda/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {
namespace {

constexpr std::size_t kTextBytesMax = 170;
constexpr std::size_t kNameBytesMax = 64;
constexpr std::string_view kPattern =
    "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?"
    "([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?";

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
  });
}

bool is_qualifier(std::string_view text) { return text == "$LATEST" || is_name(text); }

bool is_account(std::string_view text) {
  return text.size() == 12 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::unexpected<base::Error> refused(std::string_view text) {
  return base::fail(errors::kValidationException,
                    fmt::format("1 validation error detected: Value '{}' at 'functionName' failed "
                                "to satisfy constraint: Member must satisfy regular expression "
                                "pattern: {}",
                                text, kPattern));
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t colon = text.find(':');
    parts.push_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

base::Result<void> check_place(std::string_view region, std::string_view account,
                               const Place& place) {
  if (!region.empty() && region != place.region) {
    return base::fail(errors::kResourceNotFoundException,
                      fmt::format("Functions from '{}' are not reachable in this region ('{}')",
                                  region, place.region));
  }
  if (!account.empty() && account != place.account) {
    return base::fail(errors::kAccessDeniedException,
                      fmt::format("Functions of account {} are not reachable from account {}",
                                  account, place.account));
  }
  return {};
}

}  // namespace

base::Result<FunctionName> parse_function_name(std::string_view text, const Place& place) {
  if (text.empty() || text.size() > kTextBytesMax) return refused(text);
  std::vector<std::string_view> parts = split(text);
  const auto take_front = [&parts] { parts.erase(parts.begin()); };
  std::string_view region;
  std::string_view account;
  if (parts.size() >= 6 && parts[0] == "arn" && parts[1].starts_with("aws") &&
      parts[2] == "lambda") {
    region = parts[3];
    parts.erase(parts.begin(), parts.begin() + 4);
    if (region.empty() || !is_account(parts[0]) || parts[1] != "function") return refused(text);
  }
  if (parts.size() > 1 && is_account(parts[0]) && parts[1] == "function") {
    account = parts[0];
    take_front();
  }
  if (parts.size() > 1 && parts[0] == "function") take_front();
  if (parts.size() > 2 || !is_name(parts[0])) return refused(text);
  if (parts.size() == 2 && !is_qualifier(parts[1])) return refused(text);
  if (parts[0].size() > kNameBytesMax) {
    return violation(text, "functionName", "Member must have length less than or equal to 64");
  }
  TRY_VOID(check_place(region, account, place));
  return FunctionName{.name = std::string(parts[0]),
                      .qualifier = std::string(parts.size() == 2 ? parts[1] : "")};
}

base::Result<FunctionName> parse_function_name(std::string_view text,
                                               const std::optional<std::string>& qualifier,
                                               const Place& place) {
  TRY(FunctionName parsed, parse_function_name(text, place));
  if (!qualifier || qualifier->empty()) return parsed;
  const bool valid =
      std::ranges::all_of(*qualifier, [](char c) { return c == '$' || is_name({&c, 1}); });
  if (!valid) {
    return base::fail(errors::kValidationException,
                      fmt::format("1 validation error detected: Value '{}' at 'qualifier' failed "
                                  "to satisfy constraint: Member must satisfy regular expression "
                                  "pattern: (|[a-zA-Z0-9$_-]+)",
                                  *qualifier));
  }
  if (!parsed.qualifier.empty() && parsed.qualifier != *qualifier) {
    return base::fail(
        errors::kInvalidParameterValueException,
        "The derived qualifier from the function name does not match the specified qualifier.");
  }
  parsed.qualifier = *qualifier;
  return parsed;
}

std::string function_arn(const Place& place, std::string_view name) {
  return fmt::format("arn:aws:lambda:{}:{}:function:{}", place.region, place.account, name);
}

std::string qualified_arn(const Place& place, std::string_view name, std::string_view qualifier) {
  std::string arn = function_arn(place, name);
  if (!qualifier.empty()) arn.append(":").append(qualifier);
  return arn;
}

std::string mapping_arn(const Place& place, std::string_view uuid) {
  return fmt::format("arn:aws:lambda:{}:{}:event-source-mapping:{}", place.region, place.account,
                     uuid);
}

}  // namespace terrarium::lambda
