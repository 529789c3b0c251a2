#include "terrarium/services/ec2/vpc_rules.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/cidr.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/seed.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

constexpr int kDefaultAclEntryNumber = 100;

DhcpOptionsId default_dhcp_options(const State& state) {
  const auto all = state.all<DhcpOptionsRecord>();
  return all.empty() ? DhcpOptionsId() : (*all.begin()).id;
}

void make_main_route_table(Transaction& transaction, const VpcRecord& vpc) {
  transaction.put(RouteTableRecord{
      .id = new_id<RouteTableId>(transaction.random()),
      .vpc = vpc.id,
      .routes = {{vpc.cidr(), RouteTarget::Local, {}, true}},
      .associations = {{new_id<RouteTableAssociationId>(transaction.random()), {}}}});
}

void make_default_acl(Transaction& transaction, const VpcRecord& vpc) {
  NetworkAclRecord acl{
      .id = new_id<NetworkAclId>(transaction.random()), .vpc = vpc.id, .is_default = true};
  for (const bool egress : {true, false}) {
    acl.entries.push_back(
        {.number = kDefaultAclEntryNumber, .egress = egress, .allow = true, .cidr = "0.0.0.0/0"});
  }
  transaction.put(std::move(acl));
}

void make_default_group(Transaction& transaction, const VpcRecord& vpc) {
  SecurityGroupRecord group{.id = new_id<SecurityGroupId>(transaction.random()),
                            .vpc = vpc.id,
                            .name = "default",
                            .description = "default VPC security group"};
  const auto rule_id = [&] { return new_id<SecurityGroupRuleId>(transaction.random()); };
  group.rules.push_back({.id = rule_id(), .egress = false, .group = group.id});
  group.rules.push_back({.id = rule_id(), .egress = true, .cidr = "0.0.0.0/0"});
  transaction.put(std::move(group));
}

template <class T>
bool any_in(const State& state, const VpcId& vpc, bool (*counts)(const T&)) {
  return std::ranges::any_of(state.all<T>(),
                             [&](const T& record) { return record.vpc == vpc && counts(record); });
}

bool has_contents(const State& state, const VpcId& vpc) {
  return any_in<SubnetRecord>(state, vpc, [](const auto&) { return true; }) ||
         any_in<NetworkInterfaceRecord>(state, vpc, [](const auto&) { return true; }) ||
         any_in<InternetGatewayRecord>(state, vpc, [](const auto&) { return true; }) ||
         any_in<RouteTableRecord>(state, vpc, [](const auto& one) { return !one.is_main(); }) ||
         any_in<NetworkAclRecord>(state, vpc, [](const auto& one) { return !one.is_default; }) ||
         any_in<SecurityGroupRecord>(state, vpc,
                                     [](const auto& one) { return one.name != "default"; });
}

// What AWS made along with the VPC goes with it.
template <class T>
void erase_all_in(Transaction& transaction, const VpcId& vpc) {
  std::vector<typename T::Id> ids;
  for (const T& record : transaction.state().all<T>()) {
    if (record.vpc == vpc) ids.push_back(record.id);
  }
  for (const auto& id : ids) transaction.erase<T>(id);
}

FilterValues no_ipv6(const State&, const VpcRecord&) { return {}; }

constexpr std::array kVpcFilters{
    FilterField<VpcRecord>{"ipv6-cidr-block-association.association-id", no_ipv6},
    FilterField<VpcRecord>{"ipv6-cidr-block-association.ipv6-cidr-block", no_ipv6},
    FilterField<VpcRecord>{"ipv6-cidr-block-association.ipv6-pool", no_ipv6},
    FilterField<VpcRecord>{"ipv6-cidr-block-association.state", no_ipv6},
    FilterField<VpcRecord>{
        "cidr", [](const State&, const VpcRecord& vpc) { return FilterValues{vpc.cidr()}; }},
    FilterField<VpcRecord>{"cidr-block-association.cidr-block",
                           [](const State&, const VpcRecord& vpc) {
                             FilterValues values;
                             for (const CidrAssociationRecord& range : vpc.cidrs)
                               values.push_back(range.cidr);
                             return values;
                           }},
    FilterField<VpcRecord>{"cidr-block-association.association-id",
                           [](const State&, const VpcRecord& vpc) {
                             FilterValues values;
                             for (const CidrAssociationRecord& range : vpc.cidrs)
                               values.push_back(range.id.value);
                             return values;
                           }},
    FilterField<VpcRecord>{
        "cidr-block-association.state",
        [](const State&, const VpcRecord&) { return FilterValues{"associated"}; }},
    FilterField<VpcRecord>{
        "dhcp-options-id",
        [](const State&, const VpcRecord& vpc) { return FilterValues{vpc.dhcp_options.value}; }},
    FilterField<VpcRecord>{"is-default",
                           [](const State&, const VpcRecord& vpc) {
                             return FilterValues{filter_text(vpc.is_default)};
                           }},
    FilterField<VpcRecord>{"isDefault",
                           [](const State&, const VpcRecord& vpc) {
                             return FilterValues{filter_text(vpc.is_default)};
                           }},
    FilterField<VpcRecord>{
        "state", [](const State&, const VpcRecord&) { return FilterValues{"available"}; }},
    FilterField<VpcRecord>{
        "vpc-id", [](const State&, const VpcRecord& vpc) { return FilterValues{vpc.id.value}; }},
};

}  // namespace

base::Result<Cidr> check_vpc_cidr(const std::optional<std::string>& text) {
  if (!text.has_value()) return std::unexpected(missing("cidrBlock"));
  const auto cidr = Cidr::parse(*text);
  if (!cidr.has_value()) {
    return std::unexpected(invalid_value(*text, "cidrBlock", "This is not a valid CIDR block."));
  }
  if (cidr->prefix_length() < kVpcPrefixLengthMin || cidr->prefix_length() > kVpcPrefixLengthMax) {
    return base::fail(errors::kInvalidVpcRange, "The CIDR '" + *text + "' is invalid.");
  }
  return *cidr;
}

Vpc view(const VpcRecord& vpc, const std::string& account) {
  Vpc out{
      .cidr_block = vpc.cidr(),
      .dhcp_options_id = vpc.dhcp_options.value.empty() ? "default" : vpc.dhcp_options.value,
      .state = "available",
      .vpc_id = vpc.id.value,
      .owner_id = account,
      .instance_tenancy = "default",
      .is_default = vpc.is_default,
      .tags = tag_list(vpc.tags),
      .block_public_access_states = BlockPublicAccessStates{.internet_gateway_block_mode = "off"}};
  auto& ranges = out.cidr_block_association_set.emplace();
  for (const CidrAssociationRecord& range : vpc.cidrs) {
    ranges.push_back({.association_id = range.id.value,
                      .cidr_block = range.cidr,
                      .cidr_block_state = VpcCidrBlockState{.state = "associated"}});
  }
  return out;
}

VpcId make_vpc(Transaction& transaction, const std::string& cidr, bool is_default, Tags tags) {
  VpcRecord vpc{.id = new_id<VpcId>(transaction.random()),
                .cidrs = {{new_id<VpcCidrAssociationId>(transaction.random()), cidr}},
                .is_default = is_default,
                .dns_hostnames = is_default,
                .dhcp_options = default_dhcp_options(transaction.state()),
                .tags = std::move(tags)};
  transaction.put(vpc);
  make_main_route_table(transaction, vpc);
  make_default_acl(transaction, vpc);
  make_default_group(transaction, vpc);
  return vpc.id;
}

base::Result<CreateVpcResult> create_vpc(Transaction& transaction,
                                         const CreateVpcRequest& request) {
  TRY_VOID(refuse(
      {{"AmazonProvidedIpv6CidrBlock", request.amazon_provided_ipv6_cidr_block.value_or(false)},
       {"Ipv6Pool", request.ipv6_pool.has_value()},
       {"Ipv6CidrBlock", request.ipv6_cidr_block.has_value()},
       {"Ipv4IpamPoolId", request.ipv4_ipam_pool_id.has_value()},
       {"Ipv4NetmaskLength", request.ipv4_netmask_length.has_value()},
       {"Ipv6IpamPoolId", request.ipv6_ipam_pool_id.has_value()},
       {"Ipv6NetmaskLength", request.ipv6_netmask_length.has_value()},
       {"Ipv6CidrBlockNetworkBorderGroup",
        request.ipv6_cidr_block_network_border_group.has_value()}}));
  const std::string tenancy = request.instance_tenancy.value_or("default");
  if (tenancy != "default") {
    return std::unexpected(
        invalid_value(tenancy, "instanceTenancy", "Only default tenancy is supported here."));
  }
  TRY(const Cidr cidr, check_vpc_cidr(request.cidr_block));
  TRY(Tags tags, tags_for(request.tag_specifications, "vpc"));
  const VpcId id = make_vpc(transaction, cidr.text(), false, std::move(tags));
  CreateVpcResult result{.vpc =
                             view(*transaction.find<VpcRecord>(id), transaction.scene().account)};
  // AWS answers before it is done, and names what the VPC could have.
  result.vpc->state = "pending";
  result.vpc->ipv6_cidr_block_association_set.emplace();
  return result;
}

base::Result<wire::Empty> delete_vpc(Transaction& transaction, const DeleteVpcRequest& request) {
  TRY(const VpcRecord* const vpc, require<VpcRecord>(transaction.state(), request.vpc_id));
  if (has_contents(transaction.state(), vpc->id)) {
    return std::unexpected(has_dependencies("vpc", request.vpc_id));
  }
  const VpcId id = vpc->id;
  erase_all_in<RouteTableRecord>(transaction, id);
  erase_all_in<NetworkAclRecord>(transaction, id);
  erase_all_in<SecurityGroupRecord>(transaction, id);
  transaction.erase<VpcRecord>(id);
  return wire::Empty{};
}

base::Result<DescribeVpcsResult> describe_vpcs(const State& state, const std::string& account,
                                               const DescribeVpcsRequest& request) {
  const std::array shared{SharedValue{"owner-id", account}};
  TRY(const auto page,
      select_shared<VpcRecord>(state, shared, request.vpc_ids, request.filters, kVpcFilters,
                               {request.max_results, request.next_token}));
  DescribeVpcsResult result{.vpcs = std::vector<Vpc>{}, .next_token = page.next_token};
  for (const VpcRecord* vpc : page.records) result.vpcs->push_back(view(*vpc, account));
  return result;
}

base::Result<DescribeVpcAttributeResult> describe_vpc_attribute(
    const State& state, const DescribeVpcAttributeRequest& request) {
  TRY(const VpcRecord* const vpc, require<VpcRecord>(state, request.vpc_id));
  DescribeVpcAttributeResult result{.vpc_id = vpc->id.value};
  if (request.attribute == "enableDnsSupport") {
    result.enable_dns_support = AttributeBooleanValue{vpc->dns_support};
  } else if (request.attribute == "enableDnsHostnames") {
    result.enable_dns_hostnames = AttributeBooleanValue{vpc->dns_hostnames};
  } else if (request.attribute == "enableNetworkAddressUsageMetrics") {
    result.enable_network_address_usage_metrics =
        AttributeBooleanValue{vpc->network_address_usage_metrics};
  } else {
    return std::unexpected(invalid_value(request.attribute, "attribute", "Unknown attribute."));
  }
  return result;
}

base::Result<wire::Empty> modify_vpc_attribute(Transaction& transaction,
                                               const ModifyVpcAttributeRequest& request) {
  TRY(const VpcRecord* const found, require<VpcRecord>(transaction.state(), request.vpc_id));
  const std::optional<AttributeBooleanValue>* const attributes[] = {
      &request.enable_dns_support, &request.enable_dns_hostnames,
      &request.enable_network_address_usage_metrics};
  const auto given =
      std::ranges::count_if(attributes, [](const auto* one) { return one->has_value(); });
  if (given == 0) return std::unexpected(missing("attribute"));
  if (given > 1) {
    return base::fail(errors::kInvalidParameterCombination,
                      "Fields for multiple attribute types specified");
  }
  VpcRecord vpc = *found;
  bool* const flags[] = {&vpc.dns_support, &vpc.dns_hostnames, &vpc.network_address_usage_metrics};
  for (std::size_t i = 0; i < std::size(flags); ++i) {
    if (!attributes[i]->has_value()) continue;
    if (!(*attributes[i])->value.has_value()) return std::unexpected(missing("value"));
    *flags[i] = *(*attributes[i])->value;
  }
  transaction.put(std::move(vpc));
  return wire::Empty{};
}

}  // namespace terrarium::ec2
