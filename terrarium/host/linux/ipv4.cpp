#include "terrarium/host/linux/ipv4.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>

namespace terrarium::host::linux_host {
namespace {

std::uint32_t mask_of(int length) { return length == 0 ? 0 : ~std::uint32_t{0} << (32 - length); }

}  // namespace

bool Ipv4Range::contains(std::uint32_t address) const {
  return (address & mask_of(length)) == first;
}

bool Ipv4Range::contains(const Ipv4Range& other) const {
  return other.length >= length && contains(other.first);
}

base::Result<std::uint32_t> parse_ipv4(const std::string& text) {
  in_addr parsed{};
  if (::inet_pton(AF_INET, text.c_str(), &parsed) != 1) {
    return base::fail(base::ErrorKind::InvalidInput, "'" + text + "' is no IPv4 address.");
  }
  return ntohl(parsed.s_addr);
}

base::Result<Ipv4Range> parse_ipv4_range(const std::string& text) {
  const auto refuse = [&] {
    return base::fail(base::ErrorKind::InvalidInput, "'" + text + "' is no IPv4 CIDR block.");
  };
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return refuse();
  Ipv4Range range;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + slash + 1, end, range.length);
  if (read.ec != std::errc() || read.ptr != end || range.length < 0 || range.length > 32) {
    return refuse();
  }
  TRY(range.first, parse_ipv4(text.substr(0, slash)));
  if (!range.contains(range.first)) return refuse();
  return range;
}

std::string ipv4_text(std::uint32_t address) {
  const in_addr bytes{.s_addr = htonl(address)};
  std::array<char, INET_ADDRSTRLEN> text{};
  return ::inet_ntop(AF_INET, &bytes, text.data(), text.size());
}

}  // namespace terrarium::host::linux_host
