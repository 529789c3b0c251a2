// Reads the API's types at compile time and says in plain data what the OpenAPI document needs of
// them; openapi.cpp makes the document.
#pragma once

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messageboard/api/json_writer.h"

namespace messageboard {

// A text as template argument: Path<"message_id", ...>.
template <std::size_t Size>
struct Name {
  char text[Size];
  // NOLINTNEXTLINE(google-explicit-constructor): a literal is the name
  constexpr Name(const char (&literal)[Size]) { std::copy_n(literal, Size, text); }
  constexpr std::string_view view() const { return {text, Size - 1}; }
};

struct FieldDescription {
  std::string name;
  std::string type;                  // "string", "integer", "boolean"
  std::vector<std::string> choices;  // of an enumeration
  bool required = true;
};

struct TypeDescription {
  std::string name;
  std::vector<FieldDescription> fields;
};

struct ParameterDescription {
  std::string name;
  std::string in;  // "path", "query"
  std::string type;
  bool required = true;
  std::optional<std::int64_t> default_value;
};

struct OperationDescription {
  std::string method;  // "get"
  std::string path;
  std::string function;  // the handler's name
  std::vector<ParameterDescription> parameters;
  std::optional<TypeDescription> body;
  std::string file_field;  // of a multipart body; empty: none
  TypeDescription answer;
  bool answers_list = false;
};

// The name of a type or of a function, as written.
template <class T>
constexpr std::string_view name_of_type() {
  const std::string_view text = __PRETTY_FUNCTION__;
  const std::size_t end = text.rfind(']');
  const std::size_t start = text.find_last_of(":= ", end) + 1;
  return text.substr(start, end - start);
}
template <auto Function>
constexpr std::string_view name_of_function() {
  const std::string_view text = __PRETTY_FUNCTION__;
  const std::size_t end = text.rfind(']');
  const std::size_t start = text.find_last_of(":&", end) + 1;
  return text.substr(start, end - start);
}

template <class T>
struct OptionalOf {
  using Inner = T;
  static constexpr bool kOptional = false;
};
template <class T>
struct OptionalOf<std::optional<T>> {
  using Inner = T;
  static constexpr bool kOptional = true;
};

template <class T>
constexpr std::string_view schema_type() {
  using Inner = typename OptionalOf<T>::Inner;
  if constexpr (std::is_same_v<Inner, bool>) {
    return "boolean";
  } else if constexpr (std::is_same_v<Inner, std::int64_t>) {
    return "integer";
  } else {
    static_assert(std::is_same_v<Inner, std::string> || std::is_enum_v<Inner>);
    return "string";
  }
}

template <Described T>
TypeDescription describe_type() {
  using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
  TypeDescription described{.name = std::string(name_of_type<T>()), .fields = {}};
  boost::mp11::mp_for_each<Members>([&](auto member) {
    using Field = std::decay_t<decltype(std::declval<T&>().*member.pointer)>;
    FieldDescription field{.name = member.name,
                           .type = std::string(schema_type<Field>()),
                           .choices = {},
                           .required = !OptionalOf<Field>::kOptional};
    if constexpr (std::is_enum_v<Field>) {
      boost::mp11::mp_for_each<boost::describe::describe_enumerators<Field>>(
          [&](auto enumerator) { field.choices.emplace_back(enumerator.name); });
    }
    described.fields.push_back(std::move(field));
  });
  return described;
}

}  // namespace messageboard
