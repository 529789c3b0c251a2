// Names of the kernel's objects, computed from AWS's ids alone: a new daemon finds its
// predecessor's without a record of them. Pure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace terrarium::host::linux_host {

// In a router: an interface's link, a NAT gateway's, and the one to the internet.
inline constexpr std::string_view kInterfacePrefix = "e";
inline constexpr std::string_view kNatPrefix = "n";
inline constexpr std::string_view kInternetLink = "internet";
// On the internet side: a VPC's link, and an isolated namespace's.
inline constexpr std::string_view kVpcPrefix = "g";
inline constexpr std::string_view kIsolatedPrefix = "f";
// Inside an interface's, a NAT gateway's or an isolated namespace.
inline constexpr std::string_view kInnerLink = "eth0";
// Where isolated namespaces are on the internet side.
inline constexpr std::string_view kIsolatedCidr = "100.64.0.0/16";
// What the two ends of the link between a router and the internet call each other.
inline constexpr std::string_view kLinkGateway = "169.254.0.1";

// The id of the namespace between the VPCs.
inline constexpr std::string_view kInternetId = "internet";

// "trm1a2b3c": what all of this region's namespaces begin with; two daemons differ by their folder.
std::string region_tag(const std::filesystem::path& state);
// A link's name has at most 15 characters: `prefix` and a digest.
std::string link_name(std::string_view prefix, const std::string& id);
// A locally administered MAC address.
std::string mac_address(const std::string& id);
// A route table's number, a subnet's mark: from 1000 on.
std::uint32_t number_of(const std::string& id);
// [A-Za-z0-9-]{1,36}: what may name a namespace, a set and a chain.
bool is_plain_id(const std::string& id);

}  // namespace terrarium::host::linux_host
