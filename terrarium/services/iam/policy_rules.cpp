#include "terrarium/services/iam/policy_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "generated/iam/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/iam/policy_syntax.h"

namespace terrarium::iam {
namespace {

using base::Result;

constexpr std::string_view kLegacy = "The policy failed legacy parsing";
constexpr std::string_view kPartitions[] = {"aws",     "aws-cn",    "aws-us-gov",
                                            "aws-iso", "aws-iso-b", "*"};
constexpr std::string_view kIamPaths[] = {"user/",
                                          "federated-user/",
                                          "role/",
                                          "group/",
                                          "instance-profile/",
                                          "mfa/",
                                          "server-certificate/",
                                          "policy/",
                                          "sms-mfa/",
                                          "saml-provider/",
                                          "oidc-provider/",
                                          "report/",
                                          "access-report/"};

std::unexpected<base::Error> malformed(std::string why) {
  return base::fail(errors::kMalformedPolicyDocumentException, std::move(why));
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t colon = text.find(':');
    parts.emplace_back(text.substr(0, std::min(colon, text.size())));
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

std::vector<std::string> texts_at(const JsonObject& statement, std::string_view name) {
  const JsonValue* const found = statement.if_contains(name);
  return found == nullptr ? std::vector<std::string>() : texts_of(*found);
}

// Nothing is wrong: empty.
std::string fault_of_resource(const std::string& resource) {
  if (resource == "*") return {};
  if (!resource.contains(':')) {
    return fmt::format("Resource {} must be in ARN format or \"*\".", resource);
  }
  // AWS reads what is left out as a wildcard.
  std::vector<std::string> parts = split(resource);
  parts[0] = "arn";
  while (parts.size() < 6) parts.emplace_back("*");
  if (std::ranges::find(kPartitions, parts[1]) == std::end(kPartitions)) {
    return fmt::format("Partition \"{}\" is not valid for resource \"{}\".", parts[1],
                       fmt::join(parts, ":"));
  }
  if (parts[2] == "*") {
    return "Resource vendor must be fully qualified and cannot contain regexes.";
  }
  const bool global = parts[2] == "s3" || parts[2] == "iam";
  if (global && !parts[3].empty() && parts[3] != "*") {
    return parts[2] == "iam"
               ? fmt::format("IAM resource {} cannot contain region information.", resource)
               : fmt::format("Resource {} can not contain region information.", resource);
  }
  const std::string& path = parts[5];
  const bool known = path.starts_with('*') || std::ranges::any_of(kIamPaths, [&](auto prefix) {
                       return path.starts_with(prefix);
                     });
  if (parts[2] == "iam" && !known) {
    return fmt::format("IAM resource path must either be \"*\" or start with {}.",
                       fmt::join(kIamPaths, ", "));
  }
  return {};
}

// An ARN with an empty service, or with too few parts around an empty one.
bool passes_legacy_parsing(const std::string& resource) {
  if (resource == "*") return true;
  const std::vector<std::string> parts = split(resource);
  if (parts.size() < 6 && resource.contains("::")) return false;
  return parts.size() < 3 || !parts[2].empty();
}

// The first fault of a resource, which AWS tells only after what follows it in check(); and what
// AWS tells at once.
Result<std::string> check_resources(const std::vector<JsonObject>& statements) {
  std::string fault;
  for (const std::string_view element : {"Resource", "NotResource"}) {
    for (const JsonObject& statement : statements) {
      const std::vector<std::string> resources = texts_at(statement, element);
      for (const std::string& resource : resources) {
        if (fault.empty()) fault = fault_of_resource(resource);
      }
      const bool legacy = std::ranges::all_of(
          resources, [](const std::string& each) { return passes_legacy_parsing(each); });
      if (fault.empty() && !legacy) return malformed(std::string(kLegacy));
    }
  }
  return fault;
}

Result<void> check_sids(const std::vector<JsonObject>& statements) {
  std::set<std::string> seen;
  for (const JsonObject& statement : statements) {
    for (const std::string& sid : texts_at(statement, "Sid")) {
      const bool alphanumeric = std::ranges::all_of(sid, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      });
      if (!alphanumeric) {
        return malformed(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the "
            "regular expression [0-9A-Za-z]*");
      }
      if (!seen.insert(sid).second) {
        return malformed("Statement IDs (SID) in a single policy must be unique.");
      }
    }
  }
  return {};
}

bool has_any(const JsonObject& statement, std::string_view name) {
  return !texts_at(statement, name).empty() ||
         !texts_at(statement, "Not" + std::string(name)).empty();
}

Result<void> check_action(const std::string& action) {
  if (action == "*") return {};
  const std::vector<std::string> parts = split(action);
  if (parts.size() < 2) {
    return malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
  }
  if (parts.size() > 2) return malformed("Actions/Condition can contain only one colon.");
  const bool vendor = !parts[0].empty() && std::ranges::all_of(parts[0], [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_';
  });
  if (!vendor) return malformed("Vendor " + parts[0] + " is not valid");
  return {};
}

Result<void> check_actions(const std::vector<JsonObject>& statements) {
  for (const std::string_view element : {"Action", "NotAction"}) {
    for (const JsonObject& statement : statements) {
      for (const std::string& action : texts_at(statement, element)) {
        TRY_VOID(check_action(action));
      }
    }
  }
  return {};
}

Result<JsonObject> parse(std::string_view document, std::string_view refusal) {
  boost::system::error_code error;
  JsonValue policy = boost::json::parse(document, error);
  if (error || !policy.is_object()) return malformed(std::string(refusal));
  return std::move(policy.as_object());
}

Result<void> check_trust_action(const std::string& action) {
  constexpr std::string_view kAllowed[] = {"sts:assumerole", "sts:tagsession",
                                           "sts:setsourceidentity", "sts:setcontext"};
  const std::string lower = base::to_lower(action);
  const bool sts = lower == "sts:*" || std::ranges::any_of(kAllowed, [&lower](auto allowed) {
                     return lower.starts_with(allowed);
                   });
  if (sts) return {};
  return malformed("AssumeRole policy may only specify STS AssumeRole actions.");
}

bool is_aws_principal(const std::string& name) {
  const bool account =
      name.size() == 12 && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
  return name == "*" || account || name.starts_with("arn:aws:iam::") ||
         name.starts_with("arn:aws:sts::") || name.starts_with("AIDA") || name.starts_with("AROA");
}

Result<void> check_trust_principal(const JsonValue& principal) {
  if (principal.is_string()) {
    if (principal == "*") return {};
    return malformed("Invalid principal in policy: \"AWS\":\"" +
                     std::string(principal.as_string()) + "\"");
  }
  for (const auto& [kind, names] : principal.as_object()) {
    for (const std::string& name : texts_of(names)) {
      if (kind == "AWS" && !is_aws_principal(name)) {
        return malformed("Invalid principal in policy: \"AWS\":\"" + name + "\"");
      }
      if (kind == "Service" && !name.ends_with(".amazonaws.com")) {
        return malformed("Invalid principal in policy: \"SERVICE\":\"" + name + "\"");
      }
    }
  }
  return {};
}

}  // namespace

std::size_t policy_bytes(std::string_view document) {
  return static_cast<std::size_t>(std::ranges::count_if(
      document, [](char c) { return c != ' ' && c != '\t' && c != '\n' && c != '\r'; }));
}

Result<void> check_identity_policy(std::string_view document) {
  constexpr std::string_view kSyntax = "Syntax errors in policy.";
  TRY(const JsonObject policy, parse(document, kSyntax));
  if (!is_well_formed(policy)) return malformed(std::string(kSyntax));
  const JsonValue* const version = policy.if_contains("Version");
  if (version == nullptr || *version != "2012-10-17") {
    return malformed("Policy document must be version 2012-10-17 or greater.");
  }
  const std::vector<JsonObject> statements = statements_of(policy);
  for (const JsonObject& statement : statements) {
    if (statement.contains("Principal") || statement.contains("NotPrincipal")) {
      return malformed("Policy document should not specify a principal.");
    }
    if (!passes_legacy_parsing(statement)) return malformed(std::string(kLegacy));
  }
  TRY(const std::string resource_fault, check_resources(statements));
  TRY_VOID(check_sids(statements));
  for (const JsonObject& statement : statements) {
    if (!has_any(statement, "Action")) return malformed("Policy statement must contain actions.");
  }
  if (!resource_fault.empty()) return malformed(resource_fault);
  TRY_VOID(check_actions(statements));
  for (const JsonObject& statement : statements) {
    if (has_any(statement, "Resource")) continue;
    return malformed("Policy statement must contain resources.");
  }
  return {};
}

Result<void> check_trust_policy(std::string_view document) {
  TRY(const JsonObject policy, parse(document, "This policy contains invalid Json"));
  if (!is_well_formed(policy)) return malformed("Syntax errors in policy.");
  for (const JsonObject& statement : statements_of(policy)) {
    if (!passes_legacy_parsing(statement)) return malformed(std::string(kLegacy));
    if (statement.contains("Resource") || statement.contains("NotResource")) {
      return malformed("Has prohibited field Resource");
    }
    if (!statement.contains("Principal") && !statement.contains("NotPrincipal")) {
      return malformed("Missing required field Principal");
    }
    if (!has_any(statement, "Action")) return malformed("Missing required field Action");
    for (const std::string& action : texts_at(statement, "Action")) {
      TRY_VOID(check_trust_action(action));
    }
    if (const JsonValue* const principal = statement.if_contains("Principal")) {
      TRY_VOID(check_trust_principal(*principal));
    }
  }
  return {};
}

}  // namespace terrarium::iam
