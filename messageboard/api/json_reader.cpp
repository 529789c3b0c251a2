#include "messageboard/api/json_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>

#include "messageboard/api/python_text.h"

namespace messageboard {
namespace {

constexpr std::size_t kDepthMax = 900;           // Python's recursion limit leaves about that
constexpr std::size_t kIntegerDigitsMax = 4300;  // sys.int_info.default_max_str_digits

bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }

std::optional<unsigned> hex_digit(char32_t c) {
  if (is_digit(c)) return static_cast<unsigned>(c - U'0');
  if (c >= U'a' && c <= U'f') return static_cast<unsigned>(c - U'a' + 10);
  if (c >= U'A' && c <= U'F') return static_cast<unsigned>(c - U'A' + 10);
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(std::u32string text) : text_(std::move(text)) {}

  std::expected<Json, JsonFailure> read() {
    skip_space();
    Json value;
    if (!value_into(value, 0)) return std::unexpected(failure());
    skip_space();
    if (at_ != text_.size()) {
      fail("Extra data", at_);
      return std::unexpected(failure());
    }
    return value;
  }

 private:
  // Positions past the end read as this, which no JSON token contains.
  static constexpr char32_t kEnd = 0xFFFFFFFF;
  char32_t peek(std::size_t index) const { return index < text_.size() ? text_[index] : kEnd; }
  char32_t here() const { return peek(at_); }
  void skip_space() {
    while (here() == U' ' || here() == U'\t' || here() == U'\n' || here() == U'\r') ++at_;
  }

  bool fail(std::string_view message, std::size_t position) {
    message_ = message;
    failed_at_ = position;
    return false;
  }
  bool give_up() {
    not_text_ = true;
    return false;
  }

  JsonFailure failure() const {
    if (not_text_) return JsonNotText{};
    const auto before = std::u32string_view(text_).substr(0, failed_at_);
    const std::size_t newline = before.rfind(U'\n');
    return JsonDecodeError{
        .message = message_,
        .document = encode_utf8(text_),
        .position = failed_at_,
        .line = static_cast<std::size_t>(std::ranges::count(before, U'\n')) + 1,
        .column = newline == before.npos ? failed_at_ + 1 : failed_at_ - newline};
  }

  bool literal(std::u32string_view word) {
    if (text_.compare(at_, word.size(), word) != 0) return false;
    at_ += word.size();
    return true;
  }

  bool value_into(Json& value, std::size_t depth) {
    const std::size_t start = at_;
    switch (here()) {
      case U'"': value.kind = Json::Kind::String; return string_into(value.text);
      case U'{': return depth < kDepthMax ? object_into(value, depth + 1) : give_up();
      case U'[': return depth < kDepthMax ? array_into(value, depth + 1) : give_up();
      default: break;
    }
    if (literal(U"null")) return true;
    if (literal(U"true") || literal(U"false")) {
      value.kind = Json::Kind::Bool;
      value.truth = text_[start] == U't';
      return true;
    }
    using Limits = std::numeric_limits<double>;
    if (literal(U"NaN")) return constant(value, Limits::quiet_NaN());
    if (literal(U"Infinity")) return constant(value, Limits::infinity());
    if (literal(U"-Infinity")) return constant(value, -Limits::infinity());
    return number_into(value);
  }

  static bool constant(Json& value, double number) {
    value.kind = Json::Kind::Float;
    value.number = number;
    return true;
  }

  bool number_into(Json& value) {
    const std::size_t start = at_;
    std::size_t i = at_;
    if (peek(i) == U'-') ++i;
    if (!is_digit(peek(i))) return fail("Expecting value", start);
    if (peek(i++) != U'0') {
      while (is_digit(peek(i))) ++i;
    }
    bool is_float = false;
    if (peek(i) == U'.' && is_digit(peek(i + 1))) {
      is_float = true;
      i += 2;
      while (is_digit(peek(i))) ++i;
    }
    if (peek(i) == U'e' || peek(i) == U'E') {
      std::size_t j = i + 1;
      if (peek(j) == U'+' || peek(j) == U'-') ++j;
      if (is_digit(peek(j))) {
        is_float = true;
        while (is_digit(peek(j))) ++j;
        i = j;
      }
    }
    at_ = i;
    const auto digits = std::u32string_view(text_).substr(start, i - start);
    if (is_float) {
      const std::string ascii(digits.begin(), digits.end());
      return constant(value, std::strtod(ascii.c_str(), nullptr));
    }
    if (digits.size() - (digits.front() == U'-' ? 1 : 0) > kIntegerDigitsMax) return give_up();
    value.kind = Json::Kind::Integer;
    value.text = digits == U"-0" ? U"0" : digits;
    return true;
  }

  bool array_into(Json& value, std::size_t depth) {
    value.kind = Json::Kind::Array;
    ++at_;
    skip_space();
    if (here() == U']') {
      ++at_;
      return true;
    }
    for (;;) {
      if (!value_into(value.items.emplace_back(), depth)) return false;
      skip_space();
      if (here() == U']') break;
      if (here() != U',') return fail("Expecting ',' delimiter", at_);
      ++at_;
      skip_space();
    }
    ++at_;
    return true;
  }

  bool object_into(Json& value, std::size_t depth) {
    value.kind = Json::Kind::Object;
    ++at_;
    skip_space();
    if (here() == U'}') {
      ++at_;
      return true;
    }
    for (;;) {
      if (here() != U'"') return fail("Expecting property name enclosed in double quotes", at_);
      std::u32string name;
      if (!string_into(name)) return false;
      skip_space();
      if (here() != U':') return fail("Expecting ':' delimiter", at_);
      ++at_;
      skip_space();
      value.names.push_back(std::move(name));
      if (!value_into(value.items.emplace_back(), depth)) return false;
      skip_space();
      if (here() == U'}') break;
      if (here() != U',') return fail("Expecting ',' delimiter", at_);
      ++at_;
      skip_space();
    }
    ++at_;
    return true;
  }

  bool string_into(std::u32string& into) {
    const std::size_t begin = at_++;
    for (;;) {
      const char32_t c = here();
      if (c == kEnd) return fail("Unterminated string starting at", begin);
      if (c <= 0x1F) return fail("Invalid control character at", at_);
      ++at_;
      if (c == U'"') return true;
      if (c != U'\\') {
        into.push_back(c);
        continue;
      }
      if (at_ == text_.size()) return fail("Unterminated string starting at", begin);
      if (!escape_into(into)) return false;
    }
  }

  // `at_` is behind the backslash.
  bool escape_into(std::u32string& into) {
    constexpr std::u32string_view kNames = U"\"\\/bfnrt";
    constexpr std::u32string_view kValues = U"\"\\/\b\f\n\r\t";
    const char32_t c = here();
    if (c != U'u') {
      const std::size_t which = kNames.find(c);
      if (which == kNames.npos) return fail("Invalid \\escape", at_ - 1);
      into.push_back(kValues[which]);
      ++at_;
      return true;
    }
    ++at_;
    // CPython wants a character behind the four digits, and then reports the 'u'.
    if (at_ + 4 >= text_.size()) return fail("Invalid \\uXXXX escape", at_ - 1);
    std::optional<char32_t> unit = hex4(at_);
    if (!unit) return fail("Invalid \\uXXXX escape", at_ - 1);
    at_ += 4;
    const bool high = *unit >= 0xD800 && *unit <= 0xDBFF;
    if (high && at_ + 6 < text_.size() && here() == U'\\' && peek(at_ + 1) == U'u') {
      const std::optional<char32_t> low = hex4(at_ + 2);
      if (!low) return fail("Invalid \\uXXXX escape", at_ + 1);
      if (*low >= 0xDC00 && *low <= 0xDFFF) {
        unit = 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00);
        at_ += 6;
      }
    }
    into.push_back(*unit);
    return true;
  }

  std::optional<char32_t> hex4(std::size_t from) const {
    char32_t value = 0;
    for (std::size_t i = from; i < from + 4; ++i) {
      const auto digit = hex_digit(peek(i));
      if (!digit) return std::nullopt;
      value = value << 4 | *digit;
    }
    return value;
  }

  std::u32string text_;
  std::size_t at_ = 0;
  std::string message_;
  std::size_t failed_at_ = 0;
  bool not_text_ = false;
};

}  // namespace

std::string JsonDecodeError::text() const {
  return fmt::format("{}: line {} column {} (char {})", message, line, column, position);
}

const Json* Json::member(std::u32string_view name) const {
  for (std::size_t i = names.size(); i > 0; --i) {
    if (names[i - 1] == name) return &items[i - 1];
  }
  return nullptr;
}

std::expected<Json, JsonFailure> read_json(std::string_view bytes) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  auto text = decode_utf8(bytes);
  if (!text) return std::unexpected(JsonNotText{});
  return Reader(*std::move(text)).read();
}

}  // namespace messageboard
