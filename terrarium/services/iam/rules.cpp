#include "terrarium/services/iam/rules.h"

#include <algorithm>
#include <boost/json.hpp>

#include "generated/iam/errors.h"
#include "lib/aws/arn.h"
#include "terrarium/services/iam/records.h"

namespace terrarium::iam {
namespace {

using base::Result;
using boost::json::object;
using boost::json::value;

constexpr std::string_view kNameExtras = "_+=,.@-";
constexpr std::size_t kPathLengthMax = 512;
constexpr std::size_t kTagKeyLengthMax = 128;
constexpr std::size_t kTagValueLengthMax = 256;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::unexpected<base::Error> malformed(std::string why) {
  return base::fail(errors::kMalformedPolicyDocumentException, std::move(why));
}

bool has_one_of(const object& statement, std::string_view name, std::string_view other) {
  return statement.contains(name) != statement.contains(other);
}

Result<void> check_statement(const value& given, bool is_trust) {
  if (!given.is_object()) return malformed("Syntax errors in policy.");
  const object& statement = given.as_object();
  const value* const effect = statement.if_contains("Effect");
  if (effect == nullptr || !effect->is_string() ||
      (effect->as_string() != "Allow" && effect->as_string() != "Deny")) {
    return malformed("Syntax errors in policy: Effect is Allow or Deny.");
  }
  if (!has_one_of(statement, "Action", "NotAction")) {
    return malformed("Policy statement must contain actions.");
  }
  const bool has_principal = statement.contains("Principal") || statement.contains("NotPrincipal");
  const bool has_resource = statement.contains("Resource") || statement.contains("NotResource");
  if (is_trust && has_resource) return malformed("Has prohibited field Resource.");
  if (is_trust && !has_principal) return malformed("Missing required field Principal.");
  if (!is_trust && has_principal)
    return malformed("Policy document should not specify a principal.");
  if (!is_trust && !has_resource) return malformed("Policy statement must contain resources.");
  return {};
}

Result<void> check_document(std::string_view document, bool is_trust) {
  if (document.size() > kPolicyBytesMax) {
    return base::fail(
        errors::kLimitExceededException,
        "Maximum policy size of " + std::to_string(kPolicyBytesMax) + " bytes exceeded.");
  }
  boost::system::error_code error;
  const value policy = boost::json::parse(document, error);
  if (error || !policy.is_object()) return malformed("This policy contains invalid Json");
  const value* const version = policy.as_object().if_contains("Version");
  if (version != nullptr && *version != "2012-10-17" && *version != "2008-10-17") {
    return malformed("The policy must have a valid version string.");
  }
  const value* const statements = policy.as_object().if_contains("Statement");
  if (statements == nullptr) return malformed("Syntax errors in policy.");
  if (!statements->is_array()) return check_statement(*statements, is_trust);
  if (statements->as_array().empty()) return malformed("The policy has no statement.");
  for (const value& statement : statements->as_array()) {
    TRY_VOID(check_statement(statement, is_trust));
  }
  return {};
}

}  // namespace

Result<void> check_name(std::string_view name, std::string_view member, std::size_t length_max) {
  const bool ok =
      !name.empty() && name.size() <= length_max && std::ranges::all_of(name, [](char c) {
        return is_letter_or_digit(c) || kNameExtras.find(c) != kNameExtras.npos;
      });
  if (ok) return {};
  return base::fail(errors::kValidationError,
                    "The specified value for " + std::string(member) +
                        " is invalid. It must contain only alphanumeric characters and/or the "
                        "following: +=,.@_-");
}

Result<std::string> check_path(const std::optional<std::string>& path) {
  const std::string text = path.value_or("/");
  const bool printable = std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~'; });
  if (!text.empty() && text.size() <= kPathLengthMax && text.front() == '/' && text.back() == '/' &&
      printable) {
    return text;
  }
  return base::fail(errors::kValidationError,
                    "The specified value for path is invalid. It must begin and end with / and "
                    "contain only alphanumeric characters and/or / characters.");
}

Result<std::vector<std::pair<std::string, std::string>>> check_tags(
    const std::optional<std::vector<Tag>>& tags) {
  std::vector<std::pair<std::string, std::string>> checked;
  for (const Tag& tag : tags.value_or(std::vector<Tag>())) {
    if (tag.key.empty() || tag.key.size() > kTagKeyLengthMax ||
        tag.value.size() > kTagValueLengthMax) {
      return base::fail(errors::kValidationError,
                        "The tag '" + tag.key + "' is too long or empty.");
    }
    const bool duplicate =
        std::ranges::any_of(checked, [&](const auto& other) { return other.first == tag.key; });
    if (duplicate) {
      return base::fail(
          errors::kInvalidInputException,
          "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
    checked.emplace_back(tag.key, tag.value);
  }
  if (checked.size() > kTagsMax) {
    return base::fail(errors::kLimitExceededException,
                      "The number of tags has reached the maximum limit.");
  }
  return checked;
}

Result<void> check_identity_policy(std::string_view document) {
  return check_document(document, false);
}

Result<void> check_trust_policy(std::string_view document) {
  return check_document(document, true);
}

Result<void> refuse_boundary(const std::optional<std::string>& boundary) {
  if (!boundary) return {};
  return base::fail(errors::kInvalidInputException,
                    "PermissionsBoundary is not supported: Terrarium does not enforce identity "
                    "policies yet.");
}

Result<RoleName> parse_role_arn(std::string_view text) {
  const auto arn = aws::Arn::parse(text);
  constexpr std::string_view kRole = "role/";
  if (!arn || arn->service != "iam" || !arn->resource.starts_with(kRole) ||
      arn->resource.size() == kRole.size() || arn->resource.ends_with('/')) {
    return base::fail(errors::kValidationError, "'" + std::string(text) + "' is not a role's ARN.");
  }
  const std::string rest = arn->resource.substr(kRole.size() - 1);
  const std::size_t slash = rest.rfind('/');
  return RoleName{arn->account, rest.substr(0, slash + 1), rest.substr(slash + 1)};
}

}  // namespace terrarium::iam
