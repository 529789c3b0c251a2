#include "terrarium/wire/policy_condition.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "lib/base/encoding.h"

namespace terrarium::wire {
namespace {

// Stand for * and ? once variables are filled in: what a variable brings is never a wildcard.
// Policies hold no control characters (Policy::parse refuses them).
constexpr char kMany = '\x01';
constexpr char kOne = '\x02';

char folded(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(char a, char b, bool ignore_case) {
  return ignore_case ? folded(a) == folded(b) : a == b;
}

struct Wildcards {
  char many = kMany;
  char one = kOne;
};

// Greedy with one point of return: linear in practice, never exponential.
bool glob(std::string_view pattern, std::string_view text, bool ignore_case, Wildcards wild = {}) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == wild.many) {
      star = p++;
      retry = t;
    } else if (p < pattern.size() &&
               (pattern[p] == wild.one || same(pattern[p], text[t], ignore_case))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == wild.many) ++p;
  return p == pattern.size();
}

// The pattern with its variables filled in; nothing when one has no single value: then nothing
// matches.
std::optional<std::string> expand(const PolicyPattern& pattern, const ConditionContext& context,
                                  bool wildcards) {
  std::string out;
  const std::string_view text = pattern.text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t end = text.find('}', i);
    if (pattern.variables && text.substr(i).starts_with("${") && end != std::string_view::npos) {
      const std::string_view name = text.substr(i + 2, end - i - 2);
      i = end;
      if (name == "*" || name == "?" || name == "$") {
        out += name;
        continue;
      }
      const auto found = context.find(base::to_lower(name));
      if (found == context.end() || found->second.size() != 1) return std::nullopt;
      out += found->second.front();
    } else if (wildcards && text[i] == '*') {
      out += kMany;
    } else if (wildcards && text[i] == '?') {
      out += kOne;
    } else {
      out += text[i];
    }
  }
  return out;
}

// The first five parts and the rest, which may hold colons; nothing when it is no ARN.
std::optional<std::array<std::string_view, 6>> arn_parts(std::string_view arn) {
  std::array<std::string_view, 6> parts;
  for (std::size_t i = 0; i < 5; ++i) {
    const std::size_t colon = arn.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    parts[i] = arn.substr(0, colon);
    arn.remove_prefix(colon + 1);
  }
  parts[5] = arn;
  return parts;
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// ISO 8601, a bare date, or seconds since 1970.
std::optional<double> seconds_of(std::string_view text) {
  if (const auto seconds = number_of(text)) return seconds;
  std::string full(text);
  if (full.size() == 10) full += "T00:00:00Z";
  const auto time = base::parse_iso8601(full);
  if (!time.has_value()) return std::nullopt;
  return std::chrono::duration<double>(time->time_since_epoch()).count();
}

struct Network {
  int family = 0;
  std::array<unsigned char, 16> address{};
  unsigned bits = 0;
};

std::optional<Network> network_of(std::string_view text) {
  Network network;
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  if (inet_pton(AF_INET, address.c_str(), network.address.data()) == 1) {
    network.family = AF_INET;
    network.bits = 32;
  } else if (inet_pton(AF_INET6, address.c_str(), network.address.data()) == 1) {
    network.family = AF_INET6;
    network.bits = 128;
  } else {
    return std::nullopt;
  }
  if (slash == std::string_view::npos) return network;
  const auto bits = number_of(text.substr(slash + 1));
  if (!bits.has_value() || *bits < 0 || *bits > network.bits) return std::nullopt;
  network.bits = static_cast<unsigned>(*bits);
  return network;
}

bool contains(const Network& network, const Network& host) {
  if (network.family != host.family) return false;
  const unsigned bytes = network.bits / 8;
  if (std::memcmp(network.address.data(), host.address.data(), bytes) != 0) return false;
  const unsigned rest = network.bits % 8;
  if (rest == 0) return true;
  const unsigned mask = 0xffU << (8 - rest) & 0xffU;
  return (network.address[bytes] & mask) == (host.address[bytes] & mask);
}

}  // namespace

bool PolicyPattern::matches(std::string_view subject, const ConditionContext& context,
                            bool ignore_case) const {
  // Nearly all patterns, and on every request of a user.
  if (!variables || !text.contains("${")) return glob(text, subject, ignore_case, {'*', '?'});
  const auto pattern = expand(*this, context, true);
  return pattern.has_value() && glob(*pattern, subject, ignore_case);
}

bool PolicyPattern::equals(std::string_view subject, const ConditionContext& context,
                           bool ignore_case) const {
  const auto wanted = expand(*this, context, false);
  if (!wanted.has_value()) return false;
  return ignore_case ? base::equals_ignoring_case(*wanted, subject) : *wanted == subject;
}

bool PolicyPattern::matches_arn(std::string_view subject, const ConditionContext& context) const {
  const auto pattern = expand(*this, context, true);
  if (!pattern.has_value()) return false;
  if (*pattern == std::string(1, kMany)) return true;
  const auto wanted = arn_parts(*pattern);
  const auto given = arn_parts(subject);
  if (!wanted.has_value() || !given.has_value()) return false;
  for (std::size_t i = 0; i < wanted->size(); ++i) {
    if (!glob((*wanted)[i], (*given)[i], false)) return false;
  }
  return true;
}

const PolicyCondition::Operator* PolicyCondition::find(std::string_view name) {
  using enum Kind;
  using enum Order;
  static constexpr Operator kOperators[] = {
      {"StringEquals", String, false, Equal},
      {"StringNotEquals", String, true, Equal},
      {"StringEqualsIgnoreCase", StringNoCase, false, Equal},
      {"StringNotEqualsIgnoreCase", StringNoCase, true, Equal},
      {"StringLike", Like, false, Equal},
      {"StringNotLike", Like, true, Equal},
      {"NumericEquals", Numeric, false, Equal},
      {"NumericNotEquals", Numeric, true, Equal},
      {"NumericLessThan", Numeric, false, Less},
      {"NumericLessThanEquals", Numeric, false, LessOrEqual},
      {"NumericGreaterThan", Numeric, false, Greater},
      {"NumericGreaterThanEquals", Numeric, false, GreaterOrEqual},
      {"DateEquals", Date, false, Equal},
      {"DateNotEquals", Date, true, Equal},
      {"DateLessThan", Date, false, Less},
      {"DateLessThanEquals", Date, false, LessOrEqual},
      {"DateGreaterThan", Date, false, Greater},
      {"DateGreaterThanEquals", Date, false, GreaterOrEqual},
      {"Bool", Bool, false, Equal},
      {"IpAddress", Ip, false, Equal},
      {"NotIpAddress", Ip, true, Equal},
      {"ArnEquals", Arn, false, Equal},
      {"ArnLike", Arn, false, Equal},
      {"ArnNotEquals", Arn, true, Equal},
      {"ArnNotLike", Arn, true, Equal},
      {"Null", Null, false, Equal},
  };
  const auto* found = std::ranges::find_if(kOperators, [name](const Operator& candidate) {
    return base::equals_ignoring_case(candidate.name, name);
  });
  return found == std::end(kOperators) ? nullptr : found;
}

base::Result<PolicyCondition> PolicyCondition::parse(std::string_view operator_name,
                                                     std::string key,
                                                     std::vector<PolicyPattern> values) {
  PolicyCondition made;
  std::string_view name = operator_name;
  const auto starts = [&name](std::string_view prefix) {
    if (!base::equals_ignoring_case(name.substr(0, prefix.size()), prefix)) return false;
    name.remove_prefix(prefix.size());
    return true;
  };
  if (starts("ForAllValues:")) {
    made.set_ = Set::All;
  } else if (starts("ForAnyValue:")) {
    made.set_ = Set::Any;
  }
  constexpr std::string_view kIfExists = "IfExists";
  if (name.size() > kIfExists.size() &&
      base::equals_ignoring_case(name.substr(name.size() - kIfExists.size()), kIfExists)) {
    made.if_exists_ = true;
    name.remove_suffix(kIfExists.size());
  }
  made.operator_ = find(name);
  const bool null_modified = made.operator_ != nullptr && made.operator_->kind == Kind::Null &&
                             (made.if_exists_ || made.set_ != Set::None);
  if (made.operator_ == nullptr || null_modified) {
    return base::fail(base::ErrorKind::InvalidInput,
                      "Invalid Condition type : " + std::string(operator_name));
  }
  made.key_ = std::move(key);
  for (const PolicyPattern& value : values) TRY_VOID(made.check(value));
  made.values_ = std::move(values);
  return made;
}

base::Result<void> PolicyCondition::check(const PolicyPattern& value) const {
  if (value.variables && value.text.find("${") != std::string::npos) return {};
  bool good = true;
  switch (operator_->kind) {
    case Kind::String:
    case Kind::StringNoCase:
    case Kind::Like: break;
    case Kind::Numeric: good = number_of(value.text).has_value(); break;
    case Kind::Date: good = seconds_of(value.text).has_value(); break;
    case Kind::Ip: good = network_of(value.text).has_value(); break;
    case Kind::Arn: good = value.text == "*" || arn_parts(value.text).has_value(); break;
    case Kind::Bool:
    case Kind::Null:
      good = base::equals_ignoring_case(value.text, "true") ||
             base::equals_ignoring_case(value.text, "false");
      break;
  }
  if (good) return {};
  return base::fail(base::ErrorKind::InvalidInput,
                    "Value " + value.text + " is not valid for " + std::string(operator_->name));
}

bool PolicyCondition::matches(const PolicyPattern& value, std::string_view subject,
                              const ConditionContext& context) const {
  const auto compare = [this](std::optional<double> given, std::optional<double> wanted) {
    if (!given.has_value() || !wanted.has_value()) return false;
    switch (operator_->order) {
      case Order::Equal: return *given == *wanted;
      case Order::Less: return *given < *wanted;
      case Order::LessOrEqual: return *given <= *wanted;
      case Order::Greater: return *given > *wanted;
      case Order::GreaterOrEqual: return *given >= *wanted;
    }
    return false;
  };
  switch (operator_->kind) {
    case Kind::String: return value.equals(subject, context, false);
    case Kind::StringNoCase:
    case Kind::Bool: return value.equals(subject, context, true);
    case Kind::Like: return value.matches(subject, context, false);
    case Kind::Arn: return value.matches_arn(subject, context);
    case Kind::Null: return false;
    case Kind::Numeric:
    case Kind::Date:
    case Kind::Ip: break;
  }
  const auto wanted = expand(value, context, false);
  if (!wanted.has_value()) return false;
  if (operator_->kind == Kind::Numeric) return compare(number_of(subject), number_of(*wanted));
  if (operator_->kind == Kind::Date) return compare(seconds_of(subject), seconds_of(*wanted));
  const auto network = network_of(*wanted);
  const auto host = network_of(subject);
  return network.has_value() && host.has_value() && contains(*network, *host);
}

bool PolicyCondition::accepts(std::string_view subject, const ConditionContext& context) const {
  const bool any = std::ranges::any_of(
      values_, [&](const PolicyPattern& value) { return matches(value, subject, context); });
  return any != operator_->negated;
}

bool PolicyCondition::holds(const ConditionContext& context) const {
  const auto found = context.find(key_);
  const bool present = found != context.end() && !found->second.empty();
  if (operator_->kind == Kind::Null) {
    return std::ranges::any_of(values_, [present](const PolicyPattern& value) {
      return base::equals_ignoring_case(value.text, "true") != present;
    });
  }
  if (!present) {
    if (if_exists_ || set_ == Set::All) return true;
    return set_ == Set::None && operator_->negated;
  }
  const auto accepted = [&](const std::string& subject) { return accepts(subject, context); };
  // Of several values a negated operator without a set prefix wants every one to differ.
  if (set_ == Set::All || (set_ == Set::None && operator_->negated)) {
    return std::ranges::all_of(found->second, accepted);
  }
  return std::ranges::any_of(found->second, accepted);
}

bool PolicyCondition::narrows_callers() const {
  static constexpr std::string_view kKeys[] = {
      "aws:sourcearn",        "aws:sourceaccount", "aws:sourceip",
      "aws:sourcevpc",        "aws:sourcevpce",    "aws:principalarn",
      "aws:principalaccount", "aws:userid",        "aws:principalorgid",
  };
  if (operator_->negated || if_exists_ || set_ == Set::All) return false;
  if (operator_->kind == Kind::Null || std::ranges::find(kKeys, key_) == std::end(kKeys)) {
    return false;
  }
  return std::ranges::all_of(values_, [this](const PolicyPattern& value) {
    if (value.variables && value.text.find("${") != std::string::npos) return false;
    if (operator_->kind == Kind::Ip) {
      const auto network = network_of(value.text);
      return network.has_value() && network->bits >= (network->family == AF_INET ? 8U : 32U);
    }
    if (operator_->kind == Kind::Like || operator_->kind == Kind::Arn) {
      constexpr std::string_view kWild = "*?";
      if (value.text.find_first_of(kWild) == std::string::npos) return true;
      const auto parts = arn_parts(value.text);
      return operator_->kind == Kind::Arn && parts.has_value() && !(*parts)[4].empty() &&
             (*parts)[4].find_first_of(kWild) == std::string_view::npos;
    }
    return true;
  });
}

}  // namespace terrarium::wire
