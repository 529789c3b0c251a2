// IPv4 ranges as EC2 takes them: canonical, compared, divided into addresses.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace terrarium::ec2 {

std::optional<std::uint32_t> parse_ipv4(std::string_view text);
std::string ipv4_text(std::uint32_t address);

class Cidr {
 public:
  // "10.0.0.0/16". Host bits may be set and are cleared, as AWS does. Nothing when it is none.
  static std::optional<Cidr> parse(std::string_view text);

  std::string text() const;
  int prefix_length() const { return length_; }
  std::uint32_t first() const { return network_; }
  std::uint32_t last() const;
  std::uint64_t addresses() const { return std::uint64_t{1} << (32 - length_); }
  bool contains(std::uint32_t address) const { return address >= first() && address <= last(); }
  bool contains(const Cidr& other) const {
    return other.first() >= first() && other.last() <= last();
  }
  bool overlaps(const Cidr& other) const {
    return first() <= other.last() && other.first() <= last();
  }
  friend bool operator==(const Cidr&, const Cidr&) = default;

 private:
  Cidr(std::uint32_t network, int length) : network_(network), length_(length) {}
  std::uint32_t network_;
  int length_;
};

// An IPv6 range in canonical text: rules for it are kept and shown, though no IPv6 traffic exists.
std::optional<std::string> canonical_ipv6_cidr(std::string_view text);

}  // namespace terrarium::ec2
