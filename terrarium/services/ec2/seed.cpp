#include "terrarium/services/ec2/seed.h"

#include "terrarium/services/ec2/cidr.h"
#include "terrarium/services/ec2/network_acl_rules.h"
#include "terrarium/services/ec2/regions.h"
#include "terrarium/services/ec2/vpc_rules.h"

namespace terrarium::ec2 {
namespace {

// AWS's default subnets: the VPC's range in sixteenths, in the order in which zones were used.
constexpr int kDefaultSubnetPrefixLength = 20;

void make_dhcp_options(Transaction& transaction) {
  transaction.put(DhcpOptionsRecord{
      .id = new_id<DhcpOptionsId>(transaction.random()),
      .configurations = {{"domain-name", {private_domain(transaction.scene().region)}},
                         {"domain-name-servers", {"AmazonProvidedDNS"}}}});
}

void make_base_image(Transaction& transaction) {
  transaction.put(ImageRecord{.id = ImageId(std::string(kBaseImageId)),
                              .name = std::string(kBaseImageName),
                              .description = "Debian 12, as on the machine that runs the region",
                              .owner = "amazon",
                              .is_public = true,
                              .snapshot = new_id<SnapshotId>(transaction.random()),
                              .created = transaction.now()});
}

RouteTableRecord main_table_of(const State& state, const VpcId& vpc) {
  for (const RouteTableRecord& table : state.all<RouteTableRecord>()) {
    if (table.vpc == vpc && table.is_main()) return table;
  }
  return {};
}

std::string free_range(const State& state, const VpcId& vpc) {
  const std::uint32_t first = Cidr::parse(kDefaultVpcCidr)->first();
  for (std::uint32_t block = 0;; ++block) {
    const std::uint32_t start = first + (block << (32 - kDefaultSubnetPrefixLength));
    const Cidr range =
        *Cidr::parse(ipv4_text(start) + "/" + std::to_string(kDefaultSubnetPrefixLength));
    bool taken = false;
    for (const SubnetRecord& subnet : state.all<SubnetRecord>()) {
      taken |= subnet.vpc == vpc && Cidr::parse(subnet.cidr)->overlaps(range);
    }
    if (!taken) return range.text();
  }
}

}  // namespace

SubnetId make_default_subnet(Transaction& transaction, const VpcId& vpc, const std::string& zone) {
  SubnetRecord subnet{
      .id = new_id<SubnetId>(transaction.random()),
      .vpc = vpc,
      .cidr = free_range(transaction.state(), vpc),
      .zone = zone,
      .is_default = true,
      .map_public_ip_on_launch = true,
      .network_acl_association = new_id<NetworkAclAssociationId>(transaction.random()),
      .network_acl = default_network_acl(transaction.state(), vpc)};
  const SubnetId id = subnet.id;
  transaction.put(std::move(subnet));
  return id;
}

VpcId make_default_vpc(Transaction& transaction) {
  const VpcId vpc = make_vpc(transaction, std::string(kDefaultVpcCidr), true, {});
  const InternetGatewayRecord gateway{.id = new_id<InternetGatewayId>(transaction.random()),
                                      .vpc = vpc};
  transaction.put(gateway);
  RouteTableRecord table = main_table_of(transaction.state(), vpc);
  table.routes.push_back({"0.0.0.0/0", RouteTarget::InternetGateway, gateway.id.value, false});
  transaction.put(std::move(table));
  for (const std::string& zone : zone_names(transaction.scene().region)) {
    make_default_subnet(transaction, vpc, zone);
  }
  return vpc;
}

void seed_region(Transaction& transaction) {
  make_dhcp_options(transaction);
  make_base_image(transaction);
  make_default_vpc(transaction);
}

}  // namespace terrarium::ec2
