#include "terrarium/services/ec2/zone_rules.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/filter.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/regions.h"

namespace terrarium::ec2 {
namespace {

constexpr std::string_view kNotRequired = "opt-in-not-required";
constexpr std::string_view kZoneType = "availability-zone";
// What network interfaces and addresses of an account are held to.
constexpr std::string_view kGroupsPerInterface = "5";
constexpr std::string_view kAddresses = "5";
constexpr std::string_view kInstances = "500";

std::string endpoint_of(const AwsRegion& region) {
  return "ec2." + std::string(region.name) + ".amazonaws.com";
}

std::string opt_in_of(const AwsRegion& region) {
  return region.opt_in ? "opted-in" : std::string(kNotRequired);
}

constexpr std::array kRegionFilters{
    FilterField<AwsRegion>{
        "endpoint",
        [](const State&, const AwsRegion& region) { return FilterValues{endpoint_of(region)}; }},
    FilterField<AwsRegion>{
        "opt-in-status",
        [](const State&, const AwsRegion& region) { return FilterValues{opt_in_of(region)}; }},
    FilterField<AwsRegion>{"region-name",
                           [](const State&, const AwsRegion& region) {
                             return FilterValues{std::string(region.name)};
                           }},
};

using ZoneFilter = FilterField<AvailabilityZone>;
template <auto Member>
FilterValues text_of(const State&, const AvailabilityZone& zone) {
  const std::optional<std::string>& value = zone.*Member;
  return value.has_value() ? FilterValues{*value} : FilterValues{};
}
constexpr std::array kZoneFilters{
    ZoneFilter{"group-name", text_of<&AvailabilityZone::group_name>},
    ZoneFilter{"message", [](const State&, const AvailabilityZone&) { return FilterValues{}; }},
    ZoneFilter{"opt-in-status", text_of<&AvailabilityZone::opt_in_status>},
    ZoneFilter{"parent-zone-id", text_of<&AvailabilityZone::parent_zone_id>},
    ZoneFilter{"parent-zone-name", text_of<&AvailabilityZone::parent_zone_name>},
    ZoneFilter{"region-name", text_of<&AvailabilityZone::region_name>},
    ZoneFilter{"state", text_of<&AvailabilityZone::state>},
    ZoneFilter{"zone-id", text_of<&AvailabilityZone::zone_id>},
    ZoneFilter{"zone-name", text_of<&AvailabilityZone::zone_name>},
    ZoneFilter{"zone-type", text_of<&AvailabilityZone::zone_type>},
};

AvailabilityZone zone_view(const std::string& region, const std::string& name) {
  return {.state = "available",
          .opt_in_status = std::string(kNotRequired),
          .messages = std::vector<AvailabilityZoneMessage>{},
          .region_name = region,
          .zone_name = name,
          .zone_id = zone_id(region, name),
          .group_name = region,
          .network_border_group = region,
          .zone_type = std::string(kZoneType)};
}

// Every name must be one of the zones'.
base::Result<void> check_zones(const std::vector<AvailabilityZone>& zones,
                               const std::vector<std::string>& wanted,
                               std::optional<std::string> AvailabilityZone::* member) {
  for (const std::string& name : wanted) {
    if (std::ranges::find(zones, name, member) == zones.end()) {
      return base::fail(errors::kInvalidParameterValue,
                        "Invalid availability zone: [" + name + "]");
    }
  }
  return {};
}

bool is_wanted(const std::vector<std::string>& wanted, const std::optional<std::string>& name) {
  return wanted.empty() || std::ranges::find(wanted, name.value_or("")) != wanted.end();
}

std::vector<AccountAttribute> attributes_of(const State& state) {
  std::string default_vpc = "none";
  for (const VpcRecord& vpc : state.all<VpcRecord>()) {
    if (vpc.is_default) default_vpc = vpc.id.value;
  }
  std::vector<AccountAttribute> attributes;
  const auto add = [&attributes](std::string name, std::string value) {
    attributes.push_back(
        {.attribute_name = std::move(name),
         .attribute_values = std::vector<AccountAttributeValue>{{std::move(value)}}});
  };
  add("supported-platforms", "VPC");
  add("default-vpc", default_vpc);
  add("max-instances", std::string(kInstances));
  add("vpc-max-security-groups-per-interface", std::string(kGroupsPerInterface));
  add("max-elastic-ips", std::string(kAddresses));
  add("vpc-max-elastic-ips", std::string(kAddresses));
  return attributes;
}

}  // namespace

base::Result<DescribeRegionsResult> describe_regions(const State& state,
                                                     const DescribeRegionsRequest& request) {
  TRY(const FilterSet filters, FilterSet::of(request.filters));
  TRY_VOID(filters.check(std::span<const FilterField<AwsRegion>>(kRegionFilters)));
  const auto wanted = request.region_names.value_or(std::vector<std::string>{});
  for (const std::string& name : wanted) {
    if (find_region(name) == nullptr) {
      return base::fail(errors::kInvalidParameterValue, "Invalid region: [" + name + "]");
    }
  }
  // AllRegions adds those that an account has not opted in to: here there are none.
  DescribeRegionsResult result{.regions = std::vector<Region>{}};
  for (const AwsRegion& region : aws_regions()) {
    if (!is_wanted(wanted, std::string(region.name))) continue;
    if (!filters.match<AwsRegion>(state, region, {}, kRegionFilters)) continue;
    result.regions->push_back({.endpoint = endpoint_of(region),
                               .region_name = std::string(region.name),
                               .opt_in_status = opt_in_of(region)});
  }
  return result;
}

base::Result<DescribeAvailabilityZonesResult> describe_availability_zones(
    const State& state, const std::string& region,
    const DescribeAvailabilityZonesRequest& request) {
  TRY(const FilterSet filters, FilterSet::of(request.filters));
  TRY_VOID(filters.check(std::span<const ZoneFilter>(kZoneFilters)));
  std::vector<AvailabilityZone> zones;
  for (const std::string& name : zone_names(region)) zones.push_back(zone_view(region, name));
  const auto names = request.zone_names.value_or(std::vector<std::string>{});
  const auto ids = request.zone_ids.value_or(std::vector<std::string>{});
  TRY_VOID(check_zones(zones, names, &AvailabilityZone::zone_name));
  TRY_VOID(check_zones(zones, ids, &AvailabilityZone::zone_id));
  std::erase_if(zones, [&](const AvailabilityZone& zone) {
    return !is_wanted(names, zone.zone_name) || !is_wanted(ids, zone.zone_id) ||
           !filters.match<AvailabilityZone>(state, zone, {}, kZoneFilters);
  });
  return DescribeAvailabilityZonesResult{.availability_zones = std::move(zones)};
}

base::Result<DescribeAccountAttributesResult> describe_account_attributes(
    const State& state, const DescribeAccountAttributesRequest& request) {
  std::vector<AccountAttribute> attributes = attributes_of(state);
  const auto wanted = request.attribute_names.value_or(std::vector<std::string>{});
  for (const std::string& name : wanted) {
    if (std::ranges::find(attributes, name, &AccountAttribute::attribute_name) ==
        attributes.end()) {
      return std::unexpected(invalid_value(name, "attributeName", "Unknown attribute."));
    }
  }
  std::erase_if(attributes, [&wanted](const AccountAttribute& one) {
    return !is_wanted(wanted, one.attribute_name);
  });
  return DescribeAccountAttributesResult{.account_attributes = std::move(attributes)};
}

}  // namespace terrarium::ec2
