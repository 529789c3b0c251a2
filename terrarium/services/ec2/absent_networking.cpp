#include "terrarium/services/ec2/absent_networking.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

using base::Result;
using runtime::Task;

constexpr std::array kClassicLinkFilters{FilterField<VpcRecord>{
    "is-classic-link-enabled",
    [](const State&, const VpcRecord&) { return FilterValues{filter_text(false)}; }}};

FilterValues configuration_keys(const State&, const DhcpOptionsRecord& options) {
  FilterValues keys;
  for (const auto& [key, values] : options.configurations) keys.push_back(key);
  return keys;
}

FilterValues configuration_values(const State&, const DhcpOptionsRecord& options) {
  FilterValues all;
  for (const auto& [key, values] : options.configurations) {
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

constexpr std::array kDhcpOptionsFilters{
    FilterField<DhcpOptionsRecord>{"dhcp-options-id",
                                   [](const State&, const DhcpOptionsRecord& options) {
                                     return FilterValues{options.id.value};
                                   }},
    FilterField<DhcpOptionsRecord>{"key", configuration_keys},
    FilterField<DhcpOptionsRecord>{"value", configuration_values},
};

// Whoever names one is told that it is not there.
Result<void> check_none(const std::optional<std::vector<std::string>>& ids, const Noun& noun,
                        std::string_view prefix, const PageRequest& page = {}) {
  TRY_VOID(check_page(page));
  if (!ids.has_value() || ids->empty()) return {};
  const std::string& id = ids->front();
  return std::unexpected(is_id_text(id, prefix) ? unknown_id(noun, id) : malformed_id(noun, id));
}

const Noun kPeering{"vpcPeeringConnection ID", errors::kInvalidVpcPeeringConnectionIDNotFound,
                    errors::kInvalidVpcPeeringConnectionIdMalformed};
const Noun kEgressOnlyGateway{"egressOnlyInternetGateway ID",
                              errors::kInvalidEgressOnlyInternetGatewayIdNotFound,
                              errors::kInvalidEgressOnlyInternetGatewayIdNotFound};
const Noun kVpnGateway{"vpnGateway ID", errors::kInvalidVpnGatewayIDNotFound,
                       errors::kInvalidVpnGatewayIDNotFound};
const Noun kVpcEndpoint{"Vpc Endpoint Id", errors::kInvalidVpcEndpointIdNotFound,
                        errors::kInvalidVpcEndpointIdMalformed};
const Noun kPrefixList{"prefix list ID", errors::kInvalidPrefixListIDNotFound,
                       errors::kInvalidPrefixListIdMalformed};

DhcpOptions view(const DhcpOptionsRecord& options, const Scene& scene) {
  DhcpOptions out{.dhcp_configurations = std::vector<DhcpConfiguration>{},
                  .dhcp_options_id = options.id.value,
                  .owner_id = scene.account,
                  .tags = tag_list(options.tags)};
  for (const auto& [key, values] : options.configurations) {
    DhcpConfiguration one{.key = key, .values = std::vector<AttributeValue>{}};
    for (const std::string& value : values) one.values->push_back({value});
    out.dhcp_configurations->push_back(std::move(one));
  }
  return out;
}

}  // namespace

Result<DescribeVpcClassicLinkResult> describe_vpc_classic_link(
    const State& state, const DescribeVpcClassicLinkRequest& request) {
  TRY(const auto page,
      select<VpcRecord>(state, request.vpc_ids, request.filters, kClassicLinkFilters));
  DescribeVpcClassicLinkResult result{.vpcs = std::vector<VpcClassicLink>{}};
  for (const VpcRecord* vpc : page.records) {
    result.vpcs->push_back(
        {.classic_link_enabled = false, .tags = tag_list(vpc->tags), .vpc_id = vpc->id.value});
  }
  return result;
}

Result<DescribeVpcClassicLinkDnsSupportResult> describe_vpc_classic_link_dns_support(
    const State& state, const DescribeVpcClassicLinkDnsSupportRequest& request) {
  TRY(const auto page, select<VpcRecord>(state, request.vpc_ids, {}, kClassicLinkFilters,
                                         {request.max_results, request.next_token}));
  DescribeVpcClassicLinkDnsSupportResult result{.next_token = page.next_token,
                                                .vpcs = std::vector<ClassicLinkDnsSupport>{}};
  for (const VpcRecord* vpc : page.records) {
    result.vpcs->push_back({.classic_link_dns_supported = false, .vpc_id = vpc->id.value});
  }
  return result;
}

Result<DescribeDhcpOptionsResult> describe_dhcp_options(const State& state, const Scene& scene,
                                                        const DescribeDhcpOptionsRequest& request) {
  const std::array shared{SharedValue{"owner-id", scene.account}};
  TRY(const auto page, select_shared<DhcpOptionsRecord>(state, shared, request.dhcp_options_ids,
                                                        request.filters, kDhcpOptionsFilters,
                                                        {request.max_results, request.next_token}));
  DescribeDhcpOptionsResult result{.dhcp_options = std::vector<DhcpOptions>{},
                                   .next_token = page.next_token};
  for (const DhcpOptionsRecord* options : page.records) {
    result.dhcp_options->push_back(view(*options, scene));
  }
  return result;
}

Result<wire::Empty> associate_dhcp_options(Transaction& transaction,
                                           const AssociateDhcpOptionsRequest& request) {
  TRY(const VpcRecord* const found, require<VpcRecord>(transaction.state(), request.vpc_id));
  VpcRecord vpc = *found;
  vpc.dhcp_options = DhcpOptionsId();
  if (request.dhcp_options_id != "default") {
    TRY(const auto* const options,
        require<DhcpOptionsRecord>(transaction.state(), request.dhcp_options_id));
    vpc.dhcp_options = options->id;
  }
  transaction.put(std::move(vpc));
  return wire::Empty{};
}

Task<Result<DescribeVpcClassicLinkResult>> AbsentNetworking::describe_vpc_classic_link(
    const wire::Context& context, DescribeVpcClassicLinkRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_vpc_classic_link(*state, request);
}

Task<Result<DescribeVpcClassicLinkDnsSupportResult>>
AbsentNetworking::describe_vpc_classic_link_dns_support(
    const wire::Context& context, DescribeVpcClassicLinkDnsSupportRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_vpc_classic_link_dns_support(*state, request);
}

Task<Result<DescribeVpcPeeringConnectionsResult>>
AbsentNetworking::describe_vpc_peering_connections(const wire::Context&,
                                                   DescribeVpcPeeringConnectionsRequest request) {
  CO_TRY_VOID(check_none(request.vpc_peering_connection_ids, kPeering, "pcx-",
                         {request.max_results, request.next_token}));
  co_return DescribeVpcPeeringConnectionsResult{.vpc_peering_connections =
                                                    std::vector<VpcPeeringConnection>{}};
}

Task<Result<DescribeEgressOnlyInternetGatewaysResult>>
AbsentNetworking::describe_egress_only_internet_gateways(
    const wire::Context&, DescribeEgressOnlyInternetGatewaysRequest request) {
  CO_TRY_VOID(check_none(request.egress_only_internet_gateway_ids, kEgressOnlyGateway, "eigw-",
                         {request.max_results, request.next_token}));
  co_return DescribeEgressOnlyInternetGatewaysResult{.egress_only_internet_gateways =
                                                         std::vector<EgressOnlyInternetGateway>{}};
}

Task<Result<DescribeVpnGatewaysResult>> AbsentNetworking::describe_vpn_gateways(
    const wire::Context&, DescribeVpnGatewaysRequest request) {
  CO_TRY_VOID(check_none(request.vpn_gateway_ids, kVpnGateway, "vgw-"));
  co_return DescribeVpnGatewaysResult{.vpn_gateways = std::vector<VpnGateway>{}};
}

Task<Result<DescribeVpcEndpointsResult>> AbsentNetworking::describe_vpc_endpoints(
    const wire::Context&, DescribeVpcEndpointsRequest request) {
  CO_TRY_VOID(check_none(request.vpc_endpoint_ids, kVpcEndpoint, "vpce-",
                         {request.max_results, request.next_token}));
  co_return DescribeVpcEndpointsResult{.vpc_endpoints = std::vector<VpcEndpoint>{}};
}

Task<Result<DescribePrefixListsResult>> AbsentNetworking::describe_prefix_lists(
    const wire::Context&, DescribePrefixListsRequest request) {
  CO_TRY_VOID(check_none(request.prefix_list_ids, kPrefixList, "pl-",
                         {request.max_results, request.next_token}));
  co_return DescribePrefixListsResult{.prefix_lists = std::vector<PrefixList>{}};
}

Task<Result<DescribeManagedPrefixListsResult>> AbsentNetworking::describe_managed_prefix_lists(
    const wire::Context&, DescribeManagedPrefixListsRequest request) {
  CO_TRY_VOID(check_none(request.prefix_list_ids, kPrefixList, "pl-",
                         {request.max_results, request.next_token}));
  co_return DescribeManagedPrefixListsResult{.prefix_lists = std::vector<ManagedPrefixList>{}};
}

Task<Result<DescribeDhcpOptionsResult>> AbsentNetworking::describe_dhcp_options(
    const wire::Context& context, DescribeDhcpOptionsRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_dhcp_options(*state, core_.scene_of(context), request);
}

Task<Result<wire::Empty>> AbsentNetworking::associate_dhcp_options(
    const wire::Context& context, AssociateDhcpOptionsRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::associate_dhcp_options(transaction, request);
                      });
}

}  // namespace terrarium::ec2
