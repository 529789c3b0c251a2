// The parts of a launch that other operations change later: see launch_choices.h.
#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/ec2/instance_types.h"
#include "terrarium/services/ec2/launch_choices.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"

namespace terrarium::ec2 {
namespace {

constexpr std::string_view kProfileMark = ":instance-profile/";

// AWS's bounds of provisioned speed. Nothing here is that fast or that slow: the figures are kept
// and shown.
struct VolumeKind {
  std::string_view name;
  std::int32_t iops_min = 0;  // 0: not provisioned
  std::int32_t iops_max = 0;
};
constexpr std::int32_t kGp3Iops = 3000;
constexpr std::int32_t kGp3Throughput = 125;
constexpr std::int32_t kGp3ThroughputMax = 1000;
constexpr std::array kVolumeKinds{
    VolumeKind{"gp2"},
    VolumeKind{"gp3", kGp3Iops, 16000},
    VolumeKind{"io1", 100, 64000},
    VolumeKind{"io2", 100, 64000},
    VolumeKind{"standard"},
};

base::Result<bool> choice(const std::string& value, std::string_view parameter, std::string_view no,
                          std::string_view yes) {
  if (value == yes) return true;
  if (value == no) return false;
  return std::unexpected(invalid_value(
      value, parameter, "Valid values are " + std::string(no) + " and " + std::string(yes) + "."));
}

}  // namespace

base::Result<std::string> decode_user_data(const std::string& base64) {
  auto data = base::base64_decode(base64);
  if (!data.has_value()) {
    return base::fail(errors::kInvalidParameterValue, "Invalid BASE64 encoding of user data.");
  }
  if (data->size() > kUserDataBytesMax) {
    return base::fail(errors::kInvalidParameterValue, "User data is limited to 16384 bytes");
  }
  return data;
}

base::Result<ProfileAssociationRecord> choose_profile(
    const InstanceProfiles& profiles, const IamInstanceProfileSpecification& wanted) {
  const bool by_arn = wanted.arn.has_value();
  if (by_arn && wanted.name.has_value()) {
    return base::fail(errors::kInvalidParameterCombination,
                      "The parameter 'iamInstanceProfile.name' may not be used in combination "
                      "with 'iamInstanceProfile.arn'");
  }
  const std::string text = by_arn ? *wanted.arn : wanted.name.value_or("");
  std::string name = text;
  if (by_arn) {
    const std::size_t mark = text.find(kProfileMark);
    // The path lies between.
    name = mark == std::string::npos ? "" : text.substr(text.rfind('/') + 1);
  }
  std::optional<InstanceProfileFacts> facts;
  if (!name.empty()) {
    TRY(facts, profiles.find(name));
  }
  if (!facts.has_value() || (by_arn && facts->arn != text)) {
    return std::unexpected(
        by_arn
            ? invalid_value(text, "iamInstanceProfile.arn", "Invalid IAM Instance Profile ARN")
            : invalid_value(text, "iamInstanceProfile.name", "Invalid IAM Instance Profile name"));
  }
  if (facts->role_arn.empty()) {
    return base::fail(errors::kInvalidParameterValue,
                      "IAM Instance Profile \"" + facts->arn + "\" has no associated IAM Roles");
  }
  return ProfileAssociationRecord{.profile_arn = facts->arn, .profile_id = facts->id};
}

base::Result<MetadataOptionsRecord> change_metadata(MetadataOptionsRecord options,
                                                    const MetadataChanges& changes) {
  if (changes.http_tokens.has_value()) {
    TRY(options.tokens_required,
        choice(*changes.http_tokens, "httpTokens", "optional", "required"));
  }
  if (changes.hop_limit.has_value()) {
    if (*changes.hop_limit < 1 || *changes.hop_limit > kHopLimitMax) {
      return std::unexpected(invalid_value(std::to_string(*changes.hop_limit),
                                           "httpPutResponseHopLimit",
                                           "Must be an integer between 1 and 64."));
    }
    options.hop_limit = *changes.hop_limit;
  }
  if (changes.http_endpoint.has_value()) {
    TRY(options.endpoint_enabled,
        choice(*changes.http_endpoint, "httpEndpoint", "disabled", "enabled"));
  }
  if (changes.instance_tags.has_value()) {
    TRY(options.instance_tags,
        choice(*changes.instance_tags, "instanceMetadataTags", "disabled", "enabled"));
  }
  TRY_VOID(refuse(
      {{"HttpProtocolIpv6", changes.http_protocol_ipv6.value_or("disabled") != "disabled"}}));
  return options;
}

base::Result<bool> choose_unlimited(const std::string& type, const std::string& credits) {
  TRY(const bool unlimited, choice(credits, "cpuCredits", "standard", "unlimited"));
  const InstanceType* const found = find_instance_type(type);
  if (found == nullptr || !found->is_burstable() || type.starts_with("t1.")) {
    return base::fail(errors::kInvalidParameterCombination,
                      "The instance type '" + type + "' does not support CPU credits.");
  }
  return unlimited;
}

base::Result<bool> choose_shutdown(const std::string& behavior) {
  return choice(behavior, "instanceInitiatedShutdownBehavior", "stop", "terminate");
}

base::Result<std::vector<SecurityGroupId>> choose_groups(const State& state, const VpcId& vpc,
                                                         const std::string& subnet,
                                                         const std::vector<std::string>& ids) {
  std::vector<SecurityGroupId> groups;
  for (const std::string& id : ids) {
    TRY(const SecurityGroupRecord* const group, require<SecurityGroupRecord>(state, id));
    if (group->vpc != vpc) {
      return base::fail(errors::kInvalidParameter, "Security group " + id + " and subnet " +
                                                       subnet + " belong to different networks.");
    }
    if (std::ranges::find(groups, group->id) == groups.end()) groups.push_back(group->id);
  }
  if (groups.size() > kGroupsPerInterfaceMax) {
    return base::fail(errors::kSecurityGroupsPerInterfaceLimitExceeded,
                      "The maximum number of security groups per interface has been reached.");
  }
  return groups;
}

base::Result<VolumeRecord> change_volume(VolumeRecord volume, const VolumeChanges& changes) {
  const std::int32_t gib = changes.gib.value_or(volume.gib);
  if (gib < 1 || gib > kVolumeGibMax) {
    return std::unexpected(
        invalid_value(std::to_string(gib), "size", "Volume size must be between 1 and 16384 GiB."));
  }
  const std::string type = changes.type.value_or(volume.type);
  const auto kind = std::ranges::find(kVolumeKinds, type, &VolumeKind::name);
  if (kind == kVolumeKinds.end()) {
    return std::unexpected(
        invalid_value(type, "volumeType", "Root volumes are gp2, gp3, io1, io2 or standard here."));
  }
  std::optional<std::int32_t> iops = changes.iops;
  if (!iops.has_value() && type == volume.type) iops = volume.iops;
  if (type == "gp3" && !iops.has_value()) iops = kGp3Iops;
  if (kind->iops_max == 0 && changes.iops.has_value()) {
    return base::fail(errors::kInvalidParameterCombination,
                      "The parameter iops is not supported for " + type + " volumes.");
  }
  if (kind->iops_max > 0 && !iops.has_value()) {
    return base::fail(errors::kMissingParameter,
                      "The request must contain the parameter iops for " + type + " volumes");
  }
  if (kind->iops_max > 0 && (*iops < kind->iops_min || *iops > kind->iops_max)) {
    return std::unexpected(invalid_value(std::to_string(*iops), "iops",
                                         "Must be between " + std::to_string(kind->iops_min) +
                                             " and " + std::to_string(kind->iops_max) + "."));
  }
  if (changes.throughput.has_value() && type != "gp3") {
    return base::fail(errors::kInvalidParameterCombination,
                      "The parameter throughput is not supported for " + type + " volumes.");
  }
  std::optional<std::int32_t> throughput;
  if (type == "gp3") {
    throughput = changes.throughput.value_or(volume.throughput.value_or(kGp3Throughput));
    if (*throughput < kGp3Throughput || *throughput > kGp3ThroughputMax) {
      return std::unexpected(invalid_value(std::to_string(*throughput), "throughput",
                                           "Must be between 125 and 1000."));
    }
  }
  volume.gib = gib;
  volume.type = type;
  volume.iops = kind->iops_max > 0 ? iops : std::nullopt;
  volume.throughput = throughput;
  return volume;
}

}  // namespace terrarium::ec2
