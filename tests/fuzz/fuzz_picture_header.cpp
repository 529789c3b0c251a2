// Picture headers, query strings and paths: nothing may crash who reads them, and what they give is
// within its limits.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/check.h"
#include "messageboard/api/picture.h"
#include "messageboard/api/python_text.h"
#include "messageboard/api/query.h"
#include "messageboard/api/upload.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of its own: the sanitizer watches its end.
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (const auto header = messageboard::read_picture_header(bytes)) {
    const std::uint64_t pixels = std::uint64_t{header->width} * header->height;
    CHECK(pixels > 0 && pixels <= messageboard::kPicturePixelsMax, "a picture within the limit");
  }
  const auto value = messageboard::query_value(bytes, "skip");
  CHECK(!value || messageboard::decode_utf8(*value), "values are UTF-8");
  (void)messageboard::python_int(bytes);
  CHECK(messageboard::decode_utf8(messageboard::displayable(bytes)), "names are UTF-8");
  CHECK(messageboard::quote_url(bytes).find('\n') == std::string::npos, "a URL is one line");
  (void)messageboard::accepts(bytes, "text/html");
  return 0;
}
