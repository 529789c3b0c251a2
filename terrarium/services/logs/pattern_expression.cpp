#include "terrarium/services/logs/pattern_expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "lib/base/encoding.h"

namespace terrarium::logs {
namespace {

constexpr int kDepthMax = 32;
constexpr int kExpressionsMax = 2;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

std::string number_text(double number) {
  constexpr double kExact = 9007199254740992.0;
  if (std::trunc(number) == number && std::abs(number) < kExact) {
    return std::to_string(static_cast<std::int64_t>(number));
  }
  return fmt::format("{}", number);
}

}  // namespace

std::optional<std::string> to_text(const Subject& subject) {
  switch (subject.kind) {
    case Subject::Kind::Missing:
    case Subject::Kind::Composite: return std::nullopt;
    case Subject::Kind::Null: return "null";
    case Subject::Kind::False: return "false";
    case Subject::Kind::True: return "true";
    case Subject::Kind::Number: return number_text(subject.number);
    case Subject::Kind::Text:
    case Subject::Kind::Field: break;
  }
  return std::string(subject.text);
}

void PatternReader::skip_spaces() {
  while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
}

bool PatternReader::accept(std::string_view token) {
  skip_spaces();
  if (!rest_.starts_with(token)) return false;
  rest_.remove_prefix(token.size());
  return true;
}

bool PatternReader::accept_word(std::string_view word) {
  skip_spaces();
  if (!base::equals_ignoring_case(rest_.substr(0, word.size()), word)) return false;
  const std::string_view after = rest_.substr(word.size());
  if (!after.empty() && !is_space(after.front()) && !std::string_view(")}&|").contains(after[0])) {
    return false;
  }
  rest_ = after;
  return true;
}

std::string_view PatternReader::take_while(const std::function<bool(char)>& wanted) {
  const std::size_t size =
      static_cast<std::size_t>(std::ranges::find_if_not(rest_, wanted) - rest_.begin());
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

base::Result<std::string> PatternReader::quoted() {
  std::string text;
  for (std::size_t i = 1; i < rest_.size(); ++i) {
    if (rest_[i] == '"') {
      rest_.remove_prefix(i + 1);
      return text;
    }
    const bool escape =
        rest_[i] == '\\' && i + 1 < rest_.size() && (rest_[i + 1] == '"' || rest_[i + 1] == '\\');
    if (escape) ++i;
    text += rest_[i];
  }
  return invalid_pattern();
}

base::Result<TextMatch> PatternReader::regex() {
  if (++expressions_ > kExpressionsMax) return invalid_pattern();
  // A percent sign of the expression itself is written \%.
  std::size_t end = 1;
  while (end < rest_.size() && rest_[end] != '%') end += rest_[end] == '\\' ? 2 : 1;
  if (end >= rest_.size()) return invalid_pattern();
  const std::string_view expression = rest_.substr(1, end - 1);
  rest_.remove_prefix(end + 1);
  return TextMatch::regex(expression);
}

std::optional<Comparison::Operator> Comparison::parse_operator(PatternReader& reader) {
  // Longer ones first.
  if (reader.accept("!=")) return Operator::NotEqual;
  if (reader.accept("<=")) return Operator::LessOrEqual;
  if (reader.accept(">=")) return Operator::GreaterOrEqual;
  if (reader.accept("=")) return Operator::Equal;
  if (reader.accept("<")) return Operator::Less;
  if (reader.accept(">")) return Operator::Greater;
  return std::nullopt;
}

std::optional<Comparison::Operator> Comparison::parse_state(PatternReader& reader) {
  if (reader.accept_word("IS")) {
    if (reader.accept_word("NULL")) return Operator::IsNull;
    if (reader.accept_word("TRUE")) return Operator::IsTrue;
    if (reader.accept_word("FALSE")) return Operator::IsFalse;
    return std::nullopt;
  }
  const bool negated = reader.accept_word("NOT");
  if (!reader.accept_word("EXISTS")) return std::nullopt;
  return negated ? Operator::NotExists : Operator::Exists;
}

base::Result<void> Comparison::parse_value(PatternReader& reader) {
  reader.skip_spaces();
  if (reader.peek() == '%') {
    TRY(text_, reader.regex());
    return {};
  }
  std::string text;
  const bool quoted = reader.peek() == '"';
  if (quoted) {
    TRY(text, reader.quoted());
  } else {
    static constexpr std::string_view kEnds = "(){}[],&|\"=<>!%";
    text = reader.take_while([](char c) { return !is_space(c) && !kEnds.contains(c); });
    if (text.empty()) return invalid_pattern();
    number_ = parse_number(text);
  }
  anything_ = text == "*";
  TRY(text_, TextMatch::whole(std::move(text)));
  return {};
}

base::Result<Comparison> Comparison::parse(PatternReader& reader) {
  Comparison made;
  if (const auto state = parse_state(reader)) {
    made.operator_ = *state;
    return made;
  }
  const auto found = parse_operator(reader);
  if (!found) return invalid_pattern();
  made.operator_ = *found;
  TRY_VOID(made.parse_value(reader));
  const bool ordering = made.operator_ != Operator::Equal && made.operator_ != Operator::NotEqual;
  if (ordering && !made.number_) return invalid_pattern();
  return made;
}

bool Comparison::equals(const Subject& subject) const {
  if (anything_) return true;
  switch (subject.kind) {
    case Subject::Kind::Number:
      return number_ ? subject.number == *number_ : text_->matches(number_text(subject.number));
    case Subject::Kind::Field:
      if (number_) {
        if (const auto number = parse_number(subject.text)) return *number == *number_;
      }
      return text_->matches(subject.text);
    case Subject::Kind::Text: return text_->matches(subject.text);
    case Subject::Kind::Missing:
    case Subject::Kind::Null:
    case Subject::Kind::False:
    case Subject::Kind::True:
    case Subject::Kind::Composite: break;
  }
  return false;
}

bool Comparison::is_ordered(const Subject& subject) const {
  std::optional<double> number;
  if (subject.kind == Subject::Kind::Number) number = subject.number;
  if (subject.kind == Subject::Kind::Field) number = parse_number(subject.text);
  if (!number) return false;
  switch (operator_) {
    case Operator::Less: return *number < *number_;
    case Operator::LessOrEqual: return *number <= *number_;
    case Operator::Greater: return *number > *number_;
    default: return *number >= *number_;
  }
}

bool Comparison::holds(const Subject& subject) const {
  using Kind = Subject::Kind;
  switch (operator_) {
    case Operator::IsNull: return subject.kind == Kind::Null;
    case Operator::IsTrue: return subject.kind == Kind::True;
    case Operator::IsFalse: return subject.kind == Kind::False;
    case Operator::Exists: return subject.kind != Kind::Missing;
    case Operator::NotExists: return subject.kind == Kind::Missing;
    // What is not there is neither equal nor unequal.
    case Operator::Equal: return subject.kind != Kind::Missing && equals(subject);
    case Operator::NotEqual: return subject.kind != Kind::Missing && !equals(subject);
    case Operator::Less:
    case Operator::LessOrEqual:
    case Operator::Greater:
    case Operator::GreaterOrEqual: break;
  }
  return is_ordered(subject);
}

bool Expression::holds(const std::function<Subject(std::size_t)>& find) const {
  const auto part_holds = [&find](const Expression& part) { return part.holds(find); };
  switch (kind) {
    case Kind::Leaf: return comparison->holds(find(subject));
    case Kind::All: return std::ranges::all_of(parts, part_holds);
    case Kind::Any: break;
  }
  return std::ranges::any_of(parts, part_holds);
}

namespace {

base::Result<Expression> parse_leaf(PatternReader& reader, const SubjectParser& parse_subject,
                                    int depth) {
  if (reader.accept("(")) {
    TRY(Expression inner, parse_expression(reader, parse_subject, depth + 1));
    if (!reader.accept(")")) return invalid_pattern();
    return inner;
  }
  reader.skip_spaces();
  Expression leaf;
  leaf.kind = Expression::Kind::Leaf;
  TRY(leaf.subject, parse_subject(reader));
  TRY(leaf.comparison, Comparison::parse(reader));
  return leaf;
}

base::Result<Expression> parse_all(PatternReader& reader, const SubjectParser& parse_subject,
                                   int depth) {
  Expression all;
  do {
    TRY(Expression part, parse_leaf(reader, parse_subject, depth));
    all.parts.push_back(std::move(part));
  } while (reader.accept("&&"));
  return all;
}

}  // namespace

base::Result<Expression> parse_expression(PatternReader& reader, const SubjectParser& parse_subject,
                                          int depth) {
  if (depth > kDepthMax) return invalid_pattern();
  Expression any;
  any.kind = Expression::Kind::Any;
  do {
    TRY(Expression part, parse_all(reader, parse_subject, depth));
    any.parts.push_back(std::move(part));
  } while (reader.accept("||"));
  return any;
}

}  // namespace terrarium::logs
