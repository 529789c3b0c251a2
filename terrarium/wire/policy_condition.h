// The Condition element of a policy statement, and the patterns that policies are made of. Part of
// policy.h; nobody else includes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/wire/policy.h"

namespace terrarium::wire {

// Text of a policy with * and ? in it and, when `variables`, ${key}, ${*}, ${?} and ${$}.
struct PolicyPattern {
  std::string text;
  bool variables = false;

  bool matches(std::string_view subject, const ConditionContext& context, bool ignore_case) const;
  // Compared as it stands, but for its variables.
  bool equals(std::string_view subject, const ConditionContext& context, bool ignore_case) const;
  // Six parts between colons, each matched by itself.
  bool matches_arn(std::string_view subject, const ConditionContext& context) const;
};

class PolicyCondition {
 public:
  // `key` in lower case. Refuses operators that are not known, and values that are not of the
  // operator's kind.
  static base::Result<PolicyCondition> parse(std::string_view operator_name, std::string key,
                                             std::vector<PolicyPattern> values);
  bool holds(const ConditionContext& context) const;
  // Whether it narrows the callers to values that are fixed: see Policy::is_public.
  bool narrows_callers() const;

 private:
  enum class Kind : std::uint8_t { String, StringNoCase, Like, Numeric, Date, Bool, Ip, Arn, Null };
  enum class Order : std::uint8_t { Equal, Less, LessOrEqual, Greater, GreaterOrEqual };
  enum class Set : std::uint8_t { None, All, Any };
  struct Operator {
    std::string_view name;
    Kind kind;
    bool negated;
    Order order;
  };
  static const Operator* find(std::string_view name);
  base::Result<void> check(const PolicyPattern& value) const;
  bool matches(const PolicyPattern& value, std::string_view subject,
               const ConditionContext& context) const;
  // Whether one of the condition's values fits, turned round when the operator is negated.
  bool accepts(std::string_view subject, const ConditionContext& context) const;

  const Operator* operator_ = nullptr;
  Set set_ = Set::None;
  bool if_exists_ = false;
  std::string key_;
  std::vector<PolicyPattern> values_;
};

}  // namespace terrarium::wire
