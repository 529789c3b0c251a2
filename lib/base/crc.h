// The three CRCs of the AWS APIs, reflected, ones before and after, as zlib has them:
// update(0, bytes) begins, update(update(0, a), b) is that of a and b. Folds with carry-less
// multiplication where the processor has it. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace base::crc {

std::uint32_t update_crc32(std::uint32_t crc, std::string_view bytes);
std::uint32_t update_crc32c(std::uint32_t crc, std::string_view bytes);
std::uint64_t update_crc64nvme(std::uint64_t crc, std::string_view bytes);

// The same without special instructions: what the fast way is tested against.
std::uint32_t update_crc32_by_table(std::uint32_t crc, std::string_view bytes);
std::uint32_t update_crc32c_by_table(std::uint32_t crc, std::string_view bytes);
std::uint64_t update_crc64nvme_by_table(std::uint64_t crc, std::string_view bytes);

}  // namespace base::crc
