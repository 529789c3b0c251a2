#include "terrarium/services/logs/rules.h"

#include <gtest/gtest.h>

namespace terrarium::logs {
namespace {

constexpr Millis kNow = 1'700'000'000'000;
constexpr Millis kHour = 3600 * 1000;

std::string refusal(const std::vector<InputLogEvent>& events) {
  const auto accepted = accept(events, kNow, std::nullopt);
  return accepted ? "" : accepted.error().message;
}

TEST(LogsPut, OrderSpanAndSizesAreChecked) {
  EXPECT_EQ(refusal({{kNow, "a"}, {kNow, "b"}, {kNow + 1, "c"}}), "");
  EXPECT_EQ(refusal({{kNow, "a"}, {kNow - 1, "b"}}),
            "Log events in a single PutLogEvents request must be in chronological order.");
  EXPECT_NE(refusal({{kNow - 25 * kHour, "a"}, {kNow, "b"}}), "");
  EXPECT_EQ(refusal({{kNow, std::string(1'048'576 - 26, 'x')}}), "");
  EXPECT_EQ(refusal({{kNow, std::string(1'048'576 - 25, 'x')}}),
            "Log event too large: 1048577 bytes exceeds limit of 1048576");
  const InputLogEvent large{kNow, std::string(200'000, 'x')};
  EXPECT_EQ(refusal({large, large, large, large, large}), "");
  EXPECT_NE(refusal({large, large, large, large, large, large}), "");
  EXPECT_NE(refusal({}), "");
  EXPECT_NE(refusal({{-1, "a"}}), "");
  EXPECT_NE(refusal({{kNow, ""}}), "");
  EXPECT_NE(refusal({{0, "a"}, {INT64_MAX, "b"}}), "");
}

TEST(LogsPut, WhatIsTooOldOrTooNewIsTold) {
  const auto accepted = accept({{kNow - 15 * 24 * kHour, "old"}, {kNow - 14 * 24 * kHour, "edge"}},
                               kNow, std::nullopt);
  ASSERT_TRUE(accepted.has_value());
  EXPECT_EQ(accepted->first, 1U);
  EXPECT_EQ(accepted->rejected->too_old_log_event_end_index, 1);
  const auto expired =
      accept({{kNow - 30 * kHour, "expired"}, {kNow - 20 * kHour, "kept"}}, kNow, 1);
  ASSERT_TRUE(expired.has_value());
  EXPECT_EQ(expired->first, 1U);
  EXPECT_EQ(expired->rejected->expired_log_event_end_index, 1);
  const auto early = accept({{kNow, "now"}, {kNow + 3 * kHour, "new"}}, kNow, std::nullopt);
  ASSERT_TRUE(early.has_value());
  EXPECT_EQ(early->last, 1U);
  EXPECT_EQ(early->rejected->too_new_log_event_start_index, 1);
}

TEST(LogsToken, ComesBackAsItWasGiven) {
  const ReadToken token{.forward = false, .position = {kNow, 7}};
  const std::string text = to_text(token);
  EXPECT_TRUE(text.starts_with("b/"));
  EXPECT_EQ(text.size(), 60U);
  const auto parsed = parse_read_token(text);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->position, token.position);
  EXPECT_FALSE(parsed->forward);
  for (std::string broken :
       {std::string(), std::string("x/1/s"), text.substr(0, 20), "f/" + std::string(56, 'x') + "/s",
        "f/" + std::string(56, '9') + "/s", text + "x"}) {
    EXPECT_FALSE(parse_read_token(broken).has_value()) << broken;
  }
}

TEST(LogsName, PatternsAndArnsAreChecked) {
  EXPECT_TRUE(check_group_name("/aws/lambda/f-1_x.y#z").has_value());
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a:b"),
                                  std::string("a\0b", 3), std::string(513, 'a')}) {
    EXPECT_FALSE(check_group_name(name).has_value());
  }
  EXPECT_EQ(check_group_name(std::string(513, 'a')).error().message,
            "Invalid LogGroup or LogStream, both must have length less than or equal to 512.");
  EXPECT_TRUE(check_stream_name("2023/04/29/[$LATEST]abc").has_value());
  EXPECT_FALSE(check_stream_name("a:b").has_value());
  EXPECT_FALSE(check_stream_name("a*b").has_value());
  EXPECT_EQ(group_of_arn("arn:aws:logs:us-east-1:000000000000:log-group:g:*").value(), "g");
  EXPECT_FALSE(group_of_arn("arn:aws:sqs:us-east-1:000000000000:q").has_value());
  EXPECT_FALSE(group_of({}, {}).has_value());
  EXPECT_FALSE(group_of("g", "g").has_value());
}

TEST(LogsText, WhatIsNoUtf8IsReplaced) {
  EXPECT_EQ(well_formed("plain \xC3\xA9 \xF0\x9F\x98\x80"), "plain \xC3\xA9 \xF0\x9F\x98\x80");
  EXPECT_EQ(well_formed("\xFF"), "\xEF\xBF\xBD");
  EXPECT_EQ(well_formed("a\xC3"), "a\xEF\xBF\xBD");
  EXPECT_EQ(well_formed("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(well_formed("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(LogsRetention, TakesAwssNumbersOfDaysOnly) {
  EXPECT_TRUE(check_retention(14).has_value());
  EXPECT_TRUE(check_retention(3653).has_value());
  EXPECT_FALSE(check_retention(2).has_value());
  EXPECT_FALSE(check_retention(0).has_value());
}

}  // namespace
}  // namespace terrarium::logs
