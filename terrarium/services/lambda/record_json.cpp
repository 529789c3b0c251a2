#include "terrarium/services/lambda/record_json.h"

namespace terrarium::lambda::record_json {

base::Result<json::object> parse_object(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) {
    return base::fail(base::ErrorKind::Internal, "a record of lambda is damaged");
  }
  return std::move(value.as_object());
}

std::string text(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->as_string());
}

std::int64_t number(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_int64() ? value->as_int64() : 0;
}

std::int32_t number32(const json::object& object, std::string_view name) {
  return static_cast<std::int32_t>(number(object, name));
}

std::optional<std::int32_t> optional32(const json::object& object, std::string_view name) {
  if (!object.contains(name)) return std::nullopt;
  return number32(object, name);
}

bool flag(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->as_bool();
}

double real(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_double() ? value->as_double() : 0;
}

std::int64_t micros(base::Timestamp time) { return time.time_since_epoch().count(); }

base::Timestamp time(const json::object& object, std::string_view name) {
  return base::Timestamp(base::Duration(number(object, name)));
}

json::object object_of(const std::map<std::string, std::string>& map) {
  json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

std::map<std::string, std::string> map_of(const json::object& object, std::string_view name) {
  std::map<std::string, std::string> map;
  const json::object* members = object_at(object, name);
  if (members == nullptr) return map;
  for (const auto& member : *members) {
    if (member.value().is_string()) {
      map.emplace(std::string(member.key()), std::string(member.value().as_string()));
    }
  }
  return map;
}

std::vector<std::string> texts(const json::object& object, std::string_view name) {
  std::vector<std::string> found;
  const json::array* array = array_at(object, name);
  if (array == nullptr) return found;
  for (const json::value& value : *array) {
    if (value.is_string()) found.emplace_back(value.as_string());
  }
  return found;
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

const json::object* object_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_object();
}

const json::array* array_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_array();
}

json::array array_of(const std::vector<PolicyStatement>& policy) {
  json::array array;
  for (const PolicyStatement& statement : policy) {
    array.push_back(json::object{{"id", statement.id}, {"json", statement.json}});
  }
  return array;
}

std::vector<PolicyStatement> policy_of(const json::object& object) {
  std::vector<PolicyStatement> policy;
  const json::array* array = array_at(object, "policy");
  if (array == nullptr) return policy;
  for (const json::value& statement : *array) {
    if (!statement.is_object()) continue;
    policy.push_back({text(statement.as_object(), "id"), text(statement.as_object(), "json")});
  }
  return policy;
}

}  // namespace terrarium::lambda::record_json
