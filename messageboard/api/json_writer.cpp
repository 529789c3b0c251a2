#include "messageboard/api/json_writer.h"

namespace messageboard {
namespace {

constexpr bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void append_escaped(std::string& into, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"': into += "\\\""; return;
    case '\\': into += "\\\\"; return;
    case '\n': into += "\\n"; return;
    case '\r': into += "\\r"; return;
    case '\t': into += "\\t"; return;
    case '\f': into += "\\f"; return;
    case '\b': into += "\\b"; return;
    default: break;
  }
  into += "\\u00";
  into += kHex[static_cast<unsigned char>(c) >> 4];
  into += kHex[static_cast<unsigned char>(c) & 15];
}

}  // namespace

void append_json(std::string& into, std::string_view text) {
  into += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!needs_escape(text[i])) continue;
    into.append(text.substr(plain, i - plain));
    append_escaped(into, text[i]);
    plain = i + 1;
  }
  into.append(text.substr(plain));
  into += '"';
}

}  // namespace messageboard
