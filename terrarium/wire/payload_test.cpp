#include "terrarium/wire/payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generated/s3/model.h"
#include "terrarium/wire/router_fixture.h"

namespace terrarium::wire::testing {
namespace {

using ::testing::HasSubstr;

std::string base64_of(base::DigestKind kind, std::string_view text) {
  return base::base64_encode(base::digest(kind, text));
}

class S3Payload : public RouterTest {
 protected:
  S3Payload() {
    router_.add(EntryBuilder(s3::kModel)
                    .on_task<s3::PutObjectRequest, s3::PutObjectOutput>(
                        "PutObject",
                        [this](const Context& context, s3::PutObjectRequest input) {
                          input_ = std::move(input);
                          return put_object(this, context);
                        })
                    .on<s3::DeleteObjectsRequest, s3::DeleteObjectsOutput>(
                        "DeleteObjects",
                        [](const Context&, s3::DeleteObjectsRequest) {
                          return base::Result<s3::DeleteObjectsOutput>(s3::DeleteObjectsOutput{});
                        })
                    .on<s3::CompleteMultipartUploadRequest, s3::CompleteMultipartUploadOutput>(
                        "CompleteMultipartUpload",
                        [](const Context&, s3::CompleteMultipartUploadRequest) {
                          return base::Result<s3::CompleteMultipartUploadOutput>(
                              s3::CompleteMultipartUploadOutput{});
                        })
                    .build());
  }

  static runtime::Task<base::Result<s3::PutObjectOutput>> put_object(S3Payload* test,
                                                                     const Context& context) {
    test->stored_.reset();
    if (test->takes_over_) context.promised_body->take_over();
    std::string bytes;
    // Small pieces, and no read past the declared length: a service may stop there.
    char piece[7];
    while (bytes.size() < context.body->length().value_or(UINT64_MAX)) {
      CO_TRY(const std::size_t count, co_await context.body->read(piece));
      if (count == 0) break;
      bytes.append(piece, count);
    }
    if (test->takes_over_) CO_TRY_VOID(settle(*context.promised_body, bytes));
    test->stored_ = bytes;
    test->checksums_ = *context.trailers;
    co_return s3::PutObjectOutput{};
  }

  static base::Result<void> settle(PromisedBody& body, const std::string& bytes) {
    std::map<base::DigestKind, std::string> digests;
    for (const base::DigestKind kind : body.promised()) digests[kind] = base::digest(kind, bytes);
    return body.settle(
        [&digests](base::DigestKind kind) -> const std::string& { return digests.at(kind); });
  }

  using Fields = std::vector<std::pair<std::string, std::string>>;

  Received put(const std::string& body, Fields headers, std::string hash = {}) {
    return send(signed_for("s3", request("PUT", "/b/k", body, std::move(headers)), hash));
  }

  // Unsigned chunks of four bytes, then the trailer.
  static std::string chunked(std::string_view text, const std::string& trailer) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += 4) {
      const std::string_view piece = text.substr(at, 4);
      out += std::to_string(piece.size()) + "\r\n" + std::string(piece) + "\r\n";
    }
    return out + "0\r\n" + trailer + "\r\n";
  }

  Received put_chunked(const std::string& text, const std::string& trailer, Fields headers = {}) {
    headers.emplace_back("Content-Encoding", "aws-chunked");
    headers.emplace_back("X-Amz-Decoded-Content-Length", std::to_string(text.size()));
    return put(chunked(text, trailer), std::move(headers),
               std::string(aws::kStreamingUnsignedTrailer));
  }

  s3::PutObjectRequest input_;
  std::optional<std::string> stored_;
  http::Headers checksums_;
  bool takes_over_ = false;
};

TEST_F(S3Payload, PassesABodyWhoseHashIsRight) {
  EXPECT_EQ(put("hello world", {}).status, 200);
  EXPECT_EQ(stored_, "hello world");
  EXPECT_EQ(put("", {}).status, 200);
  EXPECT_EQ(stored_, "");
  EXPECT_EQ(put("hello", {}, std::string(aws::kUnsignedPayload)).status, 200);
}

TEST_F(S3Payload, RefusesABodyThatDoesNotFitItsHash) {
  const Received received = put("hello world", {}, sha256_hex("hello mars!"));
  EXPECT_EQ(received.status, 400);
  EXPECT_THAT(received.body, HasSubstr("<Code>XAmzContentSHA256Mismatch<"));
  EXPECT_THAT(received.body, HasSubstr("<S3ComputedContentSHA256>"));
  EXPECT_EQ(stored_, std::nullopt);
}

TEST_F(S3Payload, ChecksContentMd5) {
  const std::string right = base64_of(base::DigestKind::Md5, "hello");
  EXPECT_EQ(put("hello", {{"Content-MD5", right}}).status, 200);
  const Received wrong = put("hullo", {{"Content-MD5", right}});
  EXPECT_THAT(wrong.body, HasSubstr("<Code>BadDigest<"));
  EXPECT_THAT(put("hello", {{"Content-MD5", "xyz"}}).body, HasSubstr("<Code>InvalidDigest<"));
  EXPECT_THAT(put("hello", {{"Content-MD5", "AAAA"}}).body, HasSubstr("<Code>InvalidDigest<"));
}

TEST_F(S3Payload, ChecksEveryKindOfChecksumHeader) {
  const std::pair<const char*, base::DigestKind> kinds[] = {
      {"x-amz-checksum-crc32", base::DigestKind::Crc32},
      {"x-amz-checksum-crc32c", base::DigestKind::Crc32c},
      {"x-amz-checksum-sha1", base::DigestKind::Sha1},
      {"x-amz-checksum-sha256", base::DigestKind::Sha256},
      {"x-amz-checksum-crc64nvme", base::DigestKind::Crc64Nvme}};
  for (const auto& [name, kind] : kinds) {
    const std::string right = base64_of(kind, "hello");
    EXPECT_EQ(put("hello", {{name, right}}).status, 200) << name;
    EXPECT_EQ(checksums_.find(name), right);
    EXPECT_THAT(put("hullo", {{name, right}}).body, HasSubstr("<Code>BadDigest<")) << name;
    EXPECT_THAT(put("hello", {{name, "AAA="}}).body, HasSubstr("<Code>InvalidRequest<")) << name;
  }
}

TEST_F(S3Payload, RefusesChecksumsThatContradictEachOther) {
  const std::string crc32 = base64_of(base::DigestKind::Crc32, "hello");
  const std::string sha1 = base64_of(base::DigestKind::Sha1, "hello");
  EXPECT_EQ(put("hello", {{"x-amz-checksum-crc32", crc32}, {"x-amz-checksum-sha1", sha1}}).status,
            400);
  EXPECT_EQ(put("hello", {{"x-amz-sdk-checksum-algorithm", "CRC32"}}).status, 400);
  EXPECT_EQ(
      put("hello", {{"x-amz-sdk-checksum-algorithm", "SHA1"}, {"x-amz-checksum-crc32", crc32}})
          .status,
      400);
  EXPECT_EQ(put("hello", {{"x-amz-checksum-md9", crc32}}).status, 400);
}

TEST_F(S3Payload, DecodesUnsignedChunksAndChecksTheTrailer) {
  const std::string crc32 = base64_of(base::DigestKind::Crc32, "hello world");
  const Fields announced = {{"x-amz-trailer", "x-amz-checksum-crc32"},
                            {"x-amz-sdk-checksum-algorithm", "CRC32"}};
  const Received right =
      put_chunked("hello world", "x-amz-checksum-crc32:" + crc32 + "\r\n", announced);
  EXPECT_EQ(right.status, 200) << right.body;
  EXPECT_EQ(stored_, "hello world");
  EXPECT_EQ(checksums_.find("x-amz-checksum-crc32"), crc32);
  const Received wrong =
      put_chunked("hello mars!", "x-amz-checksum-crc32:" + crc32 + "\r\n", announced);
  EXPECT_THAT(wrong.body, HasSubstr("<Code>BadDigest<"));
  EXPECT_EQ(stored_, std::nullopt);
  EXPECT_EQ(put_chunked("hello world", "", announced).status, 400);
}

TEST_F(S3Payload, ComparesWhatAReaderDigestedInItsPlace) {
  takes_over_ = true;
  const std::string crc32 = base64_of(base::DigestKind::Crc32, "hello");
  const std::string md5 = base64_of(base::DigestKind::Md5, "hello");
  EXPECT_EQ(put("hello", {{"Content-MD5", md5}, {"x-amz-checksum-crc32", crc32}}).status, 200);
  EXPECT_EQ(checksums_.find("x-amz-checksum-crc32"), crc32);
  EXPECT_THAT(put("hello", {}, sha256_hex("hullo")).body,
              HasSubstr("<Code>XAmzContentSHA256Mismatch<"));
  EXPECT_THAT(put("hullo", {{"Content-MD5", md5}}).body, HasSubstr("<Code>BadDigest<"));
  EXPECT_THAT(put("hullo", {{"x-amz-checksum-crc32", crc32}}).body, HasSubstr("<Code>BadDigest<"));
  const Fields announced = {{"x-amz-trailer", "x-amz-checksum-crc32"}};
  const std::string trailer = "x-amz-checksum-crc32:" + crc32 + "\r\n";
  EXPECT_EQ(put_chunked("hello", trailer, announced).status, 200);
  EXPECT_THAT(put_chunked("hullo", trailer, announced).body, HasSubstr("<Code>BadDigest<"));
  EXPECT_EQ(stored_, std::nullopt);
}

TEST_F(S3Payload, WantsTheDecodedLengthOfChunks) {
  const Received received =
      put(chunked("hello", ""), {}, std::string(aws::kStreamingUnsignedTrailer));
  EXPECT_EQ(received.status, 411);
}

TEST_F(S3Payload, ChecksTheSignatureOfEveryChunk) {
  const std::string text = "hello world";
  for (const bool tampered : {false, true}) {
    Sent sent = signed_for(
        "s3",
        request("PUT", "/b/k", {}, {{"X-Amz-Decoded-Content-Length", std::to_string(text.size())}}),
        std::string(aws::kStreamingSigned));
    const std::string authorization(*sent.message.headers.find("Authorization"));
    const std::string seed = authorization.substr(authorization.find("Signature=") + 10);
    const aws::Scope scope{base::iso8601_basic(clock_.now()).substr(0, 8), "us-east-1", "s3"};
    aws::ChunkSigner signer(aws::signing_key("secret", scope), scope, clock_.now(), seed);
    sent.body = "b;chunk-signature=" + signer.next(sha256_hex(text)) + "\r\n" +
                (tampered ? "hello mars!" : text) + "\r\n";
    sent.body += "0;chunk-signature=" + signer.next(sha256_hex({})) + "\r\n\r\n";
    const Received received = send(sent);
    EXPECT_EQ(received.status, tampered ? 403 : 200) << received.body;
    EXPECT_EQ(stored_.has_value(), !tampered);
  }
}

TEST_F(S3Payload, ReadsHeadersThatAPresignedUrlCarries) {
  Sent sent = request("PUT", "/b/k", "hello");
  // The checksum is that of no bytes at all, as the JavaScript SDK presigns.
  sent.message.url.target =
      "/b/k?x-amz-acl=private&x-amz-meta-who=me&x-amz-sdk-checksum-algorithm=CRC32"
      "&x-amz-checksum-crc32=AAAAAA%3D%3D&x-id=PutObject";
  sent.message.url.target = aws::presign("PUT", sent.message.url, credentials_, region_, "s3",
                                         clock_.now(), std::chrono::seconds(60));
  const Received received = send(sent);
  EXPECT_EQ(received.status, 200) << received.body;
  EXPECT_EQ(stored_, "hello");
  EXPECT_EQ(input_.acl, "private");
  EXPECT_EQ(input_.metadata->at("who"), "me");
  EXPECT_FALSE(input_.checksum_crc32.has_value());
}

TEST_F(S3Payload, WantsAContentLength) {
  omit_length_ = true;
  const Received received = put("hello", {}, std::string(aws::kUnsignedPayload));
  EXPECT_EQ(received.status, 411);
  EXPECT_THAT(received.body, HasSubstr("<Code>MissingContentLength<"));
}

TEST_F(S3Payload, WantsAChecksumWhereS3Does) {
  const std::string body = "<Delete><Object><Key>k</Key></Object></Delete>";
  const auto call = [&](const Fields& headers) {
    return send(signed_for("s3", request("POST", "/b?delete", body, headers)));
  };
  EXPECT_THAT(call({}).body, HasSubstr("<Code>InvalidRequest<"));
  EXPECT_EQ(call({{"Content-MD5", base64_of(base::DigestKind::Md5, body)}}).status, 200);
  EXPECT_EQ(call({{"x-amz-checksum-crc32", base64_of(base::DigestKind::Crc32, body)}}).status, 200);
  EXPECT_THAT(call({{"x-amz-checksum-crc32", base64_of(base::DigestKind::Crc32, "x")}}).body,
              HasSubstr("<Code>BadDigest<"));
}

TEST_F(S3Payload, LeavesTheChecksumOfAWholeUploadToTheService) {
  const std::string body =
      "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>"
      "</CompleteMultipartUpload>";
  const Received received = send(signed_for(
      "s3", request("POST", "/b/k?uploadId=u", body,
                    {{"x-amz-checksum-crc32", base64_of(base::DigestKind::Crc32, "object")}})));
  EXPECT_EQ(received.status, 200) << received.body;
}

}  // namespace
}  // namespace terrarium::wire::testing
