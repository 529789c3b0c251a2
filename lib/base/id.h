// Strong identifiers: an InstanceId is not a VpcId, and neither is a std::string.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <utility>

namespace base {

template <class Tag>
struct Id {
  std::string value;

  Id() = default;
  explicit Id(std::string text) : value(std::move(text)) {}
  friend auto operator<=>(const Id&, const Id&) = default;
  friend bool operator==(const Id&, const Id&) = default;
};

}  // namespace base

template <class Tag>
struct std::hash<base::Id<Tag>> {
  std::size_t operator()(const base::Id<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.value);
  }
};
