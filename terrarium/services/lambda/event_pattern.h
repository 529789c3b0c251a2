// Event patterns, as filters of event source mappings have them: which records a function gets.
// A pattern is a JSON object whose fields hold either patterns of their own or a list of rules, of
// which one has to match. Pure; immutable, any thread.
//
// Rules: a string, number, true, false or null; {"exists"}, {"prefix"}, {"suffix"},
// {"equals-ignore-case"}, {"numeric"}, {"anything-but": a value, values, or {"prefix"}, {"suffix"},
// {"equals-ignore-case"}}. "$or" holds a list of patterns. A list in the event matches when one of
// its elements does. Source: AWS "Filter rule syntax", Lambda Developer Guide.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <string_view>

#include "lib/base/result.h"

namespace terrarium::lambda {

class EventPattern {
 public:
  // A refusal says what is wrong, for the log; AWS's message is the caller's.
  static base::Result<EventPattern> parse(std::string_view text);
  bool matches(const boost::json::value& event) const;

 private:
  explicit EventPattern(std::shared_ptr<const boost::json::object> pattern)
      : pattern_(std::move(pattern)) {}
  std::shared_ptr<const boost::json::object> pattern_;
};

}  // namespace terrarium::lambda
