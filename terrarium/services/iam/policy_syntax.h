// The form of a policy's elements. Part of policy_rules.h.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace terrarium::iam {

using JsonObject = boost::json::object;
using JsonValue = boost::json::value;

// A string or a list of strings, as a list; what is neither is empty.
std::vector<std::string> texts_of(const JsonValue& value);
// The statements of a policy whose form is right.
std::vector<JsonObject> statements_of(const JsonObject& policy);

// Every element known and of its type, nothing required missing, nothing said twice.
bool is_well_formed(const JsonObject& policy);
// What AWS calls legacy parsing: the case of Effect, the values of date conditions.
bool passes_legacy_parsing(const JsonObject& statement);

}  // namespace terrarium::iam
