#include "terrarium/services/logs/pattern.h"

#include <algorithm>
#include <vector>

#include "generated/logs/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/logs/pattern_expression.h"
#include "terrarium/services/logs/pattern_forms.h"

namespace terrarium::logs {
namespace {

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z') || byte == '_' || byte >= 0x80;
}

struct Terms final : Pattern::Form {
  bool matches(std::string_view message, Pattern::Values*) const override {
    const auto holds = [message](const TextMatch& term) { return term.matches(message); };
    return std::ranges::all_of(all, holds) && std::ranges::none_of(none, holds) &&
           (any.empty() || std::ranges::any_of(any, holds));
  }

  std::vector<TextMatch> all;
  std::vector<TextMatch> none;
  std::vector<TextMatch> any;
};

base::Result<TextMatch> parse_term(PatternReader& reader) {
  if (reader.peek() == '%') return reader.regex();
  if (reader.peek() == '"') {
    TRY(std::string phrase, reader.quoted());
    if (phrase.empty()) return invalid_pattern();
    return TextMatch::part(std::move(phrase));
  }
  const std::string_view term = reader.take_while([](char c) { return c != ' ' && c != '\t'; });
  if (term.empty()) return invalid_pattern();
  if (!std::ranges::all_of(term, is_word)) {
    return base::fail(errors::kInvalidParameterException,
                      "Invalid character(s) in term '" + std::string(term) + "'");
  }
  return TextMatch::part(std::string(term));
}

}  // namespace

base::Result<PatternForm> parse_terms(std::string_view text) {
  auto terms = std::make_unique<Terms>();
  PatternReader reader(text);
  for (reader.skip_spaces(); !reader.at_end(); reader.skip_spaces()) {
    std::vector<TextMatch>* kind = &terms->all;
    if (reader.accept("-")) {
      kind = &terms->none;
    } else if (reader.accept("?")) {
      kind = &terms->any;
    }
    TRY(TextMatch term, parse_term(reader));
    kind->push_back(std::move(term));
    if (!reader.at_end() && reader.peek() != ' ' && reader.peek() != '\t') return invalid_pattern();
  }
  // As AWS does: beside other terms, optional ones count for nothing.
  if (!terms->all.empty() || !terms->none.empty()) terms->any.clear();
  return terms;
}

base::Result<Pattern> Pattern::parse(std::string_view text,
                                     std::span<const std::string> references) {
  const std::string_view trimmed = base::trim(text);
  PatternForm form;
  if (trimmed.starts_with('{')) {
    TRY(form, parse_json_pattern(trimmed, references));
  } else if (trimmed.starts_with('[')) {
    TRY(form, parse_fields_pattern(trimmed, references));
  } else {
    TRY(form, parse_terms(trimmed));
  }
  return Pattern(std::move(form));
}

bool Pattern::matches(std::string_view message) const { return form_->matches(message, nullptr); }

std::optional<Pattern::Values> Pattern::extract(std::string_view message) const {
  Values values;
  if (!form_->matches(message, &values)) return std::nullopt;
  return values;
}

}  // namespace terrarium::logs
