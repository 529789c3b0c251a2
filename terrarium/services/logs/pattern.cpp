#include "terrarium/services/logs/pattern.h"

#include <algorithm>

#include "generated/logs/errors.h"
#include "lib/base/encoding.h"

namespace terrarium::logs {
namespace {

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z') || byte == '_' || byte >= 0x80;
}

std::unexpected<base::Error> invalid(std::string why) {
  return base::fail(errors::kInvalidParameterException, "Invalid filter pattern: " + why);
}

// Cuts the next term off the front of `rest`.
base::Result<std::string> take_term(std::string_view& rest) {
  if (rest.starts_with('"')) {
    const std::size_t end = rest.find('"', 1);
    if (end == std::string_view::npos) return invalid("a quotation mark is not closed");
    std::string term(rest.substr(1, end - 1));
    rest.remove_prefix(end + 1);
    if (term.empty()) return invalid("an empty phrase");
    return term;
  }
  const std::string_view term = rest.substr(0, std::min(rest.find(' '), rest.size()));
  if (term.empty() || !std::ranges::all_of(term, is_word)) {
    return invalid("Invalid character(s) in term '" + std::string(term) + "'");
  }
  rest.remove_prefix(term.size());
  return std::string(term);
}

}  // namespace

base::Result<Pattern> Pattern::parse(std::string_view text) {
  std::string_view rest = base::trim(text);
  if (rest.starts_with('{')) return invalid("JSON patterns are not supported by this region");
  if (rest.starts_with('[')) {
    return invalid("space-delimited patterns are not supported by this region");
  }
  if (rest.starts_with('%')) return invalid("regular expressions are not supported by this region");
  Pattern pattern;
  while (!rest.empty()) {
    std::vector<std::string>* kind = &pattern.all_;
    if (rest.starts_with('-')) kind = &pattern.none_;
    if (rest.starts_with('?')) kind = &pattern.any_;
    if (kind != &pattern.all_) rest.remove_prefix(1);
    TRY(std::string term, take_term(rest));
    kind->push_back(std::move(term));
    if (!rest.empty() && !rest.starts_with(' ')) return invalid("terms are separated by spaces");
    rest = base::trim(rest);
  }
  // As AWS does: beside other terms, optional ones count for nothing.
  if (!pattern.all_.empty() || !pattern.none_.empty()) pattern.any_.clear();
  return pattern;
}

bool Pattern::matches(std::string_view message) const {
  const auto holds = [message](const std::string& term) {
    return message.find(term) != std::string_view::npos;
  };
  return std::ranges::all_of(all_, holds) && std::ranges::none_of(none_, holds) &&
         (any_.empty() || std::ranges::any_of(any_, holds));
}

}  // namespace terrarium::logs
