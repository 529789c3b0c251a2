#include "terrarium/services/ec2/regions.h"

#include <algorithm>
#include <array>

namespace terrarium::ec2 {
namespace {

constexpr std::array kRegions{
    AwsRegion{"ap-northeast-1", "apne1", "acd"}, AwsRegion{"ap-northeast-2", "apne2", "abcd"},
    AwsRegion{"ap-south-1", "aps1", "abc"},      AwsRegion{"ap-southeast-1", "apse1", "abc"},
    AwsRegion{"ap-southeast-2", "apse2", "abc"}, AwsRegion{"ca-central-1", "cac1", "abd"},
    AwsRegion{"eu-central-1", "euc1", "abc"},    AwsRegion{"eu-north-1", "eun1", "abc"},
    AwsRegion{"eu-west-1", "euw1", "abc"},       AwsRegion{"eu-west-2", "euw2", "abc"},
    AwsRegion{"eu-west-3", "euw3", "abc"},       AwsRegion{"sa-east-1", "sae1", "abc"},
    AwsRegion{"us-east-1", "use1", "abcdef"},    AwsRegion{"us-east-2", "use2", "abc"},
    AwsRegion{"us-west-1", "usw1", "ab"},        AwsRegion{"us-west-2", "usw2", "abcd"},
};

constexpr std::string_view kFirstRegion = "us-east-1";

std::string dashed(std::string_view address) {
  std::string text(address);
  std::ranges::replace(text, '.', '-');
  return text;
}

}  // namespace

std::span<const AwsRegion> aws_regions() { return kRegions; }

const AwsRegion* find_region(std::string_view name) {
  const auto found = std::ranges::find(kRegions, name, &AwsRegion::name);
  return found == kRegions.end() ? nullptr : &*found;
}

std::optional<std::string> zone_id(std::string_view region, std::string_view zone) {
  const AwsRegion* const found = find_region(region);
  if (found == nullptr || zone.size() != region.size() + 1 || !zone.starts_with(region)) return {};
  const std::size_t index = found->zones.find(zone.back());
  if (index == std::string_view::npos) return {};
  return std::string(found->zone_prefix) + "-az" + std::to_string(index + 1);
}

std::vector<std::string> zone_names(std::string_view region) {
  std::vector<std::string> names;
  if (const AwsRegion* const found = find_region(region)) {
    for (const char letter : found->zones) names.push_back(std::string(region) + letter);
  }
  return names;
}

std::string private_domain(std::string_view region) {
  return region == kFirstRegion ? "ec2.internal" : std::string(region) + ".compute.internal";
}

std::string private_host(std::string_view address) { return "ip-" + dashed(address); }

std::string public_dns_name(std::string_view region, std::string_view address) {
  const std::string domain =
      region == kFirstRegion ? "compute-1" : std::string(region) + ".compute";
  return "ec2-" + dashed(address) + "." + domain + ".amazonaws.com";
}

}  // namespace terrarium::ec2
