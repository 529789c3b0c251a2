// Files that are part of the program: the web page, Swagger UI. Each in plain and in gzip form,
// with a tag by content, so that a browser asks once and is told 304 from then on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/http/server.h"

namespace messageboard {

struct StaticFile {
  std::string_view path;  // "/board/board.css"
  std::string_view content_type;
  std::string_view bytes;
  std::string_view gzip_bytes;
  // Content-Security-Policy of a page; empty: only what stops type guessing.
  std::string policy;
  std::string tag;  // derived from bytes
};

class StaticFiles {
 public:
  // `picture_origin`: where <img> may load pictures from ("http://127.0.0.1:4566").
  explicit StaticFiles(std::string_view picture_origin);
  const StaticFile* find(std::string_view path) const;

 private:
  std::vector<StaticFile> files_;
};

// Answers GET and HEAD.
http::Response serve(const StaticFile& file, const http::Request& request);

}  // namespace messageboard
