#include "messageboard/api/validation.h"

#include <fmt/core.h>

#include <algorithm>

#include "messageboard/api/json_writer.h"
#include "messageboard/api/python_text.h"

namespace messageboard {
namespace {

using Location = std::vector<Problem::Step>;

bool is_surrogate(char32_t c) { return c >= 0xD800 && c <= 0xDFFF; }

// dict()'s view of one element of a sequence: something with exactly two values.
std::optional<std::pair<std::u32string, Json>> as_pair(const Json& element) {
  const auto key_of = [](const Json& key) -> std::optional<std::u32string> {
    if (key.kind != Json::Kind::String) return std::nullopt;
    return key.text;
  };
  const auto text = [](std::u32string value) {
    Json json;
    json.kind = Json::Kind::String;
    json.text = std::move(value);
    return json;
  };
  if (element.kind == Json::Kind::Array && element.items.size() == 2) {
    if (auto key = key_of(element.items[0])) return std::pair(*std::move(key), element.items[1]);
  } else if (element.kind == Json::Kind::String && element.text.size() == 2) {
    return std::pair(element.text.substr(0, 1), text(element.text.substr(1)));
  } else if (element.kind == Json::Kind::Object) {
    std::vector<std::u32string> names;
    for (const std::u32string& name : element.names) {
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
      if (names.size() > 2) return std::nullopt;
    }
    if (names.size() == 2) return std::pair(names[0], text(names[1]));
  }
  return std::nullopt;
}

}  // namespace

Problem missing(Location location) {
  return {std::move(location), "field required", "value_error.missing", {}};
}
Problem not_none(Location location) {
  return {std::move(location), "none is not an allowed value", "type_error.none.not_allowed", {}};
}
Problem not_string(Location location) {
  return {std::move(location), "str type expected", "type_error.str", {}};
}
Problem not_integer(Location location) {
  return {std::move(location), "value is not a valid integer", "type_error.integer", {}};
}
Problem not_object(Location location) {
  return {std::move(location), "value is not a valid dict", "type_error.dict", {}};
}
Problem not_storable(Location location) {
  return {
      std::move(location), "text must not contain U+0000 or a lone surrogate", "value_error", {}};
}
Problem too_large(Location location, std::int64_t limit) {
  return {std::move(location), fmt::format("ensure this value is less than or equal to {}", limit),
          "value_error.number.not_le", fmt::format(R"({{"limit_value":{}}})", limit)};
}
Problem too_small(Location location, std::int64_t limit) {
  return {std::move(location),
          fmt::format("ensure this value is greater than or equal to {}", limit),
          "value_error.number.not_ge", fmt::format(R"({{"limit_value":{}}})", limit)};
}

Problem not_json(const JsonDecodeError& error) {
  std::string context = R"({"msg":)";
  append_json(context, std::string_view(error.message));
  context += R"(,"doc":)";
  append_json(context, std::string_view(error.document));
  context += fmt::format(R"(,"pos":{},"lineno":{},"colno":{}}})", error.position, error.line,
                         error.column);
  return {{"body", error.position}, error.text(), "value_error.jsondecode", std::move(context)};
}

std::string problems_body(const Problems& problems) {
  std::string body = R"({"detail":[)";
  for (const Problem& problem : problems) {
    if (&problem != problems.data()) body += ',';
    body += R"({"loc":[)";
    for (const Problem::Step& step : problem.location) {
      if (&step != problem.location.data()) body += ',';
      if (const auto* name = std::get_if<std::string>(&step)) {
        append_json(body, std::string_view(*name));
      } else {
        body += std::to_string(std::get<std::size_t>(step));
      }
    }
    body += R"(],"msg":)";
    append_json(body, std::string_view(problem.message));
    body += R"(,"type":)";
    append_json(body, std::string_view(problem.type));
    if (!problem.context.empty()) body += R"(,"ctx":)" + problem.context;
    body += '}';
  }
  body += "]}";
  return body;
}

std::variant<std::string, Problem> coerce_string(const Json& value, Location location) {
  switch (value.kind) {
    case Json::Kind::Null: return not_none(std::move(location));
    case Json::Kind::Bool: return value.truth ? "True" : "False";
    case Json::Kind::Float: return python_float(value.number);
    case Json::Kind::Integer: return encode_utf8(value.text);
    case Json::Kind::Array:
    case Json::Kind::Object: return not_string(std::move(location));
    case Json::Kind::String: break;
  }
  const bool storable =
      std::ranges::none_of(value.text, [](char32_t c) { return c == 0 || is_surrogate(c); });
  if (!storable) return not_storable(std::move(location));
  return encode_utf8(value.text);
}

std::optional<Json> as_object(const Json& value) {
  if (value.kind == Json::Kind::Object) return value;
  Json object;
  object.kind = Json::Kind::Object;
  if (value.kind == Json::Kind::String && value.text.empty()) return object;
  if (value.kind != Json::Kind::Array) return std::nullopt;
  for (const Json& element : value.items) {
    auto pair = as_pair(element);
    if (!pair) return std::nullopt;
    object.names.push_back(std::move(pair->first));
    object.items.push_back(std::move(pair->second));
  }
  return object;
}

}  // namespace messageboard
