// Query strings and paths as Starlette reads them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace messageboard {

// %XX decoded, anything else left as it is, broken UTF-8 replaced by U+FFFD.
std::string unquote(std::string_view text, bool plus_is_space);

// The value of the last parameter of that name; "" for one without '='.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

// What Python's quote(text, safe=":/%#?=@[]!$&'()*+,;") leaves: for a Location header.
std::string quote_url(std::string_view url);

// Whether an Accept header names `media_type` itself with a weight above 0.
bool accepts(std::string_view accept, std::string_view media_type);
// Whether an Accept-Encoding header allows gzip.
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace messageboard
