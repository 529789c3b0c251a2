#include "messageboard/api/python_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace messageboard {
namespace {

TEST(PythonText, FloatsArePrintedAsReprDoes) {
  const std::vector<std::pair<double, std::string>> expected = {
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {1.5, "1.5"},
      {100.0, "100.0"},
      {1e15, "1000000000000000.0"},
      {9999999999999998.0, "9999999999999998.0"},
      {1e16, "1e+16"},
      {1.5e16, "1.5e+16"},
      {1e22, "1e+22"},
      {1e100, "1e+100"},
      {0.0001, "0.0001"},
      {0.00012345, "0.00012345"},
      {1e-5, "1e-05"},
      {1.25e-7, "1.25e-07"},
      {5e-324, "5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {0.1 + 0.2, "0.30000000000000004"},
      {123456789.125, "123456789.125"},
      {-2.5e-10, "-2.5e-10"},
      {std::numeric_limits<double>::infinity(), "inf"},
      {-std::numeric_limits<double>::infinity(), "-inf"},
      {std::nan(""), "nan"},
  };
  for (const auto& [value, text] : expected) EXPECT_EQ(python_float(value), text);
}

TEST(PythonText, IntegersAreReadAsIntDoes) {
  const std::vector<std::pair<std::string, std::int64_t>> expected = {
      {"0", 0},
      {"7", 7},
      {"007", 7},
      {"+1", 1},
      {"-1", -1},
      {" 1", 1},
      {"1\t\n", 1},
      {"1_0", 10},
      {"1_000_000", 1000000},
      {"-0", 0},
      {"\u00a0"
       "5\u3000",
       5},
      {"\u0661", 1},
      {"\uff12\u0663", 23},
      {"\U0001D7CE", 0},
      {"9223372036854775807", INT64_MAX},
      {"9223372036854775808", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"-9223372036854775809", INT64_MIN},
      {"99999999999999999999999999", INT64_MAX},
  };
  for (const auto& [text, value] : expected) EXPECT_EQ(python_int(text), value) << text;
}

TEST(PythonText, WhatIntRefusesIsRefused) {
  const std::vector<std::string> refused = {
      "",
      " ",
      "a",
      "1.0",
      "1e3",
      "0x1",
      "_1",
      "1_",
      "1__0",
      "+",
      "--1",
      "+-1",
      "1 2",
      "\xff",
      "\u2171",
      "\u00b2",
      "\x1f"
      "1",
      "1\u200b",
      "- 1",
  };
  for (const std::string& text : refused) EXPECT_EQ(python_int(text), std::nullopt) << text;
  EXPECT_EQ(python_int(std::string("1\0", 2)), std::nullopt);
  EXPECT_TRUE(python_int(std::string(4300, '1')).has_value());
  EXPECT_EQ(python_int(std::string(4301, '1')), std::nullopt);
}

TEST(PythonText, IllFormedUtf8IsRefused) {
  const std::vector<std::string> refused = {
      "\x80",
      "\xc0\x80",
      "\xc1\xbf",
      "\xc3",
      "\xe0\x80\x80",
      "\xe2\x82",
      "\xed\xa0\x80",
      "\xf0\x80\x80\x80",
      "\xf4\x90\x80\x80",
      "\xf5\x80\x80\x80",
      "\xff",
      "a\xe2\x28\xa1",
  };
  for (const std::string& text : refused) EXPECT_EQ(decode_utf8(text), std::nullopt);
  EXPECT_EQ(decode_utf8("a\u00e9\u20ac\U0001F600"), U"a\u00e9\u20ac\U0001F600");
  EXPECT_EQ(encode_utf8(U"a\u00e9\u20ac\U0010FFFF"), "a\u00e9\u20ac\U0010FFFF");
}

TEST(PythonText, RepairReplacesWhatPythonReplaces) {
  const std::string mark = "\uFFFD";
  EXPECT_EQ(repair_utf8("a\xff"
                        "b"),
            "a" + mark + "b");
  EXPECT_EQ(repair_utf8("\xe2\x82"), mark);
  EXPECT_EQ(repair_utf8("\xe2\x82z"), mark + "z");
  EXPECT_EQ(repair_utf8("\xf0\x9f\x98"), mark);
  EXPECT_EQ(repair_utf8("\xed\xa0\x80"), mark + mark + mark);
  EXPECT_EQ(repair_utf8("\xc0\x80"), mark + mark);
}

}  // namespace
}  // namespace messageboard
