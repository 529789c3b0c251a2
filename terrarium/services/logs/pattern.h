// Filter patterns of CloudWatch Logs ("Filter pattern syntax", Amazon CloudWatch Logs User Guide):
// terms, "phrases", -exclusions, ?alternatives and %regular expressions% for unstructured events,
// { $.selector = value && ... } for JSON events, [field, field = value, ...] for space-delimited
// ones. Pure; a Pattern is immutable, any thread may use it.
//
// Compiled once. Matching takes time linear in the event, whatever the pattern: regular expressions
// and wildcards run in RE2, phrases are found by the C library's two-way search.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace terrarium::logs {

class Pattern {
 public:
  // What selectors ("$.latency") and fields ("$size") are in an event.
  using Values = std::map<std::string, std::string>;

  // An empty text matches everything. `references` are selectors and fields whose values are wanted
  // besides those that the pattern itself names.
  static base::Result<Pattern> parse(std::string_view text,
                                     std::span<const std::string> references = {});
  bool matches(std::string_view message) const;
  // Nothing when the event does not match.
  std::optional<Values> extract(std::string_view message) const;

  // One of the three forms.
  struct Form {
    virtual ~Form() = default;
    // Fills `values`, when there is one, for an event that matches.
    virtual bool matches(std::string_view message, Values* values) const = 0;
  };

 private:
  explicit Pattern(std::unique_ptr<const Form> form) : form_(std::move(form)) {}
  std::shared_ptr<const Form> form_;
};

}  // namespace terrarium::logs
