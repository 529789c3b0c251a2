// How Python reads and prints numbers, and UTF-8 as its decoder checks it: clients of the original
// service see these texts ({"author":1.50} is stored as "1.5"), so they are kept to the letter.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace messageboard {

// str(float): the shortest digits that read back as the same number, exponent below 1e-4 and from
// 1e16 on.
std::string python_float(double value);

// int(text): white space around, a sign, underscores between digits. Values beyond 64 bits come
// back as the nearest 64-bit number: no identifier and no count here goes that far. Nothing when
// Python would raise ValueError.
std::optional<std::int64_t> python_int(std::string_view text);

// Code points of well-formed UTF-8 (no surrogates, no overlong forms); nothing otherwise.
std::optional<std::u32string> decode_utf8(std::string_view bytes);
void append_utf8(std::string& text, char32_t code_point);
std::string encode_utf8(std::u32string_view text);
// Well-formed text from any bytes, as bytes.decode("utf-8", "replace") makes it: U+FFFD stands for
// each broken sequence.
std::string repair_utf8(std::string_view bytes);

}  // namespace messageboard
