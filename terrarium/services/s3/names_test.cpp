#include "terrarium/services/s3/names.h"

#include <gtest/gtest.h>

#include "terrarium/services/s3/testing_region.h"

namespace terrarium::s3 {
namespace {

TEST(S3BucketName, KeepsTheNamingRules) {
  for (const std::string_view good :
       {"abc", "a-b", "a.b.c", "0ab", "my-bucket.2023", "1.2.3", "1.2.3.4.5", "a--b"}) {
    EXPECT_TRUE(is_bucket_name(good)) << good;
  }
  EXPECT_TRUE(is_bucket_name(std::string(63, 'a')));
  EXPECT_FALSE(is_bucket_name(std::string(64, 'a')));
  for (const std::string_view bad : {"",
                                     "ab",
                                     "Abc",
                                     "a_b",
                                     "-ab",
                                     "ab-",
                                     ".ab",
                                     "ab.",
                                     "a..b",
                                     "a.-b",
                                     "a-.b",
                                     "192.168.1.1",
                                     "xn--a",
                                     "sthree-a",
                                     "a-s3alias",
                                     "a--ol-s3",
                                     "a.mrap",
                                     "a--x-s3",
                                     "a b",
                                     "a/b",
                                     "..",
                                     "\xc3\xa4"
                                     "bc"}) {
    EXPECT_FALSE(is_bucket_name(bad)) << bad;
  }
}

TEST(S3Key, IsAnyUtf8UpTo1024Bytes) {
  for (const std::string& good :
       {std::string("a"), std::string("../../etc/passwd"), std::string("\xe2\x82\xac"),
        std::string(1024, 'k'), std::string("a\0b", 3), std::string("//"), std::string(".")}) {
    EXPECT_TRUE(check_key(good).has_value());
  }
  EXPECT_EQ(check_key(std::string(1025, 'k')).error().row->code, "KeyTooLongError");
  EXPECT_EQ(check_key("").error().row->code, "InvalidURI");
  EXPECT_EQ(check_key("\xff").error().row->code, "InvalidURI");
  EXPECT_EQ(check_key("\xed\xa0\x80").error().row->code, "InvalidURI");
}

TEST(S3Key, IsEncodedAsJavaEncodesIt) {
  EXPECT_EQ(encode_key("a b/c+d"), "a+b/c%2Bd");
  EXPECT_EQ(encode_key("-_.*~!"), "-_.*%7E%21");
  EXPECT_EQ(encode_key("\xc3\xa4"), "%C3%A4");
}

TEST(S3Tagging, HeadersAreQueryStrings) {
  EXPECT_EQ(*parse_tagging_header(""), Tags());
  EXPECT_EQ(*parse_tagging_header("a=1&b=&c&d%20e=f+g"),
            (Tags{{"a", "1"}, {"b", ""}, {"c", ""}, {"d e", "f g"}}));
  EXPECT_FALSE(parse_tagging_header("a=1&a=2").has_value());
  EXPECT_FALSE(parse_tagging_header("a=%zz").has_value());
  EXPECT_FALSE(parse_tagging_header("=x").has_value());
  EXPECT_FALSE(parse_tagging_header("aws:x=1").has_value());
  std::string eleven;
  for (int i = 0; i < 11; ++i) eleven += "k" + std::to_string(i) + "=v&";
  EXPECT_EQ(parse_tagging_header(eleven).error().row->code, "BadRequest");
}

TEST(S3Tagging, CountsCharactersNotBytes) {
  std::string euros;
  for (int i = 0; i < 128; ++i) euros += "\xe2\x82\xac";
  EXPECT_TRUE(check_tags({{euros, ""}}, TagsOf::Object).has_value());
  EXPECT_FALSE(check_tags({{euros + "x", ""}}, TagsOf::Object).has_value());
  EXPECT_FALSE(check_tags({{"k", std::string(257, 'v')}}, TagsOf::Object).has_value());
  EXPECT_FALSE(check_tags({{"k", "1"}, {"k", "2"}}, TagsOf::Object).has_value());
}

TEST(S3Tagging, SaysWhichTagIsWrong) {
  const auto refused = [](std::vector<Tag> tags, TagsOf of) {
    return check_tags(tags, of).error();
  };
  EXPECT_EQ(refused({{"a,b", ""}}, TagsOf::Object).message,
            "The TagKey you have provided is invalid");
  const base::Error value = refused({{"a", "b,c"}}, TagsOf::Bucket);
  EXPECT_EQ(value.message, "The TagValue you have provided is invalid");
  EXPECT_EQ(field_of(value, "TagKey"), "a");
  EXPECT_EQ(field_of(value, "TagValue"), "b,c");
  EXPECT_EQ(refused({{"aws:a", ""}}, TagsOf::Bucket).message,
            "System tags cannot be added/updated by requester");
  EXPECT_EQ(refused({{"aws:a", ""}}, TagsOf::Object).message,
            "Your TagKey cannot be prefixed with aws:");
  EXPECT_EQ(refused({{"a", "1"}, {"a", "2"}}, TagsOf::Object).message,
            "Cannot provide multiple Tags with the same key");
  EXPECT_EQ(refused(std::vector<Tag>(51), TagsOf::Bucket).row->code, "BadRequest");
  EXPECT_TRUE(check_tags({{"k _.:/=+-@\xc3\xa4", ""}}, TagsOf::Object).has_value());
}

TEST(S3CopySource, IsAnEncodedPath) {
  EXPECT_EQ(parse_copy_source("bucket/a%20b/c")->key, "a b/c");
  EXPECT_EQ(parse_copy_source("/bucket/k")->bucket, "bucket");
  EXPECT_EQ(parse_copy_source("bucket/k?versionId=null")->key, "k");
  EXPECT_EQ(parse_copy_source("bucket/k%3FversionId=null")->key, "k?versionId=null");
  EXPECT_EQ(parse_copy_source("bucket/k?versionId=abc")->version_id, "abc");
  EXPECT_FALSE(parse_copy_source("bucket/k")->version_id.has_value());
  EXPECT_FALSE(parse_copy_source("bucket").has_value());
  EXPECT_FALSE(parse_copy_source("bucket/").has_value());
  EXPECT_FALSE(parse_copy_source("/k%zz/a").has_value());
}

TEST(S3Headers, AwsChunkedIsNotPartOfTheObject) {
  EXPECT_EQ(without_aws_chunked("aws-chunked"), "");
  EXPECT_EQ(without_aws_chunked("aws-chunked,gzip"), "gzip");
  EXPECT_EQ(without_aws_chunked("gzip, aws-chunked"), "gzip");
  EXPECT_EQ(without_aws_chunked("gzip"), "gzip");
}

TEST(S3Headers, MetadataHasA2KilobyteLimit) {
  EXPECT_TRUE(check_metadata({{"k", std::string(2047, 'v')}}).has_value());
  EXPECT_EQ(check_metadata({{"k", std::string(2048, 'v')}}).error().row->code, "MetadataTooLarge");
}

TEST(S3Owner, NeverChangesForAnAccount) {
  EXPECT_EQ(canonical_user_id("000000000000").size(), 64U);
  EXPECT_EQ(canonical_user_id("000000000000"), canonical_user_id("000000000000"));
  EXPECT_NE(canonical_user_id("000000000000"), canonical_user_id("123456789012"));
  EXPECT_EQ(owner_principal_id("000000000000").size(), 14U);
}

}  // namespace
}  // namespace terrarium::s3
