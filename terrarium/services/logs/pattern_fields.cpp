// [ip, user, ..., request = "GET *", status = 4* || status = 5*, bytes > 1000]
#include <algorithm>

#include "terrarium/services/logs/pattern_expression.h"
#include "terrarium/services/logs/pattern_forms.h"

namespace terrarium::logs {
namespace {

bool is_name(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '-';
}

// Cuts the next field off the front: what [brackets] or "quotes" hold is one field without them.
std::string_view take_field(std::string_view& rest) {
  const char close = rest.front() == '[' ? ']' : rest.front() == '"' ? '"' : '\0';
  if (close != '\0') {
    const std::size_t end = rest.find(close, 1);
    if (end != std::string_view::npos) {
      const std::string_view field = rest.substr(1, end - 1);
      rest.remove_prefix(end + 1);
      return field;
    }
  }
  const std::size_t end = std::min(rest.find_first_of(" \t\r\n"), rest.size());
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(end);
  return field;
}

// No more than `max` and one: more do not match anyway.
std::vector<std::string_view> split(std::string_view message, std::size_t max) {
  std::vector<std::string_view> fields;
  while (true) {
    message.remove_prefix(std::min(message.find_first_not_of(" \t\r\n"), message.size()));
    if (message.empty() || fields.size() > max) return fields;
    fields.push_back(take_field(message));
  }
}

struct FieldsPattern final : Pattern::Form {
  bool matches(std::string_view message, Pattern::Values* values) const override {
    const auto fields = split(message, ellipsis ? message.size() : names.size());
    if (ellipsis ? fields.size() < names.size() : fields.size() != names.size()) return false;
    const std::size_t skipped = fields.size() - names.size();
    const auto place = [this, skipped](std::size_t name) {
      return ellipsis && name >= *ellipsis ? name + skipped : name;
    };
    const auto find = [&fields, &place](std::size_t name) {
      return Subject{.kind = Subject::Kind::Field, .text = fields[place(name)]};
    };
    // [] names no field, and takes every event.
    if (!all.holds(find)) return false;
    if (values == nullptr) return true;
    // Fields without a name go by their number.
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const bool is_skipped = ellipsis && i >= *ellipsis && i < *ellipsis + skipped;
      const std::size_t name = ellipsis && i >= *ellipsis ? i - skipped : i;
      (*values)["$" + (is_skipped ? std::to_string(i + 1) : names[name])] = fields[i];
    }
    return true;
  }

  std::vector<std::string> names;       // without the ellipsis
  std::optional<std::size_t> ellipsis;  // before which name it stands
  Expression all;                       // subjects are indexes of names
};

base::Result<void> parse_field(PatternReader& reader, FieldsPattern& out) {
  if (reader.accept("...")) {
    if (out.ellipsis) return invalid_pattern();
    out.ellipsis = out.names.size();
    return {};
  }
  PatternReader ahead = reader;
  while (ahead.accept("(")) {
  }
  ahead.skip_spaces();
  const std::string name(ahead.take_while(is_name));
  if (name.empty() || std::ranges::find(out.names, name) != out.names.end()) {
    return invalid_pattern();
  }
  out.names.push_back(name);
  ahead.skip_spaces();
  if (ahead.peek() == ',' || ahead.peek() == ']') {
    reader = ahead;
    return {};
  }
  // Every condition of a field speaks of that field.
  const SubjectParser parse_subject = [&out,
                                       &name](PatternReader& at) -> base::Result<std::size_t> {
    at.skip_spaces();
    if (at.take_while(is_name) != name) return invalid_pattern();
    return out.names.size() - 1;
  };
  TRY(Expression condition, parse_expression(reader, parse_subject));
  out.all.parts.push_back(std::move(condition));
  return {};
}

}  // namespace

base::Result<PatternForm> parse_fields_pattern(std::string_view text,
                                               std::span<const std::string> references) {
  auto made = std::make_unique<FieldsPattern>();
  PatternReader reader(text);
  reader.accept("[");
  if (!reader.accept("]")) {
    do {
      TRY_VOID(parse_field(reader, *made));
    } while (reader.accept(","));
    if (!reader.accept("]")) return invalid_pattern();
  } else {
    made->ellipsis = 0;
  }
  reader.skip_spaces();
  if (!reader.at_end()) return invalid_pattern();
  // Every field is extracted; here only the names are checked.
  for (const std::string& reference : references) {
    const bool known = reference.starts_with('$') &&
                       std::ranges::find(made->names, reference.substr(1)) != made->names.end();
    if (!known) return invalid_pattern();
  }
  return made;
}

}  // namespace terrarium::logs
