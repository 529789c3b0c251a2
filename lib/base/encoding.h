// Text forms of bytes: hex, base64, percent encoding; and the text forms of time that AWS uses.
// Pure. Decoders check every character and report the first that is wrong.
#pragma once

#include <string>
#include <string_view>

#include "lib/base/clock.h"
#include "lib/base/result.h"

namespace base {

std::string hex_encode(std::string_view bytes);
Result<std::string> hex_decode(std::string_view text);

// RFC 4648 with padding. The decoder refuses white space, missing padding and stray bits.
std::string base64_encode(std::string_view bytes);
Result<std::string> base64_decode(std::string_view text);

// RFC 3986 as SigV4 wants it: all but unreserved characters as %XX in upper case.
std::string percent_encode(std::string_view text);
// The same, leaving '/' alone: for paths.
std::string percent_encode_path(std::string_view path);
// Refuses a broken escape. `plus_is_space` for form bodies and query strings written by browsers.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

// "2023-04-29T16:19:51.000Z": digits after the point as given, 0 for none.
std::string iso8601(Timestamp time, int fraction_digits = 3);
// "20230429T161951Z": SigV4's basic form.
std::string iso8601_basic(Timestamp time);
// "Sat, 29 Apr 2023 16:19:51 GMT": HTTP's form.
std::string http_date(Timestamp time);
// Each accepts what its printer writes; iso8601 also no fraction and +hh:mm, http all of RFC 9110.
Result<Timestamp> parse_iso8601(std::string_view text);
Result<Timestamp> parse_iso8601_basic(std::string_view text);
Result<Timestamp> parse_http_date(std::string_view text);

bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string to_lower(std::string_view text);
std::string_view trim(std::string_view text);

}  // namespace base
