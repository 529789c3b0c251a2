// Heads of HTTP messages, scanned in place: the views point into the caller's bytes, nothing is
// allocated, nothing is repaired. Whatever two parsers could read in two ways is refused (bare LF,
// folded lines, a space before a colon, two lengths, a length beside a transfer coding): that is
// what request smuggling lives on. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "lib/http/headers.h"

namespace http {

struct HeadLimits {
  std::size_t bytes_max = 64 * 1024;
  std::size_t fields_max = 200;
};

enum class Expectation : std::uint8_t { None, Continue };

// What the fields say about the message's body and the connection.
struct Framing {
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = false;
  Expectation expect = Expectation::None;
};

struct RequestHead {
  std::string_view method;
  std::string_view target;  // origin form, or "*" of OPTIONS; absolute form is reduced
  std::string_view path;
  std::string_view query;
  int minor = 1;  // HTTP/1.minor
  Framing framing;
};

struct ResponseHead {
  int status = 0;
  int minor = 1;
  Framing framing;
};

// A head that is complete has consumed > 0; one that is refused has a refusal; one with neither
// wants more bytes.
struct Scan {
  std::size_t consumed = 0;  // bytes up to and with the empty line
  int refusal = 0;           // the status to answer with
  std::string_view why;      // static text
};

// Scans from the first byte each time: call again when a line feed has arrived.
Scan scan_request_head(std::string_view bytes, const HeadLimits& limits, RequestHead& head,
                       HeaderViews& fields);
// The same for what a server answers; any refusal means "not HTTP".
Scan scan_response_head(std::string_view bytes, const HeadLimits& limits, ResponseHead& head,
                        HeaderViews& fields);

// For what is about to be sent: a token (method, field name), a field value, a request target.
bool is_token(std::string_view text);
bool is_field_value(std::string_view text);
bool is_target(std::string_view text);
// The Host header's value: name, IPv4 or [IPv6], with or without a port.
bool is_host(std::string_view text);

}  // namespace http
