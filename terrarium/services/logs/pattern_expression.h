// Conditions of JSON and space-delimited patterns: comparisons joined by && and ||. Part of
// pattern.h; nobody else includes it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/services/logs/pattern_text.h"

namespace terrarium::logs {

// What a selector or a field is in one event. A Field is text that counts as a number where it
// reads as one; a JSON string is only ever text.
struct Subject {
  enum class Kind : std::uint8_t { Missing, Null, False, True, Number, Text, Field, Composite };
  Kind kind = Kind::Missing;
  std::string_view text;  // Text and Field; the event's or its parsed JSON's
  double number = 0;
};
// As AWS prints it among the extracted values; nothing for what is missing or composite.
std::optional<std::string> to_text(const Subject& subject);

// A pattern's text, read from left to right.
class PatternReader {
 public:
  explicit PatternReader(std::string_view text) : rest_(text) {}

  void skip_spaces();
  bool at_end() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  // Takes `token` when it comes next, after spaces.
  bool accept(std::string_view token);
  // The same for a word, in any case, that ends where it ends.
  bool accept_word(std::string_view word);
  // Takes characters while `wanted` says so.
  std::string_view take_while(const std::function<bool(char)>& wanted);
  base::Result<std::string> quoted();
  // A %regular expression%; no more than two in a pattern.
  base::Result<TextMatch> regex();
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  int expressions_ = 0;
};

class Comparison {
 public:
  // "= value", "> 5", "IS NULL", "NOT EXISTS", ...
  static base::Result<Comparison> parse(PatternReader& reader);
  bool holds(const Subject& subject) const;

 private:
  enum class Operator : std::uint8_t {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    IsNull,
    IsTrue,
    IsFalse,
    Exists,
    NotExists
  };
  static std::optional<Operator> parse_operator(PatternReader& reader);
  static std::optional<Operator> parse_state(PatternReader& reader);
  base::Result<void> parse_value(PatternReader& reader);
  bool equals(const Subject& subject) const;
  bool is_ordered(const Subject& subject) const;

  Operator operator_ = Operator::Exists;
  bool anything_ = false;  // = *
  std::optional<TextMatch> text_;
  std::optional<double> number_;
};

struct Expression {
  enum class Kind : std::uint8_t { Leaf, All, Any };
  Kind kind = Kind::All;
  std::size_t subject = 0;  // of a leaf: what `parse_subject` called it
  std::optional<Comparison> comparison;
  std::vector<Expression> parts;

  bool holds(const std::function<Subject(std::size_t)>& find) const;
};

using SubjectParser = std::function<base::Result<std::size_t>(PatternReader&)>;
// a && (b || c): && binds closer than ||.
base::Result<Expression> parse_expression(PatternReader& reader, const SubjectParser& parse_subject,
                                          int depth = 0);

}  // namespace terrarium::logs
