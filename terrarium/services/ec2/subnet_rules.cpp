#include "terrarium/services/ec2/subnet_rules.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/address_pool.h"
#include "terrarium/services/ec2/cidr.h"
#include "terrarium/services/ec2/network_acl_rules.h"
#include "terrarium/services/ec2/network_plan.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/regions.h"
#include "terrarium/services/ec2/seed.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"
#include "terrarium/services/ec2/vpc_rules.h"

namespace terrarium::ec2 {
namespace {

using Field = FilterField<SubnetRecord>;

std::string zone_id_of(const SubnetRecord& subnet) {
  // A zone's name is its region's and a letter.
  const std::string region = subnet.zone.substr(0, subnet.zone.size() - 1);
  return zone_id(region, subnet.zone).value_or("");
}

base::Error unknown_zone(const std::string& region, const std::string& zone) {
  std::string names;
  for (const std::string& name : zone_names(region)) names += (names.empty() ? "" : ", ") + name;
  return invalid_value(
      zone, "availabilityZone",
      "Subnets can currently only be created in the following availability zones: " + names + ".");
}

// The zone that a request names, by name or by id; the region's first when it names none.
base::Result<std::string> choose_zone(const std::string& region,
                                      const std::optional<std::string>& name,
                                      const std::optional<std::string>& id) {
  if (name.has_value() && id.has_value()) {
    return base::fail(errors::kInvalidParameterCombination,
                      "The parameters availabilityZone and availabilityZoneId may not be used "
                      "together.");
  }
  for (const std::string& zone : zone_names(region)) {
    const bool fits = name.has_value() ? zone == *name : zone_id(region, zone) == id;
    if (fits || (!name.has_value() && !id.has_value())) return zone;
  }
  return std::unexpected(unknown_zone(region, name.value_or(id.value_or(""))));
}

base::Result<Cidr> check_range(const State& state, const VpcRecord& vpc,
                               const std::optional<std::string>& text) {
  if (!text.has_value()) return std::unexpected(missing("cidrBlock"));
  const auto range = Cidr::parse(*text);
  if (!range.has_value()) {
    return std::unexpected(invalid_value(*text, "cidrBlock", "This is not a valid CIDR block."));
  }
  const bool within = std::ranges::any_of(vpc.cidrs, [&](const CidrAssociationRecord& one) {
    return Cidr::parse(one.cidr)->contains(*range);
  });
  if (!within || range->prefix_length() < kSubnetPrefixLengthMin ||
      range->prefix_length() > kSubnetPrefixLengthMax) {
    return base::fail(errors::kInvalidSubnetRange, "The CIDR '" + *text + "' is invalid.");
  }
  for (const SubnetRecord& other : state.all<SubnetRecord>()) {
    if (other.vpc == vpc.id && Cidr::parse(other.cidr)->overlaps(*range)) {
      return base::fail(errors::kInvalidSubnetConflict,
                        "The CIDR '" + *text + "' conflicts with another subnet");
    }
  }
  return *range;
}

FilterValues zone_values(const State&, const SubnetRecord& subnet) { return {subnet.zone}; }
FilterValues zone_id_values(const State&, const SubnetRecord& subnet) {
  return {zone_id_of(subnet)};
}
FilterValues range_values(const State&, const SubnetRecord& subnet) { return {subnet.cidr}; }
FilterValues default_values(const State&, const SubnetRecord& subnet) {
  return {filter_text(subnet.is_default)};
}
FilterValues never(const State&, const SubnetRecord&) { return {filter_text(false)}; }

constexpr std::array kFilters{
    Field{"availability-zone", zone_values},
    Field{"availabilityZone", zone_values},
    Field{"availability-zone-id", zone_id_values},
    Field{"availabilityZoneId", zone_id_values},
    Field{"available-ip-address-count",
          [](const State& state, const SubnetRecord& subnet) {
            return FilterValues{std::to_string(free_addresses(state, subnet))};
          }},
    Field{"cidr", range_values},
    Field{"cidr-block", range_values},
    Field{"cidrBlock", range_values},
    Field{"default-for-az", default_values},
    Field{"defaultForAz", default_values},
    Field{"enable-dns64", never},
    Field{"ipv6-native", never},
    Field{"map-customer-owned-ip-on-launch", never},
    Field{"map-public-ip-on-launch",
          [](const State&, const SubnetRecord& subnet) {
            return FilterValues{filter_text(subnet.map_public_ip_on_launch)};
          }},
    Field{"private-dns-name-options-on-launch.hostname-type",
          [](const State&, const SubnetRecord& subnet) {
            return FilterValues{subnet.hostname_type};
          }},
    Field{"private-dns-name-options-on-launch.enable-resource-name-dns-a-record",
          [](const State&, const SubnetRecord& subnet) {
            return FilterValues{filter_text(subnet.resource_name_dns_a_record)};
          }},
    Field{"private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record", never},
    Field{"state", [](const State&, const SubnetRecord&) { return FilterValues{"available"}; }},
    Field{"subnet-id",
          [](const State&, const SubnetRecord& subnet) { return FilterValues{subnet.id.value}; }},
    Field{"vpc-id",
          [](const State&, const SubnetRecord& subnet) { return FilterValues{subnet.vpc.value}; }},
};

bool has_contents(const State& state, const SubnetId& subnet) {
  return std::ranges::any_of(state.all<NetworkInterfaceRecord>(),
                             [&](const auto& one) { return one.subnet == subnet; }) ||
         std::ranges::any_of(state.all<NatGatewayRecord>(),
                             [&](const auto& one) { return one.subnet == subnet && is_live(one); });
}

void drop_route_table_association(Transaction& transaction, const SubnetId& subnet) {
  const auto is_its = [&](const RouteTableAssociationRecord& one) { return one.subnet == subnet; };
  std::optional<RouteTableRecord> changed;
  for (const RouteTableRecord& table : transaction.state().all<RouteTableRecord>()) {
    if (std::ranges::any_of(table.associations, is_its)) changed = table;
  }
  if (!changed.has_value()) return;
  std::erase_if(changed->associations, is_its);
  transaction.put(*std::move(changed));
}

const VpcRecord* default_vpc_of(const State& state) {
  for (const VpcRecord& vpc : state.all<VpcRecord>()) {
    if (vpc.is_default) return &vpc;
  }
  return nullptr;
}

// How many attributes a request wants changed; those that exist nowhere here count when they are
// to be switched on.
base::Result<void> check_one_attribute(const ModifySubnetAttributeRequest& request) {
  const auto on = [](const std::optional<AttributeBooleanValue>& value) {
    return value.has_value() && value->value.value_or(false);
  };
  TRY_VOID(refuse({{"AssignIpv6AddressOnCreation", on(request.assign_ipv6_address_on_creation)},
                   {"MapCustomerOwnedIpOnLaunch", on(request.map_customer_owned_ip_on_launch)},
                   {"CustomerOwnedIpv4Pool", request.customer_owned_ipv4_pool.has_value()},
                   {"EnableDns64", on(request.enable_dns64)},
                   {"EnableResourceNameDnsAAAARecordOnLaunch",
                    on(request.enable_resource_name_dns_aaaa_record_on_launch)},
                   {"EnableLniAtDeviceIndex", request.enable_lni_at_device_index.has_value()},
                   {"DisableLniAtDeviceIndex", request.disable_lni_at_device_index.has_value()}}));
  const std::array given{request.assign_ipv6_address_on_creation.has_value(),
                         request.map_public_ip_on_launch.has_value(),
                         request.map_customer_owned_ip_on_launch.has_value(),
                         request.enable_dns64.has_value(),
                         request.private_dns_hostname_type_on_launch.has_value(),
                         request.enable_resource_name_dns_a_record_on_launch.has_value(),
                         request.enable_resource_name_dns_aaaa_record_on_launch.has_value()};
  const auto count = std::ranges::count(given, true);
  if (count == 0) return std::unexpected(missing("attribute"));
  if (count > 1) {
    return base::fail(errors::kInvalidParameterCombination,
                      "Fields for multiple attribute types specified");
  }
  return {};
}

}  // namespace

Subnet view(const State& state, const SubnetRecord& subnet, const Scene& scene) {
  return {
      .availability_zone = subnet.zone,
      .availability_zone_id = zone_id_of(subnet),
      .available_ip_address_count = static_cast<std::int32_t>(free_addresses(state, subnet)),
      .cidr_block = subnet.cidr,
      .default_for_az = subnet.is_default,
      .map_public_ip_on_launch = subnet.map_public_ip_on_launch,
      .map_customer_owned_ip_on_launch = false,
      .state = "available",
      .subnet_id = subnet.id.value,
      .vpc_id = subnet.vpc.value,
      .owner_id = scene.account,
      .assign_ipv6_address_on_creation = false,
      .ipv6_cidr_block_association_set = std::vector<SubnetIpv6CidrBlockAssociation>{},
      .tags = tag_list(subnet.tags),
      .subnet_arn =
          "arn:aws:ec2:" + scene.region + ":" + scene.account + ":subnet/" + subnet.id.value,
      .enable_dns64 = false,
      .ipv6_native = false,
      .private_dns_name_options_on_launch =
          PrivateDnsNameOptionsOnLaunch{
              .hostname_type = subnet.hostname_type,
              .enable_resource_name_dns_a_record = subnet.resource_name_dns_a_record,
              .enable_resource_name_dns_aaaa_record = false},
      .block_public_access_states = BlockPublicAccessStates{.internet_gateway_block_mode = "off"}};
}

base::Result<CreateSubnetResult> create_subnet(Transaction& transaction,
                                               const CreateSubnetRequest& request) {
  TRY_VOID(refuse({{"Ipv6CidrBlock", request.ipv6_cidr_block.has_value()},
                   {"OutpostArn", request.outpost_arn.has_value()},
                   {"Ipv6Native", request.ipv6_native.value_or(false)}}));
  const State& state = transaction.state();
  TRY(const VpcRecord* const vpc, require<VpcRecord>(state, request.vpc_id));
  TRY(const Cidr range, check_range(state, *vpc, request.cidr_block));
  TRY(std::string zone, choose_zone(transaction.scene().region, request.availability_zone,
                                    request.availability_zone_id));
  TRY(Tags tags, tags_for(request.tag_specifications, "subnet"));
  SubnetRecord subnet{
      .id = new_id<SubnetId>(transaction.random()),
      .vpc = vpc->id,
      .cidr = range.text(),
      .zone = std::move(zone),
      .network_acl_association = new_id<NetworkAclAssociationId>(transaction.random()),
      .network_acl = default_network_acl(state, vpc->id),
      .tags = std::move(tags)};
  transaction.put(subnet);
  return CreateSubnetResult{.subnet = view(state, subnet, transaction.scene())};
}

base::Result<DescribeSubnetsResult> describe_subnets(const State& state, const Scene& scene,
                                                     const DescribeSubnetsRequest& request) {
  const std::array shared{SharedValue{"owner-id", scene.account}};
  TRY(const auto page,
      select_shared<SubnetRecord>(state, shared, request.subnet_ids, request.filters, kFilters,
                                  {request.max_results, request.next_token}));
  DescribeSubnetsResult result{.subnets = std::vector<Subnet>{}, .next_token = page.next_token};
  for (const SubnetRecord* subnet : page.records) {
    result.subnets->push_back(view(state, *subnet, scene));
  }
  return result;
}

base::Result<wire::Empty> modify_subnet_attribute(Transaction& transaction,
                                                  const ModifySubnetAttributeRequest& request) {
  TRY(const SubnetRecord* const found,
      require<SubnetRecord>(transaction.state(), request.subnet_id));
  TRY_VOID(check_one_attribute(request));
  SubnetRecord subnet = *found;
  if (request.map_public_ip_on_launch.has_value()) {
    if (!request.map_public_ip_on_launch->value.has_value())
      return std::unexpected(missing("value"));
    subnet.map_public_ip_on_launch = *request.map_public_ip_on_launch->value;
  } else if (request.private_dns_hostname_type_on_launch.has_value()) {
    const std::string& type = *request.private_dns_hostname_type_on_launch;
    if (type != "ip-name" && type != "resource-name") {
      return std::unexpected(invalid_value(type, "privateDnsHostnameTypeOnLaunch",
                                           "Valid values are ip-name and resource-name."));
    }
    subnet.hostname_type = type;
  } else if (request.enable_resource_name_dns_a_record_on_launch.has_value()) {
    subnet.resource_name_dns_a_record =
        request.enable_resource_name_dns_a_record_on_launch->value.value_or(false);
  }
  transaction.put(std::move(subnet));
  return wire::Empty{};
}

base::Result<wire::Empty> delete_subnet(Transaction& transaction,
                                        const DeleteSubnetRequest& request) {
  TRY(const SubnetRecord* const subnet,
      require<SubnetRecord>(transaction.state(), request.subnet_id));
  if (has_contents(transaction.state(), subnet->id)) {
    return std::unexpected(has_dependencies("subnet", request.subnet_id));
  }
  drop_route_table_association(transaction, subnet->id);
  transaction.erase<SubnetRecord>(subnet->id);
  return wire::Empty{};
}

base::Result<CreateDefaultVpcResult> create_default_vpc(Transaction& transaction) {
  if (default_vpc_of(transaction.state()) != nullptr) {
    return base::fail(errors::kDefaultVpcAlreadyExists,
                      "A Default VPC already exists for this account in this region.");
  }
  const VpcId id = make_default_vpc(transaction);
  return CreateDefaultVpcResult{
      .vpc = view(*transaction.find<VpcRecord>(id), transaction.scene().account)};
}

base::Result<CreateDefaultSubnetResult> create_default_subnet(
    Transaction& transaction, const CreateDefaultSubnetRequest& request) {
  TRY_VOID(refuse({{"Ipv6Native", request.ipv6_native.value_or(false)}}));
  const State& state = transaction.state();
  TRY(const std::string zone,
      choose_zone(transaction.scene().region, request.availability_zone, {}));
  const VpcRecord* const vpc = default_vpc_of(state);
  if (vpc == nullptr) {
    return base::fail(errors::kDefaultVpcDoesNotExist,
                      "There is no default VPC in which to carry out the request.");
  }
  for (const SubnetRecord& subnet : state.all<SubnetRecord>()) {
    if (subnet.is_default && subnet.zone == zone) {
      return base::fail(errors::kDefaultSubnetAlreadyExistsInAvailabilityZone,
                        "'" + subnet.id.value + "' is already the default subnet in " + zone + ".");
    }
  }
  const Cidr whole = *Cidr::parse(vpc->cidr());
  const SubnetId id = make_default_subnet(transaction, vpc->id, zone);
  const SubnetRecord& made = *transaction.find<SubnetRecord>(id);
  if (!whole.contains(*Cidr::parse(made.cidr))) {
    return base::fail(errors::kInvalidSubnetConflict,
                      "The default VPC has no free range for another default subnet.");
  }
  return CreateDefaultSubnetResult{.subnet = view(state, made, transaction.scene())};
}

}  // namespace terrarium::ec2
