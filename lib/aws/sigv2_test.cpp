#include "lib/aws/sigv2.h"

#include <gtest/gtest.h>

#include "lib/base/digest.h"

// URLs made by boto3 with botocore 1.43 and the secret "test".
namespace aws {
namespace {

using namespace std::chrono_literals;

const base::Timestamp kBefore(std::chrono::seconds(1795467700));

struct Request {
  std::string method = "GET";
  std::string path;
  std::string query;
  std::vector<http::HeaderView> headers = {};
  std::string bucket = {};
};

// "" when the request is good, else the AWS code.
std::string check(const Request& request, base::Timestamp now = kBefore,
                  std::string_view secret = "test") {
  http::HeaderViews headers;
  headers.add("Host", "example");
  for (const auto& field : request.headers) headers.add(field.name, field.value);
  const ReceivedRequest received{request.method, request.path, request.query, &headers};
  const auto claim = parse_presigned_v2(received);
  if (!claim) return std::string(claim.error().row->code);
  if (!claim->has_value()) return "none";
  const auto verified = verify_presigned_v2(received, **claim, secret, request.bucket, now);
  return verified ? "" : std::string(verified.error().row->code);
}

const Request kGet{.path = "/b/k%20e%2By/%C3%A9",
                   .query =
                       "AWSAccessKeyId=test&Signature=zWBr41wzCAhMF%2BGVjHkK1eaPvHs%3D&"
                       "Expires=1795467757"};
const Request kPut{.method = "PUT",
                   .path = "/b/k",
                   .query =
                       "AWSAccessKeyId=test&Signature=uwbVgf1J6JQ8Fy%2FS9bSlhlzIEM0%3D&"
                       "content-type=text%2Fplain&x-amz-acl=public-read&Expires=1795467757"};

TEST(Sigv2Presigned, GetIsGoodUntilItExpires) {
  EXPECT_EQ(check(kGet), "");
  EXPECT_EQ(check(kGet, base::Timestamp(1795467756s)), "");
  EXPECT_EQ(check(kGet, base::Timestamp(1795467757s)), "AccessDenied");
  EXPECT_EQ(check(kGet, kBefore, "other"), "SignatureDoesNotMatch");
}

TEST(Sigv2Presigned, HeadersMayComeAsParameters) {
  EXPECT_EQ(check(kPut), "");
  Request both = kPut;
  both.headers = {{"Content-Type", "text/plain"}, {"x-amz-acl", "public-read"}};
  EXPECT_EQ(check(both), "");
  both.headers[1].value = "private";
  EXPECT_EQ(check(both), "SignatureDoesNotMatch");
  Request more = kPut;
  more.headers = {{"x-amz-tagging", "a=b"}};
  EXPECT_EQ(check(more), "SignatureDoesNotMatch");
}

TEST(Sigv2Presigned, MetadataAndDigestInAVirtualHost) {
  const Request put{.method = "PUT",
                    .path = "/k",
                    .query =
                        "AWSAccessKeyId=test&Signature=ACW7kkmveYx50HTycKJcj%2FHSNcw%3D&"
                        "x-amz-meta-b=2&x-amz-meta-a=one%20%20two&"
                        "content-md5=XrY7u%2BAe7tCTyyK7j1rNww%3D%3D&Expires=1795467801",
                    .bucket = "my-bucket"};
  EXPECT_EQ(check(put), "");
  Request other = put;
  other.bucket = "your-bucket";
  EXPECT_EQ(check(other), "SignatureDoesNotMatch");
}

TEST(Sigv2Presigned, SubresourcesAndResponseHeadersAreSigned) {
  const Request get{.path = "/b/k",
                    .query =
                        "versionId=v%2F1&response-content-type=text%2Fplain%3B%20charset%3Dutf-8&"
                        "response-content-disposition=attachment%3B%20filename%3D%22a%20b%22&"
                        "AWSAccessKeyId=test&Signature=O4RUkJ7Sxit9IT0aOJXZ4fMoIKM%3D&"
                        "x-amz-security-token=tok%2Fen%2B%3D&Expires=1795467801"};
  EXPECT_EQ(check(get), "");
  Request other = get;
  other.query.replace(other.query.find("v%2F1"), 5, "v%2F2");
  EXPECT_EQ(check(other), "SignatureDoesNotMatch");
  const Request part{.method = "PUT",
                     .path = "/k",
                     .query =
                         "uploadId=u&partNumber=2&AWSAccessKeyId=test&"
                         "Signature=SXgrrUAzLM4tL5dlPyO9qezDBtU%3D&Expires=1795467801",
                     .bucket = "my-bucket"};
  EXPECT_EQ(check(part), "");
  // As AWS has it, a listing's parameters are not.
  const Request list{.path = "/",
                     .query =
                         "list-type=2&prefix=p&encoding-type=url&AWSAccessKeyId=test&"
                         "Signature=UWcCtgDiQLhvaxv2JPFaBMM%2FO3g%3D&Expires=1795467801",
                     .bucket = "my-bucket"};
  EXPECT_EQ(check(list), "");
}

TEST(Sigv2Presigned, BucketInThePathIsSignedWithASlash) {
  Request list{.path = "/b",
               .query =
                   "versions&encoding-type=url&AWSAccessKeyId=test&"
                   "Signature=nsDEqEQtUYdFAA3pdVGumKxzKho%3D&Expires=1795467801"};
  EXPECT_EQ(check(list), "");
  list.path = "/b/";
  EXPECT_EQ(check(list), "");
  list.path = "/b/b";
  EXPECT_EQ(check(list), "SignatureDoesNotMatch");
}

TEST(Sigv2Presigned, YoungSubresourcesAreSignedBySomeClients) {
  // botocore leaves it out.
  const std::string unsigned_one =
      "publicAccessBlock&AWSAccessKeyId=test&Signature=vF78prZxbArWES0Qpu6QcxvkmWY%3D&"
      "Expires=1795467801";
  const std::string signed_one =
      "publicAccessBlock&AWSAccessKeyId=test&Signature=DWvlxrdjjPqd66FIKTkqS1LipkI%3D&"
      "Expires=1795467801";
  EXPECT_EQ(check({.path = "/b", .query = unsigned_one}), "");
  EXPECT_EQ(check({.path = "/b", .query = signed_one}), "");
  EXPECT_EQ(check({.path = "/b", .query = signed_one.substr(signed_one.find('&') + 1)}),
            "SignatureDoesNotMatch");
}

TEST(Sigv2Presigned, EveryPartOfTheRequestCounts) {
  Request changed = kGet;
  changed.method = "DELETE";
  EXPECT_EQ(check(changed), "SignatureDoesNotMatch");
  changed = kGet;
  changed.path += "x";
  EXPECT_EQ(check(changed), "SignatureDoesNotMatch");
  changed = kGet;
  changed.query += "&acl";
  EXPECT_EQ(check(changed), "SignatureDoesNotMatch");
  changed = kGet;
  changed.query.replace(changed.query.find("7757"), 4, "9999");
  EXPECT_EQ(check(changed), "SignatureDoesNotMatch");
}

TEST(Sigv2Presigned, MalformedOnesAreRefused) {
  const auto of = [](std::string query) { return check({.path = "/b/k", .query = query}); };
  EXPECT_EQ(of("acl"), "none");
  const std::string good = kGet.query;
  EXPECT_EQ(of("AWSAccessKeyId=test"), "AccessDenied");
  EXPECT_EQ(of("AWSAccessKeyId=&Signature=zWBr41wzCAhMF%2BGVjHkK1eaPvHs%3D&Expires=1"),
            "AccessDenied");
  EXPECT_EQ(of("AWSAccessKeyId=test&Signature=abc&Expires=1"), "AccessDenied");
  EXPECT_EQ(of(good + "x"), "AccessDenied");
  EXPECT_EQ(of(good + "&Expires=1795467757"), "AccessDenied");
  EXPECT_EQ(of(good + "&x=%zz"), "AccessDenied");
  EXPECT_EQ(of(good + "&X-Amz-Algorithm=AWS4-HMAC-SHA256"), "InvalidArgument");
  Request header = kGet;
  header.headers = {{"Authorization", "AWS4-HMAC-SHA256 x"}};
  EXPECT_EQ(check(header), "InvalidArgument");
}

}  // namespace
}  // namespace aws
