// The OpenAPI document and the static files.
#include "messageboard/api/app.h"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <fstream>
#include <sstream>

namespace messageboard {
namespace {

namespace json = boost::json;

std::string file_text(const std::string& name) {
  std::ifstream in(std::string(TESTDATA) + "/" + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(OpenApi, IsTheOriginalsButForWhatIsAdded) {
  json::value document = json::parse(openapi());
  json::object& paths = document.at("paths").as_object();
  ASSERT_TRUE(paths.contains("/messages/{message_id}"));
  paths.erase("/messages/{message_id}");
  json::object& image = document.at("components").at("schemas").at("Image").as_object();
  EXPECT_EQ(image["properties"].at("status"),
            json::parse(R"({"title":"Status","enum":["pending","processed","failed"],
                            "type":"string"})"));
  image["properties"].as_object().erase("status");
  json::array& required = image["required"].as_array();
  ASSERT_EQ(required.back(), "status");
  required.pop_back();
  EXPECT_EQ(document, json::parse(file_text("original_openapi.json")));
}

TEST(OpenApi, TheAddedRouteIsDescribedAsItsTwin) {
  const json::value document = json::parse(openapi());
  json::value added = document.at("paths").at("/messages/{message_id}").at("get");
  EXPECT_EQ(added.at("operationId"), "read_message_messages__message_id__get");
  added.as_object()["operationId"] = "read_message_message__message_id__get";
  EXPECT_EQ(added, document.at("paths").at("/message/{message_id}").at("get"));
}

TEST(StaticFiles, ThePageMayLoadPicturesFromTheirBucketOnly) {
  const StaticFiles files("http://127.0.0.1:4566");
  const StaticFile* page = files.find("/board/");
  ASSERT_NE(page, nullptr);
  EXPECT_NE(page->policy.find("default-src 'none'"), std::string::npos);
  EXPECT_NE(page->policy.find("img-src 'self' blob: http://127.0.0.1:4566;"), std::string::npos);
  EXPECT_EQ(page->policy.find("unsafe-inline"), std::string::npos);
  EXPECT_EQ(files.find("/board/../main.cpp"), nullptr);
}

TEST(StaticFiles, NothingIsLoadedFromElsewhere) {
  const StaticFiles files("http://pictures.test");
  for (const char* path :
       {"/board/", "/board/board.css", "/board/board.js", "/docs", "/docs/docs.js"}) {
    const StaticFile* file = files.find(path);
    ASSERT_NE(file, nullptr) << path;
    EXPECT_EQ(file->bytes.find("//", file->bytes.find("http")), std::string_view::npos) << path;
    EXPECT_EQ(file->bytes.find("<style"), std::string_view::npos) << path;
    EXPECT_EQ(file->bytes.find("innerHTML"), std::string_view::npos) << path;
  }
}

http::Response get(const StaticFile& file, http::HeaderViews headers) {
  const http::Request request{.method = "GET",
                              .target = file.path,
                              .path = file.path,
                              .query = {},
                              .headers = std::move(headers)};
  return serve(file, request);
}

TEST(StaticFiles, ABrowserThatHasTheFileIsToldSo) {
  const StaticFiles files("http://pictures.test");
  const StaticFile& file = *files.find("/docs/swagger-ui-bundle.js");
  http::HeaderViews zip;
  zip.add("accept-encoding", "gzip, br");
  const http::Response plain = get(file, {});
  const http::Response zipped = get(file, zip);
  EXPECT_EQ(plain.body, file.bytes);
  EXPECT_EQ(zipped.headers.find("content-encoding"), "gzip");
  EXPECT_LT(zipped.body.size(), plain.body.size() / 2);
  EXPECT_EQ(zipped.body.substr(0, 2), "\x1f\x8b");
  const std::string tag(*zipped.headers.find("etag"));
  EXPECT_NE(tag, *plain.headers.find("etag"));
  zip.add("if-none-match", tag);
  const http::Response again = get(file, zip);
  EXPECT_EQ(again.status, 304);
  EXPECT_TRUE(again.body.empty());
}

}  // namespace
}  // namespace messageboard
