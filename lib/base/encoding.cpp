#include "lib/base/encoding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace base {
namespace {

constexpr std::string_view kLowerHex = "0123456789abcdef";
constexpr std::string_view kUpperHex = "0123456789ABCDEF";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::array<std::string_view, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

std::string percent_encode_except(std::string_view text, bool keep_slash) {
  std::string result;
  result.reserve(text.size() + 16);
  for (const char c : text) {
    if (is_unreserved(c) || (keep_slash && c == '/')) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result += '%';
      result += kUpperHex[byte >> 4];
      result += kUpperHex[byte & 15];
    }
  }
  return result;
}

constexpr std::array<std::int8_t, 256> kBase64Values = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kBase64.size(); ++i) {
    values[static_cast<unsigned char>(kBase64[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}();

struct Calendar {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<Duration> time;
  std::chrono::weekday weekday;
};

Calendar calendar_of(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  return {std::chrono::year_month_day(day), std::chrono::hh_mm_ss<Duration>(time - day),
          std::chrono::weekday(day)};
}

// Reads fixed-width fields of a date; any misfit makes the whole reading fail.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : rest_(text) {}

  int digits(std::size_t width) {
    int value = 0;
    if (rest_.size() < width) return failed();
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + width, value);
    if (error != std::errc() || end != rest_.data() + width || rest_[0] == '-') return failed();
    rest_.remove_prefix(width);
    return value;
  }
  void literal(std::string_view expected) {
    if (!rest_.starts_with(expected)) {
      ok_ = false;
      return;
    }
    rest_.remove_prefix(expected.size());
  }
  template <std::size_t Count>
  int one_of(const std::array<std::string_view, Count>& names) {
    for (std::size_t i = 0; i < Count; ++i) {
      if (!rest_.starts_with(names[i])) continue;
      rest_.remove_prefix(names[i].size());
      return static_cast<int>(i);
    }
    return failed();
  }
  bool skip(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_letters() {
    while (!rest_.empty() && rest_[0] >= 'a' && rest_[0] <= 'z') rest_.remove_prefix(1);
  }
  // ".123456": up to six digits count, more are dropped.
  std::int64_t fraction_microseconds() {
    std::int64_t value = 0;
    int count = 0;
    while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') {
      if (count < 6) value = value * 10 + (rest_[0] - '0');
      ++count;
      rest_.remove_prefix(1);
    }
    if (count == 0) ok_ = false;
    for (; count < 6; ++count) value *= 10;
    return value;
  }
  bool done() const { return ok_ && rest_.empty(); }
  bool ok() const { return ok_; }

 private:
  int failed() {
    ok_ = false;
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

struct Fields {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

Result<Timestamp> timestamp_of(const Fields& fields, bool ok, std::string_view text) {
  const std::chrono::year_month_day date(std::chrono::year(fields.year),
                                         std::chrono::month(static_cast<unsigned>(fields.month)),
                                         std::chrono::day(static_cast<unsigned>(fields.day)));
  if (!ok || !date.ok() || fields.hour > 23 || fields.minute > 59 || fields.second > 60) {
    return fail(ErrorKind::InvalidInput, "'" + std::string(text) + "' is not a valid timestamp");
  }
  return Timestamp(std::chrono::sys_days(date) + std::chrono::hours(fields.hour) +
                   std::chrono::minutes(fields.minute) + std::chrono::seconds(fields.second));
}

// "08:49:37"
void read_clock(FieldReader& reader, Fields& fields) {
  fields.hour = reader.digits(2);
  reader.literal(":");
  fields.minute = reader.digits(2);
  reader.literal(":");
  fields.second = reader.digits(2);
}

}  // namespace

std::string hex_encode(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kLowerHex[byte >> 4];
    text += kLowerHex[byte & 15];
  }
  return text;
}

Result<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return fail(ErrorKind::InvalidInput, "hex text has an odd length");
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) {
      return fail(ErrorKind::InvalidInput, "hex text has a wrong digit at " + std::to_string(i));
    }
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

std::string base64_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text += j <= count ? kBase64[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

Result<std::string> base64_decode(std::string_view text) {
  const auto wrong = [](std::string what) {
    return fail(ErrorKind::InvalidInput, "base64 text " + std::move(what));
  };
  if (text.size() % 4 != 0) return wrong("has a length that is not a multiple of four");
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  const std::size_t digits = text.size() - padding;
  for (std::size_t i = 0; i < digits; ++i) {
    const int value = kBase64Values[static_cast<unsigned char>(text[i])];
    if (value < 0) return wrong("has a wrong character at " + std::to_string(i));
    group = group << 6 | static_cast<std::uint32_t>(value);
    if (i % 4 != 3) continue;
    for (const int shift : {16, 8, 0}) bytes += static_cast<char>(group >> shift & 255);
    group = 0;
  }
  if (padding == 1) {
    if ((group & 3) != 0) return wrong("has stray bits at its end");
    bytes += static_cast<char>(group >> 10 & 255);
    bytes += static_cast<char>(group >> 2 & 255);
  } else if (padding == 2) {
    if ((group & 15) != 0) return wrong("has stray bits at its end");
    bytes += static_cast<char>(group >> 4 & 255);
  }
  return bytes;
}

std::string percent_encode(std::string_view text) { return percent_encode_except(text, false); }

std::string percent_encode_path(std::string_view path) { return percent_encode_except(path, true); }

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      result += ' ';
    } else if (text[i] != '%') {
      result += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return fail(ErrorKind::InvalidInput, "a broken percent escape at " + std::to_string(i));
      }
      result += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return result;
}

std::string iso8601(Timestamp time, int fraction_digits) {
  const Calendar at = calendar_of(time);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(at.date.year()),
                  static_cast<unsigned>(at.date.month()), static_cast<unsigned>(at.date.day()),
                  at.time.hours().count(), at.time.minutes().count(), at.time.seconds().count());
  if (fraction_digits > 0) {
    text += '.';
    text += fmt::format("{:06}", at.time.subseconds().count())
                .substr(0, static_cast<std::size_t>(fraction_digits));
  }
  return text + "Z";
}

std::string iso8601_basic(Timestamp time) {
  const Calendar at = calendar_of(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(at.date.year()),
                     static_cast<unsigned>(at.date.month()), static_cast<unsigned>(at.date.day()),
                     at.time.hours().count(), at.time.minutes().count(), at.time.seconds().count());
}

std::string http_date(Timestamp time) {
  const Calendar at = calendar_of(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kWeekdays[at.weekday.c_encoding()],
                     static_cast<unsigned>(at.date.day()),
                     kMonths[static_cast<unsigned>(at.date.month()) - 1],
                     static_cast<int>(at.date.year()), at.time.hours().count(),
                     at.time.minutes().count(), at.time.seconds().count());
}

Result<Timestamp> parse_iso8601(std::string_view text) {
  FieldReader reader(text);
  Fields fields;
  fields.year = reader.digits(4);
  reader.literal("-");
  fields.month = reader.digits(2);
  reader.literal("-");
  fields.day = reader.digits(2);
  reader.literal("T");
  fields.hour = reader.digits(2);
  reader.literal(":");
  fields.minute = reader.digits(2);
  reader.literal(":");
  fields.second = reader.digits(2);
  const Duration fraction(reader.skip('.') ? reader.fraction_microseconds() : 0);
  std::chrono::minutes offset{0};
  if (!reader.skip('Z')) {
    const int sign = reader.skip('-') ? -1 : 1;
    if (sign > 0) reader.literal("+");
    const int hours = reader.digits(2);
    reader.literal(":");
    offset = sign * (std::chrono::hours(hours) + std::chrono::minutes(reader.digits(2)));
  }
  TRY(const Timestamp time, timestamp_of(fields, reader.done(), text));
  return time + fraction - offset;
}

Result<Timestamp> parse_iso8601_basic(std::string_view text) {
  FieldReader reader(text);
  Fields fields;
  fields.year = reader.digits(4);
  fields.month = reader.digits(2);
  fields.day = reader.digits(2);
  reader.literal("T");
  fields.hour = reader.digits(2);
  fields.minute = reader.digits(2);
  fields.second = reader.digits(2);
  reader.literal("Z");
  return timestamp_of(fields, reader.done(), text);
}

Result<Timestamp> parse_http_date(std::string_view text) {
  FieldReader reader(text);
  Fields fields;
  reader.one_of(kWeekdays);
  reader.skip_letters();
  if (!reader.skip(',')) {
    // "Sun Nov  6 08:49:37 1994"
    reader.literal(" ");
    fields.month = reader.one_of(kMonths) + 1;
    reader.literal(" ");
    fields.day = reader.skip(' ') ? reader.digits(1) : reader.digits(2);
    reader.literal(" ");
    read_clock(reader, fields);
    reader.literal(" ");
    fields.year = reader.digits(4);
    return timestamp_of(fields, reader.done(), text);
  }
  reader.literal(" ");
  fields.day = reader.digits(2);
  // "Sunday, 06-Nov-94 08:49:37 GMT", or with spaces and all of the year
  const bool old = reader.skip('-');
  if (!old) reader.literal(" ");
  fields.month = reader.one_of(kMonths) + 1;
  reader.literal(old ? "-" : " ");
  fields.year = reader.digits(old ? 2 : 4);
  if (old) fields.year += fields.year < 70 ? 2000 : 1900;
  reader.literal(" ");
  read_clock(reader, fields);
  reader.literal(" GMT");
  return timestamp_of(fields, reader.done(), text);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [&](char x, char y) { return lower(x) == lower(y); });
}

std::string to_lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return result;
}

std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace base
