#include "terrarium/services/ec2/template_rules.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "generated/ec2/errors.h"
#include "lib/base/encoding.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/services/ec2/tags.h"
#include "terrarium/services/ec2/template_data.h"

namespace terrarium::ec2 {
namespace {

using Version = LaunchTemplateVersionRecord;

constexpr std::size_t kNameMin = 3;
constexpr std::size_t kNameMax = 128;
constexpr std::size_t kDescriptionMax = 255;
// Above every number, and all that are below it have as many digits.
constexpr std::int64_t kOrderMax = 2'000'000'000;
constexpr std::int32_t kPageMin = 1;
constexpr std::int32_t kPageMax = 200;
constexpr std::string_view kLatest = "$Latest";
constexpr std::string_view kDefault = "$Default";

base::Result<void> check_name(const std::string& name) {
  const bool legal = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("().-/_").contains(c);
  });
  if (!legal || name.size() < kNameMin || name.size() > kNameMax) {
    return base::fail(errors::kInvalidLaunchTemplateNameMalformedException,
                      "A launch template name must be between 3 and 128 characters, and may "
                      "contain letters, numbers, and the following characters: - ( ) . / _.");
  }
  return {};
}

base::Result<void> check_description(const std::optional<std::string>& description) {
  if (description.value_or("").size() <= kDescriptionMax) return {};
  return std::unexpected(invalid_value(*description, "versionDescription",
                                       "It must be no longer than 255 characters."));
}

const LaunchTemplateRecord* find_by_name(const State& state, const std::string& name) {
  const auto all = state.all<LaunchTemplateRecord>();
  const auto found = std::ranges::find(all, name, &LaunchTemplateRecord::name);
  return found == all.end() ? nullptr : &*found;
}

base::Result<const LaunchTemplateRecord*> require_by_name(const State& state,
                                                          const std::string& name) {
  const LaunchTemplateRecord* const found = find_by_name(state, name);
  if (found != nullptr) return found;
  return base::fail(
      errors::kInvalidLaunchTemplateNameNotFoundException,
      "The specified launch template, with template name " + name + ", does not exist.");
}

base::Result<const LaunchTemplateRecord*> choose_template(const State& state,
                                                          const std::optional<std::string>& id,
                                                          const std::optional<std::string>& name) {
  if (id.has_value() && name.has_value()) {
    return base::fail(errors::kInvalidParameterCombination,
                      "The parameters launchTemplateId and launchTemplateName cannot be used "
                      "together.");
  }
  if (id.has_value()) return require<LaunchTemplateRecord>(state, *id);
  if (name.has_value()) return require_by_name(state, *name);
  return std::unexpected(missing("launchTemplateId or launchTemplateName"));
}

std::optional<std::int64_t> version_number(const std::string& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stopped != end || number < 1) return std::nullopt;
  return number;
}

const Version* find_version(const LaunchTemplateRecord& record, std::int64_t number) {
  const auto found = std::ranges::find(record.versions, number, &Version::number);
  return found == record.versions.end() ? nullptr : &*found;
}

base::Result<const Version*> require_version(const LaunchTemplateRecord& record,
                                             const std::string& text) {
  std::optional<std::int64_t> number = version_number(text);
  // After the latest was deleted, the next lower is.
  if (text == kLatest) number = record.versions.back().number;
  if (text == kDefault) number = record.default_version;
  if (!number.has_value()) {
    return std::unexpected(
        invalid_value(text, "versions", "It must be a number, $Latest or $Default."));
  }
  const Version* const found = find_version(record, *number);
  if (found != nullptr) return found;
  return base::fail(errors::kInvalidLaunchTemplateIdVersionNotFound,
                    "Could not find the specified version " + text +
                        " for the launch template with ID " + record.id.value + ".");
}

LaunchTemplate view(const LaunchTemplateRecord& record) {
  return {.launch_template_id = record.id.value,
          .launch_template_name = record.name,
          .create_time = record.created,
          .created_by = record.created_by,
          .default_version_number = record.default_version,
          .latest_version_number = record.versions.back().number,
          .tags = tag_list(record.tags)};
}

base::Result<LaunchTemplateVersion> view(const LaunchTemplateRecord& record,
                                         const Version& version) {
  TRY(ResponseLaunchTemplateData data, parse_template_json(version.data));
  LaunchTemplateVersion out{.launch_template_id = record.id.value,
                            .launch_template_name = record.name,
                            .version_number = version.number,
                            .create_time = version.created,
                            .created_by = version.created_by,
                            .default_version = version.number == record.default_version,
                            .launch_template_data = std::move(data)};
  if (!version.description.empty()) out.version_description = version.description;
  return out;
}

constexpr std::array kTemplateFilters{
    FilterField<LaunchTemplateRecord>{"create-time",
                                      [](const State&, const LaunchTemplateRecord& record) {
                                        return FilterValues{base::iso8601(record.created)};
                                      }},
    FilterField<LaunchTemplateRecord>{
        "launch-template-name",
        [](const State&, const LaunchTemplateRecord& record) { return FilterValues{record.name}; }},
};

// A version as DescribeLaunchTemplateVersions lists it.
struct VersionRow {
  struct Id {
    std::string value;  // what pages are sorted by
  };
  Id id;
  LaunchTemplateVersion shown;
};

template <auto Member>
FilterValues data_text(const State&, const VersionRow& row) {
  const std::optional<std::string>& value = (*row.shown.launch_template_data).*Member;
  return value.has_value() ? FilterValues{*value} : FilterValues{};
}

constexpr std::array kVersionFilters{
    FilterField<VersionRow>{"create-time",
                            [](const State&, const VersionRow& row) {
                              return FilterValues{base::iso8601(*row.shown.create_time)};
                            }},
    FilterField<VersionRow>{"ebs-optimized",
                            [](const State&, const VersionRow& row) {
                              return FilterValues{filter_text(
                                  row.shown.launch_template_data->ebs_optimized.value_or(false))};
                            }},
    FilterField<VersionRow>{"image-id", data_text<&ResponseLaunchTemplateData::image_id>},
    FilterField<VersionRow>{"instance-type", data_text<&ResponseLaunchTemplateData::instance_type>},
    FilterField<VersionRow>{"is-default-version",
                            [](const State&, const VersionRow& row) {
                              return FilterValues{filter_text(*row.shown.default_version)};
                            }},
    FilterField<VersionRow>{"kernel-id", data_text<&ResponseLaunchTemplateData::kernel_id>},
    FilterField<VersionRow>{"ram-disk-id", data_text<&ResponseLaunchTemplateData::ram_disk_id>},
};

class VersionList {
 public:
  base::Result<void> add(const LaunchTemplateRecord& record, const Version& version) {
    TRY(LaunchTemplateVersion shown, view(record, version));
    // Newest first.
    const std::string order = std::to_string(kOrderMax - version.number);
    rows_.push_back({{record.id.value + " " + order}, std::move(shown)});
    return {};
  }
  std::vector<VersionRow> take() {
    const auto key = [](const VersionRow& row) -> const std::string& { return row.id.value; };
    std::ranges::sort(rows_, {}, key);
    rows_.erase(std::ranges::unique(rows_, {}, key).begin(), rows_.end());
    return std::move(rows_);
  }

 private:
  std::vector<VersionRow> rows_;
};

base::Result<std::int64_t> bound(const std::optional<std::string>& text, std::int64_t none) {
  if (!text.has_value()) return none;
  const auto number = version_number(*text);
  if (!number.has_value()) {
    return std::unexpected(invalid_value(*text, "version", "It must be a number."));
  }
  return *number;
}

base::Result<std::vector<VersionRow>> versions_of_one(
    const State& state, const DescribeLaunchTemplateVersionsRequest& request) {
  TRY(const LaunchTemplateRecord* const record,
      choose_template(state, request.launch_template_id, request.launch_template_name));
  VersionList list;
  const auto wanted = request.versions.value_or(std::vector<std::string>{});
  const bool ranged = request.min_version.has_value() || request.max_version.has_value();
  if (!wanted.empty() && ranged) {
    return base::fail(errors::kInvalidParameterCombination,
                      "The parameters versions and minVersion or maxVersion cannot be used "
                      "together.");
  }
  for (const std::string& text : wanted) {
    TRY(const Version* const version, require_version(*record, text));
    TRY_VOID(list.add(*record, *version));
  }
  if (!wanted.empty()) return list.take();
  TRY(const std::int64_t from, bound(request.min_version, 1));
  TRY(const std::int64_t to, bound(request.max_version, INT64_MAX));
  for (const Version& version : record->versions) {
    if (version.number >= from && version.number <= to) TRY_VOID(list.add(*record, version));
  }
  return list.take();
}

base::Result<std::vector<VersionRow>> versions_of_all(
    const State& state, const DescribeLaunchTemplateVersionsRequest& request) {
  const auto wanted = request.versions.value_or(std::vector<std::string>{});
  const bool named = !wanted.empty() && std::ranges::all_of(wanted, [](const std::string& text) {
    return text == kLatest || text == kDefault;
  });
  if (!named || request.min_version.has_value() || request.max_version.has_value()) {
    return base::fail(errors::kMissingParameter,
                      "Over all launch templates, versions must be $Latest, $Default or both; else "
                      "a launch template's ID or name is needed.");
  }
  VersionList list;
  for (const LaunchTemplateRecord& record : state.all<LaunchTemplateRecord>()) {
    for (const std::string& text : wanted) {
      TRY(const Version* const version, require_version(record, text));
      TRY_VOID(list.add(record, *version));
    }
  }
  return list.take();
}

DeleteLaunchTemplateVersionsResponseErrorItem failed_item(const LaunchTemplateRecord& record,
                                                          std::optional<std::int64_t> number,
                                                          std::string code, std::string message) {
  return {.launch_template_id = record.id.value,
          .launch_template_name = record.name,
          .version_number = number,
          .response_error = ResponseError{std::move(code), std::move(message)}};
}

}  // namespace

base::Result<CreateLaunchTemplateResult> create_launch_template(
    Transaction& transaction, const CreateLaunchTemplateRequest& request) {
  const State& state = transaction.state();
  TRY_VOID(check_name(request.launch_template_name));
  TRY_VOID(check_description(request.version_description));
  const std::string token = request.client_token.value_or("");
  std::string data = template_json(request.launch_template_data);
  for (const LaunchTemplateRecord& record : state.all<LaunchTemplateRecord>()) {
    if (token.empty() || record.client_token != token) continue;
    const Version* const first = find_version(record, 1);
    if (record.name != request.launch_template_name || (first != nullptr && first->data != data)) {
      return base::fail(errors::kIdempotentParameterMismatch,
                        "The client token was used with other parameters.");
    }
    return CreateLaunchTemplateResult{.launch_template = view(record)};
  }
  if (find_by_name(state, request.launch_template_name) != nullptr) {
    return base::fail(errors::kInvalidLaunchTemplateNameAlreadyExistsException,
                      "Launch template name already in use.");
  }
  if (state.count<LaunchTemplateRecord>() >= kLaunchTemplatesMax) {
    return base::fail(errors::kMaxTemplateLimitExceeded,
                      "The maximum number of launch templates has been reached.");
  }
  TRY(Tags tags, tags_for(request.tag_specifications, "launch-template"));
  const std::string& caller = transaction.scene().caller_arn;
  LaunchTemplateRecord record{.id = new_id<LaunchTemplateId>(transaction.random()),
                              .name = request.launch_template_name,
                              .created = transaction.now(),
                              .created_by = caller,
                              .client_token = token,
                              .tags = std::move(tags)};
  record.versions.push_back({.number = 1,
                             .description = request.version_description.value_or(""),
                             .created = transaction.now(),
                             .created_by = caller,
                             .data = std::move(data)});
  CreateLaunchTemplateResult result{.launch_template = view(record)};
  transaction.put(std::move(record));
  return result;
}

base::Result<CreateLaunchTemplateVersionResult> create_launch_template_version(
    Transaction& transaction, const CreateLaunchTemplateVersionRequest& request) {
  TRY(const LaunchTemplateRecord* const found,
      choose_template(transaction.state(), request.launch_template_id,
                      request.launch_template_name));
  TRY_VOID(refuse({{"ResolveAlias", request.resolve_alias.value_or(false)}}));
  TRY_VOID(check_description(request.version_description));
  const std::string token = request.client_token.value_or("");
  for (const Version& version : found->versions) {
    if (token.empty() || version.client_token != token) continue;
    TRY(LaunchTemplateVersion shown, view(*found, version));
    return CreateLaunchTemplateVersionResult{.launch_template_version = std::move(shown)};
  }
  if (found->versions.size() >= kLaunchTemplateVersionsMax) {
    return base::fail(errors::kMaxTemplateVersionLimitExceeded,
                      "The maximum number of versions of a launch template has been reached.");
  }
  std::string data = template_json(request.launch_template_data);
  if (request.source_version.has_value()) {
    TRY(const Version* const source, require_version(*found, *request.source_version));
    TRY(data, merge_template_json(source->data, data));
  }
  LaunchTemplateRecord record = *found;
  record.versions.push_back({.number = ++record.latest_version,
                             .description = request.version_description.value_or(""),
                             .created = transaction.now(),
                             .created_by = transaction.scene().caller_arn,
                             .client_token = token,
                             .data = std::move(data)});
  TRY(LaunchTemplateVersion shown, view(record, record.versions.back()));
  transaction.put(std::move(record));
  return CreateLaunchTemplateVersionResult{.launch_template_version = std::move(shown)};
}

base::Result<DescribeLaunchTemplatesResult> describe_launch_templates(
    const State& state, const DescribeLaunchTemplatesRequest& request) {
  std::vector<std::string> ids = request.launch_template_ids.value_or(std::vector<std::string>{});
  for (const std::string& name :
       request.launch_template_names.value_or(std::vector<std::string>{})) {
    const LaunchTemplateRecord* const record = find_by_name(state, name);
    if (record == nullptr) {
      return base::fail(errors::kInvalidLaunchTemplateNameNotFoundException,
                        "At least one of the launch templates specified in the request does not "
                        "exist.");
    }
    ids.push_back(record->id.value);
  }
  TRY(const auto page,
      select<LaunchTemplateRecord>(state, ids, request.filters, kTemplateFilters,
                                   {request.max_results, request.next_token, kPageMin, kPageMax}));
  DescribeLaunchTemplatesResult result{.launch_templates = std::vector<LaunchTemplate>{},
                                       .next_token = page.next_token};
  for (const auto* record : page.records) result.launch_templates->push_back(view(*record));
  return result;
}

base::Result<DescribeLaunchTemplateVersionsResult> describe_launch_template_versions(
    const State& state, const DescribeLaunchTemplateVersionsRequest& request) {
  TRY_VOID(refuse({{"ResolveAlias", request.resolve_alias.value_or(false)}}));
  TRY(const FilterSet filters, FilterSet::of(request.filters));
  TRY_VOID(filters.check(std::span<const FilterField<VersionRow>>(kVersionFilters)));
  const bool one =
      request.launch_template_id.has_value() || request.launch_template_name.has_value();
  TRY(const auto rows, one ? versions_of_one(state, request) : versions_of_all(state, request));
  std::vector<const VersionRow*> found;
  for (const VersionRow& row : rows) {
    if (filters.match<VersionRow>(state, row, {}, kVersionFilters)) found.push_back(&row);
  }
  TRY(const auto page,
      paginate(std::move(found), {request.max_results, request.next_token, kPageMin, kPageMax}));
  DescribeLaunchTemplateVersionsResult result{
      .launch_template_versions = std::vector<LaunchTemplateVersion>{},
      .next_token = page.next_token};
  for (const auto* row : page.records) result.launch_template_versions->push_back(row->shown);
  return result;
}

base::Result<ModifyLaunchTemplateResult> modify_launch_template(
    Transaction& transaction, const ModifyLaunchTemplateRequest& request) {
  TRY(const LaunchTemplateRecord* const found,
      choose_template(transaction.state(), request.launch_template_id,
                      request.launch_template_name));
  if (!request.default_version.has_value()) return std::unexpected(missing("SetDefaultVersion"));
  TRY(const Version* const version, require_version(*found, *request.default_version));
  LaunchTemplateRecord record = *found;
  record.default_version = version->number;
  ModifyLaunchTemplateResult result{.launch_template = view(record)};
  transaction.put(std::move(record));
  return result;
}

base::Result<DeleteLaunchTemplateResult> delete_launch_template(
    Transaction& transaction, const DeleteLaunchTemplateRequest& request) {
  TRY(const LaunchTemplateRecord* const found,
      choose_template(transaction.state(), request.launch_template_id,
                      request.launch_template_name));
  DeleteLaunchTemplateResult result{.launch_template = view(*found)};
  transaction.erase<LaunchTemplateRecord>(found->id);
  return result;
}

base::Result<DeleteLaunchTemplateVersionsResult> delete_launch_template_versions(
    Transaction& transaction, const DeleteLaunchTemplateVersionsRequest& request) {
  TRY(const LaunchTemplateRecord* const found,
      choose_template(transaction.state(), request.launch_template_id,
                      request.launch_template_name));
  if (request.versions.empty()) return std::unexpected(missing("LaunchTemplateVersion"));
  LaunchTemplateRecord record = *found;
  std::vector<DeleteLaunchTemplateVersionsResponseSuccessItem> deleted;
  std::vector<DeleteLaunchTemplateVersionsResponseErrorItem> failed;
  for (const std::string& text : request.versions) {
    const auto number = version_number(text);
    if (!number.has_value()) {
      return std::unexpected(invalid_value(text, "versions", "It must be a number."));
    }
    if (number == record.default_version) {
      failed.push_back(failed_item(record, number, "unexpectedError",
                                   "The default version of a launch template can't be deleted."));
    } else if (std::erase_if(record.versions, [&number](const Version& version) {
                 return version.number == *number;
               }) == 0) {
      failed.push_back(failed_item(record, number, "launchTemplateVersionDoesNotExist",
                                   "Version " + text + " does not exist."));
    } else {
      deleted.push_back({record.id.value, record.name, number});
    }
  }
  transaction.put(std::move(record));
  return DeleteLaunchTemplateVersionsResult{
      .successfully_deleted_launch_template_versions = std::move(deleted),
      .unsuccessfully_deleted_launch_template_versions = std::move(failed)};
}

base::Result<GetLaunchTemplateDataResult> get_launch_template_data(
    const State& state, const GetLaunchTemplateDataRequest& request) {
  TRY(const InstanceRecord* const instance, require<InstanceRecord>(state, request.instance_id));
  return GetLaunchTemplateDataResult{.launch_template_data = template_data_of(state, *instance)};
}

}  // namespace terrarium::ec2
