#include "terrarium/wire/rest_route.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "generated/lambda/model.h"
#include "generated/s3/model.h"
#include "terrarium/wire/errors.h"
#include "terrarium/wire/s3_address.h"

namespace terrarium::wire {
namespace {

struct Found {
  std::string operation;  // or the error's code
  std::string key;
};

Found route(const ServiceModel& service, std::string_view method, std::string_view target,
            std::vector<std::pair<std::string, std::string>> headers = {}) {
  const RestRoutes routes(service);
  const std::size_t mark = std::min(target.find('?'), target.size());
  const Parameters query =
      Parameters::parse(target.substr(std::min(mark + 1, target.size()))).value();
  http::HeaderViews views;
  for (const auto& [name, value] : headers) views.add(name, value);
  const auto match = routes.find(method, target.substr(0, mark), query, views);
  if (!match) return {std::string(match.error().row->code), {}};
  Found found{std::string(service.operations[match->operation].name), {}};
  for (const auto& [name, value] : match->labels) {
    if (name == "Key" || name == "FunctionName") found.key = value;
  }
  return found;
}

struct RouteCase {
  const char* method;
  const char* target;
  const char* operation;
};

class S3Routes : public testing::TestWithParam<RouteCase> {};

TEST_P(S3Routes, FindTheOperation) {
  const RouteCase& example = GetParam();
  EXPECT_EQ(route(s3::kModel, example.method, example.target).operation, example.operation)
      << example.method << " " << example.target;
}

INSTANTIATE_TEST_SUITE_P(
    Table, S3Routes,
    testing::Values(
        RouteCase{"GET", "/", "ListBuckets"}, RouteCase{"PUT", "/b", "CreateBucket"},
        RouteCase{"PUT", "/b/", "CreateBucket"}, RouteCase{"DELETE", "/b", "DeleteBucket"},
        RouteCase{"HEAD", "/b", "HeadBucket"}, RouteCase{"GET", "/b?location", "GetBucketLocation"},
        RouteCase{"GET", "/b?list-type=2&prefix=a", "ListObjectsV2"},
        RouteCase{"GET", "/b/?list-type=2", "ListObjectsV2"},
        RouteCase{"GET", "/b?policy", "GetBucketPolicy"},
        RouteCase{"PUT", "/b?policy", "PutBucketPolicy"},
        RouteCase{"DELETE", "/b?policy", "DeleteBucketPolicy"},
        RouteCase{"PUT", "/b?notification", "PutBucketNotificationConfiguration"},
        RouteCase{"GET", "/b?publicAccessBlock", "GetPublicAccessBlock"},
        RouteCase{"POST", "/b?delete", "DeleteObjects"},
        RouteCase{"GET", "/b?uploads", "ListMultipartUploads"},
        RouteCase{"PUT", "/b/k", "PutObject"}, RouteCase{"GET", "/b/k?x-id=GetObject", "GetObject"},
        RouteCase{"GET", "/b/k?partNumber=1", "GetObject"},
        RouteCase{"GET", "/b/k?cache=1", "GetObject"}, RouteCase{"HEAD", "/b/k", "HeadObject"},
        RouteCase{"DELETE", "/b/k", "DeleteObject"},
        RouteCase{"DELETE", "/b/k?versionId=null", "DeleteObject"},
        RouteCase{"POST", "/b/k?uploads", "CreateMultipartUpload"},
        RouteCase{"POST", "/b/k?uploads=", "CreateMultipartUpload"},
        RouteCase{"PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"},
        RouteCase{"POST", "/b/k?uploadId=u", "CompleteMultipartUpload"},
        RouteCase{"DELETE", "/b/k?uploadId=u", "AbortMultipartUpload"},
        RouteCase{"GET", "/b/k?uploadId=u", "ListParts"}, RouteCase{"POST", "/b", "PostObject"},
        RouteCase{"OPTIONS", "/b?acl", "OptionsBucket"},
        RouteCase{"OPTIONS", "/b/k?uploadId=u&X-Amz-Signature=s", "OptionsObject"},
        RouteCase{"GET", "/b/k?X-Amz-Signature=s&X-Amz-Expires=1", "GetObject"},
        RouteCase{"GET", "/b/k?AWSAccessKeyId=a&Signature=s&Expires=1", "GetObject"}));

INSTANTIATE_TEST_SUITE_P(Refused, S3Routes,
                         testing::Values(
                             // Sub-resources that nobody serves never become their plain neighbour.
                             RouteCase{"PUT", "/b?replication", "NotImplemented"},
                             RouteCase{"PUT", "/b?analytics&id=1", "NotImplemented"},
                             RouteCase{"PUT", "/b?website", "NotImplemented"},
                             RouteCase{"GET", "/b/k?torrent", "NotImplemented"},
                             RouteCase{"POST", "/b/k?select&select-type=2", "NotImplemented"},
                             RouteCase{"PUT", "/b/k?renameObject", "NotImplemented"},
                             RouteCase{"PUT", "/b?newThing", "NotImplemented"},
                             RouteCase{"GET", "/b?newThing", "NotImplemented"},
                             RouteCase{"PUT", "/b/k?colour=red", "NotImplemented"},
                             RouteCase{"PUT", "/b/k?uploadId=u", "NotImplemented"},
                             RouteCase{"PUT", "/b/k?partNumber=1", "NotImplemented"},
                             RouteCase{"POST", "/b/k", "MethodNotAllowed"},
                             RouteCase{"POST", "/b/k?torrent", "NotImplemented"},
                             RouteCase{"PATCH", "/b/k", "MethodNotAllowed"},
                             RouteCase{"DELETE", "/", "MethodNotAllowed"},
                             RouteCase{"GET", "//k", "InvalidURI"},
                             RouteCase{"GET", "/b/%zz", "InvalidURI"},
                             RouteCase{"GET", "/b/%ff", "InvalidURI"}));

TEST(S3RouteLabels, KeepKeysAsTheyAre) {
  EXPECT_EQ(route(s3::kModel, "GET", "/b/a/b%20c/").key, "a/b c/");
  EXPECT_EQ(route(s3::kModel, "GET", "/b//k").key, "/k");
  EXPECT_EQ(route(s3::kModel, "GET", "/b/../k").key, "../k");
  EXPECT_EQ(route(s3::kModel, "GET", "/b/a+b").key, "a+b");
}

TEST(S3RouteHeaders, TellACopyFromAPut) {
  EXPECT_EQ(route(s3::kModel, "PUT", "/b/k", {{"X-Amz-Copy-Source", "/b/j"}}).operation,
            "CopyObject");
  EXPECT_EQ(
      route(s3::kModel, "PUT", "/b/k?partNumber=1&uploadId=u", {{"x-amz-copy-source", "/b/j"}})
          .operation,
      "UploadPartCopy");
}

TEST(S3RouteHeaders, RefuseWhatNobodyWouldLookAt) {
  EXPECT_EQ(route(s3::kModel, "PUT", "/b/k", {{"x-amz-new-feature", "1"}}).operation,
            "NotImplemented");
  EXPECT_EQ(route(s3::kModel, "PUT", "/b/k",
                  {{"x-amz-meta-a", "1"},
                   {"x-amz-date", "d"},
                   {"x-amz-sdk-checksum-algorithm", "C"},
                   {"x-amz-checksum-crc32", "c"},
                   {"x-amz-user-agent", "u"}})
                .operation,
            "PutObject");
}

TEST(LambdaRoutes, FindTheOperation) {
  const auto& model = lambda::kModel;
  EXPECT_EQ(route(model, "GET", "/2015-03-31/functions/").operation, "ListFunctions");
  EXPECT_EQ(route(model, "GET", "/2015-03-31/functions").operation, "ListFunctions");
  EXPECT_EQ(route(model, "POST", "/2015-03-31/functions").operation, "CreateFunction");
  const std::string provisioned = "/2019-09-30/functions/f/provisioned-concurrency";
  EXPECT_EQ(route(model, "GET", provisioned + "?List=ALL").operation,
            "ListProvisionedConcurrencyConfigs");
  EXPECT_EQ(route(model, "GET", provisioned + "?Qualifier=1").operation,
            "GetProvisionedConcurrencyConfig");
  EXPECT_EQ(route(model, "GET", provisioned).operation, "GetProvisionedConcurrencyConfig");
  EXPECT_EQ(route(model, "DELETE", "/2017-03-31/tags/arn?tagKeys=a").operation, "UntagResource");
  EXPECT_EQ(route(model, "DELETE", "/2017-03-31/tags/arn").operation, "UntagResource");
  EXPECT_EQ(route(model, "GET", "/2015-03-31/functions/f").operation, "GetFunction");
  EXPECT_EQ(route(model, "GET", "/2015-03-31/functions/f/configuration").operation,
            "GetFunctionConfiguration");
  const Found invoke = route(model, "POST",
                             "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A0%3Af/"
                             "invocations?Qualifier=%24LATEST");
  EXPECT_EQ(invoke.operation, "Invoke");
  EXPECT_EQ(invoke.key, "arn:aws:lambda:us-east-1:0:f");
  EXPECT_EQ(route(model, "POST", "/2015-03-31/event-source-mappings/").operation,
            "CreateEventSourceMapping");
  EXPECT_EQ(route(model, "GET", "/2099-01-01/functions").operation, "UnknownOperationException");
  EXPECT_EQ(route(model, "GET", "/2015-03-31/functions//invocations").operation,
            "UnknownOperationException");
}

TEST(S3Address, FindsTheBucketInTheHost) {
  EXPECT_EQ(bucket_of_host("pictures.localhost:4566"), "pictures");
  EXPECT_EQ(bucket_of_host("Pictures.S3.Localhost:4566"), "pictures");
  EXPECT_EQ(bucket_of_host("a.b.s3.localhost"), "a.b");
  EXPECT_EQ(bucket_of_host("my-bucket-1.localhost"), "my-bucket-1");
  EXPECT_EQ(bucket_of_host("pictures.s3.amazonaws.com"), "pictures");
  EXPECT_EQ(bucket_of_host("pictures.s3.us-east-1.amazonaws.com"), "pictures");
  EXPECT_EQ(bucket_of_host("pictures.s3-us-west-2.amazonaws.com"), "pictures");
  EXPECT_EQ(bucket_of_host("pictures.s3.dualstack.us-west-2.amazonaws.com"), "pictures");
}

TEST(S3Address, FindsNoneInOtherHosts) {
  for (const char* host : {"localhost:4566", "s3.localhost:4566", "127.0.0.1:4566", "[::1]:4566",
                           "s3.amazonaws.com", "s3.us-east-1.amazonaws.com", "10.0.0.1", "",
                           "s3.us-east-1.localhost", "example.com", "a.example.com"}) {
    EXPECT_EQ(bucket_of_host(host), std::nullopt) << host;
  }
}

TEST(S3Address, TellsServicesOfAwsNames) {
  EXPECT_EQ(service_of_host("sqs.us-east-1.amazonaws.com"), "sqs");
  EXPECT_EQ(service_of_host("sts.amazonaws.com:443"), "sts");
  EXPECT_EQ(service_of_host("us-west-2.queue.amazonaws.com"), "sqs");
  EXPECT_EQ(service_of_host("sqs.s3.amazonaws.com"), "");
  EXPECT_EQ(service_of_host("sqs.localhost"), "");
}

}  // namespace
}  // namespace terrarium::wire
