#include "lib/aws/sigv4.h"

#include <gtest/gtest.h>

#include "lib/aws/sigv4_testing.h"

// Expected signatures: AWS's Signature Version 4 test suite and the S3 documentation's examples;
// the cases named Botocore were signed once by botocore 1.43 at the same instant.
namespace aws {
namespace {

using namespace std::chrono_literals;
using namespace aws::testing;

TEST(Sigv4Suite, GetVanilla) {
  EXPECT_EQ(sign_case({}, kSuiteKey, kSuiteTime),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(Sigv4Suite, PostVanilla) {
  EXPECT_EQ(sign_case({.method = "POST"}, kSuiteKey, kSuiteTime),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

TEST(Sigv4Suite, QueryIsSortedByName) {
  EXPECT_EQ(sign_case({.target = "/?Param2=value2&Param1=value1"}, kSuiteKey, kSuiteTime),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

TEST(Sigv4Suite, HeadersOfOneNameAreJoined) {
  EXPECT_EQ(sign_case({.headers = {{"My-Header1", "value2"},
                                   {"My-Header1", "value2"},
                                   {"My-Header1", "value1"}}},
                      kSuiteKey, kSuiteTime),
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea");
}

TEST(Sigv4Suite, HeaderValuesAreTrimmedAndFolded) {
  EXPECT_EQ(sign_case({.headers = {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}},
                      kSuiteKey, kSuiteTime),
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

TEST(Sigv4Suite, DotSegmentsAreRemoved) {
  for (const std::string target : {"/example/..", "/./", "//", "/example1/example2/../.."}) {
    EXPECT_EQ(sign_case({.target = target}, kSuiteKey, kSuiteTime),
              "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
        << target;
  }
}

TEST(Sigv4Suite, SlashesAreMerged) {
  EXPECT_EQ(sign_case({.target = "//example//"}, kSuiteKey, kSuiteTime),
            "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84");
}

TEST(Sigv4Suite, PathsAreEncoded) {
  EXPECT_EQ(sign_case({.target = "/\u1234"}, kSuiteKey, kSuiteTime),
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");
  EXPECT_EQ(sign_case({.target = "/example space/"}, kSuiteKey, kSuiteTime),
            "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741");
  EXPECT_EQ(sign_case({.target = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz"},
                      kSuiteKey, kSuiteTime),
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f");
}

TEST(Sigv4S3Documentation, GetObjectWithRange) {
  EXPECT_EQ(sign_case({.host = "examplebucket.s3.amazonaws.com",
                       .target = "/test.txt",
                       .headers = {{"Range", "bytes=0-9"}},
                       .service = "s3"},
                      kS3Key, kS3Time),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(Sigv4S3Documentation, PutObjectWithDateHeader) {
  EXPECT_EQ(sign_case({.method = "PUT",
                       .host = "examplebucket.s3.amazonaws.com",
                       .target = "/test$file.text",
                       .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                                   {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                       .body = "Welcome to Amazon S3.",
                       .service = "s3"},
                      kS3Key, kS3Time),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(Sigv4S3Documentation, SubresourcesAndListing) {
  EXPECT_EQ(
      sign_case(
          {.host = "examplebucket.s3.amazonaws.com", .target = "/?lifecycle", .service = "s3"},
          kS3Key, kS3Time),
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(sign_case({.host = "examplebucket.s3.amazonaws.com",
                       .target = "/?max-keys=2&prefix=J",
                       .service = "s3"},
                      kS3Key, kS3Time),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(Sigv4S3Documentation, PresignedGet) {
  http::Url url;
  url.tls = true;
  url.host = "examplebucket.s3.amazonaws.com";
  url.port = 443;
  url.target = "/test.txt";
  const std::string target = presign("GET", url, kS3Key, "us-east-1", "s3", kS3Time, 86400s);
  EXPECT_TRUE(target.ends_with(
      "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"))
      << target;
  http::Headers headers;
  headers.add("Host", "examplebucket.s3.amazonaws.com");
  Received received("GET", target, headers);
  EXPECT_EQ(check(received, kS3Key, kS3Time + 86399s, "", true), "");
  EXPECT_EQ(check(received, kS3Key, kS3Time + 86400s, "", true),
            "AccessDenied: Request has expired");
  EXPECT_EQ(check(received, kS3Key, kS3Time - 15min, "", true), "");
  EXPECT_EQ(check(received, kS3Key, kS3Time - 16min, "", true),
            "AccessDenied: Request is not yet valid");
}

TEST(Sigv4S3Documentation, SignedChunks) {
  const std::string key = signing_key(kS3Key.secret_access_key, {"20130524", "us-east-1", "s3"});
  ChunkSigner signer(key, {"20130524", "us-east-1", "s3"}, kS3Time,
                     "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  EXPECT_EQ(signer.next(sha256(std::string(65536, 'a'))),
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
  EXPECT_EQ(signer.next(sha256(std::string(1024, 'a'))),
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
  EXPECT_EQ(signer.next(sha256("")),
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
}

TEST(Sigv4S3Documentation, SignedTrailer) {
  const std::string key = signing_key(kS3Key.secret_access_key, {"20130524", "us-east-1", "s3"});
  ChunkSigner signer(key, {"20130524", "us-east-1", "s3"}, kS3Time,
                     "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
  EXPECT_EQ(signer.next(sha256(std::string(65536, 'a'))),
            "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2");
  EXPECT_EQ(signer.next(sha256(std::string(1024, 'a'))),
            "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7");
  EXPECT_EQ(signer.next(sha256("")),
            "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992");
  EXPECT_EQ(signer.trailer("x-amz-checksum-crc32c:sOO8/Q==\n"),
            "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
}

}  // namespace
}  // namespace aws
