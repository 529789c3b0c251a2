#include "terrarium/services/s3/conditions.h"

#include <gtest/gtest.h>

#include "generated/s3/errors.h"

namespace terrarium::s3 {
namespace {

using namespace std::chrono_literals;

const base::Timestamp kModified{1'700'000'000s};

ObjectRecord object() {
  ObjectRecord record;
  record.etag = "abc";
  record.last_modified = kModified;
  return record;
}

std::string code(const base::Result<void>& result) {
  return result.has_value() ? "ok" : std::string(result.error().row->code);
}

TEST(S3Conditions, ReadsFollowTheMatrixOfTheStandard) {
  struct Case {
    ReadConditions conditions;
    std::string_view outcome;
  };
  const base::Timestamp before = kModified - 1s;
  const base::Timestamp after = kModified + 1s;
  const Case cases[] = {
      {{}, "ok"},
      {{.if_match = "\"abc\""}, "ok"},
      {{.if_match = "abc"}, "ok"},
      {{.if_match = "*"}, "ok"},
      {{.if_match = "\"x\", \"abc\""}, "ok"},
      {{.if_match = "\"x\""}, "PreconditionFailed"},
      {{.if_none_match = "\"abc\""}, "NotModified"},
      {{.if_none_match = "W/\"abc\""}, "NotModified"},
      {{.if_none_match = "*"}, "NotModified"},
      {{.if_none_match = "\"x\""}, "ok"},
      {{.if_modified_since = before}, "ok"},
      {{.if_modified_since = kModified}, "NotModified"},
      {{.if_modified_since = after}, "NotModified"},
      {{.if_unmodified_since = before}, "PreconditionFailed"},
      {{.if_unmodified_since = kModified}, "ok"},
      {{.if_match = "\"abc\"", .if_unmodified_since = before}, "ok"},
      {{.if_match = "\"x\"", .if_unmodified_since = after}, "PreconditionFailed"},
      {{.if_none_match = "\"abc\"", .if_modified_since = before}, "NotModified"},
      {{.if_none_match = "\"x\"", .if_modified_since = after}, "ok"},
      {{.if_match = "\"x\"", .if_none_match = "\"abc\""}, "PreconditionFailed"},
  };
  int number = 0;
  for (const Case& each : cases) {
    ReadConditions conditions = each.conditions;
    conditions.now = base::Timestamp::max();
    EXPECT_EQ(code(check_read(conditions, object())), each.outcome) << "case " << number;
    ++number;
  }
}

TEST(S3Conditions, NotModifiedCarriesTheHeadersOfThe304) {
  const auto result = check_read({.if_none_match = "*"}, object());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().fields[0],
            (std::pair<std::string, std::string>("header:ETag", "\"abc\"")));
  EXPECT_EQ(result.error().fields[1].second, "Tue, 14 Nov 2023 22:13:20 GMT");
}

TEST(S3Conditions, CopySourcesFailWith412Only) {
  EXPECT_EQ(code(check_copy_source({.if_none_match = "abc"}, object())), "PreconditionFailed");
  EXPECT_EQ(code(check_copy_source({.if_match = "x"}, object())), "PreconditionFailed");
  EXPECT_EQ(code(check_copy_source({.if_match = "abc"}, object())), "ok");
}

TEST(S3Conditions, WritesDependOnWhatIsThere) {
  const ObjectRecord there = object();
  EXPECT_EQ(code(check_write({}, nullptr, "k")), "ok");
  EXPECT_EQ(code(check_write({{}, "*"}, nullptr, "k")), "ok");
  EXPECT_EQ(code(check_write({{}, "*"}, &there, "k")), "PreconditionFailed");
  EXPECT_EQ(code(check_write({{}, "\"abc\""}, &there, "k")), "NotImplemented");
  EXPECT_EQ(code(check_write({"\"abc\"", {}}, &there, "k")), "ok");
  EXPECT_EQ(code(check_write({"\"x\"", {}}, &there, "k")), "PreconditionFailed");
  EXPECT_EQ(code(check_write({"\"abc\"", {}}, nullptr, "k")), "NoSuchKey");
  EXPECT_EQ(code(check_write({"*", {}}, &there, "k")), "NotImplemented");
  EXPECT_EQ(code(check_write({"\"abc\"", "*"}, nullptr, "k")), "NotImplemented");
  EXPECT_EQ(code(check_delete("*", &there, "k")), "ok");
  EXPECT_EQ(code(check_delete("\"x\"", &there, "k")), "PreconditionFailed");
  EXPECT_EQ(code(check_delete("*", nullptr, "k")), "NoSuchKey");
}

TEST(S3Conditions, AnUploadConflictsWithWhatCameSinceItBegan) {
  ObjectRecord there = object();
  there.sequence = 5;
  const WriteConditions absent{{}, "*"};
  const WriteConditions same{"\"abc\"", {}};
  EXPECT_EQ(code(check_completion(absent, nullptr, "k", {4, false})), "ok");
  EXPECT_EQ(code(check_completion(absent, nullptr, "k", {4, true})), "ConditionalRequestConflict");
  EXPECT_EQ(code(check_completion(absent, &there, "k", {4, true})), "PreconditionFailed");
  EXPECT_EQ(code(check_completion(same, &there, "k", {6, true})), "ok");
  EXPECT_EQ(code(check_completion(same, &there, "k", {4, true})), "ConditionalRequestConflict");
}

TEST(S3Conditions, ATimeToComeIsNoCondition) {
  ReadConditions conditions;
  conditions.now = object().last_modified + std::chrono::hours(1);
  conditions.if_modified_since = conditions.now;
  EXPECT_EQ(code(check_read(conditions, object())), "NotModified");
  conditions.if_modified_since = conditions.now + std::chrono::hours(1);
  EXPECT_EQ(code(check_read(conditions, object())), "ok");
}

TEST(S3Range, FollowsTheMatrixOfTheStandard) {
  struct Case {
    std::string_view header;
    std::uint64_t bytes;
    std::string_view outcome;  // Content-Range, "whole" or "416"
  };
  const Case cases[] = {
      {"bytes=0-0", 10, "bytes 0-0/10"},
      {"bytes=0-9", 10, "bytes 0-9/10"},
      {"bytes=3-5", 10, "bytes 3-5/10"},
      {"bytes=0-100", 10, "bytes 0-9/10"},
      {"bytes=9-", 10, "bytes 9-9/10"},
      {"bytes=10-", 10, "416"},
      {"bytes=-3", 10, "bytes 7-9/10"},
      {"bytes=-100", 10, "bytes 0-9/10"},
      {"bytes=-0", 10, "416"},
      {"bytes=0-", 0, "416"},
      {"bytes=-1", 0, "416"},
      {"bytes=5-3", 10, "whole"},
      {"bytes=", 10, "whole"},
      {"bytes=-", 10, "whole"},
      {"bytes=a-b", 10, "whole"},
      {"bytes=1-2,4-5", 10, "whole"},
      {"octets=1-2", 10, "whole"},
      {"bytes=1", 10, "whole"},
      {"bytes=18446744073709551615-", 10, "416"},
      {"bytes=18446744073709551616-", 10, "whole"},
      {"bytes=0-18446744073709551615", 10, "bytes 0-9/10"},
      {"bytes=-18446744073709551615", 10, "bytes 0-9/10"},
  };
  for (const Case& each : cases) {
    const auto range = parse_range(each.header, each.bytes);
    const std::string outcome = !range.has_value() ? "416"
                                : !*range          ? "whole"
                                                   : content_range(**range, each.bytes);
    EXPECT_EQ(outcome, each.outcome) << each.header;
  }
}

TEST(S3Range, CopyRangesMustLieInTheSource) {
  EXPECT_EQ(parse_copy_range("bytes=2-5", 6)->bytes, 4U);
  EXPECT_EQ(parse_copy_range("bytes=2-6", 6).error().row->code, "InvalidArgument");
  EXPECT_EQ(parse_copy_range("bytes=6-7", 6).error().row->code, "InvalidRequest");
  EXPECT_FALSE(parse_copy_range("bytes=2-", 6).has_value());
  EXPECT_FALSE(parse_copy_range("bytes=-2", 6).has_value());
  EXPECT_FALSE(parse_copy_range("2-5", 6).has_value());
}

}  // namespace
}  // namespace terrarium::s3
