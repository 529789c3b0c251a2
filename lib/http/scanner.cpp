#include "lib/http/scanner.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "lib/base/encoding.h"

namespace http {
namespace {

enum Class : std::uint8_t { kToken = 1, kTarget = 2, kValue = 4, kHost = 8 };

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  const auto mark = [&classes](std::string_view characters, std::uint8_t with) {
    for (const char c : characters) classes[static_cast<std::uint8_t>(c)] |= with;
  };
  for (int c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    if (letter || digit) classes[c] |= kToken | kHost;
    if (c > ' ' && c < 0x7f && c != '#') classes[c] |= kTarget;
    if ((c >= ' ' && c != 0x7f) || c == '\t') classes[c] |= kValue;
  }
  mark("!#$%&'*+-.^_`|~", kToken);
  mark("-._~!$&'()*+,;=%:[]", kHost);
  return classes;
}

constexpr std::array<std::uint8_t, 256> kClasses = make_classes();
constexpr std::size_t kMethodBytesMax = 32;

bool is(char c, Class wanted) { return (kClasses[static_cast<std::uint8_t>(c)] & wanted) != 0; }

bool all(std::string_view text, Class wanted) {
  return std::ranges::all_of(text, [wanted](char c) { return is(c, wanted); });
}

// Eight bytes at a time: stops before the first word that may hold a control character or DEL.
const char* skip_plain(const char* at, const char* end) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  while (end - at >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    const std::uint64_t control = (word - kOnes * 0x20) & ~word & kHighs;
    const std::uint64_t del = word ^ (kOnes * 0x7f);
    if (control != 0 || ((del - kOnes) & ~del & kHighs) != 0) break;
    at += 8;
  }
  return at;
}

struct Cursor {
  const char* at;
  const char* end;

  bool done() const { return at == end; }
  std::string_view take_while(Class wanted) {
    const char* const from = at;
    while (at != end && is(*at, wanted)) ++at;
    return {from, at};
  }
  std::string_view take_value() {
    const char* const from = at;
    at = skip_plain(at, end);
    while (at != end && is(*at, kValue)) ++at;
    return {from, at};
  }
};

// How far one piece of the head got. Refused carries the reason.
struct Step {
  enum State : std::uint8_t { Ok, Partial, Refused } state = Ok;
  int refusal = 0;
  std::string_view why;
};

Step refuse(std::string_view why, int status = 400) { return {Step::Refused, status, why}; }
Step partial() { return {Step::Partial, 0, {}}; }

// A literal text; partial when the bytes end inside it.
Step expect(Cursor& cursor, std::string_view literal, std::string_view why) {
  const auto count = std::min<std::size_t>(literal.size(), cursor.end - cursor.at);
  if (std::memcmp(cursor.at, literal.data(), count) != 0) return refuse(why);
  cursor.at += count;
  return count == literal.size() ? Step{} : partial();
}

struct FramingFields {
  unsigned lengths = 0;
  unsigned codings = 0;
  unsigned hosts = 0;
  bool close = false;
  bool keep_alive = false;
  std::string_view host;
};

Step note_length(std::string_view value, FramingFields& seen, Framing& framing) {
  if (++seen.lengths > 1) return refuse("Content-Length is there twice");
  constexpr std::size_t kDigitsMax = 18;
  if (value.empty() || value.size() > kDigitsMax) return refuse("Content-Length is not a length");
  std::uint64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return refuse("Content-Length is not a length");
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  framing.content_length = length;
  return {};
}

Step note_coding(std::string_view value, FramingFields& seen, Framing& framing) {
  if (++seen.codings > 1) return refuse("Transfer-Encoding is there twice");
  if (!base::equals_ignoring_case(value, "chunked")) {
    return refuse("the only transfer coding known here is chunked", 501);
  }
  framing.chunked = true;
  return {};
}

void note_connection(std::string_view value, FramingFields& seen) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = base::trim(value.substr(0, comma));
    seen.close |= base::equals_ignoring_case(option, "close");
    seen.keep_alive |= base::equals_ignoring_case(option, "keep-alive");
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
}

// The length of the name tells most fields apart before any is compared.
Step note_field(std::string_view name, std::string_view value, FramingFields& seen,
                Framing& framing) {
  switch (name.size()) {
    case 4:
      if (!base::equals_ignoring_case(name, "host")) break;
      ++seen.hosts;
      seen.host = value;
      break;
    case 6:
      if (!base::equals_ignoring_case(name, "expect")) break;
      // Others are passed over, as RFC 9110 allows and AWS does.
      if (base::equals_ignoring_case(value, "100-continue")) framing.expect = Expectation::Continue;
      break;
    case 10:
      if (base::equals_ignoring_case(name, "connection")) note_connection(value, seen);
      break;
    case 14:
      if (base::equals_ignoring_case(name, "content-length")) {
        return note_length(value, seen, framing);
      }
      break;
    case 17:
      if (base::equals_ignoring_case(name, "transfer-encoding")) {
        return note_coding(value, seen, framing);
      }
      break;
    default: break;
  }
  return {};
}

Step scan_line_end(Cursor& cursor, std::string_view why) { return expect(cursor, "\r\n", why); }

Step scan_field(Cursor& cursor, std::string_view& name, std::string_view& value) {
  name = cursor.take_while(kToken);
  if (cursor.done()) return partial();
  if (*cursor.at != ':' || name.empty()) {
    return refuse("a header line does not start with a name and a colon");
  }
  ++cursor.at;
  value = cursor.take_value();
  if (cursor.done()) return partial();
  value = base::trim(value);
  return scan_line_end(cursor, "a header value holds a control character");
}

// All fields and the empty line after them.
Step scan_fields(Cursor& cursor, const HeadLimits& limits, HeaderViews& fields, FramingFields& seen,
                 Framing& framing) {
  for (;;) {
    if (cursor.done()) return partial();
    if (*cursor.at == '\r') return scan_line_end(cursor, "a carriage return stands alone");
    if (*cursor.at == ' ' || *cursor.at == '\t') return refuse("a header line is folded");
    if (fields.size() == limits.fields_max) return refuse("too many header fields", 431);
    std::string_view name;
    std::string_view value;
    if (const Step step = scan_field(cursor, name, value); step.state != Step::Ok) return step;
    fields.add(name, value);
    if (const Step step = note_field(name, value, seen, framing); step.state != Step::Ok) {
      return step;
    }
  }
}

Step settle_framing(const FramingFields& seen, int minor, Framing& framing) {
  if (framing.chunked && framing.content_length) {
    return refuse("Content-Length and Transfer-Encoding exclude each other");
  }
  if (framing.chunked && minor == 0) return refuse("HTTP/1.0 has no transfer codings");
  framing.keep_alive = !seen.close && (minor == 1 || seen.keep_alive);
  if (minor == 0) framing.expect = Expectation::None;
  return {};
}

Step scan_version(Cursor& cursor, int& minor) {
  if (const Step step = expect(cursor, "HTTP/", "the request line names no HTTP version");
      step.state != Step::Ok) {
    return step;
  }
  if (cursor.end - cursor.at < 3) return partial();
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!digit(cursor.at[0]) || cursor.at[1] != '.' || !digit(cursor.at[2])) {
    return refuse("the HTTP version is malformed");
  }
  if (cursor.at[0] != '1' || cursor.at[2] > '1') return refuse("HTTP/1.0 and 1.1 only", 505);
  minor = cursor.at[2] - '0';
  cursor.at += 3;
  return {};
}

// "http://host/path" is a proxy's form: the authority is given back, the target reduced to the
// rest.
Step reduce_absolute(std::string_view& target, std::string_view& authority) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return refuse("the request target is no path");
  const std::string_view scheme = target.substr(0, colon);
  if (!base::equals_ignoring_case(scheme, "http") && !base::equals_ignoring_case(scheme, "https")) {
    return refuse("the request target's scheme is not http");
  }
  const std::string_view rest = target.substr(colon + 3);
  const std::size_t slash = rest.find('/');
  authority = rest.substr(0, slash);
  // Without a path there is nothing that a view could name as "/", and nobody sends it so.
  if (slash == std::string_view::npos || authority.empty()) {
    return refuse("the request target has no path");
  }
  target = rest.substr(slash);
  return {};
}

Step settle_target(RequestHead& head, std::string_view& authority) {
  if (head.method == "CONNECT") return refuse("this is no proxy", 501);
  if (head.target == "*") {
    if (head.method != "OPTIONS") return refuse("the request target is no path");
  } else if (head.target.front() != '/') {
    if (const Step step = reduce_absolute(head.target, authority); step.state != Step::Ok) {
      return step;
    }
  }
  const std::size_t mark = std::min(head.target.find('?'), head.target.size());
  head.path = head.target.substr(0, mark);
  head.query = head.target.substr(std::min(mark + 1, head.target.size()));
  return {};
}

Step scan_request_line(Cursor& cursor, RequestHead& head) {
  // A client that ends a body with one line end too many is forgiven, as RFC 9112 2.2 asks.
  if (!cursor.done() && *cursor.at == '\r') {
    const Step step = scan_line_end(cursor, "a carriage return stands alone");
    if (step.state != Step::Ok) return step;
  }
  head.method = cursor.take_while(kToken);
  if (head.method.size() > kMethodBytesMax) return refuse("the method is too long");
  if (cursor.done()) return partial();
  if (*cursor.at != ' ' || head.method.empty()) return refuse("the method is malformed");
  ++cursor.at;
  head.target = cursor.take_while(kTarget);
  if (cursor.done()) return partial();
  if (*cursor.at != ' ' || head.target.empty()) return refuse("the request target is malformed");
  ++cursor.at;
  if (const Step step = scan_version(cursor, head.minor); step.state != Step::Ok) return step;
  return scan_line_end(cursor, "the request line does not end with CR LF");
}

Step scan_request(Cursor& cursor, const HeadLimits& limits, RequestHead& head,
                  HeaderViews& fields) {
  if (const Step step = scan_request_line(cursor, head); step.state != Step::Ok) return step;
  std::string_view authority;
  if (const Step step = settle_target(head, authority); step.state != Step::Ok) return step;
  FramingFields seen;
  if (const Step step = scan_fields(cursor, limits, fields, seen, head.framing);
      step.state != Step::Ok) {
    return step;
  }
  if (seen.hosts > 1 || (seen.hosts == 0 && head.minor == 1)) {
    return refuse(seen.hosts == 0 ? "the Host header is missing"
                                  : "the Host header is there twice");
  }
  if (!all(seen.host, kHost)) return refuse("the Host header is malformed");
  if (!authority.empty() && !base::equals_ignoring_case(authority, seen.host)) {
    return refuse("the request target and the Host header name two hosts");
  }
  return settle_framing(seen, head.minor, head.framing);
}

Step scan_status_line(Cursor& cursor, ResponseHead& head) {
  if (const Step step = scan_version(cursor, head.minor); step.state != Step::Ok) return step;
  if (cursor.end - cursor.at < 4) return partial();
  if (*cursor.at != ' ') return refuse("the status line is malformed");
  head.status = 0;
  for (int i = 1; i <= 3; ++i) {
    if (cursor.at[i] < '0' || cursor.at[i] > '9') return refuse("the status is no number");
    head.status = head.status * 10 + (cursor.at[i] - '0');
  }
  if (head.status < 100) return refuse("the status is no HTTP status");
  cursor.at += 4;
  const std::string_view text = cursor.take_value();
  if (cursor.done()) return partial();
  if (!text.empty() && text.front() != ' ') return refuse("the status line is malformed");
  return scan_line_end(cursor, "the status line does not end with CR LF");
}

Step scan_response(Cursor& cursor, const HeadLimits& limits, ResponseHead& head,
                   HeaderViews& fields) {
  if (const Step step = scan_status_line(cursor, head); step.state != Step::Ok) return step;
  FramingFields seen;
  if (const Step step = scan_fields(cursor, limits, fields, seen, head.framing);
      step.state != Step::Ok) {
    return step;
  }
  return settle_framing(seen, head.minor, head.framing);
}

Scan conclude(const Step& step, std::size_t consumed, std::size_t had, const HeadLimits& limits) {
  switch (step.state) {
    case Step::Refused: return {0, step.refusal, step.why};
    case Step::Ok: return {consumed, 0, {}};
    case Step::Partial: break;
  }
  if (had >= limits.bytes_max) return {0, 431, "the head is too large"};
  return {};
}

}  // namespace

Scan scan_request_head(std::string_view bytes, const HeadLimits& limits, RequestHead& head,
                       HeaderViews& fields) {
  const std::string_view seen = bytes.substr(0, limits.bytes_max);
  Cursor cursor{seen.data(), seen.data() + seen.size()};
  head = {};
  fields.clear();
  const Step step = scan_request(cursor, limits, head, fields);
  return conclude(step, static_cast<std::size_t>(cursor.at - seen.data()), bytes.size(), limits);
}

Scan scan_response_head(std::string_view bytes, const HeadLimits& limits, ResponseHead& head,
                        HeaderViews& fields) {
  const std::string_view seen = bytes.substr(0, limits.bytes_max);
  Cursor cursor{seen.data(), seen.data() + seen.size()};
  head = {};
  fields.clear();
  const Step step = scan_response(cursor, limits, head, fields);
  return conclude(step, static_cast<std::size_t>(cursor.at - seen.data()), bytes.size(), limits);
}

bool is_token(std::string_view text) { return !text.empty() && all(text, kToken); }
bool is_field_value(std::string_view text) {
  const char* const rest = skip_plain(text.data(), text.data() + text.size());
  return all({rest, text.data() + text.size()}, kValue);
}
bool is_target(std::string_view text) { return !text.empty() && all(text, kTarget); }
bool is_host(std::string_view text) { return !text.empty() && all(text, kHost); }

}  // namespace http
