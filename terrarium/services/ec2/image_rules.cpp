#include "terrarium/services/ec2/image_rules.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/image_view.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

constexpr std::size_t kNameMin = 3;
constexpr std::size_t kNameMax = 128;
constexpr std::size_t kDescriptionMax = 255;
constexpr std::size_t kAccountDigits = 12;

base::Result<void> check_name(const State& state, const std::string& name) {
  const bool legal = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("()[] ./-'@_").contains(c);
  });
  if (!legal || name.size() < kNameMin || name.size() > kNameMax) {
    return base::fail(errors::kInvalidAMINameMalformed,
                      "AMI names must be between 3 and 128 characters long, and may contain "
                      "letters, numbers, '(', ')', '[', ']', ' ', '.', '/', '-', ''', '@' and "
                      "'_'");
  }
  for (const ImageRecord& other : state.all<ImageRecord>()) {
    if (other.name == name && other.state != ImageState::Failed) {
      return base::fail(errors::kInvalidAMINameDuplicate,
                        "AMI name " + name + " is already in use by AMI " + other.id.value);
    }
  }
  return {};
}

base::Result<std::string> check_description(const std::optional<std::string>& description) {
  std::string text = description.value_or("");
  if (text.size() <= kDescriptionMax) return text;
  return std::unexpected(
      invalid_value(text, "description", "It must be no longer than 255 characters."));
}

base::Result<const ImageRecord*> require_own(const State& state, const std::string& account,
                                             const std::string& id) {
  TRY(const ImageRecord* const image, require<ImageRecord>(state, id));
  if (image->owner == account) return image;
  return base::fail(errors::kAuthFailure, "Not authorized for image:" + id);
}

constexpr std::array<std::string_view, 2> kTagged{"image", "snapshot"};

// An image of disks that exist, available at once.
ImageRecord ready_image(const Transaction& transaction, const ImageRecord& source, std::string name,
                        std::string description) {
  return {.id = new_id<ImageId>(transaction.random()),
          .name = std::move(name),
          .description = std::move(description),
          .owner = transaction.scene().account,
          .layers = source.layers,
          .snapshot = source.snapshot,
          .volume_gib = source.volume_gib,
          .created = transaction.now()};
}

base::Result<const ImageRecord*> image_of_snapshot(const State& state, const std::string& id) {
  if (!is_id_text(id, SnapshotIdTag::kPrefix)) {
    return base::fail(errors::kInvalidSnapshotIDMalformed, "Invalid id: \"" + id + "\"");
  }
  for (const ImageRecord& image : state.all<ImageRecord>()) {
    if (image.snapshot.value == id && image.state == ImageState::Available) return &image;
  }
  return base::fail(errors::kInvalidSnapshotNotFound, "The snapshot '" + id + "' does not exist.");
}

// The one disk that an image here can have.
base::Result<const ImageRecord*> root_of(const State& state, const RegisterImageRequest& request) {
  const auto mappings = request.block_device_mappings.value_or(std::vector<BlockDeviceMapping>{});
  if (mappings.size() != 1 || !mappings.front().ebs.has_value() ||
      !mappings.front().ebs->snapshot_id.has_value()) {
    return base::fail(errors::kInvalidBlockDeviceMapping,
                      "Exactly one block device mapping, with the snapshot of an image of this "
                      "region, is supported here.");
  }
  const BlockDeviceMapping& root = mappings.front();
  if (root.device_name != kImageRootDevice ||
      request.root_device_name.value_or(std::string(kImageRootDevice)) != kImageRootDevice) {
    return base::fail(errors::kInvalidBlockDeviceMapping, "The root device is /dev/xvda here.");
  }
  TRY_VOID(
      refuse({{"BlockDeviceMapping.VirtualName", root.virtual_name.has_value()},
              {"BlockDeviceMapping.NoDevice", root.no_device.has_value()},
              {"Ebs.Encrypted", root.ebs->encrypted.value_or(false)},
              {"Ebs.KmsKeyId", root.ebs->kms_key_id.has_value()},
              {"Ebs.Iops", root.ebs->iops.has_value()},
              {"Ebs.Throughput", root.ebs->throughput.has_value()},
              {"Ebs.OutpostArn", root.ebs->outpost_arn.has_value()},
              {"Ebs.DeleteOnTermination=false", !root.ebs->delete_on_termination.value_or(true)},
              {"Ebs.VolumeType", root.ebs->volume_type.value_or("gp2") != "gp2"}}));
  TRY(const ImageRecord* const source, image_of_snapshot(state, *root.ebs->snapshot_id));
  TRY_VOID(refuse({{"Ebs.VolumeSize",
                    root.ebs->volume_size.value_or(source->volume_gib) != source->volume_gib}}));
  return source;
}

base::Result<void> change_permission(ImageRecord& image, const LaunchPermission& permission,
                                     bool add) {
  TRY_VOID(refuse({{"OrganizationArn", permission.organization_arn.has_value()},
                   {"OrganizationalUnitArn", permission.organizational_unit_arn.has_value()}}));
  if (permission.group.has_value()) {
    if (*permission.group != "all") {
      return base::fail(
          errors::kInvalidAMIAttributeItemValue,
          "Invalid attribute item value \"" + *permission.group + "\" for group item type.");
    }
    image.is_public = add;
    return {};
  }
  const std::string user = permission.user_id.value_or("");
  if (user.size() != kAccountDigits ||
      !std::ranges::all_of(user, [](char c) { return c >= '0' && c <= '9'; })) {
    return base::fail(errors::kInvalidAMIAttributeItemValue,
                      "Invalid attribute item value \"" + user + "\" for userId item type.");
  }
  std::erase(image.launch_users, user);
  if (add) image.launch_users.push_back(user);
  return {};
}

// Both ways in which a request may say it.
base::Result<LaunchPermissionModifications> permissions_of(
    const ModifyImageAttributeRequest& request) {
  LaunchPermissionModifications changes =
      request.launch_permission.value_or(LaunchPermissionModifications{});
  std::vector<LaunchPermission> listed;
  for (const std::string& user : request.user_ids.value_or(std::vector<std::string>{})) {
    listed.push_back({.user_id = user});
  }
  for (const std::string& group : request.user_groups.value_or(std::vector<std::string>{})) {
    listed.push_back({.group = group});
  }
  if (listed.empty()) return changes;
  const std::string type = request.operation_type.value_or("");
  if (type != "add" && type != "remove") {
    return std::unexpected(
        invalid_value(type, "operationType", "Valid values are add and remove."));
  }
  (type == "add" ? changes.add : changes.remove) = std::move(listed);
  return changes;
}

}  // namespace

base::Result<CreateImageResult> create_image(Transaction& transaction,
                                             const CreateImageRequest& request) {
  const State& state = transaction.state();
  TRY(const InstanceRecord* const instance, require<InstanceRecord>(state, request.instance_id));
  TRY_VOID(refuse({{"BlockDeviceMappings", request.block_device_mappings.has_value() &&
                                               !request.block_device_mappings->empty()}}));
  if (instance->state != InstanceStateName::Running &&
      instance->state != InstanceStateName::Stopped) {
    return base::fail(errors::kIncorrectInstanceState,
                      "The instance '" + request.instance_id +
                          "' is not in a state from which it can be imaged: it must be running or "
                          "stopped.");
  }
  TRY_VOID(check_name(state, request.name));
  TRY(std::string description, check_description(request.description));
  TRY(Tags tags, tags_for(request.tag_specifications, "image", kTagged));
  TRY(Tags snapshot_tags, tags_for(request.tag_specifications, "snapshot", kTagged));
  ImageRecord image{.id = new_id<ImageId>(transaction.random()),
                    .name = request.name,
                    .description = std::move(description),
                    .owner = transaction.scene().account,
                    .state = ImageState::Pending,
                    .layers = instance->layers,
                    .source_instance = instance->id,
                    .reboot_source = !request.no_reboot.value_or(false),
                    .snapshot = new_id<SnapshotId>(transaction.random()),
                    .created = transaction.now(),
                    .tags = std::move(tags),
                    .snapshot_tags = std::move(snapshot_tags)};
  image.layers.push_back(image.id.value);
  if (const auto* const volume = state.find<VolumeRecord>(instance->volume)) {
    image.volume_gib = volume->gib;
  }
  CreateImageResult result{.image_id = image.id.value};
  transaction.put(std::move(image));
  return result;
}

base::Result<RegisterImageResult> register_image(Transaction& transaction,
                                                 const RegisterImageRequest& request) {
  // EnaSupport says what drivers the image has: without effect here.
  TRY_VOID(refuse({{"ImageLocation", request.image_location.has_value()},
                   {"Architecture", request.architecture.value_or("x86_64") != "x86_64"},
                   {"KernelId", request.kernel_id.has_value()},
                   {"BillingProducts", request.billing_products.has_value()},
                   {"RamdiskId", request.ramdisk_id.has_value()},
                   {"SriovNetSupport", request.sriov_net_support.has_value()},
                   {"VirtualizationType", request.virtualization_type.value_or("hvm") != "hvm"},
                   {"BootMode", request.boot_mode.has_value()},
                   {"TpmSupport", request.tpm_support.has_value()},
                   {"UefiData", request.uefi_data.has_value()},
                   {"ImdsSupport", request.imds_support.has_value()}}));
  TRY_VOID(check_name(transaction.state(), request.name));
  TRY(std::string description, check_description(request.description));
  TRY(const ImageRecord* const source, root_of(transaction.state(), request));
  ImageRecord image = ready_image(transaction, *source, request.name, std::move(description));
  image.snapshot_tags = source->snapshot_tags;
  TRY(image.tags, tags_for(request.tag_specifications, "image"));
  RegisterImageResult result{.image_id = image.id.value};
  transaction.put(std::move(image));
  return result;
}

base::Result<CopyImageResult> copy_image(Transaction& transaction,
                                         const CopyImageRequest& request) {
  const State& state = transaction.state();
  TRY_VOID(refuse({{"SourceRegion", request.source_region != transaction.scene().region},
                   {"Encrypted", request.encrypted.value_or(false)},
                   {"KmsKeyId", request.kms_key_id.has_value()},
                   {"DestinationOutpostArn", request.destination_outpost_arn.has_value()}}));
  const std::string token = request.client_token.value_or("");
  for (const ImageRecord& image : state.all<ImageRecord>()) {
    if (!token.empty() && image.client_token == token) {
      return CopyImageResult{.image_id = image.id.value};
    }
  }
  TRY(const ImageRecord* const source, require<ImageRecord>(state, request.source_image_id));
  if (source->state != ImageState::Available) {
    return base::fail(errors::kInvalidAMIIDUnavailable,
                      "The image ID '" + request.source_image_id + "' is not available");
  }
  TRY_VOID(check_name(state, request.name));
  TRY(std::string description, check_description(request.description));
  ImageRecord image = ready_image(transaction, *source, request.name, std::move(description));
  image.snapshot = new_id<SnapshotId>(transaction.random());
  image.client_token = token;
  if (request.copy_image_tags.value_or(false)) image.tags = source->tags;
  TRY(Tags tags, tags_for(request.tag_specifications, "image", kTagged));
  for (auto& [key, value] : tags) image.tags.insert_or_assign(key, std::move(value));
  TRY(image.snapshot_tags, tags_for(request.tag_specifications, "snapshot", kTagged));
  CopyImageResult result{.image_id = image.id.value};
  transaction.put(std::move(image));
  return result;
}

base::Result<wire::Empty> deregister_image(Transaction& transaction,
                                           const DeregisterImageRequest& request) {
  TRY(const ImageRecord* const image,
      require_own(transaction.state(), transaction.scene().account, request.image_id));
  // DeleteAssociatedSnapshots changes nothing: a snapshot goes with the last image that has it.
  transaction.erase<ImageRecord>(image->id);
  return wire::Empty{};
}

base::Result<ImageAttribute> describe_image_attribute(
    const State& state, const std::string& account, const DescribeImageAttributeRequest& request) {
  TRY(const ImageRecord* const image, require_own(state, account, request.image_id));
  ImageAttribute result{.image_id = image->id.value};
  if (request.attribute == "description") {
    result.description = AttributeValue{image->description};
  } else if (request.attribute == "launchPermission") {
    result.launch_permissions.emplace();
    if (image->is_public) result.launch_permissions->push_back({.group = "all"});
    for (const std::string& user : image->launch_users) {
      result.launch_permissions->push_back({.user_id = user});
    }
  } else if (request.attribute == "blockDeviceMapping") {
    result.block_device_mappings = mappings_of(*image);
  } else if (request.attribute == "productCodes") {
    result.product_codes.emplace();
  } else {
    return std::unexpected(invalid_value(request.attribute, "attribute",
                                         "Supported here are description, launchPermission, "
                                         "blockDeviceMapping and productCodes."));
  }
  return result;
}

base::Result<wire::Empty> modify_image_attribute(Transaction& transaction,
                                                 const ModifyImageAttributeRequest& request) {
  TRY_VOID(refuse({{"ProductCodes", request.product_codes.has_value()},
                   {"OrganizationArns", request.organization_arns.has_value()},
                   {"OrganizationalUnitArns", request.organizational_unit_arns.has_value()},
                   {"Attribute", request.attribute.value_or("description") != "description" &&
                                     *request.attribute != "launchPermission"}}));
  TRY(const ImageRecord* const found,
      require_own(transaction.state(), transaction.scene().account, request.image_id));
  TRY(const LaunchPermissionModifications changes, permissions_of(request));
  ImageRecord image = *found;
  const bool described = request.attribute == "description" && request.value.has_value();
  const auto& text = described ? request.value
                               : (request.description.has_value() ? request.description->value
                                                                  : std::optional<std::string>());
  if (text.has_value()) {
    TRY(image.description, check_description(text));
  } else if (!changes.add.has_value() && !changes.remove.has_value()) {
    return std::unexpected(missing("Description or LaunchPermission"));
  }
  for (const auto& one : changes.add.value_or(std::vector<LaunchPermission>{})) {
    TRY_VOID(change_permission(image, one, true));
  }
  for (const auto& one : changes.remove.value_or(std::vector<LaunchPermission>{})) {
    TRY_VOID(change_permission(image, one, false));
  }
  transaction.put(std::move(image));
  return wire::Empty{};
}

base::Result<void> image_saved(Transaction& transaction, const ImageId& id) {
  const ImageRecord* const found = transaction.find<ImageRecord>(id);
  if (found == nullptr || found->state != ImageState::Pending) return {};
  ImageRecord image = *found;
  image.state = ImageState::Available;
  const auto* const instance = image.source_instance.has_value()
                                   ? transaction.find<InstanceRecord>(*image.source_instance)
                                   : nullptr;
  if (image.reboot_source && instance != nullptr && instance->state == InstanceStateName::Running) {
    InstanceRecord rebooted = *instance;
    rebooted.reboot_wanted = true;
    transaction.put(std::move(rebooted));
  }
  transaction.put(std::move(image));
  return {};
}

base::Result<void> image_failed(Transaction& transaction, const ImageId& id,
                                const std::string& why) {
  const ImageRecord* const found = transaction.find<ImageRecord>(id);
  if (found == nullptr || found->state != ImageState::Pending) return {};
  ImageRecord image = *found;
  image.state = ImageState::Failed;
  image.failure = why;
  image.layers.clear();
  transaction.put(std::move(image));
  return {};
}

void add_layers_in_use(const State& state, std::set<std::string>& layers) {
  for (const ImageRecord& image : state.all<ImageRecord>()) {
    layers.insert(image.layers.begin(), image.layers.end());
  }
  for (const InstanceRecord& instance : state.all<InstanceRecord>()) {
    if (instance.state == InstanceStateName::Terminated) continue;
    layers.insert(instance.layers.begin(), instance.layers.end());
  }
}

}  // namespace terrarium::ec2
