// What the instance metadata service asks of EC2: who speaks from an address, and what is known of
// it. Called on the control executor.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/clock.h"

namespace terrarium::imds {

struct InterfaceFacts {
  std::string mac;  // "02:29:96:8f:6a:2d"
  std::string interface_id;
  std::int32_t device_number = 0;
  std::string local_hostname;
  std::vector<std::string> local_ipv4s;  // the primary one first
  std::string public_hostname;           // empty without a public address
  // Public address -> the private one that it stands for.
  std::map<std::string, std::string> public_ipv4s;
  std::string owner_id;
  std::vector<std::string> security_groups;  // names
  std::vector<std::string> security_group_ids;
  std::string subnet_id;
  std::string subnet_cidr;
  std::string vpc_id;
  std::vector<std::string> vpc_cidrs;
};

struct ProfileFacts {
  std::string arn;       // of the instance profile
  std::string id;        // AIPA...
  std::string role_arn;  // empty: the profile has no role
};

// ModifyInstanceMetadataOptions. Nothing here counts hops: the packets' time to live does, which
// the listener sets to hop_limit.
struct MetadataOptions {
  bool endpoint_enabled = true;
  bool tokens_required = false;
  bool tags_enabled = false;
  std::int32_t hop_limit = 1;
};

struct InstanceFacts {
  std::string account;
  std::string region;
  std::string availability_zone;
  std::string availability_zone_id;
  std::string instance_id;
  std::string reservation_id;
  std::string image_id;
  std::int32_t launch_index = 0;
  std::string instance_type;
  std::string architecture = "x86_64";
  std::string root_device_name;  // "/dev/xvda"; empty: none is told
  base::Timestamp pending_time;  // when it was launched
  bool detailed_monitoring = false;
  std::string local_hostname;
  std::string local_ipv4;
  std::string public_hostname;  // empty without a public address
  std::string public_ipv4;
  std::string mac;  // of the primary interface
  std::vector<InterfaceFacts> interfaces;
  std::vector<std::string> security_groups;  // names
  std::string key_name;                      // empty: no key pair
  std::string public_key;                    // OpenSSH's line
  std::optional<std::string> user_data;      // decoded
  std::optional<ProfileFacts> profile;
  std::string target_lifecycle_state;  // of an Auto Scaling group's instance, else empty
  std::map<std::string, std::string> tags;
  MetadataOptions options;
};

class Instances {
 public:
  virtual ~Instances() = default;
  // Whose address this is in that VPC. Nothing: nobody's, or of something that is no instance.
  virtual std::optional<InstanceFacts> find(const std::string& vpc_id,
                                            const std::string& source_address) const = 0;
};

}  // namespace terrarium::imds
