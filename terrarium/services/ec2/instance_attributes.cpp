#include "terrarium/services/ec2/instance_attributes.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/ec2/instance_types.h"
#include "terrarium/services/ec2/instance_view.h"
#include "terrarium/services/ec2/launch_choices.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"

namespace terrarium::ec2 {
namespace {

AttributeBooleanValue flag(bool value) { return {value}; }

// Fills in the attribute named; false for a name that is none.
bool fill(const State& state, const InstanceRecord& instance, const std::string& name,
          InstanceAttribute& out) {
  const NetworkInterfaceRecord* const primary = primary_interface(state, instance);
  if (name == "instanceType") {
    out.instance_type = AttributeValue{instance.type};
  } else if (name == "userData") {
    out.user_data.emplace();
    if (!instance.user_data.empty()) out.user_data->value = base::base64_encode(instance.user_data);
  } else if (name == "disableApiTermination") {
    out.disable_api_termination = flag(instance.disable_api_termination);
  } else if (name == "disableApiStop") {
    out.disable_api_stop = flag(instance.disable_api_stop);
  } else if (name == "instanceInitiatedShutdownBehavior") {
    out.instance_initiated_shutdown_behavior =
        AttributeValue{instance.terminate_on_shutdown ? "terminate" : "stop"};
  } else if (name == "rootDeviceName") {
    out.root_device_name = AttributeValue{std::string(kRootDevice)};
  } else if (name == "blockDeviceMapping") {
    out.block_device_mappings = device_views(state, instance);
  } else if (name == "productCodes") {
    out.product_codes = std::vector<ProductCode>{};
  } else if (name == "sourceDestCheck") {
    out.source_dest_check = flag(primary == nullptr || primary->source_dest_check);
  } else if (name == "groupSet") {
    out.groups =
        primary == nullptr ? std::vector<GroupIdentifier>{} : group_views(state, primary->groups);
  } else if (name == "ebsOptimized") {
    out.ebs_optimized = flag(instance.ebs_optimized);
  } else if (name == "enaSupport") {
    out.ena_support = flag(true);
  } else if (name == "enclaveOptions") {
    out.enclave_options = EnclaveOptions{.enabled = false};
  } else if (name == "sriovNetSupport") {
    out.sriov_net_support = AttributeValue{"simple"};
  } else if (name == "kernel") {
    out.kernel_id.emplace();
  } else if (name == "ramdisk") {
    out.ramdisk_id.emplace();
  } else {
    return false;
  }
  return true;
}

base::Result<bool> boolean_of(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  return std::unexpected(invalid_value(text, "value", "Must be true or false."));
}

// The older form, a name and a text, as the member that it stands for.
base::Result<ModifyInstanceAttributeRequest> as_members(ModifyInstanceAttributeRequest request) {
  if (!request.attribute.has_value()) return request;
  const std::string name = *request.attribute;
  if (!request.value.has_value()) {
    // The CLI names the attribute and gives the mapping besides.
    if (name == "blockDeviceMapping" && request.block_device_mappings.has_value()) return request;
    return std::unexpected(missing("value"));
  }
  const std::string value = *request.value;
  if (name == "instanceType") {
    request.instance_type = AttributeValue{value};
  } else if (name == "userData") {
    TRY(std::string data, decode_user_data(value));
    request.user_data = BlobAttributeValue{std::move(data)};
  } else if (name == "instanceInitiatedShutdownBehavior") {
    request.instance_initiated_shutdown_behavior = AttributeValue{value};
  } else {
    std::optional<AttributeBooleanValue>* member = nullptr;
    if (name == "disableApiTermination") member = &request.disable_api_termination;
    if (name == "disableApiStop") member = &request.disable_api_stop;
    if (name == "ebsOptimized") member = &request.ebs_optimized;
    if (name == "sourceDestCheck") member = &request.source_dest_check;
    if (member == nullptr) {
      return std::unexpected(invalid_value(name, "attribute", "It can't be modified here."));
    }
    TRY(const bool wanted, boolean_of(value));
    *member = flag(wanted);
  }
  return request;
}

base::Result<void> check_one(const ModifyInstanceAttributeRequest& request) {
  const bool given[] = {request.source_dest_check.has_value(),
                        request.block_device_mappings.has_value(),
                        request.disable_api_termination.has_value(),
                        request.disable_api_stop.has_value(),
                        request.ebs_optimized.has_value(),
                        request.groups.has_value() && !request.groups->empty(),
                        request.instance_initiated_shutdown_behavior.has_value(),
                        request.instance_type.has_value(),
                        request.user_data.has_value()};
  TRY_VOID(refuse({{"EnaSupport", request.ena_support.has_value()},
                   {"Kernel", request.kernel.has_value()},
                   {"Ramdisk", request.ramdisk.has_value()},
                   {"SriovNetSupport", request.sriov_net_support.has_value()}}));
  const auto count = std::ranges::count(given, true);
  if (count == 0) {
    return base::fail(errors::kInvalidParameterCombination, "No attributes specified.");
  }
  if (count > 1) {
    return base::fail(errors::kInvalidParameterCombination,
                      "Fields for multiple attribute types specified");
  }
  return {};
}

base::Result<void> must_be_stopped(const InstanceRecord& instance) {
  if (instance.state == InstanceStateName::Stopped) return {};
  return base::fail(errors::kIncorrectInstanceState,
                    "The instance '" + instance.id.value + "' is not in the 'stopped' state.");
}

base::Result<void> set_flag(const std::optional<AttributeBooleanValue>& wanted, bool& member) {
  if (!wanted.has_value()) return {};
  if (!wanted->value.has_value()) return std::unexpected(missing("value"));
  member = *wanted->value;
  return {};
}

base::Result<void> modify_while_stopped(const ModifyInstanceAttributeRequest& request,
                                        InstanceRecord& instance) {
  if (!request.instance_type && !request.user_data && !request.ebs_optimized) return {};
  TRY_VOID(must_be_stopped(instance));
  TRY_VOID(set_flag(request.ebs_optimized, instance.ebs_optimized));
  if (request.instance_type.has_value()) {
    const std::string type = request.instance_type->value.value_or("");
    const InstanceType* const found = find_instance_type(type);
    if (found == nullptr) {
      return base::fail(errors::kInvalidInstanceAttributeValue,
                        "The instanceType '" + type + "' does not exist here.");
    }
    instance.type = type;
    if (!found->is_burstable()) instance.unlimited_credits = false;
  }
  if (request.user_data.has_value()) {
    const std::string data = request.user_data->value.value_or("");
    if (data.size() > kUserDataBytesMax) {
      return base::fail(errors::kInvalidParameterValue, "User data is limited to 16384 bytes");
    }
    instance.user_data = data;
  }
  return {};
}

base::Result<void> modify_interface(Transaction& transaction,
                                    const ModifyInstanceAttributeRequest& request,
                                    const InstanceRecord& instance) {
  const bool groups = request.groups.has_value() && !request.groups->empty();
  if (!groups && !request.source_dest_check.has_value()) return {};
  const auto* const primary = primary_interface(transaction.state(), instance);
  if (primary == nullptr) {
    return base::fail(errors::kIncorrectInstanceState,
                      "The instance '" + instance.id.value + "' has no network interface.");
  }
  NetworkInterfaceRecord changed = *primary;
  if (groups) {
    TRY(changed.groups,
        choose_groups(transaction.state(), changed.vpc, changed.subnet.value, *request.groups));
  }
  TRY_VOID(set_flag(request.source_dest_check, changed.source_dest_check));
  transaction.put(std::move(changed));
  return {};
}

base::Result<void> check_mappings(const ModifyInstanceAttributeRequest& request) {
  if (!request.block_device_mappings.has_value()) return {};
  for (const auto& mapping : *request.block_device_mappings) {
    const auto& ebs = mapping.ebs;
    TRY_VOID(
        refuse({{"BlockDeviceMapping.NoDevice", mapping.no_device.has_value()},
                {"BlockDeviceMapping.VirtualName", mapping.virtual_name.has_value()},
                {"BlockDeviceMapping.Ebs.VolumeId", ebs.has_value() && ebs->volume_id.has_value()},
                {"BlockDeviceMapping.Ebs.DeleteOnTermination=false",
                 ebs.has_value() && !ebs->delete_on_termination.value_or(true)}}));
    if (mapping.device_name.value_or("") != kRootDevice) {
      return base::fail(errors::kInvalidInstanceAttributeValue,
                        "No device is currently mapped at " + mapping.device_name.value_or(""));
    }
  }
  return {};
}

const char* credits_text(const InstanceRecord& instance) {
  return instance.unlimited_credits ? "unlimited" : "standard";
}
constexpr std::array kCreditFilters{FilterField<InstanceRecord>{
    "instance-id",
    [](const State&, const InstanceRecord& one) { return FilterValues{one.id.value}; }}};

// On or off, for the answers of both calls.
base::Result<std::vector<InstanceMonitoring>> set_monitoring(Transaction& transaction,
                                                             const std::vector<std::string>& ids,
                                                             bool detailed) {
  if (ids.empty()) return std::unexpected(missing("InstanceId"));
  std::vector<InstanceMonitoring> out;
  TRY(const auto found, require_all<InstanceRecord>(transaction.state(), ids));
  for (const InstanceRecord* record : found) {
    InstanceRecord instance = *record;
    instance.detailed_monitoring = detailed;
    transaction.put(std::move(instance));
    // AWS takes a moment; what is described afterwards is what holds.
    out.push_back({record->id.value, Monitoring{detailed ? "pending" : "disabling"}});
  }
  return out;
}

}  // namespace

base::Result<InstanceAttribute> describe_instance_attribute(
    const State& state, const DescribeInstanceAttributeRequest& request) {
  TRY(const InstanceRecord* const instance, require<InstanceRecord>(state, request.instance_id));
  InstanceAttribute out{.instance_id = instance->id.value};
  if (!fill(state, *instance, request.attribute, out)) {
    return std::unexpected(invalid_value(request.attribute, "attribute", "Unknown attribute."));
  }
  return out;
}

base::Result<wire::Empty> modify_instance_attribute(Transaction& transaction,
                                                    const ModifyInstanceAttributeRequest& given) {
  TRY(const ModifyInstanceAttributeRequest request, as_members(given));
  TRY_VOID(check_one(request));
  TRY(const InstanceRecord* const found,
      require<InstanceRecord>(transaction.state(), request.instance_id));
  InstanceRecord instance = *found;
  TRY_VOID(set_flag(request.disable_api_termination, instance.disable_api_termination));
  TRY_VOID(set_flag(request.disable_api_stop, instance.disable_api_stop));
  if (request.instance_initiated_shutdown_behavior.has_value()) {
    TRY(instance.terminate_on_shutdown,
        choose_shutdown(request.instance_initiated_shutdown_behavior->value.value_or("")));
  }
  TRY_VOID(modify_while_stopped(request, instance));
  TRY_VOID(check_mappings(request));
  TRY_VOID(modify_interface(transaction, request, instance));
  transaction.put(std::move(instance));
  return wire::Empty{};
}

base::Result<DescribeInstanceCreditSpecificationsResult> describe_instance_credit_specifications(
    const State& state, const DescribeInstanceCreditSpecificationsRequest& request) {
  TRY(const auto page,
      select<InstanceRecord>(state, request.instance_ids, request.filters, kCreditFilters,
                             {request.max_results, request.next_token}));
  const bool named = request.instance_ids.has_value() && !request.instance_ids->empty();
  DescribeInstanceCreditSpecificationsResult result{
      .instance_credit_specifications = std::vector<InstanceCreditSpecification>{},
      .next_token = page.next_token};
  for (const InstanceRecord* one : page.records) {
    const InstanceType* const type = find_instance_type(one->type);
    const bool burstable = type != nullptr && type->is_burstable();
    // Without ids AWS lists what deviates: burstable instances that are unlimited.
    if (!burstable || (!named && !one->unlimited_credits)) continue;
    result.instance_credit_specifications->push_back({one->id.value, credits_text(*one)});
  }
  return result;
}

base::Result<ModifyInstanceCreditSpecificationResult> modify_instance_credit_specification(
    Transaction& transaction, const ModifyInstanceCreditSpecificationRequest& request) {
  ModifyInstanceCreditSpecificationResult result;
  auto& done = result.successful_instance_credit_specifications.emplace();
  auto& refused = result.unsuccessful_instance_credit_specifications.emplace();
  for (const InstanceCreditSpecificationRequest& one : request.instance_credit_specifications) {
    const std::string id = one.instance_id.value_or("");
    TRY(const InstanceRecord* const found, require<InstanceRecord>(transaction.state(), id));
    const auto unlimited = choose_unlimited(found->type, one.cpu_credits.value_or(""));
    if (!unlimited.has_value()) {
      refused.push_back(
          {id, UnsuccessfulInstanceCreditSpecificationItemError{
                   "InstanceCreditSpecification.NotSupported", unlimited.error().message}});
      continue;
    }
    InstanceRecord instance = *found;
    instance.unlimited_credits = *unlimited;
    transaction.put(std::move(instance));
    done.push_back({id});
  }
  return result;
}

base::Result<MonitorInstancesResult> monitor_instances(Transaction& transaction,
                                                       const MonitorInstancesRequest& request) {
  TRY(auto list, set_monitoring(transaction, request.instance_ids, true));
  return MonitorInstancesResult{std::move(list)};
}

base::Result<UnmonitorInstancesResult> unmonitor_instances(
    Transaction& transaction, const UnmonitorInstancesRequest& request) {
  TRY(auto list, set_monitoring(transaction, request.instance_ids, false));
  return UnmonitorInstancesResult{std::move(list)};
}

base::Result<ModifyInstanceMetadataOptionsResult> modify_instance_metadata_options(
    Transaction& transaction, const ModifyInstanceMetadataOptionsRequest& request) {
  TRY(const InstanceRecord* const found,
      require<InstanceRecord>(transaction.state(), request.instance_id));
  if (found->state == InstanceStateName::Terminated) {
    return base::fail(errors::kIncorrectInstanceState,
                      "The instance '" + request.instance_id + "' is terminated.");
  }
  InstanceRecord instance = *found;
  TRY(instance.metadata,
      change_metadata(instance.metadata, {request.http_tokens, request.http_put_response_hop_limit,
                                          request.http_endpoint, request.http_protocol_ipv6,
                                          request.instance_metadata_tags}));
  const MetadataOptionsRecord options = instance.metadata;
  transaction.put(std::move(instance));
  ModifyInstanceMetadataOptionsResult result{request.instance_id, metadata_view(options)};
  // AWS takes a moment; here they hold before the answer goes.
  result.instance_metadata_options->state = "pending";
  return result;
}

}  // namespace terrarium::ec2
