#include "lib/http/headers.h"

#include <algorithm>

#include "lib/base/encoding.h"

namespace http {

std::optional<std::string_view> HeaderViews::find(std::string_view name) const {
  for (const HeaderView& field : fields_) {
    if (base::equals_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t HeaderViews::count(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::count_if(fields_, [name](const HeaderView& field) {
    return base::equals_ignoring_case(field.name, name);
  }));
}

void Headers::set(std::string name, std::string value) {
  remove(name);
  add(std::move(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [name](const Field& field) {
    return base::equals_ignoring_case(field.first, name);
  });
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (base::equals_ignoring_case(field.first, name)) return field.second;
  }
  return std::nullopt;
}

}  // namespace http
