#include "lib/http/response_head.h"

#include <array>
#include <charconv>

#include "lib/base/encoding.h"
#include "lib/http/scanner.h"

namespace http {
namespace {

// Fields of the handler's that are the server's to write.
bool is_reserved(std::string_view name) {
  switch (name.size()) {
    case 4: return base::equals_ignoring_case(name, "date");
    case 10:
      return base::equals_ignoring_case(name, "connection") ||
             base::equals_ignoring_case(name, "keep-alive");
    case 14: return base::equals_ignoring_case(name, "content-length");
    case 17: return base::equals_ignoring_case(name, "transfer-encoding");
    default: return false;
  }
}

std::optional<std::uint64_t> stated_length(const Headers& headers) {
  const auto text = headers.find("Content-Length");
  if (!text) return std::nullopt;
  std::uint64_t length = 0;
  const char* const end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, length);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return length;
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end);
}

bool asks_to_close(const Headers& headers) {
  const auto connection = headers.find("Connection");
  return connection && base::equals_ignoring_case(*connection, "close");
}

}  // namespace

ResponsePlan plan_response(const Response& response, std::string_view method, int minor,
                           bool keep_alive) {
  ResponsePlan plan;
  plan.keep_alive = keep_alive && !asks_to_close(response.headers);
  const bool head = method == "HEAD";
  plan.send_body = !head && response.status != 204 && response.status != 304;
  if (response.status == 204) return plan;
  if (head || response.status == 304) plan.length = stated_length(response.headers);
  if (plan.length) return plan;
  if (response.stream) {
    plan.length = response.stream->length();
  } else if (response.status != 304) {
    plan.length = response.body.size();
  }
  if (plan.send_body && !plan.length) {
    plan.chunked = minor == 1;
    // An HTTP/1.0 client learns from the close that the body has ended.
    if (!plan.chunked) plan.keep_alive = false;
  }
  return plan;
}

std::string response_flaw(const Response& response) {
  if (response.status < 200 || response.status > 599) {
    return "status " + std::to_string(response.status);
  }
  for (const auto& [name, value] : response.headers) {
    if (!is_token(name)) return "a malformed header name";
    if (!is_field_value(value)) return "a control character in header " + name;
  }
  return {};
}

void append_response_head(std::string& out, const Response& response, const ResponsePlan& plan,
                          int minor, std::string_view fixed) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(response.status));
  out += ' ';
  out += reason(response.status);
  out += "\r\n";
  out += fixed;
  for (const auto& [name, value] : response.headers) {
    if (is_reserved(name)) continue;
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  }
  if (plan.length) {
    out += "Content-Length: ";
    append_number(out, *plan.length);
    out += "\r\n";
  }
  if (plan.chunked) out += "Transfer-Encoding: chunked\r\n";
  if (!plan.keep_alive) {
    out += "Connection: close\r\n";
  } else if (minor == 0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

std::string_view reason(int status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 203: return "Non-Authoritative Information";
    case 204: return "No Content";
    case 205: return "Reset Content";
    case 206: return "Partial Content";
    case 300: return "Multiple Choices";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 407: return "Proxy Authentication Required";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Entity";
    case 423: return "Locked";
    case 424: return "Failed Dependency";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 451: return "Unavailable For Legal Reasons";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
  }
}

}  // namespace http
