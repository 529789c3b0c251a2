#include "terrarium/services/ec2/address_pool.h"

#include <optional>
#include <set>

#include "generated/ec2/errors.h"
#include "terrarium/host/network.h"
#include "terrarium/services/ec2/cidr.h"
#include "terrarium/services/ec2/refuse.h"

namespace terrarium::ec2 {
namespace {

constexpr std::uint32_t kLastPublicHost = 254;  // of host::kPublicCidr

std::set<std::string> taken_in(const State& state, const SubnetId& subnet) {
  std::set<std::string> taken;
  for (const NetworkInterfaceRecord& record : state.all<NetworkInterfaceRecord>()) {
    if (record.subnet != subnet) continue;
    taken.insert(record.address);
    taken.insert(record.secondary_addresses.begin(), record.secondary_addresses.end());
  }
  // A NAT gateway's address is its interface's, unless that has no record.
  for (const NatGatewayRecord& gateway : state.all<NatGatewayRecord>()) {
    const bool lives =
        gateway.state == NatGatewayState::Pending || gateway.state == NatGatewayState::Available;
    if (gateway.subnet == subnet && lives) taken.insert(gateway.address);
  }
  return taken;
}

void add_public_addresses(const State& state, std::set<std::string>& taken) {
  for (const NetworkInterfaceRecord& record : state.all<NetworkInterfaceRecord>()) {
    taken.insert(record.lent_public_address);
  }
  for (const AddressRecord& record : state.all<AddressRecord>()) {
    taken.insert(record.public_address);
  }
}

// Begins anywhere, so that an address that was given back does not come again at once.
std::optional<std::string> first_free(std::uint32_t first, std::uint32_t count,
                                      const std::set<std::string>& taken, base::Random& random) {
  const auto start = static_cast<std::uint32_t>(random.below(count));
  for (std::uint32_t step = 0; step < count; ++step) {
    std::string address = ipv4_text(first + (start + step) % count);
    if (!taken.contains(address)) return address;
  }
  return {};
}

std::uint32_t usable(const Cidr& range) {
  return static_cast<std::uint32_t>(range.addresses()) - kReservedFirstAddresses - 1;
}

}  // namespace

std::uint32_t free_addresses(const State& state, const SubnetRecord& subnet) {
  const auto taken = static_cast<std::uint32_t>(taken_in(state, subnet.id).size());
  const std::uint32_t all = usable(*Cidr::parse(subnet.cidr));
  return taken < all ? all - taken : 0;
}

base::Result<std::string> free_private_address(const Transaction& transaction,
                                               const SubnetRecord& subnet) {
  const Cidr range = *Cidr::parse(subnet.cidr);
  auto found = first_free(range.first() + kReservedFirstAddresses, usable(range),
                          taken_in(transaction.state(), subnet.id), transaction.random());
  if (!found.has_value()) {
    return base::fail(errors::kInsufficientFreeAddressesInSubnet,
                      "There are not enough free addresses in subnet '" + subnet.id.value +
                          "' to satisfy the requested number of instances.");
  }
  return *std::move(found);
}

base::Result<void> check_private_address(const State& state, const SubnetRecord& subnet,
                                         const std::string& address) {
  const auto number = parse_ipv4(address);
  const Cidr range = *Cidr::parse(subnet.cidr);
  if (!number.has_value()) {
    return std::unexpected(invalid_value(address, "privateIpAddress", "Invalid IPv4 address."));
  }
  if (!range.contains(*number)) {
    return base::fail(errors::kInvalidParameterValue,
                      "Address " + address + " does not fall within the subnet's address range");
  }
  if (*number < range.first() + kReservedFirstAddresses || *number == range.last()) {
    return base::fail(errors::kInvalidParameterValue,
                      "Address " + address + " is in subnet's reserved address range");
  }
  if (taken_in(state, subnet.id).contains(address)) {
    return base::fail(errors::kInvalidIPAddressInUse, "Address " + address + " is in use.");
  }
  return {};
}

base::Result<std::string> free_public_address(const Transaction& transaction) {
  std::set<std::string> taken;
  add_public_addresses(transaction.state(), taken);
  if (transaction.scene().regions != nullptr) {
    for (const auto& [name, state] : *transaction.scene().regions) {
      add_public_addresses(state, taken);
    }
  }
  const std::uint32_t base = Cidr::parse(host::kPublicCidr)->first();
  auto found =
      first_free(base + host::kFirstPublicHost, kLastPublicHost - host::kFirstPublicHost + 1, taken,
                 transaction.random());
  if (!found.has_value()) {
    return base::fail(errors::kInsufficientAddressCapacity,
                      "Insufficient public addresses available: all of " +
                          std::string(host::kPublicCidr) + " are in use.");
  }
  return *std::move(found);
}

std::string new_mac_address(base::Random& random) {
  // Locally administered, unicast.
  std::string text = "02";
  const std::string digits = random.hex(5);
  for (std::size_t i = 0; i < digits.size(); i += 2) text += ":" + digits.substr(i, 2);
  return text;
}

}  // namespace terrarium::ec2
