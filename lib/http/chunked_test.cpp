#include "lib/http/chunked.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace http {
namespace {

struct Decoded {
  std::string body;
  ChunkedDecoder::Kind end = ChunkedDecoder::Kind::NeedMore;
  std::size_t consumed = 0;
};

// Feeds `bytes` in pieces of `step`.
Decoded decode(std::string_view bytes, std::size_t step = 1 << 20, std::size_t data_max = 1 << 20) {
  ChunkedDecoder decoder;
  Decoded decoded;
  std::size_t given = std::min(step, bytes.size());
  for (;;) {
    const auto piece =
        decoder.next(bytes.substr(decoded.consumed, given - decoded.consumed), data_max);
    decoded.consumed += piece.consumed;
    decoded.body += piece.data;
    decoded.end = piece.kind;
    if (piece.kind == ChunkedDecoder::Kind::Data) continue;
    if (piece.kind != ChunkedDecoder::Kind::NeedMore || given == bytes.size()) return decoded;
    given = std::min(given + step, bytes.size());
  }
}

TEST(ChunkedBody, IsTheSameHoweverItArrives) {
  const std::string bytes =
      "4\r\nWiki\r\n6;ext=\"a b\"\r\npedia \r\n00E\r\nin \r\n\r\nchunks.\r\n0\r\n\r\nGET /";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    for (const std::size_t data_max : {1, 3, 1000}) {
      const Decoded decoded = decode(bytes, step, data_max);
      EXPECT_EQ(decoded.body, "Wikipedia in \r\n\r\nchunks.") << step;
      EXPECT_EQ(decoded.end, ChunkedDecoder::Kind::End);
      EXPECT_EQ(bytes.substr(decoded.consumed), "GET /");
    }
  }
}

TEST(ChunkedBody, EveryPrefixWantsMoreBytes) {
  const std::string bytes = "3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n";
  for (std::size_t count = 0; count < bytes.size(); ++count) {
    const auto end = decode(std::string_view(bytes).substr(0, count)).end;
    EXPECT_EQ(end, ChunkedDecoder::Kind::NeedMore) << count;
  }
}

TEST(ChunkedBody, TrailersAreCheckedAndDropped) {
  const Decoded decoded = decode("1\r\na\r\n0\r\nX-Sum: 1\r\nY:\r\n\r\n");
  EXPECT_EQ(decoded.body, "a");
  EXPECT_EQ(decoded.end, ChunkedDecoder::Kind::End);
}

TEST(ChunkedBody, BrokenFramingIsRefused) {
  for (const char* bytes : {"\r\n",
                            "g\r\n",
                            " 1\r\na\r\n",
                            "1 \r\na\r\n",
                            "-1\r\n",
                            "0x1\r\na",
                            "1\na\r\n",
                            "1\r\nab\r\n",
                            "1\r\na\n0\r\n\r\n",
                            "1\r\na\r\n\r\n",
                            "1\r\na0\r\n\r\n",
                            "1;a\x01\r\na",
                            "1;a\n\r\na\r\n",
                            "1\r\r\na",
                            "0\r\n\n",
                            "0\r\n\rX",
                            "0\r\n x: y\r\n\r\n",
                            "0\r\nno colon\r\n\r\n",
                            "0\r\nA: b\nC: d\r\n\r\n",
                            "0\r\n: x\r\n\r\n",
                            "1000000000000000\r\n",
                            "ffffffffffffffffffff1\r\n"}) {
    EXPECT_EQ(decode(bytes).end, ChunkedDecoder::Kind::Bad) << bytes;
    EXPECT_EQ(decode(bytes, 1).end, ChunkedDecoder::Kind::Bad) << bytes;
  }
}

TEST(ChunkedBody, StaysBrokenOnceBroken) {
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.next("x", 10).kind, ChunkedDecoder::Kind::Bad);
  EXPECT_EQ(decoder.next("0\r\n\r\n", 10).kind, ChunkedDecoder::Kind::Bad);
}

TEST(ChunkedBody, ExtensionsAndTrailersAreBounded) {
  EXPECT_EQ(decode("1;" + std::string(300, 'x') + "\r\na\r\n").end, ChunkedDecoder::Kind::Bad);
  EXPECT_EQ(decode(std::string(300, '0') + "1\r\na\r\n").end, ChunkedDecoder::Kind::Bad);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 2000; ++i) trailers += "A: b\r\n";
  EXPECT_EQ(decode(trailers).end, ChunkedDecoder::Kind::Bad);
}

}  // namespace
}  // namespace http
