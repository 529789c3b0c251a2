// multipart/form-data: nothing may crash the parser, it never gives more than the body holds, and
// what it says does not depend on how the bytes arrive. Input: the body; its boundary is "XX".
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/check.h"
#include "messageboard/api/multipart.h"

namespace {

using messageboard::MultipartParser;

// Writes down all that it is told.
class Witness final : public messageboard::PartSink {
 public:
  std::optional<std::string> on_part(messageboard::PartHead head) override {
    said += "[" + head.name + "|" + head.filename.value_or("-") + "]";
    return std::nullopt;
  }
  std::optional<std::string> on_data(std::string_view data) override {
    CHECK(!data.empty(), "nothing is not worth a call");
    bytes += data.size();
    said += data;
    return std::nullopt;
  }
  std::optional<std::string> on_part_end() override {
    said += "[end]";
    return std::nullopt;
  }

  std::string said;
  std::size_t bytes = 0;
};

struct Outcome {
  std::string said;
  bool finished = false;
  bool broken = false;
};

Outcome parse(std::string_view body, std::size_t step) {
  MultipartParser parser("XX", {.head_bytes_max = 1024, .parts_max = 50});
  Witness witness;
  const std::size_t whole = body.size();
  bool broken = false;
  while (!body.empty() && !broken) {
    const std::string_view piece = body.substr(0, step);
    body.remove_prefix(piece.size());
    broken = !parser.feed(piece, witness);
  }
  CHECK(witness.bytes <= whole, "data comes from the body");
  return {witness.said, parser.finished(), broken};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const Outcome whole = parse(body, size + 1);
  for (const std::size_t step : {1, 3, 64}) {
    const Outcome pieces = parse(body, step);
    // A part's head that is too long is noticed sooner or later, so only whole forms compare.
    if (whole.broken || pieces.broken) continue;
    CHECK(pieces.finished == whole.finished, "the end does not depend on the pieces");
    if (whole.finished) CHECK(pieces.said == whole.said, "nor do the parts");
  }
  (void)messageboard::header_option(body, "boundary");
  return 0;
}
