#include "terrarium/services/ec2/template_data.h"

#include <boost/json.hpp>

#include <algorithm>

#include "lib/base/encoding.h"
#include "terrarium/wire/json_parse.h"
#include "terrarium/wire/json_print.h"

namespace terrarium::ec2 {
namespace {

namespace json = boost::json;

const wire::Shape& member_shape(const wire::Shape& structure, std::string_view name) {
  return *std::ranges::find(structure.members, name, &wire::Member::name)->shape;
}

const wire::OperationModel& operation(std::string_view name) {
  return *std::ranges::find(kModel.operations, name, &wire::OperationModel::name);
}

const wire::Shape& request_shape() {
  static const wire::Shape& shape =
      member_shape(*operation("CreateLaunchTemplate").input, "LaunchTemplateData");
  return shape;
}

const wire::Shape& response_shape() {
  static const wire::Shape& shape =
      member_shape(*operation("GetLaunchTemplateData").output, "LaunchTemplateData");
  return shape;
}

base::Result<json::object> parse_object(const std::string& text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) {
    return base::fail(base::ErrorKind::Internal, "a launch template's data can't be read");
  }
  return std::move(value.as_object());
}

LaunchTemplateInstanceNetworkInterfaceSpecification interface_of(
    const NetworkInterfaceRecord& found) {
  LaunchTemplateInstanceNetworkInterfaceSpecification out{
      .associate_public_ip_address = !found.lent_public_address.empty(),
      .device_index = 0,
      .network_interface_id = {},
      .subnet_id = found.subnet.value};
  if (found.attachment.has_value()) {
    out.delete_on_termination = found.attachment->delete_on_termination;
  }
  out.description = found.description;
  out.groups.emplace();
  for (const SecurityGroupId& group : found.groups) out.groups->push_back(group.value);
  return out;
}

LaunchTemplateBlockDeviceMapping mapping_of(const VolumeRecord& volume) {
  return {.device_name = volume.device,
          .ebs = LaunchTemplateEbsBlockDevice{.encrypted = volume.encrypted,
                                              .delete_on_termination = volume.delete_on_termination,
                                              .iops = volume.iops,
                                              .snapshot_id = volume.snapshot.value,
                                              .volume_size = volume.gib,
                                              .volume_type = volume.type,
                                              .throughput = volume.throughput}};
}

}  // namespace

std::string template_json(const RequestLaunchTemplateData& data) {
  std::string text;
  wire::print_json(text, request_shape(), &data, wire::JsonNames::Model);
  return text;
}

base::Result<std::string> merge_template_json(const std::string& source, const std::string& over) {
  TRY(json::object merged, parse_object(source));
  TRY(const json::object changes, parse_object(over));
  for (const auto& [key, value] : changes) merged[key] = value;
  return json::serialize(merged);
}

base::Result<ResponseLaunchTemplateData> parse_template_json(const std::string& text) {
  ResponseLaunchTemplateData data;
  wire::DecodeReport report;
  TRY_VOID(wire::parse_json(text, response_shape(), wire::JsonNames::Model, &data, {}, report));
  if (data.metadata_options.has_value()) data.metadata_options->state = "applied";
  return data;
}

ResponseLaunchTemplateData template_data_of(const State& state, const InstanceRecord& instance) {
  ResponseLaunchTemplateData data{
      .ebs_optimized = instance.ebs_optimized,
      .image_id = instance.image.value,
      .instance_type = instance.type,
      .monitoring = LaunchTemplatesMonitoring{instance.detailed_monitoring},
      .disable_api_termination = instance.disable_api_termination,
      .instance_initiated_shutdown_behavior = instance.terminate_on_shutdown ? "terminate" : "stop",
      .metadata_options =
          LaunchTemplateInstanceMetadataOptions{
              .state = "applied",
              .http_tokens = instance.metadata.tokens_required ? "required" : "optional",
              .http_put_response_hop_limit = instance.metadata.hop_limit,
              .http_endpoint = instance.metadata.endpoint_enabled ? "enabled" : "disabled",
              .instance_metadata_tags = instance.metadata.instance_tags ? "enabled" : "disabled"},
      .disable_api_stop = instance.disable_api_stop};
  if (!instance.key_name.empty()) data.key_name = instance.key_name;
  if (!instance.user_data.empty()) data.user_data = base::base64_encode(instance.user_data);
  if (instance.profile.has_value()) {
    data.iam_instance_profile =
        LaunchTemplateIamInstanceProfileSpecification{.arn = instance.profile->profile_arn};
  }
  data.placement.emplace().tenancy = instance.tenancy;
  if (const auto* const subnet = state.find<SubnetRecord>(instance.subnet)) {
    data.placement->availability_zone = subnet->zone;
  }
  if (!instance.network_interfaces.empty()) {
    const auto* const found =
        state.find<NetworkInterfaceRecord>(instance.network_interfaces.front());
    if (found != nullptr) data.network_interfaces = std::vector{interface_of(*found)};
  }
  if (const auto* const volume = state.find<VolumeRecord>(instance.volume)) {
    data.block_device_mappings = std::vector{mapping_of(*volume)};
  }
  std::vector<Tag> tags;
  for (const auto& [key, value] : instance.tags) {
    if (!key.starts_with("aws:")) tags.push_back({.key = key, .value = value});
  }
  if (!tags.empty()) {
    data.tag_specifications =
        std::vector<LaunchTemplateTagSpecification>{{"instance", std::move(tags)}};
  }
  return data;
}

}  // namespace terrarium::ec2
