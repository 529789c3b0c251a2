#include "terrarium/services/sts/rules.h"

#include <algorithm>
#include <boost/json.hpp>

#include "generated/sts/errors.h"
#include "lib/aws/arn.h"
#include "lib/base/encoding.h"

namespace terrarium::sts {
namespace {

using base::Result;

constexpr std::size_t kPackedBytesMax = 4096;

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidParameterValue, std::move(message));
}

bool is_same(std::string_view a, std::string_view b) { return base::equals_ignoring_case(a, b); }

Result<void> check_policy(const std::string& policy) {
  boost::system::error_code error;
  const boost::json::value parsed = boost::json::parse(policy, error);
  if (!error && parsed.is_object() && parsed.as_object().contains("Statement")) return {};
  return base::fail(errors::kMalformedPolicyDocumentException,
                    "The policy is not in the valid JSON format.");
}

Result<void> add_tags(const std::vector<Tag>& tags, iam::SessionLimits& limits) {
  for (const Tag& tag : tags) {
    const bool doubled = std::ranges::any_of(
        limits.tags, [&tag](const auto& other) { return is_same(other.first, tag.key); });
    if (doubled) {
      return invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
    limits.tags.emplace_back(tag.key, tag.value);
  }
  return {};
}

// A role's session passes its transitive tags on to those that are made with it.
Result<void> add_transitive(const std::vector<std::string>& keys, const iam::SessionLimits& caller,
                            iam::SessionLimits& limits) {
  for (const std::string& key : keys) {
    const bool tagged = std::ranges::any_of(
        limits.tags, [&key](const auto& tag) { return is_same(tag.first, key); });
    if (!tagged) {
      return invalid("The specified transitive tag key must be included in the requested tags.");
    }
    limits.transitive_tags.push_back(key);
  }
  for (const auto& [key, text] : caller.tags) {
    const auto is_key = [&key](const std::string& other) { return is_same(other, key); };
    if (std::ranges::none_of(caller.transitive_tags, is_key)) continue;
    const bool overridden = std::ranges::any_of(
        limits.tags, [&key](const auto& tag) { return is_same(tag.first, key); });
    if (overridden) {
      return invalid(
          "One of the specified transitive tag keys can't be set because it conflicts with a "
          "transitive tag key from the calling session.");
    }
    limits.tags.emplace_back(key, text);
    limits.transitive_tags.push_back(key);
  }
  return {};
}

// The issuer that a JSON Web Token (header.claims.signature, base64url without padding) names.
std::optional<std::string> issuer_of(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? first : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return std::nullopt;
  std::string claims(token.substr(first + 1, second - first - 1));
  std::ranges::replace(claims, '-', '+');
  std::ranges::replace(claims, '_', '/');
  claims.append((4 - claims.size() % 4) % 4, '=');
  const auto text = base::base64_decode(claims);
  if (!text.has_value()) return std::nullopt;
  boost::system::error_code failure;
  const boost::json::value parsed = boost::json::parse(*text, failure);
  if (failure || !parsed.is_object()) return std::nullopt;
  const boost::json::value* const issuer = parsed.as_object().if_contains("iss");
  if (issuer == nullptr || !issuer->is_string()) return std::nullopt;
  return std::string(issuer->as_string());
}

}  // namespace

std::string web_token_refusal(std::string_view token) {
  const auto issuer = issuer_of(token);
  if (issuer.has_value()) return "No OpenIDConnect provider found in your account for " + *issuer;
  return "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access "
         "Token)";
}

Result<void> check_session_name(std::string_view name, std::string_view member) {
  const bool ok = std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("_+=,.@-").contains(c);
  });
  if (ok) return {};
  return base::fail(errors::kValidationError,
                    "1 validation error detected: Value '" + std::string(name) + "' at '" +
                        std::string(member) +
                        "' failed to satisfy constraint: Member must satisfy regular expression "
                        "pattern: [\\w+=,.@-]*");
}

Result<void> check_role_arn(const std::string& text) {
  if (const auto arn = aws::Arn::parse(text); arn && !arn->resource.empty()) return {};
  return base::fail(errors::kValidationError, text + " is invalid");
}

Result<iam::SessionLimits> limits_of(const SessionRequest& request,
                                     const iam::SessionLimits& caller) {
  iam::SessionLimits limits;
  if (request.policy) {
    TRY_VOID(check_policy(*request.policy));
    limits.policy = *request.policy;
  }
  if (request.policy_arns) {
    for (const PolicyDescriptorType& each : *request.policy_arns) {
      if (each.arn) limits.policy_arns.push_back(*each.arn);
    }
  }
  if (request.tags) TRY_VOID(add_tags(*request.tags, limits));
  TRY_VOID(
      add_transitive(request.transitive_tags.value_or(std::vector<std::string>()), caller, limits));
  // It can be set once in a chain of sessions.
  limits.source_identity = caller.source_identity;
  if (request.source_identity) {
    if (!caller.source_identity.empty() && caller.source_identity != *request.source_identity) {
      return base::fail(errors::kAccessDenied,
                        "The source identity of the calling session cannot be changed.");
    }
    limits.source_identity = *request.source_identity;
  }
  return limits;
}

std::int32_t packed_size(const iam::SessionLimits& limits) {
  std::size_t bytes = limits.policy.size();
  for (const std::string& arn : limits.policy_arns) bytes += arn.size();
  for (const auto& [key, text] : limits.tags) bytes += key.size() + text.size();
  return static_cast<std::int32_t>((bytes * 100 + kPackedBytesMax - 1) / kPackedBytesMax);
}

}  // namespace terrarium::sts
