#include <gtest/gtest.h>

#include <atomic>

#include "lib/base/clock.h"
#include "lib/base/crc.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "lib/base/random.h"
#include "lib/base/result.h"

namespace base {
namespace {

TEST(Encoding, Base64RoundTripsEveryLengthAndRefusesStrayInput) {
  SeededRandom random(1);
  for (std::size_t length = 0; length < 70; ++length) {
    const std::string bytes = *hex_decode(random.hex(length));
    EXPECT_EQ(*base64_decode(base64_encode(bytes)), bytes);
  }
  EXPECT_EQ(base64_encode("hello"), "aGVsbG8=");
  for (const std::string_view wrong :
       {"a", "aGVsbG8", "aGVsbG9=", "aG=sbG8=", "aGVs bG8", "===="}) {
    EXPECT_FALSE(base64_decode(wrong).has_value()) << wrong;
  }
}

TEST(Encoding, PercentDecodingRefusesBrokenEscapes) {
  EXPECT_EQ(percent_encode("a b/ü~"), "a%20b%2F%C3%BC~");
  EXPECT_EQ(percent_encode_path("a b/c"), "a%20b/c");
  EXPECT_EQ(*percent_decode("a%20b+c%2f"), "a b+c/");
  EXPECT_EQ(*percent_decode("a+b", true), "a b");
  for (const std::string_view wrong : {"%", "%2", "%2g", "a%"}) {
    EXPECT_FALSE(percent_decode(wrong).has_value()) << wrong;
  }
  EXPECT_EQ(*percent_decode("%41"), "A");
}

TEST(Encoding, TimesPrintAndParse) {
  const Timestamp time = *parse_iso8601("2023-04-29T16:19:51.250Z");
  EXPECT_EQ(iso8601(time), "2023-04-29T16:19:51.250Z");
  EXPECT_EQ(iso8601(time, 0), "2023-04-29T16:19:51Z");
  EXPECT_EQ(iso8601_basic(time), "20230429T161951Z");
  EXPECT_EQ(http_date(time), "Sat, 29 Apr 2023 16:19:51 GMT");
  EXPECT_EQ(*parse_iso8601_basic("20230429T161951Z") + 250ms, time);
  EXPECT_EQ(*parse_http_date("Sat, 29 Apr 2023 16:19:51 GMT") + 250ms, time);
  EXPECT_EQ(*parse_http_date("Saturday, 29-Apr-23 16:19:51 GMT") + 250ms, time);
  EXPECT_EQ(*parse_http_date("Sat Apr 29 16:19:51 2023") + 250ms, time);
  EXPECT_EQ(http_date(*parse_http_date("Sun Nov  6 08:49:37 1994")),
            "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_FALSE(parse_http_date("Sat Apr 29 16:19:51 2023 GMT").has_value());
  EXPECT_FALSE(parse_http_date("Sat, 29-Apr-2023 16:19:51 GMT").has_value());
  EXPECT_EQ(*parse_iso8601("2023-04-29T18:19:51.25+02:00"), time);
  for (const std::string_view wrong :
       {"", "2023-02-30T00:00:00Z", "2023-04-29T16:19:51", "2023-04-29T16:19:51.Z",
        "2023-04-29T25:19:51Z", "-023-04-29T16:19:51Z"}) {
    EXPECT_FALSE(parse_iso8601(wrong).has_value()) << wrong;
  }
}

TEST(Digest, KnownAnswers) {
  EXPECT_EQ(hex_encode(digest(DigestKind::Md5, "hello")), "5d41402abc4b2a76b9719d911017c592");
  EXPECT_EQ(hex_encode(digest(DigestKind::Sha256, "")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_encode(digest(DigestKind::Crc32, "123456789")), "cbf43926");
  EXPECT_EQ(hex_encode(digest(DigestKind::Crc32c, "123456789")), "e3069283");
  EXPECT_EQ(hex_encode(digest(DigestKind::Crc64Nvme, "123456789")), "ae8b14860a799888");
}

// Lengths and starts around every boundary of the folding: 16, 64 and odd ends.
TEST(Crc, FoldingGivesWhatTablesGive) {
  SeededRandom random(11);
  std::string bytes;
  while (bytes.size() < 1024) bytes.push_back(static_cast<char>(random.next() & 255));
  for (std::size_t size = 0; size <= 300; ++size) {
    const std::string_view piece = std::string_view(bytes).substr(size % 17, size);
    const std::uint64_t before = random.next();
    const auto half = static_cast<std::uint32_t>(before);
    EXPECT_EQ(crc::update_crc32(half, piece), crc::update_crc32_by_table(half, piece)) << size;
    EXPECT_EQ(crc::update_crc32c(half, piece), crc::update_crc32c_by_table(half, piece)) << size;
    EXPECT_EQ(crc::update_crc64nvme(before, piece), crc::update_crc64nvme_by_table(before, piece))
        << size;
  }
  EXPECT_EQ(crc::update_crc32(0, bytes), crc::update_crc32_by_table(0, bytes));
}

TEST(Digest, PiecesGiveTheSameAsTheWhole) {
  const std::string text = "The quick brown fox jumps over the lazy dog, twice.";
  for (const DigestKind kind : {DigestKind::Md5, DigestKind::Sha1, DigestKind::Sha256,
                                DigestKind::Crc32, DigestKind::Crc32c, DigestKind::Crc64Nvme}) {
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      Digest running(kind);
      running.update(std::string_view(text).substr(0, cut));
      running.update(std::string_view(text).substr(cut));
      EXPECT_EQ(running.finish(), digest(kind, text));
    }
  }
}

TEST(Random, SameSeedSameSequenceAndUuidsAreVersion4) {
  SeededRandom one(42);
  SeededRandom two(42);
  EXPECT_EQ(one.uuid(), two.uuid());
  const std::string uuid = SystemRandom().uuid();
  ASSERT_EQ(uuid.size(), 36U);
  EXPECT_EQ(uuid[14], '4');
  for (int i = 0; i < 1000; ++i) EXPECT_LT(one.below(7), 7U);
}

TEST(SystemClock, TimersFireOnceAndCancelledOnesNever) {
  std::mutex mutex;
  std::condition_variable fired;
  std::atomic<int> cancelled_ran = 0;
  int ran = 0;
  SystemClock clock;
  const TimerId cancelled = clock.call_at(clock.now() + 1h, [&] { ++cancelled_ran; });
  EXPECT_TRUE(clock.cancel(cancelled));
  EXPECT_FALSE(clock.cancel(cancelled));
  clock.call_at(clock.now() + 1ms, [&] {
    const std::lock_guard lock(mutex);
    ++ran;
    fired.notify_one();
  });
  std::unique_lock lock(mutex);
  EXPECT_TRUE(fired.wait_for(lock, 10s, [&] { return ran == 1; }));
  EXPECT_EQ(cancelled_ran, 0);
}

Result<int> half(int value) {
  if (value % 2 != 0) return fail(ErrorKind::InvalidInput, "odd");
  return value / 2;
}

Result<int> quarter(int value) {
  TRY(const int halved, half(value));
  return half(halved);
}

TEST(Result, TryReturnsTheFirstFailureAndWrapKeepsIt) {
  EXPECT_EQ(*quarter(8), 2);
  const auto failed = quarter(6);
  ASSERT_FALSE(failed.has_value());
  const Error wrapped = wrap(failed.error(), "quartering 6");
  EXPECT_EQ(wrapped.message, "odd");
  EXPECT_EQ(wrapped.kind, ErrorKind::InvalidInput);
  EXPECT_NE(describe(wrapped).find("quartering 6"), std::string::npos);
  EXPECT_NE(describe(wrapped).find("odd"), std::string::npos);
}

}  // namespace
}  // namespace base
