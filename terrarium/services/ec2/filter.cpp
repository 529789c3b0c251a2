#include "terrarium/services/ec2/filter.h"

#include <algorithm>

#include "generated/ec2/errors.h"

namespace terrarium::ec2 {
namespace {

constexpr std::size_t kFiltersMax = 50;
constexpr std::size_t kFilterValuesMax = 200;
constexpr std::string_view kTagPrefix = "tag:";

}  // namespace

bool matches_pattern(std::string_view text, std::string_view pattern) {
  // The usual two positions: after a mismatch, the last '*' takes one character more.
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    if (p < pattern.size() && !escaped && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (escaped && pattern[p + 1] == text[t]) {
      p += 2;
      ++t;
    } else if (p < pattern.size() && !escaped && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

base::Result<FilterSet> FilterSet::of(const std::optional<std::vector<Filter>>& filters) {
  FilterSet set;
  if (!filters.has_value()) return set;
  std::size_t values = 0;
  for (const Filter& filter : *filters) {
    if (!filter.name.has_value()) {
      return base::fail(errors::kMissingParameter,
                        "The request must contain the parameter Filter.Name");
    }
    if (!filter.values.has_value() || filter.values->empty()) {
      return base::fail(errors::kInvalidParameterValue,
                        "The filter '" + *filter.name + "' has no values");
    }
    values += filter.values->size();
    set.filters_.push_back({*filter.name, *filter.values});
  }
  if (set.filters_.size() > kFiltersMax || values > kFilterValuesMax) {
    return base::fail(errors::kInvalidFilter,
                      "The maximum number of filter values specified on a single call is 200");
  }
  return set;
}

bool FilterSet::is_tag_filter(std::string_view name) {
  return name.starts_with(kTagPrefix) || name == "tag-key" || name == "tag-value";
}

FilterValues FilterSet::tag_values(std::string_view name, const Tags& tags) {
  FilterValues values;
  if (name.starts_with(kTagPrefix)) {
    const auto found = tags.find(name.substr(kTagPrefix.size()));
    if (found != tags.end()) values.push_back(found->second);
    return values;
  }
  for (const auto& [key, value] : tags) values.push_back(name == "tag-key" ? key : value);
  return values;
}

bool FilterSet::any_fits(const FilterValues& have, const std::vector<std::string>& wanted) {
  return std::ranges::any_of(have, [&](const std::string& value) {
    return std::ranges::any_of(
        wanted, [&](const std::string& pattern) { return matches_pattern(value, pattern); });
  });
}

base::Result<void> FilterSet::refuse_name(const std::string& name) {
  return base::fail(errors::kInvalidParameterValue, "The filter '" + name + "' is invalid");
}

}  // namespace terrarium::ec2
