#include "terrarium/services/ec2/cidr.h"

#include <arpa/inet.h>

#include <charconv>

namespace terrarium::ec2 {
namespace {

constexpr int kIpv4Bits = 32;
constexpr int kIpv6Bits = 128;

std::uint32_t mask_of(int length) {
  return length == 0 ? 0 : ~std::uint32_t{0} << (kIpv4Bits - length);
}

// The decimal number after '/', without sign, white space or leading zeros.
std::optional<int> parse_length(std::string_view text, int max) {
  int length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc{} || end != text.data() + text.size() || text.front() == '-') return {};
  if (length > max || (text.size() > 1 && text.front() == '0')) return {};
  return length;
}

}  // namespace

std::optional<std::uint32_t> parse_ipv4(std::string_view text) {
  in_addr address{};
  if (::inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return {};
  return ntohl(address.s_addr);
}

std::string ipv4_text(std::uint32_t address) {
  const in_addr network{htonl(address)};
  char text[INET_ADDRSTRLEN];
  return ::inet_ntop(AF_INET, &network, text, sizeof text);
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash + 1 == text.size()) return {};
  const auto address = parse_ipv4(text.substr(0, slash));
  const auto length = parse_length(text.substr(slash + 1), kIpv4Bits);
  if (!address.has_value() || !length.has_value()) return {};
  return Cidr(*address & mask_of(*length), *length);
}

std::string Cidr::text() const { return ipv4_text(network_) + "/" + std::to_string(length_); }

std::uint32_t Cidr::last() const { return network_ | ~mask_of(length_); }

std::optional<std::string> canonical_ipv6_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash + 1 == text.size()) return {};
  in6_addr address{};
  if (::inet_pton(AF_INET6, std::string(text.substr(0, slash)).c_str(), &address) != 1) return {};
  const auto length = parse_length(text.substr(slash + 1), kIpv6Bits);
  if (!length.has_value()) return {};
  for (int bit = *length; bit < kIpv6Bits; ++bit) {
    address.s6_addr[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  }
  char out[INET6_ADDRSTRLEN];
  return std::string(::inet_ntop(AF_INET6, &address, out, sizeof out)) + "/" +
         std::to_string(*length);
}

}  // namespace terrarium::ec2
