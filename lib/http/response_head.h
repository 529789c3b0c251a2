// How a response travels, decided from what the handler gave and what the client can take; and its
// head, printed. Pure. Internal to lib/http.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/http/server.h"

namespace http {

struct ResponsePlan {
  bool send_body = true;  // false: HEAD, 204, 304
  bool chunked = false;
  bool keep_alive = true;
  std::optional<std::uint64_t> length;  // Content-Length, when one is written
};

ResponsePlan plan_response(const Response& response, std::string_view method, int minor,
                           bool keep_alive);

// What makes a response one that cannot be sent as it is; empty: nothing. A line break in a header
// value would let whoever wrote the value write the rest of the response.
std::string response_flaw(const Response& response);

// `fixed` are the lines the server adds to all (Date, Server).
void append_response_head(std::string& out, const Response& response, const ResponsePlan& plan,
                          int minor, std::string_view fixed);

}  // namespace http
