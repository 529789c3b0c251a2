// Queries, headers, options and the small rules around them.
#include <gtest/gtest.h>

#include <map>

#include "messageboard/api/config.h"
#include "messageboard/api/picture_store.h"
#include "messageboard/api/query.h"
#include "messageboard/api/upload.h"
#include "messageboard/api/upload_budget.h"

namespace messageboard {
namespace {

TEST(Query, TheLastOfANameCounts) {
  EXPECT_EQ(query_value("skip=1&limit=2&skip=3", "skip"), "3");
  EXPECT_EQ(query_value("skip=1", "limit"), std::nullopt);
  EXPECT_EQ(query_value("skip", "skip"), "");
  EXPECT_EQ(query_value("&&skip=&", "skip"), "");
  EXPECT_EQ(query_value("a=b=c", "a"), "b=c");
  EXPECT_EQ(query_value("s%6Bip=x+y%2B", "skip"), "x y+");
  EXPECT_EQ(query_value("skip=%zz%4", "skip"), "%zz%4");
  EXPECT_EQ(query_value("skip=%ff", "skip"), "\uFFFD");
}

TEST(Query, LocationsAreQuotedAsStarletteDoes) {
  EXPECT_EQ(quote_url("http://h/a b\"<>\u00e9?x=%20"), "http://h/a%20b%22%3C%3E%C3%A9?x=%20");
  EXPECT_EQ(quote_url("http://h/\r\nSet-Cookie: a"), "http://h/%0D%0ASet-Cookie:%20a");
}

TEST(Query, AcceptHeadersAreReadWithTheirWeights) {
  EXPECT_TRUE(accepts("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "text/html"));
  EXPECT_TRUE(accepts("*/*, Text/HTML;q=0.1", "text/html"));
  EXPECT_FALSE(accepts("*/*", "text/html"));
  EXPECT_FALSE(accepts("application/json, text/html;q=0", "text/html"));
  EXPECT_FALSE(accepts("text/html; q=0.000", "text/html"));
  EXPECT_TRUE(accepts_gzip("gzip, deflate, br"));
  EXPECT_FALSE(accepts_gzip("identity"));
}

std::expected<Config, std::string> configured(std::map<std::string, std::string, std::less<>> env,
                                              std::vector<std::string_view> arguments = {}) {
  return read_config(
      arguments,
      [&](std::string_view name) -> std::optional<std::string> {
        const auto found = env.find(name);
        return found == env.end() ? std::nullopt : std::optional(found->second);
      },
      2);
}

const std::map<std::string, std::string, std::less<>> kWhole = {
    {"DB_URL", "db.internal:5433"}, {"DB_USER", "u"},
    {"DB_PASSWORD", "p"},           {"DB_NAME", "n"},
    {"AWS_RAW_BUCKET_NAME", "raw"}, {"AWS_PROCESSED_BUCKET_NAME", "processed"}};

TEST(BoardConfig, IsReadFromTheOriginalsVariables) {
  const auto config = configured(kWhole, {"--listen", "0.0.0.0:80", "--threads=3"});
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->database.host, "db.internal");
  EXPECT_EQ(config->database.port, 5433);
  EXPECT_EQ(config->address, "0.0.0.0");
  EXPECT_EQ(config->port, 80);
  EXPECT_EQ(config->threads, 3u);
  const auto plain = configured(kWhole);
  EXPECT_EQ(plain->address, "127.0.0.1");
  EXPECT_EQ(plain->port, 8080);
  EXPECT_EQ(plain->threads, 2u);
}

TEST(BoardConfig, PicturesMayBeElsewhereForBrowsers) {
  auto variables = kWhole;
  variables["PICTURE_URL"] = "http://127.0.0.1:4566";
  const auto config = configured(variables);
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(picture_url(*config, "processed", "pictures/a b.jpg"),
            "http://127.0.0.1:4566/processed/pictures/a%20b.jpg");
  variables["PICTURE_URL"] = "127.0.0.1:4566";
  EXPECT_FALSE(configured(variables));
}

TEST(BoardConfig, EverythingThatIsMissingIsNamed) {
  const auto config = configured({{"DB_URL", "h"}, {"DB_NAME", ""}});
  ASSERT_FALSE(config);
  for (const char* name :
       {"DB_USER", "DB_PASSWORD", "DB_NAME", "AWS_RAW_BUCKET_NAME", "AWS_PROCESSED_BUCKET_NAME"}) {
    EXPECT_NE(config.error().find(name), std::string::npos) << name;
  }
}

TEST(BoardConfig, WrongOptionsAreRefused) {
  const std::vector<std::vector<std::string_view>> wrong = {
      {"--port", "x"},    {"--port", "65536"},   {"--listen", ":80"}, {"--listen", "h:"},
      {"--threads", "0"}, {"--threads", "1000"}, {"--nope", "1"},     {"--port"}};
  for (const auto& arguments : wrong) EXPECT_FALSE(configured(kWhole, arguments));
  auto bad = kWhole;
  for (const char* url : {"host:x", "host:0", "user@host", "host:1:2", "[::1", "postgres://h/d"}) {
    bad["DB_URL"] = url;
    EXPECT_FALSE(configured(bad)) << url;
  }
  bad["DB_URL"] = "[::1]:5433";
  EXPECT_EQ(configured(bad)->database.host, "::1");
}

TEST(UploadNames, AreFitToBeShown) {
  EXPECT_EQ(displayable("a.jpg"), "a.jpg");
  EXPECT_EQ(displayable("\u00e9\U0001F600.png"), "\u00e9\U0001F600.png");
  EXPECT_EQ(displayable(std::string("a\0b\n\x7f", 5)),
            "a\uFFFD"
            "b\uFFFD\uFFFD");
  EXPECT_EQ(displayable("gpj.\u202Eexe"),
            "gpj.\uFFFD"
            "exe");
  EXPECT_EQ(displayable(std::string(300, 'x')).size(), 255u);
}

TEST(UploadBudget, IsGivenBackByItsLeases) {
  UploadBudget budget(100);
  {
    UploadLease first(budget);
    EXPECT_TRUE(first.grow(60));
    UploadLease second(budget);
    EXPECT_FALSE(second.grow(41));
    EXPECT_TRUE(second.grow(40));
    UploadLease moved = std::move(first);
    EXPECT_EQ(budget.used(), 100u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(PictureKeys, HoldNothingOfTheClients) {
  base::SeededRandom random(7);
  const std::string first = new_picture_key(random, PictureFormat::Jpeg);
  const std::string second = new_picture_key(random, PictureFormat::Jpeg);
  EXPECT_NE(first, second);
  EXPECT_TRUE(first.starts_with("pictures/") && first.ends_with(".jpg")) << first;
  EXPECT_EQ(first.size(), std::string("pictures/.jpg").size() + 36);
  EXPECT_EQ(failure_marker(first), "failed/" + first);
}

TEST(PictureLooks, SlowDownWithAge) {
  using namespace std::chrono_literals;
  base::Duration previous = 0s;
  for (const base::Duration age : {0s, 5s, 30s, 300s, 3600s, 86400s}) {
    EXPECT_GE(pause_before_look(age), previous);
    previous = pause_before_look(age);
  }
  EXPECT_LE(pause_before_look(0s), 250ms);
  EXPECT_EQ(previous, 1min);
}

}  // namespace
}  // namespace messageboard
