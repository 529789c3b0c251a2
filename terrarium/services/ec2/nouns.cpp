// How AWS speaks of each kind of record, and of pages.
#include <algorithm>

#include "lib/base/encoding.h"
#include "terrarium/services/ec2/select.h"

namespace terrarium::ec2 {
namespace {

std::string with_id(std::string_view sentence, std::string_view id) {
  const std::size_t at = sentence.find("{}");
  return std::string(sentence.substr(0, at)) + std::string(id) +
         std::string(sentence.substr(at + 2));
}

}  // namespace

#define EC2_NOUN(T, title, not_found, malformed, ...)                               \
  template <>                                                                       \
  const Noun& noun_of<T>() {                                                        \
    static const Noun noun{title, not_found, malformed __VA_OPT__(, ) __VA_ARGS__}; \
    return noun;                                                                    \
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
         errors::kInvalidGroupIdMalformed, "The security group '{}' does not exist",
         "The security groups '{}' do not exist", "sg-...")
EC2_NOUN(NetworkInterfaceRecord, "networkInterface ID", errors::kInvalidNetworkInterfaceIDNotFound,
         errors::kInvalidNetworkInterfaceIdMalformed)
EC2_NOUN(AddressRecord, "allocation ID", errors::kInvalidAllocationIDNotFound,
         errors::kInvalidAllocationIDNotFound)
EC2_NOUN(NatGatewayRecord, "natGateway ID", errors::kNatGatewayNotFound,
         errors::kNatGatewayMalformed, "NatGateway {} was not found")
EC2_NOUN(DhcpOptionsRecord, "dhcpOption ID", errors::kInvalidDhcpOptionIDNotFound,
         errors::kInvalidDhcpOptionIDNotFound)
EC2_NOUN(KeyPairRecord, "key pair", errors::kInvalidKeyPairNotFound,
         errors::kInvalidKeyPairNotFound)
EC2_NOUN(ImageRecord, "image id", errors::kInvalidAMIIDNotFound, errors::kInvalidAMIIDMalformed,
         "The image id '[{}]' does not exist", "The image ids '[{}]' do not exist", "ami-...")
EC2_NOUN(LaunchTemplateRecord, "launch template ID", errors::kInvalidLaunchTemplateIdNotFound,
         errors::kInvalidLaunchTemplateIdMalformed,
         "The specified launch template, with template ID {}, does not exist.")
EC2_NOUN(InstanceRecord, "instance ID", errors::kInvalidInstanceIDNotFound,
         errors::kInvalidInstanceIDMalformed, "The instance ID '{}' does not exist",
         "The instance IDs '{}' do not exist")
EC2_NOUN(VolumeRecord, "volume", errors::kInvalidVolumeNotFound, errors::kInvalidVolumeIDMalformed,
         "The volume '{}' does not exist.")
#undef EC2_NOUN

base::Error malformed_id(const Noun& noun, const std::string& id) {
  std::string message = "Invalid id: \"" + id + "\"";
  if (!noun.expecting.empty()) message += " (expecting \"" + std::string(noun.expecting) + "\")";
  return base::fail(noun.malformed, std::move(message)).error();
}

base::Error unknown_id(const Noun& noun, const std::string& id) {
  if (!noun.unknown.empty()) {
    return base::fail(noun.not_found, with_id(noun.unknown, id)).error();
  }
  return base::fail(noun.not_found,
                    "The " + std::string(noun.title) + " '" + id + "' does not exist")
      .error();
}

base::Error unknown_ids(const Noun& noun, const std::vector<std::string>& ids) {
  if (ids.size() == 1 || noun.several_unknown.empty()) return unknown_id(noun, ids.front());
  std::string list;
  for (const std::string& id : ids) list += (list.empty() ? "" : ", ") + id;
  return base::fail(noun.not_found, with_id(noun.several_unknown, list)).error();
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
  if (*page.max_results < page.results_min || *page.max_results > page.results_max) {
    return base::fail(errors::kInvalidParameterValue,
                      "Value ( " + std::to_string(*page.max_results) +
                          " ) for parameter maxResults is invalid. Expecting a value between " +
                          std::to_string(page.results_min) + " and " +
                          std::to_string(page.results_max) + ".");
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
