// Numbers and texts as bytes, for keys and values on disk and in receipt handles. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/clock.h"

namespace terrarium::sqs {

inline void put_number(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

inline void put_text(std::string& out, std::string_view text, int length_bytes) {
  put_number(out, text.size(), length_bytes);
  out += text;
}

inline void put_time(std::string& out, base::Timestamp time) {
  put_number(out, static_cast<std::uint64_t>(time.time_since_epoch().count()), 8);
}

// Takes values from the front; one that is not whole makes `good` false for ever.
struct Reader {
  std::string_view rest;
  bool good = true;

  std::string_view take(std::size_t bytes) {
    if (bytes > rest.size()) {
      good = false;
      rest = {};
      return {};
    }
    const std::string_view taken = rest.substr(0, bytes);
    rest.remove_prefix(bytes);
    return taken;
  }
  std::uint64_t number(int bytes) {
    std::uint64_t value = 0;
    for (const char c : take(static_cast<std::size_t>(bytes))) {
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }
  std::string text(int length_bytes) { return std::string(take(number(length_bytes))); }
  base::Timestamp moment() {
    return base::Timestamp(base::Duration(static_cast<std::int64_t>(number(8))));
  }
};

}  // namespace terrarium::sqs
