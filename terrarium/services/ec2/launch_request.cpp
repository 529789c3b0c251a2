#include "terrarium/services/ec2/launch_request.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>

#include "generated/ec2/errors.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/services/ec2/refuse.h"
#include "terrarium/services/ec2/select.h"
#include "terrarium/wire/json_parse.h"
#include "terrarium/wire/json_print.h"

namespace terrarium::ec2 {
namespace {

namespace json = boost::json;

const wire::Shape& run_instances_shape() {
  static const wire::Shape& shape =
      *std::ranges::find(kModel.operations, "RunInstances", &wire::OperationModel::name)->input;
  return shape;
}

json::object as_json(const RunInstancesRequest& request) {
  std::string text;
  wire::print_json(text, run_instances_shape(), &request, wire::JsonNames::Model);
  return json::parse(text).as_object();
}

base::Result<const LaunchTemplateRecord*> template_record(
    const State& state, const LaunchTemplateSpecification& wanted) {
  const auto& id = wanted.launch_template_id;
  const auto& name = wanted.launch_template_name;
  if (id.has_value() && name.has_value()) {
    return base::fail(errors::kInvalidParameterCombination,
                      "The parameters launchTemplateId and launchTemplateName cannot be used "
                      "together.");
  }
  if (id.has_value()) return require<LaunchTemplateRecord>(state, *id);
  if (!name.has_value()) return std::unexpected(missing("launchTemplateId or launchTemplateName"));
  for (const LaunchTemplateRecord& record : state.all<LaunchTemplateRecord>()) {
    if (record.name == *name) return &record;
  }
  return base::fail(errors::kInvalidLaunchTemplateNameNotFoundException,
                    "At least one of the launch templates specified in the request does not "
                    "exist.");
}

const LaunchTemplateVersionRecord* version_record(const LaunchTemplateRecord& record,
                                                  std::int64_t number) {
  const auto found =
      std::ranges::find(record.versions, number, &LaunchTemplateVersionRecord::number);
  return found == record.versions.end() ? nullptr : &*found;
}

// A template may hold what RunInstances calls otherwise, or not at all.
base::Result<void> check_members(const json::object& data) {
  for (const auto& [key, value] : data) {
    const bool known = std::ranges::any_of(
        run_instances_shape().members,
        [&key](const wire::Member& member) { return member.name == std::string_view(key); });
    TRY_VOID(refuse({{std::string_view(key), !known}}));
  }
  return {};
}

// Tags of one resource type in one specification, as RunInstances takes them.
void merge_tags(std::vector<TagSpecification> under, std::vector<TagSpecification>& over) {
  for (TagSpecification& lower : under) {
    const auto upper =
        std::ranges::find(over, lower.resource_type, &TagSpecification::resource_type);
    if (upper == over.end()) {
      over.push_back(std::move(lower));
      continue;
    }
    if (!upper->tags.has_value()) upper->tags.emplace();
    for (Tag& tag : lower.tags.value_or(std::vector<Tag>{})) {
      const bool named = std::ranges::find(*upper->tags, tag.key, &Tag::key) != upper->tags->end();
      if (!named) upper->tags->push_back(std::move(tag));
    }
  }
}

base::Result<RunInstancesRequest> parse_request(const std::string& text) {
  RunInstancesRequest request;
  wire::DecodeReport report;
  TRY_VOID(
      wire::parse_json(text, run_instances_shape(), wire::JsonNames::Model, &request, {}, report));
  return request;
}

}  // namespace

base::Result<LaunchTemplateUse> find_launch_template(const State& state,
                                                     const LaunchTemplateSpecification& wanted) {
  TRY(const LaunchTemplateRecord* const record, template_record(state, wanted));
  const std::string version = wanted.version.value_or("$Default");
  LaunchTemplateUse use{record->id, 0};
  if (version == "$Default") {
    use.version = record->default_version;
  } else if (version == "$Latest") {
    use.version = record->versions.back().number;
  } else {
    const char* const end = version.data() + version.size();
    const auto [stopped, error] = std::from_chars(version.data(), end, use.version);
    if (error != std::errc{} || stopped != end) {
      return std::unexpected(invalid_value(version, "version", "Invalid launch template version."));
    }
  }
  if (version_record(*record, use.version) == nullptr) {
    return base::fail(errors::kInvalidLaunchTemplateIdVersionNotFound,
                      "Could not find launch template version " + version);
  }
  return use;
}

base::Result<LaunchRequest> with_launch_template(const State& state, RunInstancesRequest request) {
  if (!request.launch_template.has_value()) return LaunchRequest{std::move(request), {}};
  TRY(LaunchTemplateUse use, find_launch_template(state, *request.launch_template));
  const auto* const record = state.find<LaunchTemplateRecord>(use.id);
  boost::system::error_code error;
  json::value data = json::parse(version_record(*record, use.version)->data, error);
  if (error || !data.is_object()) {
    return base::fail(base::ErrorKind::Internal, "a launch template's data can't be read");
  }
  TRY_VOID(check_members(data.as_object()));
  TRY(RunInstancesRequest under, parse_request(json::serialize(data)));
  for (auto& [key, value] : as_json(request)) data.as_object()[key] = value;
  TRY(RunInstancesRequest merged, parse_request(json::serialize(data)));
  if (under.tag_specifications.has_value()) {
    if (!request.tag_specifications.has_value()) request.tag_specifications.emplace();
    merge_tags(*std::move(under.tag_specifications), *request.tag_specifications);
    merged.tag_specifications = std::move(request.tag_specifications);
  }
  return LaunchRequest{std::move(merged), std::move(use)};
}

std::string digest_of(const RunInstancesRequest& request) {
  return base::hex_encode(
      base::digest(base::DigestKind::Sha256, json::serialize(as_json(request))));
}

}  // namespace terrarium::ec2
