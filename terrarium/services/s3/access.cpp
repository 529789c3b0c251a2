#include "terrarium/services/s3/access.h"

#include <boost/json.hpp>

#include <array>

#include "generated/s3/errors.h"
#include "lib/base/log.h"
#include "terrarium/services/s3/names.h"

namespace terrarium::s3 {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 3> kConditionKeys{"s3:prefix", "s3:delimiter",
                                                         "s3:max-keys"};

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

// A statement about another bucket would never take part: S3 refuses it.
bool is_resource_of(std::string_view resource, std::string_view bucket) {
  constexpr std::string_view prefix = "arn:aws:s3:::";
  if (resource == "*") return true;
  if (!resource.starts_with(prefix)) return false;
  resource.remove_prefix(prefix.size());
  return matches(resource.substr(0, resource.find('/')), bucket);
}

bool resources_fit(const json::value& resources, std::string_view bucket) {
  if (const auto* text = resources.if_string()) return is_resource_of(*text, bucket);
  const auto* list = resources.if_array();
  if (list == nullptr || list->empty()) return false;
  for (const json::value& resource : *list) {
    const auto* text = resource.if_string();
    if (text == nullptr || !is_resource_of(*text, bucket)) return false;
  }
  return true;
}

bool statement_fits(const json::value& statement, std::string_view bucket) {
  const auto* object = statement.if_object();
  if (object == nullptr) return false;
  const json::value* const named = object->if_contains("Resource");
  const json::value* const others = object->if_contains("NotResource");
  if (named != nullptr) return resources_fit(*named, bucket);
  return others != nullptr && resources_fit(*others, bucket);
}

bool resources_fit(std::string_view text, std::string_view bucket) {
  json::error_code error;
  const json::value document = json::parse(text, error);
  const auto* const object = error ? nullptr : document.if_object();
  const json::value* const statements =
      object == nullptr ? nullptr : object->if_contains("Statement");
  if (statements == nullptr) return false;
  const auto* const list = statements->if_array();
  if (list == nullptr) return statement_fits(*statements, bucket);
  for (const json::value& statement : *list) {
    if (!statement_fits(statement, bucket)) return false;
  }
  return true;
}

std::string resource_arn(std::string_view bucket, std::string_view key) {
  std::string arn = bucket_arn(bucket);
  if (!key.empty()) arn += "/" + std::string(key);
  return arn;
}

std::unexpected<base::Error> denied(const wire::Context& context, std::string_view action,
                                    const std::string& resource) {
  if (context.principal.kind == wire::PrincipalKind::Anonymous) {
    return base::fail(errors::kAccessDenied, "Access Denied");
  }
  return base::fail(
      errors::kAccessDenied,
      "User: " + context.principal.arn + " is not authorized to perform: " + std::string(action) +
          " on resource: \"" + resource + "\" with an explicit deny in a resource-based policy");
}

bool is_policy_action(std::string_view action) {
  return action == "s3:GetBucketPolicy" || action == "s3:PutBucketPolicy" ||
         action == "s3:DeleteBucketPolicy";
}

}  // namespace

base::Result<wire::Policy> parse_bucket_policy(std::string_view text, std::string_view bucket) {
  if (text.size() > kPolicyBytesMax) {
    return base::fail(errors::kMalformedPolicy,
                      "Policy exceeds the maximum allowed document size.");
  }
  if (!text.starts_with('{')) {
    return base::fail(errors::kMalformedPolicy,
                      "Policies must be valid JSON and the first byte must be '{'");
  }
  base::Result<wire::Policy> policy = wire::Policy::parse(text, kConditionKeys);
  if (!policy.has_value()) {
    return base::fail(errors::kMalformedPolicy, policy.error().message);
  }
  if (!resources_fit(text, bucket)) {
    return base::fail(errors::kMalformedPolicy, "Policy has invalid resource");
  }
  return policy;
}

base::Result<void> check_access(const wire::Context& context, const BucketRecord& bucket,
                                std::string_view action, std::string_view key,
                                wire::ConditionContext conditions) {
  using wire::PrincipalKind;
  const PrincipalKind kind = context.principal.kind;
  const bool of_account =
      kind != PrincipalKind::Anonymous && context.principal.account == context.account;
  if (bucket.policy.empty() && of_account) return {};
  if (kind == PrincipalKind::Root && of_account && is_policy_action(action)) return {};

  const std::string resource = resource_arn(bucket.name, key);
  if (bucket.policy.empty()) return denied(context, action, resource);
  const base::Result<wire::Policy> policy = wire::Policy::parse(bucket.policy, kConditionKeys);
  if (!policy.has_value()) {
    // Read when it was put: one that is unreadable now may deny, so nobody passes.
    base::log::error("s3", "bucket {}: its policy is unreadable", bucket.name);
    return denied(context, action, resource);
  }
  wire::PolicyRequest request = wire::policy_request(context, std::string(action), resource);
  request.context.merge(conditions);
  const wire::Decision decision = policy->evaluate(request);
  if (decision == wire::Decision::Deny) return denied(context, action, resource);
  if (of_account) return {};
  if (decision != wire::Decision::Allow) return denied(context, action, resource);
  const bool restricted =
      bucket.public_access_block && bucket.public_access_block->restrict_public_buckets;
  if (restricted && policy->is_public()) return denied(context, action, resource);
  return {};
}

bool may_list(const wire::Context& context, const BucketRecord& bucket) {
  return check_access(context, bucket, "s3:ListBucket", {}).has_value();
}

}  // namespace terrarium::s3
