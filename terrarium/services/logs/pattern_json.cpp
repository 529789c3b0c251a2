// { $.user.id = 1 && ($.list[0] = "x*" || $.error IS NULL) }
#include <boost/json.hpp>
#include <variant>

#include "lib/base/encoding.h"
#include "terrarium/services/logs/pattern_expression.h"
#include "terrarium/services/logs/pattern_forms.h"

namespace terrarium::logs {
namespace {

namespace json = boost::json;

// $.a.b[0]['c.d']
struct Selector {
  std::string text;  // as it was written
  std::vector<std::variant<std::string, std::size_t>> steps;
};

bool is_name(char c) {
  constexpr std::string_view kSymbols = "_-@#:/+";
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z') || byte >= 0x80 || kSymbols.contains(c);
}

base::Result<void> parse_bracket(PatternReader& reader, Selector& selector) {
  const char quote = reader.peek();
  if (quote == '\'' || quote == '"') {
    reader.accept(std::string_view(&quote, 1));
    const std::string_view name = reader.take_while([quote](char c) { return c != quote; });
    if (name.empty() || !reader.accept(std::string_view(&quote, 1))) return invalid_pattern();
    selector.steps.emplace_back(std::string(name));
  } else {
    constexpr std::size_t kDigitsMax = 7;
    const std::string_view digits = reader.take_while([](char c) { return c >= '0' && c <= '9'; });
    if (digits.empty() || digits.size() > kDigitsMax) return invalid_pattern();
    std::size_t index = 0;
    for (const char digit : digits) index = index * 10 + static_cast<std::size_t>(digit - '0');
    selector.steps.emplace_back(index);
  }
  if (!reader.accept("]")) return invalid_pattern();
  return {};
}

base::Result<Selector> parse_selector(PatternReader& reader) {
  const std::string_view start = reader.rest();
  if (reader.peek() != '$') return invalid_pattern();
  reader.accept("$");
  Selector selector;
  while (true) {
    const bool dot = reader.peek() == '.';
    if (dot) reader.accept(".");
    if (reader.peek() == '[') {
      reader.accept("[");
      TRY_VOID(parse_bracket(reader, selector));
      continue;
    }
    if (!dot) break;
    const std::string_view name = reader.take_while(is_name);
    if (name.empty()) return invalid_pattern();
    selector.steps.emplace_back(std::string(name));
  }
  if (selector.steps.empty()) return invalid_pattern();
  selector.text = start.substr(0, start.size() - reader.rest().size());
  return selector;
}

Subject subject_of(const json::value& value) {
  using Kind = Subject::Kind;
  switch (value.kind()) {
    case json::kind::null: return {.kind = Kind::Null};
    case json::kind::bool_: return {.kind = value.get_bool() ? Kind::True : Kind::False};
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_: return {.kind = Kind::Number, .number = value.to_number<double>()};
    case json::kind::string:
      return {.kind = Kind::Text, .text = std::string_view(value.get_string())};
    case json::kind::array:
    case json::kind::object: break;
  }
  return {.kind = Kind::Composite};
}

Subject find(const json::value& event, const Selector& selector) {
  const json::value* at = &event;
  for (const auto& step : selector.steps) {
    if (const auto* name = std::get_if<std::string>(&step)) {
      at = at->is_object() ? at->get_object().if_contains(*name) : nullptr;
    } else {
      at = at->is_array() ? at->get_array().if_contains(std::get<std::size_t>(step)) : nullptr;
    }
    if (at == nullptr) return {};
  }
  return subject_of(*at);
}

struct JsonPattern final : Pattern::Form {
  bool matches(std::string_view message, Pattern::Values* values) const override {
    message = base::trim(message);
    // Most events that are no JSON are told from it here.
    if (!message.starts_with('{') && !message.starts_with('[')) return false;
    boost::system::error_code error;
    const json::value event = json::parse({message.data(), message.size()}, error);
    if (error) return false;
    const auto find_selector = [this, &event](std::size_t i) { return find(event, selectors[i]); };
    if (!expression.holds(find_selector)) return false;
    if (values == nullptr) return true;
    for (const Selector& selector : selectors) {
      if (auto text = to_text(find(event, selector))) (*values)[selector.text] = *std::move(text);
    }
    return true;
  }

  std::vector<Selector> selectors;
  Expression expression;
};

}  // namespace

base::Result<PatternForm> parse_json_pattern(std::string_view text,
                                             std::span<const std::string> references) {
  auto made = std::make_unique<JsonPattern>();
  PatternReader reader(text);
  const SubjectParser parse_subject = [&made](PatternReader& at) -> base::Result<std::size_t> {
    TRY(Selector selector, parse_selector(at));
    made->selectors.push_back(std::move(selector));
    return made->selectors.size() - 1;
  };
  reader.accept("{");
  TRY(made->expression, parse_expression(reader, parse_subject));
  if (!reader.accept("}")) return invalid_pattern();
  reader.skip_spaces();
  if (!reader.at_end()) return invalid_pattern();
  for (const std::string& reference : references) {
    PatternReader one(reference);
    TRY(Selector selector, parse_selector(one));
    if (!one.at_end()) return invalid_pattern();
    made->selectors.push_back(std::move(selector));
  }
  return made;
}

}  // namespace terrarium::logs
