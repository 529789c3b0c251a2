// What a launch request means against the records: the image, the type, the subnet, the groups and
// everything else that its instances will have, checked. Pure.
// Source: RunInstances, Amazon EC2 API Reference.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "terrarium/services/ec2/instance_profiles.h"
#include "terrarium/services/ec2/launch_request.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

inline constexpr std::size_t kUserDataBytesMax = 16 * 1024;
inline constexpr std::size_t kGroupsPerInterfaceMax = 5;
inline constexpr std::int32_t kHopLimitMax = 64;
inline constexpr std::int32_t kVolumeGibMax = 16384;
inline constexpr std::string_view kRootDevice = "/dev/xvda";

struct Launch {
  std::int32_t count_min = 1;
  std::int32_t count_max = 1;
  SubnetRecord subnet;
  std::optional<NetworkInterfaceId> existing_interface;
  NetworkInterfaceRecord network_interface;  // what one will have, but for its id and addresses
  bool delete_interface = true;
  std::string private_address;  // empty: any that is free
  bool public_address = false;
  InstanceRecord instance;  // what each will have, but for its ids and address
  VolumeRecord volume;      // the same
};

base::Result<Launch> choose_launch(const State& state, const std::string& region,
                                   const LaunchRequest& launch, const InstanceProfiles& profiles);

// The parts that other operations check in the same way.
base::Result<std::string> decode_user_data(const std::string& base64);
base::Result<ProfileAssociationRecord> choose_profile(
    const InstanceProfiles& profiles, const IamInstanceProfileSpecification& wanted);
// The options that a request changes, over those that are.
struct MetadataChanges {
  const std::optional<std::string>& http_tokens;
  const std::optional<std::int32_t>& hop_limit;
  const std::optional<std::string>& http_endpoint;
  const std::optional<std::string>& http_protocol_ipv6;
  const std::optional<std::string>& instance_tags;
};
base::Result<MetadataOptionsRecord> change_metadata(MetadataOptionsRecord options,
                                                    const MetadataChanges& changes);
// "standard" or "unlimited", of a type that has credits.
base::Result<bool> choose_unlimited(const std::string& type, const std::string& credits);
// "stop" or "terminate": whether the second.
base::Result<bool> choose_shutdown(const std::string& behavior);
// Existing groups of one VPC, each once.
base::Result<std::vector<SecurityGroupId>> choose_groups(const State& state, const VpcId& vpc,
                                                         const std::string& subnet,
                                                         const std::vector<std::string>& ids);
// Size, type and speed of a volume, over those that it has. `smallest`: the snapshot's size.
struct VolumeChanges {
  std::optional<std::int32_t> gib;
  std::optional<std::string> type;
  std::optional<std::int32_t> iops;
  std::optional<std::int32_t> throughput;
};
base::Result<VolumeRecord> change_volume(VolumeRecord volume, const VolumeChanges& changes);

}  // namespace terrarium::ec2
