#include "terrarium/services/ec2/volume_rules.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/ec2/launch_choices.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

using Field = FilterField<VolumeRecord>;

// What AWS gives a gp2 volume of this size.
constexpr int kGp2IopsPerGib = 3;
constexpr int kGp2IopsMin = 100;
constexpr int kGp2IopsMax = 16000;

#define EC2_VOLUME_FILTER(name, expression)                                                     \
  Field {                                                                                       \
    name, [](const State&, [[maybe_unused]] const VolumeRecord& one) -> FilterValues expression \
  }
constexpr std::array kVolumeFilters{
    EC2_VOLUME_FILTER("volume-id", { return {one.id.value}; }),
    EC2_VOLUME_FILTER("attachment.instance-id", { return {one.instance.value}; }),
    EC2_VOLUME_FILTER("attachment.device", { return {one.device}; }),
    EC2_VOLUME_FILTER("attachment.status", { return {"attached"}; }),
    EC2_VOLUME_FILTER("attachment.delete-on-termination",
                      { return {filter_text(one.delete_on_termination)}; }),
    EC2_VOLUME_FILTER("attachment.attach-time", { return {base::iso8601(one.created)}; }),
    EC2_VOLUME_FILTER("availability-zone", { return {one.zone}; }),
    EC2_VOLUME_FILTER("create-time", { return {base::iso8601(one.created)}; }),
    EC2_VOLUME_FILTER("encrypted", { return {filter_text(one.encrypted)}; }),
    EC2_VOLUME_FILTER("size", { return {std::to_string(one.gib)}; }),
    EC2_VOLUME_FILTER("snapshot-id", { return {one.snapshot.value}; }),
    EC2_VOLUME_FILTER("status", { return {"in-use"}; }),
    EC2_VOLUME_FILTER("volume-type", { return {one.type}; }),
    EC2_VOLUME_FILTER("multi-attach-enabled", { return {"false"}; }),
    EC2_VOLUME_FILTER("fast-restored", { return {"false"}; }),
};

std::optional<std::int32_t> iops_of(const std::string& type, int gib, std::optional<int> iops) {
  if (type == "gp2") return std::clamp(gib * kGp2IopsPerGib, kGp2IopsMin, kGp2IopsMax);
  return iops;
}

Volume view(const VolumeRecord& volume) {
  return {.attachments = std::vector<VolumeAttachment>{{.attach_time = volume.created,
                                                        .device = volume.device,
                                                        .instance_id = volume.instance.value,
                                                        .state = "attached",
                                                        .volume_id = volume.id.value,
                                                        .delete_on_termination =
                                                            volume.delete_on_termination}},
          .availability_zone = volume.zone,
          .create_time = volume.created,
          .encrypted = volume.encrypted,
          .size = volume.gib,
          .snapshot_id = volume.snapshot.value,
          .state = "in-use",
          .volume_id = volume.id.value,
          .iops = iops_of(volume.type, volume.gib, volume.iops),
          .tags = tag_list(volume.tags),
          .volume_type = volume.type,
          .multi_attach_enabled = false,
          .throughput = volume.throughput};
}

VolumeModification modification_view(const VolumeRecord& volume) {
  const VolumeModificationRecord& before = *volume.modification;
  return {.volume_id = volume.id.value,
          .modification_state = "completed",
          .target_size = volume.gib,
          .target_iops = iops_of(volume.type, volume.gib, volume.iops),
          .target_volume_type = volume.type,
          .target_throughput = volume.throughput,
          .target_multi_attach_enabled = false,
          .original_size = before.gib,
          .original_iops = iops_of(before.type, before.gib, before.iops),
          .original_volume_type = before.type,
          .original_throughput = before.throughput,
          .original_multi_attach_enabled = false,
          .progress = 100,
          .start_time = before.time,
          .end_time = before.time};
}

// Of volumes that were modified.
constexpr std::array kModificationFilters{
    EC2_VOLUME_FILTER("volume-id", { return {one.id.value}; }),
    EC2_VOLUME_FILTER("modification-state", { return {"completed"}; }),
    EC2_VOLUME_FILTER("target-size", { return {std::to_string(one.gib)}; }),
    EC2_VOLUME_FILTER("target-volume-type", { return {one.type}; }),
    EC2_VOLUME_FILTER("original-size", { return {std::to_string(one.modification->gib)}; }),
    EC2_VOLUME_FILTER("original-volume-type", { return {one.modification->type}; }),
    EC2_VOLUME_FILTER("start-time", { return {base::iso8601(one.modification->time)}; }),
};
#undef EC2_VOLUME_FILTER

}  // namespace

base::Result<DescribeVolumesResult> describe_volumes(const State& state,
                                                     const DescribeVolumesRequest& request) {
  TRY(const auto page,
      select<VolumeRecord>(state, request.volume_ids, request.filters, kVolumeFilters,
                           {request.max_results, request.next_token}));
  DescribeVolumesResult result{.volumes = std::vector<Volume>{}, .next_token = page.next_token};
  for (const VolumeRecord* volume : page.records) result.volumes->push_back(view(*volume));
  return result;
}

base::Result<ModifyVolumeResult> modify_volume(Transaction& transaction,
                                               const ModifyVolumeRequest& request) {
  TRY_VOID(refuse({{"MultiAttachEnabled", request.multi_attach_enabled.value_or(false)}}));
  TRY(const VolumeRecord* const found,
      require<VolumeRecord>(transaction.state(), request.volume_id));
  if (request.size.has_value() && *request.size < found->gib) {
    return base::fail(errors::kInvalidParameterValue,
                      "New size cannot be smaller than existing size");
  }
  TRY(VolumeRecord volume,
      change_volume(*found, {request.size, request.volume_type, request.iops, request.throughput}));
  volume.modification = VolumeModificationRecord{.gib = found->gib,
                                                 .type = found->type,
                                                 .iops = found->iops,
                                                 .throughput = found->throughput,
                                                 .time = transaction.now()};
  VolumeModification answer = modification_view(volume);
  // AWS answers when it begins.
  answer.modification_state = "modifying";
  answer.progress = 0;
  answer.end_time.reset();
  transaction.put(std::move(volume));
  return ModifyVolumeResult{answer};
}

base::Result<DescribeVolumesModificationsResult> describe_volumes_modifications(
    const State& state, const DescribeVolumesModificationsRequest& request) {
  TRY(const FilterSet filters, FilterSet::of(request.filters));
  const std::span<const Field> fields(kModificationFilters);
  TRY_VOID(filters.check(fields));
  TRY(auto page, select<VolumeRecord>(state, request.volume_ids, {}, kVolumeFilters));
  std::erase_if(page.records, [&](const VolumeRecord* one) {
    return !one->modification.has_value() || !filters.match(state, *one, one->tags, fields);
  });
  TRY(page, paginate(std::move(page.records), {request.max_results, request.next_token}));
  DescribeVolumesModificationsResult result{
      .volumes_modifications = std::vector<VolumeModification>{}, .next_token = page.next_token};
  for (const VolumeRecord* one : page.records) {
    result.volumes_modifications->push_back(modification_view(*one));
  }
  return result;
}

}  // namespace terrarium::ec2
