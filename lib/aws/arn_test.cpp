#include "lib/aws/arn.h"

#include <gtest/gtest.h>

namespace aws {
namespace {

TEST(Arn, PartsComeBackAsTheyWere) {
  const std::string text = "arn:aws:lambda:us-east-1:000000000000:function:f:1";
  const auto arn = Arn::parse(text);
  ASSERT_TRUE(arn.has_value());
  EXPECT_EQ(arn->service, "lambda");
  EXPECT_EQ(arn->region, "us-east-1");
  EXPECT_EQ(arn->account, "000000000000");
  EXPECT_EQ(arn->resource, "function:f:1");
  EXPECT_EQ(arn->text(), text);
}

TEST(Arn, AllShapesOfAwsAreTaken) {
  for (const std::string text :
       {"arn:aws:s3:::bucket/key with spaces/\xc3\xa9", "arn:aws:iam::000000000000:root",
        "arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws-cn:sqs:cn-north-1:000000000000:q",
        "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f:*"}) {
    const auto arn = Arn::parse(text);
    ASSERT_TRUE(arn.has_value()) << text;
    EXPECT_EQ(arn->text(), text);
  }
}

TEST(Arn, MalformedOnesAreRefused) {
  for (const std::string text :
       {"", "arn", "arn:aws:sqs:us-east-1:000000000000",
        "arn:aws:sqs:us-east-1:000000000000:", "ARN:aws:sqs:us-east-1:000000000000:q",
        "arn:other:sqs:us-east-1:000000000000:q", "arn:aws::us-east-1:000000000000:q",
        "arn:aws:sqs:us east:000000000000:q", "arn:aws:sqs:us-east-1:00000000000:q",
        "arn:aws:sqs:us-east-1:00000000000a:q", "arn:aws:sqs:*:000000000000:q",
        "arn:aws:sqs:us-east-1:000000000000:a\nb", " arn:aws:sqs:us-east-1:000000000000:q"}) {
    EXPECT_FALSE(Arn::parse(text).has_value()) << text;
  }
  EXPECT_FALSE(Arn::parse("arn:aws:s3:::" + std::string(2048, 'a')).has_value());
  EXPECT_FALSE(Arn::parse(std::string("arn:aws:s3:::a\0b", 15)).has_value());
}

}  // namespace
}  // namespace aws
