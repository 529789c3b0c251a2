#include "messageboard/api/json_reader.h"

#include <gtest/gtest.h>

#include <cmath>

#include "messageboard/api/json_writer.h"
#include "messageboard/api/python_text.h"
#include "messageboard/api/types.h"
#include "messageboard/api/validation.h"

namespace messageboard {
namespace {

struct WrongText {
  std::string text;
  std::string message;  // as json.JSONDecodeError prints it
};

TEST(JsonReader, MistakesAreNamedAndPlacedAsPythonDoes) {
  const std::vector<WrongText> expected = {
      {"", "Expecting value: line 1 column 1 (char 0)"},
      {"   ", "Expecting value: line 1 column 4 (char 3)"},
      {"{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"},
      {"{\"a\"", "Expecting ':' delimiter: line 1 column 5 (char 4)"},
      {"{\"a\":", "Expecting value: line 1 column 6 (char 5)"},
      {"{\"a\":1", "Expecting ',' delimiter: line 1 column 7 (char 6)"},
      {"{\"a\":1,}", "Expecting property name enclosed in double quotes: line 1 column 8 (char 7)"},
      {"{'a':1}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"},
      {"[1,]", "Expecting value: line 1 column 4 (char 3)"},
      {"[1", "Expecting ',' delimiter: line 1 column 3 (char 2)"},
      {"[", "Expecting value: line 1 column 2 (char 1)"},
      {"nul", "Expecting value: line 1 column 1 (char 0)"},
      {"-", "Expecting value: line 1 column 1 (char 0)"},
      {"01", "Extra data: line 1 column 2 (char 1)"},
      {"1.", "Extra data: line 1 column 2 (char 1)"},
      {"1e+", "Extra data: line 1 column 2 (char 1)"},
      {"\"abc", "Unterminated string starting at: line 1 column 1 (char 0)"},
      {"\"a\nb\"", "Invalid control character at: line 1 column 3 (char 2)"},
      {"\"\\x\"", "Invalid \\escape: line 1 column 2 (char 1)"},
      {"\"\\u12\"", "Invalid \\uXXXX escape: line 1 column 3 (char 2)"},
      {"\"\\u1234", "Invalid \\uXXXX escape: line 1 column 3 (char 2)"},
      {"\"\\u123\u20ac\"", "Invalid \\uXXXX escape: line 1 column 3 (char 2)"},
      {"\"\\", "Unterminated string starting at: line 1 column 1 (char 0)"},
      {"{\"a\":1}\n\n  }", "Extra data: line 3 column 3 (char 11)"},
      {"\u00e9\u20ac\U0001F600{", "Expecting value: line 1 column 1 (char 0)"},
      {"[\"\u20ac\U0001F600\" 1]", "Expecting ',' delimiter: line 1 column 7 (char 6)"},
      {"\n\n{\"a\":\n  b}", "Expecting value: line 4 column 3 (char 10)"},
  };
  for (const auto& [text, message] : expected) {
    const auto json = read_json(text);
    ASSERT_FALSE(json) << text;
    const auto* error = std::get_if<JsonDecodeError>(&json.error());
    ASSERT_NE(error, nullptr) << text;
    EXPECT_EQ(error->text(), message) << text;
    EXPECT_EQ(error->document, text);
  }
}

TEST(JsonReader, WhatIsNoTextAtAllIsToldApart) {
  const std::vector<std::string> texts = {"\xff", "{\"a\":\"\xc3\"}", std::string(1000, '['),
                                          "[" + std::string(4301, '1') + "]"};
  for (const std::string& text : texts) {
    const auto json = read_json(text);
    ASSERT_FALSE(json);
    EXPECT_TRUE(std::holds_alternative<JsonNotText>(json.error()));
  }
  EXPECT_TRUE(read_json(std::string(800, '[') + std::string(800, ']')));
}

TEST(JsonReader, ValuesKeepWhatPythonKeeps) {
  const auto json = read_json(
      "\xef\xbb\xbf{\"a\":1,\"a\":-0,\"f\":1.50,\"n\":null,\"t\":true,\"s\":"
      "\"\\ud83d\\ude00\\u0000\","
      "\"l\":[1,2],\"big\":123456789012345678901234567890,\"i\":-Infinity}");
  ASSERT_TRUE(json);
  EXPECT_EQ(json->member(U"a")->text, U"0");
  EXPECT_EQ(json->member(U"f")->number, 1.5);
  EXPECT_EQ(json->member(U"n")->kind, Json::Kind::Null);
  EXPECT_TRUE(json->member(U"t")->truth);
  EXPECT_EQ(json->member(U"s")->text, std::u32string(U"\U0001F600\0", 2));
  EXPECT_EQ(json->member(U"l")->items.size(), 2u);
  EXPECT_EQ(json->member(U"big")->text, U"123456789012345678901234567890");
  EXPECT_TRUE(std::isinf(json->member(U"i")->number));
  EXPECT_EQ(json->member(U"missing"), nullptr);
}

std::string coerced(const std::string& text) {
  const auto json = read_json(text);
  if (!json) return "not JSON";
  auto value = coerce_string(*json, {"body", "author"});
  if (const auto* problem = std::get_if<Problem>(&value)) return problem->type;
  return std::get<std::string>(value);
}

TEST(StringCoercion, IsPydantics) {
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"\"text\"", "text"},
      {"\"\"", ""},
      {"1", "1"},
      {"-0", "0"},
      {"1.50", "1.5"},
      {"-0.0", "-0.0"},
      {"1e16", "1e+16"},
      {"1E400", "inf"},
      {"NaN", "nan"},
      {"-Infinity", "-inf"},
      {"123456789012345678901234567890", "123456789012345678901234567890"},
      {"true", "True"},
      {"false", "False"},
      {"null", "type_error.none.not_allowed"},
      {"[]", "type_error.str"},
      {"{}", "type_error.str"},
      {"\"a\\u0000b\"", "value_error"},
      {"\"\\ud800\"", "value_error"},
      {"\"\\ud83d\\ude00\"", "\U0001F600"},
  };
  for (const auto& [text, value] : expected) EXPECT_EQ(coerced(text), value) << text;
}

std::optional<std::size_t> members_as_object(const std::string& text) {
  const auto object = as_object(*read_json(text));
  if (!object) return std::nullopt;
  return object->names.size();
}

TEST(ObjectCoercion, TakesWhatDictTakes) {
  EXPECT_EQ(members_as_object("{\"a\":1}"), 1u);
  EXPECT_EQ(members_as_object("[]"), 0u);
  EXPECT_EQ(members_as_object("\"\""), 0u);
  EXPECT_EQ(members_as_object("[[\"author\",1],[\"body\",2]]"), 2u);
  EXPECT_EQ(members_as_object("[\"ab\"]"), 1u);
  EXPECT_EQ(members_as_object("\"ab\""), std::nullopt);
  EXPECT_EQ(members_as_object("[[1]]"), std::nullopt);
  EXPECT_EQ(members_as_object("5"), std::nullopt);
  EXPECT_EQ(members_as_object("true"), std::nullopt);
}

TEST(JsonWriter, EscapesAsPythonWithoutAsciiDoes) {
  EXPECT_EQ(to_json(Message{
                .author = "\"\\/\b\f\n\r\t\x01\x1f\x7f", .body = "\u00e9\U0001F600", .id = -7}),
            "{\"author\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\","
            "\"body\":\"\u00e9\U0001F600\",\"id\":-7}");
  EXPECT_EQ(to_json(LoadBalancerTestResponse{.trace_id = std::nullopt, .instance_id = "i"}),
            R"({"trace_id":null,"instance_id":"i"})");
  EXPECT_EQ(to_json(std::vector<HealthCheckResponse>(2)),
            R"([{"is_healthy":true},{"is_healthy":true}])");
  EXPECT_EQ(to_json(Image{.status = ImageStatus::failed}),
            R"({"filename":"","raw_img_src":"","processed_img_src":"","id":0,"status":"failed"})");
}

}  // namespace
}  // namespace messageboard
