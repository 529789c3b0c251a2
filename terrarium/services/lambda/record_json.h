// Reading members of stored JSON records. What is missing or of another kind is empty: records are
// written by this program only.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "terrarium/services/lambda/function_record.h"

namespace terrarium::lambda::record_json {

namespace json = boost::json;

base::Result<json::object> parse_object(std::string_view text);
std::string text(const json::object& object, std::string_view name);
std::int64_t number(const json::object& object, std::string_view name);
std::int32_t number32(const json::object& object, std::string_view name);
std::optional<std::int32_t> optional32(const json::object& object, std::string_view name);
bool flag(const json::object& object, std::string_view name);
double real(const json::object& object, std::string_view name);
base::Timestamp time(const json::object& object, std::string_view name);
std::int64_t micros(base::Timestamp time);
std::map<std::string, std::string> map_of(const json::object& object, std::string_view name);
json::object object_of(const std::map<std::string, std::string>& map);
std::vector<std::string> texts(const json::object& object, std::string_view name);
json::array array_of(const std::vector<std::string>& texts);
json::array array_of(const std::vector<PolicyStatement>& policy);
// Of the member "policy".
std::vector<PolicyStatement> policy_of(const json::object& object);
// The member when it is an object or array; null otherwise.
const json::object* object_at(const json::object& object, std::string_view name);
const json::array* array_at(const json::object& object, std::string_view name);

}  // namespace terrarium::lambda::record_json
