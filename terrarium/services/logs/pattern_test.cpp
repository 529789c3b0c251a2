#include "terrarium/services/logs/pattern.h"

#include <gtest/gtest.h>

#include "terrarium/services/logs/metric_filter.h"

namespace terrarium::logs {
namespace {

bool matches(std::string_view pattern, std::string_view message) {
  const auto parsed = Pattern::parse(pattern);
  EXPECT_TRUE(parsed.has_value()) << pattern;
  return parsed && parsed->matches(message);
}

std::string refusal(std::string_view pattern) {
  const auto parsed = Pattern::parse(pattern);
  return parsed ? "" : parsed.error().message;
}

TEST(LogsPattern, TermsPhrasesExclusionsAndAlternatives) {
  EXPECT_TRUE(matches("", "anything"));
  EXPECT_TRUE(matches(" ", "anything"));
  EXPECT_TRUE(matches("ERROR", "an ERROR here"));
  EXPECT_FALSE(matches("ERROR", "an error here"));
  EXPECT_TRUE(matches("ERROR here", "an ERROR here"));
  EXPECT_FALSE(matches("ERROR there", "an ERROR here"));
  EXPECT_TRUE(matches("\"an ERROR\"", "an ERROR here"));
  EXPECT_TRUE(matches("\"say \\\"hi\\\"\"", "I say \"hi\"."));
  EXPECT_FALSE(matches("\"ERROR an\"", "an ERROR here"));
  EXPECT_FALSE(matches("ERROR -here", "an ERROR here"));
  EXPECT_FALSE(matches("ERROR -\"R here\"", "an ERROR here"));
  EXPECT_TRUE(matches("?WARN ?ERROR", "an ERROR here"));
  EXPECT_FALSE(matches("?WARN ?DEBUG", "an ERROR here"));
  EXPECT_TRUE(matches("?WARN ERROR", "an ERROR here"));
}

TEST(LogsPattern, RegularExpressionsAreAwssSubset) {
  EXPECT_TRUE(matches("%AUTHORIZED|DENIED%", "UNAUTHORIZED"));
  EXPECT_TRUE(matches("%^[hc]at$%", "cat"));
  EXPECT_FALSE(matches("%^[hc]at$%", "a cat"));
  EXPECT_TRUE(matches("%10\\.10\\.0\\.\\d{1,2}%", "from 10.10.0.73 again"));
  EXPECT_TRUE(matches("%\\x41\\w+%", "xABC"));
  EXPECT_TRUE(matches("ERROR %code=4\\d\\d%", "ERROR code=404"));
  for (const char* refused : {"%something!%", "%(a)%", "%a", "%\\q%", "%[%", "%a{2000}%", "%%"}) {
    EXPECT_EQ(refusal(refused), "Invalid filter pattern") << refused;
  }
}

TEST(LogsPattern, MatchesInLinearTimeWhatWouldExplode) {
  const std::string message(100'000, 'a');
  EXPECT_FALSE(matches("%a*a*a*a*a*a*a*a*a*b%", message));
  EXPECT_FALSE(matches("{ $.x = a*a*a*a*a*a*a*a*b }", "{\"x\":\"" + message + "\"}"));
  EXPECT_FALSE(matches("\"" + std::string(500, 'a') + "b\"", message));
}

constexpr const char* kEvent =
    R"({"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","n":5,"rate":1.5e3,)"
    R"("arrayKey":["value","another"],"objectList":[{"name":"a","id":1},{"name":"b","id":2}],)"
    R"("none":null,"yes":true,"no":false,"cluster.name":"c","nested":{"deep":{"x":"y z"}}})";

TEST(LogsPattern, JsonSelectsAndCompares) {
  for (const char* pattern : {R"({ $.eventType = "UpdateTrail" })",
                              R"({$.eventType="UpdateTrail"})",
                              R"({ $.eventType = Update* })",
                              R"({ $.eventType = "*Trail" })",
                              R"({ $.eventType != "Delete" })",
                              R"({ $.eventType = %Trail% })",
                              R"({ $.sourceIPAddress != 123.123.* })",
                              R"({ $.sourceIPAddress = 111.111.* })",
                              R"({ $.arrayKey[0] = "value" })",
                              R"({ $.objectList[1].id = 2 })",
                              R"({ $.n > 4 })",
                              R"({ $.n >= 5 })",
                              R"({ $.n < 6.5 })",
                              R"({ $.n <= 5 })",
                              R"({ $.n != 6 })",
                              R"({ $.rate = 1500 })",
                              R"({ $.rate > 1e3 })",
                              R"({ $.n = * })",
                              R"({ $.n = "5" })",
                              R"({ $.none IS NULL })",
                              R"({ $.yes IS TRUE })",
                              R"({ $.no is false })",
                              R"({ $.missing NOT EXISTS })",
                              R"({ $.none EXISTS })",
                              R"({ $['cluster.name'] = "c" })",
                              R"({ $.['cluster.name'] = c })",
                              R"({ $.nested.deep.x = "y z" })"}) {
    EXPECT_TRUE(matches(pattern, kEvent)) << pattern;
  }
  for (const char* pattern :
       {R"({ $.eventType = "updatetrail" })", R"({ $.eventType = "Update" })", R"({ $.n > 5 })",
        R"({ $.missing = * })", R"({ $.missing != 1 })", R"({ $.arrayKey[2] = * })",
        R"({ $.none NOT EXISTS })", R"({ $.missing IS NULL })", R"({ $.eventType > 1 })",
        R"({ $.no IS TRUE })", R"({ $.nested = "y z" })"}) {
    EXPECT_FALSE(matches(pattern, kEvent)) << pattern;
  }
  EXPECT_FALSE(matches("{ $.a = * }", "no json"));
  EXPECT_FALSE(matches("{ $.a = * }", "{\"a\":"));
}

TEST(LogsPattern, JsonConditionsAreJoined) {
  EXPECT_TRUE(matches("{ $.n = 5 && $.yes IS TRUE }", kEvent));
  EXPECT_FALSE(matches("{ $.n = 5 && $.yes IS FALSE }", kEvent));
  EXPECT_TRUE(matches("{ ($.n = 4) || ($.yes IS TRUE) }", kEvent));
  // && binds closer.
  EXPECT_TRUE(matches("{ $.n = 5 || $.n = 6 && $.n = 7 }", kEvent));
  EXPECT_FALSE(matches("{ ($.n = 5 || $.n = 6) && $.n = 7 }", kEvent));
  for (const char* refused : {"{",
                              "{}",
                              "{ $.a }",
                              "{ $.a = }",
                              "{ a = 1 }",
                              "{ $.a = 1",
                              "{ $.a = 1 } x",
                              "{ $. = 1 }",
                              "{ $ = 1 }",
                              "{ $.a[x] = 1 }",
                              "{ $.a[0 = 1 }",
                              "{ $.a = \"x }",
                              "{ $.a == 1 }",
                              "{ $.a > x }",
                              "{ $.a > \"1\" }",
                              "{ ($.a = 1 }",
                              "{ $.a = 1 && }",
                              "{ $.a = 1 & $.b = 2 }",
                              "{ $.a = %a% && $.b = %b% && $.c = %c% }",
                              "{ $.a IS 1 }",
                              "{ $.a NOT }"}) {
    EXPECT_EQ(refusal(refused), "Invalid filter pattern") << refused;
  }
  std::string deep = "{ ";
  for (int i = 0; i < 400; ++i) deep += "(";
  EXPECT_EQ(refusal(deep), "Invalid filter pattern");
}

constexpr const char* kAccess =
    "127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534";

TEST(LogsPattern, FieldsStandBetweenSpaces) {
  for (const char* pattern :
       {"[ip, id, user, time, request, status, bytes]", "[..., bytes]", "[ip, ...]", "[...]", "[]",
        "[ip, ..., status=4*, bytes]", "[ip=%127\\.0\\.0\\.[1-9]%, ...]", "[..., bytes > 1000]",
        "[ip, id, user, time, request=*.html*, status=404 || status=500, bytes]",
        "[ip, id, user, time, request=\"GET *\", (status>=400 && status<500), bytes]",
        "[ip, id, user=frank, ...]", "[..., status != 200, bytes]"}) {
    EXPECT_TRUE(matches(pattern, kAccess)) << pattern;
  }
  for (const char* pattern :
       {"[ip, id, user]", "[a, b, c, d, e, f, g, h]", "[a, b, c, d, e, f, g, ..., h]",
        "[..., status=5*, bytes]", "[..., bytes < 1000]", "[ip > 5, ...]"}) {
    EXPECT_FALSE(matches(pattern, kAccess)) << pattern;
  }
  for (const char* refused : {"[", "[a", "[a,]", "[a b]", "[..., a, ...]", "[a, a]", "[a=]",
                              "[a=1 || b=2]", "[a] x", "[a > x]"}) {
    EXPECT_EQ(refusal(refused), "Invalid filter pattern") << refused;
  }
}

TEST(LogsPattern, ATermOfOtherCharactersIsNamed) {
  EXPECT_EQ(refusal("a-b"), "Invalid character(s) in term 'a-b'");
  for (const char* refused : {"\"open", "\"\"", "-", "? a"}) {
    EXPECT_EQ(refusal(refused), "Invalid filter pattern") << refused;
  }
}

TEST(LogsPattern, ValuesAreExtracted) {
  const auto values = [](std::string_view pattern, std::string_view message) {
    return Pattern::parse(pattern)->extract(message).value_or(Pattern::Values{{"no", "match"}});
  };
  EXPECT_EQ(values("ERROR", "ERROR"), Pattern::Values());
  EXPECT_EQ(values("{ $.n > 1 && $.eventType = * }", kEvent),
            (Pattern::Values{{"$.n", "5"}, {"$.eventType", "UpdateTrail"}}));
  const auto named = values("[..., status_code, size]", kAccess);
  EXPECT_EQ(named.at("$status_code"), "404");
  EXPECT_EQ(named.at("$size"), "1534");
  EXPECT_EQ(named.at("$1"), "127.0.0.1");
  EXPECT_EQ(named.at("$4"), "10/Oct/2000:13:25:15 -0700");
  EXPECT_EQ(named.at("$5"), "GET /index.html HTTP/1.0");
}

TEST(LogsMetricFilter, GivesTheValuesThatAnEventHolds) {
  MetricFilterRecord record{.pattern = "{ $.latency = * }"};
  record.transformations.push_back({.metric_name = "Latency",
                                    .metric_namespace = "App",
                                    .metric_value = "$.latency",
                                    .dimensions = {{"Page", "$.page"}}});
  const auto filter = CompiledMetricFilter::compile(record);
  ASSERT_TRUE(filter.has_value());
  const auto values = filter->values(R"({"latency":12.5,"page":"/a"})");
  ASSERT_EQ(values.size(), 1U);
  EXPECT_EQ(values[0].value, 12.5);
  EXPECT_EQ(values[0].dimensions.at("Page"), "/a");
  EXPECT_TRUE(filter->values(R"({"latency":12.5})").empty()) << "a dimension is missing";
  EXPECT_TRUE(filter->values(R"({"latency":"slow","page":"/a"})").empty());
  EXPECT_TRUE(filter->values("no json").empty());

  MetricFilterRecord count{.pattern = "ERROR"};
  count.transformations.push_back({.metric_name = "Errors",
                                   .metric_namespace = "App",
                                   .metric_value = "1",
                                   .default_value = 0});
  const auto counter = CompiledMetricFilter::compile(count);
  EXPECT_EQ(counter->values("an ERROR").at(0).value, 1);
  EXPECT_TRUE(counter->values("fine").empty());
  EXPECT_EQ(counter->default_values().at(0).value, 0);

  MetricFilterRecord field{.pattern = "[ip, size]"};
  field.transformations.push_back({.metric_name = "Size", .metric_value = "$bytes"});
  EXPECT_FALSE(CompiledMetricFilter::compile(field).has_value()) << "no field has that name";
}

}  // namespace
}  // namespace terrarium::logs
