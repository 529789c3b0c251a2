// The whole board over HTTP against what the original service answered.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "lib/base/encoding.h"
#include "messageboard/api/integration/board_under_test.h"
#include "messageboard/api/integration/postgres_server.h"

namespace messageboard {
namespace {

namespace json = boost::json;

json::array recorded_answers() {
  std::ifstream in(std::string(TESTDATA) + "/recorded_answers.json", std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return json::parse(text.str()).as_array();
}

std::string text_or_none(const json::value& value) {
  return value.is_string() ? std::string(value.as_string()) : "(none)";
}
std::string header_or_none(const Asked& asked, std::string_view name) {
  return std::string(asked.headers.find(name).value_or("(none)"));
}

// The original lists them in no particular order.
std::set<std::string> methods(const std::string& allow) {
  std::set<std::string> set;
  std::istringstream in(allow);
  for (std::string each; std::getline(in, each, ',');) set.emplace(base::trim(each));
  return set;
}

// Instance ids differ by nature.
std::string comparable(const std::string& body) {
  const std::size_t at = body.find("\"instance_id\":");
  return body.substr(0, at);
}

TEST(BoardAnswers, AreTheOriginals) {
  const FakeS3 s3;
  BoardUnderTest board(PostgresServer::get().new_database(), s3);
  ASSERT_TRUE(eventually([&] { return board.ready(); }));
  std::size_t compared = 0;
  for (const json::value& each : recorded_answers()) {
    std::vector<std::pair<std::string, std::string>> headers = {{"Host", "board.test"}};
    for (const auto& header : each.at("headers").as_object()) {
      headers.emplace_back(header.key(), std::string(header.value().as_string()));
    }
    const std::string method(each.at("method").as_string());
    const std::string target(each.at("target").as_string());
    const std::string body = *base::base64_decode(std::string(each.at("body").as_string()));
    const Asked asked = board.ask(method, target, headers, body);
    SCOPED_TRACE(fmt::format("{} {} {}", method, target.substr(0, 200), body.substr(0, 200)));
    EXPECT_EQ(asked.status, each.at("status").as_int64());
    EXPECT_EQ(comparable(asked.body), comparable(std::string(each.at("answer").as_string())));
    EXPECT_EQ(methods(header_or_none(asked, "allow")), methods(text_or_none(each.at("allow"))));
    EXPECT_EQ(header_or_none(asked, "location"), text_or_none(each.at("location")));
    EXPECT_EQ(header_or_none(asked, "content-type"), text_or_none(each.at("content_type")));
    ++compared;
  }
  EXPECT_GT(compared, 200u);
}

class BoardPages : public testing::Test {
 protected:
  BoardPages() {
    EXPECT_TRUE(eventually([&] { return board.ready(); }));
  }
  FakeS3 s3;
  BoardUnderTest board{PostgresServer::get().new_database(), s3};
};

TEST_F(BoardPages, BrowsersAreSentToThePageAndProgramsAreNot) {
  const Asked browser = board.ask("GET", "/", {{"Accept", "text/html,*/*;q=0.8"}}, "");
  EXPECT_EQ(browser.status, 307);
  EXPECT_EQ(browser.headers.find("location"), "/board/");
  EXPECT_EQ(board.ask("GET", "/", {{"Accept", "*/*"}}, "").body, R"({"is_healthy":true})");
  EXPECT_EQ(board.get("/board/").status, 200);
  EXPECT_EQ(board.get("/board").status, 307);
  EXPECT_EQ(board.get("/docs").status, 200);
  EXPECT_EQ(board.ask("HEAD", "/docs", {}, "").status, 200);
  EXPECT_EQ(board.get("/openapi.json").headers.find("content-type"), "application/json");
}

TEST_F(BoardPages, MessagesAreReadFromBothEnds) {
  for (int i = 1; i <= 25; ++i) {
    EXPECT_EQ(board.post_message("a", std::to_string(i)).status, 200);
  }
  EXPECT_EQ(board.get("/messages/3").body, R"({"author":"a","body":"3","id":3})");
  EXPECT_EQ(board.get("/messages/?skip=1&limit=1").body, R"([{"author":"a","body":"2","id":2}])");
  const json::array newest = json::parse(board.get("/board/messages").body).as_array();
  ASSERT_EQ(newest.size(), 20u);
  EXPECT_EQ(newest.front().at("id"), 25);
  const json::array older = json::parse(board.get("/board/messages?before=6").body).as_array();
  ASSERT_EQ(older.size(), 5u);
  EXPECT_EQ(older.front().at("id"), 5);
}

TEST_F(BoardPages, LimitsAreNamedNotIgnored) {
  EXPECT_EQ(board.get("/messages/?limit=1001").body,
            R"({"detail":[{"loc":["query","limit"],"msg":"ensure this value is less than or equal )"
            R"(to 1000","type":"value_error.number.not_le","ctx":{"limit_value":1000}}]})");
  EXPECT_EQ(board.get("/messages/?skip=-1").body,
            R"({"detail":[{"loc":["query","skip"],"msg":"ensure this value is greater than or )"
            R"(equal to 0","type":"value_error.number.not_ge","ctx":{"limit_value":0}}]})");
  EXPECT_EQ(board.get("/messages/?limit=1000").status, 200);
  const Asked nul = board.ask("POST", "/message/", {{"Content-Type", "application/json"}},
                              R"({"author":"a\u0000b","body":"\ud800"})");
  EXPECT_EQ(nul.status, 422);
  EXPECT_NE(nul.body.find("U+0000"), std::string::npos);
  EXPECT_EQ(board.post_message("a", std::string(70'000, 'x')).status, 413);
  EXPECT_EQ(board.post_message("a", std::string(60'000, 'x')).status, 200);
}

}  // namespace
}  // namespace messageboard
