// Header fields, in order, names compared without case. HeaderViews lives in a connection's buffer
// and is valid while its request is handled; Headers owns its text.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http {

struct HeaderView {
  std::string_view name;
  std::string_view value;
};

class HeaderViews {
 public:
  void clear() { fields_.clear(); }
  void add(std::string_view name, std::string_view value) { fields_.push_back({name, value}); }
  // The first field of that name.
  std::optional<std::string_view> find(std::string_view name) const;
  // How many fields have that name.
  std::size_t count(std::string_view name) const;
  std::size_t size() const { return fields_.size(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<HeaderView> fields_;
};

class Headers {
 public:
  using Field = std::pair<std::string, std::string>;
  Headers() = default;

  void add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  // Replaces every field of that name.
  void set(std::string name, std::string value);
  void remove(std::string_view name);
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

}  // namespace http
