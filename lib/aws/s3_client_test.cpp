#include "lib/aws/s3_client.h"

#include "lib/aws/endpoint.h"
#include "lib/aws/s3_error.h"
#include "lib/aws/sigv4.h"
#include "lib/aws/test_server.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"

namespace aws {
namespace {

using namespace std::chrono_literals;
using namespace aws::testing;

http::Headers fields(std::vector<http::Headers::Field> all) {
  http::Headers headers;
  for (auto& [name, value] : all) headers.add(name, value);
  return headers;
}

Reply error_reply(int status, const std::string& code) {
  return {status,
          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code +
              "</Code><Message>a &amp; b</Message></Error>",
          fields({{"Content-Type", "application/xml"}})};
}

struct Rig {
  TestServer server;
  CleanEnvironment environment{{{"AWS_ENDPOINT_URL_S3", server.url()}}};
  JumpingClock clock{server.clock().now()};
  base::SeededRandom random{1};
  std::unique_ptr<CredentialsProvider> keys =
      static_credentials({"AKIDEXAMPLE", "secret", "token", {}});
  S3Client s3{server.client(), *keys, clock, random, "us-east-1"};

  base::Result<Object> get(std::size_t bytes_max = 1024) {
    return server.run(s3.get_object("bucket", "a key", bytes_max, server.soon()));
  }
};

TEST(S3Client, PutSendsSignedAndCheckedBytes) {
  Rig rig;
  rig.server.replies = {{.status = 200}};
  Object object{"picture", "image/png", {{"author", "me"}}};
  const auto put =
      rig.server.run(rig.s3.put_object("bucket", "folder/a b.png", object, rig.server.soon()));
  ASSERT_TRUE(put.has_value()) << base::describe(put.error());
  ASSERT_EQ(rig.server.asked.size(), 1U);
  const Asked& asked = rig.server.asked[0];
  EXPECT_EQ(asked.method, "PUT");
  EXPECT_EQ(asked.target, "/bucket/folder/a%20b.png");
  EXPECT_EQ(asked.body, "picture");
  EXPECT_EQ(asked.headers.find("content-type"), "image/png");
  EXPECT_EQ(asked.headers.find("x-amz-meta-author"), "me");
  EXPECT_EQ(asked.headers.find("x-amz-checksum-crc32"),
            base::base64_encode(base::digest(base::DigestKind::Crc32, "picture")));

  // What arrived verifies, after a server of ours has taken it apart.
  http::HeaderViews views;
  for (const auto& [name, value] : asked.headers) views.add(name, value);
  const ReceivedRequest received{asked.method, asked.target, "", &views};
  const auto parsed = parse_authentication(received, true);
  ASSERT_TRUE(parsed.has_value() && parsed->has_value());
  EXPECT_EQ((*parsed)->session_token, "token");
  const std::string hash = base::hex_encode(base::digest(base::DigestKind::Sha256, asked.body));
  EXPECT_TRUE(
      verify(received, **parsed, signing_key("secret", (*parsed)->scope), hash, rig.clock.now())
          .has_value());
}

TEST(S3Client, GetReturnsBytesTypeAndMetadata) {
  Rig rig;
  rig.server.replies = {
      {200, "bytes", fields({{"Content-Type", "text/plain"}, {"X-Amz-Meta-Author", "me"}})}};
  const auto got = rig.get();
  ASSERT_TRUE(got.has_value()) << base::describe(got.error());
  EXPECT_EQ(got->bytes, "bytes");
  EXPECT_EQ(got->content_type, "text/plain");
  EXPECT_EQ(got->metadata.at("author"), "me");
  EXPECT_EQ(rig.server.asked[0].target, "/bucket/a%20key");
}

TEST(S3Client, MissingObjectIsNotFoundAndNotTriedAgain) {
  Rig rig;
  rig.server.replies = {error_reply(404, "NoSuchKey")};
  const auto got = rig.get();
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().kind, base::ErrorKind::NotFound);
  EXPECT_EQ(got.error().message, "S3 answered 404 NoSuchKey: a & b");
  EXPECT_EQ(rig.server.asked.size(), 1U);
}

TEST(S3Client, ObjectOverTheLimitIsTooLarge) {
  Rig rig;
  rig.server.replies = {{200, "12345", {}}};
  EXPECT_TRUE(rig.get(5).has_value());
  const auto got = rig.get(4);
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().kind, base::ErrorKind::TooLarge);
}

TEST(S3Client, ServerErrorsAreTriedAgain) {
  Rig rig;
  rig.server.replies = {
      error_reply(503, "SlowDown"), error_reply(500, "InternalError"), {200, "bytes", {}}};
  const auto got = rig.get();
  ASSERT_TRUE(got.has_value()) << base::describe(got.error());
  EXPECT_EQ(rig.server.asked.size(), 3U);
}

TEST(S3Client, GivesUpAfterThreeTries) {
  Rig rig;
  rig.server.replies = {error_reply(503, "ServiceUnavailable")};
  const auto got = rig.get();
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().kind, base::ErrorKind::Unavailable);
  EXPECT_EQ(rig.server.asked.size(), 3U);
}

TEST(S3Client, RefusalsAreNotTriedAgain) {
  Rig rig;
  for (const auto& [status, kind] :
       std::map<int, base::ErrorKind>{{403, base::ErrorKind::Denied},
                                      {400, base::ErrorKind::InvalidInput},
                                      {412, base::ErrorKind::Conflict},
                                      {501, base::ErrorKind::NotImplemented}}) {
    rig.server.asked.clear();
    rig.server.replies = {error_reply(status, "Refused")};
    const auto got = rig.get();
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().kind, kind) << status;
    EXPECT_EQ(rig.server.asked.size(), 1U) << status;
  }
}

TEST(S3Client, HeadSaysWhetherTheObjectIsThere) {
  Rig rig;
  const auto head = [&rig] {
    return rig.server.run(rig.s3.head_object("bucket", "key", rig.server.soon()));
  };
  rig.server.replies = {{200, "", fields({{"Content-Length", "100000000"}})}};
  EXPECT_EQ(head().value(), true);
  rig.server.replies = {{.status = 404}};
  EXPECT_EQ(head().value(), false);
  rig.server.replies = {{.status = 403}};
  const auto denied = head();
  ASSERT_FALSE(denied.has_value());
  EXPECT_EQ(denied.error().kind, base::ErrorKind::Denied);
}

TEST(S3Client, NobodyListeningIsUnavailable) {
  Rig rig;
  rig.environment.set("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1");
  const auto got = rig.get();
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().kind, base::ErrorKind::Unavailable);
}

TEST(S3Client, RefusesWhatItCannotSendFaithfully) {
  Rig rig;
  const auto put = [&rig](std::string bucket, std::string key, Object object) {
    return rig.server.run(rig.s3.put_object(bucket, key, object, rig.server.soon()));
  };
  EXPECT_FALSE(put("bucket", "", {}).has_value());
  EXPECT_FALSE(put("Not A Bucket", "key", {}).has_value());
  EXPECT_FALSE(put("bucket", "key", {"", "", {{"Upper", "x"}}}).has_value());
  EXPECT_FALSE(put("bucket", "key", {"", "", {{"name", "caf\xc3\xa9"}}}).has_value());
  EXPECT_FALSE(put("bucket", "key", {"", "a/b\r\nx: y", {}}).has_value());
  EXPECT_TRUE(rig.server.asked.empty());
}

TEST(S3Error, TextIsTakenFromTheFirstElementOfThatName) {
  EXPECT_EQ(xml_text("<a><Code>x&lt;&#1;</Code><Code>y</Code></a>", "Code"), "x<&#1;");
  EXPECT_EQ(xml_text("<Code>cut", "Code"), "cut");
  EXPECT_EQ(xml_text("no xml", "Code"), "");
  EXPECT_EQ(s3_error(400, "").message, "S3 answered 400");
  EXPECT_EQ(s3_error(400, "<Code>RequestTimeout</Code>").kind, base::ErrorKind::Unavailable);
}

}  // namespace
}  // namespace aws
