#include "terrarium/services/logs/pattern_text.h"

#include <re2/re2.h>
#include <string.h>

#include <algorithm>

#include "generated/logs/errors.h"

namespace terrarium::logs {
namespace {

// Of one compiled expression and the states that matching makes of it.
constexpr std::int64_t kExpressionMemoryMax = 1 << 20;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// AWS's subset: no parentheses, no characters but these, \d \D \s \S \w \W \xhh and escaped
// punctuation.
bool is_allowed(std::string_view expression) {
  constexpr std::string_view kSymbols = " :_#=@/;,-^$?[]{}|*+.";
  constexpr std::string_view kClasses = "dDsSwW";
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    if (c != '\\') {
      if (!is_alphanumeric(c) && !kSymbols.contains(c)) return false;
      continue;
    }
    if (++i == expression.size()) return false;
    const char escaped = expression[i];
    if (escaped == 'x') {
      if (i + 2 >= expression.size() || !is_hex(expression[i + 1]) || !is_hex(expression[i + 2])) {
        return false;
      }
      i += 2;
    } else if (is_alphanumeric(escaped) && !kClasses.contains(escaped)) {
      return false;
    } else if (static_cast<unsigned char>(escaped) >= 0x80) {
      return false;
    }
  }
  return !expression.empty();
}

base::Result<std::shared_ptr<const re2::RE2>> compile(const std::string& expression) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kExpressionMemoryMax);
  options.set_never_capture(true);
  auto compiled = std::make_shared<const re2::RE2>(expression, options);
  if (!compiled->ok()) return invalid_pattern();
  return compiled;
}

}  // namespace

std::unexpected<base::Error> invalid_pattern() {
  return base::fail(errors::kInvalidParameterException, "Invalid filter pattern");
}

base::Result<TextMatch> TextMatch::whole(std::string text) {
  TextMatch made;
  if (text.contains('*')) {
    std::string expression = "(?s)\\A";
    std::string_view rest = text;
    for (std::size_t star = rest.find('*'); star != rest.npos; star = rest.find('*')) {
      expression += re2::RE2::QuoteMeta(re2::StringPiece(rest.data(), star)) + ".*";
      rest.remove_prefix(std::min(rest.find_first_not_of('*', star), rest.size()));
    }
    expression += re2::RE2::QuoteMeta(re2::StringPiece(rest.data(), rest.size())) + "\\z";
    TRY(made.expression_, compile(expression));
  }
  made.text_ = std::move(text);
  return made;
}

TextMatch TextMatch::part(std::string text) {
  TextMatch made;
  made.anywhere_ = true;
  made.text_ = std::move(text);
  return made;
}

base::Result<TextMatch> TextMatch::regex(std::string_view expression) {
  if (!is_allowed(expression)) return invalid_pattern();
  TextMatch made;
  TRY(made.expression_, compile(std::string(expression)));
  return made;
}

bool TextMatch::matches(std::string_view text) const {
  if (expression_) {
    return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *expression_);
  }
  if (!anywhere_) return text == text_;
  return ::memmem(text.data(), text.size(), text_.data(), text_.size()) != nullptr;
}

}  // namespace terrarium::logs
