#include "terrarium/services/iam/policy_syntax.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "lib/base/encoding.h"

namespace terrarium::iam {
namespace {

constexpr std::string_view kOperators[] = {"StringEquals",
                                           "StringNotEquals",
                                           "StringEqualsIgnoreCase",
                                           "StringNotEqualsIgnoreCase",
                                           "StringLike",
                                           "StringNotLike",
                                           "NumericEquals",
                                           "NumericNotEquals",
                                           "NumericLessThan",
                                           "NumericLessThanEquals",
                                           "NumericGreaterThan",
                                           "NumericGreaterThanEquals",
                                           "DateEquals",
                                           "DateNotEquals",
                                           "DateLessThan",
                                           "DateLessThanEquals",
                                           "DateGreaterThan",
                                           "DateGreaterThanEquals",
                                           "Bool",
                                           "BinaryEquals",
                                           "IpAddress",
                                           "NotIpAddress",
                                           "ArnEquals",
                                           "ArnLike",
                                           "ArnNotEquals",
                                           "ArnNotLike",
                                           "Null"};

bool is_operator(std::string_view name) {
  for (const std::string_view set : {"ForAllValues:", "ForAnyValue:"}) {
    if (!name.starts_with(set)) continue;
    name.remove_prefix(set.size());
    break;
  }
  constexpr std::string_view kIfExists = "IfExists";
  if (name.ends_with(kIfExists)) name.remove_suffix(kIfExists.size());
  return std::ranges::find(kOperators, name) != std::end(kOperators);
}

bool is_scalar(const JsonValue& value) {
  return value.is_string() || value.is_bool() || value.is_number();
}

bool is_text_or_texts(const JsonValue& value) {
  if (value.is_string()) return true;
  return value.is_array() && std::ranges::all_of(value.as_array(), [](const JsonValue& one) {
           return one.is_string();
         });
}

bool is_condition(const JsonValue& value) {
  if (!value.is_object()) return false;
  return std::ranges::all_of(value.as_object(), [](const auto& by_operator) {
    if (!by_operator.value().is_object()) return false;
    const JsonObject& keys = by_operator.value().as_object();
    // AWS looks at the operator only when it compares something.
    if (!keys.empty() && !is_operator(by_operator.key())) return false;
    return std::ranges::all_of(keys, [](const auto& by_key) {
      const JsonValue& wanted = by_key.value();
      return is_scalar(wanted) ||
             (wanted.is_array() && std::ranges::all_of(wanted.as_array(), is_scalar));
    });
  });
}

bool is_principal(const JsonValue& value) {
  if (value.is_string()) return true;
  if (!value.is_object()) return false;
  return std::ranges::all_of(value.as_object(), [](const auto& kind) {
    constexpr std::string_view kKinds[] = {"AWS", "Service", "Federated", "CanonicalUser"};
    return std::ranges::find(kKinds, std::string_view(kind.key())) != std::end(kKinds) &&
           is_text_or_texts(kind.value());
  });
}

bool is_element(std::string_view name, const JsonValue& value) {
  if (name == "Sid") return value.is_string();
  if (name == "Effect") {
    return value.is_string() && (base::equals_ignoring_case(value.as_string(), "Allow") ||
                                 base::equals_ignoring_case(value.as_string(), "Deny"));
  }
  if (name == "Principal" || name == "NotPrincipal") return is_principal(value);
  if (name == "Condition") return is_condition(value);
  constexpr std::string_view kLists[] = {"Action", "NotAction", "Resource", "NotResource"};
  return std::ranges::find(kLists, name) != std::end(kLists) && is_text_or_texts(value);
}

bool is_statement(const JsonValue& value) {
  if (!value.is_object()) return false;
  const JsonObject& statement = value.as_object();
  const auto both = [&statement](std::string_view name) {
    return statement.contains(name) && statement.contains("Not" + std::string(name));
  };
  if (!statement.contains("Effect") || both("Action") || both("Resource") || both("Principal")) {
    return false;
  }
  return std::ranges::all_of(
      statement, [](const auto& element) { return is_element(element.key(), element.value()); });
}

// Reads all of `text` as a number of [low, high].
bool is_number(std::string_view text, std::int64_t low, std::int64_t high) {
  std::int64_t number = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= low &&
         number <= high;
}

std::string_view take_until(std::string_view& rest, std::string_view ends) {
  const std::size_t end = std::min(rest.find_first_of(ends), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end);
  return part;
}

// "2016-12-13": what is left out counts as the first.
bool is_date(std::string_view date) {
  constexpr std::int64_t kYearMin = -292'275'054;
  constexpr std::int64_t kYearMax = 292'278'993;
  const bool negative = date.starts_with('-');
  std::string_view rest = negative ? date.substr(1) : date;
  std::string year(negative ? "-" : "");
  year += take_until(rest, "-");
  if (!is_number(year, kYearMin, kYearMax)) return false;
  for (const std::int64_t high : {12, 31}) {
    if (rest.empty()) return true;
    rest.remove_prefix(1);
    if (!is_number(take_until(rest, "-"), 1, high)) return false;
  }
  return rest.empty();
}

// "2:00:00.593194", without the offset.
bool is_time(std::string_view time) {
  if (time.empty()) return true;
  std::string_view rest = time;
  if (!is_number(take_until(rest, ":"), 0, 23)) return false;
  if (rest.empty()) return true;
  rest.remove_prefix(1);
  if (!is_number(take_until(rest, ":"), 0, 59)) return false;
  if (rest.empty()) return true;
  rest.remove_prefix(1);
  if (!is_number(take_until(rest, "."), 0, 59)) return false;
  if (rest.empty()) return true;
  return is_number(rest.substr(1), 0, 999'999'999);
}

// "Z", "+00:00", "-23"; hours have two digits.
bool is_offset(std::string_view offset) {
  if (offset.empty() || base::equals_ignoring_case(offset, "Z")) return true;
  std::string_view rest = offset.substr(1);
  const std::string_view hours = take_until(rest, ":");
  if (hours.size() != 2 || !is_number(hours, 0, 23)) return false;
  return rest.empty() || (rest.size() == 3 && is_number(rest.substr(1), 0, 59));
}

bool is_moment(std::string_view text) {
  if (is_number(text, INT64_MIN, INT64_MAX)) return true;
  const std::size_t t = text.find_first_of("tT");
  if (!is_date(text.substr(0, std::min(t, text.size())))) return false;
  if (t == std::string_view::npos) return true;
  const std::string_view rest = text.substr(t + 1);
  const std::size_t offset = std::min(rest.find_first_of("+-zZ"), rest.size());
  return is_time(rest.substr(0, offset)) && is_offset(rest.substr(offset));
}

}  // namespace

std::vector<std::string> texts_of(const JsonValue& value) {
  std::vector<std::string> out;
  if (value.is_string()) out.emplace_back(value.as_string());
  if (!value.is_array()) return out;
  for (const JsonValue& one : value.as_array()) {
    if (one.is_string()) out.emplace_back(one.as_string());
  }
  return out;
}

std::vector<JsonObject> statements_of(const JsonObject& policy) {
  std::vector<JsonObject> out;
  const JsonValue& statements = policy.at("Statement");
  if (statements.is_object()) return {statements.as_object()};
  for (const JsonValue& one : statements.as_array()) out.push_back(one.as_object());
  return out;
}

bool is_well_formed(const JsonObject& policy) {
  for (const auto& [name, value] : policy) {
    if (name == "Version") {
      if (value != "2012-10-17" && value != "2008-10-17") return false;
    } else if (name == "Id") {
      if (!value.is_string()) return false;
    } else if (name != "Statement") {
      return false;
    }
  }
  const JsonValue* const statements = policy.if_contains("Statement");
  if (statements == nullptr) return false;
  if (!statements->is_array()) return is_statement(*statements);
  return !statements->as_array().empty() &&
         std::ranges::all_of(statements->as_array(), is_statement);
}

bool passes_legacy_parsing(const JsonObject& statement) {
  const JsonValue& effect = statement.at("Effect");
  if (effect != "Allow" && effect != "Deny") return false;
  const JsonValue* const condition = statement.if_contains("Condition");
  if (condition == nullptr) return true;
  return std::ranges::all_of(condition->as_object(), [](const auto& by_operator) {
    if (!std::string_view(by_operator.key()).contains("Date")) return true;
    return std::ranges::all_of(by_operator.value().as_object(), [](const auto& by_key) {
      return std::ranges::all_of(texts_of(by_key.value()), is_moment);
    });
  });
}

}  // namespace terrarium::iam
