#include "lib/base/crc.h"

#include <array>
#include <cstring>
#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace base::crc {
namespace {

constexpr std::uint32_t kCrc32 = 0xEDB88320U;
constexpr std::uint32_t kCrc32c = 0x82F63B78U;
constexpr std::uint64_t kCrc64Nvme = 0x9A6C9329AC4BC9B5ULL;

// Eight bytes at a time through eight tables ("slicing by 8").
template <class Word>
using Tables = std::array<std::array<Word, 256>, 8>;

template <class Word>
constexpr Tables<Word> make_tables(Word polynomial) {
  Tables<Word> tables{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    Word value = byte;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? polynomial : Word{0});
    tables[0][byte] = value;
  }
  for (std::size_t table = 1; table < 8; ++table) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const Word before = tables[table - 1][byte];
      tables[table][byte] = before >> 8 ^ tables[0][before & 255];
    }
  }
  return tables;
}

constexpr auto kCrc32Tables = make_tables(kCrc32);
constexpr auto kCrc32cTables = make_tables(kCrc32c);
constexpr auto kCrc64NvmeTables = make_tables(kCrc64Nvme);

// `crc` without the ones before and after.
template <class Word>
Word update_raw(const Tables<Word>& tables, Word crc, std::string_view bytes) {
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    Word next = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      const auto byte = static_cast<unsigned char>(bytes[at + i]);
      const Word from_crc = i < sizeof(Word) ? crc >> (8 * i) & 255 : 0;
      next ^= tables[7 - i][byte ^ from_crc];
    }
    crc = next;
  }
  for (; at < bytes.size(); ++at) {
    crc = crc >> 8 ^ tables[0][(crc ^ static_cast<unsigned char>(bytes[at])) & 255];
  }
  return crc;
}

template <class Word>
Word update_by_table(const Tables<Word>& tables, Word crc, std::string_view bytes) {
  return static_cast<Word>(~update_raw<Word>(tables, static_cast<Word>(~crc), bytes));
}

#if defined(__x86_64__)

// x^exponent modulo the polynomial, as a 64-bit word whose highest bit is x^0.
template <class Word>
constexpr std::uint64_t power_of_x(unsigned exponent, Word polynomial) {
  Word value = Word{1} << (std::numeric_limits<Word>::digits - 1);
  for (unsigned i = 0; i < exponent; ++i) {
    value = static_cast<Word>(value >> 1 ^ ((value & 1) != 0 ? polynomial : Word{0}));
  }
  return std::uint64_t{value} << (64 - std::numeric_limits<Word>::digits);
}

// What moves 16 bytes on by so many bits. Their first half stands 64 bits further from the end; the
// product of two reflected words comes out one bit too low, which the exponents make good.
struct Step {
  std::uint64_t first;
  std::uint64_t second;
};

template <class Word>
constexpr Step make_step(unsigned bits, Word polynomial) {
  return {power_of_x(bits + 63, polynomial), power_of_x(bits - 1, polynomial)};
}

constexpr std::size_t kLanes = 4;
constexpr std::size_t kLaneBytes = 16;
constexpr std::size_t kFoldBytes = kLanes * kLaneBytes;

struct Folding {
  Step lanes;  // over all four
  Step lane;
};

template <class Word>
constexpr Folding make_folding(Word polynomial) {
  return {make_step(8 * kFoldBytes, polynomial), make_step(8 * kLaneBytes, polynomial)};
}

constexpr Folding kCrc32Folding = make_folding(kCrc32);
constexpr Folding kCrc32cFolding = make_folding(kCrc32c);
constexpr Folding kCrc64NvmeFolding = make_folding(kCrc64Nvme);

#define FOLDS __attribute__((target("sse4.1,pclmul")))

FOLDS __m128i load(const char* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

FOLDS __m128i fold(__m128i value, __m128i step, __m128i next) {
  const __m128i first = _mm_clmulepi64_si128(value, step, 0x00);
  const __m128i second = _mm_clmulepi64_si128(value, step, 0x11);
  return _mm_xor_si128(_mm_xor_si128(first, second), next);
}

FOLDS __m128i to_register(Step step) {
  return _mm_set_epi64x(static_cast<long long>(step.second), static_cast<long long>(step.first));
}

// The 16 bytes that have the same remainder as `crc` and whole lanes of `bytes`, at least four.
FOLDS std::array<char, kLaneBytes> fold_all(const Folding& folding, std::uint64_t crc,
                                            std::string_view bytes) {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  std::array<__m128i, kLanes> lanes;
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = load(at + i * kLaneBytes);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_set_epi64x(0, static_cast<long long>(crc)));
  const __m128i over_all = to_register(folding.lanes);
  for (at += kFoldBytes, left -= kFoldBytes; left >= kFoldBytes;
       at += kFoldBytes, left -= kFoldBytes) {
    for (std::size_t i = 0; i < kLanes; ++i) {
      lanes[i] = fold(lanes[i], over_all, load(at + i * kLaneBytes));
    }
  }
  const __m128i over_one = to_register(folding.lane);
  __m128i value = lanes[0];
  for (std::size_t i = 1; i < kLanes; ++i) value = fold(value, over_one, lanes[i]);
  for (; left >= kLaneBytes; at += kLaneBytes, left -= kLaneBytes) {
    value = fold(value, over_one, load(at));
  }
  std::array<char, kLaneBytes> rest;
  std::memcpy(rest.data(), &value, rest.size());
  return rest;
}

#undef FOLDS

bool can_fold() {
  static const bool able = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  return able;
}

template <class Word>
Word update(const Tables<Word>& tables, const Folding& folding, Word crc, std::string_view bytes) {
  if (bytes.size() < kFoldBytes || !can_fold()) return update_by_table<Word>(tables, crc, bytes);
  const std::size_t whole = bytes.size() / kLaneBytes * kLaneBytes;
  const auto rest = fold_all(folding, static_cast<Word>(~crc), bytes.substr(0, whole));
  crc = update_raw<Word>(tables, Word{0}, std::string_view(rest.data(), rest.size()));
  return static_cast<Word>(~update_raw<Word>(tables, crc, bytes.substr(whole)));
}

#else

struct Folding {};
constexpr Folding kCrc32Folding;
constexpr Folding kCrc32cFolding;
constexpr Folding kCrc64NvmeFolding;

template <class Word>
Word update(const Tables<Word>& tables, const Folding&, Word crc, std::string_view bytes) {
  return update_by_table<Word>(tables, crc, bytes);
}

#endif

}  // namespace

std::uint32_t update_crc32(std::uint32_t crc, std::string_view bytes) {
  return update(kCrc32Tables, kCrc32Folding, crc, bytes);
}

std::uint32_t update_crc32c(std::uint32_t crc, std::string_view bytes) {
  return update(kCrc32cTables, kCrc32cFolding, crc, bytes);
}

std::uint64_t update_crc64nvme(std::uint64_t crc, std::string_view bytes) {
  return update(kCrc64NvmeTables, kCrc64NvmeFolding, crc, bytes);
}

std::uint32_t update_crc32_by_table(std::uint32_t crc, std::string_view bytes) {
  return update_by_table(kCrc32Tables, crc, bytes);
}

std::uint32_t update_crc32c_by_table(std::uint32_t crc, std::string_view bytes) {
  return update_by_table(kCrc32cTables, crc, bytes);
}

std::uint64_t update_crc64nvme_by_table(std::uint64_t crc, std::string_view bytes) {
  return update_by_table(kCrc64NvmeTables, crc, bytes);
}

}  // namespace base::crc
