#include "terrarium/services/ec2/image_view.h"

#include <algorithm>
#include <array>
#include <set>

#include "generated/ec2/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/ec2/image_rules.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

constexpr std::string_view kAmazon = "amazon";
constexpr std::string_view kVolumeType = "gp2";
// What AWS shows for a snapshot whose volume it does not know.
constexpr std::string_view kNoVolume = "vol-ffffffff";

bool is_amazons(const ImageRecord& image) { return image.owner == kAmazon; }

std::string owner_id(const ImageRecord& image, const std::string& account) {
  return is_amazons(image) ? std::string(kAmazonAccount) : account;
}

std::string state_text(ImageState state) {
  switch (state) {
    case ImageState::Pending: return "pending";
    case ImageState::Available: return "available";
    case ImageState::Failed: return "failed";
    case ImageState::Deregistered: return "deregistered";
  }
  return "";
}

// Owners and users are accounts, "self", and names that AWS has for some.
bool names_account(const std::vector<std::string>& names, const std::string& account,
                   const std::string& owner) {
  return std::ranges::any_of(names, [&](const std::string& name) {
    return name == owner || (name == "self" && owner == account) ||
           (name == kAmazon && owner == kAmazonAccount);
  });
}

bool is_executable_by(const ImageRecord& image, const std::string& account,
                      const std::vector<std::string>& users) {
  return std::ranges::any_of(users, [&](const std::string& user) {
    if (user == "all") return image.is_public;
    const std::string& named = user == "self" ? account : user;
    return std::ranges::find(image.launch_users, named) != image.launch_users.end();
  });
}

// ------------------------------------------------------------------------------------ filters

template <class Shown, auto Member>
FilterValues text_of(const State&, const Shown& shown) {
  const std::optional<std::string>& value = shown.*Member;
  return value.has_value() ? FilterValues{*value} : FilterValues{};
}
template <auto Member>
constexpr auto image_text = text_of<Image, Member>;
template <auto Member>
constexpr auto snapshot_text = text_of<Snapshot, Member>;

const EbsBlockDevice& disk_of(const Image& image) {
  return *image.block_device_mappings->front().ebs;
}

constexpr std::array kImageFilters{
    FilterField<Image>{"architecture", image_text<&Image::architecture>},
    FilterField<Image>{"block-device-mapping.delete-on-termination",
                       [](const State&, const Image& image) {
                         return FilterValues{filter_text(*disk_of(image).delete_on_termination)};
                       }},
    FilterField<Image>{
        "block-device-mapping.device-name",
        [](const State&, const Image&) { return FilterValues{std::string(kImageRootDevice)}; }},
    FilterField<Image>{"block-device-mapping.encrypted",
                       [](const State&, const Image& image) {
                         return FilterValues{filter_text(*disk_of(image).encrypted)};
                       }},
    FilterField<Image>{
        "block-device-mapping.snapshot-id",
        [](const State&, const Image& image) { return FilterValues{*disk_of(image).snapshot_id}; }},
    FilterField<Image>{"block-device-mapping.volume-size",
                       [](const State&, const Image& image) {
                         return FilterValues{std::to_string(*disk_of(image).volume_size)};
                       }},
    FilterField<Image>{
        "block-device-mapping.volume-type",
        [](const State&, const Image& image) { return FilterValues{*disk_of(image).volume_type}; }},
    FilterField<Image>{"creation-date", image_text<&Image::creation_date>},
    FilterField<Image>{"description", image_text<&Image::description>},
    FilterField<Image>{"ena-support",
                       [](const State&, const Image& image) {
                         return FilterValues{filter_text(image.ena_support.value_or(false))};
                       }},
    FilterField<Image>{"hypervisor", image_text<&Image::hypervisor>},
    FilterField<Image>{"image-id", image_text<&Image::image_id>},
    FilterField<Image>{"image-type", image_text<&Image::image_type>},
    FilterField<Image>{"is-public",
                       [](const State&, const Image& image) {
                         return FilterValues{filter_text(image.public_.value_or(false))};
                       }},
    FilterField<Image>{"kernel-id", image_text<&Image::kernel_id>},
    FilterField<Image>{"manifest-location", image_text<&Image::image_location>},
    FilterField<Image>{"name", image_text<&Image::name>},
    FilterField<Image>{"owner-alias", image_text<&Image::image_owner_alias>},
    FilterField<Image>{"owner-id", image_text<&Image::owner_id>},
    FilterField<Image>{"platform", image_text<&Image::platform>},
    FilterField<Image>{"platform-details", image_text<&Image::platform_details>},
    FilterField<Image>{"product-code", [](const State&, const Image&) { return FilterValues{}; }},
    FilterField<Image>{"product-code.type",
                       [](const State&, const Image&) { return FilterValues{}; }},
    FilterField<Image>{"ramdisk-id", image_text<&Image::ramdisk_id>},
    FilterField<Image>{"root-device-name", image_text<&Image::root_device_name>},
    FilterField<Image>{"root-device-type", image_text<&Image::root_device_type>},
    FilterField<Image>{"state", image_text<&Image::state>},
    FilterField<Image>{"virtualization-type", image_text<&Image::virtualization_type>},
};

constexpr std::array kSnapshotFilters{
    FilterField<Snapshot>{"description", snapshot_text<&Snapshot::description>},
    FilterField<Snapshot>{"encrypted",
                          [](const State&, const Snapshot& snapshot) {
                            return FilterValues{filter_text(*snapshot.encrypted)};
                          }},
    FilterField<Snapshot>{"owner-alias", snapshot_text<&Snapshot::owner_alias>},
    FilterField<Snapshot>{"owner-id", snapshot_text<&Snapshot::owner_id>},
    FilterField<Snapshot>{"progress", snapshot_text<&Snapshot::progress>},
    FilterField<Snapshot>{"snapshot-id", snapshot_text<&Snapshot::snapshot_id>},
    FilterField<Snapshot>{"start-time",
                          [](const State&, const Snapshot& snapshot) {
                            return FilterValues{base::iso8601(*snapshot.start_time)};
                          }},
    FilterField<Snapshot>{"status", snapshot_text<&Snapshot::state>},
    FilterField<Snapshot>{"storage-tier", snapshot_text<&Snapshot::storage_tier>},
    FilterField<Snapshot>{"volume-id", snapshot_text<&Snapshot::volume_id>},
    FilterField<Snapshot>{"volume-size",
                          [](const State&, const Snapshot& snapshot) {
                            return FilterValues{std::to_string(*snapshot.volume_size)};
                          }},
};

struct SnapshotRow {
  SnapshotId id;
  const ImageRecord* image = nullptr;
};

// Each once, though images may share them.
std::vector<SnapshotRow> snapshot_rows(const State& state) {
  std::map<SnapshotId, const ImageRecord*> images;
  for (const ImageRecord& image : state.all<ImageRecord>()) images.emplace(image.snapshot, &image);
  std::vector<SnapshotRow> rows;
  for (const auto& [id, image] : images) rows.push_back({id, image});
  return rows;
}

base::Result<void> check_snapshots(const std::vector<SnapshotRow>& rows,
                                   const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    if (!is_id_text(id, SnapshotIdTag::kPrefix)) {
      return base::fail(errors::kInvalidSnapshotIDMalformed, "Invalid id: \"" + id + "\"");
    }
    if (std::ranges::find(rows, SnapshotId(id), &SnapshotRow::id) == rows.end()) {
      return base::fail(errors::kInvalidSnapshotNotFound,
                        "The snapshot '" + id + "' does not exist.");
    }
  }
  return {};
}

}  // namespace

std::vector<BlockDeviceMapping> mappings_of(const ImageRecord& image) {
  return {{.device_name = std::string(kImageRootDevice),
           .ebs = EbsBlockDevice{.delete_on_termination = true,
                                 .snapshot_id = image.snapshot.value,
                                 .volume_size = image.volume_gib,
                                 .volume_type = std::string(kVolumeType),
                                 .encrypted = false}}};
}

Image view(const ImageRecord& image, const std::string& account) {
  const std::string owner = owner_id(image, account);
  Image out{.architecture = "x86_64",
            .creation_date = base::iso8601(image.created),
            .image_id = image.id.value,
            .image_location = (is_amazons(image) ? std::string(kAmazon) : owner) + "/" + image.name,
            .image_type = "machine",
            .public_ = image.is_public,
            .owner_id = owner,
            .platform_details = "Linux/UNIX",
            .usage_operation = "RunInstances",
            .state = state_text(image.state),
            .block_device_mappings = mappings_of(image),
            .ena_support = true,
            .hypervisor = "xen",
            .name = image.name,
            .root_device_name = std::string(kImageRootDevice),
            .root_device_type = "ebs",
            .tags = tag_list(image.tags),
            .virtualization_type = "hvm"};
  if (!image.description.empty()) out.description = image.description;
  if (is_amazons(image)) out.image_owner_alias = std::string(kAmazon);
  if (image.state == ImageState::Failed) {
    out.state_reason = StateReason{.code = "Server.InternalError", .message = image.failure};
  }
  return out;
}

Snapshot snapshot_of(const State& state, const ImageRecord& image, const std::string& account) {
  Snapshot out{.encrypted = false,
               .owner_id = owner_id(image, account),
               .progress = image.state == ImageState::Pending ? "0%" : "100%",
               .snapshot_id = image.snapshot.value,
               .start_time = image.created,
               .state = "completed",
               .volume_id = std::string(kNoVolume),
               .volume_size = image.volume_gib,
               .tags = tag_list(image.snapshot_tags),
               .storage_tier = "standard"};
  if (image.state == ImageState::Pending) out.state = "pending";
  if (image.state == ImageState::Failed) out.state = "error";
  if (is_amazons(image)) out.owner_alias = std::string(kAmazon);
  if (image.source_instance.has_value()) {
    out.description =
        "Created by CreateImage(" + image.source_instance->value + ") for " + image.id.value;
    const auto* const instance = state.find<InstanceRecord>(*image.source_instance);
    if (instance != nullptr) out.volume_id = instance->volume.value;
  }
  return out;
}

base::Result<DescribeImagesResult> describe_images(const State& state, const std::string& account,
                                                   const DescribeImagesRequest& request) {
  TRY(const FilterSet filters, FilterSet::of(request.filters));
  TRY_VOID(filters.check(std::span<const FilterField<Image>>(kImageFilters)));
  const auto ids = request.image_ids.value_or(std::vector<std::string>{});
  TRY_VOID(require_all<ImageRecord>(state, ids));
  const auto owners = request.owners.value_or(std::vector<std::string>{});
  const auto users = request.executable_users.value_or(std::vector<std::string>{});
  // No image is ever deprecated or disabled: IncludeDeprecated, IncludeDisabled change nothing.
  std::vector<const ImageRecord*> found;
  for (const ImageRecord& image : state.all<ImageRecord>()) {
    if (!ids.empty() && std::ranges::find(ids, image.id.value) == ids.end()) continue;
    if (!owners.empty() && !names_account(owners, account, owner_id(image, account))) continue;
    if (!users.empty() && !is_executable_by(image, account, users)) continue;
    if (filters.match<Image>(state, view(image, account), image.tags, kImageFilters)) {
      found.push_back(&image);
    }
  }
  TRY(const auto page, paginate(std::move(found), {.max_results = request.max_results,
                                                   .next_token = request.next_token,
                                                   .results_min = 1}));
  DescribeImagesResult result{.images = std::vector<Image>{}, .next_token = page.next_token};
  for (const ImageRecord* image : page.records) result.images->push_back(view(*image, account));
  return result;
}

base::Result<DescribeSnapshotsResult> describe_snapshots(const State& state,
                                                         const std::string& account,
                                                         const DescribeSnapshotsRequest& request) {
  TRY_VOID(refuse({{"RestorableByUserIds", request.restorable_by_user_ids.has_value()}}));
  TRY(const FilterSet filters, FilterSet::of(request.filters));
  TRY_VOID(filters.check(std::span<const FilterField<Snapshot>>(kSnapshotFilters)));
  const std::vector<SnapshotRow> rows = snapshot_rows(state);
  const auto ids = request.snapshot_ids.value_or(std::vector<std::string>{});
  TRY_VOID(check_snapshots(rows, ids));
  const auto owners = request.owner_ids.value_or(std::vector<std::string>{});
  std::vector<const SnapshotRow*> found;
  for (const SnapshotRow& row : rows) {
    if (!ids.empty() && std::ranges::find(ids, row.id.value) == ids.end()) continue;
    if (!owners.empty() && !names_account(owners, account, owner_id(*row.image, account))) continue;
    const Snapshot shown = snapshot_of(state, *row.image, account);
    if (filters.match<Snapshot>(state, shown, row.image->snapshot_tags, kSnapshotFilters)) {
      found.push_back(&row);
    }
  }
  TRY(const auto page, paginate(std::move(found), {request.max_results, request.next_token}));
  DescribeSnapshotsResult result{.snapshots = std::vector<Snapshot>{},
                                 .next_token = page.next_token};
  for (const SnapshotRow* row : page.records) {
    result.snapshots->push_back(snapshot_of(state, *row->image, account));
  }
  return result;
}

}  // namespace terrarium::ec2
