// Records as JSON, by their descriptions (Boost.Describe): members by name, times in microseconds
// since 1970, enumerators by name. Reading tolerates members that are missing (they keep their
// default) or unknown, so that a record of an older version can be read; a value of the wrong type
// is an error.
#pragma once

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <boost/mp11.hpp>

#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/id.h"

namespace terrarium::ec2::record_json {

namespace json = boost::json;

template <class T>
concept Described = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;
template <class T>
concept Enumerated = boost::describe::has_describe_enumerators<T>::value;
template <class T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public>;

inline json::value write(const std::string& text) { return json::value(text); }
inline json::value write(bool flag) { return flag; }
inline json::value write(base::Timestamp time) { return time.time_since_epoch().count(); }
template <class T>
  requires std::is_integral_v<T>
json::value write(T number) {
  return static_cast<std::int64_t>(number);
}
template <Enumerated T>
json::value write(T value) {
  return json::value(boost::describe::enum_to_string(value, ""));
}
template <class Tag>
json::value write(const base::Id<Tag>& id) {
  return json::value(id.value);
}
template <Described T>
json::value write(const T& record);
template <class T>
json::value write(const std::optional<T>& value) {
  return value.has_value() ? write(*value) : json::value(nullptr);
}
template <class T>
json::value write(const std::vector<T>& list) {
  json::array out;
  for (const T& item : list) out.push_back(write(item));
  return out;
}
template <class T, class Less>
json::value write(const std::map<std::string, T, Less>& map) {
  json::object out;
  for (const auto& [key, item] : map) out[key] = write(item);
  return out;
}
template <Described T>
json::value write(const T& record) {
  json::object out;
  boost::mp11::mp_for_each<Members<T>>(
      [&](auto member) { out[member.name] = write(record.*member.pointer); });
  return out;
}

inline bool read(const json::value& from, std::string& to) {
  if (!from.is_string()) return false;
  to.assign(from.as_string());
  return true;
}
inline bool read(const json::value& from, bool& to) {
  if (!from.is_bool()) return false;
  to = from.as_bool();
  return true;
}
inline bool read(const json::value& from, base::Timestamp& to) {
  if (!from.is_int64()) return false;
  to = base::Timestamp(base::Duration(from.as_int64()));
  return true;
}
template <class T>
  requires std::is_integral_v<T>
bool read(const json::value& from, T& to) {
  if (!from.is_int64()) return false;
  to = static_cast<T>(from.as_int64());
  return true;
}
template <Enumerated T>
bool read(const json::value& from, T& to) {
  return from.is_string() && boost::describe::enum_from_string(from.as_string().c_str(), to);
}
template <class Tag>
bool read(const json::value& from, base::Id<Tag>& to) {
  return read(from, to.value);
}
template <Described T>
bool read(const json::value& from, T& to);
template <class T>
bool read(const json::value& from, std::optional<T>& to) {
  if (from.is_null()) return true;
  return read(from, to.emplace());
}
template <class T>
bool read(const json::value& from, std::vector<T>& to) {
  if (!from.is_array()) return false;
  for (const json::value& item : from.as_array()) {
    if (!read(item, to.emplace_back())) return false;
  }
  return true;
}
template <class T, class Less>
bool read(const json::value& from, std::map<std::string, T, Less>& to) {
  if (!from.is_object()) return false;
  for (const auto& [key, item] : from.as_object()) {
    if (!read(item, to[std::string(key)])) return false;
  }
  return true;
}
template <Described T>
bool read(const json::value& from, T& to) {
  if (!from.is_object()) return false;
  bool fits = true;
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    const json::value* const found = from.as_object().if_contains(member.name);
    if (found != nullptr) fits = read(*found, to.*member.pointer) && fits;
  });
  return fits;
}

}  // namespace terrarium::ec2::record_json
