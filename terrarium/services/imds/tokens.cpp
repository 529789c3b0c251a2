#include "terrarium/services/imds/tokens.h"

#include <cstdint>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"

namespace terrarium::imds {
namespace {

constexpr std::size_t kEndBytes = 8;
constexpr std::size_t kTokenBytes = kEndBytes + 32;

}  // namespace

std::string Tokens::signature(std::string_view end, std::string_view instance_id) const {
  return base::hmac_sha256(secret_, std::string(end) + std::string(instance_id));
}

std::string Tokens::issue(std::string_view instance_id, std::chrono::seconds life,
                          base::Timestamp now) const {
  const auto end =
      static_cast<std::uint64_t>((now + life).time_since_epoch() / std::chrono::microseconds(1));
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(end >> shift & 0xFFU);
  bytes += signature(bytes, instance_id);
  return base::base64_encode(bytes);
}

std::optional<std::chrono::seconds> Tokens::remaining(std::string_view token,
                                                      std::string_view instance_id,
                                                      base::Timestamp now) const {
  const auto bytes = base::base64_decode(token);
  if (!bytes || bytes->size() != kTokenBytes) return std::nullopt;
  const std::string_view end = std::string_view(*bytes).substr(0, kEndBytes);
  const std::string_view given = std::string_view(*bytes).substr(kEndBytes);
  if (!base::equals_in_constant_time(given, signature(end, instance_id))) return std::nullopt;
  std::uint64_t microseconds = 0;
  for (const char byte : end) microseconds = microseconds << 8 | static_cast<unsigned char>(byte);
  const base::Timestamp until{std::chrono::microseconds(microseconds)};
  if (now >= until) return std::nullopt;
  return std::chrono::ceil<std::chrono::seconds>(until - now);
}

}  // namespace terrarium::imds
