// JSON as Starlette prints it: json.dumps(ensure_ascii=False, separators=(",", ":")). Structures
// described with Boost.Describe are written member by member, without a tree in between.
#pragma once

#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace messageboard {

void append_json(std::string& into, std::string_view text);

template <class T>
  requires std::is_same_v<T, bool>
void append_json(std::string& into, T value) {
  into += value ? "true" : "false";
}

template <class T>
  requires std::is_same_v<T, std::int64_t>
void append_json(std::string& into, T value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  into.append(digits.data(), end);
}

template <class T>
  requires std::is_enum_v<T>
void append_json(std::string& into, T value) {
  append_json(into, std::string_view(boost::describe::enum_to_string(value, "")));
}

template <class T>
concept Described = boost::describe::has_describe_members<T>::value;

template <Described T>
void append_json(std::string& into, const T& value);
template <class T>
void append_json(std::string& into, const std::vector<T>& values);

template <class T>
void append_json(std::string& into, const std::optional<T>& value) {
  if (value) {
    append_json(into, *value);
  } else {
    into += "null";
  }
}

template <class T>
void append_json(std::string& into, const std::vector<T>& values) {
  into += '[';
  bool first = true;
  for (const T& value : values) {
    if (!first) into += ',';
    first = false;
    append_json(into, value);
  }
  into += ']';
}

template <Described T>
void append_json(std::string& into, const T& value) {
  using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
  into += '{';
  bool first = true;
  boost::mp11::mp_for_each<Members>([&](auto member) {
    if (!first) into += ',';
    first = false;
    into += '"';
    into += member.name;
    into += "\":";
    const auto& field = value.*member.pointer;
    if constexpr (std::is_same_v<std::decay_t<decltype(field)>, std::string>) {
      append_json(into, std::string_view(field));
    } else {
      append_json(into, field);
    }
  });
  into += '}';
}

template <class T>
std::string to_json(const T& value) {
  std::string text;
  append_json(text, value);
  return text;
}

}  // namespace messageboard
