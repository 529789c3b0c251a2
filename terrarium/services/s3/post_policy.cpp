#include "terrarium/services/s3/post_policy.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>

#include "generated/s3/errors.h"
#include "lib/base/encoding.h"

namespace terrarium::s3 {
namespace {

namespace json = boost::json;

std::unexpected<base::Error> invalid(const std::string& message) {
  return base::fail(errors::kInvalidPolicyDocument, "Invalid Policy: " + message);
}

std::unexpected<base::Error> not_allowed(const std::string& message) {
  return base::fail(errors::kAccessDenied, "Invalid according to Policy: " + message);
}

std::string shown(bool starts_with, std::string_view field, std::string_view value) {
  const auto quoted = [](std::string_view text) { return json::serialize(json::string(text)); };
  return std::string(starts_with ? "[\"starts-with\", " : "[\"eq\", ") +
         quoted("$" + std::string(field)) + ", " + quoted(value) + "]";
}

PostCondition condition(bool starts_with, std::string_view field, std::string_view value) {
  return {starts_with, base::to_lower(field), std::string(value), shown(starts_with, field, value)};
}

// {"acl": "public-read"}
base::Result<void> read_simple(const json::object& object, PostPolicy& policy) {
  if (object.size() != 1) {
    return invalid(
        "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.");
  }
  const auto* const value = object.begin()->value().if_string();
  if (value == nullptr) return invalid("Invalid Simple-Condition: value must be a string.");
  policy.conditions.push_back(condition(false, object.begin()->key(), *value));
  return {};
}

// A number, or one in quotes.
std::optional<std::uint64_t> size_of(const json::value& value) {
  if (const auto* const number = value.if_int64()) {
    return *number < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(*number));
  }
  if (const auto* const number = value.if_uint64()) return *number;
  const auto* const text = value.if_string();
  if (text == nullptr) return std::nullopt;
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), size);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return size;
}

// ["starts-with", "$key", "user/"] and its kin.
base::Result<void> read_list(const json::array& list, PostPolicy& policy) {
  const auto* const name = list.empty() ? nullptr : list.front().if_string();
  if (name == nullptr) return invalid("Invalid Condition: missing operation identifier.");
  const std::string operation = base::to_lower(std::string_view(*name));
  const bool range = operation == "content-length-range";
  if (!range && operation != "eq" && operation != "starts-with") {
    return invalid("Invalid Condition: unknown operation '" + operation + "'.");
  }
  if (list.size() != 3) return invalid("Invalid " + operation + ": wrong number of arguments.");
  if (range) {
    const auto least = size_of(list.at(1));
    const auto most = size_of(list.at(2));
    if (!least || !most) return invalid("Invalid content-length-range: sizes must be numbers.");
    policy.bytes_min = std::max(policy.bytes_min, *least);
    policy.bytes_max = std::min(policy.bytes_max, *most);
    return {};
  }
  const auto* const field = list.at(1).if_string();
  const auto* const value = list.at(2).if_string();
  if (field == nullptr || value == nullptr || !field->starts_with('$')) {
    return invalid("Invalid " + operation + ": arguments must be a field's name and a string.");
  }
  policy.conditions.push_back(
      condition(operation == "starts-with", std::string_view(*field).substr(1), *value));
  return {};
}

base::Result<void> read_conditions(const json::value& value, PostPolicy& policy) {
  const auto* const list = value.if_array();
  if (list == nullptr) return invalid("Invalid 'conditions' value: must be a List.");
  for (const json::value& item : *list) {
    if (const auto* const object = item.if_object()) {
      TRY_VOID(read_simple(*object, policy));
    } else if (const auto* const array = item.if_array()) {
      TRY_VOID(read_list(*array, policy));
    } else {
      return invalid("Invalid condition test: must be a List or Object.");
    }
  }
  return {};
}

// Every part of a Content-Type that is a list must begin so.
bool starts_so(const PostCondition& condition, std::string_view value) {
  if (condition.field != "content-type") return value.starts_with(condition.value);
  do {
    const std::size_t comma = std::min(value.find(','), value.size());
    if (!base::trim(value.substr(0, comma)).starts_with(condition.value)) return false;
    value.remove_prefix(std::min(comma + 1, value.size()));
  } while (!value.empty());
  return true;
}

bool holds(const PostCondition& condition, std::string_view value) {
  return condition.starts_with ? starts_so(condition, value) : value == condition.value;
}

// Fields that no policy speaks of: the policy itself, its signature, and what the form ignores.
bool needs_condition(std::string_view name) {
  constexpr std::array<std::string_view, 5> free{"policy", "signature", "x-amz-signature",
                                                 "awsaccesskeyid", "file"};
  return std::ranges::find(free, name) == free.end() && !name.starts_with("x-ignore-");
}

}  // namespace

base::Result<PostPolicy> parse_post_policy(std::string_view document) {
  const auto text = base::base64_decode(document);
  if (!text.has_value()) return invalid("invalid Base64 encoding.");
  if (text->empty()) return invalid("Expecting '{' but found End-of-Input");
  json::error_code error;
  const json::value parsed = json::parse(*text, error);
  const auto* const object = error ? nullptr : parsed.if_object();
  if (object == nullptr) return invalid("Invalid JSON.");
  for (const auto& member : *object) {
    if (member.key() == "expiration" || member.key() == "conditions") continue;
    return invalid("Unexpected: \"" + std::string(member.key()) + "\"");
  }
  const auto* const expiration = object->if_contains("expiration");
  if (expiration == nullptr) return invalid("Policy missing expiration.");
  const auto* const when = expiration->if_string();
  const auto time =
      when == nullptr ? base::Result<base::Timestamp>(invalid({})) : base::parse_iso8601(*when);
  if (!time.has_value()) {
    return invalid("Invalid 'expiration' value: '" +
                   (when == nullptr ? json::serialize(*expiration) : std::string(*when)) + "'");
  }
  const auto* const conditions = object->if_contains("conditions");
  if (conditions == nullptr) return invalid("Policy missing conditions.");
  PostPolicy policy;
  policy.expiration = *time;
  TRY_VOID(read_conditions(*conditions, policy));
  return policy;
}

base::Result<void> check_post_policy(const PostPolicy& policy, const FormFields& fields,
                                     std::string_view bucket, std::string_view key,
                                     base::Timestamp now) {
  if (now >= policy.expiration) return not_allowed("Policy expired.");
  for (const PostCondition& condition : policy.conditions) {
    std::string value = fields.get(condition.field);
    if (condition.field == "bucket") value = bucket;
    if (condition.field == "key") value = key;
    if (!holds(condition, value)) {
      return not_allowed("Policy Condition failed: " + condition.text);
    }
  }
  const auto is_named = [&policy](std::string_view name) {
    return std::ranges::find(policy.conditions, name, &PostCondition::field) !=
           policy.conditions.end();
  };
  // The bucket is a field of every form, though the URL names it.
  if (!is_named("bucket")) return not_allowed("Extra input fields: bucket");
  for (const auto& [field, value] : fields) {
    const std::string name = base::to_lower(field);
    if (needs_condition(name) && !is_named(name)) {
      return not_allowed("Extra input fields: " + field);
    }
  }
  return {};
}

}  // namespace terrarium::s3
