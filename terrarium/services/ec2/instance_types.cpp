#include "terrarium/services/ec2/instance_types.h"

#include <algorithm>
#include <array>

#include "terrarium/services/ec2/filter.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/regions.h"
#include "terrarium/services/ec2/select.h"

namespace terrarium::ec2 {
namespace {

constexpr std::string_view kLow = "Low to Moderate";
constexpr std::string_view kModerate = "Moderate";
constexpr std::string_view kUpTo5 = "Up to 5 Gigabit";
constexpr std::string_view kUpTo10 = "Up to 10 Gigabit";

constexpr std::array kTypes{
    InstanceType{"m1.small", 1, 1, 1740, 2, kLow},
    InstanceType{"t1.micro", 1, 1, 627, 2, "Very Low"},
    InstanceType{"t2.nano", 1, 1, 512, 2, kLow},
    InstanceType{"t2.micro", 1, 1, 1024, 2, kLow},
    InstanceType{"t2.small", 1, 1, 2048, 3, kLow},
    InstanceType{"t2.medium", 2, 1, 4096, 3, kLow},
    InstanceType{"t2.large", 2, 1, 8192, 3, kLow},
    InstanceType{"t2.xlarge", 4, 1, 16384, 3, kModerate},
    InstanceType{"t2.2xlarge", 8, 1, 32768, 3, kModerate},
    InstanceType{"t3.nano", 2, 2, 512, 2, kUpTo5},
    InstanceType{"t3.micro", 2, 2, 1024, 2, kUpTo5},
    InstanceType{"t3.small", 2, 2, 2048, 3, kUpTo5},
    InstanceType{"t3.medium", 2, 2, 4096, 3, kUpTo5},
    InstanceType{"t3.large", 2, 2, 8192, 3, kUpTo5},
    InstanceType{"t3.xlarge", 4, 2, 16384, 4, kUpTo5},
    InstanceType{"t3.2xlarge", 8, 2, 32768, 4, kUpTo5},
    InstanceType{"t3a.nano", 2, 2, 512, 2, kUpTo5},
    InstanceType{"t3a.micro", 2, 2, 1024, 2, kUpTo5},
    InstanceType{"t3a.small", 2, 2, 2048, 2, kUpTo5},
    InstanceType{"t3a.medium", 2, 2, 4096, 3, kUpTo5},
    InstanceType{"t3a.large", 2, 2, 8192, 3, kUpTo5},
    InstanceType{"t3a.xlarge", 4, 2, 16384, 4, kUpTo5},
    InstanceType{"t3a.2xlarge", 8, 2, 32768, 4, kUpTo5},
    InstanceType{"m5.large", 2, 2, 8192, 3, kUpTo10},
    InstanceType{"m5.xlarge", 4, 2, 16384, 4, kUpTo10},
    InstanceType{"m5.2xlarge", 8, 2, 32768, 4, kUpTo10},
    InstanceType{"m5.4xlarge", 16, 2, 65536, 8, kUpTo10},
    InstanceType{"c5.large", 2, 2, 4096, 3, kUpTo10},
    InstanceType{"c5.xlarge", 4, 2, 8192, 4, kUpTo10},
    InstanceType{"c5.2xlarge", 8, 2, 16384, 4, kUpTo10},
    InstanceType{"c5.4xlarge", 16, 2, 32768, 8, kUpTo10},
    InstanceType{"r5.large", 2, 2, 16384, 3, kUpTo10},
    InstanceType{"r5.xlarge", 4, 2, 32768, 4, kUpTo10},
    InstanceType{"r5.2xlarge", 8, 2, 65536, 4, kUpTo10},
    InstanceType{"r5.4xlarge", 16, 2, 131072, 8, kUpTo10},
};

constexpr std::string_view kFreeTierType = "t2.micro";
constexpr std::int32_t kAddressesPerInterface = 15;

template <class T>
using Field = FilterField<T>;

constexpr std::array kTypeFilters{
    Field<InstanceType>{"instance-type",
                        [](const State&, const InstanceType& type) {
                          return FilterValues{std::string(type.name)};
                        }},
    Field<InstanceType>{"current-generation",
                        [](const State&, const InstanceType& type) {
                          return FilterValues{filter_text(type.is_current())};
                        }},
    Field<InstanceType>{"burstable-performance-supported",
                        [](const State&, const InstanceType& type) {
                          return FilterValues{filter_text(type.is_burstable())};
                        }},
    Field<InstanceType>{"free-tier-eligible",
                        [](const State&, const InstanceType& type) {
                          return FilterValues{filter_text(type.name == kFreeTierType)};
                        }},
    Field<InstanceType>{"bare-metal",
                        [](const State&, const InstanceType&) { return FilterValues{"false"}; }},
    Field<InstanceType>{"hypervisor",
                        [](const State&, const InstanceType& type) {
                          return FilterValues{type.is_nitro() ? "nitro" : "xen"};
                        }},
    Field<InstanceType>{"memory-info.size-in-mib",
                        [](const State&, const InstanceType& type) {
                          return FilterValues{std::to_string(type.memory_mib)};
                        }},
    Field<InstanceType>{"vcpu-info.default-vcpus",
                        [](const State&, const InstanceType& type) {
                          return FilterValues{std::to_string(type.vcpus)};
                        }},
    Field<InstanceType>{"processor-info.supported-architecture",
                        [](const State&, const InstanceType&) { return FilterValues{"x86_64"}; }},
    Field<InstanceType>{"supported-root-device-type",
                        [](const State&, const InstanceType&) { return FilterValues{"ebs"}; }},
    Field<InstanceType>{
        "supported-usage-class",
        [](const State&, const InstanceType&) { return FilterValues{"on-demand"}; }},
    Field<InstanceType>{"supported-virtualization-type",
                        [](const State&, const InstanceType&) { return FilterValues{"hvm"}; }},
    Field<InstanceType>{"instance-storage-supported",
                        [](const State&, const InstanceType&) { return FilterValues{"false"}; }},
};

struct Offering {
  std::string_view type;
  std::string location;
};
constexpr std::array kOfferingFilters{
    Field<Offering>{
        "instance-type",
        [](const State&, const Offering& one) { return FilterValues{std::string(one.type)}; }},
    Field<Offering>{"location",
                    [](const State&, const Offering& one) { return FilterValues{one.location}; }},
};

NetworkInfo network_view(const InstanceType& type) {
  return {.network_performance = std::string(type.network),
          .maximum_network_interfaces = type.interfaces_max,
          .maximum_network_cards = 1,
          .default_network_card_index = 0,
          .network_cards =
              std::vector<NetworkCardInfo>{{0, std::string(type.network), type.interfaces_max}},
          .ipv4_addresses_per_interface = kAddressesPerInterface,
          .ipv6_addresses_per_interface = 0,
          .ipv6_supported = false,
          .ena_support = type.is_nitro() ? "required" : "unsupported",
          .efa_supported = false,
          .encryption_in_transit_supported = false};
}

InstanceTypeInfo type_view(const InstanceType& type) {
  const std::int32_t cores = type.vcpus / type.threads_per_core;
  return {.instance_type = std::string(type.name),
          .current_generation = type.is_current(),
          .free_tier_eligible = type.name == kFreeTierType,
          .supported_usage_classes = std::vector<std::string>{"on-demand"},
          .supported_root_device_types = std::vector<std::string>{"ebs"},
          .supported_virtualization_types = std::vector<std::string>{"hvm"},
          .bare_metal = false,
          .hypervisor = type.is_nitro() ? "nitro" : "xen",
          .processor_info =
              ProcessorInfo{.supported_architectures = std::vector<std::string>{"x86_64"}},
          .v_cpu_info = VCpuInfo{.default_v_cpus = type.vcpus,
                                 .default_cores = cores,
                                 .default_threads_per_core = type.threads_per_core},
          .memory_info = MemoryInfo{type.memory_mib},
          .instance_storage_supported = false,
          .ebs_info = EbsInfo{.ebs_optimized_support = type.is_nitro() ? "default" : "unsupported",
                              .encryption_support = "unsupported",
                              .nvme_support = "unsupported"},
          .network_info = network_view(type),
          .placement_group_info =
              PlacementGroupInfo{.supported_strategies = std::vector<std::string>{}},
          .hibernation_supported = false,
          .burstable_performance_supported = type.is_burstable(),
          .dedicated_hosts_supported = false,
          .auto_recovery_supported = false,
          .supported_boot_modes = std::vector<std::string>{"legacy-bios"}};
}

// A page of what has a text for id, in the order given.
template <class T, class Id>
base::Result<std::vector<const T*>> page_of(std::vector<const T*> all, const PageRequest& request,
                                            Id id_of, std::optional<std::string>& next) {
  TRY_VOID(check_page(request));
  if (request.next_token.has_value()) {
    TRY(const std::string last, page_start(*request.next_token));
    const auto found = std::ranges::find(all, last, id_of);
    if (found == all.end()) {
      return base::fail(errors::kInvalidNextToken, "The token is invalid");
    }
    all.erase(all.begin(), found + 1);
  }
  if (request.max_results.has_value()) {
    const auto count = static_cast<std::size_t>(*request.max_results);
    if (all.size() > count) {
      all.resize(count);
      next = page_token(id_of(all.back()));
    }
  }
  return all;
}

}  // namespace

bool InstanceType::is_nitro() const {
  return !name.starts_with("t1.") && !name.starts_with("t2.") && !name.starts_with("m1.");
}

std::span<const InstanceType> instance_types() { return kTypes; }

const InstanceType* find_instance_type(std::string_view name) {
  const auto found = std::ranges::find(kTypes, name, &InstanceType::name);
  return found == kTypes.end() ? nullptr : &*found;
}

base::Error unknown_instance_type(std::string_view name) {
  return base::fail(
             errors::kInvalidInstanceType,
             "The following supplied instance types do not exist: [" + std::string(name) + "]")
      .error();
}

base::Result<DescribeInstanceTypesResult> describe_instance_types(
    const DescribeInstanceTypesRequest& request) {
  TRY(const FilterSet filters, FilterSet::of(request.filters));
  TRY_VOID(filters.check(std::span<const FilterField<InstanceType>>(kTypeFilters)));
  const auto& names = request.instance_types;
  for (const std::string& name : names.value_or(std::vector<std::string>{})) {
    if (find_instance_type(name) == nullptr) return std::unexpected(unknown_instance_type(name));
  }
  const State none;
  std::vector<const InstanceType*> found;
  for (const InstanceType& type : kTypes) {
    const bool named = !names.has_value() || names->empty() ||
                       std::ranges::find(*names, type.name) != names->end();
    if (named && filters.match(none, type, Tags{},
                               std::span<const FilterField<InstanceType>>(kTypeFilters))) {
      found.push_back(&type);
    }
  }
  DescribeInstanceTypesResult result{.instance_types = std::vector<InstanceTypeInfo>{}};
  TRY(found,
      page_of<InstanceType>(
          std::move(found), {request.max_results, request.next_token},
          [](const InstanceType* type) { return std::string(type->name); }, result.next_token));
  for (const InstanceType* type : found) result.instance_types->push_back(type_view(*type));
  return result;
}

base::Result<DescribeInstanceTypeOfferingsResult> describe_instance_type_offerings(
    const std::string& region, const DescribeInstanceTypeOfferingsRequest& request) {
  TRY(const FilterSet filters, FilterSet::of(request.filters));
  TRY_VOID(filters.check(std::span<const FilterField<Offering>>(kOfferingFilters)));
  const std::string kind = request.location_type.value_or("region");
  std::vector<std::string> locations{region};
  if (kind == "availability-zone" || kind == "availability-zone-id") {
    locations = zone_names(region);
    if (kind == "availability-zone-id") {
      for (std::string& zone : locations) zone = zone_id(region, zone).value_or(zone);
    }
  } else if (kind != "region") {
    return std::unexpected(invalid_value(kind, "LocationType", "Unknown location type."));
  }
  std::vector<Offering> offerings;
  for (const InstanceType& type : kTypes) {
    for (const std::string& location : locations) offerings.push_back({type.name, location});
  }
  const State none;
  std::vector<const Offering*> found;
  for (const Offering& one : offerings) {
    if (filters.match(none, one, Tags{}, std::span<const FilterField<Offering>>(kOfferingFilters)))
      found.push_back(&one);
  }
  DescribeInstanceTypeOfferingsResult result{.instance_type_offerings =
                                                 std::vector<InstanceTypeOffering>{}};
  TRY(found, page_of<Offering>(
                 std::move(found), {request.max_results, request.next_token},
                 [](const Offering* one) { return std::string(one->type) + " " + one->location; },
                 result.next_token));
  for (const Offering* one : found) {
    result.instance_type_offerings->push_back({std::string(one->type), kind, one->location});
  }
  return result;
}

}  // namespace terrarium::ec2
