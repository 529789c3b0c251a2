#include "terrarium/services/ec2/tag_rules.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <tuple>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/security_group_view.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"

namespace terrarium::ec2 {
namespace {

constexpr std::string_view kReserved = "aws:";
constexpr std::string_view kRuleType = "security-group-rule";
constexpr std::string_view kSnapshotType = "snapshot";

template <class T>
struct Kind {
  using Record = T;
  std::string_view resource_type;
};
constexpr std::tuple kKinds{
    Kind<VpcRecord>{"vpc"},
    Kind<SubnetRecord>{"subnet"},
    Kind<RouteTableRecord>{"route-table"},
    Kind<InternetGatewayRecord>{"internet-gateway"},
    Kind<NetworkAclRecord>{"network-acl"},
    Kind<SecurityGroupRecord>{"security-group"},
    Kind<NetworkInterfaceRecord>{"network-interface"},
    Kind<AddressRecord>{"elastic-ip"},
    Kind<NatGatewayRecord>{"natgateway"},
    Kind<DhcpOptionsRecord>{"dhcp-options"},
    Kind<KeyPairRecord>{"key-pair"},
    Kind<ImageRecord>{"image"},
    Kind<LaunchTemplateRecord>{"launch-template"},
    Kind<InstanceRecord>{"instance"},
    Kind<VolumeRecord>{"volume"},
};

template <class Visit>
void for_each_kind(Visit visit) {
  std::apply([&](const auto&... kinds) { (visit(kinds), ...); }, kKinds);
}

using Change = std::function<base::Result<Tags>(const Tags&)>;

template <class T>
base::Result<void> change_record(Transaction& transaction, const std::string& id,
                                 const Change& change) {
  TRY(const T* const found, require<T>(transaction.state(), id));
  T record = *found;
  TRY(record.tags, change(record.tags));
  transaction.put(std::move(record));
  return {};
}

// Rules are kept in their groups.
base::Result<void> change_rule(Transaction& transaction, const std::string& id,
                               const Change& change) {
  for (const SecurityGroupRecord& group : transaction.state().all<SecurityGroupRecord>()) {
    const auto found =
        std::ranges::find(group.rules, SecurityGroupRuleId(id), &SecurityGroupRuleRecord::id);
    if (found == group.rules.end()) continue;
    const auto index = found - group.rules.begin();
    SecurityGroupRecord changed = group;
    TRY(changed.rules[static_cast<std::size_t>(index)].tags, change(found->tags));
    transaction.put(std::move(changed));
    return {};
  }
  return std::unexpected(unknown_rule(id));
}

// Snapshots are kept in their images; several may have the same.
base::Result<void> change_snapshot(Transaction& transaction, const std::string& id,
                                   const Change& change) {
  std::vector<ImageRecord> images;
  for (const ImageRecord& image : transaction.state().all<ImageRecord>()) {
    if (image.snapshot.value == id) images.push_back(image);
  }
  if (images.empty()) {
    return base::fail(errors::kInvalidSnapshotNotFound,
                      "The snapshot '" + id + "' does not exist.");
  }
  for (ImageRecord& image : images) {
    TRY(image.snapshot_tags, change(image.snapshot_tags));
    transaction.put(std::move(image));
  }
  return {};
}

base::Result<void> change_one(Transaction& transaction, const std::string& id,
                              const Change& change) {
  if (is_id_text(id, SecurityGroupRuleIdTag::kPrefix)) return change_rule(transaction, id, change);
  if (is_id_text(id, SnapshotIdTag::kPrefix)) return change_snapshot(transaction, id, change);
  base::Result<void> done = base::fail(errors::kInvalidID, "The ID '" + id + "' is not valid");
  for_each_kind([&]<class T>(const Kind<T>&) {
    if (is_id_text(id, id_prefix(typename T::Id()))) {
      done = change_record<T>(transaction, id, change);
    }
  });
  return done;
}

base::Result<void> change_all(Transaction& transaction, const std::vector<std::string>& ids,
                              const Change& change) {
  if (ids.empty()) return std::unexpected(missing("resourceIdSet"));
  if (ids.size() > kTaggedResourcesMax) {
    return base::fail(errors::kInvalidParameterValue,
                      "The number of resources specified exceeds the maximum of 1000.");
  }
  for (const std::string& id : ids) TRY_VOID(change_one(transaction, id, change));
  return {};
}

Tags without(const Tags& tags, const std::vector<Tag>& unwanted) {
  Tags left = tags;
  std::erase_if(left, [&unwanted](const auto& tag) {
    if (tag.first.starts_with(kReserved)) return false;
    return unwanted.empty() || std::ranges::any_of(unwanted, [&tag](const Tag& one) {
             return one.key == tag.first && one.value.value_or(tag.second) == tag.second;
           });
  });
  return left;
}

// ------------------------------------------------------------------------------- DescribeTags

struct TagRow {
  struct Id {
    std::string value;  // what pages are sorted by
  };
  Id id;
  std::string resource;
  std::string_view type;
  std::string key;
  std::string value;
};

constexpr std::array kTagFilters{
    FilterField<TagRow>{"key",
                        [](const State&, const TagRow& row) { return FilterValues{row.key}; }},
    FilterField<TagRow>{"resource-id",
                        [](const State&, const TagRow& row) { return FilterValues{row.resource}; }},
    FilterField<TagRow>{
        "resource-type",
        [](const State&, const TagRow& row) { return FilterValues{std::string(row.type)}; }},
    FilterField<TagRow>{"value",
                        [](const State&, const TagRow& row) { return FilterValues{row.value}; }},
};

void add_rows(const std::string& resource, std::string_view type, const Tags& tags,
              std::vector<TagRow>& rows) {
  for (const auto& [key, value] : tags) {
    rows.push_back({{resource + " " + key}, resource, type, key, value});
  }
}

std::vector<TagRow> tag_rows(const State& state) {
  std::vector<TagRow> rows;
  for_each_kind([&]<class T>(const Kind<T>& kind) {
    for (const T& record : state.all<T>()) {
      add_rows(record.id.value, kind.resource_type, record.tags, rows);
    }
  });
  for (const SecurityGroupRecord& group : state.all<SecurityGroupRecord>()) {
    for (const SecurityGroupRuleRecord& rule : group.rules) {
      add_rows(rule.id.value, kRuleType, rule.tags, rows);
    }
  }
  std::set<SnapshotId> seen;
  for (const ImageRecord& image : state.all<ImageRecord>()) {
    if (!seen.insert(image.snapshot).second) continue;
    add_rows(image.snapshot.value, kSnapshotType, image.snapshot_tags, rows);
  }
  std::ranges::sort(rows, {}, [](const TagRow& row) -> const std::string& { return row.id.value; });
  return rows;
}

}  // namespace

std::string_view resource_type_of(const std::string& id) {
  if (is_id_text(id, SecurityGroupRuleIdTag::kPrefix)) return kRuleType;
  if (is_id_text(id, SnapshotIdTag::kPrefix)) return kSnapshotType;
  std::string_view type;
  for_each_kind([&]<class T>(const Kind<T>& kind) {
    if (is_id_text(id, id_prefix(typename T::Id()))) type = kind.resource_type;
  });
  return type;
}

const Tags* tags_of(const State& state, const std::string& id) {
  const Tags* found = nullptr;
  for_each_kind([&]<class T>(const Kind<T>&) {
    const T* const record = state.find<T>(typename T::Id(id));
    if (record != nullptr) found = &record->tags;
  });
  if (found != nullptr) return found;
  for (const SecurityGroupRecord& group : state.all<SecurityGroupRecord>()) {
    const auto rule =
        std::ranges::find(group.rules, SecurityGroupRuleId(id), &SecurityGroupRuleRecord::id);
    if (rule != group.rules.end()) return &rule->tags;
  }
  for (const ImageRecord& image : state.all<ImageRecord>()) {
    if (image.snapshot.value == id) return &image.snapshot_tags;
  }
  return nullptr;
}

base::Result<wire::Empty> create_tags(Transaction& transaction, const CreateTagsRequest& request) {
  if (request.tags.empty()) return std::unexpected(missing("Tag"));
  TRY_VOID(change_all(transaction, request.resources,
                      [&request](const Tags& tags) { return add_tags(tags, request.tags); }));
  return wire::Empty{};
}

base::Result<wire::Empty> delete_tags(Transaction& transaction, const DeleteTagsRequest& request) {
  const std::vector<Tag> unwanted = request.tags.value_or(std::vector<Tag>{});
  for (const Tag& tag : unwanted) {
    if (!tag.key.has_value() || tag.key->empty()) return std::unexpected(missing("Tag.Key"));
    if (tag.key->starts_with(kReserved)) {
      return base::fail(errors::kInvalidParameterValue,
                        "Tag keys starting with 'aws:' are reserved for internal use");
    }
  }
  TRY_VOID(change_all(transaction, request.resources,
                      [&unwanted](const Tags& tags) { return without(tags, unwanted); }));
  return wire::Empty{};
}

base::Result<DescribeTagsResult> describe_tags(const State& state,
                                               const DescribeTagsRequest& request) {
  TRY(const FilterSet filters, FilterSet::of(request.filters));
  TRY_VOID(filters.check(std::span<const FilterField<TagRow>>(kTagFilters)));
  const std::vector<TagRow> rows = tag_rows(state);
  std::vector<const TagRow*> found;
  for (const TagRow& row : rows) {
    if (filters.match<TagRow>(state, row, Tags{{row.key, row.value}}, kTagFilters)) {
      found.push_back(&row);
    }
  }
  TRY(const auto page, paginate(std::move(found), {request.max_results, request.next_token}));
  DescribeTagsResult result{.next_token = page.next_token, .tags = std::vector<TagDescription>{}};
  for (const TagRow* row : page.records) {
    result.tags->push_back({.key = row->key,
                            .resource_id = row->resource,
                            .resource_type = std::string(row->type),
                            .value = row->value});
  }
  return result;
}

}  // namespace terrarium::ec2
