#include "lib/aws/chunked.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "lib/runtime/runtime.h"

namespace aws {
namespace {

const Scope kScope{"20130524", "us-east-1", "s3"};
const base::Timestamp kTime = base::parse_iso8601_basic("20130524T000000Z").value();
const std::string kSeed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

ChunkSigner signer(const std::string& seed = kSeed) {
  return ChunkSigner(signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", kScope), kScope, kTime,
                     seed);
}

std::string sha256(std::string_view text) {
  return base::hex_encode(base::digest(base::DigestKind::Sha256, text));
}

// Gives at most `step` bytes a read, as a network does.
class Dribble final : public http::BodyReader {
 public:
  Dribble(std::string bytes, std::size_t step) : bytes_(std::move(bytes)), step_(step) {}
  runtime::Task<base::Result<std::size_t>> read(std::span<char> into) override {
    const std::size_t count = std::min({into.size(), step_, bytes_.size() - at_});
    std::memcpy(into.data(), bytes_.data() + at_, count);
    at_ += count;
    co_return count;
  }
  std::optional<std::uint64_t> length() const override { return bytes_.size(); }

 private:
  std::string bytes_;
  std::size_t step_;
  std::size_t at_ = 0;
};

struct Outcome {
  std::string bytes;
  std::optional<base::Error> error;
  http::Headers trailers;
  bool ended_again = false;  // a second read after the end or error says the same

  std::string code() const { return error ? std::string(error->row->code) : "ok"; }
};

runtime::Task<void> drain(std::string wire, ChunkedOptions options, std::size_t step,
                          std::size_t piece, Outcome& outcome) {
  Dribble inner(std::move(wire), step);
  const auto reader = ChunkedReader::open(inner, std::move(options));
  std::string into(piece, '\0');
  for (;;) {
    const auto got = co_await reader->read(into);
    if (!got) outcome.error = got.error();
    if (!got || *got == 0) break;
    outcome.bytes.append(into, 0, *got);
  }
  const auto again = co_await reader->read(into);
  outcome.ended_again =
      again.has_value() ? !outcome.error && *again == 0 : outcome.error.has_value();
  outcome.trailers = reader->trailers();
}

Outcome decode(std::string wire, ChunkedOptions options, std::size_t step = 1 << 20,
               std::size_t piece = 1 << 16) {
  Outcome outcome;
  runtime::block_on(drain(std::move(wire), std::move(options), step, piece, outcome));
  EXPECT_TRUE(outcome.ended_again);
  return outcome;
}

std::string signed_chunk(ChunkSigner& by, std::string_view data) {
  return fmt::format("{:x};chunk-signature={}\r\n{}{}", data.size(), by.next(sha256(data)), data,
                     data.empty() ? "" : "\r\n");
}

std::string signed_body(const std::vector<std::string>& chunks) {
  ChunkSigner by = signer();
  std::string wire;
  for (const std::string& chunk : chunks) wire += signed_chunk(by, chunk);
  return wire + signed_chunk(by, "") + "\r\n";
}

// AWS's documented upload: 65536 + 1024 times 'a'.
std::string documented_body() {
  return "10000;chunk-signature="
         "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
         std::string(65536, 'a') +
         "\r\n400;chunk-signature="
         "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
         std::string(1024, 'a') +
         "\r\n0;chunk-signature="
         "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
}

ChunkedOptions signed_options(std::optional<std::uint64_t> length = std::nullopt) {
  return {.signer = signer(), .trailer = false, .decoded_length = length, .announced = {}};
}

ChunkedOptions unsigned_options(std::vector<std::string> announced = {},
                                std::optional<std::uint64_t> length = std::nullopt) {
  return {.signer = std::nullopt,
          .trailer = true,
          .decoded_length = length,
          .announced = std::move(announced)};
}

const std::string kUnsignedBody =
    "5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";

TEST(AwsChunked, DocumentedUploadIsDecodedAtAnyGranularity) {
  EXPECT_EQ(documented_body().size(), 66824U);
  for (const std::size_t step : {1UL, 2UL, 7UL, 100UL, 8191UL, 8192UL, 65536UL, 1UL << 20}) {
    for (const std::size_t piece : {1UL, 13UL, 4096UL, 1UL << 20}) {
      if (step * piece == 1) continue;
      const Outcome outcome = decode(documented_body(), signed_options(66560), step, piece);
      ASSERT_EQ(outcome.code(), "ok") << step << ' ' << piece;
      ASSERT_EQ(outcome.bytes, std::string(66560, 'a'));
    }
  }
}

TEST(AwsChunked, EmptyBodyIsOneLastChunk) {
  const Outcome outcome = decode(signed_body({}), signed_options(0));
  EXPECT_EQ(outcome.code(), "ok");
  EXPECT_EQ(outcome.bytes, "");
}

TEST(AwsChunked, EveryFlippedByteIsRefused) {
  const std::string good = signed_body({"first chunk", "second"});
  ASSERT_EQ(decode(good, signed_options(17)).code(), "ok");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_NE(decode(bad, signed_options()).code(), "ok") << "byte " << i;
  }
}

TEST(AwsChunked, EveryShortenedBodyIsRefused) {
  for (const std::string& good : {signed_body({"first chunk", "second"})}) {
    for (std::size_t size = 0; size < good.size(); ++size) {
      EXPECT_NE(decode(good.substr(0, size), signed_options()).code(), "ok") << size;
    }
  }
  for (std::size_t size = 0; size < kUnsignedBody.size(); ++size) {
    EXPECT_NE(
        decode(kUnsignedBody.substr(0, size), unsigned_options({"x-amz-checksum-crc32"})).code(),
        "ok")
        << size;
  }
}

TEST(AwsChunked, TamperedDataIsDenied) {
  std::string wire = documented_body();
  wire[40000] = 'b';
  const Outcome outcome = decode(wire, signed_options(66560));
  EXPECT_EQ(outcome.code(), "SignatureDoesNotMatch");
  EXPECT_EQ(outcome.error->kind, base::ErrorKind::Denied);
  EXPECT_LT(outcome.bytes.size(), 65536U);
}

TEST(AwsChunked, ChunksInAnotherOrderAreDenied) {
  ChunkSigner by = signer();
  const std::string first = signed_chunk(by, "one");
  const std::string second = signed_chunk(by, "two");
  const std::string last = signed_chunk(by, "");
  EXPECT_EQ(decode(first + second + last + "\r\n", signed_options()).code(), "ok");
  EXPECT_EQ(decode(second + first + last + "\r\n", signed_options()).code(),
            "SignatureDoesNotMatch");
  EXPECT_EQ(decode(first + last + "\r\n", signed_options()).code(), "SignatureDoesNotMatch");
}

TEST(AwsChunked, WrongDecodedLengthIsRefused) {
  EXPECT_EQ(decode(documented_body(), signed_options(66559)).code(), "IncompleteBody");
  EXPECT_EQ(decode(documented_body(), signed_options(66561)).code(), "IncompleteBody");
  EXPECT_EQ(decode(documented_body(), signed_options(0)).code(), "IncompleteBody");
}

TEST(AwsChunked, BytesAfterTheEndAreRefused) {
  EXPECT_EQ(decode(documented_body() + "x", signed_options()).code(), "InvalidRequest");
  EXPECT_EQ(decode(kUnsignedBody + "0\r\n\r\n", unsigned_options({"x-amz-checksum-crc32"})).code(),
            "InvalidRequest");
}

TEST(AwsChunked, BrokenFramingIsRefused) {
  for (const std::string wire :
       {"x\r\n", "-1\r\na\r\n", "+1\r\na\r\n", " 1\r\na\r\n", "0x1\r\na\r\n", "1 \r\na\r\n",
        "1\na\r\n", "1\r\nab\r\n", "1;a=b\r\na\r\n", "\r\n", "1000001\r\n",
        "ffffffffffffffffffff\r\n", "1\r\na\n0\r\n\r\n", "1\r\na\r\n0\r\n\n",
        "00000000000000000000000000000000000000000000000000"
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000000001\r"
        "\n"}) {
    EXPECT_EQ(decode(wire, unsigned_options()).code(), "InvalidRequest") << wire;
  }
  EXPECT_EQ(decode("1\r\na\r\n0\r\n\r\n", unsigned_options()).code(), "ok");
  EXPECT_EQ(decode("1\r\na\r\n0\r\n\r\n", signed_options()).code(), "InvalidRequest");
}

TEST(AwsChunked, UnsignedTrailerIsHandedOver) {
  for (const std::size_t step : {1UL, 3UL, 1000UL}) {
    const Outcome outcome =
        decode(kUnsignedBody, unsigned_options({"x-amz-checksum-crc32"}, 11), step, 4);
    EXPECT_EQ(outcome.code(), "ok");
    EXPECT_EQ(outcome.bytes, "hello world");
    EXPECT_EQ(outcome.trailers.find("X-Amz-Checksum-Crc32"), "DUoRhQ==");
  }
}

TEST(AwsChunked, TrailersMustBeTheAnnouncedOnes) {
  EXPECT_EQ(decode(kUnsignedBody, unsigned_options({})).code(), "MalformedTrailerError");
  EXPECT_EQ(decode(kUnsignedBody, unsigned_options({"x-amz-checksum-sha1"})).code(),
            "MalformedTrailerError");
  EXPECT_EQ(decode("0\r\n\r\n", unsigned_options({"x-amz-checksum-crc32"})).code(),
            "MalformedTrailerError");
  EXPECT_EQ(decode("0\r\na:1\r\na:1\r\n\r\n", unsigned_options({"a"})).code(),
            "MalformedTrailerError");
  EXPECT_EQ(decode("0\r\na\r\n\r\n", unsigned_options({"a"})).code(), "MalformedTrailerError");
}

// AWS's documented trailer example.
std::string documented_trailer_body(std::string_view checksum, std::string_view signature) {
  return "10000;chunk-signature="
         "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" +
         std::string(65536, 'a') +
         "\r\n400;chunk-signature="
         "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" +
         std::string(1024, 'a') +
         "\r\n0;chunk-signature="
         "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n" +
         fmt::format("x-amz-checksum-crc32c:{}\r\n", checksum) +
         (signature.empty() ? "" : fmt::format("x-amz-trailer-signature:{}\r\n", signature)) +
         "\r\n";
}

TEST(AwsChunked, SignedTrailerIsVerified) {
  const std::string_view right = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435";
  const auto outcome_of = [](const std::string& wire) {
    return decode(wire, {.signer = signer(
                             "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"),
                         .trailer = true,
                         .decoded_length = 66560,
                         .announced = {"x-amz-checksum-crc32c"}})
        .code();
  };
  EXPECT_EQ(outcome_of(documented_trailer_body("sOO8/Q==", right)), "ok");
  EXPECT_EQ(outcome_of(documented_trailer_body("sOO8/A==", right)), "SignatureDoesNotMatch");
  EXPECT_EQ(outcome_of(documented_trailer_body("sOO8/Q==", "")), "SignatureDoesNotMatch");
  EXPECT_EQ(outcome_of(documented_trailer_body("sOO8/Q==", std::string(64, '0'))),
            "SignatureDoesNotMatch");
}

}  // namespace
}  // namespace aws
