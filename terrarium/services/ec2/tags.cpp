#include "terrarium/services/ec2/tags.h"

#include <algorithm>
#include <set>

#include "generated/ec2/errors.h"

namespace terrarium::ec2 {
namespace {

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return (c & 0xC0) != 0x80; }));
}

base::Result<void> check_tag(const std::string& key, const std::string& value) {
  if (key.empty()) {
    return base::fail(errors::kInvalidParameterValue, "Tag key cannot be empty.");
  }
  if (characters(key) > kTagKeyCharactersMax) {
    return base::fail(errors::kInvalidParameterValue,
                      "Tag key exceeds the maximum length of 127 characters");
  }
  if (characters(value) > kTagValueCharactersMax) {
    return base::fail(errors::kInvalidParameterValue,
                      "Tag value exceeds the maximum length of 256 characters");
  }
  if (key.starts_with("aws:")) {
    return base::fail(errors::kInvalidParameterValue,
                      "Tag keys starting with 'aws:' are reserved for internal use");
  }
  return {};
}

}  // namespace

base::Result<Tags> add_tags(Tags tags, const std::vector<Tag>& more) {
  std::set<std::string> seen;
  for (const Tag& tag : more) {
    if (!tag.key.has_value()) {
      return base::fail(errors::kMissingParameter,
                        "The request must contain the parameter Tag.Key");
    }
    const std::string value = tag.value.value_or("");
    TRY_VOID(check_tag(*tag.key, value));
    if (!seen.insert(*tag.key).second) {
      return base::fail(errors::kInvalidParameterValue,
                        "Duplicate tag key '" + *tag.key + "' specified.");
    }
    tags.insert_or_assign(*tag.key, value);
  }
  const auto own =
      std::ranges::count_if(tags, [](const auto& tag) { return !tag.first.starts_with("aws:"); });
  if (static_cast<std::size_t>(own) > kTagsMax) {
    return base::fail(errors::kTagLimitExceeded,
                      "The maximum number of tags for a resource, 50, has been reached.");
  }
  return tags;
}

base::Result<Tags> tags_for(const std::optional<std::vector<TagSpecification>>& specifications,
                            std::string_view type, std::span<const std::string_view> types) {
  Tags tags;
  if (!specifications.has_value()) return tags;
  std::set<std::string> seen;
  for (const TagSpecification& one : *specifications) {
    const std::string named = one.resource_type.value_or("");
    if (std::ranges::find(types, named) == types.end()) {
      return base::fail(
          errors::kInvalidParameterValue,
          "'" + named + "' is not a valid taggable resource type for this operation.");
    }
    if (!seen.insert(named).second) {
      return base::fail(errors::kInvalidParameterValue,
                        "Tag specification resource type '" + named + "' is specified twice.");
    }
    if (named != type || !one.tags.has_value()) continue;
    TRY(tags, add_tags({}, *one.tags));
  }
  return tags;
}

base::Result<Tags> tags_for(const std::optional<std::vector<TagSpecification>>& specifications,
                            std::string_view type) {
  return tags_for(specifications, type, std::span(&type, 1));
}

std::vector<Tag> tag_list(const Tags& tags) {
  std::vector<Tag> list;
  for (const auto& [key, value] : tags) list.push_back({.key = key, .value = value});
  return list;
}

}  // namespace terrarium::ec2
