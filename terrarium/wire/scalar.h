// Scalar members as text: query parameters, headers, URIs and XML. Every character from outside is
// checked. Pure.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "terrarium/wire/model.h"

namespace terrarium::wire {

// How times look where nothing else is said, and how finely.
struct TextStyle {
  TimestampFormat timestamp = TimestampFormat::Iso8601;
  int fraction_digits = 0;
};

// Reads `text` into the value of a scalar shape. A failure's message says what is wrong with the
// value ("must be an integer"); callers add which member it is and the error's row.
base::Result<void> parse_scalar(const Shape& shape, TimestampFormat format, std::string_view text,
                                void* into);

std::string print_scalar(const Shape& shape, TimestampFormat format, int fraction_digits,
                         const void* value);

// The member's own format, or the style's.
TimestampFormat format_of(const Member& member, const TextStyle& style);

bool is_scalar(Kind kind);
bool is_utf8(std::string_view text);
// Without control characters: a line break would start another header.
bool is_header_value(std::string_view text);

}  // namespace terrarium::wire
