#include "terrarium/services/ec2/region_api.h"

#include "terrarium/services/ec2/instance_rules.h"
#include "terrarium/services/ec2/launch_request.h"
#include "terrarium/services/ec2/run_rules.h"
#include "terrarium/services/ec2/service_interfaces.h"

namespace terrarium::ec2 {
namespace {

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

RunInstancesRequest request_of(const LaunchOrder& order, std::vector<Tag> tags) {
  RunInstancesRequest request;
  request.min_count = order.count;
  request.max_count = order.count;
  request.client_token = unless_empty(order.client_token);
  request.image_id = unless_empty(order.image_id);
  request.instance_type = unless_empty(order.instance_type);
  request.key_name = unless_empty(order.key_name);
  request.user_data = unless_empty(order.user_data);
  request.subnet_id = unless_empty(order.subnet_id);
  if (!order.security_group_ids.empty()) request.security_group_ids = order.security_group_ids;
  if (!order.instance_profile.empty()) {
    const bool is_arn = order.instance_profile.starts_with("arn:");
    auto& profile = request.iam_instance_profile.emplace();
    (is_arn ? profile.arn : profile.name) = order.instance_profile;
  }
  if (order.detailed_monitoring.has_value()) {
    request.monitoring = RunInstancesMonitoringEnabled{*order.detailed_monitoring};
  }
  if (!order.launch_template_id.empty()) {
    request.launch_template =
        LaunchTemplateSpecification{.launch_template_id = order.launch_template_id,
                                    .version = unless_empty(order.launch_template_version)};
  }
  if (!tags.empty()) {
    request.tag_specifications =
        std::vector<TagSpecification>{{.resource_type = "instance", .tags = std::move(tags)}};
  }
  return request;
}

// A group's subnet counts for a template that describes the interface itself, where users' own
// requests may not name both.
base::Result<void> place_interface(const State& state, const LaunchOrder& order,
                                   RunInstancesRequest& request) {
  TRY(LaunchRequest merged, with_launch_template(state, request));
  auto& interfaces = merged.request.network_interfaces;
  const bool described = interfaces.has_value() && !interfaces->empty();
  if (!described && !order.public_address.has_value()) return {};
  if (!described) {
    auto& only = interfaces.emplace().emplace_back();
    only.device_index = 0;
    only.groups = std::exchange(request.security_group_ids, std::nullopt);
  }
  InstanceNetworkInterfaceSpecification& primary = interfaces->front();
  if (request.subnet_id.has_value()) {
    primary.subnet_id = std::exchange(request.subnet_id, std::nullopt);
  }
  if (order.public_address.has_value()) primary.associate_public_ip_address = order.public_address;
  request.network_interfaces = std::move(interfaces);
  return {};
}

InstanceSummary summary_of(const State& state, const InstanceRecord& instance) {
  InstanceSummary out{.id = instance.id.value,
                      .state = *state_view(instance.state).name,
                      .type = instance.type,
                      .image_id = instance.image.value,
                      .zone = instance.zone,
                      .subnet_id = instance.subnet.value,
                      .vpc_id = instance.vpc.value,
                      .private_address = instance.private_address,
                      .launched = instance.launched,
                      .detailed_monitoring = instance.detailed_monitoring};
  if (instance.state_reason.has_value()) out.state_reason = instance.state_reason->message;
  if (instance.launch_template.has_value()) {
    out.launch_template_id = instance.launch_template->value;
    out.launch_template_version = std::to_string(instance.launch_template_version);
  }
  if (const auto* const primary = primary_interface(state, instance)) {
    out.network_interface_id = primary->id.value;
    for (const SecurityGroupId& group : primary->groups) {
      out.security_group_ids.push_back(group.value);
    }
  }
  return out;
}

}  // namespace

runtime::Task<base::Result<std::vector<std::string>>> RegionApi::launch(std::string region,
                                                                        LaunchOrder order) {
  Launcher launcher{order.requester, {}};
  std::vector<Tag> tags;
  for (const auto& [key, value] : order.tags) {
    if (key.starts_with("aws:")) {
      launcher.system_tags.insert_or_assign(key, value);
    } else {
      tags.push_back({key, value});
    }
  }
  RunInstancesRequest request = request_of(order, std::move(tags));
  const auto rule = [&](Transaction& transaction) -> base::Result<Reservation> {
    TRY_VOID(place_interface(transaction.state(), order, request));
    return run_instances(transaction, request, profiles_, launcher);
  };
  CO_TRY(const Reservation made, co_await core_.change_own(region, rule));
  std::vector<std::string> ids;
  for (const Instance& instance : *made.instances) ids.push_back(*instance.instance_id);
  co_return ids;
}

runtime::Task<base::Result<void>> RegionApi::terminate(std::string region,
                                                       std::string instance_id) {
  const auto rule = [&](Transaction& transaction) -> base::Result<void> {
    if (transaction.find<InstanceRecord>(InstanceId(instance_id)) == nullptr) return {};
    TRY_VOID(
        terminate_instances(transaction, {.instance_ids = {instance_id}}, Protection::Ignored));
    return {};
  };
  co_return co_await core_.change_own(region, rule);
}

base::Result<std::optional<InstanceSummary>> RegionApi::find_instance(
    const std::string& region, const std::string& instance_id) {
  TRY(const State* const state, core_.records(region));
  const auto* const found = state->find<InstanceRecord>(InstanceId(instance_id));
  if (found == nullptr) return std::nullopt;
  return summary_of(*state, *found);
}

runtime::Task<base::Result<ServiceInterface>> RegionApi::create_service_interface(
    std::string region, ServiceInterfaceOrder order) {
  const auto rule = [&](Transaction& transaction) {
    return ec2::create_service_interface(transaction, order);
  };
  co_return co_await core_.change_own(region, rule);
}

runtime::Task<base::Result<void>> RegionApi::delete_service_interface(std::string region,
                                                                      std::string id) {
  const auto rule = [&](Transaction& transaction) {
    return ec2::delete_service_interface(transaction, id);
  };
  co_return co_await core_.change_own(region, rule);
}

runtime::Task<bool> RegionApi::interface_ready(std::string region, std::string id,
                                               base::Timestamp deadline) {
  const auto records = core_.records(region);
  if (!records.has_value()) co_return false;
  const NetworkInterfaceId wanted(id);
  const auto* const found = (*records)->find<NetworkInterfaceRecord>(wanted);
  if (found == nullptr) co_return false;
  const VpcId vpc = found->vpc;
  if (!core_.networks().has_interface(vpc, wanted)) {
    co_await core_.networks().settled(deadline);
  }
  co_return core_.networks().has_interface(vpc, wanted);
}

}  // namespace terrarium::ec2
