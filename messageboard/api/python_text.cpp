#include "messageboard/api/python_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>

namespace messageboard {
namespace {

// Python's own limit against quadratic conversions (sys.int_info.default_max_str_digits).
constexpr std::size_t kIntDigitsMax = 4300;
constexpr char32_t kReplacement = 0xFFFD;

// As int() skips it: unlike str.strip(), not U+001C to U+001F.
bool is_python_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// Where the decimal digits of each script begin (Unicode category Nd): int() reads them all.
constexpr std::array<char32_t, 66> kDigitZeros = {
    0x0030,  0x0660,  0x06F0,  0x07C0,  0x0966,  0x09E6,  0x0A66,  0x0AE6,  0x0B66,  0x0BE6,
    0x0C66,  0x0CE6,  0x0D66,  0x0DE6,  0x0E50,  0x0ED0,  0x0F20,  0x1040,  0x1090,  0x17E0,
    0x1810,  0x1946,  0x19D0,  0x1A80,  0x1A90,  0x1B50,  0x1BB0,  0x1C40,  0x1C50,  0xA620,
    0xA8D0,  0xA900,  0xA9D0,  0xA9F0,  0xAA50,  0xABF0,  0xFF10,  0x104A0, 0x10D30, 0x11066,
    0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0,
    0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2,
    0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
};

std::optional<std::int64_t> digit_value(char32_t c) {
  const auto above = std::ranges::upper_bound(kDigitZeros, c);
  if (above == kDigitZeros.begin() || c - *std::prev(above) > 9) return std::nullopt;
  return static_cast<std::int64_t>(c - *std::prev(above));
}

// One step of the decoder that the Unicode standard recommends (maximal subparts).
struct Step {
  char32_t code_point = kReplacement;
  std::size_t bytes = 1;
  bool valid = false;
};

Step decode_step(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  std::size_t length = 0;
  unsigned low = 0x80;
  unsigned high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {};
  }
  char32_t code_point = lead & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= text.size() || byte(i) < low || byte(i) > high) return {kReplacement, i, false};
    code_point = (code_point << 6) | (byte(i) & 0x3Fu);
    low = 0x80;
    high = 0xBF;
  }
  return {code_point, length, true};
}

}  // namespace

std::string python_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 64> digits{};
  const auto scientific = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                        std::chars_format::scientific);
  const std::string_view shortest(digits.data(), scientific.ptr - digits.data());
  int exponent = 0;
  const std::size_t e = shortest.find('e');
  const char* first = shortest.data() + e + 1;
  std::from_chars(*first == '+' ? first + 1 : first, scientific.ptr, exponent);
  if (exponent < -4 || exponent >= 16) return std::string(shortest);
  std::array<char, 64> plain{};
  const auto fixed =
      std::to_chars(plain.data(), plain.data() + plain.size(), value, std::chars_format::fixed);
  std::string text(plain.data(), fixed.ptr);
  if (text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::optional<std::int64_t> python_int(std::string_view text) {
  const auto points = decode_utf8(text);
  if (!points || points->size() > kIntDigitsMax) return std::nullopt;
  std::u32string_view rest = *points;
  while (!rest.empty() && is_python_space(rest.front())) rest.remove_prefix(1);
  while (!rest.empty() && is_python_space(rest.back())) rest.remove_suffix(1);
  bool negative = false;
  if (!rest.empty() && (rest.front() == U'+' || rest.front() == U'-')) {
    negative = rest.front() == U'-';
    rest.remove_prefix(1);
  }
  using Limits = std::numeric_limits<std::int64_t>;
  std::int64_t value = 0;  // kept negative: the range reaches one further there
  bool after_digit = false;
  for (const char32_t c : rest) {
    if (c == U'_' && after_digit) {
      after_digit = false;
      continue;
    }
    const auto digit = digit_value(c);
    if (!digit) return std::nullopt;
    value = value < (Limits::min() + *digit) / 10 ? Limits::min() : value * 10 - *digit;
    after_digit = true;
  }
  if (!after_digit) return std::nullopt;
  if (negative) return value;
  return value == Limits::min() ? Limits::max() : -value;
}

std::optional<std::u32string> decode_utf8(std::string_view bytes) {
  std::u32string points;
  points.reserve(bytes.size());
  while (!bytes.empty()) {
    const Step step = decode_step(bytes);
    if (!step.valid) return std::nullopt;
    points.push_back(step.code_point);
    bytes.remove_prefix(step.bytes);
  }
  return points;
}

void append_utf8(std::string& text, char32_t c) {
  const auto tail = [&](unsigned shift) {
    text.push_back(static_cast<char>(0x80 | ((c >> shift) & 0x3F)));
  };
  if (c < 0x80) {
    text.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    text.push_back(static_cast<char>(0xC0 | (c >> 6)));
    tail(0);
  } else if (c < 0x10000) {
    text.push_back(static_cast<char>(0xE0 | (c >> 12)));
    tail(6);
    tail(0);
  } else {
    text.push_back(static_cast<char>(0xF0 | (c >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string encode_utf8(std::u32string_view points) {
  std::string text;
  text.reserve(points.size());
  for (const char32_t c : points) append_utf8(text, c);
  return text;
}

std::string repair_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const Step step = decode_step(bytes);
    append_utf8(text, step.code_point);
    bytes.remove_prefix(step.bytes);
  }
  return text;
}

}  // namespace messageboard
