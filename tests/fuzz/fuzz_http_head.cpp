// Heads of requests and responses: what is accepted has one meaning only. Input: a byte of options,
// then the head.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lib/base/check.h"
#include "lib/http/scanner.h"

namespace {

constexpr std::size_t kPrefixesOfBytesMax = 512;

void check_text(std::string_view text, std::string_view bytes) {
  CHECK(text.empty() || (text.data() >= bytes.data() &&
                         text.data() + text.size() <= bytes.data() + bytes.size()),
        "views point into the input");
  for (const char c : text) {
    CHECK(c != '\r' && c != '\n' && c != '\0', "no view holds a line break");
  }
}

template <class Head, class ScanHead>
void check(std::string_view bytes, const http::HeadLimits& limits, ScanHead scan_head) {
  Head head;
  http::HeaderViews fields;
  const http::Scan scan = scan_head(bytes, limits, head, fields);
  CHECK(scan.refusal == 0 || scan.consumed == 0, "refused or complete, not both");
  if (scan.refusal != 0) CHECK(!scan.why.empty(), "a refusal has a reason");
  if (scan.consumed == 0) return;
  CHECK(scan.consumed <= bytes.size() && scan.consumed <= limits.bytes_max, "within the input");
  const std::string_view whole = bytes.substr(0, scan.consumed);
  CHECK(whole.ends_with("\r\n\r\n"), "a head ends with an empty line");
  CHECK(fields.size() <= limits.fields_max, "within the limit");
  for (const http::HeaderView& field : fields) {
    check_text(field.name, whole);
    check_text(field.value, whole);
    CHECK(http::is_token(field.name), "a name is a token");
  }
  CHECK(!head.framing.chunked || !head.framing.content_length, "one framing");
  CHECK(!head.framing.content_length || fields.count("content-length") == 1, "one length");
  CHECK(head.framing.chunked == (fields.count("transfer-encoding") == 1), "one coding");
  if (whole.size() > kPrefixesOfBytesMax) return;
  for (std::size_t count = 0; count < whole.size(); ++count) {
    const http::Scan part = scan_head(whole.substr(0, count), limits, head, fields);
    CHECK(part.consumed == 0 && part.refusal == 0, "a part of a good head only wants more");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool small = (data[0] & 2) != 0;
  const http::HeadLimits limits =
      small ? http::HeadLimits{bytes.size() + 1, 4} : http::HeadLimits{};
  if ((data[0] & 1) != 0) {
    check<http::ResponseHead>(bytes, limits, http::scan_response_head);
  } else {
    check<http::RequestHead>(bytes, limits, http::scan_request_head);
    http::RequestHead head;
    http::HeaderViews fields;
    if (http::scan_request_head(bytes, limits, head, fields).consumed > 0) {
      check_text(head.method, bytes);
      check_text(head.target, bytes);
      CHECK(head.target.starts_with('/') || head.target == "*", "a target is a path");
      CHECK(head.target.starts_with(head.path), "a path begins the target");
      CHECK(fields.count("host") == 1 || head.minor == 0, "one host");
    }
  }
  return 0;
}
