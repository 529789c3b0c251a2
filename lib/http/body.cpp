#include "lib/http/body.h"

#include <algorithm>
#include <cstring>

namespace http {
namespace {

class MemoryBody final : public BodyReader {
 public:
  explicit MemoryBody(std::string bytes) : bytes_(std::move(bytes)) {}

  runtime::Task<base::Result<std::size_t>> read(std::span<char> into) override {
    const std::size_t count = std::min(into.size(), bytes_.size() - at_);
    std::memcpy(into.data(), bytes_.data() + at_, count);
    at_ += count;
    co_return count;
  }

  std::optional<std::uint64_t> length() const override { return bytes_.size(); }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

constexpr std::size_t kReadBytes = 64 * 1024;

}  // namespace

runtime::Task<base::Result<std::string>> read_all(BodyReader& body, std::size_t bytes_max) {
  std::string bytes;
  const auto too_large = [bytes_max] {
    return base::fail(base::ErrorKind::TooLarge,
                      "The body is larger than " + std::to_string(bytes_max) + " bytes.");
  };
  if (body.length().value_or(0) > bytes_max) co_return too_large();
  for (;;) {
    const std::size_t had = bytes.size();
    // One byte more than allowed, so that a body of unknown length shows itself too large.
    bytes.resize(std::min(had + kReadBytes, bytes_max + 1));
    CO_TRY(const std::size_t count,
           co_await body.read(std::span(bytes.data() + had, bytes.size() - had)));
    bytes.resize(had + count);
    if (count == 0) co_return bytes;
    if (bytes.size() > bytes_max) co_return too_large();
  }
}

std::unique_ptr<BodyReader> body_of(std::string bytes) {
  return std::make_unique<MemoryBody>(std::move(bytes));
}

}  // namespace http
