// Randomness, injected: SystemRandom for the region, SeededRandom so that a failing simulation can
// be run again from the seed that it printed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <random>
#include <span>
#include <string>

namespace base {

class Random {
 public:
  virtual ~Random() = default;
  // Any thread may call.
  virtual void fill(std::span<std::byte> bytes) = 0;

  std::uint64_t next();
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // `bytes` random bytes as lower-case hex: twice as many characters.
  std::string hex(std::size_t bytes);
  // A version 4 UUID: what AWS uses for request ids, message ids, receipt handles.
  std::string uuid();
  // `length` characters of `alphabet`.
  std::string text(std::size_t length, std::string_view alphabet);
};

// The kernel's generator: fit for secrets.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> bytes) override;
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::byte> bytes) override;

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace base
