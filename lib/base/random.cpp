#include "lib/base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "lib/base/check.h"

namespace base {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string to_hex(std::span<const std::byte> bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    text += kHexDigits[std::to_integer<unsigned>(byte) >> 4];
    text += kHexDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

}  // namespace

std::uint64_t Random::next() {
  std::uint64_t value = 0;
  fill(std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  CHECK(bound > 0, "an empty range has no member");
  // Values past the last whole multiple of bound would favour small results: draw again.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t value = next();
  while (value >= limit) value = next();
  return value % bound;
}

std::string Random::hex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  fill(std::as_writable_bytes(std::span(raw)));
  return to_hex(std::as_bytes(std::span(raw)));
}

std::string Random::uuid() {
  std::byte bytes[16];
  fill(bytes);
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  const std::string hex = to_hex(bytes);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
         hex.substr(16, 4) + "-" + hex.substr(20);
}

std::string Random::text(std::size_t length, std::string_view alphabet) {
  std::string result(length, '\0');
  for (char& character : result) character = alphabet[below(alphabet.size())];
  return result;
}

void SystemRandom::fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    CHECK(got > 0, "the kernel's random generator does not fail");
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

void SeededRandom::fill(std::span<std::byte> bytes) {
  const std::lock_guard lock(mutex_);
  while (!bytes.empty()) {
    const std::uint64_t value = engine_();
    const std::size_t count = std::min(bytes.size(), sizeof value);
    std::memcpy(bytes.data(), &value, count);
    bytes = bytes.subspan(count);
  }
}

}  // namespace base
