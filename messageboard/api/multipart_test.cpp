#include "messageboard/api/multipart.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace messageboard {
namespace {

struct Part {
  std::string name;
  std::optional<std::string> filename;
  std::string data;
  bool whole = false;
  bool operator==(const Part&) const = default;
};

class Recorder final : public PartSink {
 public:
  std::optional<std::string> on_part(PartHead head) override {
    parts.push_back({.name = std::move(head.name), .filename = std::move(head.filename)});
    return std::nullopt;
  }
  std::optional<std::string> on_data(std::string_view data) override {
    parts.back().data += data;
    if (parts.back().data.size() > bytes_max) return "enough";
    return std::nullopt;
  }
  std::optional<std::string> on_part_end() override {
    parts.back().whole = true;
    return std::nullopt;
  }

  std::vector<Part> parts;
  std::size_t bytes_max = SIZE_MAX;
};

struct Outcome {
  std::vector<Part> parts;
  bool finished = false;
  std::optional<std::string> broken;
  bool operator==(const Outcome&) const = default;
};

Outcome parse(std::string_view body, std::size_t step, MultipartParser::Limits limits = {}) {
  MultipartParser parser("XX", limits);
  Recorder recorder;
  while (!body.empty()) {
    const std::string_view piece = body.substr(0, step);
    body.remove_prefix(piece.size());
    if (const auto fed = parser.feed(piece, recorder); !fed) {
      return {recorder.parts, false, fed.error().reason};
    }
  }
  return {recorder.parts, parser.finished(), std::nullopt};
}

// The same whatever way the bytes arrive.
Outcome parse(std::string_view body) {
  const Outcome at_once = parse(body, body.size() + 1);
  for (const std::size_t step : {1, 2, 3, 7, 64}) {
    EXPECT_EQ(parse(body, step).broken.has_value(), at_once.broken.has_value()) << step;
    if (!at_once.broken) {
      EXPECT_EQ(parse(body, step), at_once) << step;
    }
  }
  return at_once;
}

std::string part(std::string_view disposition, std::string_view data) {
  return "--XX\r\nContent-Disposition: form-data; " + std::string(disposition) + "\r\n\r\n" +
         std::string(data) + "\r\n";
}

TEST(Multipart, PartsComeWithNamesAndData) {
  const Outcome outcome = parse(part("name=\"file\"; filename=\"a.jpg\"", "abc") +
                                part("name=note", "") + "--XX--\r\nignored");
  EXPECT_TRUE(outcome.finished);
  const std::vector<Part> expected = {{"file", "a.jpg", "abc", true}, {"note", {}, "", true}};
  EXPECT_EQ(outcome.parts, expected);
}

TEST(Multipart, DataMayLookAlmostLikeTheBoundary) {
  for (const char* data :
       {"\r\n--X", "\r\n--XY", "--XX", "\r\n-", "\r", "\r\n\r\n--X\r\n--X", "\r\r\n--XX-"}) {
    if (std::string_view(data).find("\r\n--XX") != std::string_view::npos) continue;
    const Outcome outcome = parse(part("name=a", data) + "--XX--");
    ASSERT_EQ(outcome.parts.size(), 1u) << data;
    EXPECT_EQ(outcome.parts[0].data, data);
    EXPECT_TRUE(outcome.finished);
  }
}

TEST(Multipart, APartCutShortHasNoEnd) {
  const Outcome outcome = parse(part("name=a", "abc"));
  EXPECT_FALSE(outcome.finished);
  ASSERT_EQ(outcome.parts.size(), 1u);
  EXPECT_FALSE(outcome.parts[0].whole);
  EXPECT_FALSE(parse("--XX\r\nContent-Dispo").finished);
  EXPECT_FALSE(parse("").finished);
}

TEST(Multipart, WhatIsNotMultipartIsRefused) {
  for (const char* body :
       {"nonsense", "--XY\r\n", "--XX\n", "--XX--\r\n", "\r\n--XX\r\n", "--XX\r\nno colon\r\n\r\n",
        "--XX\r\n: x\r\n\r\n", "--XX\r\nbad name: x\r\n\r\n"}) {
    const Outcome outcome = parse(body);
    ASSERT_TRUE(outcome.broken) << body;
    EXPECT_EQ(*outcome.broken, "") << body;
  }
}

TEST(Multipart, APartWithoutANameIsRefused) {
  for (const char* body : {"--XX\r\nContent-Disposition: form-data\r\n\r\nx",
                           "--XX\r\nContent-Type: text/plain\r\n\r\nx", "--XX\r\n\r\nx"}) {
    EXPECT_EQ(parse(body).broken, "The Content-Disposition header field \"name\" must be provided.")
        << body;
  }
}

TEST(Multipart, HeadsAndPartsAreBounded) {
  const MultipartParser::Limits limits{.head_bytes_max = 100, .parts_max = 2};
  const std::string long_head = "--XX\r\nX-Long: " + std::string(200, 'x');
  EXPECT_TRUE(parse(long_head, 10, limits).broken);
  EXPECT_TRUE(parse(long_head + "\r\n\r\n", 1000, limits).broken);
  const std::string two = part("name=a", "1") + part("name=b", "2");
  EXPECT_TRUE(parse(two + "--XX--", 1000, limits).finished);
  EXPECT_EQ(parse(two + part("name=c", "3"), 1000, limits).broken,
            "Too many fields. Maximum number of fields is 2.");
}

TEST(Multipart, TheSinkMayStopIt) {
  MultipartParser parser("XX", {});
  Recorder recorder;
  recorder.bytes_max = 3;
  const auto fed = parser.feed(part("name=a", "abcdef") + "--XX--", recorder);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().reason, "enough");
}

TEST(Multipart, OptionsAreReadAsBrowsersWriteThem) {
  EXPECT_EQ(header_option("form-data; name=\"a\\\"b\\\\c\"", "name"), "a\"b\\c");
  EXPECT_EQ(header_option("form-data; NAME = a ; x=y", "name"), "a");
  EXPECT_EQ(header_option("form-data; filename=\"a;name=b\"; name=c", "name"), "c");
  EXPECT_EQ(header_option("x; name=a; name=b", "name"), "b");
  EXPECT_EQ(header_option("x; name=", "name"), std::nullopt);
  EXPECT_EQ(header_option("x; name=\"\"", "name"), "");
  EXPECT_EQ(header_option("x; name=\"open", "name"), std::nullopt);
  EXPECT_EQ(header_option("name=a", "name"), std::nullopt);
  EXPECT_EQ(header_option("", "name"), std::nullopt);
  EXPECT_EQ(header_value(" Multipart/Form-Data ; boundary=x"), "multipart/form-data");
}

TEST(Multipart, FileNamesLoseTheirWindowsPath) {
  const Outcome outcome =
      parse(part(R"(name=f; filename="C:\photos\a.jpg")", "x") +
            part(R"(name=f; filename="\\\\server\\b.jpg")", "x") +
            part("name=f; filename=\"caf\xe9.jpg\"", "x") +
            part("name=f; filename=\"../../etc/passwd\"", "x") +
            part("name=f; filename=\"\"", "x") + part("name=f; filename=\"a\"", "x") + "--XX--");
  ASSERT_EQ(outcome.parts.size(), 6u);
  EXPECT_EQ(outcome.parts[4].filename, "");
  EXPECT_EQ(outcome.parts[5].filename, "a");
  EXPECT_EQ(outcome.parts[0].filename, "a.jpg");
  EXPECT_EQ(outcome.parts[1].filename, "b.jpg");
  EXPECT_EQ(outcome.parts[2].filename, "caf\u00e9.jpg");
  EXPECT_EQ(outcome.parts[3].filename, "../../etc/passwd");
}

TEST(Multipart, BoundariesAreThoseOfTheStandard) {
  EXPECT_TRUE(MultipartParser::valid_boundary("----WebKitFormBoundary7MA4YWxkTrZu0gW"));
  EXPECT_TRUE(MultipartParser::valid_boundary("a b"));
  EXPECT_FALSE(MultipartParser::valid_boundary(""));
  EXPECT_FALSE(MultipartParser::valid_boundary("a "));
  EXPECT_FALSE(MultipartParser::valid_boundary("a\r\nb"));
  EXPECT_FALSE(MultipartParser::valid_boundary(std::string(71, 'a')));
}

}  // namespace
}  // namespace messageboard
