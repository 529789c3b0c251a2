#include "terrarium/wire/policy.h"

#include <algorithm>
#include <boost/json.hpp>
#include <limits>

#include "lib/base/encoding.h"
#include "terrarium/wire/identity_policy.h"
#include "terrarium/wire/policy_condition.h"

namespace terrarium::wire {

namespace json = boost::json;

struct Policy::Statement {
  bool allows = false;
  bool everyone = false;
  std::vector<std::string> accounts;    // by number or root ARN
  std::vector<std::string> principals;  // user, role and session ARNs, unique ids
  std::vector<std::string> services;
  bool not_action = false;
  std::vector<PolicyPattern> actions;
  bool not_resource = false;
  std::vector<PolicyPattern> resources;
  std::vector<PolicyCondition> conditions;

  enum class Named : std::uint8_t { No, Role, Caller };
  Named names(const Principal& principal) const;
  bool fits(const PolicyRequest& request) const;
};

namespace {

constexpr std::size_t kPolicyBytesMax = 64 * 1024;
constexpr std::string_view kGlobalKeys[] = {
    "aws:currenttime",
    "aws:epochtime",
    "aws:sourceip",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:securetransport",
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principaltype",
    "aws:userid",
    "aws:username",
    "aws:principalisawsservice",
    "aws:viaawsservice",
    "aws:principalservicename",
    "aws:useragent",
    "aws:referer",
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:multifactorauthpresent",
    // Of an account without an organisation and of calls that come through no VPC endpoint: never
    // there, as on AWS.
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:resourceorgid",
    "aws:sourcevpc",
    "aws:sourcevpce",
    // Nobody here has a device, and no service calls another in a caller's name.
    "aws:multifactorauthage",
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
};
// Of a request: whatever comes after the prefix.
constexpr std::string_view kTagKeys = "aws:requesttag/";
// What services fill in, for documents that speak of all of them.
constexpr std::string_view kEveryServicesKeys[] = {
    "s3:prefix",        "s3:delimiter",         "s3:max-keys", "s3:versionid",
    "aws:tagkeys",      "iam:passedtoservice",  "ec2:region",  "ec2:vpc",
    "ec2:instancetype", "ec2:availabilityzone",
};
constexpr std::string_view kEc2TagKeys = "ec2:resourcetag/";
constexpr std::string_view kResourceTagKeys = "aws:resourcetag/";

bool is_account(std::string_view text) {
  return text.size() == 12 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// "arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION" belongs to "arn:aws:iam::ACCOUNT:role/ROLE",
// whatever path the role has.
bool is_session_of(std::string_view session_arn, std::string_view account, std::string_view role) {
  const std::string session = "arn:aws:sts::" + std::string(account) + ":assumed-role/";
  const std::string owner = "arn:aws:iam::" + std::string(account) + ":role/";
  if (!session_arn.starts_with(session) || !role.starts_with(owner)) return false;
  session_arn.remove_prefix(session.size());
  const std::string_view name = role.substr(role.rfind('/') + 1);
  return session_arn.starts_with(name) && session_arn.substr(name.size()).starts_with('/');
}

}  // namespace

enum class PolicyKind : std::uint8_t { Resource, Identity, Trust };

// Reads one document, element by element; refuses what it does not understand.
struct PolicyParser {
  std::span<const std::string_view> service_keys;
  PolicyKind kind = PolicyKind::Resource;
  bool variables = false;
  bool of_ec2 = false;  // of the statement that is read: all its actions are EC2's

  using Statement = Policy::Statement;

  static Evaluation weigh(const Policy& policy, const PolicyRequest& request);

  bool strict() const { return kind == PolicyKind::Resource; }

  bool is_filled_in(std::string_view key) const {
    if (std::ranges::find(kGlobalKeys, key) != std::end(kGlobalKeys)) return true;
    if (std::ranges::any_of(service_keys, [key](std::string_view known) {
          return known.ends_with('/') ? key.starts_with(known) && key != known : key == known;
        })) {
      return true;
    }
    if (strict()) return false;
    // Other services' resources are never asked for their tags: a Deny by tag must not be lost.
    if (of_ec2 && key.starts_with(kResourceTagKeys)) return true;
    return key.starts_with(kTagKeys) || key.starts_with(kEc2TagKeys) ||
           std::ranges::find(kEveryServicesKeys, key) != std::end(kEveryServicesKeys);
  }

  static std::unexpected<base::Error> refuse(std::string message) {
    return base::fail(base::ErrorKind::InvalidInput, std::move(message));
  }

  // `detail`: what of the document is wrong, which AWS tells beside its message.
  static std::unexpected<base::Error> refuse(std::string message, std::string detail) {
    auto refusal = refuse(std::move(message));
    refusal.error().fields = {{"Detail", std::move(detail)}};
    return refusal;
  }

  static std::unexpected<base::Error> refuse_principal(std::string_view type,
                                                       std::string_view name) {
    return refuse("Invalid principal in policy",
                  '"' + std::string(type) + "\" : \"" + std::string(name) + '"');
  }

  static base::Result<std::string> text(const json::value& value, std::string_view where) {
    std::string out;
    if (value.is_string()) {
      out = value.as_string();
    } else if (value.is_bool() || value.is_number()) {
      out = json::serialize(value);
    } else {
      return refuse("Policy element " + std::string(where) + " must be a string");
    }
    if (std::ranges::any_of(out, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
      return refuse("Policy element " + std::string(where) + " has a control character");
    }
    return out;
  }

  static base::Result<std::vector<std::string>> texts(const json::value& value,
                                                      std::string_view where) {
    std::vector<std::string> out;
    if (!value.is_array()) {
      TRY(std::string one, text(value, where));
      out.push_back(std::move(one));
      return out;
    }
    for (const json::value& element : value.as_array()) {
      TRY(std::string one, text(element, where));
      out.push_back(std::move(one));
    }
    if (out.empty()) return refuse("Policy element " + std::string(where) + " is empty");
    return out;
  }

  base::Result<std::vector<PolicyPattern>> patterns(const json::value& value,
                                                    std::string_view where) const {
    TRY(auto all, texts(value, where));
    std::vector<PolicyPattern> out;
    for (std::string& one : all) out.push_back({std::move(one), variables});
    return out;
  }

  static base::Result<void> aws_principal(std::string name, Statement& out) {
    constexpr std::string_view kIam = "arn:aws:iam::";
    constexpr std::string_view kSts = "arn:aws:sts::";
    if (name == "*") {
      out.everyone = true;
    } else if (is_account(name)) {
      out.accounts.push_back(std::move(name));
    } else if (name.starts_with(kIam) && name.ends_with(":root") &&
               is_account(std::string_view(name).substr(kIam.size(), 12)) &&
               name.size() == kIam.size() + 12 + 5) {
      out.accounts.push_back(name.substr(kIam.size(), 12));
    } else if ((name.starts_with(kIam) || name.starts_with(kSts)) &&
               name.find_first_of("*?") == std::string::npos) {
      out.principals.push_back(std::move(name));
    } else if (name.starts_with("AIDA") || name.starts_with("AROA")) {
      out.principals.push_back(std::move(name));
    } else {
      return refuse_principal("AWS", name);
    }
    return {};
  }

  static base::Result<void> principal(const json::value& value, Statement& out) {
    if (value.is_string() && value.as_string() == "*") {
      out.everyone = true;
      return {};
    }
    if (!value.is_object() || value.as_object().empty())
      return refuse("Invalid principal in policy");
    for (const auto& [type, names] : value.as_object()) {
      TRY(auto all, texts(names, "Principal"));
      if (type != "AWS" && type != "Service") return refuse_principal(type, all.front());
      for (std::string& name : all) {
        if (type == "AWS") {
          TRY_VOID(aws_principal(std::move(name), out));
        } else if (name.ends_with(".amazonaws.com")) {
          out.services.push_back(std::move(name));
        } else {
          return refuse_principal("Service", name);
        }
      }
    }
    return {};
  }

  base::Result<void> condition(const json::value& value, Statement& out) const {
    if (!value.is_object()) return refuse("Policy element Condition must be an object");
    for (const auto& [operator_name, keys] : value.as_object()) {
      if (!keys.is_object()) return refuse("Policy element Condition must hold objects");
      for (const auto& [key, values] : keys.as_object()) {
        std::string name = base::to_lower(key);
        if (!is_filled_in(name)) {
          return refuse("Policy has an invalid condition key", std::string(key));
        }
        TRY(auto all, patterns(values, "Condition"));
        TRY(auto made, PolicyCondition::parse(operator_name, std::move(name), std::move(all)));
        out.conditions.push_back(std::move(made));
      }
    }
    return {};
  }

  static base::Result<void> check_actions(const std::vector<PolicyPattern>& actions) {
    for (const PolicyPattern& action : actions) {
      const std::size_t colon = action.text.find(':');
      const bool named = colon != std::string::npos && colon > 0 && colon + 1 < action.text.size();
      if (action.text != "*" && !named) {
        return refuse("Policy has invalid action", action.text);
      }
    }
    return {};
  }

  static base::Result<void> check_resources(const std::vector<PolicyPattern>& resources) {
    for (const PolicyPattern& resource : resources) {
      if (resource.text != "*" && !resource.text.starts_with("arn:")) {
        return refuse("Policy has invalid resource", resource.text);
      }
    }
    return {};
  }

  base::Result<void> element(std::string_view name, const json::value& value,
                             Statement& out) const {
    if (name == "Sid") {
      TRY_VOID(text(value, name));
    } else if (name == "Effect") {
      if (value != "Allow" && value != "Deny") return refuse("Policy has an invalid Effect");
      out.allows = value == "Allow";
    } else if (name == "Principal") {
      TRY_VOID(principal(value, out));
    } else if (name == "Action" || name == "NotAction") {
      out.not_action = name == "NotAction";
      TRY(out.actions, patterns(value, name));
      TRY_VOID(check_actions(out.actions));
    } else if (name == "Resource" || name == "NotResource") {
      out.not_resource = name == "NotResource";
      TRY(out.resources, patterns(value, name));
      TRY_VOID(check_resources(out.resources));
    } else if (name == "Condition") {
      TRY_VOID(condition(value, out));
    } else if (name == "NotPrincipal") {
      return refuse("NotPrincipal is not supported; use Principal with a Condition");
    } else {
      return refuse("Policy has an unknown element: " + std::string(name));
    }
    return {};
  }

  base::Result<void> check_complete(const json::object& object) const {
    const auto one_of = [&object](const char* a, const char* b) {
      return object.contains(a) != object.contains(b);
    };
    if (!object.contains("Effect")) return refuse("Missing required field Effect");
    if (kind != PolicyKind::Identity && !object.contains("Principal") &&
        !object.contains("NotPrincipal")) {
      return refuse("Missing required field Principal");
    }
    if (!one_of("Action", "NotAction")) return refuse("Missing required field Action");
    if (kind != PolicyKind::Trust && !one_of("Resource", "NotResource")) {
      return refuse("Missing required field Resource");
    }
    return {};
  }

  // What is not understood is left out, so that a Deny says no more often than it would, and an
  // Allow is worth nothing.
  base::Result<void> lenient_element(std::string_view name, const json::value& value,
                                     Statement& out, bool& understood) const {
    const bool may_be_left_out =
        name == "Principal" || name == "NotPrincipal" || name == "Condition";
    Statement read = out;
    const auto done = element(name, value, read);
    if (done) {
      out = std::move(read);
    } else if (may_be_left_out) {
      understood = false;
      if (name != "Condition") out.everyone = true;
    } else {
      return done;
    }
    return {};
  }

  static bool speaks_of_ec2(const json::object& statement) {
    const json::value* const actions = statement.if_contains("Action");
    const auto is_ec2s = [](const json::value& action) {
      return action.is_string() && base::to_lower(action.as_string()).starts_with("ec2:");
    };
    if (actions == nullptr) return false;
    if (!actions->is_array()) return is_ec2s(*actions);
    return std::ranges::all_of(actions->as_array(), is_ec2s);
  }

  // Nothing: a statement that never takes part.
  base::Result<std::optional<Statement>> statement(const json::value& value) const {
    if (!value.is_object()) return refuse("Policy statements must be objects");
    const json::object& object = value.as_object();
    TRY_VOID(check_complete(object));
    PolicyParser reader = *this;
    reader.of_ec2 = speaks_of_ec2(object);
    Statement out;
    bool understood = true;
    for (const auto& [name, inner] : object) {
      if (strict()) {
        TRY_VOID(reader.element(name, inner, out));
      } else {
        TRY_VOID(reader.lenient_element(name, inner, out, understood));
      }
    }
    if (kind == PolicyKind::Identity) out.everyone = true;
    if (kind == PolicyKind::Trust) out.resources = {{"*", false}};
    if (out.allows && !understood) return std::nullopt;
    return out;
  }

  base::Result<Policy> document(std::string_view bytes) {
    if (bytes.size() > kPolicyBytesMax) return refuse("The policy is too large");
    boost::system::error_code failure;
    const json::value parsed = json::parse(bytes, failure);
    if (failure || !parsed.is_object()) return refuse("Policies must be valid JSON");
    const json::object& object = parsed.as_object();
    for (const auto& [name, value] : object) {
      if (name == "Version") {
        if (value != "2012-10-17" && value != "2008-10-17") {
          return refuse("The policy must contain a valid version string");
        }
        variables = value == "2012-10-17";
      } else if (name == "Id") {
        TRY_VOID(text(value, "Id"));
      } else if (name != "Statement") {
        return refuse("Policy has an unknown element: " + std::string(name));
      }
    }
    const json::value* statements = object.if_contains("Statement");
    if (statements == nullptr) return refuse("Missing required field Statement");
    auto out = std::make_shared<std::vector<Statement>>();
    if (statements->is_array()) {
      for (const json::value& one : statements->as_array()) {
        TRY(auto made, statement(one));
        if (made) out->push_back(*std::move(made));
      }
    } else {
      TRY(auto made, statement(*statements));
      if (made) out->push_back(*std::move(made));
    }
    if (strict() && out->empty()) return refuse("Missing required field Statement");
    return Policy(std::move(out));
  }
};

base::Result<Policy> Policy::parse(std::string_view json_text,
                                   std::span<const std::string_view> service_keys) {
  PolicyParser parser{.service_keys = service_keys};
  return parser.document(json_text);
}

base::Result<Policy> parse_identity_policy(std::string_view json_text) {
  PolicyParser parser{.kind = PolicyKind::Identity};
  return parser.document(json_text);
}

base::Result<Policy> parse_trust_policy(std::string_view json_text,
                                        std::span<const std::string_view> keys) {
  PolicyParser parser{.service_keys = keys, .kind = PolicyKind::Trust};
  return parser.document(json_text);
}

Policy::Statement::Named Policy::Statement::names(const Principal& principal) const {
  if (everyone) return Named::Caller;
  if (principal.kind == PrincipalKind::Anonymous) return Named::No;
  if (principal.kind == PrincipalKind::Service) {
    const bool named = std::ranges::find(services, principal.arn) != services.end();
    return named ? Named::Caller : Named::No;
  }
  const bool of_account = std::ranges::find(accounts, principal.account) != accounts.end();
  if (of_account && (principal.kind == PrincipalKind::Root || !allows)) return Named::Caller;
  auto found = Named::No;
  for (const std::string& wanted : principals) {
    if (wanted == principal.arn || wanted == principal.id) return Named::Caller;
    if (principal.kind != PrincipalKind::AssumedRole) continue;
    const bool role = is_session_of(principal.arn, principal.account, wanted) ||
                      (wanted.starts_with("AROA") && principal.id.starts_with(wanted + ":"));
    if (role) found = Named::Role;
  }
  return found;
}

bool Policy::Statement::fits(const PolicyRequest& request) const {
  const bool action = std::ranges::any_of(actions, [&request](const PolicyPattern& pattern) {
    return pattern.matches(request.action, request.context, true);
  });
  if (action == not_action) return false;
  const bool resource = std::ranges::any_of(resources, [&request](const PolicyPattern& pattern) {
    return pattern.matches(request.resource, request.context, false);
  });
  return resource != not_resource &&
         std::ranges::all_of(conditions, [&request](const PolicyCondition& condition) {
           return condition.holds(request.context);
         });
}

Evaluation PolicyParser::weigh(const Policy& policy, const PolicyRequest& request) {
  Evaluation out;
  for (const Statement& statement : *policy.statements_) {
    const auto named = statement.names(request.principal);
    if (named == Statement::Named::No || !statement.fits(request)) continue;
    if (!statement.allows) return {Decision::Deny, false};
    // One that names the caller itself is worth more than one that names its role.
    out.by_role =
        named == Statement::Named::Role && (out.decision == Decision::None || out.by_role);
    out.decision = Decision::Allow;
  }
  return out;
}

Evaluation weigh(const Policy& policy, const PolicyRequest& request) {
  return PolicyParser::weigh(policy, request);
}

Decision Policy::evaluate(const PolicyRequest& request) const {
  return PolicyParser::weigh(*this, request).decision;
}

bool Policy::is_public() const {
  return std::ranges::any_of(*statements_, [](const Statement& statement) {
    return statement.allows && statement.everyone &&
           std::ranges::none_of(statement.conditions, &PolicyCondition::narrows_callers);
  });
}

}  // namespace terrarium::wire
