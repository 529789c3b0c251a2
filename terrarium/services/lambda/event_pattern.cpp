#include "terrarium/services/lambda/event_pattern.h"

#include <algorithm>
#include <cmath>

#include "lib/base/encoding.h"

namespace terrarium::lambda {
namespace {

namespace json = boost::json;

constexpr std::string_view kOr = "$or";
constexpr double kNumberMax = 5e9;  // EventBridge's bound for numeric rules, either sign

std::unexpected<base::Error> invalid(std::string what) {
  return base::fail(base::ErrorKind::InvalidInput, std::move(what));
}

std::string_view text_of(const json::value& value) {
  return {value.as_string().data(), value.as_string().size()};
}

bool is_scalar(const json::value& value) { return !value.is_object() && !value.is_array(); }

bool is_operator(const json::value& value) {
  if (!value.is_string()) return false;
  static constexpr std::string_view kOperators[] = {"=", "<", "<=", ">", ">="};
  return std::ranges::find(kOperators, text_of(value)) != std::end(kOperators);
}

base::Result<void> check_numeric(const json::value& rule) {
  if (!rule.is_array()) return invalid("numeric takes a list");
  const json::array& parts = rule.as_array();
  if (parts.size() != 2 && parts.size() != 4) return invalid("numeric takes one or two bounds");
  for (std::size_t i = 0; i < parts.size(); i += 2) {
    if (!is_operator(parts[i])) return invalid("numeric has an unknown operator");
    if (!parts[i + 1].is_number()) return invalid("numeric compares with numbers");
    if (std::abs(parts[i + 1].to_number<double>()) > kNumberMax) {
      return invalid("numeric is bounded by five thousand million");
    }
  }
  if (parts.size() == 2) return {};
  const char first = text_of(parts[0])[0];
  const char second = text_of(parts[2])[0];
  const bool is_range = (first == '>' && second == '<') || (first == '<' && second == '>');
  if (!is_range) return invalid("numeric has two bounds that are no range");
  const double one = parts[1].to_number<double>();
  const double other = parts[3].to_number<double>();
  if (first == '>' ? one >= other : one <= other) return invalid("numeric has an empty range");
  return {};
}

bool is_text_or_texts(const json::value& value) {
  if (value.is_string()) return true;
  if (!value.is_array() || value.as_array().empty()) return false;
  return std::ranges::all_of(value.as_array(), [](const json::value& v) { return v.is_string(); });
}

base::Result<void> check_anything_but(const json::value& rule) {
  if (rule.is_object()) {
    const json::object& inner = rule.as_object();
    if (inner.size() != 1) return invalid("anything-but takes one rule");
    const std::string_view name = inner.begin()->key();
    const bool known = name == "prefix" || name == "suffix" || name == "equals-ignore-case";
    if (!known || !is_text_or_texts(inner.begin()->value())) {
      return invalid("anything-but takes a prefix, a suffix or equals-ignore-case");
    }
    return {};
  }
  if (rule.is_string() || rule.is_number()) return {};
  if (!rule.is_array() || rule.as_array().empty()) return invalid("anything-but takes values");
  const json::array& values = rule.as_array();
  const auto all = [&values](auto is) { return std::ranges::all_of(values, is); };
  if (all([](const json::value& value) { return value.is_string(); })) return {};
  if (all([](const json::value& value) { return value.is_number(); })) return {};
  return invalid("anything-but takes either strings or numbers");
}

base::Result<void> check_rule(const json::value& rule) {
  if (rule.is_array()) return invalid("a rule is no list");
  if (is_scalar(rule)) return {};
  const json::object& object = rule.as_object();
  if (object.size() != 1) return invalid("a rule has one operator");
  const std::string_view name = object.begin()->key();
  const json::value& value = object.begin()->value();
  if (name == "exists") {
    if (value.is_bool()) return {};
    return invalid("exists takes true or false");
  }
  if (name == "prefix" || name == "suffix" || name == "equals-ignore-case") {
    if (value.is_string()) return {};
    return invalid(std::string(name) + " takes a string");
  }
  if (name == "numeric") return check_numeric(value);
  if (name == "anything-but") return check_anything_but(value);
  return invalid("unknown operator " + std::string(name));
}

base::Result<void> check_pattern(const json::object& pattern);

base::Result<void> check_alternatives(const json::value& value) {
  if (!value.is_array() || value.as_array().size() < 2) {
    return invalid("$or takes at least two patterns");
  }
  for (const json::value& one : value.as_array()) {
    if (!one.is_object()) return invalid("$or takes patterns");
    TRY_VOID(check_pattern(one.as_object()));
  }
  return {};
}

base::Result<void> check_pattern(const json::object& pattern) {
  if (pattern.empty()) return invalid("a pattern has at least one field");
  for (const auto& field : pattern) {
    const json::value& value = field.value();
    if (field.key() == kOr) {
      TRY_VOID(check_alternatives(value));
    } else if (value.is_object()) {
      TRY_VOID(check_pattern(value.as_object()));
    } else if (!value.is_array() || value.as_array().empty()) {
      return invalid("a field takes a list of rules");
    } else {
      for (const json::value& rule : value.as_array()) TRY_VOID(check_rule(rule));
    }
  }
  return {};
}

bool equal(const json::value& rule, const json::value& value) {
  if (rule.is_number() && value.is_number()) {
    if (rule.is_int64() && value.is_int64()) return rule.as_int64() == value.as_int64();
    return rule.to_number<double>() == value.to_number<double>();
  }
  return rule == value;
}

bool compare(std::string_view op, double value, double bound) {
  if (op == "=") return value == bound;
  if (op == "<") return value < bound;
  if (op == "<=") return value <= bound;
  if (op == ">") return value > bound;
  return value >= bound;
}

bool in_range(const json::array& parts, const json::value& value) {
  if (!value.is_number()) return false;
  const double number = value.to_number<double>();
  for (std::size_t i = 0; i < parts.size(); i += 2) {
    if (!compare(text_of(parts[i]), number, parts[i + 1].to_number<double>())) return false;
  }
  return true;
}

bool text_matches(std::string_view op, const json::value& wanted, const json::value& value) {
  if (!value.is_string()) return false;
  if (wanted.is_array()) {
    return std::ranges::any_of(
        wanted.as_array(), [&](const json::value& one) { return text_matches(op, one, value); });
  }
  const std::string_view text = text_of(value);
  if (op == "prefix") return text.starts_with(text_of(wanted));
  if (op == "suffix") return text.ends_with(text_of(wanted));
  return base::to_lower(text) == base::to_lower(text_of(wanted));
}

bool is_anything_but(const json::value& rule, const json::value& value) {
  if (rule.is_object()) {
    const auto& inner = *rule.as_object().begin();
    return !text_matches(inner.key(), inner.value(), value);
  }
  if (!rule.is_array()) return !equal(rule, value);
  return std::ranges::none_of(rule.as_array(),
                              [&value](const json::value& one) { return equal(one, value); });
}

// Of a rule and a value that is there and is no list or object.
bool rule_matches(const json::value& rule, const json::value& value) {
  if (!rule.is_object()) return equal(rule, value);
  const auto& entry = *rule.as_object().begin();
  const std::string_view name = entry.key();
  if (name == "exists") return entry.value().as_bool();
  if (name == "numeric") return in_range(entry.value().as_array(), value);
  if (name == "anything-but") return is_anything_but(entry.value(), value);
  return text_matches(name, entry.value(), value);
}

// Whether a rule asks for a field that is not there.
bool wants_absence(const json::value& rule) {
  if (!rule.is_object()) return false;
  const auto& entry = *rule.as_object().begin();
  return entry.key() == "exists" && !entry.value().as_bool();
}

// `value` is null when the event has no such field. A field that holds an object is not there, as
// far as rules go: they speak of leaves.
bool field_matches(const json::array& rules, const json::value* value) {
  if (value != nullptr && value->is_array() && !value->as_array().empty()) {
    return std::ranges::any_of(value->as_array(), [&rules](const json::value& element) {
      return field_matches(rules, &element);
    });
  }
  const bool is_there = value != nullptr && is_scalar(*value);
  return std::ranges::any_of(rules, [&](const json::value& rule) {
    if (!is_there) return wants_absence(rule);
    return rule_matches(rule, *value);
  });
}

bool pattern_matches(const json::object& pattern, const json::value* event) {
  if (event != nullptr && event->is_array()) {
    return std::ranges::any_of(event->as_array(), [&pattern](const json::value& element) {
      return pattern_matches(pattern, &element);
    });
  }
  if (event != nullptr && !event->is_object()) return false;
  return std::ranges::all_of(pattern, [event](const json::key_value_pair& field) {
    if (field.key() == kOr) {
      return std::ranges::any_of(field.value().as_array(), [event](const json::value& one) {
        return pattern_matches(one.as_object(), event);
      });
    }
    const json::value* value =
        event == nullptr ? nullptr : event->as_object().if_contains(field.key());
    if (field.value().is_object()) return pattern_matches(field.value().as_object(), value);
    return field_matches(field.value().as_array(), value);
  });
}

}  // namespace

base::Result<EventPattern> EventPattern::parse(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error) return invalid("not JSON: " + error.message());
  if (!value.is_object()) return invalid("a pattern is an object");
  TRY_VOID(check_pattern(value.as_object()));
  return EventPattern(std::make_shared<const json::object>(std::move(value.as_object())));
}

bool EventPattern::matches(const json::value& event) const {
  return pattern_matches(*pattern_, &event);
}

}  // namespace terrarium::lambda
