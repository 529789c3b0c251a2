// AWS's regions and their availability zones, as far as this architecture meets them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace terrarium::ec2 {

struct AwsRegion {
  std::string_view name;         // "us-east-1"
  std::string_view zone_prefix;  // of zone ids: "use1"
  std::string_view zones;        // a letter each: "abcdef"
  bool opt_in = false;
};

std::span<const AwsRegion> aws_regions();
// Nothing for a region that is none.
const AwsRegion* find_region(std::string_view name);

// "us-east-1a" -> "use1-az1"; nothing for a zone that the region does not have.
std::optional<std::string> zone_id(std::string_view region, std::string_view zone);
std::vector<std::string> zone_names(std::string_view region);

// "ec2.internal" in us-east-1, "eu-west-1.compute.internal" elsewhere.
std::string private_domain(std::string_view region);
// "ip-10-0-1-23": the host name of an address.
std::string private_host(std::string_view address);
// "ec2-203-0-113-25.compute-1.amazonaws.com".
std::string public_dns_name(std::string_view region, std::string_view address);

}  // namespace terrarium::ec2
