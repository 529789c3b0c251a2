#include "terrarium/services/s3/bucket_policy.h"

#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <vector>

#include "generated/s3/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/policy_actions.h"
#include "terrarium/services/s3/policy_conditions.h"

namespace terrarium::s3 {
namespace {

namespace json = boost::json;

constexpr std::string_view kArnPrefix = "arn:aws:s3:::";

bool matches(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t in_text = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (in_text < text.size()) {
    if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == text[in_text])) {
      ++at;
      ++in_text;
    } else if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      star_text = in_text;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in_text = ++star_text;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

std::unexpected<base::Error> malformed(std::string message, std::string_view detail = {}) {
  auto refusal = base::fail(errors::kMalformedPolicy, std::move(message));
  if (!detail.empty()) refusal.error().fields = {{"Detail", std::string(detail)}};
  return refusal;
}

// The texts of an element that is one or a list of them; the document was parsed before.
std::vector<std::string_view> texts(const json::object& statement, std::string_view name) {
  std::vector<std::string_view> out;
  const json::value* const element = statement.if_contains(name);
  if (element == nullptr) return out;
  if (const auto* one = element->if_string()) out.emplace_back(*one);
  if (const auto* list = element->if_array()) {
    for (const json::value& each : *list) {
      if (const auto* text = each.if_string()) out.emplace_back(*text);
    }
  }
  return out;
}

// A statement about another bucket would never take part: S3 refuses it.
bool is_resource_of(std::string_view resource, std::string_view bucket) {
  if (resource == "*") return true;
  if (!resource.starts_with(kArnPrefix)) return false;
  resource.remove_prefix(kArnPrefix.size());
  return matches(resource.substr(0, resource.find('/')), bucket);
}

// What a pattern can name: without a slash the bucket, with one its objects; a star before the
// slash reaches over it.
bool may_name(std::string_view resource, ActionResource kind) {
  const std::string_view first = resource.substr(0, resource.find('/'));
  const bool spans = first.contains('*');
  const bool has_slash = resource.contains('/');
  if (kind == ActionResource::Bucket) return !has_slash;
  return kind == ActionResource::Object && (has_slash || spans);
}

// The kinds of resource that the actions which a pattern names have; none: no such action.
std::vector<ActionResource> kinds_of(std::string_view pattern) {
  std::vector<ActionResource> kinds;
  const std::string wanted = base::to_lower(pattern);
  for (const PolicyAction& action : policy_actions()) {
    if (matches(wanted, base::to_lower(action.name))) kinds.push_back(action.resource);
  }
  return kinds;
}

base::Result<void> check_actions(const json::object& statement) {
  const auto resources = texts(statement, "Resource");
  for (const std::string_view element : {"Action", "NotAction"}) {
    for (const std::string_view pattern : texts(statement, element)) {
      const auto kinds = kinds_of(pattern);
      if (kinds.empty()) return malformed("Policy has invalid action", pattern);
      // What is left out may be about anything.
      if (element == "NotAction" || resources.empty()) continue;
      const bool applies = std::ranges::any_of(kinds, [&resources](ActionResource kind) {
        return std::ranges::any_of(
            resources, [kind](std::string_view resource) { return may_name(resource, kind); });
      });
      if (!applies) return malformed("Action does not apply to any resource(s) in statement");
    }
  }
  return {};
}

base::Result<void> check_statement(const json::value& value, std::string_view bucket) {
  const auto* const statement = value.if_object();
  if (statement == nullptr) return malformed("Policy statements must be objects");
  for (const std::string_view element : {"Resource", "NotResource"}) {
    for (const std::string_view resource : texts(*statement, element)) {
      if (!is_resource_of(resource, bucket)) {
        return malformed("Policy has invalid resource", resource);
      }
    }
  }
  return check_actions(*statement);
}

base::Result<void> check_statements(std::string_view text, std::string_view bucket) {
  json::error_code error;
  const json::value document = json::parse(text, error);
  const auto* const object = error ? nullptr : document.if_object();
  const json::value* const statements =
      object == nullptr ? nullptr : object->if_contains("Statement");
  if (statements == nullptr) return malformed("Missing required field Statement");
  const auto* const list = statements->if_array();
  if (list == nullptr) return check_statement(*statements, bucket);
  for (const json::value& statement : *list) TRY_VOID(check_statement(statement, bucket));
  return {};
}

}  // namespace

base::Result<wire::Policy> read_bucket_policy(std::string_view json) {
  return wire::Policy::parse(json, condition_keys());
}

base::Result<wire::Policy> parse_bucket_policy(std::string_view json, std::string_view bucket) {
  if (json.size() > kPolicyBytesMax) {
    return malformed("Policy exceeds the maximum allowed document size.");
  }
  if (!json.starts_with('{')) {
    return malformed("Policies must be valid JSON and the first byte must be '{'");
  }
  base::Result<wire::Policy> policy = read_bucket_policy(json);
  if (!policy.has_value()) {
    auto refusal = malformed(policy.error().message);
    refusal.error().fields = policy.error().fields;
    return refusal;
  }
  TRY_VOID(check_statements(json, bucket));
  return policy;
}

}  // namespace terrarium::s3
