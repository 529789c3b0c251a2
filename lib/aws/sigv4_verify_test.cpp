#include <gtest/gtest.h>

#include "lib/aws/sigv4_testing.h"

// The cases named Botocore were signed by botocore 1.43 at the instant of AWS's test suite.
namespace aws {
namespace {

using namespace std::chrono_literals;
using namespace aws::testing;

const Credentials kTokenKey{
    kSuiteKey.access_key_id, kSuiteKey.secret_access_key, "AQoDYXdzEPT//////////wEXAMPLE", {}};

Received received(std::string method, std::string target, const Fields& fields) {
  http::Headers headers;
  for (const auto& [name, value] : fields) headers.add(name, value);
  return {std::move(method), std::move(target), std::move(headers)};
}

std::string authorization(std::string_view service, std::string_view signed_headers,
                          std::string_view signature) {
  return fmt::format(
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/{}/aws4_request, "
      "SignedHeaders={}, Signature={}",
      service, signed_headers, signature);
}

Received signed_request(const Case& example, const Credentials& key = kSuiteKey) {
  http::ClientRequest request;
  sign_case(example, key, kSuiteTime, &request);
  return Received(request);
}

TEST(Sigv4Botocore, SqsJsonWithOddPathAndQuery) {
  Received request = received(
      "POST", "/000000000000/../q%20x//a+b?b=2&a=1&a=%2F&c",
      {{"Host", "127.0.0.1:4566"},
       {"Content-Type", "application/x-amz-json-1.0"},
       {"X-Amz-Target", "AmazonSQS.SendMessage"},
       {"X-Amz-Date", "20150830T123600Z"},
       {"Authorization",
        authorization("sqs", "content-type;host;x-amz-date;x-amz-target",
                      "b3f6eced7ea26cda894f1bddecf745296844f475dd6e1ae1f011ddc027edf439")}});
  EXPECT_EQ(check(request, kSuiteKey, kSuiteTime, R"({"a":1})", false), "");
  EXPECT_TRUE(check(request, kSuiteKey, kSuiteTime, R"({"a":2})", false)
                  .starts_with("SignatureDoesNotMatch: The request signature we calculated"));
}

TEST(Sigv4Botocore, TemporaryCredentials) {
  Received request = received(
      "POST", "/",
      {{"Host", "sts.us-east-1.amazonaws.com"},
       {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
       {"X-Amz-Date", "20150830T123600Z"},
       {"X-Amz-Security-Token", kTokenKey.session_token},
       {"Authorization",
        authorization("sts", "content-type;host;x-amz-date;x-amz-security-token",
                      "5836aef904ff774d9edc61bbc9e5c83f61295fb5ea93b47122ff6974dbb88b0f")}});
  const std::string body = "Action=GetCallerIdentity&Version=2011-06-15";
  EXPECT_EQ(check(request, kSuiteKey, kSuiteTime, body, false), "");
  const auto parsed = parse_authentication(request.view(), false);
  ASSERT_TRUE(parsed.has_value() && parsed->has_value());
  EXPECT_EQ((*parsed)->session_token, kTokenKey.session_token);
  EXPECT_EQ((*parsed)->access_key_id, "AKIDEXAMPLE");
  EXPECT_EQ((*parsed)->scope.text(), "20150830/us-east-1/sts/aws4_request");
}

TEST(Sigv4Botocore, S3PutKeepsItsPath) {
  Received request = received(
      "PUT", "/bucket/a%20b/../c%2Bd//%C3%A9~.txt?x-id=PutObject&tagging",
      {{"Host", "127.0.0.1:4566"},
       {"Content-Type", "text/plain"},
       {"x-amz-meta-Note", "two  spaces\there "},
       {"Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww=="},
       {"X-Amz-Date", "20150830T123600Z"},
       {"X-Amz-Content-SHA256", sha256("hello world")},
       {"Authorization",
        authorization(
            "s3", "content-md5;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-note",
            "66e5f51d34705e1fef2c8a15b68e8a8d2786090c1bd1d7519b650f17699addf1")}});
  EXPECT_EQ(check(request, kSuiteKey, kSuiteTime, "hello world", true), "");
  EXPECT_EQ(check(request, kSuiteKey, kSuiteTime, "hello there", true),
            "XAmzContentSHA256Mismatch: The provided 'x-amz-content-sha256' header does not match "
            "what was computed.");
}

TEST(Sigv4Botocore, S3PresignedWithToken) {
  Received request = received(
      "GET",
      "/bucket/k%20e%2By?versionId=a%2Fb&response-content-type=text%2Fplain&X-Amz-Algorithm="
      "AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fs3%2Faws4_request&"
      "X-Amz-Date=20150830T123600Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&"
      "X-Amz-Security-Token=TOKEN%2F%2B%3D&X-Amz-Signature="
      "adf4cda993596412135c1590fd2aac510199917a4b3e5232c014212a244d389e",
      {{"Host", "127.0.0.1:4566"}, {"User-Agent", "any"}});
  EXPECT_EQ(check(request, kSuiteKey, kSuiteTime + 599s, "", true), "");
  EXPECT_EQ(check(request, kSuiteKey, kSuiteTime + 600s, "", true),
            "AccessDenied: Request has expired");
  const auto parsed = parse_authentication(request.view(), true);
  ASSERT_TRUE(parsed.has_value() && parsed->has_value());
  EXPECT_EQ((*parsed)->session_token, "TOKEN/+=");
  request.headers().add("x-amz-acl", "public-read");
  EXPECT_EQ(check(request, kSuiteKey, kSuiteTime, "", true),
            "AccessDenied: There were headers present in the request which were not signed");
}

TEST(Sigv4Botocore, StsPresignedWithSignedHeader) {
  Received request = received(
      "GET",
      "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&"
      "X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fsts%2Faws4_request&"
      "X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&"
      "X-Amz-Signature=81a32408ebc680f9e3c0b717af082cf650f94a8782ad2fdf3383c43be9467c55",
      {{"Host", "sts.us-east-1.amazonaws.com"}, {"x-k8s-aws-id", "cluster"}});
  EXPECT_EQ(check(request, kSuiteKey, kSuiteTime, "", false), "");
  request.headers().set("x-k8s-aws-id", "other");
  EXPECT_NE(check(request, kSuiteKey, kSuiteTime, "", false), "");
}

TEST(Sigv4Botocore, LambdaPathIsEncodedTwice) {
  Received request = received(
      "POST",
      "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af/"
      "invocations?Qualifier=%24LATEST",
      {{"Host", "127.0.0.1:4566"},
       {"X-Amz-Invocation-Type", "Event"},
       {"X-Amz-Date", "20150830T123600Z"},
       {"Authorization",
        authorization("lambda", "host;x-amz-date;x-amz-invocation-type",
                      "b437c853431fc87950de4606b9bbe77c13385f6baf469200a1dbf466bac220aa")}});
  EXPECT_EQ(check(request, kSuiteKey, kSuiteTime, "{}", false), "");
}

TEST(Sigv4Verify, SignerAndVerifierAgree) {
  for (const std::string service : {"s3", "sqs"}) {
    for (const std::string target :
         {"/", "/a%20b/./c//d?x=1&y", "/%", "/%zz?%zz=%&=&&a=b=c", "/a+b?c+d=e+f", "/\xff?\xff"}) {
      Case example{.method = "PUT", .target = target, .body = "body", .service = service};
      Received request = signed_request(example, kTokenKey);
      EXPECT_EQ(check(request, kSuiteKey, kSuiteTime, "body", service == "s3"), "") << target;
      const Credentials wrong{"AKIDEXAMPLE", "other", {}, {}};
      EXPECT_TRUE(check(request, wrong, kSuiteTime, "body", service == "s3")
                      .starts_with("SignatureDoesNotMatch"));
    }
  }
}

TEST(Sigv4Verify, AnyChangeOfASignedPartIsRefused) {
  const Case example{.method = "PUT",
                     .target = "/bucket/key?a=1",
                     .headers = {{"x-amz-meta-a", "1"}, {"x-amz-meta-b", "2"}},
                     .body = "body",
                     .service = "s3"};
  const auto refused = [&](auto change) {
    Received request = signed_request(example);
    change(request);
    return check(request, kSuiteKey, kSuiteTime, "body", true) != "";
  };
  EXPECT_FALSE(refused([](Received&) {}));
  EXPECT_TRUE(refused([](Received& it) { it.method() = "POST"; }));
  EXPECT_TRUE(refused([](Received& it) { it.target() = "/bucket/kez?a=1"; }));
  EXPECT_TRUE(refused([](Received& it) { it.target() = "/bucket//key?a=1"; }));
  EXPECT_TRUE(refused([](Received& it) { it.target() = "/bucket/key?a=1&b"; }));
  EXPECT_TRUE(refused([](Received& it) { it.target() = "/bucket/key"; }));
  EXPECT_TRUE(refused([](Received& it) { it.headers().set("x-amz-meta-a", "2"); }));
  EXPECT_TRUE(refused([](Received& it) { it.headers().add("x-amz-meta-a", "1"); }));
  EXPECT_TRUE(refused([](Received& it) { it.headers().remove("x-amz-meta-a"); }));
  EXPECT_TRUE(refused([](Received& it) { it.headers().add("x-amz-meta-c", "3"); }));
  EXPECT_TRUE(refused([](Received& it) { it.headers().set("Host", "other"); }));
  EXPECT_TRUE(refused([](Received& it) { it.headers().set("X-Amz-Date", "20150830T123601Z"); }));
  EXPECT_TRUE(refused([](Received& it) {
    it.headers().set("X-Amz-Content-Sha256", std::string(kUnsignedPayload));
  }));
  EXPECT_FALSE(refused([](Received& it) { it.headers().add("Accept", "any"); }));
}

TEST(Sigv4Verify, ShowsWhatItSignedWhenTheSignatureIsWrong) {
  Received request = signed_request({});
  const auto parsed = parse_authentication(request.view(), false);
  const auto verified =
      verify(request.view(), **parsed, std::string(32, 'k'), sha256(""), kSuiteTime);
  ASSERT_FALSE(verified.has_value());
  EXPECT_EQ(verified.error().failure, AuthenticationFailure::WrongSignature);
  EXPECT_EQ(
      verified.error().canonical_request,
      "GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n" +
          sha256(""));
  EXPECT_EQ(verified.error().string_to_sign,
            "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n"
            "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63");
}

TEST(Sigv4Verify, ClockMayBeFifteenMinutesOff) {
  Received request = signed_request({});
  EXPECT_EQ(check(request, kSuiteKey, kSuiteTime + 15min, "", false), "");
  EXPECT_EQ(check(request, kSuiteKey, kSuiteTime - 15min, "", false), "");
  EXPECT_EQ(check(request, kSuiteKey, kSuiteTime + 15min + 1s, "", false),
            "SignatureDoesNotMatch: Signature expired: 20150830T123600Z is now earlier than "
            "20150830T123601Z (20150830T125101Z - 15 min.)");
  EXPECT_EQ(
      check(request, kSuiteKey, kSuiteTime - 15min - 1s, "", false),
      "SignatureDoesNotMatch: Signature not yet current: 20150830T123600Z is still later than "
      "20150830T123559Z (20150830T122059Z + 15 min.)");
  Received s3 = signed_request({.service = "s3"});
  EXPECT_EQ(check(s3, kSuiteKey, kSuiteTime + 1h, "", true),
            "RequestTimeTooSkewed: The difference between the request time and the current time is "
            "too large.");
}

TEST(Sigv4Verify, TellsS3ClientsWhichTimesDidNotFit) {
  Received request = signed_request({.service = "s3"});
  const auto parsed = parse_authentication(request.view(), true);
  const auto verified =
      verify(request.view(), **parsed, "key", sha256(""), kSuiteTime + std::chrono::hours(1));
  const std::vector<std::pair<std::string, std::string>> times{
      {"RequestTime", "20150830T123600Z"},
      {"ServerTime", "2015-08-30T13:36:00Z"},
      {"MaxAllowedSkewMilliseconds", "900000"}};
  EXPECT_EQ(verified.error().times, times);
}

TEST(Sigv4Verify, DeclaredHashOfOtherServicesMustBeTheBodys) {
  Received request = signed_request(
      {.headers = {{"X-Amz-Content-Sha256", sha256("body")}}, .body = "body", .service = "sqs"});
  EXPECT_EQ(check(request, kSuiteKey, kSuiteTime, "body", false), "");
  EXPECT_TRUE(check(request, kSuiteKey, kSuiteTime, "other", false)
                  .starts_with("SignatureDoesNotMatch: The provided"));
}

TEST(Sigv4Verify, DateHeaderServesWhenXAmzDateIsAbsent) {
  Received request =
      received("GET", "/",
               {{"Host", "example.amazonaws.com"},
                {"Date", "Sun, 30 Aug 2015 12:36:00 GMT"},
                {"Authorization", authorization("service", "date;host", std::string(64, '0'))}});
  const auto parsed = parse_authentication(request.view(), false);
  ASSERT_TRUE(parsed.has_value() && parsed->has_value());
  EXPECT_EQ((*parsed)->time, kSuiteTime);
}

}  // namespace
}  // namespace aws
