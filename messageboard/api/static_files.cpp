#include "messageboard/api/static_files.h"

#include <fmt/core.h>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "messageboard/api/query.h"

// Symbols of the objects that embed.cmake makes of the files.
#define EMBEDDED(name)                               \
  extern "C" const char _binary_##name##_start[];    \
  extern "C" const char _binary_##name##_end[];      \
  extern "C" const char _binary_##name##_gz_start[]; \
  extern "C" const char _binary_##name##_gz_end[];

EMBEDDED(board_html)
EMBEDDED(board_css)
EMBEDDED(board_js)
EMBEDDED(board_svg)
EMBEDDED(docs_html)
EMBEDDED(docs_js)
EMBEDDED(swagger_ui_css)
EMBEDDED(swagger_ui_bundle_js)

#undef EMBEDDED

#define BYTES(name) std::string_view(_binary_##name##_start, _binary_##name##_end)
#define BOTH(name) BYTES(name), BYTES(name##_gz)

namespace messageboard {
namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kCss = "text/css; charset=utf-8";
constexpr std::string_view kScript = "text/javascript; charset=utf-8";

}  // namespace

StaticFiles::StaticFiles(std::string_view picture_origin) {
  const std::string board_policy = fmt::format(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
      "img-src 'self' blob: {}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      picture_origin);
  // Swagger UI sets style attributes and shows its icons from data URLs.
  const std::string docs_policy =
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
      "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
      "frame-ancestors 'none'";
  files_ = {
      {"/board/", kHtml, BOTH(board_html), board_policy, {}},
      {"/board/board.css", kCss, BOTH(board_css), {}, {}},
      {"/board/board.js", kScript, BOTH(board_js), {}, {}},
      {"/board/board.svg", "image/svg+xml", BOTH(board_svg), {}, {}},
      {"/docs", kHtml, BOTH(docs_html), docs_policy, {}},
      {"/docs/docs.js", kScript, BOTH(docs_js), {}, {}},
      {"/docs/swagger-ui.css", kCss, BOTH(swagger_ui_css), {}, {}},
      {"/docs/swagger-ui-bundle.js", kScript, BOTH(swagger_ui_bundle_js), {}, {}},
  };
  for (StaticFile& file : files_) {
    const std::string digest = base::digest(base::DigestKind::Sha256, file.bytes);
    file.tag = base::hex_encode(digest).substr(0, 16);
  }
}

const StaticFile* StaticFiles::find(std::string_view path) const {
  for (const StaticFile& file : files_) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

http::Response serve(const StaticFile& file, const http::Request& request) {
  const bool gzip = accepts_gzip(request.headers.find("accept-encoding").value_or(""));
  const std::string tag = fmt::format("\"{}{}\"", file.tag, gzip ? "-gzip" : "");
  http::Response response;
  response.headers.add("etag", tag);
  response.headers.add("cache-control", "no-cache");
  response.headers.add("vary", "accept-encoding");
  const std::string_view known = request.headers.find("if-none-match").value_or("");
  if (known.find(tag) != known.npos) {
    response.status = 304;
    return response;
  }
  response.headers.add("content-type", std::string(file.content_type));
  response.headers.add("x-content-type-options", "nosniff");
  if (!file.policy.empty()) response.headers.add("content-security-policy", file.policy);
  if (gzip) response.headers.add("content-encoding", "gzip");
  response.body = gzip ? file.gzip_bytes : file.bytes;
  return response;
}

}  // namespace messageboard
