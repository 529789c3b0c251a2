#include <gtest/gtest.h>

#include "lib/aws/sigv4_testing.h"

namespace aws {
namespace {

using namespace aws::testing;

const std::string kSignature(64, 'a');
const std::string kCredential = "AKIDEXAMPLE/20150830/us-east-1/sqs/aws4_request";

// The refusal of a request with this Authorization header, or "" when it can be parsed.
std::string refusal(const std::string& authorization, bool is_s3 = false, const Fields& more = {},
                    const std::string& query = {}) {
  http::Headers headers;
  headers.add("Host", "example.amazonaws.com");
  headers.add("X-Amz-Date", "20150830T123600Z");
  if (!authorization.empty()) headers.add("Authorization", authorization);
  for (const auto& [name, value] : more) headers.add(name, value);
  Received request("GET", "/?" + query, headers);
  const auto parsed = parse_authentication(request.view(), is_s3);
  if (!parsed) return std::string(parsed.error().row->code) + ": " + parsed.error().message;
  return parsed->has_value() ? "" : "anonymous";
}

std::string header(const std::string& credential = kCredential,
                   const std::string& signed_headers = "host;x-amz-date",
                   const std::string& signature = kSignature) {
  return "AWS4-HMAC-SHA256 Credential=" + credential + ", SignedHeaders=" + signed_headers +
         ", Signature=" + signature;
}

const Fields kHash = {{"x-amz-content-sha256", std::string(kUnsignedPayload)}};
const std::string kS3Headers = "host;x-amz-content-sha256;x-amz-date";

bool incomplete(const std::string& text) { return text.starts_with("IncompleteSignature: "); }

TEST(Sigv4Parse, NoAuthenticationIsAnonymous) { EXPECT_EQ(refusal(""), "anonymous"); }

TEST(Sigv4Parse, SpacesAfterCommasDoNotMatter) {
  EXPECT_EQ(refusal(header()), "");
  EXPECT_EQ(refusal("AWS4-HMAC-SHA256 Signature=" + kSignature + ",Credential=" + kCredential +
                    ",SignedHeaders=host;x-amz-date"),
            "");
}

TEST(Sigv4Parse, NamesEveryMissingPart) {
  EXPECT_TRUE(refusal("AWS4-HMAC-SHA256 Credential=" + kCredential)
                  .starts_with("IncompleteSignature: Authorization header requires 'Signature' "
                               "parameter. Authorization header requires 'SignedHeaders' "
                               "parameter. (Hashed with SHA-256 and encoded with Base64) "
                               "Authorization="));
  EXPECT_TRUE(refusal("AWS4-HMAC-SHA256")
                  .starts_with("IncompleteSignature: Authorization header requires 'Credential' "
                               "parameter. Authorization header requires 'Signature' parameter. "));
  EXPECT_EQ(refusal("AWS4-HMAC-SHA256 Signature=" + kSignature, true),
            "AuthorizationHeaderMalformed: The authorization header is malformed; Authorization "
            "header requires 'Credential' parameter. Authorization header requires 'SignedHeaders' "
            "parameter.");
}

TEST(Sigv4Parse, RefusesRepeatedAndUnknownParts) {
  EXPECT_TRUE(incomplete(refusal(header() + ", Signature=" + kSignature)));
  EXPECT_TRUE(incomplete(refusal(header() + ", Signature")));
  EXPECT_TRUE(incomplete(refusal(header() + ", Extra=1")));
  EXPECT_TRUE(incomplete(refusal(header(), false, {{"Authorization", header()}})));
  EXPECT_TRUE(incomplete(refusal(header(), false, {{"X-Amz-Date", "20150830T123600Z"}})));
  EXPECT_TRUE(incomplete(refusal(header(kCredential, "host;host;x-amz-date"))));
}

TEST(Sigv4Parse, RefusesMalformedCredentials) {
  for (const std::string credential :
       {"", "AKID", "AKIDEXAMPLE/20150830/us-east-1/sqs", "a/b/20150830/us-east-1/sqs/aws4_request",
        "/20150830/us-east-1/sqs/aws4_request", "AKID/2015083/us-east-1/sqs/aws4_request",
        "AKID/20150830//sqs/aws4_request", "AKID/20150830/us east/sqs/aws4_request",
        "AKID/20150830/us-east-1/sqs/aws4_reqest", "AK\x01/20150830/us-east-1/sqs/aws4_request"}) {
    EXPECT_TRUE(incomplete(refusal(header(credential)))) << credential;
  }
  EXPECT_TRUE(incomplete(refusal(header(std::string(129, 'A') + "/20150830/r/sqs/aws4_request"))));
  EXPECT_EQ(
      refusal(header("AKID", kS3Headers), true, kHash),
      "AuthorizationHeaderMalformed: The authorization header is malformed; the Credential is "
      "mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
}

TEST(Sigv4Parse, RefusesMalformedSignaturesAndNames) {
  EXPECT_TRUE(incomplete(refusal(header(kCredential, "host;x-amz-date", "abc"))));
  EXPECT_TRUE(incomplete(refusal(header(kCredential, "host;x-amz-date", std::string(64, 'A')))));
  EXPECT_TRUE(incomplete(refusal(header(kCredential, "Host;x-amz-date"))));
  EXPECT_TRUE(incomplete(refusal(header(kCredential, "host;;x-amz-date"))));
  EXPECT_TRUE(incomplete(refusal(header(kCredential, "host;x-amz-date;"))));
  std::string many = "host;x-amz-date";
  for (int i = 0; i < 300; ++i) many += ";h" + std::to_string(i);
  EXPECT_TRUE(incomplete(refusal(header(kCredential, many))));
}

TEST(Sigv4Parse, RefusesOtherAlgorithms) {
  EXPECT_EQ(refusal("AWS4-HMAC-SHA1 x"),
            "IncompleteSignature: Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'.");
  EXPECT_EQ(
      refusal("AWS AKID:sig", true),
      "InvalidRequest: The authorization mechanism you have provided is not supported. Please "
      "use AWS4-HMAC-SHA256.");
  EXPECT_EQ(refusal("AWS nonsense", true),
            "InvalidArgument: AWS authorization header is invalid.  Expected "
            "AwsAccessKeyId:signature");
  EXPECT_EQ(refusal("Bearer x", true), "InvalidArgument: Unsupported Authorization Type");
}

TEST(Sigv4Parse, ScopeDateMustBeTheRequestsDate) {
  EXPECT_EQ(refusal(header("AKIDEXAMPLE/20150831/us-east-1/sqs/aws4_request")),
            "SignatureDoesNotMatch: Date in Credential scope does not match YYYYMMDD from ISO-8601 "
            "version of date from HTTP: '20150831' != '20150830', from '20150830T123600Z'.");
}

TEST(Sigv4Parse, HostAndAmzHeadersMustBeSigned) {
  EXPECT_EQ(refusal(header(kCredential, "x-amz-date")),
            "SignatureDoesNotMatch: 'Host' or ':authority' must be a 'SignedHeader' in the AWS "
            "Authorization.");
  EXPECT_EQ(
      refusal(header(kCredential, "host")),
      "SignatureDoesNotMatch: 'x-amz-date' must be a 'SignedHeader' in the AWS Authorization.");
  EXPECT_EQ(refusal(header(kCredential, kS3Headers), true,
                    {kHash[0], {"X-Amz-Acl", "private"}, {"x-amz-tagging", "a=b"}}),
            "AccessDenied: There were headers present in the request which were not signed");
  // Added after signing, which services other than S3 allow.
  EXPECT_EQ(refusal(header(), false, {{"X-Amz-Security-Token", "token"}}), "");
}

TEST(Sigv4Parse, S3NeedsThePayloadsHash) {
  const auto with_hash = [](const std::string& hash) {
    return refusal(header(kCredential, kS3Headers), true, {{"x-amz-content-sha256", hash}});
  };
  EXPECT_EQ(refusal(header(), true),
            "InvalidRequest: Missing required header for this request: x-amz-content-sha256");
  for (const std::string_view good :
       {kUnsignedPayload, kStreamingSigned, kStreamingSignedTrailer, kStreamingUnsignedTrailer}) {
    EXPECT_EQ(with_hash(std::string(good)), "");
  }
  EXPECT_EQ(with_hash(std::string(64, '0')), "");
  for (const std::string bad :
       {"", "unsigned-payload", "abc", "STREAMING-AWS4-ECDSA-P256-SHA256"}) {
    EXPECT_TRUE(with_hash(bad).starts_with("InvalidArgument: x-amz-content-sha256 must be")) << bad;
  }
}

TEST(Sigv4Parse, OtherServicesRefuseUnsignedPayload) {
  EXPECT_TRUE(incomplete(refusal(header(kCredential, kS3Headers), false, kHash)));
}

std::string presigned(const std::string& expires, const std::string& more = {},
                      const std::string& date = "20150830T123600Z") {
  http::Headers headers;
  headers.add("Host", "example.amazonaws.com");
  Received request("GET",
                   "/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
                   "AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=" +
                       date + "&X-Amz-SignedHeaders=host&X-Amz-Signature=" + kSignature +
                       (expires.empty() ? "" : "&X-Amz-Expires=" + expires) + more,
                   headers);
  const auto parsed = parse_authentication(request.view(), true);
  if (!parsed) return std::string(parsed.error().row->code) + ": " + parsed.error().message;
  return parsed->has_value() && (*parsed)->presigned ? "" : "anonymous";
}

TEST(Sigv4ParsePresigned, ExpiresIsBounded) {
  const std::string code = "AuthorizationQueryParametersError: ";
  EXPECT_EQ(presigned("1"), "");
  EXPECT_EQ(presigned("604800"), "");
  EXPECT_TRUE(presigned("604801").starts_with(code + "X-Amz-Expires must be less than a week"));
  EXPECT_EQ(presigned("-1"), code + "X-Amz-Expires must be non-negative");
  EXPECT_EQ(presigned("0"), code + "X-Amz-Expires must be at least one second");
  for (const std::string bad : {"1s", "+1", "1.5", "-", "99999999999999999999999999"}) {
    EXPECT_EQ(presigned(bad), code + "X-Amz-Expires should be a number") << bad;
  }
  EXPECT_TRUE(presigned("").starts_with(code + "Query-string authentication version 4 requires"));
}

TEST(Sigv4ParsePresigned, PartsComeOnceAndInOnePlace) {
  EXPECT_TRUE(presigned("60", "&X-Amz-Expires=60").starts_with("AuthorizationQueryParameters"));
  // The same name, spelled another way.
  EXPECT_TRUE(presigned("60", "&X%2DAmz%2dExpires=60").starts_with("AuthorizationQueryParameters"));
  EXPECT_TRUE(presigned("60", "&X-Amz-Security-Token=%zz").starts_with("AuthorizationQuery"));
  EXPECT_TRUE(refusal(header(kCredential, kS3Headers), true, kHash, "X-Amz-Algorithm=AWS4")
                  .starts_with("InvalidArgument: Only one auth mechanism allowed"));
  EXPECT_TRUE(presigned("60", "", "2015-08-30")
                  .starts_with("AuthorizationQueryParametersError: "
                               "X-Amz-Date must be in the ISO8601"));
  EXPECT_TRUE(presigned("60", "", "20150831T000000Z")
                  .starts_with("AuthorizationQueryParametersError: Invalid credential date"));
}

TEST(Sigv4ParsePresigned, SignatureVersionTwoIsRefusedNotIgnored) {
  EXPECT_EQ(
      refusal("", true, {}, "AWSAccessKeyId=AKID&Signature=abc&Expires=1"),
      "InvalidRequest: The authorization mechanism you have provided is not supported. Please "
      "use AWS4-HMAC-SHA256.");
}

}  // namespace
}  // namespace aws
