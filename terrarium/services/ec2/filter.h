// Filters of Describe operations: names from each kind's own table, besides those of tags; values
// with * and ?, any of which may fit; all filters must. Source: "Filtering your resources", Amazon
// EC2 User Guide.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "generated/ec2/model.h"
#include "lib/base/result.h"
#include "terrarium/services/ec2/state.h"

namespace terrarium::ec2 {

using FilterValues = std::vector<std::string>;

// A filter that records of kind T know: the values that one has for it.
template <class T>
struct FilterField {
  std::string_view name;
  FilterValues (*values)(const State& state, const T& record);
};

// "*" any run, "?" one character, "\" takes the next literally.
bool matches_pattern(std::string_view text, std::string_view pattern);

// What booleans are compared as.
inline std::string filter_text(bool value) { return value ? "true" : "false"; }

class FilterSet {
 public:
  // Refuses filters without name or values, and more than AWS's 50 filters or 200 values.
  static base::Result<FilterSet> of(const std::optional<std::vector<Filter>>& filters);

  // InvalidParameterValue "The filter 'x' is invalid" when a name is neither in `fields` nor a
  // tag's.
  template <class T>
  base::Result<void> check(std::span<const FilterField<T>> fields) const {
    for (const One& one : filters_) {
      if (!is_tag_filter(one.name) && field_of(fields, one.name) == nullptr) {
        return refuse_name(one.name);
      }
    }
    return {};
  }
  // After check().
  template <class T>
  bool match(const State& state, const T& record, const Tags& tags,
             std::span<const FilterField<T>> fields) const {
    for (const One& one : filters_) {
      const FilterValues have = is_tag_filter(one.name)
                                    ? tag_values(one.name, tags)
                                    : field_of(fields, one.name)->values(state, record);
      if (!any_fits(have, one.values)) return false;
    }
    return true;
  }
  bool empty() const { return filters_.empty(); }

 private:
  struct One {
    std::string name;
    std::vector<std::string> values;
  };
  template <class T>
  static const FilterField<T>* field_of(std::span<const FilterField<T>> fields,
                                        std::string_view name) {
    for (const FilterField<T>& field : fields) {
      if (field.name == name) return &field;
    }
    return nullptr;
  }
  static bool is_tag_filter(std::string_view name);
  static FilterValues tag_values(std::string_view name, const Tags& tags);
  static bool any_fits(const FilterValues& have, const std::vector<std::string>& wanted);
  static base::Result<void> refuse_name(const std::string& name);

  std::vector<One> filters_;
};

}  // namespace terrarium::ec2
