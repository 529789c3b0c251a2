// What EC2 keeps of networks, in store::Table::Control as JSON: `ec2/REGION/KIND/ID`. Compute's
// records are in compute_records.h. Every record has its id, and knows its kind's name in keys.
//
// Values here are checked: addresses and CIDRs are canonical, ids in AWS's form.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/ids.h"

namespace terrarium::ec2 {

using Tags = std::map<std::string, std::string, std::less<>>;

struct CidrAssociationRecord {
  VpcCidrAssociationId id;
  std::string cidr;
};

struct VpcRecord {
  using Id = VpcId;
  static constexpr std::string_view kKind = "vpc";
  Id id;
  std::vector<CidrAssociationRecord> cidrs;  // the first is the VPC's own
  bool is_default = false;
  bool dns_support = true;
  bool dns_hostnames = false;
  bool network_address_usage_metrics = false;
  DhcpOptionsId dhcp_options;
  Tags tags;

  const std::string& cidr() const { return cidrs.front().cidr; }
};

struct SubnetRecord {
  using Id = SubnetId;
  static constexpr std::string_view kKind = "subnet";
  Id id;
  VpcId vpc;
  std::string cidr;
  std::string zone;  // "us-east-1a"
  bool is_default = false;
  bool map_public_ip_on_launch = false;
  std::string hostname_type = "ip-name";
  bool resource_name_dns_a_record = false;
  NetworkAclAssociationId network_acl_association;
  NetworkAclId network_acl;
  Tags tags;
};

enum class RouteTarget : std::uint8_t {
  Local,
  InternetGateway,
  NatGateway,
  NetworkInterface,
  Instance,
};

struct RouteRecord {
  std::string destination;  // CIDR
  RouteTarget target = RouteTarget::Local;
  std::string target_id;  // empty for Local
  bool created_with_table = false;
};

struct RouteTableAssociationRecord {
  RouteTableAssociationId id;
  std::optional<SubnetId> subnet;  // nothing: the VPC's main table
};

struct RouteTableRecord {
  using Id = RouteTableId;
  static constexpr std::string_view kKind = "route-table";
  Id id;
  VpcId vpc;
  std::vector<RouteRecord> routes;
  std::vector<RouteTableAssociationRecord> associations;
  std::string client_token;
  Tags tags;

  bool is_main() const;
};

struct InternetGatewayRecord {
  using Id = InternetGatewayId;
  static constexpr std::string_view kKind = "internet-gateway";
  Id id;
  std::optional<VpcId> vpc;
  Tags tags;
};

struct NetworkAclEntryRecord {
  int number = 0;
  bool egress = false;
  bool allow = false;
  int protocol = -1;
  std::string cidr;       // IPv4, or
  std::string ipv6_cidr;  // kept and shown; no IPv6 traffic exists
  std::optional<int> from;
  std::optional<int> to;
  std::optional<int> icmp_type;
  std::optional<int> icmp_code;
};

struct NetworkAclRecord {
  using Id = NetworkAclId;
  static constexpr std::string_view kKind = "network-acl";
  Id id;
  VpcId vpc;
  bool is_default = false;
  std::vector<NetworkAclEntryRecord> entries;  // without the final deny, which every list has
  std::string client_token;
  Tags tags;
};

// One rule has one peer: a range, or a group.
struct SecurityGroupRuleRecord {
  SecurityGroupRuleId id;
  bool egress = false;
  std::string protocol = "-1";  // "tcp", "udp", "icmp", "-1", or a number
  std::optional<int> from;      // TCP and UDP: ports; ICMP: type and code
  std::optional<int> to;
  std::string cidr;
  std::string ipv6_cidr;  // kept and shown; no IPv6 traffic exists
  std::optional<SecurityGroupId> group;
  std::optional<std::string> description;
  Tags tags;
};

struct SecurityGroupRecord {
  using Id = SecurityGroupId;
  static constexpr std::string_view kKind = "security-group";
  Id id;
  VpcId vpc;
  std::string name;
  std::string description;
  std::vector<SecurityGroupRuleRecord> rules;
  Tags tags;
};

struct NetworkInterfaceAttachmentRecord {
  AttachmentId id;
  std::optional<InstanceId> instance;  // nothing: a service's own machine
  std::string instance_owner;          // the account, or "amazon-elb", "amazon-rds"
  int device_index = 0;
  bool delete_on_termination = true;
  base::Timestamp time;
};

struct NetworkInterfaceRecord {
  using Id = NetworkInterfaceId;
  static constexpr std::string_view kKind = "network-interface";
  Id id;
  VpcId vpc;
  SubnetId subnet;
  std::string mac;
  std::string address;
  std::vector<std::string> secondary_addresses;
  std::vector<SecurityGroupId> groups;
  std::string description;
  std::string type = "interface";  // or "nat_gateway"
  std::string requester;           // empty: a user's own; else "amazon-elb", "amazon-rds"
  bool source_dest_check = true;
  std::optional<NetworkInterfaceAttachmentRecord> attachment;
  // In the VPC's DNS, besides its own: a database's endpoint.
  std::vector<std::string> dns_names;
  // A public address that EC2 lent it while its instance runs; elastic ones are in AddressRecord.
  std::string lent_public_address;
  std::string client_token;
  Tags tags;
};

// An elastic address.
struct AddressRecord {
  using Id = AllocationId;
  static constexpr std::string_view kKind = "address";
  Id id;
  std::string public_address;
  std::optional<AddressAssociationId> association;
  std::optional<NetworkInterfaceId> network_interface;
  std::string private_address;
  Tags tags;
};

enum class NatGatewayState : std::uint8_t { Pending, Available, Deleting, Deleted, Failed };

struct NatGatewayRecord {
  using Id = NatGatewayId;
  static constexpr std::string_view kKind = "nat-gateway";
  Id id;
  VpcId vpc;
  SubnetId subnet;
  NatGatewayState state = NatGatewayState::Pending;
  bool is_public = true;
  std::optional<AllocationId> allocation;
  std::optional<AddressAssociationId> association;
  NetworkInterfaceId network_interface;
  std::string address;
  std::string public_address;
  base::Timestamp created;
  std::optional<base::Timestamp> deleted;
  std::string client_token;
  Tags tags;
};

struct DhcpOptionsRecord {
  using Id = DhcpOptionsId;
  static constexpr std::string_view kKind = "dhcp-options";
  Id id;
  std::map<std::string, std::vector<std::string>> configurations;
  Tags tags;
};

}  // namespace terrarium::ec2
