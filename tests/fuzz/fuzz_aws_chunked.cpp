// aws-chunked bodies: nothing may crash the reader, it never gives more than the body holds, and
// what it says does not depend on how the bytes arrive. Input: a byte of options, then the body.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "lib/aws/chunked.h"
#include "lib/base/check.h"
#include "lib/base/encoding.h"
#include "lib/runtime/runtime.h"

namespace {

enum Option : std::uint8_t { kSigned = 1, kTrailer = 2, kLength = 4 };

class Pieces final : public http::BodyReader {
 public:
  Pieces(std::string_view bytes, std::size_t step) : rest_(bytes), step_(step) {}
  runtime::Task<base::Result<std::size_t>> read(std::span<char> into) override {
    const std::size_t count = std::min({into.size(), step_, rest_.size()});
    std::memcpy(into.data(), rest_.data(), count);
    rest_.remove_prefix(count);
    co_return count;
  }
  std::optional<std::uint64_t> length() const override { return rest_.size(); }

 private:
  std::string_view rest_;
  std::size_t step_;
};

aws::ChunkedOptions options_of(std::uint8_t flags) {
  const aws::Scope scope{"20130524", "us-east-1", "s3"};
  const base::Timestamp time = base::parse_iso8601_basic("20130524T000000Z").value();
  aws::ChunkedOptions options;
  if (flags & kSigned)
    options.signer.emplace(std::string(32, 'k'), scope, time, std::string(64, '0'));
  options.trailer = flags & kTrailer;
  if (flags & kLength) options.decoded_length = flags >> 3;
  if (options.trailer) options.announced = {"x-amz-checksum-crc32"};
  return options;
}

struct Outcome {
  std::string bytes;
  bool whole = false;
};

runtime::Task<void> read(std::string_view body, std::uint8_t flags, std::size_t step,
                         Outcome& outcome) {
  Pieces inner(body, step);
  const auto reader = aws::ChunkedReader::open(inner, options_of(flags));
  std::string into(step + 1, '\0');
  for (;;) {
    const auto got = co_await reader->read(into);
    if (!got) co_return;
    if (*got == 0) break;
    outcome.bytes.append(into, 0, *got);
  }
  outcome.whole = true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t flags = data[0];
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  Outcome at_once;
  Outcome by_bytes;
  runtime::block_on(read(body, flags, 1 << 16, at_once));
  runtime::block_on(read(body, flags, 1, by_bytes));
  CHECK(at_once.bytes.size() <= body.size(), "a body holds more than it decodes to");
  CHECK(at_once.whole == by_bytes.whole, "granularity does not matter");
  CHECK(!at_once.whole || at_once.bytes == by_bytes.bytes, "granularity does not matter");
  CHECK(!at_once.whole || !(flags & kLength) || at_once.bytes.size() == flags >> 3U,
        "the length is the declared one");
  return 0;
}
