// How AWS speaks of each kind of record, and of pages.
#include <algorithm>

#include "lib/base/encoding.h"
#include "terrarium/services/ec2/select.h"

namespace terrarium::ec2 {
namespace {

constexpr std::int32_t kPageMin = 5;
constexpr std::int32_t kPageMax = 1000;

}  // namespace

#define EC2_NOUN(T, title, not_found, malformed)         \
  template <>                                            \
  const Noun& noun_of<T>() {                             \
    static const Noun noun{title, not_found, malformed}; \
    return noun;                                         \
  }
EC2_NOUN(VpcRecord, "vpc ID", errors::kInvalidVpcIDNotFound, errors::kInvalidVpcIdMalformed)
EC2_NOUN(SubnetRecord, "subnet ID", errors::kInvalidSubnetIDNotFound,
         errors::kInvalidSubnetIdMalformed)
EC2_NOUN(RouteTableRecord, "routeTable ID", errors::kInvalidRouteTableIDNotFound,
         errors::kInvalidRouteTableIdMalformed)
EC2_NOUN(InternetGatewayRecord, "internetGateway ID", errors::kInvalidInternetGatewayIDNotFound,
         errors::kInvalidInternetGatewayIdMalformed)
EC2_NOUN(NetworkAclRecord, "networkAcl ID", errors::kInvalidNetworkAclIDNotFound,
         errors::kInvalidNetworkAclIdMalformed)
EC2_NOUN(SecurityGroupRecord, "security group", errors::kInvalidGroupNotFound,
         errors::kInvalidGroupIdMalformed)
EC2_NOUN(NetworkInterfaceRecord, "networkInterface ID", errors::kInvalidNetworkInterfaceIDNotFound,
         errors::kInvalidNetworkInterfaceIdMalformed)
EC2_NOUN(AddressRecord, "allocation ID", errors::kInvalidAllocationIDNotFound,
         errors::kInvalidAllocationIDNotFound)
EC2_NOUN(NatGatewayRecord, "natGateway ID", errors::kNatGatewayNotFound,
         errors::kNatGatewayMalformed)
EC2_NOUN(DhcpOptionsRecord, "dhcpOption ID", errors::kInvalidDhcpOptionIDNotFound,
         errors::kInvalidDhcpOptionIDNotFound)
EC2_NOUN(KeyPairRecord, "key pair", errors::kInvalidKeyPairNotFound,
         errors::kInvalidKeyPairNotFound)
EC2_NOUN(ImageRecord, "image id", errors::kInvalidAMIIDNotFound, errors::kInvalidAMIIDMalformed)
EC2_NOUN(LaunchTemplateRecord, "launch template ID", errors::kInvalidLaunchTemplateIdNotFound,
         errors::kInvalidLaunchTemplateIdMalformed)
EC2_NOUN(InstanceRecord, "instance ID", errors::kInvalidInstanceIDNotFound,
         errors::kInvalidInstanceIDMalformed)
EC2_NOUN(VolumeRecord, "volume", errors::kInvalidVolumeNotFound, errors::kInvalidVolumeIDMalformed)
#undef EC2_NOUN

base::Error malformed_id(const Noun& noun, const std::string& id) {
  return base::fail(noun.malformed, "Invalid id: \"" + id + "\"").error();
}

base::Error unknown_id(const Noun& noun, const std::string& id) {
  return base::fail(noun.not_found,
                    "The " + std::string(noun.title) + " '" + id + "' does not exist")
      .error();
}

SharedFilters split_shared(const std::optional<std::vector<Filter>>& filters,
                           std::span<const SharedValue> shared) {
  SharedFilters split;
  if (!filters.has_value()) return split;
  for (const Filter& filter : *filters) {
    const auto known = std::ranges::find(shared, filter.name.value_or(""), &SharedValue::name);
    if (known == shared.end() || !filter.values.has_value()) {
      split.rest.push_back(filter);
      continue;
    }
    split.fit &= std::ranges::any_of(*filter.values, [&](const std::string& pattern) {
      return matches_pattern(known->value, pattern);
    });
  }
  return split;
}

base::Result<void> check_page(const PageRequest& page) {
  if (!page.max_results.has_value()) return {};
  if (*page.max_results < kPageMin || *page.max_results > kPageMax) {
    return base::fail(errors::kInvalidParameterValue,
                      "Value ( " + std::to_string(*page.max_results) +
                          " ) for parameter maxResults is invalid. Expecting a value between " +
                          std::to_string(kPageMin) + " and " + std::to_string(kPageMax) + ".");
  }
  return {};
}

std::string page_token(const std::string& last_id) { return base::base64_encode(last_id); }

base::Result<std::string> page_start(const std::string& token) {
  auto id = base::base64_decode(token);
  if (!id.has_value() || id->empty()) {
    return base::fail(errors::kInvalidNextToken, "The token '" + token + "' is invalid");
  }
  return id;
}

}  // namespace terrarium::ec2
