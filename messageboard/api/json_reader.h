// JSON as Python's json.loads reads it: the same texts taken (NaN, lone surrogates, integers of any
// length) and, for what is not JSON, the same message at the same position. Boost.JSON's answers
// differ in both, and clients of the original see them in 422 answers.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace messageboard {

struct Json {
  enum class Kind : std::uint8_t { Null, Bool, Integer, Float, String, Array, Object };
  Kind kind = Kind::Null;
  bool truth = false;
  double number = 0;
  // String: its characters, among them surrogates that an escape left alone. Integer: its digits
  // as Python prints them.
  std::u32string text;
  std::vector<Json> items;            // Array and Object: the values
  std::vector<std::u32string> names;  // Object: theirs, one for each item

  // The last member of that name, as a Python dict keeps it.
  const Json* member(std::u32string_view name) const;
};

// json.JSONDecodeError. Positions count characters; line and column start at 1.
struct JsonDecodeError {
  std::string message;
  std::string document;
  std::size_t position = 0;
  std::size_t line = 1;
  std::size_t column = 1;

  // "Expecting value: line 1 column 1 (char 0)"
  std::string text() const;
};

// What Python raises as another exception: not UTF-8, nested too deep, an integer too long.
struct JsonNotText {};

using JsonFailure = std::variant<JsonDecodeError, JsonNotText>;

std::expected<Json, JsonFailure> read_json(std::string_view bytes);

}  // namespace messageboard
