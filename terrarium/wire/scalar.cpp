#include "terrarium/wire/scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "lib/base/check.h"
#include "lib/base/clock.h"
#include "lib/base/encoding.h"

namespace terrarium::wire {
namespace {

constexpr double kSecondsMax = 253'402'300'799.0;  // the year 9999

std::unexpected<base::Error> wrong(std::string what) {
  return base::fail(base::ErrorKind::InvalidInput, std::move(what));
}

template <class T>
base::Result<void> parse_number(std::string_view text, void* into, std::string_view what) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    return wrong("must be " + std::string(what) + " in range");
  }
  if (error != std::errc() || end != text.data() + text.size()) {
    return wrong("must be " + std::string(what));
  }
  *static_cast<T*>(into) = value;
  return {};
}

base::Result<void> parse_double(std::string_view text, void* into) {
  double value = 0;
  TRY_VOID(parse_number<double>(text, &value, "a number"));
  if (!std::isfinite(value)) return wrong("must be a finite number");
  *static_cast<double*>(into) = value;
  return {};
}

base::Result<void> parse_boolean(std::string_view text, void* into) {
  // Clients write them as their language does: boto3 sends "True" in headers.
  const bool yes = base::equals_ignoring_case(text, "true");
  if (!yes && !base::equals_ignoring_case(text, "false")) return wrong("must be true or false");
  *static_cast<bool*>(into) = yes;
  return {};
}

base::Result<base::Timestamp> parse_timestamp(TimestampFormat format, std::string_view text) {
  switch (format) {
    case TimestampFormat::UnixSeconds: {
      double seconds = 0;
      TRY_VOID(parse_double(text, &seconds));
      if (std::abs(seconds) > kSecondsMax) return wrong("must be a time before the year 10000");
      return base::Timestamp(base::Duration(std::llround(seconds * 1e6)));
    }
    case TimestampFormat::HttpDate: return base::parse_http_date(text);
    case TimestampFormat::Default:
    case TimestampFormat::Iso8601: return base::parse_iso8601(text);
  }
  return wrong("must be a time");
}

std::string print_timestamp(TimestampFormat format, int fraction_digits, base::Timestamp time) {
  if (format == TimestampFormat::HttpDate) return base::http_date(time);
  if (format != TimestampFormat::UnixSeconds) return base::iso8601(time, fraction_digits);
  const std::int64_t milliseconds =
      std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
  if (milliseconds % 1000 == 0) return fmt::format("{}", milliseconds / 1000);
  return fmt::format("{:.3f}", static_cast<double>(milliseconds) / 1000.0);
}

}  // namespace

bool is_scalar(Kind kind) {
  return kind != Kind::Structure && kind != Kind::List && kind != Kind::Map && kind != Kind::Body;
}

TimestampFormat format_of(const Member& member, const TextStyle& style) {
  return member.timestamp_format == TimestampFormat::Default ? style.timestamp
                                                             : member.timestamp_format;
}

base::Result<void> parse_scalar(const Shape& shape, TimestampFormat format, std::string_view text,
                                void* into) {
  switch (shape.kind) {
    case Kind::String:
      if (!is_utf8(text)) return wrong("must be valid UTF-8");
      *static_cast<std::string*>(into) = text;
      return {};
    case Kind::Blob: {
      auto bytes = base::base64_decode(text);
      if (!bytes) return wrong("must be valid base64");
      *static_cast<std::string*>(into) = *std::move(bytes);
      return {};
    }
    case Kind::Integer: return parse_number<std::int32_t>(text, into, "an integer");
    case Kind::Long: return parse_number<std::int64_t>(text, into, "an integer");
    case Kind::Double: return parse_double(text, into);
    case Kind::Boolean: return parse_boolean(text, into);
    case Kind::Timestamp: {
      const auto time = parse_timestamp(format, text);
      if (!time) return wrong("must be a valid timestamp");
      *static_cast<base::Timestamp*>(into) = *time;
      return {};
    }
    case Kind::Structure:
    case Kind::List:
    case Kind::Map:
    case Kind::Body: break;
  }
  return wrong("must not be a plain value");
}

std::string print_scalar(const Shape& shape, TimestampFormat format, int fraction_digits,
                         const void* value) {
  switch (shape.kind) {
    case Kind::String: return *static_cast<const std::string*>(value);
    case Kind::Blob: return base::base64_encode(*static_cast<const std::string*>(value));
    case Kind::Integer: return fmt::format("{}", *static_cast<const std::int32_t*>(value));
    case Kind::Long: return fmt::format("{}", *static_cast<const std::int64_t*>(value));
    case Kind::Double: return fmt::format("{}", *static_cast<const double*>(value));
    case Kind::Boolean: return *static_cast<const bool*>(value) ? "true" : "false";
    case Kind::Timestamp:
      return print_timestamp(format, fraction_digits, *static_cast<const base::Timestamp*>(value));
    case Kind::Structure:
    case Kind::List:
    case Kind::Map:
    case Kind::Body: break;
  }
  CHECK(false, "only scalars have a text form");
  return {};
}

bool is_utf8(std::string_view text) {
  std::size_t at = 0;
  const auto byte = [&](std::size_t offset) -> unsigned {
    return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0u;
  };
  const auto follows = [&](std::size_t offset) { return (byte(offset) & 0xC0u) == 0x80u; };
  while (at < text.size()) {
    const unsigned first = byte(0);
    if (first < 0x80) {
      at += 1;
    } else if (first >= 0xC2 && first <= 0xDF && follows(1)) {
      at += 2;
    } else if (first >= 0xE0 && first <= 0xEF && follows(1) && follows(2)) {
      // Neither an overlong form nor half of a surrogate pair.
      if (first == 0xE0 && byte(1) < 0xA0) return false;
      if (first == 0xED && byte(1) > 0x9F) return false;
      at += 3;
    } else if (first >= 0xF0 && first <= 0xF4 && follows(1) && follows(2) && follows(3)) {
      if (first == 0xF0 && byte(1) < 0x90) return false;
      if (first == 0xF4 && byte(1) > 0x8F) return false;
      at += 4;
    } else {
      return false;
    }
  }
  return true;
}

bool is_header_value(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7F';
  });
}

}  // namespace terrarium::wire
