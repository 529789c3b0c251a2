// The region's networks as the kernel must have them: one router namespace a VPC, one namespace an
// interface, and an "internet" between the VPCs that nothing on the machine routes to or from.
//
// Declarative: a caller describes a VPC whole, as often as it likes; the implementation compares
// with what there is and changes only what differs, so that a change costs what it changes and a
// new daemon finds its predecessor's networks untouched, connections included. Linux: host/linux;
// for tests: host/fake.
//
// On the control executor. Calls for one VPC are carried out one after another, in order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"

namespace terrarium::host {

// Addresses that every region has. Documentation ranges (RFC 5737): nobody's machines.
inline constexpr std::string_view kPublicCidr = "203.0.113.0/24";
// Where the AWS APIs answer on the internet side, ports 80 and 443.
inline constexpr std::string_view kApiAddress = "203.0.113.1";
// Who the operator (`terrarium exec`, `terrarium ssh`) is on the internet side.
inline constexpr std::string_view kOperatorAddress = "203.0.113.2";
// Who isolated namespaces are to the VPCs: what they send out bears this address.
inline constexpr std::string_view kIsolatedAddress = "203.0.113.3";
// The public addresses that interfaces and NAT gateways may have begin at 203.0.113.16.
inline constexpr std::uint32_t kFirstPublicHost = 16;
inline constexpr std::string_view kMetadataAddress = "169.254.169.254";
inline constexpr std::string_view kDnsAddress = "169.254.169.253";

// Addresses are dotted IPv4, ranges CIDRs whose host bits are zero: the caller has checked them.
struct RouteSpec {
  // Local: within the VPC. InternetGateway: 1:1 with the interface's public address, and nothing
  // for one that has none. NatGateway, Interface: `target` is its id. Blackhole: dropped.
  enum class Target : std::uint8_t { Local, InternetGateway, NatGateway, Interface, Blackhole };
  std::string destination;
  Target target = Target::Local;
  std::string target_id;
  friend bool operator==(const RouteSpec&, const RouteSpec&) = default;
};

struct RouteTableSpec {
  std::string id;
  std::vector<RouteSpec> routes;
  friend bool operator==(const RouteTableSpec&, const RouteTableSpec&) = default;
};

// IP protocol number (6 TCP, 17 UDP, 1 ICMP, ...), or every protocol.
inline constexpr int kAllProtocols = -1;

// What a rule lets through: TCP and UDP ports, or for ICMP `from` the type and `to` the code (-1:
// any). Of other protocols, and of kAllProtocols, ports do not count.
struct TrafficSpec {
  int protocol = kAllProtocols;
  int from = -1;
  int to = -1;
  friend bool operator==(const TrafficSpec&, const TrafficSpec&) = default;
};

// A security group's rule: its peer is a range or the members of a group of the same VPC.
struct GroupRuleSpec {
  bool egress = false;
  TrafficSpec traffic;
  std::string peer_cidr;   // one of the two
  std::string peer_group;  //
  friend bool operator==(const GroupRuleSpec&, const GroupRuleSpec&) = default;
};

// Stateful: what a rule let through may answer.
struct SecurityGroupSpec {
  std::string id;
  std::vector<GroupRuleSpec> rules;
  friend bool operator==(const SecurityGroupSpec&, const SecurityGroupSpec&) = default;
};

struct AclEntrySpec {
  int number = 0;  // the lowest that fits decides; none: denied
  bool egress = false;
  bool allow = false;
  TrafficSpec traffic;
  std::string cidr;
  friend bool operator==(const AclEntrySpec&, const AclEntrySpec&) = default;
};

// Stateless, asked where traffic enters or leaves a subnet; within one subnet not.
struct NetworkAclSpec {
  std::string id;
  std::vector<AclEntrySpec> entries;
  friend bool operator==(const NetworkAclSpec&, const NetworkAclSpec&) = default;
};

struct SubnetSpec {
  std::string id;
  std::string cidr;  // its router answers at .1
  std::string route_table;
  std::string network_acl;
  friend bool operator==(const SubnetSpec&, const SubnetSpec&) = default;
};

struct InterfaceSpec {
  std::string id;  // "eni-...": names its namespace
  std::string subnet;
  std::string address;
  // More addresses that it answers to: a database's floating one.
  std::vector<std::string> secondary_addresses;
  std::string mac;             // "02:..."
  std::string public_address;  // empty: none
  std::vector<std::string> security_groups;
  // Off: it may send and receive for others (AWS's SourceDestCheck).
  bool source_dest_check = true;
  friend bool operator==(const InterfaceSpec&, const InterfaceSpec&) = default;
};

struct NatGatewaySpec {
  std::string id;
  std::string subnet;
  std::string address;         // its private address in the subnet
  std::string public_address;  // empty: a private NAT gateway
  friend bool operator==(const NatGatewaySpec&, const NatGatewaySpec&) = default;
};

struct DnsNameSpec {
  std::string name;  // "ip-10-0-1-23.ec2.internal"
  std::vector<std::string> addresses;
  friend bool operator==(const DnsNameSpec&, const DnsNameSpec&) = default;
};

struct VpcSpec {
  std::string id;  // "vpc-..."
  std::vector<std::string> cidrs;
  bool internet_gateway = false;
  std::vector<SubnetSpec> subnets;
  std::vector<RouteTableSpec> route_tables;
  std::vector<SecurityGroupSpec> security_groups;
  std::vector<NetworkAclSpec> network_acls;
  std::vector<InterfaceSpec> interfaces;
  std::vector<NatGatewaySpec> nat_gateways;
  // DNS answers at the VPC's address plus two and at kDnsAddress: these names, and AWS's own
  // service names as kApiAddress. False: nobody answers there (enableDnsSupport).
  bool dns = true;
  std::vector<DnsNameSpec> dns_names;
  friend bool operator==(const VpcSpec&, const VpcSpec&) = default;
};

class Network {
 public:
  virtual ~Network() = default;

  // Makes the VPC as `spec` says; returns when the kernel has it. Established connections that the
  // new rules still allow go on. A failure leaves what could be made; calling again finishes.
  virtual runtime::Task<base::Result<void>> set_vpc(VpcSpec spec) = 0;
  // Removes the VPC's namespaces, links, rules and programs; nothing when there is none.
  virtual runtime::Task<base::Result<void>> remove_vpc(std::string vpc_id) = 0;
  // Ids of the VPCs that the kernel has, also those of an earlier daemon.
  virtual base::Result<std::vector<std::string>> vpcs() const = 0;

  // A namespace outside every VPC that reaches the internet side only (public addresses and the
  // APIs) and is reached by nobody: where a function runs. Idempotent.
  virtual runtime::Task<base::Result<void>> add_isolated(std::string id) = 0;
  virtual runtime::Task<base::Result<void>> remove_isolated(std::string id) = 0;

  // Where a program joins: of an interface, or of an isolated namespace. Exists from the call that
  // made it until the one that removes it.
  virtual std::filesystem::path namespace_path(const std::string& id) const = 0;
  virtual std::filesystem::path internet_namespace_path() const = 0;

  // Listening TCP sockets inside the networks, owned by the caller. They end with the process that
  // holds them; a new daemon opens them again.
  virtual base::Result<int> listen_on_internet(std::string address, std::uint16_t port) = 0;
  // In the VPC's router: only its own interfaces reach it, and the peer's address tells which.
  virtual base::Result<int> listen_in_vpc(const std::string& vpc_id, std::string address,
                                          std::uint16_t port) = 0;
  // In an isolated namespace: only its own processes reach it.
  virtual base::Result<int> listen_in_isolated(const std::string& id, std::string address,
                                               std::uint16_t port) = 0;

  // Everything of this region, also what an earlier daemon left: the machine is as it was.
  virtual runtime::Task<base::Result<void>> remove_all() = 0;
};

}  // namespace terrarium::host
