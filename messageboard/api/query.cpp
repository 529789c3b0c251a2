#include "messageboard/api/query.h"

#include "lib/base/encoding.h"
#include "messageboard/api/python_text.h"

namespace messageboard {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Cuts `text` at the first `separator` and returns what was before it.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view before = text.substr(0, at);
  text = at == text.npos ? std::string_view() : text.substr(at + 1);
  return before;
}

bool weight_is_zero(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view value = base::trim(take_until(parameters, ';'));
    const std::string_view name = base::trim(take_until(value, '='));
    if (base::equals_ignoring_case(name, "q")) {
      return base::trim(value).find_first_not_of("0.") == value.npos;
    }
  }
  return false;
}

bool lists(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    std::string_view item = take_until(list, ',');
    const std::string_view name = base::trim(take_until(item, ';'));
    if (base::equals_ignoring_case(name, wanted)) return !weight_is_zero(item);
  }
  return false;
}

}  // namespace

std::string unquote(std::string_view text, bool plus_is_space) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
        hex_value(text[i + 2]) >= 0) {
      bytes.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
      i += 2;
    } else {
      bytes.push_back(c == '+' && plus_is_space ? ' ' : c);
    }
  }
  return repair_utf8(bytes);
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  std::optional<std::string> last;
  while (!query.empty()) {
    std::string_view value = take_until(query, '&');
    if (value.empty()) continue;
    if (unquote(take_until(value, '='), true) == name) last = unquote(value, true);
  }
  return last;
}

std::string quote_url(std::string_view url) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kKept =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~:/%#?=@[]!$&'()*+,;";
  std::string text;
  for (const char c : url) {
    if (kKept.find(c) != kKept.npos) {
      text += c;
    } else {
      text += '%';
      text += kHex[static_cast<unsigned char>(c) >> 4];
      text += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  return text;
}

bool accepts(std::string_view accept, std::string_view media_type) {
  return lists(accept, media_type);
}

bool accepts_gzip(std::string_view accept_encoding) { return lists(accept_encoding, "gzip"); }

}  // namespace messageboard
