#include "terrarium/services/lambda/event_pattern.h"

#include <gtest/gtest.h>

#include "terrarium/services/lambda/batch.h"

namespace terrarium::lambda {
namespace {

bool matches(std::string_view pattern, std::string_view event) {
  const auto parsed = EventPattern::parse(pattern);
  if (!parsed) {
    ADD_FAILURE() << pattern << ": " << parsed.error().message;
    return false;
  }
  return parsed->matches(boost::json::parse(std::string(event)));
}

TEST(LambdaEventPattern, EachFieldNeedsOneOfItsRules) {
  const std::string_view pattern = R"({"a":["x","y"],"b":[1]})";
  EXPECT_TRUE(matches(pattern, R"({"a":"y","b":1,"c":0})"));
  EXPECT_FALSE(matches(pattern, R"({"a":"z","b":1})"));
  EXPECT_FALSE(matches(pattern, R"({"a":"x"})"));
  EXPECT_TRUE(matches(R"({"a":{"b":{"c":[true]}}})", R"({"a":{"b":{"c":true}}})"));
  EXPECT_FALSE(matches(R"({"a":{"b":["x"]}})", R"({"a":"x"})"));
}

TEST(LambdaEventPattern, ValuesMatchByTheirType) {
  EXPECT_TRUE(matches(R"({"a":[100]})", R"({"a":100.0})"));
  EXPECT_FALSE(matches(R"({"a":[100]})", R"({"a":"100"})"));
  EXPECT_TRUE(matches(R"({"a":[null]})", R"({"a":null})"));
  EXPECT_FALSE(matches(R"({"a":[null]})", R"({})"));
  EXPECT_TRUE(matches(R"({"a":[""]})", R"({"a":""})"));
  EXPECT_FALSE(matches(R"({"a":["x"]})", R"({"a":"X"})"));
}

TEST(LambdaEventPattern, OperatorsDoWhatTheyAreCalled) {
  EXPECT_TRUE(matches(R"({"a":[{"prefix":"us-"}]})", R"({"a":"us-1"})"));
  EXPECT_FALSE(matches(R"({"a":[{"prefix":"us-"}]})", R"({"a":"eu-1"})"));
  EXPECT_TRUE(matches(R"({"a":[{"suffix":".png"}]})", R"({"a":"x.png"})"));
  EXPECT_FALSE(matches(R"({"a":[{"suffix":".png"}]})", R"({"a":"x.jpg"})"));
  EXPECT_TRUE(matches(R"({"a":[{"equals-ignore-case":"Alice"}]})", R"({"a":"aLICE"})"));
  const std::string_view range = R"({"a":[{"numeric":[">=",100,"<",200]}]})";
  EXPECT_TRUE(matches(range, R"({"a":100})"));
  EXPECT_FALSE(matches(range, R"({"a":200})"));
  EXPECT_FALSE(matches(range, R"({"a":"150"})"));
  EXPECT_TRUE(matches(R"({"a":[{"numeric":["=",-5]}]})", R"({"a":-5.0})"));
}

TEST(LambdaEventPattern, AnythingButNeedsTheField) {
  EXPECT_TRUE(matches(R"({"a":[{"anything-but":["x","y"]}]})", R"({"a":"z"})"));
  EXPECT_FALSE(matches(R"({"a":[{"anything-but":["x","y"]}]})", R"({"a":"y"})"));
  EXPECT_FALSE(matches(R"({"a":[{"anything-but":"x"}]})", R"({})"));
  EXPECT_FALSE(matches(R"({"a":[{"anything-but":{"prefix":"in"}}]})", R"({"a":"init"})"));
  EXPECT_TRUE(matches(R"({"a":[{"anything-but":{"prefix":"in"}}]})", R"({"a":"stop"})"));
  EXPECT_FALSE(matches(R"({"a":[{"anything-but":[1,2]}]})", R"({"a":2})"));
}

TEST(LambdaEventPattern, ExistsSpeaksOfLeaves) {
  EXPECT_TRUE(matches(R"({"a":[{"exists":true}]})", R"({"a":null})"));
  EXPECT_FALSE(matches(R"({"a":[{"exists":true}]})", R"({"b":1})"));
  EXPECT_FALSE(matches(R"({"a":[{"exists":true}]})", R"({"a":{"b":1}})"));
  EXPECT_TRUE(matches(R"({"a":[{"exists":false}]})", R"({"b":1})"));
  EXPECT_FALSE(matches(R"({"a":[{"exists":false}]})", R"({"a":1})"));
  EXPECT_TRUE(matches(R"({"a":{"b":[{"exists":false}]}})", R"({})"));
}

TEST(LambdaEventPattern, ListsMatchByAnyElementAndAlternativesByAny) {
  EXPECT_TRUE(matches(R"({"a":["x"]})", R"({"a":["w","x"]})"));
  EXPECT_FALSE(matches(R"({"a":["x"]})", R"({"a":[]})"));
  EXPECT_TRUE(matches(R"({"a":{"b":[2]}})", R"({"a":[{"b":1},{"b":2}]})"));
  const std::string_view either = R"({"c":[1],"$or":[{"a":["x"]},{"b":[{"numeric":[">",5]}]}]})";
  EXPECT_TRUE(matches(either, R"({"a":"y","b":6,"c":1})"));
  EXPECT_FALSE(matches(either, R"({"a":"y","b":5,"c":1})"));
  EXPECT_FALSE(matches(either, R"({"a":"x","c":2})"));
}

TEST(LambdaEventPattern, WhatIsNoPatternIsRefused) {
  for (const char* wrong : {"",
                            "null",
                            "simple string",
                            "[]",
                            "{}",
                            R"({"a":"x"})",
                            R"({"a":[]})",
                            R"({"a":{}})",
                            R"({"a":1})",
                            R"({"a":[["x"]]})",
                            R"({"a":[{"prefix":1}]})",
                            R"({"a":[{"exists":"yes"}]})",
                            R"({"a":[{"numeric":[">"]}]})",
                            R"({"a":[{"numeric":["~",1]}]})",
                            R"({"a":[{"numeric":[">",2,"<",1]}]})",
                            R"({"a":[{"numeric":[">",1,">",2]}]})",
                            R"({"a":[{"anything-but":[]}]})",
                            R"({"a":[{"anything-but":["x",1]}]})",
                            R"({"a":[{"wildcard":"x*"}]})",
                            R"({"a":[{"prefix":"x","suffix":"y"}]})",
                            R"({"$or":[{"a":[1]}]})",
                            R"({"$or":{"a":[1]}})"}) {
    EXPECT_FALSE(EventPattern::parse(wrong).has_value()) << wrong;
  }
}

TEST(LambdaFilters, ABodyIsADocumentOrAString) {
  const auto passing = [](std::string_view pattern, std::string body) {
    const auto filter = EventPattern::parse(pattern);
    EXPECT_TRUE(filter.has_value());
    const sqs::ReceivedMessage message{.message_id = "m", .body = std::move(body)};
    return passes({*filter}, message, "arn:aws:sqs:us-east-1:000000000000:q", "us-east-1");
  };
  const std::string_view document = R"({"body":{"k":["v"]}})";
  const std::string_view text = R"({"body":[{"prefix":"Result: "}]})";
  EXPECT_TRUE(passing(document, R"({"k":"v"})"));
  EXPECT_FALSE(passing(document, R"({"k":"w"})"));
  EXPECT_FALSE(passing(document, "plain"));
  EXPECT_TRUE(passing(text, "Result: fine"));
  EXPECT_FALSE(passing(text, R"({"k":"v"})"));
  EXPECT_TRUE(passing(R"({"eventSource":["aws:sqs"]})", "plain"));
  EXPECT_TRUE(passing(R"({"eventSource":["aws:sqs"]})", "{}"));
}

}  // namespace
}  // namespace terrarium::lambda
