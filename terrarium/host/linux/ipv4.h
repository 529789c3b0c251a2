// IPv4 addresses and ranges as the network's plan computes with them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace terrarium::host::linux_host {

struct Ipv4Range {
  std::uint32_t first = 0;  // in the machine's byte order
  int length = 32;

  bool contains(std::uint32_t address) const;
  bool contains(const Ipv4Range& other) const;
};

base::Result<std::uint32_t> parse_ipv4(const std::string& text);
// "10.0.0.0/16"; host bits must be zero.
base::Result<Ipv4Range> parse_ipv4_range(const std::string& text);
std::string ipv4_text(std::uint32_t address);

}  // namespace terrarium::host::linux_host
