#include "lib/aws/endpoint.h"

#include "lib/aws/test_server.h"

namespace aws {
namespace {

using namespace aws::testing;

std::string text(const base::Result<http::Url>& url) {
  if (!url) return "error";
  return (url->tls ? "https://" : "http://") + url->authority() + url->target;
}

TEST(Endpoint, RegionComesFromTheEnvironment) {
  CleanEnvironment environment;
  EXPECT_EQ(default_region(), "us-east-1");
  environment.set("AWS_DEFAULT_REGION", "eu-west-1");
  EXPECT_EQ(default_region(), "eu-west-1");
  environment.set("AWS_REGION", "eu-central-1");
  EXPECT_EQ(default_region(), "eu-central-1");
}

TEST(Endpoint, IsAwsOwnNameUnlessConfigured) {
  CleanEnvironment environment;
  EXPECT_EQ(text(service_endpoint("sqs", "eu-west-1")), "https://sqs.eu-west-1.amazonaws.com/");
  EXPECT_EQ(text(service_endpoint("s3", "cn-north-1")), "https://s3.cn-north-1.amazonaws.com.cn/");
  environment.set("AWS_ENDPOINT_URL", "http://127.0.0.1:4566");
  EXPECT_EQ(text(service_endpoint("sqs", "eu-west-1")), "http://127.0.0.1:4566/");
  environment.set("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:4567/base");
  EXPECT_EQ(text(service_endpoint("sqs", "eu-west-1")), "http://127.0.0.1:4567/base");
  environment.set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
  EXPECT_EQ(text(service_endpoint("sqs", "eu-west-1")), "https://sqs.eu-west-1.amazonaws.com/");
}

TEST(Endpoint, MalformedPartsAreRefused) {
  CleanEnvironment environment;
  for (const std::string region : {"", "us east", "US-EAST-1", "a/b", "a.b", "-a"}) {
    EXPECT_EQ(text(service_endpoint("sqs", region)), "error") << region;
  }
  environment.set("AWS_ENDPOINT_URL", "http://127.0.0.1/?x");
  EXPECT_EQ(text(service_endpoint("sqs", "us-east-1")), "error");
  environment.set("AWS_ENDPOINT_URL", "nonsense");
  EXPECT_EQ(text(service_endpoint("sqs", "us-east-1")), "error");
}

TEST(Endpoint, BucketIsInTheHostOnAwsAndInThePathElsewhere) {
  CleanEnvironment environment;
  EXPECT_EQ(text(object_url("my-bucket", "a b/\xc3\xa9?", "us-east-1")),
            "https://my-bucket.s3.us-east-1.amazonaws.com/a%20b/%C3%A9%3F");
  EXPECT_EQ(text(object_url("my.bucket", "key", "us-east-1")),
            "https://s3.us-east-1.amazonaws.com/my.bucket/key");
  EXPECT_EQ(text(object_url("my-bucket", "", "us-east-1")),
            "https://my-bucket.s3.us-east-1.amazonaws.com/");
  environment.set("AWS_ENDPOINT_URL", "http://127.0.0.1:4566");
  EXPECT_EQ(text(object_url("my-bucket", "../key", "us-east-1")),
            "http://127.0.0.1:4566/my-bucket/../key");
  EXPECT_EQ(text(object_url("my-bucket", "", "us-east-1")), "http://127.0.0.1:4566/my-bucket");
}

TEST(Endpoint, BucketNamesAreChecked) {
  CleanEnvironment environment;
  for (const std::string bucket : {"", "ab", "Upper", "a..b", ".abc", "abc-", "a/b", "a_b"}) {
    EXPECT_EQ(text(object_url(bucket, "key", "us-east-1")), "error") << bucket;
  }
  EXPECT_EQ(text(object_url(std::string(64, 'a'), "key", "us-east-1")), "error");
}

}  // namespace
}  // namespace aws
