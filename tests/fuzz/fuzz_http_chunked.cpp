// Chunked bodies: the same however they arrive, and never more than came. Input: a byte that says
// how the pieces are cut, then the body.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/check.h"
#include "lib/http/chunked.h"

namespace {

using http::ChunkedDecoder;

struct Outcome {
  std::string body;
  std::size_t consumed = 0;
  ChunkedDecoder::Kind end = ChunkedDecoder::Kind::NeedMore;
};

Outcome decode(std::string_view bytes, std::size_t step, std::size_t data_max) {
  ChunkedDecoder decoder;
  Outcome outcome;
  std::size_t given = std::min(step, bytes.size());
  for (;;) {
    const std::string_view input = bytes.substr(outcome.consumed, given - outcome.consumed);
    const auto piece = decoder.next(input, data_max);
    CHECK(piece.consumed <= input.size(), "within the input");
    CHECK(piece.data.size() <= piece.consumed && piece.data.size() <= data_max, "within what came");
    outcome.consumed += piece.consumed;
    outcome.body += piece.data;
    outcome.end = piece.kind;
    if (piece.kind == ChunkedDecoder::Kind::Data) {
      CHECK(!piece.data.empty(), "data is not nothing");
      continue;
    }
    if (piece.kind == ChunkedDecoder::Kind::Bad) CHECK(!piece.why.empty(), "a reason is given");
    if (piece.kind != ChunkedDecoder::Kind::NeedMore || given == bytes.size()) return outcome;
    CHECK(outcome.consumed == given, "all was taken before more is wanted");
    given = std::min(given + step, bytes.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = decode(bytes, bytes.size() + 1, bytes.size() + 1);
  const Outcome cut = decode(bytes, data[0] % 16 + 1, data[0] / 16 + 1);
  CHECK(whole.body == cut.body && whole.end == cut.end, "granularity does not matter");
  CHECK(whole.consumed == cut.consumed, "granularity does not matter");
  return 0;
}
