// The instance types that exist here: what AWS says of them, and what the kernel is told.
// Source: "Amazon EC2 instance types".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "generated/ec2/model.h"
#include "lib/base/result.h"

namespace terrarium::ec2 {

struct InstanceType {
  std::string_view name;  // "t2.nano"
  std::int32_t vcpus = 1;
  std::int32_t threads_per_core = 1;
  std::int32_t memory_mib = 512;
  std::int32_t interfaces_max = 2;
  std::string_view network;  // "Low to Moderate"

  std::string_view family() const { return name.substr(0, name.find('.')); }
  bool is_burstable() const { return name.starts_with('t'); }
  // T3 and its successors run on Nitro, and are launched "unlimited".
  bool is_nitro() const;
  bool is_current() const { return !name.starts_with("t1.") && !name.starts_with("m1."); }
};

// RunInstances' when none is asked for.
inline constexpr std::string_view kDefaultInstanceType = "m1.small";

std::span<const InstanceType> instance_types();
// Null for a type that is none.
const InstanceType* find_instance_type(std::string_view name);
// InvalidInstanceType, as AWS refuses one that does not exist.
base::Error unknown_instance_type(std::string_view name);

base::Result<DescribeInstanceTypesResult> describe_instance_types(
    const DescribeInstanceTypesRequest& request);
base::Result<DescribeInstanceTypeOfferingsResult> describe_instance_type_offerings(
    const std::string& region, const DescribeInstanceTypeOfferingsRequest& request);

}  // namespace terrarium::ec2
